"""What a table with rows of very different widths takes: a hundredth of the rows have 1 MB each, and stand side by side.

Whoever counts rows has two hundred of the wide ones at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome
from benchmarks.tables import models, people, rails
from benchmarks.tables.measuring import FIGURES, Above

OURS, OURS_SQLITE3 = "Table by path, dataclass", "Table over sqlite3, dataclass"
COUNTING = ("Django, iterator", "SQLAlchemy ORM, yield_per", "sqlite3, fetchmany", "Rails 6.1, find_each")
BATCH_ROWS = 1000


@dataclass(slots=True)
class Document:
    """A row."""

    id: int
    body: str


def of_the_leanest(ours: str) -> Callable[[Outcome], float]:
    """Our peak above the start, as a part of that of the peer that needs least."""

    def value(outcome: Outcome) -> float:
        peers = [outcome.figure(each, "delta_mb") for each in COUNTING if outcome.rounds.get(each)]
        return outcome.figure(ours, "delta_mb") / min(peers) if peers else float("nan")

    return value


case = Case(
    "A SQLite table of so many rows of 100 bytes, and every hundredth of 1 MB, these side by side.",
    size=20_000,
    tiny=2_000,
    figures=FIGURES,
    bars=(
        Bar("the peak is a tenth of that of any peer that counts rows, or less", 0.1, "x", of_the_leanest(OURS)),
        Bar("over sqlite3 as well", 0.1, "x", of_the_leanest(OURS_SQLITE3)),
    ),
)  # fmt: skip


def bodies(size: int, start: Callable[[], Iterable[Any]]) -> Run:
    wanted = people.wide_characters(size)

    def run() -> dict[str, float]:
        above = Above()
        characters = 0
        for row in start():
            characters += len(row.body)
        assert characters == wanted
        return above.figures()

    return run


def table(source: Any, size: int) -> Run:
    from flatwater.source import Table

    opened = Table(source, "documents")
    opened.page(limit=1)
    return bodies(size, lambda: opened.find_each(as_=Document, batch_rows=BATCH_ROWS))


@case.contestant(OURS, needs=("apsw",))
def by_path(size: int) -> Run:
    return table(people.wide_database(size), size)


@case.contestant(OURS_SQLITE3)
def over_connection(size: int) -> Run:
    return table(sqlite3.connect(people.wide_database(size)), size)


@case.contestant(COUNTING[0], needs=("django",))
def django_iterator(size: int) -> Run:
    _, document = models.django_sqlite(people.wide_database(size))
    document.objects.first()
    return bodies(size, lambda: document.objects.order_by("id").iterator(chunk_size=BATCH_ROWS))


@case.contestant(COUNTING[1], needs=("sqlalchemy",))
def sqlalchemy_yield_per(size: int) -> Run:
    import sqlalchemy as sa

    session, _, document = models.sqlalchemy(f"sqlite:///{people.wide_database(size)}")
    statement = sa.select(document).order_by(document.id).execution_options(yield_per=BATCH_ROWS)
    return bodies(size, lambda: session.execute(statement).scalars())


@case.contestant(COUNTING[2])
def bare_sqlite3(size: int) -> Run:
    connection = sqlite3.connect(people.wide_database(size))
    wanted = people.wide_characters(size)

    def run() -> dict[str, float]:
        above = Above()
        characters = 0
        cursor = connection.execute("SELECT id, body FROM documents ORDER BY id")
        while rows := cursor.fetchmany(BATCH_ROWS):
            for _, body in rows:
                characters += len(body)
        assert characters == wanted
        return above.figures()

    return run


@case.contestant(COUNTING[3], absent=rails.absent)
def rails_find_each(size: int) -> Run:
    wanted = people.wide_characters(size)

    def check(count: int, _: int, characters: int) -> None:
        assert (count, characters) == (size, wanted)

    return rails.find_each(people.wide_database(size), "wide", check)
