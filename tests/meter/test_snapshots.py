import gc
import json
import sys
import threading
import weakref

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.meter import snapshots


@pytest.fixture(autouse=True)
def small_heap():
    """What earlier tests left is set apart, as is what pytest holds (see conftest.py), so that counting takes milliseconds."""
    gc.collect()
    gc.freeze()


class Order:
    def __init__(self, text):
        self.text = text


def rows_of(difference):
    return {row.type_name.rpartition(".")[2]: row for row in difference.rows}


def test_what_was_added_is_the_difference():
    """Objects of a class, and the strings they hold, by number and bytes."""
    before = fw.snapshot()
    kept = [Order(f"text number {n}") for n in range(5_000)]
    difference = before.diff(fw.snapshot())
    found = rows_of(difference)
    assert found["Order"].objects == len(kept)
    assert 4_900 <= found["str"].objects < 5_300
    assert found["str"].bytes > 5_000 * 50
    assert found["Order"].bytes > 0
    assert difference.complete
    assert "+5,000" in str(difference)


def test_what_went_away_is_negative():
    """A type that is gone shows with a minus, and not among the grown."""
    kept = [Order("a") for _ in range(1_000)]
    before = fw.snapshot()
    del kept
    difference = before.diff(fw.snapshot())
    assert rows_of(difference)["Order"].objects == -1_000
    assert "Order" not in {row.type_name.rpartition(".")[2] for row in difference.grown}


def test_nothing_changed():
    """Two snapshots in a row differ by next to nothing: the instrument does not count itself."""
    before = fw.snapshot()
    difference = before.diff(fw.snapshot())
    assert sum(row.bytes for row in difference.rows) < 100_000


def test_shared_strings_count_once():
    """One string in a thousand lists is one string."""
    text = "shared " * 1000
    before = fw.snapshot()
    kept = [[text] for _ in range(1_000)]
    found = rows_of(before.diff(fw.snapshot()))
    assert found["list"].objects >= len(kept)
    strings = found.get("str")
    assert strings is None or strings.bytes < 100_000


def test_it_holds_no_objects():
    """A snapshot keeps numbers, so what it counted can die."""
    row = Order("a")
    taken = fw.snapshot()
    ghost = weakref.ref(row)
    del row
    assert ghost() is None
    assert taken.objects > 0
    assert json.loads(json.dumps(taken.to_dict()))["complete"] is True


def untraced(function):
    """Calls it as in a program that nobody traces: coverage does."""
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        return function()
    finally:
        sys.settrace(tracer)


def test_what_local_variables_alone_hold_is_counted():
    """The collector does not see running functions: bytes in their variables count all the same, in every thread."""
    inside, go_on = threading.Event(), threading.Event()

    def other():
        text = "z" * 3_000_000
        inside.set()
        go_on.wait(30)
        return text

    def mine():
        data, pair = b"x" * 5_000_000, (bytearray(1_000_000),)
        return fw.snapshot(), data, pair

    before = untraced(fw.snapshot)
    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(30)
    found = rows_of(before.diff(untraced(mine)[0]))
    go_on.set()
    thread.join(30)
    # Less by a little: what other threads held in their variables before, and do not any more, is taken off.
    assert found["bytes"].bytes > 4_900_000
    assert found["bytearray"].bytes > 900_000
    assert found["str"].bytes > 2_900_000


def test_local_variables_are_left_as_they_were():
    """They die when they are deleted, and what the program got from locals() is not touched."""

    def program():
        row = Order("a")
        names = locals()
        names["more"] = 1
        fw.snapshot()
        assert names["more"] == 1
        assert names["row"] is row
        ghost = weakref.ref(row)
        names.clear()
        del row
        fw.snapshot()
        return ghost() is None

    def another():
        row = Order("a")
        ghost = weakref.ref(row)
        fw.snapshot()
        del row
        return ghost() is None

    assert untraced(program)
    assert untraced(another)


def test_frames_are_bounded(monkeypatch):
    """A deep recursion makes it partial, not long."""
    monkeypatch.setattr(snapshots, "_FRAMES_MAX", 3)
    assert not untraced(fw.snapshot).complete


def test_it_is_bounded(monkeypatch):
    """Beyond the bound it says that it is partial."""
    monkeypatch.setattr(fw.limits, "SNAPSHOT_OBJECTS_MAX", 100)
    taken = fw.snapshot()
    assert not taken.complete
    assert taken.objects <= 200
    assert "only the first 100" in str(taken)
    assert not taken.diff(taken).complete


def test_only_snapshots_are_compared():
    """Anything else is refused with the way to write it."""
    with pytest.raises(errors.UsageError, match=r"before\.diff"):
        fw.snapshot().diff({})
