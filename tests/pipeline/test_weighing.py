"""A weigher takes as many items as fit, and hands them on without keeping them."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

import flatwater as fw
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.weighing import Weigher
from flatwater.sizing.heap import heap_bytes


@pytest.mark.parametrize("item", [0, "x" * 50, b"y" * 5000, {"a": 1, "b": "text"}, [1.5] * 40])
@pytest.mark.parametrize("bytes_max", [1, 3000, 100_000])
def test_batches_stay_within_bytes(item, bytes_max):
    """All items come, in their order; no batch is much heavier than asked, but one item comes in any case."""
    make = type(item)
    items = [make(item) if make is not int else at for at in range(2000)]
    gauge = Gauge("source")
    batches = list(Weigher(bytes_max, 500).batches(items, gauge))
    assert [each for batch in batches for each in batch] == items
    assert max(map(len, batches)) <= 500
    assert all(len(batch) == 1 or heap_bytes(batch) < 1.5 * bytes_max + 200 for batch in batches)
    assert gauge.bytes_out > 0


def test_full_batches_have_as_many_rows_as_asked():
    """Where bytes are no bound, each batch but the last has rows_max items."""
    sizes = [len(batch) for batch in Weigher(1 << 30, 70).batches(range(1000), Gauge("source"))]
    assert sizes == [70] * 14 + [20]


def test_items_that_grow_heavy_soon_come_by_few():
    """Heavy items behind a thousand light ones: at most as many come at once as are made before one is weighed."""
    items = [b"x"] * 1000 + [b"y" * 100_000] * 400
    batches = list(Weigher(400_000, 1000).batches(items, Gauge("source")))
    heavy = [sum(each != b"x" for each in batch) for batch in batches]
    assert sum(heavy) == 400
    assert max(heavy) <= 64
    assert sorted(heavy)[-2] <= 5


class Item:
    """Something that can be looked for."""


def test_a_batch_that_was_handed_on_is_nobodys():
    """When the consumer drops a batch, its items are gone, before the next one is asked for."""
    batches = Weigher(1 << 20, 10).batches((Item() for _at in range(30)), Gauge("source"))
    seen = [weakref.ref(each) for each in next(batches)]
    gc.collect()
    assert [each() for each in seen] == [None] * len(seen)


def test_what_all_items_refer_to_is_not_walked_for_each():
    """Items that take long to be weighed, for they refer to something large, are taken to be like the one before."""
    large = {number: str(number) for number in range(100_000)}
    weigher, asked = Weigher(1 << 20, 1000), []
    row = weigher._sizer.row
    weigher._sizer.row = lambda item: asked.append(item) or row(item)
    batches = list(weigher.batches((number, large) for number in range(300)))
    assert [item[0] for batch in batches for item in batch] == list(range(300))
    assert len(asked) < 100
    assert weigher.is_heavy


def test_one_heavy_item_among_light_ones_is_seen():
    """Of items that are weighed together, one that takes long counts, and the others are weighed, too."""
    weigher = Weigher(1 << 20, 1000)
    assert weigher.weigh([[str(number) for number in range(100_000)]] * 4) > 4_000_000
    assert weigher.weigh(["light"] * 4) > 4_000_000  # for a while


def test_functions_classes_and_modules_are_weighed_without_what_they_refer_to():
    """What belongs to the program is free, also within an item: its module is not walked for that."""
    weigher, own = Weigher(1 << 20, 1000), test_full_batches_have_as_many_rows_as_asked
    items = [(number, lambda: None, Weigher, pytest, own) for number in range(500)]
    sizes = [len(batch) for batch in weigher.batches(items)]
    assert sum(sizes) == 500
    assert len(sizes) < 12
    assert weigher.weigh(items[:10]) < 2_000


@pytest.mark.parametrize("kind", ["memoryview", "array"])
def test_a_view_of_what_others_hold_weighs_what_it_shows(kind):
    """Slices of something large are small; one that alone keeps something large alive weighs that."""
    made = bytearray if kind == "memoryview" else pytest.importorskip("numpy").ones
    view = memoryview if kind == "memoryview" else lambda array: array.view("u1")
    large = made(8_000_000)
    slices = [view(large)[at : at + 10_000] for at in range(0, 1_000_000, 10_000)]
    assert 1_000_000 <= Weigher(1 << 20, 1000).weigh(slices) < 1_100_000
    assert Weigher(1 << 20, 1000).weigh([view(made(8_000_000))[:100]]) > 7_000_000


def test_slices_of_something_large_are_done_at_the_same_time():
    """A pmap does not take each of them for the whole."""
    large, barrier = memoryview(bytearray(80_000_000)), threading.Barrier(3, timeout=10)
    slices = (large[at : at + 100_000] for at in range(0, 300_000, 100_000))
    done = fw.Flow(slices).pmap(lambda part: (barrier.wait(), len(part))[1], workers=3)
    assert list(done) == [100_000] * 3


def test_an_item_may_tell_its_weight():
    """What an item says of its own heap bytes counts, and it is not walked through."""

    class Heavy:
        heap_bytes = 100_000

        def __init__(self):
            self.many = [str(number) for number in range(1_000_000, 1_000_100)]

    weigher = Weigher(256 << 10, 1_000)
    assert weigher.weigh([Heavy()]) == 100_008
    assert weigher.at_once == 1
