"""Walking from an object to what it refers to."""

from __future__ import annotations

import threading

import pytest

from flatwater.sizing import heap_bytes


def test_a_shared_reference_counts_once():
    """The same value twice costs no more than once."""
    word = "word " * 100
    assert heap_bytes([word, word]) == heap_bytes([word, None])


def test_a_cycle_ends():
    """An object that refers to itself is counted once."""
    loop: list[object] = []
    loop.append(loop)
    assert 64 < heap_bytes(loop) < 200


def test_depth_is_no_matter():
    """20,000 levels are walked without recursion."""
    deep: list[object] = []
    for _ in range(20_000):
        deep = [deep]
    assert heap_bytes(deep) == pytest.approx(20_000 * 80, rel=0.05)


def test_the_walk_is_bounded_and_the_rest_estimated():
    """What the bound leaves out is counted at the mean of what was looked at."""
    rows = [{"id": i + 1000, "name": f"name {i}"} for i in range(10_000)]
    assert heap_bytes(rows, objects_max=5_000) == pytest.approx(heap_bytes(rows), rel=0.3)


@pytest.mark.parametrize("bad", [0, -1, True, 1.5, "9", None])
def test_a_bad_bound_is_refused(bad):
    """The bound is a whole number of 1 or more."""
    with pytest.raises(ValueError, match="objects_max"):
        heap_bytes([], objects_max=bad)


def test_few_distinct_values_in_a_long_list_count_once():
    """A million references to a thousand values cost a thousand values."""
    values = [f"value {i}" * 5 for i in range(1000)]
    many = values * 500
    assert heap_bytes(many) == pytest.approx(8 * len(many) + heap_bytes(values), rel=0.1)


def test_a_container_that_changes_meanwhile():
    """Another thread's changes never end the walk with an error."""
    shared = {i: [i] for i in range(2000)}
    stop = threading.Event()

    def change():
        i = 0
        while not stop.is_set():
            i += 1
            shared[10_000 + i % 500] = [i]
            shared.pop(10_000 + (i * 7) % 500, None)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        sizes = [heap_bytes(shared) for _ in range(10)]
    finally:
        stop.set()
        thread.join()
    assert min(sizes) > 2000 * 80
