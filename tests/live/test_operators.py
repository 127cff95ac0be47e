"""Operators on values."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from sqlglot import exp

from flatwater import errors
from flatwater.live.operators import ACTS, absolute, alike, cast, negated, pattern_of, text_of
from flatwater.live.types import Type


@pytest.mark.parametrize(
    ("one", "other", "quotient", "rest"),
    [(7, 2, 3, 1), (-7, 2, -3, -1), (7, -2, -3, 1), (-7, -2, 3, -1), (1.0, 4, 0.25, 1.0)],
)
def test_division_of_integers_goes_towards_zero(one, other, quotient, rest):
    """As SQL has it: -7 / 2 is -3, and the rest has the sign of what is divided."""
    assert ACTS[exp.Div](one, other) == quotient
    assert ACTS[exp.Mod](one, other) == rest


def test_numbers_of_two_kinds():
    """A decimal and a float are computed as floats; booleans are no numbers."""
    assert alike(Decimal("1.5"), 2.0) == (1.5, 2.0)
    with pytest.raises(TypeError):
        alike(True, 1)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("12", "INT", 12), ("1.9", "INT", 1), (True, "INT", 1), (5, "TEXT", "5"), (True, "TEXT", "true"), ("f", "BOOLEAN", False),
        (None, "INT", None), ("2026-01-02", "DATE", date(2026, 1, 2)), (3, "DOUBLE", 3.0),
    ],
)  # fmt: skip
def test_casts(value, kind, expected):
    """Values become those of another type where they are some."""
    assert cast(value, Type(kind)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x", "x"), (True, "true"), (-5, "-5"), (2.5, "2.5"), (1e20, "1e20"), (1e16, "1e16"), (1e15, "1000000000000000.0"), (1e-5, "0.00001"), (-1.25e-5, "-0.0000125"), (1.5e-7, "1.5e-7"),
        (b"ab", "ab"), (Decimal("12.50"), "12.50"), (Decimal("1E+3"), "1000"), (date(2026, 1, 2), "2026-01-02"), (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 120_000, tzinfo=UTC), "2026-01-02T03:04:05.120Z"), (datetime(2026, 1, 2, 3, 4, 5, 1, tzinfo=UTC), "2026-01-02T03:04:05.000001Z"),
        ({"a": [1, None]}, '{"a":[1,null]}'), (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    ],
)  # fmt: skip
def test_texts(value, expected):
    """Values are written as the SQL engine writes them."""
    assert text_of(value) == expected


@pytest.mark.parametrize(
    ("value", "of", "expected"),
    [("[1]", None, [1]), ("[1]", Type("JSON"), "[1]"), ({"a": 1}, None, {"a": 1}), (5, None, 5)],
)
def test_casts_to_json(value, of, expected):
    """A text is read, unless it is a value of JSON itself."""
    assert cast(value, Type("JSON"), of) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1.25", "1.3"), ("-1.25", "-1.3"), ("9" * 37, "9" * 37 + ".0"), ("0.05", "0.1")],
)  # fmt: skip
def test_casts_to_decimals(text, expected):
    """They are rounded, away from zero, with all their digits."""
    assert str(cast(text, Type("DECIMAL", 38, 1))) == expected


def test_arithmetic_of_many_digits():
    """Decimals are exact, whatever the thread's own context is."""
    big = Decimal("9" * 38)
    assert ACTS[exp.Add](big, 1) == 10**38
    assert ACTS[exp.Sub](big, Decimal("9" * 37 + "8")) == 1
    assert ACTS[exp.Mul](big, big) == (10**38 - 1) ** 2
    assert ACTS[exp.Mod](big, 10) == 9
    assert negated(big) == -(10**38) + 1
    assert absolute(negated(big)) == big
    assert ACTS[exp.Mod](-7.5, 2) == -1.5
    for act in (exp.Mul, exp.Mod):
        with pytest.raises(TypeError):
            ACTS[act]("x", 3)


@pytest.mark.parametrize(("value", "kind"), [("x", "INT"), ("x", "BOOLEAN"), (1 << 40, "INT"), ("2026-13-01", "DATE")])
def test_casts_that_fail(value, kind):
    """What is no value of the type fails, with an error that expressions make NULL of."""
    with pytest.raises((ValueError, KeyError, ArithmeticError, errors.UsageError)):
        cast(value, Type(kind))


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [("a%", "abc", True), ("a_", "ab", True), ("a_", "abc", False), ("%b%", "abc", True), (r"100\%", "100%", True), (r"100\%", "100x", False),
     ("a.c", "abc", False), ("%", "", True), ("a%b", "a\nb", True), ("[a]", "a", False), ("a\\", "a\\", True)],
)  # fmt: skip
def test_patterns(pattern, text, matches):
    """`%` and `_` stand for characters, a backslash takes that away, and everything else is itself."""
    assert (pattern_of(pattern, 16).fullmatch(text) is not None) is matches
