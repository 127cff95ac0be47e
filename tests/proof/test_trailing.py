"""Threads that work on are told from those that end what they were given last."""

from __future__ import annotations

import threading
import time

import pytest

from flatwater.proof.trailing import still_works


def burn(cpu_s):
    until_s = time.thread_time() + cpu_s
    while time.thread_time() < until_s:
        pass


@pytest.fixture
def started():
    """Starts a thread that does its work and then waits until the test is over."""
    over, threads = threading.Event(), []

    def start(work):
        def run():
            work(over)
            over.wait()

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()
        return threads[-1].is_alive

    yield start
    over.set()
    for thread in threads:
        thread.join()


def test_a_thread_that_only_waits_does_not_work(started):
    """An idle pool is no work that is left."""
    assert not still_works(started(lambda _over: None))


def test_what_was_given_last_may_end(started):
    """A thread that gives memory back for a moment, and is quiet then, has done its work."""
    assert not still_works(started(lambda _over: burn(0.06)))


def test_a_thread_that_goes_on_works(started):
    """Whoever looks, and for however long."""

    def on_and_on(over):
        while not over.is_set():
            burn(0.005)

    assert still_works(started(on_and_on))


def test_bursts_are_work(started):
    """A thread that works for a moment, again and again, is not quiet between."""

    def bursts(over):
        while not over.wait(0.03):
            burn(0.01)

    assert still_works(started(bursts))


def test_nobody_is_left(started):
    """Threads that ended are not waited for."""
    began_s = time.monotonic()
    assert not still_works(lambda: False)
    assert time.monotonic() - began_s < 0.2
