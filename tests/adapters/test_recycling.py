"""adapters.recycling: when a worker is told to leave, by sizes that are played to it."""

from __future__ import annotations

import threading

import pytest

from flatwater import errors, limits
from flatwater.adapters.recycling import Recycler

MIB = 1 << 20


class Replay:
    """Sizes in turn, a clock, and what was done."""

    def __init__(self, sizes, freed=0, **given):
        self.sizes, self.now_s, self.left, self.said, self.collections = list(sizes), 100.0, [], [], 0
        self.freed = freed
        self.recycler = Recycler(
            "100 MiB", self.left.append, sample=self.sample, collect=self.collect, clock=lambda: self.now_s, tell=self.said.append,
            **{"jitter": 0, "age_s_min": 0} | given,
        )  # fmt: skip

    def sample(self):
        return self.sizes[0] * MIB if len(self.sizes) == 1 else self.sizes.pop(0) * MIB

    def collect(self):
        self.collections += 1
        self.sizes = [self.sizes[0] - self.freed]

    def looks(self, count):
        found = []
        for _ in range(count):
            found.append(self.recycler.look())
            self.now_s += limits.RECYCLE_PERIOD_S
        return found


def test_it_leaves_once_it_stays_above():
    """Behind a collection, with a reason that names both sizes."""
    replay = Replay([90, 110, 110, 110])
    assert replay.looks(4) == [False, False, False, True]
    assert replay.left == ["it holds 110 MiB, more than 100 MiB, also after a collection"]
    assert "finishes its requests and is replaced" in replay.said[0]


def test_a_spike_is_no_reason():
    """Nor is one after another."""
    assert not any(Replay([110, 90, 110, 110, 90, 110, 90]).looks(7))


def test_what_a_collection_frees_is_no_reason():
    """And collections do not come one after the other."""
    replay = Replay([110], freed=20)
    replay.looks(3)
    replay.sizes = [110]
    replay.looks(3)
    assert (replay.left, replay.collections) == ([], 2)


def test_nothing_leaves_before_its_age():
    """A bound that is too low does not replace workers without end."""
    replay = Replay([110], age_s_min=30)
    assert not any(replay.looks(10))
    replay.now_s += 30
    assert replay.looks(1) == [True]


def test_workers_have_different_bounds():
    """Within the jitter, and never more than was said."""
    low, high = (
        Replay([1], jitter=0.2, draw=lambda least, most, share=share: least + (most - least) * share)
        for share in (1, 0)
    )
    assert (low.recycler.bound_bytes, high.recycler.bound_bytes) == (80 * MIB, 100 * MIB)


def test_who_begins_above_is_not_replaced():
    """The next one would hold no less; it is said."""
    replay = Replay([120])
    assert not replay.recycler.start()
    assert "Raise the bound" in replay.said[0]


def test_it_looks_from_a_thread(monkeypatch):
    """Until it is stopped; twice is fine."""
    monkeypatch.setattr(limits, "RECYCLE_PERIOD_S", 0.01)
    left = threading.Event()
    sizes = iter([50])
    recycler = Recycler(
        "100 MiB",
        lambda _: left.set(),
        jitter=0,
        age_s_min=0,
        tell=lambda _: None,
        sample=lambda: next(sizes, 110) * MIB,
        collect=lambda: None,
    )
    assert recycler.start()
    assert recycler.start()
    assert left.wait(30)
    recycler.stop()
    recycler.stop()
    assert recycler.bytes_max() > 0


@pytest.mark.parametrize("given", [{"jitter": 0.9}, {"jitter": True}, {"age_s_min": -1}, {"jitter": "much"}])
def test_what_cannot_be_is_refused(given):
    """Before anything begins."""
    with pytest.raises(errors.UsageError):
        Recycler("100 MiB", print, **given)
    with pytest.raises(errors.UsageError):
        Recycler("a lot", print)
