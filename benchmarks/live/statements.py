"""Statements of one thread, each by itself: reads by key, through the SQL engine, and inserts that are matched and written.

`SurrealDB, embedded` creates a record in memory by its Python package; it cannot tell of changes there. Inserts are measured without waiting
for the disk, as it does not write to one.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome

KEYS, ENGINE, INSERTS, SURREAL = "SELECT by key", "SELECT through the engine", "INSERT, matched", "SurrealDB, embedded"
FOLLOWED = 1_000  # live queries of other rows beside the inserts


def cpu(contestant: str) -> Callable[[Outcome], float]:
    """CPU microseconds of one."""
    return lambda outcome: outcome.figure(contestant, "each_us")


case = Case(
    "One statement after another in one thread.",
    size=2_000, tiny=50, per="statement", unit="us",
    figures={"each_us": "CPU us each"},
    bars=(
        Bar("at least 1,000 reads by key a second of one core: CPU us each", 1_000, "us", cpu(KEYS)),
        Bar("at least 400 queries through the engine: CPU us each", 2_500, "us", cpu(ENGINE)),
        Bar("an insert with its match takes at most 100 us", 100, "us", cpu(INSERTS)),
    ),
)  # fmt: skip


def each(work: Callable[[int], None], size: int, end: Callable[[], None]) -> Run:
    """So many, after a few that are not counted."""
    for number in range(20):
        work(-1 - number)

    def run() -> dict[str, float]:
        begin_s = time.process_time()
        for number in range(size):
            work(number)
        used_s = time.process_time() - begin_s
        end()
        return {"each_us": used_s / size * 1e6}

    return run


def opened() -> tuple[object, Callable[[], None]]:
    """A database with a table of 200 rows of ada's."""
    import flatwater as fw

    folder = tempfile.mkdtemp()
    db = fw.Database(folder, sync="off")
    db.sql("CREATE TABLE events (id BIGINT PRIMARY KEY, kind TEXT, body TEXT) WITH (TYPE = 'USER')")
    db.load(
        "events", ({"id": number, "kind": f"k{number % 5}", "body": "x" * 100} for number in range(200)), user="ada"
    )

    def end() -> None:
        db.close()
        shutil.rmtree(folder)

    return db, end


@case.contestant(KEYS, needs=("lmdb", "sqlglot"))
def by_key(size: int) -> Run:
    db, end = opened()
    return each(lambda number: list(db.sql("SELECT * FROM events WHERE id = ?", [number % 200], user="ada")), size, end)  # type: ignore[attr-defined, func-returns-value]


@case.contestant(ENGINE, needs=("lmdb", "sqlglot", "datafusion"))
def by_engine(size: int) -> Run:
    db, end = opened()
    text = "SELECT kind, count(*) AS n FROM events WHERE id > ? GROUP BY kind"
    return each(lambda number: list(db.sql(text, [number % 100], user="ada")), size, end)  # type: ignore[attr-defined, func-returns-value]


@case.contestant(INSERTS, needs=("lmdb", "sqlglot"))
def inserted(size: int) -> Run:
    db, end = opened()
    text = "SELECT * FROM events WHERE kind = ?"
    followed = [db.subscribe(text, [f"kind {number}"], user="bob", last_rows=0) for number in range(FOLLOWED)]  # type: ignore[attr-defined]

    def done() -> None:
        for one in followed:
            one.close()
        end()

    insert = "INSERT INTO events VALUES (?, ?, ?)"
    return each(lambda number: db.sql(insert, [number, f"kind {number % FOLLOWED}", "x" * 100], user="bob"), size, done)  # type: ignore[attr-defined]


@case.contestant(SURREAL, needs=("surrealdb",))
def by_surrealdb(size: int) -> Run:
    from surrealdb import Surreal

    db = Surreal("mem://")
    db.use("a", "b")
    return each(
        lambda number: db.create(f"events:{number + 100}", {"kind": f"kind {number}", "body": "x" * 100}),
        size,
        lambda: None,
    )
