"""Pages of a QuerySet: what they consist of, and what none can be cut from."""

from __future__ import annotations

import pytest


@pytest.fixture
def told(django_sqlite):
    """What the program says of SQLite."""
    return django_sqlite


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("slice", "a slice"), ("random", "order_by"), ("groups", "groups of values()"), ("union", "a union"),
        ("nulls", "nulls_first"), ("raw", "QuerySet"), ("object", "QuerySet"), ("values", "as_=dict"), ("name", "by itself"),
    ],
)  # fmt: skip
def test_what_is_refused(told, what, words):
    """A QuerySet that no condition can be added to, or whose order no index can serve, is refused with what to do."""
    assert words in told["refusals"][what]


def test_only_what_is_asked_for(told):
    """only(), defer() and values() say which columns there are; the key is always one of them."""
    assert told["fields"] == [["id", "name"], ["id", "group_id", "name", "rank"], ["id", "name", "group__name"]]


def test_annotations(told):
    """What a QuerySet computes is on its objects."""
    assert told["annotated"] == 1


def test_prefetches_are_for_a_page(told):
    """prefetch_related() is one statement for each page."""
    sent = [sql for sql in told["prefetched"] if "tests_person" in sql and "IN (" in sql]
    assert len(sent) == 2


def test_related_objects_come_with_the_page(told):
    """select_related() needs no further statement."""
    assert all("INNER JOIN" in sql or "LIMIT 1" in sql for sql in told["selected"])


def test_no_rows(told):
    """None() and filters that nothing meets give no rows and no error."""
    assert told["empty"] == [[], [], [], []]


def test_shared_objects_weigh_once(told):
    """An object that was weighed already adds nothing."""
    alone, shared = told["weights"]
    assert 0 < shared < alone


def test_an_order_that_django_would_take_from_elsewhere(told):
    """order_by of a relation whose class has an ordering is refused: Django goes by that, not by the column."""
    assert "'label_id'" in told["refusals"]["sorted relation"]


def test_a_field_that_does_not_give_back_what_it_got(told):
    """A field whose values are not the database's again is refused in the order: pages would never end."""
    assert "value of its own again" in told["refusals"]["covered <class 'dict'>"]
    assert "value of its own again" in told["refusals"]["covered orm"]
