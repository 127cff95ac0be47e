"""Functions and queues as sinks: one item at a time, and a full queue makes the flow wait."""

from __future__ import annotations

import asyncio
import queue
import threading
import time

import pytest

from flatwater import errors, limits
from flatwater.pipeline.flow import Flow


def test_a_function_gets_each_item():
    """In its order; what it returns is not asked."""
    seen = []
    report = Flow(range(2000)).to(seen.append).run()
    assert seen == list(range(2000))
    assert (report.items, report.stages[1].items_in) == (2000, 2000)


def test_a_function_that_fails():
    """Its item is passed over, or ends the run."""

    def picky(item):
        if item % 100 == 7:
            raise KeyError(item)

    with pytest.raises(KeyError):
        Flow(range(500)).to(picky).run()
    assert Flow(range(500)).to(picky).run(on_error="skip").skipped == 5


@pytest.mark.parametrize("kind", [queue.Queue, queue.LifoQueue])
def test_a_full_queue_makes_the_flow_wait(kind):
    """It holds no more than it was made for, and all items come through."""
    held, found, sizes = kind(10), [], []

    def take():
        while len(found) < 500:
            sizes.append(held.qsize())
            found.append(held.get(timeout=30))

    taker = threading.Thread(target=take)
    taker.start()
    Flow(range(500)).to(held).run()
    taker.join(30)
    assert sorted(found) == list(range(500))
    assert max(sizes) <= 10


def test_nobody_takes_from_a_queue(monkeypatch):
    """After a while it is an error, and not for ever."""
    monkeypatch.setattr(limits, "FLOW_SINK_WAIT_S", 0.3)
    with pytest.raises(errors.LimitReached, match="nobody took anything from the full Queue"):
        Flow(range(10)).to(queue.Queue(3)).run()


@pytest.mark.parametrize("kind", [queue.Queue, asyncio.Queue])
def test_a_run_that_waits_for_room_can_be_cancelled(kind):
    """A task that is cancelled does not wait until somebody takes from the full queue; what it holds was put there once."""

    async def main():
        held = kind(3)
        work = asyncio.ensure_future(Flow(range(10)).to(held).arun())
        while not held.full():  # noqa: ASYNC110 - a thread fills it
            await asyncio.sleep(0.01)
        begun = time.monotonic()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        return time.monotonic() - begun, [held.get_nowait() for _turn in range(held.qsize())]

    took_s, found = asyncio.run(main())
    assert took_s < 10
    assert found == [0, 1, 2]


def test_a_queue_of_the_event_loop():
    """It is written from the run's thread, while the loop takes from it."""

    async def main():
        held: asyncio.Queue[int] = asyncio.Queue(5)
        work = asyncio.ensure_future(Flow(range(300)).to(held).arun())
        found = [await held.get() for _turn in range(300)]
        assert (await work).items == 300
        return found

    assert asyncio.run(main()) == list(range(300))
    with pytest.raises(errors.UsageError, match="belongs to an event loop"):
        Flow(range(3)).to(asyncio.Queue()).run()


@pytest.mark.parametrize("kind", [queue.Queue, asyncio.Queue])
def test_a_run_that_is_cancelled_at_a_full_queue(kind):
    """It does not wait until somebody takes from it."""

    async def main():
        held, is_full, loop = kind(3), asyncio.Event(), asyncio.get_running_loop()

        def tell(number):
            if number == 2:
                loop.call_soon_threadsafe(is_full.set)

        work = asyncio.ensure_future(Flow(range(300), batch_rows=1).to(held).each(tell).arun())
        await is_full.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(work, 10)
        assert held.qsize() == 3

    asyncio.run(main())


def test_nobody_takes_from_a_queue_of_the_loop(monkeypatch):
    """After a while it is the same error."""
    monkeypatch.setattr(limits, "FLOW_SINK_WAIT_S", 0.3)
    with pytest.raises(errors.LimitReached, match="nobody took anything from the full Queue"):
        asyncio.run(Flow(range(10)).to(asyncio.Queue(3)).arun())


def test_a_generator_function_is_no_sink():
    """Calling it would do nothing."""

    def writes(item):
        yield item

    with pytest.raises(errors.UsageError, match="is a generator function"):
        Flow([1]).to(writes)


def test_waits_for_a_full_queue_are_told():
    """How often, and for how long, what is in front was held back."""
    full = queue.Queue(1)

    def take():
        for _turn in range(5):
            time.sleep(0.05)
            full.get()

    taker = threading.Thread(target=take)
    taker.start()
    stage = Flow(range(5)).to(full).run().stages[1]
    taker.join()
    assert 3 <= stage.waits <= 4
    assert 0.1 < stage.waited_s < 2
    room = Flow(range(5)).to(queue.Queue()).run().stages[1]
    assert (room.waits, room.waited_s) == (0, 0.0)
