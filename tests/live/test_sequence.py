"""Numbers that grow and tell the time."""

import threading

from flatwater.live.sequence import PER_MS, Sequence


def test_they_grow_whatever_the_clock_does():
    """A clock that stands still, or goes back, gives one more each time; a clock that goes on gives its time."""
    now = [1_000.0]
    numbers = Sequence(0, lambda: now[0])
    found = [numbers.next(), numbers.next()]
    now[0] = 500.0
    found.append(numbers.next())
    now[0] = 2_000.0
    found.append(numbers.next())
    assert found == [1_000_000 * PER_MS, 1_000_000 * PER_MS + 1, 1_000_000 * PER_MS + 2, 2_000_000 * PER_MS]
    numbers.start(found[3] + 5)
    assert numbers.next() == found[3] + 6 == numbers.last


def test_they_are_exact_in_javascript():
    """Numbers of this century are below 2 to the 53rd."""
    assert Sequence(0, lambda: 4_102_444_800.0).next() < 1 << 53


def test_threads_get_different_ones():
    """No number is given twice."""
    numbers, found = Sequence(), []
    threads = [threading.Thread(target=lambda: found.extend(numbers.next() for _ in range(1_000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 8_000
