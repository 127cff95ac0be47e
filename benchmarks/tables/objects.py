"""What it costs to go through a table as objects: the two forms of ours, three ORMs, and the bare drivers.

Everyone parses the date and touches it, and adds up the lengths of the addresses. Importing and connecting is not counted.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Any

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome
from benchmarks.tables import models, people, rails
from benchmarks.tables.measuring import FIGURES, Above, check, objects

PATH, PATH_STRUCT = "Table by path, dataclass", "Table by path, Struct"
OURS, OURS_STRUCT = "Table over sqlite3, dataclass", "Table over sqlite3, Struct"
APSW, SQLITE3 = "apsw, keyset tuples", "sqlite3, keyset tuples"
DJANGO, SQLALCHEMY, RAILS = "Django, iterator", "SQLAlchemy ORM, yield_per", "Rails 6.1, find_each"
BATCH_ROWS = 1000
KEYSET = f"SELECT {people.COLUMNS} FROM people WHERE id > ? ORDER BY id LIMIT {BATCH_ROWS}"


def less(ours: str, peer: str) -> Callable[[Outcome], float]:
    """The part of a peer's CPU that ours takes."""
    return lambda outcome: outcome.ratio(ours, peer)


case = Case(
    "A SQLite table of so many rows of about 290 bytes, as objects with a parsed date.",
    size=1_000_000,
    tiny=2_000,
    per="row",
    unit="us",
    figures=FIGURES,
    bars=(
        Bar("by path takes a quarter of the CPU of Django's iterator, or less", 1 / 4, "x", less(PATH, DJANGO)),
        Bar("by path takes a tenth of the CPU of SQLAlchemy's yield_per, or less", 1 / 10, "x", less(PATH, SQLALCHEMY)),
        Bar("by path takes an eighth of the CPU of Rails' find_each, or less", 1 / 8, "x", less(PATH, RAILS)),
        Bar("over sqlite3 it takes a third of the CPU of Django's iterator, or less", 1 / 3, "x", less(OURS, DJANGO)),
        Bar("over sqlite3, a seventh of that of SQLAlchemy's yield_per, or less", 1 / 7, "x", less(OURS, SQLALCHEMY)),
        Bar("over sqlite3, a fifth of that of Rails' find_each, or less", 1 / 5, "x", less(OURS, RAILS)),
        Bar("dataclass rows take at most 1.3 times the CPU of apsw's keyset tuples", 1.3, "x", less(PATH, APSW)),
        Bar("over sqlite3, at most 1.3 times that of sqlite3's keyset tuples", 1.3, "x", less(OURS, SQLITE3)),
    ),
)  # fmt: skip


def table(source: Any, as_: type, size: int) -> Run:
    from flatwater.source import Table

    opened = Table(source, "people")
    return objects(size, lambda: opened.find_each(as_=as_, batch_rows=BATCH_ROWS))


def keyset(fetch: Callable[[int], list[Any]], size: int) -> Run:
    wanted = people.expected(size)

    def run() -> dict[str, float]:
        above = Above()
        parse = datetime.fromisoformat
        count = years = characters = last = 0
        while rows := fetch(last):
            for _, _, email, created_at, _ in rows:
                count += 1
                years += parse(created_at).year
                characters += len(email)
            last = rows[-1][0]
        check(wanted, count, years, characters)
        return above.figures()

    return run


@case.contestant(PATH, needs=("apsw",))
def by_path(size: int) -> Run:
    return table(people.database(size), people.Person, size)


@case.contestant(PATH_STRUCT, needs=("apsw",))
def by_path_struct(size: int) -> Run:
    return table(people.database(size), people.PersonStruct, size)


@case.contestant(OURS)
def over_connection(size: int) -> Run:
    return table(sqlite3.connect(people.database(size)), people.Person, size)


@case.contestant(OURS_STRUCT)
def over_connection_struct(size: int) -> Run:
    return table(sqlite3.connect(people.database(size)), people.PersonStruct, size)


@case.contestant(APSW, needs=("apsw",))
def bare_apsw(size: int) -> Run:
    import apsw

    connection = apsw.Connection(people.database(size), flags=apsw.SQLITE_OPEN_READONLY)
    return keyset(lambda last: connection.execute(KEYSET, (last,)).fetchall(), size)


@case.contestant(SQLITE3)
def bare_sqlite3(size: int) -> Run:
    connection = sqlite3.connect(people.database(size))
    return keyset(lambda last: connection.execute(KEYSET, (last,)).fetchall(), size)


@case.contestant(DJANGO, needs=("django",))
def django_iterator(size: int) -> Run:
    person, _ = models.django_sqlite(people.database(size))
    person.objects.first()
    return objects(size, lambda: person.objects.order_by("id").iterator(chunk_size=BATCH_ROWS))


@case.contestant(SQLALCHEMY, needs=("sqlalchemy",), rounds_max=2)
def sqlalchemy_yield_per(size: int) -> Run:
    import sqlalchemy as sa

    session, person, _ = models.sqlalchemy(f"sqlite:///{people.database(size)}")
    with contextlib.closing(session.execute(sa.select(person).limit(1))) as first:
        first.all()
    session.expunge_all()
    statement = sa.select(person).order_by(person.id).execution_options(yield_per=BATCH_ROWS)
    return objects(size, lambda: session.execute(statement).scalars())


@case.contestant(RAILS, absent=rails.absent, rounds_max=2)
def rails_find_each(size: int) -> Run:
    wanted = people.expected(size)
    path = people.database(size)
    return rails.find_each(path, "objects", lambda *got: check(wanted, *got))
