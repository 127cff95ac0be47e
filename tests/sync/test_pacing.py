"""No more than so many in a second."""

from __future__ import annotations

from flatwater.sync.pacing import FREE, Limited


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_so_many_in_a_second():
    """What was not taken while nobody asked is not made up for, but for a tenth of a second's worth."""
    clock = Clock()
    pace = Limited(10, clock, clock.sleep)
    for _turn in range(30):
        pace.take()
    assert 2.8 <= clock.now - 100 <= 3.0
    clock.now += 60
    begun = clock.now
    for _turn in range(11):
        pace.take()
    assert 0.8 <= clock.now - begun <= 1.0


def test_many_at_once_are_owed():
    """The next one waits for them."""
    clock = Clock()
    pace = Limited(100, clock, clock.sleep)
    pace.take(1_000)
    begun = clock.now
    pace.take()
    assert clock.now - begun >= 9.8


def test_free():
    """Takes nothing's time."""
    FREE.take(1_000_000)
