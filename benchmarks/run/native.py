"""The overhead of `flatwater run` on a program whose work is done by libraries written in C."""

from __future__ import annotations

from benchmarks.run.ways import program_case

case = program_case(
    "A program that leaves its work to SQLite, zlib and SHA-256, run plain, under `flatwater run`, and under two tracers.",
    "native.py",
    size=400,
    tiny=2,
    slow_rounds=1,
)
