"""Queues of the standard library, and others with the same methods, as sources.

Covers:     taking what is there at once, looking up while nothing comes, telling a queue what is done, its end.
Not here:   `asyncio.Queue` (`pipeline.asynchronous`), queues that are written to (`pipeline.sinks.calls`).
Holds:      one batch.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator, Iterator
from typing import Any, Final, final

from flatwater import limits
from flatwater.pipeline import asynchronous
from flatwater.pipeline.place import Batch
from flatwater.pipeline.weighing import Weigher

_ENDED: Final[type[Exception]] = getattr(queue, "ShutDown", queue.Empty)  # Python 3.13


@final
class Queued:
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
