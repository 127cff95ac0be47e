"""What users write as an order, and the total order it becomes."""

from __future__ import annotations

import pytest

from flatwater import errors
from flatwater.source.tables.order import check_columns, resolve, terms

COLUMNS = [("id", False), ("a", True), ("b", False), ("sort order", False)]


def resolved(order_by, key=("id",), *, smallest=True):
    order = resolve(order_by, key=key, columns=COLUMNS, nulls_are_smallest=smallest)
    return [(each.name, each.descending, each.nullable, each.nulls_first) for each in order.columns]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (None, []),
        ("a", [("a", False)]),
        ("-a", [("a", True)]),
        (" - a , b ", [("a", True), ("b", False)]),
        ("a DESC, b Asc", [("a", True), ("b", False)]),
        (["a desc", "-b"], [("a", True), ("b", True)]),
        (("a, b",), [("a, b", False)]),
        ("desc", [("desc", False)]),
        ("asc desc", [("asc", True)]),
        ("sort order", [("sort order", False)]),
        ([], []),
    ],
)
def test_an_order_is_read(written, read):
    """A minus or a direction turns a column round; in a sequence a comma is part of a name."""
    assert terms(written) == read


@pytest.mark.parametrize("written", ["", " ", "a,,b", ",", 5, {"a"}, [5], [""], [None], b"a", ["a", ["b"]]])
def test_what_is_no_order_is_refused(written):
    """Anything else is refused with what to write."""
    with pytest.raises(errors.UsageError, match="is no order") as caught:
        terms(written)
    assert "order_by=" in caught.value.hint


def test_the_key_breaks_ties_in_the_last_columns_direction():
    """Missing columns of the key come last and go the way of the column before, so that one index serves all."""
    assert [each[:2] for each in resolved("-a")] == [("a", True), ("id", True)]
    assert [each[:2] for each in resolved("-a, b")] == [("a", True), ("b", False), ("id", False)]
    assert [each[:2] for each in resolved("id, -a")] == [("id", False), ("a", True)]
    assert [each[:2] for each in resolved(None, ("b", "id"))] == [("b", False), ("id", False)]


def test_where_nulls_stand_is_the_databases():
    """NULL is the smallest for SQLite and MariaDB and the largest for PostgreSQL, in either direction."""
    assert resolved("a")[0] == ("a", False, True, True)
    assert resolved("-a")[0] == ("a", True, True, False)
    assert resolved("a", smallest=False)[0] == ("a", False, True, False)
    assert resolved("-a", smallest=False)[0] == ("a", True, True, True)


def test_a_key_that_can_be_null_stays_so():
    """A column of the key that is declared nullable is treated as nullable: no row is lost for a promise nobody made."""
    assert resolved(None, ("a", "id"))[0] == ("a", False, True, True)


def test_an_order_turned_round_twice_is_itself():
    """The reverse turns directions and NULLs, and twice it changes nothing."""
    order = resolve("-a, b", key=("id",), columns=COLUMNS, nulls_are_smallest=True)
    back = order.reversed()
    assert [each.descending for each in back.columns] == [False, True, True]
    assert back.reversed() == order
    assert str(order) == "a desc, b, id"
    assert order.names == ("a", "b", "id")


def test_one_comparison_seeks_only_in_uniform_orders():
    """Uniform is one direction and no NULL."""
    uniform = {text: resolve(text, key=("id",), columns=COLUMNS, nulls_are_smallest=True).is_uniform
               for text in ("b", "-b", "b, -id", "a", "id")}  # fmt: skip
    assert uniform == {"b": True, "-b": True, "b, -id": False, "a": False, "id": True}


def test_unknown_and_repeated_columns_are_refused():
    """An unknown column is named with the one that was meant; a repeated one is named."""
    with pytest.raises(errors.UsageError, match="no column 'idd'") as caught:
        resolved("idd")
    assert "'id'" in caught.value.hint
    with pytest.raises(errors.UsageError, match="names a twice"):
        resolved("a, -a")
    with pytest.raises(errors.UsageError, match="no column 'zzz', 'yyy'") as caught:
        check_columns(["zzz", "yyy"], [f"column {at}" for at in range(30)], what="columns")
    assert len(caught.value.hint) < 500
    check_columns([], [], what="columns")
