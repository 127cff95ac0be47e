"""Sources that have no end of their own, or give items only when there are some: queues, files that are followed.

Covers:     what such a source is; taking from a queue what is there at once, telling a queue what is done; looking up while a
            reader waits.
Not here:   asynchronous iterables and queues (`pipeline.asynchronous`), servers' streams (`pipeline.redis_stream`,
            `pipeline.nats_stream`), what can be iterated over (`pipeline.sources`).
Holds:      one batch.
"""

from __future__ import annotations

import asyncio
import inspect
import queue
from collections.abc import AsyncIterable, Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, final

from flatwater import errors, limits
from flatwater.pipeline import asynchronous
from flatwater.pipeline.place import Batch
from flatwater.pipeline.weighing import Weigher

_ENDED: Final[type[Exception]] = getattr(queue, "ShutDown", queue.Empty)  # Python 3.13


def is_stream(origin: object) -> bool:
    """Whether it is such a source: a queue of any kind, or what only `async for` goes through."""
    return _is_asynchronous(origin) or is_queue(origin)


def is_queue(origin: object) -> bool:
    """Whether items are put into it and taken out: the standard library's queues, and others with the same methods."""
    if isinstance(origin, (type, Iterable)):
        return False
    return all(callable(getattr(origin, name, None)) for name in ("get", "get_nowait", "put"))


def _is_asynchronous(origin: object) -> bool:
    return isinstance(origin, AsyncIterable) and not isinstance(origin, Iterable)


def batches_of(origin: Any, weigher: Weigher, until: Any = None) -> Generator[Batch, None, None] | None:
    """Its batches, as items come, empty ones while none come; None if it is no such source. `until` ends a queue."""
    if isinstance(origin, asyncio.Queue):
        return asynchronous.of_a_queue(origin, weigher, until)
    if _is_asynchronous(origin):
        return asynchronous.of_an_iterable(origin, weigher)
    if is_queue(origin):
        return _Queued(origin, until).batches(weigher)
    return None


def refuse_returned(made: Any, name: str) -> None:
    """What a function must not return as a source.

    Raises:
        UsageError: a coroutine, or a queue, of which a checkpoint could not know that what it gave is gone.
    """
    if inspect.iscoroutine(made):
        made.close()
        raise errors.UsageError(
            f"{name} is a coroutine function.", hint="Make it an asynchronous generator: let it yield the items."
        )
    if is_queue(made):
        raise errors.UsageError(f"{name} returned a queue.", hint="Give the queue itself: Flow(queue).")


@final
class _Queued:
    """A queue that is read: what is there at once comes in batches that fit.

    An item is done when the batch behind it is asked for: all stages have gone through it then.
    """

    def __init__(self, origin: Any, until: Any) -> None:
        self._queue = origin
        self._until = until
        self._done: Callable[[], object] = getattr(origin, "task_done", lambda: None)
        self._is_over = False

    def batches(self, weigher: Weigher) -> Generator[Batch, None, None]:
        """Its items to the last one; empty lists while there are none."""
        while not self._is_over:
            first = self._first()
            if not first:
                yield first
                continue
            for batch in weigher.batches(self._there(first)):
                count, box = len(batch), [batch]
                del batch
                yield box.pop()
                for _item in range(count):
                    self._done()

    def _first(self) -> Batch:
        """One item, or none for the time being."""
        try:
            return [self._queue.get(timeout=limits.FLOW_LOOK_S)]
        except queue.Empty:
            return []
        except _ENDED:
            self._is_over = True
            return []

    def _there(self, box: Batch) -> Iterator[Any]:
        """This item, and those that are there at once."""
        while not asynchronous.is_end(box[0], self._until):
            yield box.pop()
            try:
                box.append(self._queue.get_nowait())
            except (queue.Empty, _ENDED):
                return
        self._is_over = True
        self._done()


def with_looks(lists: Iterator[Batch], stop: Callable[[], None]) -> Generator[Batch, None, None]:
    """What a reader gives that may wait in between, from a thread of its own; empty lists while it waits.

    Args:
        lists: what is read; advanced in that thread only.
        stop: ends its waiting, from any thread.
    """
    thread = ThreadPoolExecutor(1, "flatwater-follow")
    try:
        while True:
            coming = thread.submit(next, lists, None)
            while True:
                try:
                    items = coming.result(limits.FLOW_LOOK_S)
                    break
                except TimeoutError:
                    if coming.done():  # it is the reader's own
                        raise
                    yield []
            del coming
            if items is None:
                return
            box = [items]
            del items
            yield box.pop()
    finally:
        stop()
        thread.shutdown(wait=True)
