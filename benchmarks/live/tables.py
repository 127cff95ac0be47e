"""What a live table costs in memory: 1,000 of them and 50, each queried twice and subscribed once by one user.

Each has six columns; both have 20,000 rows of about 150 bytes in all, 20 or 400 for each table: what is compared is tables, not rows. One query goes by key, one through the SQL engine. Each subscription is read until it is level, and stays open
to the end. Both have the engine loaded before by a table of its own; the peak is that of the whole process, with making the tables.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.case import Bar, Case, Run
from benchmarks.live.status import status_mb
from benchmarks.outcome import Outcome

if TYPE_CHECKING:
    from flatwater.live.subscriber import Subscription

MANY, FEW = 1_000, 50
ROWS = 20  # of a table where there are many; few have as many together
COLUMNS = "id BIGINT PRIMARY KEY, kind TEXT, amount DOUBLE, level INT, is_open BOOLEAN, body TEXT"
BY_KEY = "SELECT id, kind, amount FROM {} WHERE id >= ? ORDER BY id"
AGGREGATE = "SELECT kind, count(*) AS n, sum(amount) AS amount FROM {} GROUP BY kind"
FOLLOWED = "SELECT * FROM {} WHERE kind = ?"


def name_of(tables: int) -> str:
    """Of a contestant."""
    return f"{tables:,} tables"


def ratio(figure: str) -> Callable[[Outcome], float]:
    """Many tables against few."""
    return lambda outcome: outcome.figure(name_of(MANY), figure) / outcome.figure(name_of(FEW), figure)


case = Case(
    "1,000 tables and 50 in a database, each queried by key and through the engine, and subscribed once.",
    size=MANY, tiny=2 * FEW,
    figures={"peak_mb": "peak resident, MB", "anon_mb": "anonymous at the end, MB"},
    bars=(Bar("1,000 tables take at most 1.1 times the memory of 50, resident", 1.1, "x", ratio("peak_mb")),),
)  # fmt: skip


def tables_in(tables: int, size: int) -> Run:
    """A database of so many tables, or of their share of a smaller size."""
    import flatwater as fw

    count, rows = max(1, tables * size // MANY), ROWS * MANY // tables
    folder = tempfile.mkdtemp()
    db = fw.Database(folder, sync="off")

    def make(table: str) -> None:
        db.sql(f"CREATE TABLE {table} ({COLUMNS}) WITH (TYPE = 'USER')")
        made = (
            {"id": number, "kind": f"k{number % 5}", "amount": number / 2, "level": number % 3, "is_open": True, "body": "x" * 60}
            for number in range(rows)
        )  # fmt: skip
        assert db.load(table, made, user="ada") == rows

    def use(table: str) -> Subscription:
        assert sum(1 for _row in db.sql(BY_KEY.format(table), [rows // 2], user="ada")) == rows // 2
        assert sum(row["n"] for row in db.sql(AGGREGATE.format(table), user="ada")) == rows
        subscription = db.subscribe(FOLLOWED.format(table), ["k1"], user="ada")
        events = 0
        while subscription.poll() is not None:
            events += 1
        assert events == rows // 5
        return subscription

    make("warm_up")
    use("warm_up").close()
    names = [f"table_{number}" for number in range(count)]
    for name in names:
        make(name)

    def run() -> dict[str, float]:
        opened = [use(name) for name in names]
        db.sql(f"INSERT INTO {names[-1]} VALUES (?, 'k1', 0.0, 0, true, '')", [rows], user="ada")
        assert [each.poll() is not None for each in opened] == [False] * (count - 1) + [True]
        figures = {"peak_mb": status_mb("VmHWM"), "anon_mb": status_mb("RssAnon")}
        for each in opened:
            each.close()
        db.close()
        shutil.rmtree(folder)
        return figures

    return run


for tables in (MANY, FEW):
    case.contestant(name_of(tables), needs=("lmdb", "sqlglot", "datafusion"))(partial(tables_in, tables))
