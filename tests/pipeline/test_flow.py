"""fw.Flow: put together, run, iterated over, in a budget."""

from __future__ import annotations

import asyncio
import gc
import pickle
import re
import threading
import time
import weakref

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.pipeline.flow import Flow


def numbers(count):
    yield from range(count)


def read_chunks(path, size):
    with open(path, "rb") as file:
        while chunk := file.read(size):
            yield chunk


def clean_chunks(chunks):
    for chunk in chunks:
        yield chunk.lower()


def embed_chunks(chunks):
    for chunk in chunks:
        yield len(chunk), sum(chunk)


def square(number):
    return number * number


def test_generator_functions_are_stages_as_they_are(tmp_path):
    """The three of the write-up, put together by name, give what they give when called inside each other."""
    (tmp_path / "file").write_bytes(b"Some TEXT. " * 1000)
    flow = Flow(read_chunks, tmp_path / "file", 1024).pipe(clean_chunks).pipe(embed_chunks)
    expected = list(embed_chunks(clean_chunks(read_chunks(tmp_path / "file", 1024))))
    assert list(flow) == list(flow) == expected
    assert flow.run().items == len(expected)


def test_a_flow_is_lazy_reusable_and_never_changed():
    """Nothing happens before a run; every verb gives a new flow; each run begins anew."""
    calls = []
    base = Flow(numbers, 100)
    flow = base.tap(calls.append).map(square).filter(lambda n: n % 2 == 0)
    assert calls == []
    assert list(base) == list(range(100))
    assert list(flow) == [n * n for n in range(100) if n % 2 == 0]
    assert flow.run().items == 50
    assert calls == list(range(100)) * 2
    assert list(flow.batch(rows=7))[-1] == [9604]
    assert list(Flow([1, 2, 3, 4]).window(3)) == [(1, 2, 3), (2, 3, 4)]
    assert list(Flow([1, 2]).window(3)) == []


def test_a_flow_is_picklable():
    """Another process runs the same one."""
    flow = pickle.loads(pickle.dumps(Flow(numbers, 10).map(square).batch(rows=3)))
    assert list(flow) == [[0, 1, 4], [9, 16, 25], [36, 49, 64], [81]]


def test_an_iterator_is_used_once():
    """The second run says so, instead of giving nothing."""
    flow = Flow(iter([1, 2])).map(square)
    assert list(flow) == [1, 4]
    with pytest.raises(errors.UsageError, match="used up"):
        list(flow)


@pytest.mark.parametrize("source", ["text", b"bytes", 3, None])
def test_what_is_no_source(source):
    """It is refused when the flow is made, with what to give."""
    with pytest.raises(errors.UsageError):
        Flow(source)


def test_what_is_no_stage():
    """A generator function for a function of an item, and what cannot be called, are told when the flow is made."""
    for verb in ("map", "filter", "each", "tap"):
        with pytest.raises(errors.UsageError, match="generator function"):
            getattr(Flow([]), verb)(clean_chunks)
        with pytest.raises(errors.UsageError, match="no function"):
            getattr(Flow([]), verb)(3)
    for wrong in ({"rows": 0}, {"rows": True}, {"bytes": 0}):
        with pytest.raises(errors.UsageError):
            Flow([]).batch(**wrong)
    with pytest.raises(errors.UsageError):
        Flow([]).window(0)
    with pytest.raises(errors.UsageError, match="on_error"):
        Flow([]).run(on_error="ignore")


def test_its_bytes_are_the_budgets():
    """The sum that explain() prints is taken while it runs, and given back; what does not fit is refused before it reads."""
    flow = Flow(numbers, 5000).map(square).batch(rows=100)
    assert f"{fw.units.format_bytes(flow.bytes_max())}" in flow.explain()
    with fw.Budget("32 MiB") as budget:
        turns = iter(flow)
        next(turns)
        assert budget.held == flow.bytes_max()
        turns.close()
        assert budget.held == 0
        flow.run()
        assert (budget.held, budget.peak) == (0, flow.bytes_max())
    calls = []
    with fw.Budget("64 KiB"), pytest.raises(errors.BudgetExceeded):
        Flow(numbers, 10).each(calls.append).run()
    assert calls == []


