"""Bounded programs: caches, windows, batches and buffers of the standard library's containers."""

from __future__ import annotations

import collections
import functools
import gc
import heapq
import itertools
import random
import weakref

from benchmarks.proof.programs.registry import bounded, grid


@bounded(*grid(batch=(100, 1_000, 5_000, 15_000), width=(64, 300)))
def batches(n: int, *, batch: int, width: int) -> int:
    """Rows gathered, and sent when there are enough."""
    rows: list[bytes] = []
    sent = 0
    for _ in range(n):
        rows.append(b"x" * width)
        if len(rows) == batch:
            sent += len(rows)
            rows.clear()
    return sent + len(rows)


@bounded(*grid(mib=(4, 16, 64, 128), seed=(1, 2)))
def bitmap_touched(n: int, *, mib: int, seed: int) -> int:
    """A bitmap of fixed size that becomes resident page by page, in random order."""
    pick, size = random.Random(seed).random, mib << 20
    bitmap = bytearray(size)
    for _ in range(n):
        bitmap[int(pick() * size)] |= 1
    return len(bitmap)


@bounded(*grid(slots=(1_000, 10_000, 20_000), width=(32, 200, 1_000)))
def byte_ring(n: int, *, slots: int, width: int) -> int:
    """Records written over the oldest in one buffer, touched the first time round."""
    ring = bytearray(slots * width)
    for i in range(n):
        place = i % slots * width
        ring[place : place + width] = (b"%d" % i).ljust(width)
    return len(ring)


@bounded(*grid(distinct=(500, 5_000, 20_000, 50_000, 100_000), seed=(1, 2)))
def counts_by_key(n: int, *, distinct: int, seed: int) -> int:
    """Counts of keys that are drawn at random from so many: the last of them comes late."""
    pick = random.Random(seed).random
    counts: dict[int, int] = {}
    for _ in range(n):
        key = int(pick() * distinct)
        counts[key] = counts.get(key, 1_000) + 1
    return len(counts)


class _Node:
    def __init__(self, payload: int) -> None:
        self.payload = b"x" * payload
        self.other: _Node | None = None


@bounded(*grid(payload=(10, 100, 400, 2_000), collect=(5_000, 25_000)))
def cycles_collected(n: int, *, payload: int, collect: int) -> int:
    """Pairs that hold each other, left to the collector, all of whose generations are looked through now and then.

    By itself it puts off the oldest one until that has grown by a quarter, which is beyond the measured range.
    """
    for i in range(0, n, 2):
        one, other = _Node(payload), _Node(payload)
        one.other, other.other = other, one
        if i % collect == 0:
            gc.collect()
    return n


@bounded(*grid(places=(100, 5_000, 20_000, 60_000, 120_000, 200_000, 300_000), width=(40, 200)))
def deque_ring(n: int, *, places: int, width: int) -> int:
    """The last so many items."""
    ring: collections.deque[bytes] = collections.deque(maxlen=places)
    for _ in range(n):
        ring.append(b"x" * width)
    return len(ring)


@bounded(*grid(limit_kib=(64, 500, 2_000, 4_000), width=(20, 150)))
def flushed_log(n: int, *, limit_kib: int, width: int) -> int:
    """Lines gathered in a buffer, which is emptied when it holds so many bytes."""
    buffer = bytearray()
    flushed = 0
    for _ in range(n):
        buffer += b"x" * width
        if len(buffer) >= limit_kib << 10:
            flushed += len(buffer)
            buffer = bytearray()
    return flushed + len(buffer)


@bounded(*grid(window=(2, 50, 3_000), stages=(1, 4, 10)))
def generator_chain(n: int, *, window: int, stages: int) -> int:
    """A chain of generators, the last of which looks at a window."""
    stream = iter(range(n))
    for _ in range(stages):
        stream = (number + 1 for number in stream)
    total = 0
    while part := tuple(itertools.islice(stream, window)):
        total += len(part)
    return total


@bounded(*grid(kept=(10, 1_000, 10_000, 20_000), seed=(1, 2)))
def heap_top(n: int, *, kept: int, seed: int) -> float:
    """The largest so many of random numbers."""
    pick = random.Random(seed).random
    heap: list[float] = []
    for _ in range(n):
        if len(heap) < kept:
            heapq.heappush(heap, pick())
        elif (number := pick()) > heap[0]:
            heapq.heapreplace(heap, number)
    return sum(heap)


@bounded(*grid(mib=(8, 24, 64, 128), width=(16, 800)))
def large_constant(n: int, *, mib: int, width: int) -> int:
    """A big buffer that is there from the start, and work that keeps nothing."""
    buffer = b"x" * (mib << 20)
    total = 0
    for i in range(n):
        total += len(b"x" * width) + buffer[i]
    return total


@bounded(*grid(limit_kib=(200, 2_000, 8_000, 20_000), seed=(1, 2, 3)))
def lru_by_bytes(n: int, *, limit_kib: int, seed: int) -> int:
    """Values of random size, the longest unused thrown away when all of them are too many bytes."""
    pick, limit = random.Random(seed).random, limit_kib << 10
    cache: collections.OrderedDict[int, bytes] = collections.OrderedDict()
    held = 0
    for i in range(n):
        value = b"x" * int(20 + pick() * 400)
        cache[i] = value
        held += len(value)
        while held > limit:
            held -= len(cache.popitem(last=False)[1])
    return held


@bounded(*grid(capacity=(1_000, 10_000, 20_000, 40_000, 60_000, 90_000, 150_000, 200_000, 300_000)))
def lru_by_items(n: int, *, capacity: int) -> int:
    """A function's cache, which fills before or inside the range."""

    @functools.lru_cache(maxsize=capacity)
    def double(number: int) -> int:
        return 2 * number

    for i in range(n):
        double(i + 1_000)
    return double.cache_info().currsize


@bounded(*grid(longest=(1_000, 5_000, 20_000, 60_000), seed=(1, 2, 3)))
def random_batches(n: int, *, longest: int, seed: int) -> int:
    """Batches of random lengths: the longest one yet may come at any time."""
    draw = random.Random(seed)
    done = 0
    while done < n:
        rows = [b"%8d" % i for i in range(min(draw.randint(1, longest), n - done))]
        done += len(rows)
    return done


@bounded(*grid(kept=(100, 5_000, 20_000, 60_000), seed=(1, 2)))
def reservoir(n: int, *, kept: int, seed: int) -> int:
    """A fair sample of so many rows."""
    pick = random.Random(seed).random
    sample: list[str] = []
    for i in range(n):
        if i < kept:
            sample.append(f"row number {i}")
        elif (place := int(pick() * i)) < kept:
            sample[place] = f"row number {i}"
    return len(sample)


class _Value:
    __slots__ = ("__weakref__", "payload")

    def __init__(self, payload: bytes) -> None:
        self.payload = payload


@bounded(*grid(window=(100, 3_000, 10_000), width=(30, 300)))
def weak_cache(n: int, *, window: int, width: int) -> int:
    """A cache that holds weakly what a window of the last items holds strongly."""
    cache: weakref.WeakValueDictionary[int, _Value] = weakref.WeakValueDictionary()
    recent: collections.deque[_Value] = collections.deque(maxlen=window)
    for i in range(0, n, 2):
        value = _Value(b"x" * width)
        cache[i] = value
        recent.append(value)
    gc.collect()
    return len(cache)
