"""Sources that have no end of their own, or give items only when there are some.

Covers:     what such a source is; looking up while a reader of a followed file waits.
Not here:   queues (`pipeline.queues`), asynchronous iterables (`pipeline.asynchronous`), servers' streams
            (`pipeline.redis_stream`, `pipeline.nats_stream`), what can be iterated over (`pipeline.sources`).
Holds:      one batch.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import AsyncIterable, Callable, Generator, Iterable, Iterator
from typing import Any

from flatwater import errors, limits
from flatwater.pipeline.place import Batch
from flatwater.pipeline.weighing import Weigher


def is_stream(origin: object) -> bool:
    """Whether it is such a source: a queue of any kind, or what only `async for` goes through."""
    return _is_asynchronous(origin) or is_queue(origin)


def is_queue(origin: object) -> bool:
    """Whether items are put into it and taken out: the standard library's queues, and others with the same methods.

    Raises:
        UsageError: it is one that cannot be waited for, but for ever.
    """
    if isinstance(origin, type) or not all(callable(getattr(origin, name, None)) for name in ("get", "put")):
        return False
    if type(origin).__module__ == "multiprocessing.queues" and not hasattr(origin, "get_nowait"):
        raise errors.UsageError(
            "a multiprocessing.SimpleQueue knows no time limits, so that nobody could end a run that waits for it.",
            hint="Take a multiprocessing.Queue; or one of its methods: Flow(iter(queue.get, None)), to(queue.put).",
        )
    return callable(getattr(origin, "get_nowait", None))


def _is_asynchronous(origin: object) -> bool:
    return isinstance(origin, AsyncIterable) and not isinstance(origin, Iterable)


def batches_of(origin: Any, weigher: Weigher, until: Any = None) -> Generator[Batch, None, None] | None:
    """Its batches, as items come, empty ones while none come; None if it is no such source. `until` ends a queue."""
    if not is_stream(origin):
        return None
    asyncio = sys.modules.get("asyncio")  # not imported: then it is none of its queues
    if _is_asynchronous(origin) or (asyncio is not None and isinstance(origin, asyncio.Queue)):
        from flatwater.pipeline import asynchronous

        if _is_asynchronous(origin):
            return asynchronous.of_an_iterable(origin, weigher)
        return asynchronous.of_a_queue(origin, weigher, until)
    from flatwater.pipeline.queues import Queued

    return Queued(origin, until).batches(weigher)


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


def with_looks(lists: Iterator[Batch], stop: Callable[[], None]) -> Generator[Batch, None, None]:
    """What a reader gives that may wait in between, from a thread of its own; empty lists while it waits.

    Args:
        lists: what is read; advanced in that thread only.
        stop: ends its waiting, from any thread.
    """
    from concurrent.futures import ThreadPoolExecutor

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
