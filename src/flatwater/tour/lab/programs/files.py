"""A file's checksum: from the whole file, and from a kilobyte at a time.

Covers:     reading all, reading in chunks.
Not here:   what was measured, and what it means (`tour.lab.files`); doing something to each chunk (`programs.pipeline`).
Holds:      `whole` the file; `in_chunks` two chunks (the one before lives until the next is read), and Python's read buffer: a block
            of the file system, mostly 4 KiB.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator


def whole(path: str) -> int:
    """Reads everything, then adds it up."""
    with open(path, "rb") as file:
        content = file.read()
    return zlib.crc32(content)


def in_chunks(path: str, chunk_bytes: int) -> int:
    """Adds up one chunk, forgets it, and reads the next."""
    checksum = 0
    for chunk in chunks_of(path, chunk_bytes):
        checksum = zlib.crc32(chunk, checksum)
    return checksum


def chunks_of(path: str, chunk_bytes: int) -> Iterator[bytes]:
    """The file, so many bytes at a time."""
    with open(path, "rb") as file:
        while chunk := file.read(chunk_bytes):
            yield chunk
