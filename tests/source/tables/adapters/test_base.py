"""What adapters have in common: turns on a connection, waiting for a page of a cancelled task, refusals."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading

import pytest

from flatwater import errors
from flatwater.source.tables.adapters.base import Plan, Turns, no_such
from flatwater.source.tables.adapters.sqlite_connection import SqliteConnection
from flatwater.source.tables.adapters.sqlite_path import SqliteApsw
from flatwater.source.tables.order import Order, OrderColumn
from flatwater.source.tables.shape import Relation


class Line:
    """A connection that can be cut."""

    def __init__(self, *, ours=True):
        self.is_open = True
        self.opened = 0
        self.turns = Turns(self.open if ours else None, lambda: self.is_open)

    def open(self):
        self.opened += 1
        self.is_open = True


def test_a_cut_connection_is_opened_anew_at_the_next_turn():
    """One of ours is; the user's is left as it is; a pinned one as well."""
    ours, theirs, pinned = Line(), Line(ours=False), Line()
    pinned.turns.pin()
    for line in (ours, theirs, pinned):
        line.is_open = False
        with line.turns.turn():
            pass
    assert (ours.opened, theirs.opened, pinned.opened) == (1, 0, 0)


def test_nothing_is_opened_anew_in_the_middle_of_a_transaction():
    """A turn inside of a turn does not replace the connection: the first half of the work would be lost."""
    line = Line()
    with line.turns.turn():
        line.is_open = False
        with line.turns.turn():
            pass
    assert line.opened == 0
    with line.turns.turn():
        pass
    assert line.opened == 1


def test_two_threads_take_turns():
    """While one thread has its turn, another one waits, also when the first one's breaks."""
    line, inside, order = Line(), threading.Event(), []

    def other():
        inside.wait(10)
        with line.turns.turn():
            order.append("other")

    thread = threading.Thread(target=other)
    thread.start()
    with pytest.raises(ValueError, match="broken"), line.turns.turn():  # noqa: PT012 - the loop is what breaks
        inside.set()
        thread.join(0.05)
        order.append("first")
        raise ValueError("broken")
    thread.join(10)
    assert order == ["first", "other"]


@pytest.mark.parametrize("ours", [True, False])
def test_a_forked_child_opens_ours_and_refuses_the_users(ours):
    """In a forked child ours is opened anew, though a thread of the parent has its turn; another one is refused."""
    line = Line(ours=ours)
    taken, done = threading.Event(), threading.Event()

    def hold():
        with line.turns.turn():
            taken.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait(10)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with line.turns.turn():
                code = 0 if ours and line.opened == 1 else 2
        except errors.ClosedError:
            code = 3
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    done.set()
    thread.join(10)
    assert os.waitstatus_to_exitcode(status) == (0 if ours else 3)


def test_a_cancelled_task_waits_for_its_page():
    """A thread cannot be cancelled: the task ends when its call has, so the connection is free again."""
    import apsw

    adapter = SqliteApsw(apsw.Connection(":memory:"))
    began, may_end, steps = threading.Event(), threading.Event(), []

    def call():
        began.set()
        may_end.wait(10)
        steps.append("call")

    async def main():
        task = asyncio.create_task(adapter.run(call))
        await asyncio.to_thread(began.wait, 10)
        task.cancel()
        asyncio.get_running_loop().call_later(0, may_end.set)
        with pytest.raises(asyncio.CancelledError):
            await task
        steps.append("cancelled")

    asyncio.run(main())
    assert steps == ["call", "cancelled"]


def test_errors_and_values_come_through_run():
    """run gives what the call gives, and raises what it raises."""
    import apsw

    adapter = SqliteApsw(apsw.Connection(":memory:"))
    assert asyncio.run(adapter.run(lambda: 5)) == 5
    with pytest.raises(ValueError, match="mine"):
        asyncio.run(adapter.run(lambda: int("mine")))


def test_a_plan_serves_if_it_neither_sorts_nor_scans():
    """Both are refused."""
    served = [Plan("", sorts, scans).is_served for sorts in (False, True) for scans in (False, True)]
    assert served == [True, False, False, False]


def test_borders_cut_rows_evenly():
    """So many parts of about as many rows each, in order, whatever the key."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (k TEXT PRIMARY KEY NOT NULL)")
    connection.executemany("INSERT INTO t VALUES (?)", [(f"{at:03}",) for at in range(100)])
    order = Order((OrderColumn("k", False, False, True),))
    adapter = SqliteConnection(connection)
    assert adapter.borders(Relation(("t",)), order, 4) == [("024",), ("049",), ("074",)]
    assert len(adapter.borders(Relation(("t",)), order, 200)) == 100
    connection.execute("DELETE FROM t")
    assert adapter.borders(Relation(("t",)), order, 4) == []


def test_what_an_adapter_cannot_do_is_said():
    """Something that is no text, and an ORM where there is none, are refused; a missing table is named."""
    adapter = SqliteConnection(sqlite3.connect(":memory:"))
    with pytest.raises(errors.UsageError, match="neither a table's name nor a SELECT"):
        adapter.bind(5, Relation())
    with pytest.raises(errors.UsageError, match="mapped class"):
        adapter.orm_form(None, None)
    assert "shop: gone" in str(no_such(Relation(("shop",)), "gone"))
    assert adapter.bytes_max() > 0
