"""What waits to be read, between two threads."""

import threading

import msgspec
import pytest

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.live.client.mailbox import Item, Mailbox


@pytest.fixture
def mailbox(monkeypatch):
    monkeypatch.setattr("flatwater.limits.CLIENT_FEED_BYTES", 1_000)
    budget, calls = Budget("4 KiB"), []
    made = Mailbox(budget, lambda: calls.append(1))
    made.budget_of_test, made.calls_of_test = budget, calls
    yield made
    made.close(errors.ClosedError("over."))
    assert budget.held == 0


def item(op, seq=0, size=100, turn=0):
    return Item(op, seq, msgspec.Raw(b""), msgspec.Raw(b""), size, turn)


def test_words_go_with_what_is_before_them(mailbox):
    """An event is read with the words behind it; words alone are read alone, and levels in a row are one."""
    assert mailbox.take() is None
    for each in (
        item("insert", 1),
        item("ready", 2),
        item("level", 3),
        item("level", 4),
        item("insert", 5),
        item("level", 6),
    ):
        mailbox.put(each)
    assert [(taken.item.seq, taken.seq) for taken in (mailbox.take(), mailbox.take())] == [(1, 4), (5, 6)]
    for number in range(10_000):
        mailbox.put(item("level", number, size=0))
    assert mailbox.take() == (None, 9_999)


def test_full_and_not_any_more(mailbox):
    """It says when it is full, and once when a quarter is left."""
    assert [mailbox.put(item("insert", number, 400)) for number in range(3)] == [False, False, True]
    mailbox.take()
    mailbox.take()
    assert (mailbox.is_full, mailbox.calls_of_test) == (True, [])
    mailbox.take()
    assert (mailbox.is_full, mailbox.calls_of_test) == (False, [1])


def test_a_message_that_is_larger(mailbox):
    """Takes its bytes from the budget while it waits; where they are not there, it is refused."""
    assert mailbox.put(item("insert", 1, 3_000))
    assert mailbox.budget_of_test.held == 3_000
    with pytest.raises(errors.BudgetExceeded):
        mailbox.put(item("insert", 2, 3_000))
    mailbox.take()
    assert mailbox.budget_of_test.held == limits.CLIENT_FEED_BYTES


def test_what_is_taken_back(mailbox):
    """Of a snapshot that begins anew nothing stays, and it is known whether its reader knows any of it."""
    mailbox.put(item("snapshot", 1, 2_000, turn=1))
    assert mailbox.take_back(1) is False
    assert not mailbox.is_full
    mailbox.put(item("insert", 1, turn=1))
    mailbox.put(item("snapshot", 1, turn=2))
    assert mailbox.take_back(2) is True
    assert mailbox.take().item.op == "insert"
    assert mailbox.take_back(2) is True
    assert mailbox.take() is None


def test_the_end(mailbox):
    """An error comes behind what was there, wakes who waits, and stays."""
    woken = threading.Event()
    assert mailbox.wait(woken.set) is False
    mailbox.put(item("insert", 1))
    assert woken.is_set()
    assert mailbox.wait(woken.set) is True
    mailbox.fail(errors.BrokenError("first."))
    mailbox.fail(errors.BrokenError("second."))
    assert mailbox.take().item.seq == 1
    for _ in range(2):
        with pytest.raises(errors.BrokenError, match="first"):
            mailbox.take()
    mailbox.close(errors.ClosedError("closed."))
    assert mailbox.put(item("insert", 2)) is False
