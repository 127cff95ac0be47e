"""Compressing the pieces of a file in several threads, in order, within a window of bytes."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from benchmarks.case import Bar, Case, Run
from benchmarks.pipeline.pieces import a_file, read

LOOP = "one after another"
FLOW = "pmap of two threads, 8 MiB"
PEER = "ThreadPoolExecutor.map, two threads"
WINDOW_BYTES = 8 * 1024 * 1024

case = Case(
    "A text of 256 MiB in pieces of 64 KiB, each compressed with zlib at level 1, results in order.",
    size=256,
    tiny=1,
    per="MiB",
    unit="ms",
    figures={"delta_mb": "MB above the start", "wall_s": "s of wall clock"},
    bars=(
        Bar("pmap takes at most 1.2 of the sequential CPU", 1.2, "x", lambda outcome: outcome.ratio(FLOW, LOOP)),
        Bar("and 0.65 of the sequential wall clock", 0.65, "x",
            lambda outcome: outcome.figure(FLOW, "wall_s") / outcome.figure(LOOP, "wall_s")),
        Bar("and at most 1.5 times its bytes of memory above the start", 1.5, "x",
            lambda outcome: outcome.figure(FLOW, "delta_mb") * 1e6 / WINDOW_BYTES),
        Bar("a tenth of what ThreadPoolExecutor.map takes", 0.1, "x",
            lambda outcome: outcome.figure(FLOW, "delta_mb") / outcome.figure(PEER, "delta_mb")),
    ),
)  # fmt: skip


def compressed(piece: bytes) -> bytes:
    return zlib.compress(piece, 1)


def resident_mb(what: str) -> float:
    """VmRSS or VmHWM of this process."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in file if line.startswith(what))


def measured(results: Iterable[bytes]) -> Run:
    before_mb = resident_mb("VmRSS")

    def run() -> dict[str, float]:
        from time import perf_counter

        begun = perf_counter()
        total = sum(map(len, results))
        assert total
        return {"delta_mb": resident_mb("VmHWM") - before_mb, "wall_s": perf_counter() - begun}

    return run


@case.contestant(LOOP)
def loop(size: int) -> Run:
    return measured(map(compressed, read(a_file(size << 20))))


@case.contestant(PEER)
def executor(size: int) -> Run:
    path = a_file(size << 20)

    def results() -> Iterable[bytes]:
        with ThreadPoolExecutor(2) as threads:
            yield from threads.map(compressed, read(path))

    return measured(results())


@case.contestant(FLOW)
def flow(size: int) -> Run:
    import flatwater as fw

    return measured(fw.Flow(read, a_file(size << 20)).pmap(compressed, workers=2, bytes=WINDOW_BYTES))


@case.contestant("the same, through streamable", needs=("streamable",))
def streamable(size: int) -> Run:
    from streamable import stream

    return measured(stream(read(a_file(size << 20))).map(compressed, concurrency=2))
