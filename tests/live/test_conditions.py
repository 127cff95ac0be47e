"""Conditions: forms, keys, and what SQLite says of the same rows."""

import itertools
import random
import sqlite3
from datetime import UTC, datetime

import pytest

from flatwater import errors
from flatwater.live.conditions import condition_of
from flatwater.live.rows import Heads, Place
from flatwater.live.schema import USER, Column, Schema
from flatwater.live.statements import understood
from flatwater.live.types import Type

SCHEMA = Schema(
    1, "main", "t", USER,
    [Column("k", Type("TEXT")), Column("id", Type("BIGINT")), Column("a", Type("INT")), Column("x", Type("DOUBLE")), Column("s", Type("TEXT"))],
    ["k", "id"],
)  # fmt: skip
PLACE = Place(Heads(b"\x03\x03\x03", b"\x03\x03\x04", b"\x03\x03\x05"), SCHEMA, "ada")


def condition(where, *params):
    return condition_of(understood(f"SELECT * FROM t WHERE {where}").tree.args["where"].this, SCHEMA, params)


def test_forms_are_shared():
    """Conditions that differ in values, order or direction have one form; those that say something else do not."""
    one = condition("a = ? AND s = 'x'", 1).predicate
    for other in (
        condition("s = ? AND a = 2", "y"),
        condition("(s = 'z') AND a = 7"),
        condition("a = 1 AND s = ?", "x"),
    ):
        assert other.predicate.form is one.form
    assert condition("a = 1 AND s = ?", "x").predicate == one
    assert condition("a = ? AND s = 'y'", 1).predicate != one
    for other in ("a = 1 OR s = 'x'", "a = 1 AND s <> 'x'", "a = 1", "a = NULL AND s = 'x'"):
        assert condition(other).predicate.form is not one.form


@pytest.mark.parametrize(
    ("where", "least", "kind"),
    [("k = 'a' AND id = 5", 1, "key"), ("id = 5 AND 'a' = k AND a > 1", 1, "key"), ("k = 'a'", 1, "prefix"), ("id = 5", 0, "all"), ("k = 'a' OR id = 1", 0, "all"),
     ("k = NULL", 0, "all"), ("NOT k = 'a'", 0, "all"), ("k > 'a'", 0, "prefix"), ("k BETWEEN 'a' AND 'b' AND s = 'x'", 0, "prefix"), ("k = 'a' AND id >= 7", 0, "prefix"), ("k IN ('a')", 0, "prefix")],
)  # fmt: skip
def test_keys_that_can_be_meant(where, least, kind):
    """Equalities of the first columns of the key narrow the range of keys, and all of them are one key."""
    found = condition(where)
    low, high = PLACE.range
    assert (found.key(PLACE) is not None) == (kind == "key")
    ((range_low, range_high),) = found.ranges(PLACE)
    assert low <= range_low < range_high <= high
    assert ((range_low, range_high) == (low, high)) == (kind == "all")
    assert least in {0, 1}


WHERES = [
    "k IN ({k}, {l}, NULL)", "k IN ({k}, {l}) AND id = {i}", "k = {k} AND id IN ({i}, {j}, 99)", "k = {k} AND id > {i}", "k = {k} AND id BETWEEN {i} AND {j}", "k > {k}", "k >= {k} AND k < {l}", "{k} < k AND k <= {l}",
    "k = {k} AND {i} >= id AND id <> 3", "k = {k} AND id > {i} AND id > {j}", "k BETWEEN {k} AND {l} AND id = {i}", "NOT k > {k}", "k NOT IN ({k})", "k NOT BETWEEN {k} AND {l}", "k = {k} AND id > 2.5", "k > {k} OR id = {i}", "k = {k} AND k = {l}",
    "k = {k} AND id IN ({i}) AND id > {j}", "k IN ({k}, {l}) AND k > 'a'",
]  # fmt: skip


@pytest.mark.parametrize("where", WHERES)
def test_ranges_have_all_that_is_meant(where):
    """No row that the condition holds for is outside of the ranges of keys, which are sorted and do not overlap."""
    keys = ["", "a", "a\x00", "ab", "b", "ba", "é", "zz"]
    rows = [{"k": k, "id": number, "a": None, "s": None, "x": None} for k in keys for number in range(-2, 6)]
    rng = random.Random(where)
    for _ in range(40):
        k, end = (f"'{rng.choice(keys)}'" for _ in range(2))
        found = condition(where.format(k=k, l=end, i=rng.randrange(-1, 5), j=rng.randrange(-1, 5)))
        ranges = found.ranges(PLACE)
        assert ranges == sorted(ranges)
        assert all(one[1] <= two[0] for one, two in itertools.pairwise(ranges))
        for row in rows:
            if found.matches(row):
                assert any(low <= PLACE.key(row) < high for low, high in ranges), (row, where)
    if where.startswith("k = {k} AND"):
        read = sum(any(low <= PLACE.key(row) < high for low, high in ranges) for row in rows)
        assert read <= 8


