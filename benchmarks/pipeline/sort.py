"""What it costs to sort a file of lines into another one: in 16 MiB, and by engines that are made for it."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome

from benchmarks import kept

SORT_BYTES = "16 MiB"
DUCKDB_BYTES = "128MB"  # with half as much it ends with an error
OURS, BY_KEY, POLARS = "Flow.sort, 16 MiB", "Flow.sort, by a key", "polars, streaming"
DUCKDB, DUCKDB_LIMITED, GNU = "DuckDB", "DuckDB, memory_limit 128 MB", "GNU sort, -S 16M"
KEY_CHARS = 16


def cpu(peer: str) -> Callable[[Outcome], float]:
    """Ours against the peer's."""
    return lambda outcome: outcome.ratio(OURS, peer)


def memory(peer: str) -> Callable[[Outcome], float]:
    """The most that was anonymous, ours against the peer's."""

    def ratio(outcome: Outcome) -> float:
        ours, others = ([each["anon_peak_bytes"] for each in outcome.rounds[name]] for name in (OURS, peer))
        return float(max(ours)) / float(max(others))

    return ratio


case = Case(
    "A file of lines of about 92 bytes, in no order, sorted into another file.",
    size=1_500_000,
    tiny=2_000,
    per="line",
    unit="us",
    bars=(
        Bar("at most 3 times the CPU of polars", 3.0, "x", cpu(POLARS)),
        Bar("at most 3 times the CPU of DuckDB", 3.0, "x", cpu(DUCKDB)),
        Bar("at most a quarter of the memory of polars", 0.25, "x", memory(POLARS)),
        Bar("at most a quarter of the memory of DuckDB", 0.25, "x", memory(DUCKDB)),
        Bar("at most a quarter of the memory of DuckDB below its own limit", 0.25, "x", memory(DUCKDB_LIMITED)),
    ),
)  # fmt: skip


def a_file(size: int) -> str:
    """A file of so many lines."""
    path = str(kept.folder("sort") / f"lines-{size}.txt")
    if not os.path.exists(path):
        rng = random.Random(5)
        with open(path + ".part", "w", encoding="ascii") as file:
            file.writelines(
                f"{rng.getrandbits(64):016x},{at:08},customer {at * 7919 % 100_003},{'abcdefghij' * 5}\n"
                for at in range(size)
            )
        os.replace(path + ".part", path)
    return path


def sorting(size: int, work: Callable[[str, str], object]) -> Run:
    """`work(source, target)` of the file, checked by its size and its first line."""
    source = a_file(size)
    with open(source, encoding="ascii") as file:
        first = min(file)

    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder, "sorted.txt")
            work(source, str(target))
            assert target.stat().st_size == os.path.getsize(source)
            with target.open(encoding="ascii") as file:
                assert next(file) == first

    return run


def ours(size: int, key: Callable[[str], str] | None) -> Run:
    """With or without a key."""
    import flatwater as fw

    return sorting(size, lambda source, target: fw.Flow(fw.lines(source)).sort(key, bytes=SORT_BYTES).to(target).run())


@case.contestant(OURS)
def whole_lines(size: int) -> Run:
    return ours(size, None)


@case.contestant(BY_KEY)
def by_key(size: int) -> Run:
    return ours(size, lambda line: line[:KEY_CHARS])


@case.contestant(POLARS, needs=("polars",))
def with_polars(size: int) -> Run:
    import polars as pl

    def work(source: str, target: str) -> None:
        lines = pl.scan_lines(source, name="line").sort("line")
        lines.sink_csv(target, include_header=False, separator="\x01", quote_style="never")

    return sorting(size, work)


def duckdb(size: int, settings: str) -> Run:
    """With some settings, which are SQL."""
    import duckdb as db

    def work(source: str, target: str) -> None:
        with db.connect() as connection:
            connection.execute(f"{settings} SET temp_directory='{os.path.dirname(target)}/spilled'")
            connection.execute(
                f"COPY (SELECT line FROM read_csv('{source}', columns={{'line': 'VARCHAR'}}, header=false, delim='\x01', "
                f"quote='', escape='', auto_detect=false) ORDER BY line) TO '{target}' "
                "(header false, delimiter '\x01', quote '', escape '')"
            )

    return sorting(size, work)


@case.contestant(DUCKDB, needs=("duckdb",))
def duckdb_free(size: int) -> Run:
    return duckdb(size, "")


@case.contestant(DUCKDB_LIMITED, needs=("duckdb",))
def duckdb_limited(size: int) -> Run:
    return duckdb(size, f"SET memory_limit='{DUCKDB_BYTES}';")


@case.contestant(GNU)
def gnu_sort(size: int) -> Run:
    def work(source: str, target: str) -> None:
        environment = {**os.environ, "LC_ALL": "C"}
        subprocess.run(["sort", "-S", "16M", "--parallel=1", "-o", target, source], env=environment, check=True)

    return sorting(size, work)
