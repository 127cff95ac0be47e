"""Growing programs: Python objects that somebody forgets to let go."""

# ruff: noqa: PERF401 - items come one by one, as in a program that does not know how many there will be

from __future__ import annotations

import collections
import functools
import gc
import random
import weakref
from collections.abc import Callable

from benchmarks.proof.programs.registry import grid, growing, heap, per_item

SLOT = 8  # of a list, a tuple or a deque
ENTRY = (
    45  # of a dict or set: it doubles when two thirds full, and holds the old table meanwhile; the middle of 36 to 54
)
NAME_ENTRY = 30  # of a dict whose keys are all texts, and whose values are shared
NUMBER = heap(1 << 20)
EVERY = (1, 4, 20)  # the share of items that leave something behind


def shared(size: float) -> Callable[..., float]:
    """`size` bytes of every so manyth item."""
    return per_item(lambda every, **_parameters: size / every)


class _Listener:
    def heard(self, event: int) -> int:
        return event


@growing("linear", shared(heap(_Listener().heard) + SLOT), *grid(every=(1, 3, 9, 20, 35)))
def bound_methods(n: int, *, every: int) -> int:
    """Listeners that are added with each connection and never removed."""
    listener = _Listener()
    listeners: list[Callable[[int], int]] = []
    for i in range(n):
        if i % every == 0:
            listeners.append(listener.heard)
    return len(listeners)


@growing("linear", shared(2 * NUMBER + ENTRY + 12), *grid(every=(1, 3, 8, 20, 50)))
def cache_without_bound(n: int, *, every: int) -> int:
    """A function's cache of everything it was ever asked."""

    @functools.cache
    def double(number: int) -> int:
        return 2 * number

    for i in range(n):
        double((i // every + 1_000) * 3)
    return double.cache_info().currsize


def _closure(number: int) -> Callable[[], int]:
    return lambda: number


_SAMPLE = _closure(1 << 20)
_CELLS = _SAMPLE.__closure__ or ()


@growing("linear", shared(heap(_SAMPLE, _CELLS, *_CELLS, 1 << 20) + SLOT), *grid(every=(1, 5, 20, 60, 140)))
def closures(n: int, *, every: int) -> int:
    """Callbacks that each hold what they were made with."""
    callbacks: list[Callable[[], int]] = []
    for i in range(n):
        if i % every == 0:
            callbacks.append(_closure(i + 1_000))
    return len(callbacks)


@growing("linear", shared(heap("user 123456") + NAME_ENTRY), *grid(every=(1, 4, 10, 20, 40)))
def counts_of_names(n: int, *, every: int) -> int:
    """A count for every name that was ever seen."""
    counts: dict[str, int] = {}
    for i in range(n):
        name = f"user {i // every}"
        counts[name] = counts.get(name, 0) + 1
    return len(counts)


class _Node:
    __slots__ = ("next", "payload")

    def __init__(self, payload: int) -> None:
        self.payload = payload
        self.next: _Node | None = None


@growing("linear", shared(2 * (heap(_Node(0)) + NUMBER)), *grid(every=(2, 10, 40, 80)))
def cycles_uncollected(n: int, *, every: int) -> int:
    """Pairs that hold each other, and a collector that is switched off."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        for i in range(0, n, every):
            one, other = _Node(i + 1_000), _Node(-i - 1_000)
            one.next, other.next = other, one
    finally:
        if was_on:
            gc.enable()
    return n


@growing("linear", per_item(lambda width, **_p: width / 10 + 10 / 5), *grid(width=(2, 60, 500), keys=(10, 400)))
def groups_by_key(n: int, *, width: int, keys: int) -> int:
    """Rows gathered by key; a tenth of them is kept whole, and of the others a number for every fifth."""
    groups: collections.defaultdict[int, bytearray] = collections.defaultdict(bytearray)
    for i in range(n):
        group = groups[i % keys]
        if i % 10 == 0:
            group += b"x" * width
        if i % 5 == 0:
            group += b"0123456789"
    return len(groups)


@growing("linear", shared(heap(b"x" * 30) + SLOT), *grid(every=(1, 3, 8, 18, 36)))
def history_deque(n: int, *, every: int) -> int:
    """An undo history without an end."""
    history: collections.deque[bytes] = collections.deque()
    for i in range(n):
        if i % every == 0:
            history.append(b"%030d" % i)
    return len(history)


@growing("linear", shared(heap(_Node(0)) + NUMBER), *grid(every=(1, 5, 15, 40)))
def linked_nodes(n: int, *, every: int) -> int:
    """A chain that hangs on its first link."""
    first = last = _Node(0)
    length = 0
    for i in range(n):
        if i % every == 0:
            last.next = last = _Node(i + 1_000)
            length += 1
    link: _Node | None = first
    while link is not None:  # taken apart one by one: a long chain would overflow the stack
        link.next, link = None, link.next
    return length


@growing("linear", shared(SLOT + NUMBER), *grid(every=(1, 2, 3, 5, 10, 20)))
def list_append(n: int, *, every: int) -> int:
    """Numbers in a list."""
    numbers: list[int] = []
    for i in range(n):
        if i % every == 0:
            numbers.append(i + 1_000)
    return len(numbers)


@growing("linear", per_item(lambda width, **_p: width), *grid(width=(2, 4, 8, 16), mib=(16, 64)))
def over_constant(n: int, *, width: int, mib: int) -> int:
    """A few bytes of each item beside a big buffer that is there from the start."""
    buffer = b"x" * (mib << 20)
    kept = bytearray()
    for _ in range(n):
        kept += buffer[:width]
    return len(kept)


@growing("linear", shared(NUMBER + ENTRY + 3), *grid(every=(1, 4, 12, 36)))
def seen_set(n: int, *, every: int) -> int:
    """What was seen, so that it is not done twice."""
    seen: set[int] = set()
    for i in range(n):
        seen.add((i // every + 1_000) * 7)
    return len(seen)


@growing("linear", shared(2 * SLOT + NUMBER), *grid(every=(1, 4, 12, 20), seed=(1, 2)))
def sorted_all(n: int, *, every: int, seed: int) -> int:
    """Everything is sorted in order to see it in order."""
    pick = random.Random(seed).random
    return len(sorted(int(pick() * 1e9) for i in range(n) if i % every == 0))


@growing("linear", shared(heap("row number 1234567") + SLOT), *grid(every=(1, 4, 10, 22, 40)))
def text_parts(n: int, *, every: int) -> int:
    """Lines that wait to be joined."""
    parts: list[str] = []
    for i in range(n):
        if i % every == 0:
            parts.append(f"row number {i:7}")
    return len(parts)


class _Target:
    pass


@growing("linear", shared(heap(weakref.ref(_Target(), id)) + SLOT), *grid(every=(1, 4, 12, 36)))
def weak_references(n: int, *, every: int) -> int:
    """Weak references whose objects are long gone."""
    references: list[weakref.ref[_Target]] = []
    for i in range(n):
        if i % every == 0:
            references.append(weakref.ref(_Target(), id))
    return len(references)
