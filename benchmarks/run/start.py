"""What it costs to start anything at all under `flatwater run`."""

from __future__ import annotations

import shutil
import sys

from benchmarks.case import Case, Run
from benchmarks.run.ways import FLATWATER, LIMITED, MEASURED, MEMRAY, PROGRAMS, TRACEMALLOC, command, memray

TRUE = shutil.which("true") or "true"
NOTHING = str(PROGRAMS / "nothing.py")

case = Case(
    "Starting a program that does nothing: the fixed cost of each way, `true` where it takes any command.",
    size=5,
    tiny=1,
    per="start",
    unit="ms",
    commands=True,
)


@case.contestant("true")
def plain(size: int) -> Run:
    return command(TRUE, times=size)


@case.contestant(MEASURED)
def measured(size: int) -> Run:
    return command(*FLATWATER, "--", TRUE, times=size)


@case.contestant(LIMITED)
def limited(size: int) -> Run:
    return command(*FLATWATER, "--budget", "1GiB", "--", TRUE, times=size)


@case.contestant("python, an empty script")
def python(size: int) -> Run:
    return command(sys.executable, NOTHING, times=size)


@case.contestant(f"{MEMRAY}, an empty script", needs=("memray",))
def memray_nothing(size: int) -> Run:
    return memray(NOTHING, times=size)


@case.contestant(f"{TRACEMALLOC}, an empty script")
def tracemalloc_nothing(size: int) -> Run:
    return command(sys.executable, "-X", "tracemalloc", NOTHING, times=size)
