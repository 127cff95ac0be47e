"""The ways to run one Python program that the cases of this folder compare."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome

PROGRAMS = Path(__file__).parents[1] / "programs"
PLAIN, MEASURED, LIMITED = "python", "flatwater run", "flatwater run --budget 1GiB"
MEMRAY, TRACEMALLOC = "memray run", "python -X tracemalloc"
FLATWATER = (sys.executable, "-m", "flatwater", "run")
RATIO_MAX = 1.05


def bars() -> tuple[Bar, ...]:
    """What `flatwater run` promises for a program of ten or more CPU seconds."""
    return tuple(
        Bar(
            f"`{way}` costs at most {RATIO_MAX}x the plain program's CPU, its own process included",
            RATIO_MAX,
            "x",
            partial(_ratio, way),
        )
        for way in (MEASURED, LIMITED)
    )


def program_case(title: str, program: str, *, size: int, tiny: int, slow_rounds: int) -> Case:
    """A program of `benchmarks/programs`, run in each way."""
    case = Case(title, size=size, tiny=tiny, commands=True, bars=bars())
    script = str(PROGRAMS / program)
    case.contestant(PLAIN)(lambda size: command(sys.executable, script, str(size)))
    case.contestant(MEASURED)(lambda size: command(*FLATWATER, "--", sys.executable, script, str(size)))
    case.contestant(LIMITED)(
        lambda size: command(*FLATWATER, "--budget", "1GiB", "--", sys.executable, script, str(size))
    )
    case.contestant(MEMRAY, needs=("memray",), rounds_max=slow_rounds)(lambda size: memray(script, str(size)))
    case.contestant(TRACEMALLOC, rounds_max=slow_rounds)(
        lambda size: command(sys.executable, "-X", "tracemalloc", script, str(size))
    )
    return case


def command(*argv: str, times: int = 1) -> Run:
    """Run a command and wait for it, with its output thrown away."""

    def run() -> None:
        for _ in range(times):
            subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    return run


def memray(*argv: str, times: int = 1) -> Run:
    """Run a script under memray, its recording in a directory that is removed."""

    def run() -> None:
        for _ in range(times):
            with tempfile.TemporaryDirectory() as folder:
                command(sys.executable, "-m", "memray", "run", "-q", "-o", f"{folder}/recording.bin", *argv)()

    return run


def _ratio(way: str, outcome: Outcome) -> float:
    return outcome.ratio(way)
