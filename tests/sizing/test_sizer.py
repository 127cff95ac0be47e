"""Charging rows, batches and columns."""

from __future__ import annotations

import array
import copy
import pickle
import sys
import threading
from collections import deque

import pytest

from flatwater.sizing import SCHEMAS_MAX, Sizer, heap_bytes


def rows_of(count):
    return [{"id": i + 1000, "name": f"name {i}", "price": i * 0.5} for i in range(count)]


def test_a_batch_counts_its_pointers():
    """A list of nothing but None costs 8 bytes an element."""
    assert Sizer().batch([None] * 10_000) == pytest.approx(80_000, rel=0.05)


@pytest.mark.parametrize("container", [list, tuple, deque])
def test_a_batch_costs_what_its_rows_cost(container):
    """The sum of a batch is close to walking it all."""
    batch = container(rows_of(3000))
    assert Sizer().batch(batch) == pytest.approx(heap_bytes(batch), rel=0.1)


def test_a_column_of_a_buffer():
    """Buffers are charged the memory they own."""
    assert Sizer().column(array.array("q", [0]) * 10_000) == pytest.approx(80_000, rel=0.05)
    assert Sizer().column(b"x" * 50_000) == pytest.approx(50_000, rel=0.05)
    numpy = pytest.importorskip("numpy")
    assert Sizer().column(numpy.zeros(10_000)) == pytest.approx(80_000, rel=0.05)


@pytest.mark.parametrize("bad", [iter([1]), (i for i in "ab"), 5, None, {"a": 1}, map(str, [1])])
def test_what_is_no_batch_is_refused(bad):
    """Iterators, mappings and scalars are refused, with a word on what to give."""
    with pytest.raises(ValueError, match="give a list"):
        Sizer().batch(bad)


@pytest.mark.parametrize("empty", [[], (), deque(), set()])
def test_an_empty_batch_costs_its_container(empty):
    """Nothing is charged but the container."""
    assert Sizer().batch(empty) == heap_bytes(empty)


@pytest.mark.parametrize(
    "row", [None, True, 0, float("nan"), 2**5000, "", b"", (), [], {}, object(), int, len, {"a": float("inf")}, [[]]]
)
def test_any_row_gives_a_charge_of_0_or_more(row):
    """No row is too odd, and a repeated one keeps its charge."""
    sizer = Sizer()
    charges = {sizer.row(row) for _ in range(100)}
    assert min(charges) >= 0
    assert max(charges) <= heap_bytes(row) + 1


def test_events_of_many_kinds():
    """More schemas than a sizer keeps still give the right sum."""
    batch = [{f"kind {i % 90}": f"text {i}", "id": i + 1000} for i in range(3000)]
    sizer = Sizer()
    assert sizer.batch(batch) == pytest.approx(heap_bytes(batch), rel=0.25)
    assert len(sizer._schemas) <= SCHEMAS_MAX


def test_a_sizer_stays_inside_its_bound():
    """Many schemas, wide rows and long names do not take more than it says."""
    sizer = Sizer()
    for i in range(80):
        cls = type(f"Row{i}", (tuple,), {})
        for j in range(3):
            sizer.row(cls(f"{i} {j} {k}" for k in range(200)))
        sizer.row({f"name {i} {k}" * 4: k for k in range(90)})
    assert heap_bytes(sizer) <= sizer.bytes_max()


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda sizer: pickle.loads(pickle.dumps(sizer))])
def test_a_copy_calibrates_for_itself(again):
    """A sizer can be sent to a worker, where it starts anew."""
    sizer = Sizer()
    batch = rows_of(500)
    sizer.batch(batch)
    assert again(sizer).batch(batch) == pytest.approx(sizer.batch(batch), rel=0.1)


def test_threads_may_share_a_sizer():
    """Races cost accuracy, never an error."""
    sizer = Sizer()
    errors, sums = [], []
    interval = sys.getswitchinterval()

    def charge(seed):
        try:
            batch = [
                {f"c{(seed + i) % 70}": f"text {i}", "id": i + 1000, "n": None if i % 7 else i} for i in range(600)
            ]
            sums.append((sum(map(sizer.row, batch)) + sizer.batch(batch)) / heap_bytes(batch))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=charge, args=(seed,)) for seed in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert errors == []
    assert all(1 < ratio < 3 for ratio in sums)
