"""The index of conditions gives what asking each of them gives."""

import random

import pytest

from flatwater.live.conditions import condition_of
from flatwater.live.log import DELETE, INSERT, UPDATE
from flatwater.live.matching import Groups
from flatwater.live.schema import SHARED, Column, Schema
from flatwater.live.statements import understood
from flatwater.live.types import Type

COLUMNS = [
    Column("id", Type("BIGINT")),
    Column("a", Type("INT")),
    Column("b", Type("TEXT")),
    Column("c", Type("DOUBLE")),
]
SCHEMA = Schema(1, "main", "t", SHARED, COLUMNS, ["id"])
FORMS = [
    "a = ?", "a = ? AND b = 'x'", "a = ? OR a = 3", "a IN (?, 2)", "a > ?", "a >= ? AND c < 0.5", "a < ?", "a <= ?", "b LIKE 'x%' AND a <> ?",
    "? = a AND a IS NOT NULL", "a BETWEEN ? AND 4", "NOT a = ?", "a + 1 = ?", "a = ? AND a = 2", "c > ?", "a = ?::INT",
]  # fmt: skip


def predicate(where, *params):
    tree = understood(f"SELECT * FROM t WHERE {where}").tree
    return condition_of(tree.args["where"].this, SCHEMA, params).predicate


def row(rng):
    return {
        "id": 1, "a": rng.choice([None, 0, 1, 2, 3, 4, 5]), "b": rng.choice([None, "x", "xy", "y"]), "c": rng.choice([None, 0.25, 0.75, 2.0]),
    }  # fmt: skip


def test_it_gives_what_asking_each_gives():
    """For random changes, the groups and operations are those of each condition asked by itself, also after some have gone."""
    rng = random.Random(7)
    groups, members = Groups(), {}
    for _ in range(400):
        found = predicate(rng.choice(FORMS), rng.choice([0, 1, 2, 3, 4, None]))
        scope = rng.choice(["", "u"])
        members.setdefault(groups.add(1, scope, found), (scope, found))
    members[groups.add(1, "", None)] = ("", None)
    for turn in range(300):
        old, new = rng.choice([(None, row(rng)), (row(rng), None), (row(rng), row(rng))])
        expected = set()
        for number, (scope, found) in members.items():
            was = old is not None and scope == "" and (found is None or found.matches(old))
            is_now = new is not None and scope == "" and (found is None or found.matches(new))
            if was or is_now:
                expected.add((number, UPDATE if was and is_now else INSERT if is_now else DELETE))
        got = groups.match(1, "", old, new)
        assert set(got) == expected
        assert len(got) == len(expected)
        if turn % 10 == 0 and len(members) > 5:
            number = rng.choice(list(members))
            while not groups.remove(number):
                pass
            del members[number]


def test_the_same_condition_is_one_group():
    """Those who ask the same share an entry; other values, users and tables do not; the last one who leaves takes it away."""
    groups = Groups()
    first = groups.add(1, "ada", predicate("a = ? AND b = ?", 1, "x"))
    assert groups.add(1, "ada", predicate("b = ? AND a = 1", "x")) == first
    others = [
        groups.add(1, "ada", predicate("a = ? AND b = ?", 2, "x")),
        groups.add(1, "bob", predicate("a = ? AND b = ?", 1, "x")),
        groups.add(2, "ada", predicate("a = ? AND b = ?", 1, "x")),
    ]
    assert len({first, *others}) == len(groups) == 4
    assert not groups.remove(first)
    assert groups.remove(first)
    assert groups.match(1, "ada", None, {"id": 1, "a": 1, "b": "x", "c": None}) == []
    for number in others:
        assert groups.remove(number)
    assert (len(groups), groups.bytes_held()) == (0, 0)
    assert not groups._equal
    assert not groups._equal_columns


def test_large_values_are_counted():
    """What a condition holds, its values and its form, is counted once, and no more when it is gone."""
    groups = Groups()
    small = groups.add(1, "", predicate("b = ?", "x"))
    one = groups.bytes_held()
    again = groups.add(1, "", predicate("b = ?", "y"))
    assert 0 < groups.bytes_held() - one < 600  # the form is shared
    large = groups.add(1, "", predicate("b = ?", "x" * 100_000))
    several = groups.add(1, "", predicate(f"a IN ({', '.join(map(str, range(1_000)))})"))
    assert groups.bytes_held() > 100_000 + 1_000 * 100
    for number in (small, again, large, several):
        groups.remove(number)
    assert groups.bytes_held() == 0


@pytest.mark.parametrize("where", ["a = ?", "a IN (1, ?)", "a > ?"])
def test_null_matches_nothing(where):
    """A comparison with NULL, of the row or of the condition, is in no group."""
    groups = Groups()
    number = groups.add(1, "", predicate(where, None))
    assert groups.match(1, "", None, {"id": 1, "a": None, "b": None, "c": None}) == []
    assert groups.match(1, "", None, {"id": 1, "a": 0, "b": None, "c": None}) == []
    groups.remove(number)


def test_equal_numbers_of_other_types_match():
    """1, 1.0 and a decimal are one value of an equality."""
    groups = Groups()
    numbers = {groups.add(1, "", predicate("c = ?", value)) for value in (1, 1.0)}
    found = groups.match(1, "", None, {"id": 1, "a": None, "b": None, "c": 1.0})
    assert {number for number, _op in found} == numbers
