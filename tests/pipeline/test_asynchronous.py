"""Asynchronous iterables and queues as sources: awaited in the loop of whoever awaits the run, or in one of their own."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import weakref

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.pipeline.asynchronous import of_an_iterable
from flatwater.pipeline.flow import Flow
from flatwater.pipeline.weighing import Weigher

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning"),
]


async def numbers(count, closed=None):
    try:
        for number in range(count):
            yield number
    finally:
        if closed is not None:
            await asyncio.sleep(0)
            closed.append(asyncio.current_task())


class Numbers:
    """What can be gone through several times."""

    def __aiter__(self):
        return numbers(100)


def told(main):
    """Run it; whatever its loop complains about is an error."""
    complaints = []

    async def watched():
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
        return await main

    found = asyncio.run(watched())
    gc.collect()
    assert complaints == []
    return found


def test_without_a_loop():
    """A loop of its own, in the thread of the run: whatever is asynchronous is read to its end, a second time, too."""
    closed = []
    flow = Flow(numbers, 1000, closed).map(str)
    assert list(flow) == list(map(str, range(1000)))
    assert flow.run().items == 1000
    assert len(closed) == 2
    again = Flow(Numbers())
    assert [sum(again), sum(again)] == [4950, 4950]


def test_in_the_loop_that_awaits():
    """Both ways to await: items come in order, from that loop, which goes on meanwhile."""
    homes = set()

    async def source():
        for number in range(2000):
            homes.add(asyncio.get_running_loop())
            if number % 100 == 0:
                await asyncio.sleep(0)
            yield number

    async def main():
        assert [n async for n in Flow(source)] == list(range(2000))
        assert (await Flow(source).map(str).arun()).items == 2000
        assert homes == {asyncio.get_running_loop()}

    told(main())


def test_an_iterator_is_used_once():
    """A second run of an asynchronous generator is an error, and not empty."""

    async def main():
        flow = Flow(numbers(3))
        assert [n async for n in flow] == [0, 1, 2]
        with pytest.raises(errors.UsageError, match="used up"):
            await flow.arun()

    told(main())


def test_what_comes_without_waiting_comes_together():
    """Batches are full of what is there, within items and bytes; one that comes alone is handed on alone."""
    batches = list(filter(None, of_an_iterable(numbers(1000), Weigher(1 << 20, 100))))
    assert [len(batch) for batch in batches] == [100] * 10

    async def large():
        for _turn in range(500):
            yield bytes(1000)

    sizes = [len(batch) for batch in of_an_iterable(large(), Weigher(64 << 10, 1000)) if batch]
    assert sum(sizes) == 500
    assert 40 < max(sizes) <= 70

    async def main():
        given = asyncio.Event()

        async def one_by_one():
            for number in range(20):
                yield number
                await given.wait()
                given.clear()

        async for _number in Flow(one_by_one):
            given.set()

    told(asyncio.wait_for(main(), 20))


def test_it_is_a_batch_ahead_at_most():
    """While one batch is used, no more than the next one is gathered."""
    made = 0

    async def source():
        nonlocal made
        for number in range(1000):
            made += 1
            yield number

    async def main():
        ahead = []
        flow = Flow(source, batch_rows=10)
        async for number in flow:
            ahead.append(made - number)
            await asyncio.sleep(0)
        assert max(ahead) <= 31  # the batch that is used, one that waits for the consumer, one that is gathered

    told(main())


def test_errors_come_out_unchanged():
    """Behind the items that came before, in either way of running; a time limit of the source's own is its error."""

    async def broken(error):
        yield 1
        yield 2
        raise error

    async def slow():
        async with asyncio.timeout(0.01):
            yield 1
            await asyncio.Event().wait()

    async def main():
        for made in (KeyError("mine"), TimeoutError("mine"), errors.BrokenError("mine")):
            seen = []
            with pytest.raises(type(made), match="mine") as caught:
                await Flow(broken, made).each(seen.append).arun()
            assert caught.value is made or isinstance(made, TimeoutError)  # asyncio makes a new one of these
            assert seen == [1, 2]
        with pytest.raises(TimeoutError):
            await Flow(slow).arun()

    told(main())
    mine = KeyError("mine")
    with pytest.raises(KeyError) as caught:
        list(Flow(broken, mine))
    assert caught.value is mine


@pytest.mark.parametrize("way", ["arun", "async for", "left"])
@pytest.mark.parametrize("waiting", [True, False])
def test_a_run_that_ends_early_closes_its_source(way, waiting):
    """In the task in which it was opened, before the run is over; nothing stays behind in the loop."""
    tasks = []

    async def source(came):
        tasks.append(asyncio.current_task())
        try:
            yield 1
            came.set()
            if waiting:
                await asyncio.Event().wait()
            for number in range(10**9):
                yield number
        finally:
            await asyncio.sleep(0)
            tasks.append(asyncio.current_task())

    async def walk(flow):
        async for _item in flow:
            if way == "left":
                await asyncio.sleep(0)

    async def main():
        came = asyncio.Event()
        with fw.Budget("16 MiB") as budget:
            flow = Flow(source, came)
            if way == "left":
                async with contextlib.aclosing(aiter(flow)) as turns:
                    await anext(turns)
            else:
                task = asyncio.ensure_future(flow.arun() if way == "arun" else walk(flow))
                await came.wait()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert len(tasks) == 2
            assert tasks[0] is tasks[1]
            assert budget.held == 0
            assert asyncio.all_tasks() == {asyncio.current_task()}

    told(main())


