"""Asynchronous iterables and `asyncio.Queue` as sources: awaited in the loop that awaits the run, which goes on meanwhile.

Covers:     gathering items as long as they come without waiting; a loop of our own where no loop awaits the run; ending
            early: the task is cancelled, and the iterator closed.
Not here:   which loop awaits a run (`pipeline.loops`), other queues (`pipeline.streams`).
Holds:      the batch that is gathered, also while the one before it is used.

One task goes through an iterable from its beginning to its end: a time limit or a group of tasks that a generator has open
across its `yield` stays in the task in which it was opened.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Coroutine, Generator, Iterator
from concurrent.futures import CancelledError
from typing import Any, Final, Protocol, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.pipeline import loops
from flatwater.pipeline.place import Batch
from flatwater.pipeline.weighing import Weigher

_TURN_ITEMS = 256  # that are gathered before the loop's other tasks have their turn: about 0.1 ms
_ENDED: Final[type[Exception]] = getattr(asyncio, "QueueShutDown", asyncio.QueueEmpty)  # Python 3.13


def of_an_iterable(origin: AsyncIterable[Any], weigher: Weigher) -> Generator[Batch, None, None]:
    """Its items as they come; empty batches while none come.

    Raises:
        UsageError: plain `run` was called in a coroutine.
        ClosedError: somebody cancelled its task.
        What it raises.
    """
    loop = loops.awaiting()
    if loop is None:
        loops.refuse_running("an asynchronous source")
    return _handed_on(_Own() if loop is None else _There(loop), _Pump(origin, weigher), weigher)


def of_a_queue(origin: asyncio.Queue[Any], weigher: Weigher, until: Any) -> Generator[Batch, None, None]:
    """What is there at once; nothing is taken before it is wanted. The end is the item `until`, or that the queue was shut down.

    Raises:
        UsageError: no loop awaits the run.
    """
    loop = loops.awaiting()
    if loop is None:
        raise errors.UsageError("an asyncio.Queue belongs to an event loop.", hint="Run it there: await flow.arun().")
    return _handed_on(_There(loop), _Taker(origin, weigher, until), weigher)


class _Giver(Protocol):
    """What gathers items. Its coroutines run in one loop."""

    async def take(self, used: int) -> Batch | None:
        """What is there; empty if nothing comes for limits.FLOW_LOOK_S; None at the end. So many were used since."""

    async def close(self) -> None:
        """End it, wherever it is."""


def _handed_on(home: _There | _Own, giver: _Giver, weigher: Weigher) -> Generator[Batch, None, None]:
    used = 0
    try:
        while (items := home.wait(giver.take(used))) is not None:
            used = len(items)
            parts = weigher.parts(items)
            del items
            parts.reverse()
            while parts:
                yield parts.pop()
    finally:
        home.close(giver)


# --- gathering, in the loop -------------------------------------------------------------------------------------------


@final
class _Pump:
    """Goes through an iterable in one task, a batch ahead at most."""

    def __init__(self, origin: AsyncIterable[Any], weigher: Weigher) -> None:
        self._origin = origin
        self._weigher = Weigher(weigher.bytes_max, weigher.rows_max)  # the other one is the run's thread's
        self._gate = Budget.current().gate
        self._ready = asyncio.Event()  # there are items, or there will be no more
        self._room = asyncio.Event()  # for more of them
        self._items: Batch = []
        self._size = 0  # of those that were weighed
        self._weighed = 0  # items
        self._weigh_at = 1  # so many items
        self._task: asyncio.Task[None] | None = None
        self._error: Exception | None = None
        self._is_closing = False

    async def take(self, used: int) -> Batch | None:  # noqa: ARG002 - as others
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        if not self._items and not self._task.done():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limits.FLOW_LOOK_S):
                    await self._ready.wait()
        if not self._items and self._task.done():
            if self._error is not None:
                raise self._error
            return None
        items, self._items = self._items, []
        self._size, self._weighed, self._weigh_at = 0, 0, self._weigher.at_once
        self._ready.clear()
        self._room.set()
        return items

    async def close(self) -> None:
        self._is_closing = True
        if self._task is None:
            await _close(self._origin)
        elif not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
            if self._error is not None:
                raise self._error

    async def _run(self) -> None:
        """The task. What ends it is told by `take`, behind the items that came before."""
        try:
            turns = aiter(self._origin)
            try:
                await self._gather(turns)
            finally:
                await _close(turns)
        except asyncio.CancelledError:
            if not self._is_closing:
                self._error = errors.ClosedError("the asynchronous source was cancelled.", hint="Run the flow again.")
        except Exception as error:  # noqa: BLE001 - whatever it is, it comes out where the run is
            self._error = error
        self._ready.set()

    async def _gather(self, turns: AsyncIterator[Any]) -> None:
        loop = asyncio.get_running_loop()
        turn = 0
        async for item in turns:
            if self._is_closing:  # it took the cancelling for something else
                return
            if not self._items:
                loop.call_soon(self._ready.set)  # when this task waits: what comes without waiting, comes together
            self._items.append(item)
            del item
            if len(self._items) >= self._weigh_at and self._is_full():
                self._room.clear()
                await self._room.wait()
            while not self._gate.is_open:  # noqa: ASYNC110 - threads open it
                await asyncio.sleep(limits.FLOW_LOOK_S)
            turn += 1
            if turn % _TURN_ITEMS == 0:
                await asyncio.sleep(0)

    def _is_full(self) -> bool:
        """Weigh the items that were not, and say when to do so again."""
        weigher, count = self._weigher, len(self._items)
        self._size += weigher.weigh(self._items[self._weighed :])
        self._weighed = count
        if self._size >= weigher.bytes_max or count >= weigher.rows_max:
            return True
        fitting = (weigher.bytes_max - self._size) * count // max(1, self._size)
        self._weigh_at = count + max(1, min(weigher.at_once, fitting, weigher.rows_max - count))
        return False


@final
class _Taker:
    """Takes from a queue what is there, when it is asked."""

    def __init__(self, origin: asyncio.Queue[Any], weigher: Weigher, until: Any) -> None:
        self._queue = origin
        self._until = until
        self._weigher = Weigher(weigher.bytes_max, weigher.rows_max)
        self._is_over = False

    async def take(self, used: int) -> Batch | None:
        for _item in range(used):
            self._queue.task_done()
        if not self._is_over:
            try:
                async with asyncio.timeout(limits.FLOW_LOOK_S):
                    first = await self._queue.get()
            except TimeoutError:
                return []
            except _ENDED:
                return None
            if not is_end(first, self._until):
                return next(self._weigher.batches(self._there([first])))
        self._queue.task_done()  # the last one
        return None

    def _there(self, box: list[Any]) -> Iterator[Any]:
        yield box.pop()
        while True:
            try:
                item = self._queue.get_nowait()
            except (asyncio.QueueEmpty, _ENDED):
                return
            if is_end(item, self._until):
                self._is_over = True
                return
            yield item
            del item

    async def close(self) -> None:
        pass


def is_end(item: Any, until: Any) -> bool:
    """Whether an item of a queue says that there will be no more."""
    return item is until or (until is not None and type(item) is type(until) and bool(item == until))


async def _close(turns: object) -> None:
    close = getattr(turns, "aclose", None)
    if close is not None:
        await close()


# --- the loop, from the run's thread ----------------------------------------------------------------------------------


@final
class _There:
    """The loop that awaits the run, in another thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def wait(self, made: Coroutine[Any, Any, Any]) -> Any:
        """What a coroutine returns."""
        return loops.outcome(loops.begun(made, self._loop), self._loop)

    def close(self, giver: _Giver) -> None:
        """Close it, and wait until it is, unless this is the loop's own thread."""
        if self._loop.is_closed():
            return
        coming = loops.begun(giver.close(), self._loop)
        if loops.is_running_here(self._loop):
            return
        try:
            coming.result(limits.FLOW_CLOSE_S)
        except CancelledError:
            pass
        except TimeoutError:
            if coming.done():
                raise


@final
class _Own:
    """A loop in the run's thread, which runs while the run waits for items."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def wait(self, made: Coroutine[Any, Any, Any]) -> Any:
        """What a coroutine returns."""
        return self._runner.run(made)

    def close(self, giver: _Giver) -> None:
        """Close it, and the loop."""
        with self._runner:
            self._runner.run(_within(limits.FLOW_CLOSE_S, giver))


async def _within(seconds: float, giver: _Giver) -> None:
    closing = asyncio.ensure_future(giver.close())
    done, _pending = await asyncio.wait([closing], timeout=seconds)
    for each in done:
        each.result()