def test_all_rows():
    """Without a condition all rows are meant, and none has to be asked."""
    found = condition_of(None, SCHEMA, ())
    assert found.matches({})
    assert not found.is_filter
    assert found.ranges(PLACE) == [PLACE.range]


def test_a_moment_is_a_value():
    """NOW() is no part of a form, and each call has its own; what it is in cannot be followed."""
    schema = Schema(9, "main", "t", USER, [Column("at", Type("TIMESTAMP")), Column("day", Type("DATE"))], ["at"])

    def at(where, moment):
        return condition_of(
            understood(f"SELECT * FROM t WHERE {where}").tree.args["where"].this, schema, (), moment=moment
        )

    first, later = datetime(2026, 1, 2, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC)
    for where, is_one in (
        ("at > now() - interval '1 day'", True), ("at < now()", False), ("at = now()", True), ("at + interval '1 day' > now()", True),
        ("now() - at < interval '1 hour'", True), ("day = current_date", True), ("day < now()", False), ("day IN (current_date)", True),
        ("at BETWEEN current_date - 1 AND current_date", True), ("day + 1 > current_date", True), ("at >= day", True), ("at > day + interval '1 hour'", False),
    ):  # fmt: skip
        row = {"at": first, "day": first.date()}
        one, other = at(where, first), at(where, later)
        assert one.matches(row) is is_one, where
        assert not one.matches({"at": None, "day": None})
        if "now" in where or "current" in where:
            assert other.matches({"at": later, "day": later.date()}) is is_one, where
            with pytest.raises(errors.UsageError, match="cannot be followed"):
                _ = one.predicate
    short, long = at("at + interval '1 day' > now()", later), at("at + interval '1000 days' > now()", later)
    assert (short.matches(row), long.matches(row)) == (False, True)


ATOMS = [
    "a = {i}", "a <> {i}", "a < {i}", "a >= {i}", "x > {f}", "x <= {f}", "s = '{s}'", "s < '{s}'", "s LIKE '{s}%'", "s NOT LIKE '%{s}'", "a IN ({i}, {j})",
    "a NOT IN ({i}, {j})", "a NOT IN ({i}, NULL)", "a BETWEEN {i} AND {j}", "a IS NULL", "s IS NOT NULL", "a + {i} > {j}", "a * 2 = {i}", "a % 3 = 1", "x + a < {f}",
    "s || 'b' = '{s}b'", "upper(s) = 'A'", "length(s) > 1", "coalesce(a, {i}) = {j}", "nullif(a, {i}) IS NULL", "CASE WHEN a > {i} THEN s ELSE 'b' END = '{s}'",
    "{i} < a", "(a > {i}) IS TRUE", "a = x",
]  # fmt: skip


def _where(rng, depth=0):
    if depth < 3 and rng.random() < 0.5:
        return f"({_where(rng, depth + 1)} {rng.choice(['AND', 'OR'])} {_where(rng, depth + 1)})"
    text = rng.choice(ATOMS).format(
        i=rng.randrange(-2, 4),
        j=rng.randrange(0, 5),
        f=rng.choice([-0.5, 0.0, 1.5]),
        s=rng.choice(["a", "b", "ab", ""]),
    )
    return f"NOT ({text})" if rng.random() < 0.2 else text


def _compared(rounds, seed):
    rng = random.Random(seed)
    rows = [
        {"k": "k", "id": n, "a": rng.choice([None, -2, -1, 0, 1, 2, 3]), "x": rng.choice([None, -0.5, 0.0, 1.5, 2.0]), "s": rng.choice([None, "", "a", "ab", "b", "A"])}
        for n in range(60)
    ]  # fmt: skip
    other = sqlite3.connect(":memory:")
    other.execute("PRAGMA case_sensitive_like = ON")
    other.execute("CREATE TABLE t (k TEXT, id INT, a INT, x REAL, s TEXT)")
    other.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", [tuple(row.values()) for row in rows])
    for _ in range(rounds):
        where = _where(rng)
        expected = {number for (number,) in other.execute(f"SELECT id FROM t WHERE {where}")}
        found = condition(where)
        assert {row["id"] for row in rows if found.matches(row)} == expected, where
    other.close()


def test_it_is_what_sqlite_says():
    """Random conditions hold for the rows that SQLite finds with them."""
    _compared(150, 1)


@pytest.mark.slow
def test_it_is_what_sqlite_says_at_length():
    """The same with many more."""
    _compared(4_000, 2)
