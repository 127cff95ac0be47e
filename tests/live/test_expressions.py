"""Expressions with NULL, as SQL has them."""

from decimal import Decimal

import pytest

from flatwater import errors
from flatwater.live.conditions import value_of
from flatwater.live.schema import SHARED, Column, Schema
from flatwater.live.statements import understood
from flatwater.live.types import Type

SCHEMA = Schema(
    1, "main", "t", SHARED,
    [Column("a", Type("INT")), Column("b", Type("TEXT")), Column("c", Type("BOOLEAN")), Column("t", Type("TIMESTAMP")), Column("j", Type("JSON")),
     Column("d", Type("DOUBLE")), Column("m", Type("DECIMAL", 5, 2))],
    ["a"],
)  # fmt: skip
ROW = {
    "a": 3,
    "b": "Ada",
    "c": True,
    "t": Type("TIMESTAMP").take("2026-01-01", "t"),
    "j": {"x": 1},
    "d": 0.1,
    "m": Decimal("0.10"),
}
EMPTY = dict.fromkeys(ROW)


def value(text, row=ROW, params=()):
    return value_of(understood(f"SELECT {text}").tree.expressions[0], SCHEMA, params)(row)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + 1 = 4", True), ("a * 2 - 1", 5), ("a / 2", 1), ("a % 2", 1), ("-a", -3), ("a / 0", None), ("b || '!'", "Ada!"), ("b || NULL", None),
        ("c", True), ("NOT c", False), ("c IS TRUE", True), ("a IS NULL", False), ("b IS NOT NULL", True), ("a BETWEEN 1 AND 3", True),
        ("a NOT BETWEEN 1 AND 2", True), ("a IN (1, 3)", True), ("a NOT IN (1, NULL)", None), ("a IN (3, NULL)", True), ("b LIKE 'A%a'", True),
        ("b ILIKE 'a_A'", True), ("b NOT LIKE 'x%'", True), ("lower(b)", "ada"), ("upper(b)", "ADA"), ("length(b)", 3), ("abs(-a)", 3),
        ("coalesce(NULL, a)", 3), ("nullif(a, 3)", None), ("CASE WHEN a > 5 THEN 'x' WHEN a > 2 THEN 'y' END", "y"),
        ("CASE a WHEN 3 THEN 'three' ELSE 'no' END", "three"), ("CASE WHEN a > 5 THEN 1 END", None), ("b::TEXT = 'Ada'", True), ("b::INT", None),
        ("CAST('12' AS INT)", 12), ("t > '2025-12-31'", True), ("'2025-12-31' > t", False), ("NULL AND FALSE", False), ("NULL OR TRUE", True),
        ("NULL AND TRUE", None), ("a = NULL", None), ("a <> 4 AND (b = 'x' OR c)", True), ("trim(' x ')", "x"), ("d = 0.1", True), ("0.1 = d", True), ("d <= 0.1", True), ("d BETWEEN 0.1 AND 0.1", True), ("d IN (5, 0.1)", True),
        ("d * 1 = 0.1", True), ("d * 1 IN (0.1)", True), ("nullif(d, 0.1)", None), ("d <> 0.1", False), ("d = m", True), ("m = 0.1", True), ("m = d", True), ("m IN (0.1)", True),
        ("m < 0.1", False), ("d < 1e400", True), ("nullif(d, b)", 0.1), ("t = '2026-01-01T00:00:00Z'", True),
    ],
)  # fmt: skip
def test_values(text, expected):
    """Each is what SQL says, NULL where something is not known or cannot be computed."""
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "text",
    [
        "a = 3",
        "a + 1",
        "b LIKE '%'",
        "lower(b)",
        "a IN (1)",
        "NOT c",
        "t > '2025-01-01'",
        "a BETWEEN 1 AND 2",
        "-a",
        "b || 'x'",
    ],
)
def test_null_stays_null(text):
    """Of a row of NULLs, everything but IS, COALESCE and CASE is NULL."""
    assert value(text, EMPTY) is None


@pytest.mark.parametrize(
    "text",
    ["x = 1", "random()", "now(3)", "a = 'three'", "b = 5", "c = 1", "a = b", "t > 'yesterday'", "(SELECT 1)", "a IN (SELECT 1)", "count(*)",
     "sum(a) OVER ()", "b LIKE 'x' ESCAPE '!'", "a = ANY(ARRAY[1])", "a IN (b)", "j = 'x'", "pg_sleep(1)", "a::regclass", "t.x.a", "a IS DISTINCT FROM 3"],
)  # fmt: skip
def test_what_is_not_known_is_refused(text):
    """Parts that are not known, and comparisons that make no sense, are told instead of guessed."""
    with pytest.raises(errors.UsageError):
        value(text)


def test_parameters_are_values():
    """A parameter is never SQL, whatever it contains."""
    assert value("b = ?", params=["Ada"]) is True
    assert value("b = ?", params=["' OR TRUE --"]) is False
    assert value("? || b", params=["x'"]) == "x'Ada"


def test_nesting_has_an_end():
    """An expression that is nested without end is refused, and Python's stack is not."""
    with pytest.raises(errors.UsageError, match="deep"):
        value("(" * 300 + "a" + ")" * 300 + " = 1")
    assert value(" OR ".join(["a = 1"] * 2_000)) is False


@pytest.mark.parametrize(
    "text",
    [
        "a" + " + 1" * 600 + " > 0",
        "greatest(" * 150 + "a" + ", 1)" * 150,
        "concat(b" + " || b" * 600 + ") = 'x'",
        "t > now()" + " - interval '1000 years'" * 600,
    ],
)
def test_nesting_of_all_kinds_has_an_end(text):
    """It is refused in our words, however deep the statement is."""
    with pytest.raises(errors.UsageError, match=r"nested too deep|no time"):
        value(text)
