import sys
import tracemalloc

import numpy as np
import pytest

import flatwater as fw
from flatwater import errors


def test_shared_references_count_once():
    """A hundred names for one string are one string."""
    text = "x" * 10_000
    size = fw.size_of([text] * 100)
    assert size.objects == 2
    assert size.deep == sys.getsizeof([text] * 100) + sys.getsizeof(text)


def test_cycles_end():
    """An object that holds itself is finite."""
    loop = []
    loop.append(loop)
    assert fw.size_of(loop).objects == 1
    assert fw.size_of(loop).complete


def test_the_walk_is_bounded_and_says_so():
    """A bound that is reached gives a lower bound, in words."""
    size = fw.size_of([str(n) for n in range(1000)], objects_max=10)
    assert not size.complete
    assert size.objects == 10
    assert "at least" in str(size)
    assert fw.size_of([[], []], objects_max=3).complete


def test_the_bound_holds_inside_one_list():
    """Of a list of many objects no more are visited than asked for, and of two lists that share them, none twice."""
    looked_at = []

    class Item:
        def __sizeof__(self):
            looked_at.append(1)
            return 100

    items = [Item() for _ in range(10_000)]
    tracemalloc.start()
    size = fw.size_of([items, items], objects_max=10)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (size.objects, size.complete) == (10, False)
    assert len(looked_at) < 10
    assert held < 500_000  # all of the level would be a megabyte
    assert fw.size_of([["x"] * 10_000, None, len], objects_max=3).complete  # what is not counted does not end it


def test_shallow_beside_deep():
    """Both figures and the type are in the text and the dict."""
    size = fw.size_of({"a": list(range(1000, 2000))})
    assert size.shallow == sys.getsizeof({"a": None})
    assert int(size) == size.deep > 8000 + 1000 * 28 - 1
    assert size.to_dict()["type"] == "dict"
    assert str(size).startswith("dict: 3")


def test_an_array_counts_its_buffer():
    """numpy reports what it owns."""
    assert fw.size_of(np.zeros(100_000)).deep >= 800_000


@pytest.mark.parametrize("thing", [int, sys, print, lambda: 0, None, 7])
def test_what_is_not_walked_counts_by_itself(thing):
    """Types, modules and functions have a size, and are not entered."""
    assert fw.size_of(thing).deep == fw.size_of(thing).shallow > 0


def test_a_broken_sizeof_does_not_break_it():
    """Somebody else's mistake costs accuracy, not the answer."""

    class Broken:
        def __sizeof__(self):
            raise RuntimeError("no")

    assert fw.size_of([Broken()]).deep > 0


@pytest.mark.parametrize("bound", [0, -1, None, 1.5, True])
def test_a_bound_is_a_positive_number(bound):
    """Nothing means unbounded."""
    with pytest.raises(errors.UsageError, match="objects_max"):
        fw.size_of([], objects_max=bound)
