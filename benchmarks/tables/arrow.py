"""What it costs to go through a table as record batches of Arrow, beside ADBC's stream, which counts rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from benchmarks.case import Bar, Case, Run
from benchmarks.tables import people
from benchmarks.tables.measuring import FIGURES, Above

OURS, OURS_SQLITE3 = "Table by path", "Table over sqlite3"
ADBC, ADBC_DEFAULT = "ADBC, batches of 1000 rows", "ADBC, its default batches"

case = Case(
    "A SQLite table of so many rows of about 290 bytes, as record batches; the lengths of one column are added up.",
    size=1_000_000,
    tiny=2_000,
    per="row",
    unit="us",
    figures=FIGURES,
    bars=(
        Bar("it takes at most 1.1 times the CPU of ADBC's stream of 1000 rows", 1.1, "x",
            lambda outcome: outcome.ratio(OURS, ADBC)),
    ),
)  # fmt: skip


def summed(size: int, batches: Iterable[Any]) -> None:
    import pyarrow.compute as pc

    wanted = people.expected(size)
    count = characters = 0
    for batch in batches:
        count += batch.num_rows
        characters += pc.sum(pc.binary_length(batch.column("email"))).as_py() or 0
        del batch
    assert (count, characters) == (wanted["rows"], wanted["characters"])


def table(source: Any, size: int) -> Run:
    import pyarrow.compute  # noqa: F401 - importing is not measured

    from flatwater.source import Table

    opened = Table(source, "people")

    def run() -> dict[str, float]:
        above = Above()
        summed(size, opened.batches(as_="arrow"))
        return above.figures()

    return run


def adbc(size: int, batch_rows: int) -> Run:
    import adbc_driver_sqlite.dbapi as driver
    import pyarrow.compute  # noqa: F401 - importing is not measured

    connection = driver.connect(people.database(size))
    cursor = connection.cursor()
    if batch_rows:
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": batch_rows})

    def run() -> dict[str, float]:
        above = Above()
        cursor.execute(f"SELECT {people.COLUMNS} FROM people ORDER BY id")
        summed(size, cursor.fetch_record_batch())
        return above.figures()

    return run


@case.contestant(OURS, needs=("apsw", "pyarrow"))
def by_path(size: int) -> Run:
    return table(people.database(size), size)


@case.contestant(OURS_SQLITE3, needs=("pyarrow",))
def over_connection(size: int) -> Run:
    return table(sqlite3.connect(people.database(size)), size)


@case.contestant(ADBC, needs=("adbc_driver_sqlite", "pyarrow"))
def adbc_thousand(size: int) -> Run:
    return adbc(size, 1000)


@case.contestant(ADBC_DEFAULT, needs=("adbc_driver_sqlite", "pyarrow"))
def adbc_default(size: int) -> Run:
    return adbc(size, 0)
