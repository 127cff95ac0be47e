"""Where a live query is, and how it goes on there."""

import json

import pytest

from flatwater import errors
from flatwater.budget.budget import Budget
from flatwater.live.client.feed import EMPTY, Feed


@pytest.fixture
def feed_of():
    budget, made = Budget("1 MiB"), []

    def make(last_rows=None, since=None):
        made.append(Feed("SELECT 1", [], last_rows, since, budget, lambda _feed: None))
        return made[-1]

    yield make
    for each in made:
        each.mailbox.close(errors.ClosedError("over."))
    assert budget.held == 0


def come(feed, *messages):
    for op, seq in messages:
        feed.came(op, seq, EMPTY, EMPTY, 10)


def taken(feed):
    found = []
    while (each := feed.mailbox.take()) is not None:
        found.append((each.item and each.item.op, each.seq))
    return found


def test_a_snapshot_that_breaks(feed_of):
    """Begins anew without a number; what came of it is dropped, and a reset stands where some was read."""
    feed = feed_of()
    come(feed, ("snapshot", 5), ("snapshot", 5))
    feed.lost()
    assert taken(feed) == []
    come(feed, ("snapshot", 6))
    assert taken(feed) == [("snapshot", None)]
    come(feed, ("snapshot", 6))
    feed.lost()
    assert taken(feed) == [("reset", None)]
    assert "since" not in json.loads(feed.message(1))


def test_behind_it(feed_of):
    """It goes on behind the greatest number that came, and what is known is passed over."""
    feed = feed_of()
    come(
        feed,
        ("snapshot", 5),
        ("ready", 5),
        ("insert", 7),
        ("insert", 6),
        ("insert", 7),
        ("level", 9),
        ("update", 8),
        ("delete", 10),
    )
    feed.lost()
    assert json.loads(feed.message(3)) == {"type": "subscribe", "sql": "SELECT 1", "params": [], "id": 3, "since": 10}
    assert taken(feed) == [("snapshot", 5), ("insert", 9), ("delete", None)]


def test_a_reset_of_the_server(feed_of):
    """What came before is read, then the reset; a snapshot behind it that breaks is replaced."""
    feed = feed_of(since=3)
    come(feed, ("insert", 4), ("reset", 9), ("snapshot", 9))
    assert feed.since is None
    feed.lost()
    assert taken(feed) == [("insert", None), ("reset", None)]


@pytest.mark.parametrize(
    "options", [{"since": -1}, {"since": True}, {"since": 1 << 63}, {"last_rows": -1}, {"last_rows": "1"}]
)
def test_numbers_that_are_none(feed_of, options):
    """Are refused."""
    with pytest.raises(errors.UsageError):
        feed_of(**options)


def test_levels_before_it_is_ready(feed_of):
    """Say nothing of a query that is still behind: what it was not given yet comes, and it goes on behind that."""
    feed = feed_of(since=3)
    come(feed, ("level", 9), ("insert", 5), ("ready", 5), ("level", 9), ("insert", 8), ("reset", 10), ("level", 12))
    assert taken(feed) == [("insert", 9), ("reset", None)]
    assert feed.since is None
