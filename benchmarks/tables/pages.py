"""What the last page of a long table costs, against the first: by token, and by OFFSET."""

from __future__ import annotations

import sqlite3

from benchmarks.case import Bar, Case, Run
from benchmarks.tables import people

PAGE_ROWS = 50
PAGES = 100
SECRET = "a secret of this benchmark alone"
FIRST, LAST = "Table.page, the first", "Table.page, the last"

case = Case(
    f"A page of {PAGE_ROWS} rows, {PAGES} times over, of a SQLite table of so many rows.",
    size=1_000_000,
    tiny=2_000,
    unit="ms",
    rounds_per_repeat=3,
    bars=(
        Bar("the last page takes at most 1.2 times the CPU of the first", 1.2, "x",
            lambda outcome: outcome.ratio(LAST, FIRST)),
    ),
)  # fmt: skip


def pages(size: int, *, last: bool) -> Run:
    from flatwater.source import Table

    table = Table(people.database(size), "people", secret=SECRET)
    token = table.page(limit=1, start=size - PAGE_ROWS).token if last else None
    wanted = size - PAGE_ROWS + 1 if last else 1
    table.page(token, PAGE_ROWS, as_=people.Person)

    def run() -> None:
        for _ in range(PAGES):
            page = table.page(token, PAGE_ROWS, as_=people.Person)
            assert page[0].id == wanted
            assert len(page) == PAGE_ROWS

    return run


def by_offset(size: int, offset: int) -> Run:
    connection = sqlite3.connect(people.database(size))
    sql = f"SELECT {people.COLUMNS} FROM people ORDER BY id LIMIT {PAGE_ROWS} OFFSET ?"

    def run() -> None:
        for _ in range(PAGES):
            rows = connection.execute(sql, (offset,)).fetchall()
            assert rows[0][0] == offset + 1
            assert len(rows) == PAGE_ROWS

    return run


@case.contestant(FIRST, needs=("apsw",))
def first(size: int) -> Run:
    return pages(size, last=False)


@case.contestant(LAST, needs=("apsw",))
def last(size: int) -> Run:
    return pages(size, last=True)


@case.contestant("sqlite3, LIMIT and OFFSET, the first")
def offset_first(size: int) -> Run:
    return by_offset(size, 0)


@case.contestant("sqlite3, LIMIT and OFFSET, the last", rounds_max=1)
def offset_last(size: int) -> Run:
    return by_offset(size, size - PAGE_ROWS)
