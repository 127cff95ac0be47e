"""The ways to run one Python program that the cases of this folder compare."""

from __future__ import annotations

import json
import resource
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


OWN_SHARE_MAX = 100 * (RATIO_MAX - 1)


def bars() -> tuple[Bar, ...]:
    """What `flatwater run` promises for a program of ten or more CPU seconds.

    Twice, because two runs of one program differ by more than 5 % on a busy machine: what flatwater's own processes took
    is told from what the program took within a single run.
    """
    return tuple(
        bar
        for way in (MEASURED, LIMITED)
        for bar in (
            Bar(
                f"`{way}` costs at most {RATIO_MAX}x the plain program's CPU, its own processes included",
                RATIO_MAX,
                "x",
                partial(_ratio, way),
            ),
            Bar(
                f"the own processes of `{way}` take at most {OWN_SHARE_MAX:.0f} % of the CPU that the program takes in that run",
                OWN_SHARE_MAX,
                "%",
                partial(_own, way),
            ),
        )
    )


def program_case(title: str, program: str, *, size: int, tiny: int, slow_rounds: int) -> Case:
    """A program of `benchmarks/programs`, run in each way."""
    figures = {"own_percent": "own processes, % of the program"}
    case = Case(title, size=size, tiny=tiny, commands=True, figures=figures, bars=bars())
    script = str(PROGRAMS / program)
    case.contestant(PLAIN)(lambda size: command(sys.executable, script, str(size)))
    case.contestant(MEASURED)(lambda size: flatwater(script, str(size)))
    case.contestant(LIMITED)(lambda size: flatwater(script, str(size), options=("--budget", "1GiB")))
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


def flatwater(*argv: str, options: tuple[str, ...] = ()) -> Run:
    """Run a script under `flatwater run`, which tells what the script itself took."""

    def run() -> dict[str, float]:
        before_s = _children_cpu_s()
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            command(*FLATWATER, *options, "--json", str(report), "--", sys.executable, *argv)()
            program_s = json.loads(report.read_text("utf-8"))["cpu_s"]
        return {"own_percent": 100 * (_children_cpu_s() - before_s - program_s) / max(program_s, 1e-3)}

    return run


def memray(*argv: str, times: int = 1) -> Run:
    """Run a script under memray, its recording in a directory that is removed."""

    def run() -> None:
        for _ in range(times):
            with tempfile.TemporaryDirectory() as folder:
                command(sys.executable, "-m", "memray", "run", "-q", "-o", f"{folder}/recording.bin", *argv)()

    return run


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _own(way: str, outcome: Outcome) -> float:
    return outcome.figure(way, "own_percent")


def _ratio(way: str, outcome: Outcome) -> float:
    return outcome.ratio(way)