@pytest.mark.parametrize("way", ["arun", "async for"])
def test_a_run_that_is_cancelled_twice_ends(way):
    """Whoever is impatient waits all the same until the source is closed: nothing stops the loop, or is left behind."""
    closed = []

    async def source(came):
        try:
            yield 1
            came.set()
            await asyncio.Event().wait()
        finally:
            for _turn in range(20):
                await asyncio.sleep(0.001)
            closed.append(asyncio.current_task())

    async def walk(flow):
        async for _item in flow:
            pass

    async def main():
        came = asyncio.Event()
        flow = Flow(source, came)
        task = asyncio.ensure_future(flow.arun() if way == "arun" else walk(flow))
        await came.wait()
        while not task.done():
            task.cancel()
            await asyncio.sleep(0)
        assert task.cancelled()
        assert len(closed) == 1
        assert asyncio.all_tasks() == {asyncio.current_task()}

    told(main())


def test_a_plain_run_that_ends_early_closes_its_source():
    """The consumer leaves, or a stage fails: the generator's own end is reached, and its loop is closed."""
    closed = []
    turns = iter(Flow(numbers, 10**9, closed))
    assert next(turns) == 0
    turns.close()
    with pytest.raises(ZeroDivisionError):
        Flow(numbers, 10**9, closed).map(lambda n: 1 / n).run()
    assert len(closed) == 2


def test_a_source_that_was_not_begun_is_closed():
    """A run that is refused before it reads leaves no generator that was never awaited."""
    closed = []
    with fw.Budget("1 KiB"), pytest.raises(errors.BudgetExceeded):
        Flow(numbers(3, closed)).run()
    assert closed == []


def test_in_a_coroutine_run_is_refused():
    """It would stop the loop: the error says what to do instead."""

    async def main():
        with pytest.raises(errors.UsageError, match=r"await flow\.arun"):
            Flow(numbers, 3).run()
        await Flow(numbers, 3).arun()
        with pytest.raises(errors.UsageError, match=r"await flow\.arun"):
            list(Flow(numbers, 3))
        with pytest.raises(errors.UsageError, match=r"await flow\.arun"):
            Flow(asyncio.Queue()).run()

    told(main())
    with pytest.raises(errors.UsageError, match="belongs to an event loop"):
        Flow(asyncio.Queue()).run()


def test_a_coroutine_function_is_no_source():
    """It gives one thing, and that later: the error says what to make of it."""

    async def one():
        return [1]

    with pytest.raises(errors.UsageError, match="asynchronous generator"):
        Flow(one).run()


def test_a_task_that_somebody_cancels():
    """What cancels the source and not the run ends the run with an error."""

    async def source():
        yield 1
        asyncio.current_task().cancel()
        await asyncio.sleep(0)
        yield 2

    async def main():
        with pytest.raises(errors.ClosedError, match="cancelled"):
            await Flow(source).arun()

    told(main())


def test_the_contexts_variables_are_those_of_who_awaits():
    """The source sees what the task that awaits has set."""
    name = contextvars.ContextVar("name", default="nobody")

    async def source():
        yield name.get()

    async def main():
        name.set("ann")
        return [each async for each in Flow(source)], await Flow(source).each(seen.append).arun()

    seen = []
    assert told(main())[0] == ["ann"]
    assert seen == ["ann"]


def test_a_queue_of_the_loop():
    """Its items to the last one; nothing is taken before it is wanted; join() returns when all are done."""

    async def main():
        source = asyncio.Queue()
        for number in [*range(25), None, "behind"]:
            source.put_nowait(number)
        left = [(number, source.qsize()) async for number in Flow(source, batch_rows=10)]
        assert [number for number, _size in left] == list(range(25))
        assert left[0][1] >= 27 - 20  # the batch that is used, and the one that is asked for meanwhile
        assert source.get_nowait() == "behind"
        source.task_done()
        await asyncio.wait_for(source.join(), 20)

    told(main())


def test_a_queue_that_waits():
    """Each item comes out before the next is put; a run that waits can be cancelled, and takes nothing with it."""

    async def main():
        source = asyncio.Queue()
        source.put_nowait(0)
        async for number in Flow(source, until=50):
            source.put_nowait(number + 1)
        task = asyncio.ensure_future(Flow(source).arun())
        source.put_nowait(1)
        while not source.empty():  # noqa: ASYNC110 - a thread takes from it
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        source.put_nowait(2)
        await asyncio.sleep(0)
        assert source.get_nowait() == 2
        assert asyncio.all_tasks() == {asyncio.current_task()}

    told(main())


def test_nothing_is_gathered_while_the_gate_is_closed():
    """The source stops, too, and goes on when the gate is opened."""

    async def main():
        with fw.Budget("16 MiB") as budget:
            made = []

            async def source():
                for number in range(10):
                    if number == 5:
                        budget.gate.pause("test")
                        asyncio.get_running_loop().call_later(0.01, resumed)
                    made.append((number, budget.gate.is_open))
                    yield number

            def resumed():
                assert made[-1] == (5, False)
                budget.gate.resume()

            assert (await Flow(source).arun()).items == 10
            assert made[-1] == (9, True)

    told(main())


def test_no_item_is_kept():
    """What was handed on is held by nobody here."""

    class Item:
        pass

    async def source():
        for _turn in range(5):
            yield Item()

    batches = filter(None, of_an_iterable(source(), Weigher(1, 1)))
    first = next(batches)
    seen = weakref.ref(first[0])
    del first
    next(batches)
    assert seen() is None
