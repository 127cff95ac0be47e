"""A function in Python over the pieces of a file, in two processes, in order, within a window of bytes."""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from benchmarks.case import Bar, Case, Run
from benchmarks.pipeline.parallel import WINDOW_BYTES, measured
from benchmarks.pipeline.pieces import PIECE_BYTES, a_file, read

LOOP = "one after another"
BYTES = "pmap of two processes, 8 MiB"
PIECES = "the same, pieces of the file by reference"
EXECUTOR = "ProcessPoolExecutor.map, parts of 16"
POOL = "multiprocessing.Pool.imap, parts of 16"
VOWELS = re.compile(rb"[aeiou]+")

case = Case(
    "A text of 128 MiB in pieces of 64 KiB, vowels taken out by a regular expression, results in order; "
    "the start of the processes counts.",
    size=128,
    tiny=1,
    per="MiB",
    unit="ms",
    figures={"delta_mb": "MB above the start, here", "wall_s": "s of wall clock"},
    bars=(
        Bar("pmap takes at most 1.5 times its bytes of memory above the start", 1.5, "x",
            lambda outcome: outcome.figure(BYTES, "delta_mb") * 1e6 / WINDOW_BYTES),
    ),
)  # fmt: skip


def abridged(piece: bytes) -> bytes:
    return VOWELS.sub(b"", piece)


@case.contestant(LOOP)
def loop(size: int) -> Run:
    return measured(map(abridged, read(a_file(size << 20))))


@case.contestant(EXECUTOR)
def executor(size: int) -> Run:
    path = a_file(size << 20)

    def results() -> Iterable[bytes]:
        with ProcessPoolExecutor(2) as processes:
            yield from processes.map(abridged, read(path), chunksize=16)

    return measured(results())


@case.contestant(POOL)
def pool(size: int) -> Run:
    path = a_file(size << 20)

    def results() -> Iterable[bytes]:
        with multiprocessing.Pool(2) as processes:
            yield from processes.imap(abridged, read(path), chunksize=16)
            processes.close()
            processes.join()

    return measured(results())


@case.contestant(BYTES)
def flow(size: int) -> Run:
    import flatwater as fw

    pieces = fw.Flow(read, a_file(size << 20))
    return measured(pieces.pmap(abridged, kind="process", workers=2, bytes=WINDOW_BYTES))


@case.contestant(PIECES)
def references(size: int) -> Run:
    import flatwater as fw

    pieces = fw.Flow(fw.FileChunks(a_file(size << 20), PIECE_BYTES))
    return measured(pieces.pmap(abridged, kind="process", workers=2, bytes=WINDOW_BYTES))
