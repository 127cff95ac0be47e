"""Operators on values."""

from datetime import date
from decimal import Decimal

import pytest
from sqlglot import exp

from flatwater import errors
from flatwater.live.operators import ACTS, alike, cast, pattern_of
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
