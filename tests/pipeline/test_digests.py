"""Digests of keys: the same for what is equal."""

from __future__ import annotations

import math
from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, IntEnum
from fractions import Fraction
from pathlib import PurePosixPath
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater.pipeline.digests import digest_of

NUMBERS = st.one_of(
    st.integers(-3, 3), st.booleans(), st.sampled_from([0.0, -0.0, 0.5, 1.0, 1e300, math.inf, -math.inf, 2.0**70]),
    st.sampled_from([Decimal("0.5"), Decimal(1), Decimal("0.1"), Decimal("Infinity"), Decimal("1E+5"), Decimal("1E+999")]),
    st.sampled_from([Fraction(1, 2), Fraction(1, 3), Fraction(2), Fraction(10**400, 3), 1j, 1 + 0j, 0.5 + 0j, 2**70, 0.1]),
)  # fmt: skip
ATOMS = st.one_of(NUMBERS, st.none(), st.sampled_from(["", "a", "1", "s", b"", b"a", b"1"]))
KEYS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.tuples(inner, inner), st.frozensets(ATOMS, max_size=3),
        st.dictionaries(ATOMS, inner, max_size=3),
    ),
    max_leaves=6,
)  # fmt: skip


@given(KEYS, KEYS)
def test_digests_are_equal_where_keys_are(one, other):
    """And only there."""
    assert (digest_of(one) == digest_of(other)) == (one == other)


Point = namedtuple("Point", "x y")  # noqa: PYI024 - one without types, as any


class Colour(Enum):
    """Some."""

    RED = 1
    BLUE = 2


class Right(Flag):
    """Some of these."""

    READ = 1
    WRITE = 2


class Level(IntEnum):
    """Numbers with names."""

    LOW = 1


@dataclass
class Row:
    """What is compared, and what is not."""

    name: str
    seen: int = field(default=0, compare=False)


class Struct(msgspec.Struct):
    """Of msgspec."""

    name: str


NOON = datetime(2024, 5, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True), (Point(1, 2), (1, 2)), (OrderedDict(a=1, b=2), {"b": 2, "a": 1}), (Level.LOW, 1), (b"x", bytearray(b"x")),
        (b"x", memoryview(b"x")), (Row("a", 1), Row("a", 2)), (Struct("a"), Struct("a")), ({1}, frozenset([1])),
        (NOON, NOON.astimezone(timezone(timedelta(hours=2)))), (UUID(int=5), UUID(int=5)), (math.nan, float("nan")),
        (PurePosixPath("a/b"), PurePosixPath("a//b")), (timedelta(hours=1), timedelta(minutes=60)), (int, int),
        (Decimal("NaN"), math.nan), (Colour.RED, Colour(1)), ("\ud800", "\ud800"),
    ],
)  # fmt: skip
def test_equal_objects(one, other):
    """Have one digest."""
    assert digest_of(one) == digest_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, "1"), ("a", b"a"), ([1], (1,)), (None, "None"), (("a", "bc"), ("ab", "c")), ([], {}), (Colour.RED, Colour.BLUE),
        (Row("a"), Row("b")), (Struct("a"), Struct("b")), (NOON, NOON.replace(tzinfo=None)), (date(2024, 5, 5), NOON),
        (date(2024, 5, 5), datetime(2024, 5, 5)), (UUID(int=5), UUID(int=6)), ({"a": 1}, {"a": 2}), ([[1], [2]], [[1, 2]]),  # noqa: DTZ001
        (int, str), (Row("a"), Struct("a")), (Colour.RED, 1), (2**53, 2**53 + 1), (0.1, Decimal("0.1")),
    ],
)  # fmt: skip
def test_other_objects(one, other):
    """Have others."""
    assert one != other
    assert digest_of(one) != digest_of(other)


def test_numbers_of_numpy():
    """Are numbers."""
    numpy = pytest.importorskip("numpy")
    assert digest_of(numpy.int64(5)) == digest_of(numpy.float32(5)) == digest_of(numpy.float64(5)) == digest_of(5)


class Plain:
    """Equal to itself."""


def test_objects_that_are_equal_only_to_themselves():
    """Are refused, with what to do: each would be new."""
    with pytest.raises(TypeError, match=r"Plain are equal only to themselves.*distinct\(key=\.\.\.\)"):
        digest_of([Plain()])


def test_sets_of_flags():
    """Also the one of none, which has no name."""
    flags = [Right.READ, Right.WRITE, Right.READ | Right.WRITE, Right(0)]
    assert len({digest_of(each) for each in flags}) == 4
    assert digest_of(Right(0)) == digest_of(Right.READ & Right.WRITE)


def test_decimals_beyond_all_floats():
    """Each of their digits counts, whatever the precision and the exponents of the context; zeros at their end do not."""
    long = "1.23456789012345678901234567890"
    keys = [f"{long}E+500", f"{long}1E+500", f"-{long}E+500", "1E+999999999", "1E-999999999", "10E+401", "1E+401"]
    assert len({digest_of(Decimal(key)) for key in keys}) == len(keys)
    assert digest_of(Decimal("1.50E+500")) == digest_of(Decimal("15E+499"))
