"""proof.leaks.census: everything that lives, counted once."""

from __future__ import annotations

import functools
import gc
import io

from flatwater.proof.leaks import census


class Thing:
    pass


class Broken:
    def __sizeof__(self):
        raise RuntimeError("it does not know")


def named(name):
    return f"{__name__}.{name}"


def test_objects_by_type():
    """Objects the collector tracks, and the strings and numbers in untracked dicts of theirs, are all counted."""
    gc.collect()
    before = census.take()
    kept = [Thing() for _ in range(50)]
    table = [{index: f"text {index}" for index in range(1000, 1200)}]
    after = census.take()
    assert after.counts[named("Thing")] - before.counts.get(named("Thing"), 0) == 50
    assert after.counts["str"] - before.counts["str"] == 200
    assert after.sizes["str"] - before.sizes["str"] >= 200 * 50
    assert after.complete
    assert after.objects - before.objects >= 450
    assert len(kept) + len(table) == 51


def test_lengths_and_fills():
    """Every container's length is there, also of subclasses and buffers, and every functools cache's fill."""

    class Registry(dict):
        def __len__(self):
            raise RuntimeError("not to be asked")

    @functools.cache
    def square(number):
        return number * number

    square(2)
    square(3)
    buffer = io.BytesIO()
    buffer.write(b"12345")
    closed = io.StringIO()
    closed.close()
    kept = [Registry(a=1), {"untracked": 1}, buffer, closed, bytearray(7)]
    taken = census.take()
    assert [taken.lengths.get(id(obj)) for obj in kept] == [1, 1, 5, None, 7]
    assert taken.lengths[id(kept)] == 5
    assert taken.fills[id(square)] == 2


def test_broken_sizes_do_not_stop_it():
    """An object whose class fails to tell its size counts with none."""
    kept = Broken()
    taken = census.take()
    assert taken.counts[named("Broken")] == 1
    assert taken.sizes[named("Broken")] == 0
    assert census.shallow(kept) == 0


def test_its_own_figures_are_no_objects():
    """What the instrument keeps does not count: a census does not grow because of the one before."""
    first = census.take()
    second = census.take()
    third = census.take()
    assert third.counts["int"] - second.counts["int"] < len(first.lengths) / 100


def test_what_is_set_apart_is_found():
    """Objects that gc.freeze took out of the collector's lists are counted through those that hold them."""
    kept = [Thing() for _ in range(5)]
    gc.freeze()
    try:
        holder = [kept]
        taken = census.take()
    finally:
        gc.unfreeze()
    assert taken.counts[named("Thing")] == 5
    assert taken.lengths[id(kept)] == 5
    assert len(holder) == 1


def test_a_bound_is_said(monkeypatch):
    """Past the bound it stops, and says that this is not all."""
    monkeypatch.setattr(census, "OBJECTS_MAX", 1000)
    taken = census.take()
    assert not taken.complete
    assert taken.objects <= 1000 + 10_000
