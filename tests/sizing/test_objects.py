"""What one object costs."""

from __future__ import annotations

import array
import enum
import sys
import weakref
from collections import OrderedDict, deque

import pytest

from flatwater.sizing import heap_bytes
from flatwater.sizing.objects import CHILDREN_EXACT_MAX, block_bytes, children_of, own_bytes


class Color(enum.Enum):
    RED = 1


class Plain:
    def __init__(self):
        self.first, self.second = "a" * 40, "b" * 40


@pytest.mark.parametrize(
    ("asked", "taken"), [(0, 0), (1, 16), (16, 16), (17, 32), (512, 512), (513, 528), (1033, 1056)]
)
def test_blocks_are_rounded_as_the_allocators_do(asked, taken):
    """Steps of 16 bytes up to 512, malloc's own 8 bytes above."""
    assert block_bytes(asked) == taken


def test_a_large_block_is_whole_pages():
    """From 128 KiB on, malloc gives a block pages of its own."""
    assert block_bytes(1_000_000) % 4096 == 0
    assert block_bytes(1_000_000) - 1_000_000 < 8192


@pytest.mark.parametrize(
    "free", [None, True, 0, 256, -5, "", "a", "é", b"", b"x", (), int, len, heap_bytes, sys, Color.RED, ...]
)
def test_the_programs_own_objects_are_free(free):
    """Singletons, classes, functions, modules and enum members cost nothing."""
    assert heap_bytes(free) == 0


@pytest.mark.parametrize(("value", "low", "high"), [
    (257, 32, 32), (2**200, 48, 64), (0.5, 32, 32), ("ab" * 50, 144, 160), ("語" * 100, 250, 300), ("😀" * 100, 450, 500),
    (b"x" * 100_000, 100_000, 100_100), (bytearray(5000), 5000, 5200), (array.array("d", [0.5] * 1000), 8000, 8400),
    (deque([0.5] * 1000), 8900, 10000), ({}, 64, 64), ([], 64, 64), (OrderedDict(), 64, 400), (memoryview(bytes(9000)), 9000, 9500),
])  # fmt: skip
def test_common_values(value, low, high):
    """Values cost what their layout says."""
    assert low <= heap_bytes(value) <= high


def test_looking_brings_no_dict_into_being():
    """An instance costs its attributes, and is no larger after it was looked at."""
    plain = Plain()
    first = heap_bytes(plain)
    assert 2 * 96 < first < 400
    assert heap_bytes(plain) == first


def test_numpy_is_asked_and_not_imported():
    """An array costs its memory once, a view keeps its owner's."""
    numpy = pytest.importorskip("numpy")
    owner = numpy.zeros(100_000)
    assert 800_000 <= heap_bytes(owner) < 810_000
    assert 800_000 <= heap_bytes(owner[:10]) < 810_000
    assert heap_bytes([owner, owner[:10], owner[5:]]) < 810_000
    words = numpy.array([f"word {i} " * 10 for i in range(100)], dtype=object)
    assert heap_bytes(words) > 100 * 120


class Hostile:
    """An object whose every question fails."""

    def __sizeof__(self):
        raise RuntimeError

    def __len__(self):
        raise RuntimeError

    def __iter__(self):
        raise RuntimeError

    def __eq__(self, other):
        raise RuntimeError

    __hash__ = None


class HostileList(list):
    def __len__(self):
        raise RuntimeError

    def __iter__(self):
        raise RuntimeError


def test_hostile_objects_are_counted_all_the_same():
    """Methods of the caller's that fail, and proxies of what is gone, give no traceback."""
    assert heap_bytes(Hostile()) >= 48
    assert heap_bytes(HostileList(["x" * 1000] * 3)) > 1000
    gone = Plain()
    proxy = weakref.proxy(gone)
    del gone
    assert heap_bytes([proxy]) > 0


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset, deque, dict.fromkeys])
def test_a_long_container_is_sampled(kind):
    """Above the bound, children are an even sample, and each stands for several."""
    count = 3 * CHILDREN_EXACT_MAX
    container = kind(range(1000, 1000 + count))
    children, ratio = children_of(container)
    assert len(children) <= 2 * CHILDREN_EXACT_MAX
    assert ratio == pytest.approx(3)
    assert heap_bytes(container) == pytest.approx(own_bytes(container, ()) + 32 * count, rel=0.01)
