"""Ask a thousand queries of a hundred users: by a context of its own for each, kept or dropped, by one context, by a database.

Covers:     the same grouping of each user's rows, in the four forms.
Not here:   what was measured, and what it means (`tour.lab.sessions`).
Holds:      the rows of all users; `kept` a context for each query, `dropped` and `shared` one, `database` what it promises.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator
from typing import Any

import datafusion
import pyarrow as pa

from flatwater.live.database import Database
from flatwater.live.engine import Engine
from flatwater.tour.lab.programs import Count

IMPORTS = ("flatwater.store.engines.lmdb", "pyarrow.dataset", "sqlglot", "asyncio")
Moment = str | tuple[str, Any]
USERS = 100
ROWS_EACH = 200
KINDS = 5
FIRST = 100  # queries that come before: what the libraries take once is not what a query takes
QUERY = "SELECT kind, count(*) AS n, sum(cents) AS cents FROM {table} GROUP BY kind"


def rows_of(user: int) -> Iterator[dict[str, int]]:
    """What a user has; nobody has the same as somebody else."""
    return ({"id": number, "kind": number % KINDS, "cents": user * number} for number in range(ROWS_EACH))


def kept(queries: int) -> Generator[Moment, None, int]:
    """A context for each query, and somebody keeps them all."""
    contexts: list[datafusion.SessionContext] = []
    batches = _batches()

    def ask(user: int) -> int:
        contexts.append(datafusion.SessionContext())
        return _asked(contexts[-1], "events", batches[user])

    _first(lambda user: _asked(datafusion.SessionContext(), "events", batches[user]))
    return _all(queries, ask, lambda: len(contexts))


def dropped(queries: int) -> Generator[Moment, None, int]:
    """A context for each query, which goes with it."""
    batches = _batches()
    made = 0

    def ask(user: int) -> int:
        nonlocal made
        made += 1
        return _asked(datafusion.SessionContext(), "events", batches[user])

    _first(ask)
    made = 0
    return _all(queries, ask, lambda: made)


def shared(queries: int) -> Generator[Moment, None, int]:
    """One context: a table has a name of its own, since all who ask see all tables that are there, and goes with its query."""
    context = datafusion.SessionContext()
    batches = _batches()
    asked = 0

    def ask(user: int) -> int:
        nonlocal asked
        asked += 1
        try:
            return _asked(context, f"events_{asked}", batches[user])
        finally:
            context.deregister_table(f"events_{asked}")

    _first(ask)
    return _all(queries, ask, lambda: 1)


def database(path: str, queries: int) -> Generator[Moment, None, int]:
    """A database in which each user has rows of his own."""
    with Database(tempfile.mkdtemp(dir=path), sync="off") as db:  # a new one each time
        db.sql("CREATE TABLE events (id BIGINT PRIMARY KEY, kind INT, cents BIGINT) WITH (TYPE = 'USER')")
        for user in range(USERS):
            db.load("events", rows_of(user), user=f"user-{user}")
        before = Engine.contexts

        def ask(user: int) -> int:
            return sum(row["n"] * row["cents"] for row in db.sql(QUERY.format(table="events"), user=f"user-{user}"))

        _first(ask)
        return (yield from _all(queries, ask, lambda: Engine.contexts - before))


def _batches() -> list[pa.RecordBatch]:
    return [pa.RecordBatch.from_pylist(list(rows_of(user))) for user in range(USERS)]


def _asked(context: datafusion.SessionContext, table: str, batch: pa.RecordBatch) -> int:
    context.register_record_batches(table, [[batch]])
    answers = context.sql(QUERY.format(table=table)).to_pylist()
    return sum(row["n"] * row["cents"] for row in answers)


def _first(ask: Callable[[int], int]) -> None:
    for number in range(FIRST):
        ask(number % USERS)


def _all(queries: int, ask: Callable[[int], int], contexts: Callable[[], int]) -> Generator[Moment, None, int]:
    yield "ready"
    answer = sum(ask(number % USERS) for number in range(queries))
    yield "all asked", Count(contexts())
    return answer
