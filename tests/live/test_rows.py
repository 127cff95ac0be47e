"""Keys of rows: nobody's range has rows of another."""

import itertools

from flatwater.live.rows import Heads, Place, number_of, stored, table_range, user_of
from flatwater.live.schema import SHARED, STREAM, USER, Column, Schema
from flatwater.live.types import Type

HEADS = Heads(b"\x03\x03\x03", b"\x03\x03\x04", b"\x03\x03\x05")
NAMES = ["a", "ab", "a b", "b", "", "a\x00", "a\x01", "a\x00b", "é", "\U0001f600", "z" * 100]


def place(number, user, kind=USER):
    return Place(
        HEADS,
        Schema(number, "main", "t", kind, [Column("k", Type("TEXT")), Column("n", Type("INT"))], ["k", "n"]),
        user,
    )


def test_ranges_do_not_touch():
    """Whatever users, tables and keys are called, a key is in the range of its own user and table only."""
    places = [place(number, user) for number in (1, 2, 256) for user in NAMES]
    for one, other in itertools.product(places, places):
        low, high = one.range
        for name in NAMES:
            assert (low <= other.key({"k": name, "n": 1}) < high) == (one is other)


def test_a_prefix_of_the_key():
    """The range of the first values of a key has the keys that begin with these, and no other."""
    here = place(1, "ada")
    for prefix, name in itertools.product(NAMES, NAMES):
        low, high = here.prefix((prefix,))
        assert (low <= here.key({"k": name, "n": -1}) < high) == (prefix == name)
    assert here.prefix(()) == here.range


def test_whose_it_is():
    """The user comes back from a key; a shared table has none; a stream has a partition of its own."""
    assert user_of(place(1, "a\x00b").key({"k": "x", "n": 1})) == "a\x00b"
    assert user_of(place(1, "ada", SHARED).key({"k": "x", "n": 1})) == ""
    assert place(1, "ada", STREAM).range[0].startswith(HEADS.stream)
    low, high = table_range(HEADS.rows, 1)
    assert all(low <= place(1, name).key({"k": "x", "n": 1}) < high for name in NAMES)


def test_values():
    """The number of the last change stands in front of the JSON."""
    value = stored(1 << 50, b"{}")
    assert (number_of(value), value[8:]) == (1 << 50, b"{}")
