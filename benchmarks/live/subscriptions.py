"""What a live query takes in memory: 100,000 of them, of which 42 % ask what nobody else asks, as Python sees its allocations.

`db.subscribe` has everything: the object that reads, conditions and their forms, whatever a database with a table keeps for them. KalamDB's
own document says 248 bytes for one; it cannot be run here, and that number is not measured.
"""

from __future__ import annotations

import gc
import shutil
import tempfile
import tracemalloc

from benchmarks.case import Bar, Case, Run

OURS, OBJECTS, SUBSCRIBED = "groups and arrays", "an object and its text for each", "db.subscribe"
DISTINCT = 0.42

case = Case(
    "100,000 live queries, of which 42 % are distinct.",
    size=100_000, tiny=1_000, per="query", unit="us",
    figures={"entry_bytes": "bytes of a distinct condition", "slot_bytes": "bytes beside it, each", "all_bytes": "bytes of all, each"},
    bars=(
        Bar("at most 64 bytes for each beside its condition", 64, "B", lambda outcome: outcome.figure(OURS, "slot_bytes")),
        Bar("at most 400 bytes for each with everything", 400, "B", lambda outcome: outcome.figure(SUBSCRIBED, "all_bytes")),
    ),
)  # fmt: skip


@case.contestant(OURS, needs=("sqlglot",))
def ours(size: int) -> Run:
    from flatwater.live.conditions import Predicate, condition_of
    from flatwater.live.matching import Groups
    from flatwater.live.schema import SHARED, Column, Schema
    from flatwater.live.statements import understood
    from flatwater.live.subscriptions import Subscriptions
    from flatwater.live.types import Type

    schema = Schema(1, "app", "events", SHARED, [Column("a", Type("BIGINT")), Column("b", Type("BIGINT"))], ["a"])
    where = understood("SELECT 1 WHERE a = 1 AND b > 2").tree.args["where"].this
    predicate = condition_of(where, schema, ()).predicate
    assert predicate is not None
    form = predicate.form
    distinct = int(size * DISTINCT)

    def run() -> dict[str, float]:
        gc.collect()
        tracemalloc.start()
        groups, subscriptions = Groups(), Subscriptions()
        for number in range(distinct):
            groups.add(1, "", Predicate(form, (number + 1_000, number % 7 + 1_000)))
        entries = tracemalloc.get_traced_memory()[0]
        for number in range(size):
            wanted = number % distinct
            group = groups.add(1, "", Predicate(form, (wanted + 1_000, wanted % 7 + 1_000)))
            subscriptions.add(group, number % 1_000, number)
        both = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return {"entry_bytes": entries / distinct, "slot_bytes": (both - entries) / size, "all_bytes": both / size}

    return run


@case.contestant(SUBSCRIBED, needs=("lmdb", "sqlglot"))
def subscribed(size: int) -> Run:
    import flatwater as fw

    folder = tempfile.mkdtemp()
    db = fw.Database(folder, sync="off")
    db.sql("CREATE TABLE events (a BIGINT PRIMARY KEY, b BIGINT)")
    text, distinct = "SELECT * FROM events WHERE a = ? AND b > ?", int(size * DISTINCT)
    db.subscribe(text, [1, 1]).close()

    def run() -> dict[str, float]:
        kept: list[object] = [None] * size
        gc.collect()
        tracemalloc.start()
        for number in range(size):
            wanted = number % distinct
            kept[number] = db.subscribe(text, [wanted + 1_000, wanted % 7 + 1_000], last_rows=0)
        each = tracemalloc.get_traced_memory()[0] / size
        tracemalloc.stop()
        db.close()
        shutil.rmtree(folder)
        return {"entry_bytes": 0.0, "slot_bytes": 0.0, "all_bytes": each}

    return run


class Query:
    """A live query as an object of its own."""

    __slots__ = ("cursor", "text", "user", "values")

    def __init__(self, text: str, values: tuple[int, ...], user: int, cursor: int) -> None:
        self.text, self.values, self.user, self.cursor = text, values, user, cursor


@case.contestant(OBJECTS)
def objects(size: int) -> Run:
    distinct = int(size * DISTINCT)

    def run() -> dict[str, float]:
        gc.collect()
        tracemalloc.start()
        kept = {}
        for number in range(size):
            wanted = number % distinct
            text = f"SELECT * FROM app.events WHERE a = {wanted + 1_000} AND b > {wanted % 7 + 1_000}"
            kept[number] = Query(text, (wanted + 1_000, wanted % 7 + 1_000), number % 1_000, number)
        each = tracemalloc.get_traced_memory()[0] / size
        tracemalloc.stop()
        return {"entry_bytes": 0.0, "slot_bytes": each, "all_bytes": each}

    return run
