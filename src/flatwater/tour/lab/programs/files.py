"""A file's checksum: from the whole file, and from a kilobyte at a time.

Covers:     reading all; reading in chunks by `FileChunks`, and by a loop of one's own.
Not here:   what was measured, and what it means (`tour.lab.files`); doing something to each chunk (`programs.pipeline`).
Holds:      `whole` the file; `in_chunks` one block of 64 KiB, from which the chunks are cut; `by_hand` two chunks (the one
            before lives until the next is read), and Python's read buffer: a block of the file system, mostly 4 KiB.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from flatwater.source.files.chunks import FileChunks

IMPORTS = ("flatwater.source.files.decoding",)


def whole(path: str) -> int:
    """Reads everything, then adds it up."""
    with open(path, "rb") as file:
        # flatwater: allow FW102 — what the lab measures
        content = file.read()
    return zlib.crc32(content)


def in_chunks(path: str, chunk_bytes: int) -> int:
    """Adds up one chunk of the house's iterator, and asks for the next."""
    checksum = 0
    with FileChunks(path, chunk_bytes) as chunks:
        for chunk in chunks:
            checksum = zlib.crc32(chunk, checksum)
    return checksum


def by_hand(path: str, chunk_bytes: int) -> int:
    """Adds up one chunk, forgets it, and reads the next: the iterator of the write-up."""
    checksum = 0
    for chunk in chunks_of(path, chunk_bytes):
        checksum = zlib.crc32(chunk, checksum)
    return checksum


def chunks_of(path: str, chunk_bytes: int) -> Iterator[bytes]:
    """The file, so many bytes at a time."""
    with open(path, "rb") as file:
        while chunk := file.read(chunk_bytes):
            yield chunk
