"""The overhead of `flatwater run` on a program that allocates Python objects all the time."""

from __future__ import annotations

from benchmarks.run.ways import program_case

case = program_case(
    "A pure Python program that allocates all the time, run plain, under `flatwater run`, and under two tracers.",
    "objects.py",
    size=900_000,
    tiny=2_000,
    slow_rounds=1,
)
