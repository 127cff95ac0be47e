"""proof.leaks.census: everything that lives, counted once."""

from __future__ import annotations

import gc
import io
import subprocess
import sys

import pytest

from flatwater.proof.leaks import census


@pytest.fixture(scope="module")
def counted(small_heap):
    """The figures of a small heap."""
    return small_heap("counting.py")


def test_objects_by_type(counted):
    """Objects the collector tracks, and the strings and numbers in untracked dicts of theirs, are all counted."""
    found = counted["by_type"]
    assert (found["things"], found["strings"], found["complete"]) == (50, 200, True)
    assert found["string_bytes"] >= 200 * 50
    assert found["objects"] >= 450


def test_lengths_and_fills(counted):
    """Every container's length is there, also of subclasses and buffers, and every functools cache's fill."""
    found = counted["lengths_fills_and_broken_sizes"]
    assert found["lengths"] == [1, 1, 5, None, 7]
    assert found["length"] == 5
    assert found["fill"] == 2


def test_broken_sizes_do_not_stop_it(counted):
    """An object whose class fails to tell its size counts with none."""
    found = counted["lengths_fills_and_broken_sizes"]
    assert found["broken"] == 1
    assert found["broken_bytes"] == [0, 0]


def test_its_own_figures_are_no_objects(counted):
    """What the instrument keeps does not count: a census does not grow because of the one before."""
    found = counted["its_own_figures"]
    assert found["ints"] < found["containers"] / 100


def test_what_is_set_apart_is_found(counted):
    """Objects that gc.freeze took out of the collector's lists are counted through those that hold them."""
    assert counted["what_is_set_apart"] == {"things": 5, "length": 5}


def test_a_bound_is_said(counted):
    """Past the bound it stops, and says that this is not all."""
    found = counted["past_the_bound"]
    assert not found["complete"]
    assert found["objects"] <= 1000 + 10_000


class Plain:
    def __init__(self, *names):
        for name in names:
            setattr(self, name, 1)


class Slotted:
    __slots__ = ("first",)


@pytest.mark.parametrize(("kind", "text"), [(io.BytesIO, b"x" * 5000), (io.StringIO, "x" * 5000)])
def test_streams_are_as_long_as_what_is_in_them(kind, text):
    """A stream that was read back to its start is as long as before, stands where it stood, and can still be written to."""
    stream = kind()
    stream.write(text)
    stream.seek(7)
    assert census.take([stream]).lengths[id(stream)] == 5000
    assert stream.tell() == 7
    stream.write(text)
    assert census.take([stream]).lengths[id(stream)] == 5007


def test_attributes_beside_an_object():
    """Attributes in an object's own dict, in slots, or of no number are not counted twice; others take what they take."""
    assert census.beside(Plain("first")) >= 16
    assert census.beside(Plain("first", "second", "third")) >= 32
    with_dict = Plain("first")
    assert vars(with_dict)
    assert [census.beside(obj) for obj in (Slotted(), 1, "text", [], Plain)] == [0] * 5
    if sys.version_info < (3, 13):  # from then on a dict shares what lies beside its object
        assert census.beside(with_dict) == 0
    several = [Plain("first") for _ in range(10)]
    taken = census.take(several)
    assert taken.sizes[census.type_name(Plain)] == 10 * (sys.getsizeof(several[0]) + census.beside(several[0]))


def test_entries_by_type():
    """Entries of dicts and sets are added up, those of other containers and of nothing are not."""
    kept = [{1: 2}, {3: 4, 5: 6}, {7}, frozenset((8, 9)), [10]]
    assert census.take(kept).entries == {"dict": 3, "set": 1, "frozenset": 2}
    assert [census.length_of(obj) for obj in (*kept, 5)] == [1, 2, 1, 2, None, None]


SET_APART = """
import gc
from flatwater.proof.leaks import census

class Thing: pass

kept = [Thing() for _ in range(5)]
gc.freeze()
first = census.take()
gc.unfreeze()
assert first.counts["__main__.Thing"] == 5, "a module leads to them"
assert first.lengths[id(kept)] == 5
assert not [name for name in first.counts if name.startswith(census.INSTRUMENT)]
"""


def test_what_only_a_module_leads_to_is_found():
    """Where all objects are set apart, those in the variables of a module are counted, and the instrument's own are not."""
    subprocess.run([sys.executable, "-c", SET_APART], check=True, timeout=100)
    assert gc.get_freeze_count() == census.take([]).kept["objects set apart"]
