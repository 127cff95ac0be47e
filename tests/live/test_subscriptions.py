"""Places of subscriptions."""

import random
import tracemalloc

from flatwater.live.subscriptions import Subscriptions


def test_marking_taking_and_waking():
    """A change wakes those of its groups that had nothing, once; what is taken begins with the first number that came."""
    places = Subscriptions()
    one, two, three = (places.add(group, 0, 10) for group in (5, 5, 6))
    assert sorted(places.note([5], 11)) == [one, two]
    assert places.note([5, 6], 12) == [three]
    assert places.behind() == 10
    assert places.take(one, 12) == 11
    assert places.take(one, 12) == 0
    assert (places.cursor(one), places.pending(two)) == (12, True)
    assert places.take(two, 12) == 11
    assert places.behind() == 10
    places.advance(two, 12)
    assert places.take(two, 12) == 0
    assert places.take(three, 12) == 12
    assert places.take(three, 12) == 0
    assert places.behind() is None


def test_numbers_are_given_again():
    """Removed ones leave no trace in groups, counts and marks."""
    rng = random.Random(3)
    places, alive = Subscriptions(), {}
    for _ in range(3_000):
        if alive and rng.random() < 0.5:
            number = rng.choice(list(alive))
            places.remove(number)
            del alive[number]
        else:
            group, user = rng.randrange(5), rng.randrange(3)
            alive[places.add(group, user, 1)] = group, user
    assert len(places) == len(alive)
    for user in range(3):
        assert places.count(user) == sum(1 for _group, each in alive.values() if each == user)
    for group in range(5):
        woken = places.note([group], 2)
        assert sorted(woken) == sorted(number for number, (each, _user) in alive.items() if each == group)


def test_what_each_takes():
    """A hundred thousand of them take no more than 64 bytes each, beside their conditions."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    places = Subscriptions()
    for n in range(100_000):
        places.add(n % 1_000, n % 50, 1 << 50)
    each = (tracemalloc.get_traced_memory()[0] - before) / 100_000
    tracemalloc.stop()
    assert each <= 64
    assert places.bytes_held() == 3_204_000
