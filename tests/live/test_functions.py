"""Functions of values: what the SQL engine makes of the same ones."""

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from flatwater import errors, limits
from flatwater.live.conditions import value_of
from flatwater.live.database import Database
from flatwater.live.schema import SHARED, Column, Schema
from flatwater.live.statements import understood
from flatwater.live.types import Type

COLUMNS = {
    "id": Type("INT"), "a": Type("BIGINT"), "x": Type("DOUBLE"), "m": Type("DECIMAL", 12, 3), "s": Type("TEXT"), "b": Type("BOOLEAN"),
    "at": Type("TIMESTAMP"), "day": Type("DATE"),
}  # fmt: skip
SCHEMA = Schema(1, "main", "t", SHARED, [Column(name, kind) for name, kind in COLUMNS.items()], ["id"])
TEXTS = ["concat(s, 'x', a)", "concat(s, NULL, b)", "concat(x, ' ', m)", "concat(at, day)", "s || 'x'", "CAST(x AS TEXT)", "CAST(at AS TEXT)", "CAST(m AS TEXT)"]  # fmt: skip
TEXTS += [
    "replace(s, 'a', 'bc')",
    "replace(s, '', 'x')",
    "replace(s, 'ab', '')",
    "replace(s, s, 'x')",
    "upper(s)",
    "lower(s)",
]
TEXTS += [f"substr(s, {start}, {length})" for start, length in itertools.product((-3, 0, 1, 3, 9), (0, 1, 4))]
TEXTS += ["substring(s FROM 2 FOR 3)", "substring(s FROM 2)", "substr(s, a)", "left(s, NULL)"]
TEXTS += [f"{side}(s, {count})" for side, count in itertools.product(("left", "right"), (-9, -2, 0, 1, 99))]
TEXTS += ["trim(s)", "ltrim(s)", "rtrim(s)", "btrim(s)", "btrim(s, 'ab ')", "trim(LEADING 'a ' FROM s)", "trim(TRAILING 'b' FROM s)", "trim(BOTH 'a' FROM s)", "ltrim(s, 'a ')", "trim(NULL FROM s)", "trim(CASE WHEN a > 2 THEN s ELSE 'x ' END)", "upper(CASE a WHEN 1 THEN s END)", "left(CASE WHEN a > 2 THEN s ELSE NULL END, 2)"]  # fmt: skip
OTHERS = ["starts_with(s, 'a')", "starts_with(s, '')", "starts_with(s, NULL)", "strpos(s, 'b')", "strpos(s, '')", "position('x' IN s)", "length(s)"]  # fmt: skip
OTHERS += [
    f"{name}({column})" for name, column in itertools.product(("round", "floor", "ceil", "abs"), ("a", "x", "m"))
]
OTHERS += [f"round({column}, {digits})" for column, digits in itertools.product(("a", "x", "m"), (-1, 0, 1, 2))]
OTHERS += ["greatest(a, 2)", "least(a, x)", "greatest(x, 1)", "greatest(a, m)", "least(s, 'b')", "greatest(s, NULL)", "least(at, at)", "greatest(day, NULL)", "greatest(a, x) / 2", "least(a, 3) / 2"]  # fmt: skip
ROWS = [
    {"a": 5, "x": 2.5, "m": Decimal("12.345"), "s": " ab x", "b": True, "at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "day": date(2026, 1, 2)},
    {"a": -15, "x": -2.5, "m": Decimal("-12.345"), "s": "aabb", "b": False, "at": datetime(2026, 1, 2, 3, 4, 5, 120_000, tzinfo=UTC), "day": date(1999, 12, 31)},
    {"a": 0, "x": 0.5, "m": Decimal("0.500"), "s": "", "b": None, "at": datetime(2026, 1, 2, 3, 4, 5, 1, tzinfo=UTC), "day": None},
    {"a": 2, "x": 1.005, "m": Decimal("-0.500"), "s": "é😀\t\n", "b": True, "at": None, "day": date(2026, 1, 2)},
    {"a": 7, "x": 1e20, "m": Decimal("1.000"), "s": "\t a ", "b": True, "at": None, "day": None},
    {"a": 1, "x": 1.5e-7, "m": Decimal("2.500"), "s": "İß", "b": True, "at": None, "day": None},
    {"a": 1, "x": 0.49999999999999994, "m": Decimal("99999999.999"), "s": "abab", "b": True, "at": None, "day": None},
    dict.fromkeys(["a", "x", "m", "s", "b", "at", "day"]),
]  # fmt: skip


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    """The rows, in a table."""
    with Database(tmp_path_factory.mktemp("functions") / "data", sync="off") as made:
        made.sql(f"CREATE TABLE t ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())}, PRIMARY KEY (id))")
        made.load("t", ({"id": number} | row for number, row in enumerate(ROWS)))
        yield made


@pytest.mark.parametrize("text", TEXTS + OTHERS)
def test_it_is_what_the_engine_makes(db, text):
    """The same function gives the same of the same row, asked of the row and of the engine."""
    node = understood(f"SELECT {text}").tree.expressions[0]
    mine = [value_of(node, SCHEMA, ())({"id": number} | row) for number, row in enumerate(ROWS)]
    for number, (row, found) in enumerate(zip(ROWS, mine, strict=True)):
        asked = f"SELECT {text} AS v FROM t WHERE id = {number}"
        assert [found] == [row["v"] for row in db.sql(asked)], row


def test_in_statements(db):
    """They are known in UPDATE and in conditions of all kinds."""
    db.sql("CREATE TABLE IF NOT EXISTS u (id INT PRIMARY KEY, s TEXT, n INT)")
    db.sql("INSERT INTO u VALUES (1, concat('a', 'b'), round(1.5)), (2, replace('axa', 'a', 'b'), least(4, 3))")
    assert [*db.sql("UPDATE u SET s = left(s, 1) || right(s, ?) WHERE starts_with(s, 'b') RETURNING s", [1])] == [
        {"s": "bb"}
    ]
    assert [*db.sql("SELECT id FROM u WHERE concat(s, id) = 'ab1' AND strpos(s, 'b') > 1")] == [{"id": 1}]
    with db.subscribe("SELECT id FROM u WHERE greatest(n, 3) > ?", [2]) as followed:
        assert [followed.poll(1).row["id"] for _ in range(2)] == [1, 2]
    db.sql("DROP TABLE u")


@pytest.mark.parametrize(
    "text",
    ["concat(j, 's')", "concat(y, 's')", "replace(s, 1, 'x')", "left(s, 'x')", "round(s)", "greatest(a, s)", "greatest(at, day)", "round(f)", "starts_with(s, 5)", "regexp_replace(s, 'a', 'b')"],
)  # fmt: skip
def test_what_is_left_to_the_engine(text):
    """Arguments that are not what a function takes, or that the engine computes otherwise, are refused."""
    more = [Column("j", Type("JSON")), Column("y", Type("BYTES")), Column("f", Type("FLOAT"))]
    schema = Schema(1, "main", "t", SHARED, [*SCHEMA.columns.values(), *more], ["id"])
    with pytest.raises(errors.UsageError, match="is not known in a condition"):
        value_of(understood(f"SELECT {text}").tree.expressions[0], schema, ())


def test_texts_that_grow(monkeypatch):
    """REPLACE makes no text that is larger than its limit."""
    node = understood("SELECT replace(replace(s, 'a', 'bbbb'), 'b', 'cccc')").tree.expressions[0]
    compute = value_of(node, SCHEMA, ())
    monkeypatch.setattr(limits, "LIVE_TEXT_MADE_MAX", 64)
    assert compute(ROWS[0] | {"s": "aaaa"}) == "c" * 64
    assert compute(ROWS[0] | {"s": "aaaaa"}) is None


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("at + INTERVAL '1 day' > '2026-01-03T03:04:05.05Z'", [1]), ("day + INTERVAL '1 day' > '2026-01-02'", [0, 3]), ("'2026-01-03' = day + 1", [0, 3]), ("day - day = 0", [0, 1, 3]),
        ("at - at = INTERVAL '0 days'", [0, 1, 2]), ("at - INTERVAL '1 day' IN ('2026-01-01T03:04:05Z')", [0]), ("round(x) = 3", [0]), ("concat(a, s) = '0'", [2]), ("at + INTERVAL '1 month' < '2026-02-03'", [0, 1, 2]),
    ],
)  # fmt: skip
def test_what_is_compared_with_something_computed(db, where, ids):
    """A text is taken as a time where it stands beside one."""
    assert [row["id"] for row in db.sql(f"SELECT id FROM t WHERE {where}")] == ids


@pytest.mark.parametrize("text", ["round(x) = 'x'", "concat(s, a) = 5", "at + INTERVAL '1 day' > 5", "at - at > 'x'", "at + INTERVAL '1 day' > 'soon'", f"a = {'1' * 2_000}"])  # fmt: skip
def test_what_cannot_be_compared(text):
    """It is refused, instead of holding for no row."""
    with pytest.raises(errors.UsageError):
        value_of(understood(f"SELECT {text}").tree.expressions[0], SCHEMA, ())
