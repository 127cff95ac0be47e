"""Types of columns and values that fit them."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from flatwater import errors
from flatwater.live.statements import understood
from flatwater.live.types import EXACT, Type, json_in, json_of

ID = "12345678-1234-5678-1234-567812345678"


def of(text):
    return Type.of(understood(f"CREATE TABLE t (a {text})").tree.this.expressions[0].args["kind"])


@pytest.mark.parametrize(
    ("text", "name"),
    [("BIGINT", "BIGINT"), ("INTEGER", "INT"), ("SMALLINT", "SMALLINT"), ("BOOL", "BOOLEAN"), ("DOUBLE PRECISION", "DOUBLE"), ("REAL", "REAL"), ("FLOAT", "DOUBLE"), ("FLOAT4", "REAL"), ("FLOAT8", "DOUBLE"), ("VARCHAR(10)", "TEXT"),
     ("TEXT", "TEXT"), ("BYTEA", "BYTES"), ("DATE", "DATE"), ("TIMESTAMP", "TIMESTAMP"), ("TIMESTAMPTZ", "TIMESTAMP"), ("UUID", "UUID"), ("JSONB", "JSON"), ("NUMERIC(5, 2)", "DECIMAL(5, 2)")],
)  # fmt: skip
def test_names(text, name):
    """SQL's names stand for one type each, with its digits."""
    assert str(of(text)) == name


@pytest.mark.parametrize(
    "text", ["GEOMETRY", "INT[]", "MAP<INT, INT>", "MONEY", "DECIMAL(50, 2)", "DECIMAL(2, 5)", "DECIMAL(0)"]
)
def test_what_is_no_type(text):
    """Types that are not known, or digits that make no sense, are refused with those that are."""
    with pytest.raises(errors.UsageError):
        of(text)


@pytest.mark.parametrize(
    ("kind", "given", "taken"),
    [
        ("SMALLINT", 32_767, 32_767), ("INT", Decimal(5), 5), ("BIGINT", 5.0, 5), ("DOUBLE", 3, 3.0), ("FLOAT", 0.5, 0.5), ("BOOLEAN", True, True), ("TEXT", "é\x00", "é\x00"),
        ("BYTES", b"\xff", b"\xff"), ("BYTES", "/w==", b"\xff"), ("DATE", "2026-01-02", date(2026, 1, 2)), ("UUID", ID, UUID(ID)), ("JSON", {"a": [1, None]}, {"a": [1, None]}),
        ("TIMESTAMP", "2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)), ("TIMESTAMP", date(2026, 1, 2), datetime(2026, 1, 2, tzinfo=UTC)),
        ("TIMESTAMP", datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), datetime(2026, 1, 2, 1, tzinfo=UTC)), ("TEXT", None, None),
    ],
)  # fmt: skip
def test_values_that_fit(kind, given, taken):
    """They are taken as the column has them."""
    assert Type(kind).take(given, "c") == taken


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("SMALLINT", 32_768), ("INT", 1 << 31), ("BIGINT", 1 << 63), ("BIGINT", True), ("BIGINT", 1.5), ("BIGINT", "5"), ("DOUBLE", float("nan")), ("DOUBLE", float("inf")), ("DOUBLE", "1"),
        ("BOOLEAN", 1), ("TEXT", 5), ("TEXT", "\ud800"), ("BYTES", "no base64!"), ("DATE", datetime(2026, 1, 2, tzinfo=UTC)), ("DATE", "2026-02-30"), ("TIMESTAMP", 5), ("UUID", "x"), ("JSON", {1, object()}),
        ("DOUBLE", 10**400), ("BIGINT", 10**300), ("JSON", float("nan")), ("JSON", {"a": [1, float("inf")]}), ("FLOAT", 1e39), ("FLOAT", -(10**39)),
    ],
)  # fmt: skip
def test_values_that_do_not_fit(kind, given):
    """They are refused with the column, and nothing is rounded or cut in silence."""
    with pytest.raises(errors.UsageError, match="'c'"):
        Type(kind).take(given, "c")


def test_decimals_have_their_digits():
    """More digits than the type has are refused on both sides of the point."""
    kind = Type("DECIMAL", 5, 2)
    assert kind.take("123.4", "c") == Decimal("123.40")
    assert str(kind.take(1, "c")) == "1.00"
    for value in ("1234", "1.234", "x", float("nan"), True):
        with pytest.raises(errors.UsageError):
            kind.take(value, "c")


def test_decimals_of_38_digits():
    """All of them are held, and what does not fit is told in words."""
    most = Decimal("9" * 38)
    for scale in (0, 2, 38):
        value = most.scaleb(-scale, EXACT)
        found = Type("DECIMAL", 38, scale).take(str(value), "c")
        assert (found, found.as_tuple().exponent) == (value, -scale)
    kind = Type("DECIMAL", 38, 0)
    assert kind.take(10**38 - 1, "c") == most
    for value, why in (
        ("x", "it is no number"), (10**38, "more than 38 digits"), ("0." + "1" * 60, "behind the point"), ("1e-999999", "behind the point"), ("9" * 38 + ".5", "behind the point"),
    ):  # fmt: skip
        with pytest.raises(errors.UsageError, match=why) as refused:
            kind.take(value, "c")
        assert "decimal." not in str(refused.value)


def test_texts_of_json():
    """They are read, or refused with how to write them."""
    assert json_of('{"a": [1]}', "c") == json_in('{"a": [1]}') == {"a": [1]}
    assert (json_in("x"), json_in(5)) == ("x", 5)
    for text in ("x", "", "{'a': 1}", "[" * 100_000):
        with pytest.raises(errors.UsageError, match="is no JSON"):
            json_of(text, "c")


@pytest.mark.parametrize("value", [time(1), timedelta(1), object(), {1}, 1j])
def test_what_no_column_takes(value):
    """It is said what values there are."""
    for kind in ("TEXT", "TIMESTAMP", "BIGINT", "BYTES"):
        with pytest.raises(errors.UsageError, match="A value is a bool, int, float"):
            Type(kind).take(value, "c")
