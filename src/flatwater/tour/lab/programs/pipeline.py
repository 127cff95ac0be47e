"""Read a file, clean it, embed it: a list for each step, and generators that pass one chunk on.

Covers:     the three steps in both forms. The embedding is a stand-in: a checksum of each cleaned chunk.
Not here:   what was measured, and what it means (`tour.lab.pipeline`).
Holds:      `with_lists` the file, its cleaned copy and a number a chunk; `with_generators` a chunk, its cleaned copy, and the read
            buffer; `with_a_flow` batches of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from flatwater.pipeline.flow import Flow
from flatwater.source.files.chunks import FileChunks

IMPORTS = ("flatwater.source.files.decoding",)
UNCLEAN = bytes.maketrans(b"\t\r\v\f", b"    ")


def with_lists(path: str, chunk_bytes: int) -> int:
    """Ends one step before the next begins."""
    with open(path, "rb") as file:
        content = file.read()
    cleaned = [clean(content[begin : begin + chunk_bytes]) for begin in range(0, len(content), chunk_bytes)]
    vectors = [embed(chunk) for chunk in cleaned]
    return sum(vectors)


def with_generators(path: str, chunk_bytes: int) -> int:
    """Takes each chunk through all steps before the next is read."""
    with FileChunks(path, chunk_bytes, copy=True) as chunks:
        return sum(embedded(cleaned(chunks)))


def with_a_flow(path: str, chunk_bytes: int) -> int:
    """The same two generator functions as stages of a flow."""
    return sum(Flow(FileChunks(path, chunk_bytes)).pipe(cleaned).pipe(embedded))


def cleaned(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Each chunk, cleaned."""
    for chunk in chunks:
        yield clean(chunk)


def embedded(chunks: Iterable[bytes]) -> Iterator[int]:
    """Each chunk's embedding."""
    for chunk in chunks:
        yield embed(chunk)


def clean(chunk: bytes) -> bytes:
    """Other white space becomes spaces."""
    return chunk.translate(UNCLEAN)


def embed(chunk: bytes) -> int:
    """A number that depends on every byte."""
    return zlib.crc32(chunk)
