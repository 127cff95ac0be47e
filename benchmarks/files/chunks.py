"""What it costs to go through a file in chunks, beside the bare system call in a loop."""

from __future__ import annotations

import os
from collections.abc import Callable

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome

from benchmarks import kept

SMALL, USUAL = 4 << 10, 256 << 10
MIB = 1 << 20


def delta(contestant: str) -> Callable[[Outcome], float]:
    """MB above what `import flatwater` had left the process at."""
    return lambda outcome: outcome.figure(contestant, "delta_mb")


case = Case(
    "A file of so many MiB in chunks, from the page cache: CPU of the loop and of the kernel's copy.",
    size=1024,
    tiny=2,
    rounds_per_repeat=2,
    figures={"delta_mb": "MB above `import flatwater`"},
    bars=(
        Bar("chunks of 256 KiB take at most 1.1 times the CPU of raw readinto", 1.1, "x",
            lambda outcome: outcome.ratio("FileChunks, 256 KiB", "readinto, 256 KiB")),
        Bar("chunks of 4 KiB take at most 1.4 times the CPU of raw readinto", 1.4, "x",
            lambda outcome: outcome.ratio("FileChunks, 4 KiB", "readinto, 4 KiB")),
        Bar("they take at most 2 MB above `import flatwater`", 2.0, "MB", delta("FileChunks, 256 KiB")),
    ),
)  # fmt: skip


def a_file(mebibytes: int) -> str:
    """A file in the page cache, removed by the system's cleaning of temporary files."""
    path = str(kept.folder("chunks") / f"{mebibytes}-mib")
    if not os.path.exists(path) or os.path.getsize(path) != mebibytes * MIB:
        part = os.urandom(MIB)
        with open(path, "wb") as file:
            file.writelines(part for _ in range(mebibytes))
    with open(path, "rb", buffering=0) as file:
        buffer = bytearray(64 << 10)  # and small: what it leaves in the process would hide what is measured
        while file.readinto(buffer):
            pass
    return path


def resident_mb(what: str) -> float:
    """VmRSS or VmHWM of this process."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in file if line.startswith(what))


def bare(size: int, chunk_bytes: int) -> Run:
    path = a_file(size)

    before_mb = resident_mb("VmRSS")

    def run() -> dict[str, float]:
        total = 0
        buffer = bytearray(chunk_bytes)
        with open(path, "rb", buffering=0) as file:
            while count := file.readinto(buffer):
                total += count
        assert total == size * MIB
        return {"delta_mb": resident_mb("VmHWM") - before_mb}

    return run


def chunks(size: int, chunk_bytes: int, *, copy: bool) -> Run:
    path = a_file(size)
    import flatwater  # noqa: F401 - what is above it is measured

    before_mb = resident_mb("VmRSS")
    from flatwater.source import FileChunks as make  # noqa: N813 - what importing costs is in the memory, not in the time

    def run() -> dict[str, float]:
        total = 0
        with make(path, chunk_bytes, copy=copy) as source:
            for chunk in source:
                total += len(chunk)
        assert total == size * MIB
        return {"delta_mb": resident_mb("VmHWM") - before_mb}

    return run


@case.contestant("readinto, 256 KiB")
def bare_usual(size: int) -> Run:
    return bare(size, USUAL)


@case.contestant("FileChunks, 256 KiB")
def chunks_usual(size: int) -> Run:
    return chunks(size, USUAL, copy=False)


@case.contestant("FileChunks, 256 KiB, copy=True")
def chunks_copied(size: int) -> Run:
    return chunks(size, USUAL, copy=True)


@case.contestant("readinto, 4 KiB")
def bare_small(size: int) -> Run:
    return bare(size, SMALL)


@case.contestant("FileChunks, 4 KiB")
def chunks_small(size: int) -> Run:
    return chunks(size, SMALL, copy=False)
