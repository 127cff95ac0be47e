"""Whole hunts: what bounded programs do is no leak, what is easily missed is one, and one cause is one row."""

from __future__ import annotations

from pathlib import Path

import pytest

from flatwater import units
from flatwater.proof.leaks.separate import hunt_in_worker

PROGRAMS = Path(__file__).with_name("leaking.py")
pytestmark = pytest.mark.slow


def hunted(action, **options):
    """In a fresh process: its heap is small, and nothing else is busy in it."""
    return hunt_in_worker(f"{PROGRAMS}::{action}", **{"rounds": 4, **options})


def told(report):
    return sorted((leak.kind, leak.name, leak.count_per_round) for leak in report.leaks)


def test_bounded_programs():
    """Ring buffers, full caches, caches of Python itself and a database's list of dead cursors are no leaks, but notes."""
    report = hunted("bounded", rounds=8)
    assert report.holds, str(report)
    for words in ("waiting (deque) fills up: 18 of 1,000", "ElementPath._cache", "struct's cache", "weak references"):
        assert words in str(report)


def test_what_is_made_anew_and_larger():
    """A dict and a frozenset that are replaced by longer ones are told, with who holds them."""
    [leak] = hunted("made_anew").leaks
    assert (leak.kind, leak.name, [part.type_name for part in leak.parts]) == ("objects", "dict", ["frozenset"])
    assert leak.chain[0].startswith("leaking.STORES.")


def test_one_cause_is_one_row():
    """A growing OrderedDict, queue, stream that is read back, and list of handlers with weak references are a row each."""
    report = hunted("one_row_each")
    assert told(report) == [
        ("container", "leaking.STORES.handlers (list)", 1),
        ("container", "leaking.STORES.ordered (OrderedDict)", 1),
        ("container", "leaking.STORES.queue (SimpleQueue)", 1),
        ("container", "leaking.STORES.read_back (BytesIO)", 1000),
    ], str(report)


def test_python_objects_are_no_pages():
    """Thousands of objects a round are one leak, with at least the bytes they take, and nothing else grows beside it."""
    report = hunted("many_rows", rounds=3)
    assert [leak.kind for leak in report.leaks] == ["container"], str(report)
    assert report.bytes_per_round >= 5_000 * (56 + 24)


def test_a_child_that_nobody_waits_for():
    """A child process that has ended, and that nobody waits for, is told."""
    report = hunted("child_that_nobody_waits_for")
    assert [(leak.kind, leak.count_per_round) for leak in report.leaks] == [("processes", 1)], str(report)


def test_what_is_set_apart():
    """An action that sets all objects apart hides nothing, and leaks nothing by itself."""
    assert [leak[1] for leak in told(hunted("set_apart"))] == ["leaking.HOUSE.rows (list)"]
    assert hunted("nothing_set_apart", rounds=8).holds


def test_small_native_memory():
    """64 bytes of malloc a round are told."""
    report = hunted("small_native", rounds=8)
    assert [leak.kind for leak in report.leaks] == ["native"], str(report)
    assert 64 <= report.leaks[0].bytes_per_round <= 96


def test_the_seeds_lab():
    """A million objects in one circle, the collector off: as many that only a collection frees, with their attributes."""
    report = hunted("lab", rounds=3, warmup=0, timeout_s=400)
    assert [(leak.kind, leak.count_per_round) for leak in report.leaks] == [("cycles", 1_000_000)]
    assert report.leaks[0].bytes_per_round >= 60 * units.MIB  # the sizes differ between versions of Python
