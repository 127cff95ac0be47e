"""What goes by COPY is what INSERT would have made of it, in a real PostgreSQL."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import pytest

import flatwater as fw
from flatwater.source.tables.adapters.postgres_copy import is_same

EAST = dt.timezone(dt.timedelta(hours=2))
NAIVE = dt.datetime(2024, 1, 2, 23, 30)  # noqa: DTZ001 - as databases have it
VALUES = (
    5, -1, 1.5, 2.0, 1e300, float("nan"), True, False, "5", "t", "1.5", "2024-01-02", "23:30", "[1]", "\\N", "", "a\tb\nc\\", "é",
    b"\x00\\x", Decimal("1.50"), uuid.UUID(int=7), NAIVE, NAIVE.replace(tzinfo=EAST), NAIVE.date(), NAIVE.time(),
    NAIVE.time().replace(tzinfo=EAST), dt.timedelta(days=1, seconds=5), {"a": 1}, [1, 2], ["x,y", None], None,
)  # fmt: skip
KINDS = (
    "smallint", "integer", "bigint", "real", "double precision", "numeric", "numeric(8,1)", "text", "varchar(50)", "char(3)",
    "boolean", "bytea", "uuid", "json", "jsonb", "date", "interval", "timestamptz", "timestamp", "time", "timetz", "text[]",
    "integer[]", "inet", "money",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_copy_and_insert_agree(postgres_database, kind):
    """Every value that is written by create_many, whose way is COPY if it can be, is there as INSERT alone writes it."""
    postgres_database.execute(
        "DROP TABLE IF EXISTS t", f"CREATE TABLE t (n SERIAL PRIMARY KEY, way TEXT, at INT, v {kind})"
    )
    table = fw.Table(postgres_database.url, "t")
    taken = {}
    for way, conflict in (("copy", "raise"), ("insert", "skip")):
        for at, value in enumerate(VALUES):
            row = {"n": at + (1_000 if way == "copy" else 0), "way": way, "at": at, "v": value}
            try:
                table.create_many([row], on_conflict=conflict)
            except fw.errors.FlatwaterError as error:
                taken[way, at] = type(error)
    with postgres_database.connect() as connection:
        for way, at, text in connection.execute("SELECT way, at, v::text FROM t").fetchall():
            taken[way, at] = text
    assert len(taken) == 2 * len(VALUES)
    pairs = {str(value): (taken["copy", at], taken["insert", at]) for at, value in enumerate(VALUES)}
    assert {value: pair for value, pair in pairs.items() if pair[0] != pair[1]} == {}


def test_what_goes_by_copy():
    """Values of the column's own type and text go by COPY; times with a zone for columns without one do not."""
    assert is_same(["integer", "text", "timestamp(3) without time zone"], [(1, "x", NAIVE), (None, None, None)])
    assert not is_same(["timestamp without time zone"], [(NAIVE,), (NAIVE.replace(tzinfo=EAST),)])
    assert not is_same(["date"], [(NAIVE,)])
    assert not is_same(["text"], [("x",), (True,)])
    assert not is_same(["mood"], [(5,)])
    assert is_same(["mood", "text[]"], [("good", "{}")])
