"""Tables over Django's QuerySets; one program for each database, and what it saw."""

from __future__ import annotations

import pytest

BOUND_BYTES = 2 * (8 << 20) + 4_000_000 + 1_000_000  # two batches, 4 MB, the largest row


@pytest.fixture(params=("django_sqlite", pytest.param("django_postgres", marks=pytest.mark.slow)))
def told(request):
    """What the program says of a database."""
    return request.getfixturevalue(request.param)


def test_rows_have_djangos_values(told):
    """Plain rows carry the model's columns in its order, with Django's types; objects are the model's."""
    assert told["first"] == [["id", "group_id", "name", "rank", "born", "extra"], {"n": [0]}, "2020-01-01 00:00:00"]
    assert told["objects"] == "Person"


def test_wide_rows_behind_narrow_ones(told):
    """200 rows of 1 MB behind 1,000 narrow ones: the peak rises by two batches, 4 MB and a row at most; atomic() goes on."""
    assert {each["rows"] for each in told["wide"].values()} == {1200}
    assert {name: each["peak"] for name, each in told["wide"].items() if each["peak"] > BOUND_BYTES} == {}


def test_the_order_of_the_queryset(told):
    """A QuerySet's order is the pass's, down too, with NULLs and equal values, each row once."""
    assert told["orders"] == {"rank": [True, True], "-rank": [True, True]}


def test_an_unindexed_order_is_refused(told):
    """An order without an index is refused with the line that makes one; one with an index is explained as served."""
    assert "CREATE INDEX" in told["refusals"]["unindexed"]
    assert told["explained"]


def test_updates_use_djangos_types(told):
    """update_each writes through the model's fields, of the QuerySet's rows alone."""
    assert told["updated"] == [20, 20, {"new": 1}, "2021-01-01 00:00:00", {"n": [20]}]


def test_rows_that_change_meanwhile(told):
    """A row that others change between reading and writing is given again, with its types."""
    assert told["meanwhile"] == [1, [["name 0", {"new": 1}], ["other", {"new": 1}]], "other!"]


def test_within_atomic(told):
    """What needs transactions of its own is refused within transaction.atomic()."""
    assert "atomic()" in told["refusals"]["atomic"]
    assert "isolation" in told["refusals"]["snapshot"]


def test_no_transaction_stays_open_between_batches(told):
    """Between batches the server knows of no open transaction, as a pooler in transaction mode needs it."""
    assert told["idle"] == 0


def test_coroutines(told):
    """async for and apage work in a coroutine, through the thread that Django keeps for it."""
    assert told["async"] == [300, [1, 2, 3]]


def test_counts_ranges_and_snapshots(told):
    """Estimates, parts and snapshots are those of the QuerySet."""
    assert 100 <= told["counts"][0] <= 900
    assert told["counts"][1] == 6
    assert told["ranges"] == told["snapshot"] == 300


def test_tokens_belong_to_the_filters(told):
    """A page goes on by its token; the token of other filters is refused."""
    assert told["page"] == [[1, 11], [21, 31]]
    assert "another query" in told["other"]


def test_reversed_querysets_and_composite_keys(told):
    """reverse(), a CompositePrimaryKey, related managers: the rows of one plain query, each once, in its order."""
    assert [name for name, is_so in told["keys and joins"].items() if not is_so] == []


def test_what_repeats_rows_is_refused(told):
    """A join that repeats rows, and values() that are distinct only without the key, are refused with what to do."""
    assert "distinct()" in told["refusals"]["repeated"]
    assert "distinct()" in told["refusals"]["repeated values"]
    assert "primary key" in told["refusals"]["distinct values"]


def test_rows_are_created_with_djangos_types(told):
    """create_many and a writer fill in what the model does, go by unique columns, and leave atomic() alone."""
    created = told["created"]
    assert created["filled"] == [5, 3, 7, {"n": 0}, True]
    assert created["skipped"] == [1, 1, 7]
    assert created["updated"] == [9, 6]
    assert created["refused"].startswith("row 2 {") and created["refused"].endswith("Nothing is committed.")  # noqa: PT018 - one message
    assert "lacks code" in created["lacking"]
    assert "is a select" in created["values"]
    assert "atomic()" in created["atomic"]
    assert created["atomic is whole"] == 6
    assert created["writer"] == [6, 7, "1", None]
    assert created["async"] == 1
