"""Turns: so many at once, and those that lie unread give way."""

import threading
import time

import pytest

from flatwater import errors
from flatwater.live.turns import Turns


def test_so_many_at_once():
    """One more has to wait, until one is given back, or for as long as it may."""
    turns = Turns(2)
    first, _second = turns.take(0), turns.take(0)
    assert turns.take(0) is None
    begin = time.monotonic()
    assert turns.take(0.2) is None
    assert time.monotonic() - begin >= 0.2
    timer = threading.Timer(0.1, first.end)
    timer.start()
    third = turns.take(10)
    assert third is not None
    timer.join()
    third.end()
    third.end()
    assert turns.take(0) is not None
    assert turns.take(0) is None


def test_one_that_lies_unread_gives_way():
    """The one that lies for the longest; its stream is let go of, and whoever reads on is told."""
    turns = Turns(2, idle_s=0.2)
    lying, reading = turns.take(0), turns.take(0)
    lying.stream, reading.stream = object(), object()
    lying.idle_since_s = time.monotonic()
    with reading.computing():
        assert turns.take(0) is None
        begin = time.monotonic()
        assert turns.take(10) is not None
        assert 0.15 < time.monotonic() - begin < 5
    assert (lying.is_taken_away, lying.stream) == (True, None)
    with pytest.raises(errors.LimitReached, match="were not read"), lying.computing():
        pass
    lying.end()
    assert not reading.is_taken_away


def test_nobody_waits_nobody_gives_way():
    """What lies unread keeps its turn while nobody else wants it."""
    turns = Turns(1, idle_s=0.01)
    turn = turns.take(0)
    turn.stream, turn.idle_since_s = "batches", time.monotonic()
    time.sleep(0.05)
    with turn.computing() as stream:
        assert stream == "batches"
    assert turn.idle_since_s is not None


def test_many_threads():
    """Never more than so many have one."""
    turns = Turns(3)
    lock, now, most = threading.Lock(), 0, 0

    def work():
        nonlocal now, most
        for _ in range(20):
            turn = turns.take(60)
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.001)
            with lock:
                now -= 1
            turn.end()

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, now) == (3, 0)


def test_who_waits_when_it_ends():
    """He is told, and so is who comes later."""
    turns, told = Turns(1), []
    turns.take(0)

    def wait():
        try:
            turns.take(60)
        except errors.ClosedError as error:
            told.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.05)
    turns.close()
    thread.join(10)
    with pytest.raises(errors.ClosedError):
        turns.take(0)
    assert len(told) == 1