def test_its_gate_is_the_budgets():
    """While it is paused nothing is read; the report says how long."""
    with fw.Budget("32 MiB") as budget:
        budget.gate.pause("a test")
        timer = threading.Timer(1.0, budget.gate.resume)
        timer.start()
        report = Flow(numbers, 10).run()
    assert report.items == 10
    assert report.waited_s > 0.1


def test_a_store_and_a_table_are_sources(tmp_path):
    """They are read by their own batches, of the flow's size; (key, value) pairs and rows are items."""
    pytest.importorskip("lmdb")
    with fw.Store(tmp_path / "s", sync="off", type=int) as store:
        store.write([((n,), n) for n in range(3000)])
        assert sum(value for _key, value in Flow(store)) == sum(range(3000))
        assert Flow(store.partition("none")).run().items == 0


def test_the_report_counts():
    """Items, bytes and time of each stage, what was promised, what failed."""

    def picky(n):
        if n % 100 == 5:
            raise ValueError("five")
        return n

    report = Flow(numbers, 1000).map(picky).filter(lambda n: n % 2).run(on_error="skip")
    assert [each.items_out for each in report.stages] == [1000, 990, 490]
    assert [each.items_in for each in report.stages[1:]] == [1000, 990]
    assert (report.items, report.skipped, len(report.failures)) == (490, 10, 10)
    assert re.fullmatch(
        r"1 map\(picky\), item 6 \(5\), source numbers at item [\d,]+: ValueError\('five'\)", str(report.failures[0])
    )
    assert report.promised_bytes == Flow(numbers, 1000).map(picky).filter(lambda n: n % 2).bytes_max()
    assert all(each.busy_s >= 0 for each in report.stages)
    assert report.to_dict()["stages"][1]["skipped"] == 10
    assert "10 items failed and were passed over" in str(report)


class Item:
    """Something that can be looked for."""

    def __init__(self, number):
        self.number = number


@pytest.mark.parametrize("verb", ["map", "filter", "each", "flat_map", "pipe"])
def test_no_stage_keeps_what_it_handed_on(verb):
    """While the consumer looks at an item, those of earlier batches are gone."""
    stages = {
        "map": lambda item: Item(item.number), "filter": lambda _item: True, "each": lambda _item: None,
        "flat_map": lambda item: (item,), "pipe": lambda items: (item for item in items),
    }  # fmt: skip
    alive = weakref.WeakSet()

    def source():
        for number in range(400):
            item = Item(number)
            alive.add(item)
            yield item
            del item

    flow = Flow(source, batch_rows=10)
    for _turn in range(3):
        flow = getattr(flow, verb)(stages[verb])
    most = 0
    for item in flow:
        if not item.number % 50:
            gc.collect()
            most = max(most, len(alive))
    assert most <= 3 * 10


def test_both_ways_to_wait():
    """async for and arun give the same, while the event loop goes on, with the budget around them."""

    async def main():
        with fw.Budget("16 MiB") as budget:
            ticks = 0

            async def tick():
                nonlocal ticks
                while True:
                    ticks += 1
                    await asyncio.sleep(0.001)

            ticking = asyncio.ensure_future(tick())
            flow = Flow(slowly, 30).map(square)
            found = [each async for each in flow]
            report = await flow.arun()
            ticking.cancel()
            return found, report.items, ticks, budget.peak, budget.held

    found, items, ticks, peak, held = asyncio.run(main())
    assert found == [n * n for n in range(30)]
    assert (items, held) == (30, 0)
    assert ticks > 5
    assert peak == Flow(slowly, 30).map(square).bytes_max()


def slowly(count):
    for number in range(count):
        time.sleep(0.001)
        yield number


@pytest.mark.parametrize("way", ["arun", "async for"])
def test_a_task_that_is_cancelled_ends_its_run(way):
    """The thread ends, the source is closed, and the bytes are given back, before the task is over."""
    started, closed = threading.Event(), threading.Event()

    def source():
        try:
            started.set()
            yield from slowly(100_000)
        finally:
            closed.set()

    async def walk(flow):
        async for _item in flow:
            pass

    async def main():
        with fw.Budget("16 MiB") as budget:
            flow = Flow(source)
            task = asyncio.ensure_future(flow.arun() if way == "arun" else walk(flow))
            assert await asyncio.to_thread(started.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return budget.held

    assert asyncio.run(main()) == 0
    assert closed.is_set()
