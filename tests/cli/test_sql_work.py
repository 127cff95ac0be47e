"""cli.sql_work: who asks can be interrupted, and what was asked ends by itself."""

from __future__ import annotations

import contextvars
import os
import signal
import threading

import pytest

from flatwater import errors, limits
from flatwater.cli.sql_work import Work

WAIT_S = 30


@pytest.fixture
def work():
    with Work() as made:
        yield made


def interrupted(go_on):
    """A task that interrupts who waits for it, and goes on until it is told to end."""

    def task():
        os.kill(os.getpid(), signal.SIGINT)
        assert go_on.wait(WAIT_S)

    return task


def test_what_a_task_gives_and_raises(work):
    """Both come to who asks, and tasks are done in one other thread."""
    assert work.ask(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        work.ask(lambda: 1 // 0)
    threads = {work.ask(threading.get_ident) for _ in range(5)}
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_the_context_is_that_of_the_shell(work):
    """A budget that holds here holds there, too."""
    variable = contextvars.ContextVar("variable")
    variable.set("here")
    assert work.ask(variable.get) == "here"


def test_an_interrupted_task_is_left(work):
    """The next one does not wait for it; when it ends, what it opened is closed."""
    go_on, closed = threading.Event(), threading.Event()
    with pytest.raises(KeyboardInterrupt):
        work.ask(interrupted(go_on), closed.set)
    assert work.ask(lambda: 6) == 6
    assert not closed.is_set()
    go_on.set()
    assert closed.wait(WAIT_S)


def test_so_many_are_left_and_no_more(work):
    """Then the next one is refused, until one has ended."""
    go_on = threading.Event()
    for _ in range(limits.SHELL_LEFT_MAX):
        with pytest.raises(KeyboardInterrupt):
            work.ask(interrupted(go_on))
    with pytest.raises(errors.LimitReached, match="still at work"):
        work.ask(lambda: 7)
    go_on.set()
    work.close()
    assert work.ask(lambda: 7) == 7


def test_a_time_to_wait(work):
    """Who has no more patience gets TimeoutError; the task goes on."""
    go_on, done = threading.Event(), threading.Event()

    def task():
        assert go_on.wait(WAIT_S)
        done.set()

    with pytest.raises(TimeoutError):
        work.ask(task, wait_s=0.01)
    go_on.set()
    assert done.wait(WAIT_S)


def test_an_error_of_time_of_the_task_s_own(work):
    """It is an error as others, and not waited behind."""

    def task():
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        work.ask(task)


class Thing:
    """Something that counts how often it is closed, and while what."""

    def __init__(self):
        self.closed = []
        self.is_reading = False

    def close(self):
        self.closed.append(self.is_reading)


def test_what_was_opened_is_closed(work):
    """At the end of the block, once."""
    thing = Thing()
    with work.open(lambda: thing) as opened:
        assert opened.ask(lambda: 8) == 8
        assert thing.closed == []
    assert thing.closed == [False]


def test_what_is_being_read_is_closed_behind_that(work):
    """Ctrl-C in the middle of a page: never while another thread reads it."""
    thing, go_on = Thing(), threading.Event()

    def read():
        thing.is_reading = True
        interrupted(go_on)()
        thing.is_reading = False

    def use():
        with work.open(lambda: thing) as opened:
            opened.ask(read)

    with pytest.raises(KeyboardInterrupt):
        use()
    assert thing.closed == []
    go_on.set()
    work.close()
    assert thing.closed == [False]


def test_opening_that_is_interrupted(work):
    """What is open in the end, and nobody wants, is closed."""
    thing, go_on = Thing(), threading.Event()

    def begin():
        interrupted(go_on)()
        return thing

    with pytest.raises(KeyboardInterrupt):
        work.open(begin)
    go_on.set()
    work.close()
    assert thing.closed == [False]
