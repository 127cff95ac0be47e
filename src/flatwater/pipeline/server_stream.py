"""What a pass over a stream of a server does, whichever server it is.

Covers:     batches that fit, waiting for more, ending, how far it is, closing.
Not here:   what is asked of a server (`pipeline.redis_stream`, `pipeline.nats_stream`).
Holds:      one batch.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from typing import Any, Generic, Protocol, TypeVar

from flatwater.pipeline.place import Batch
from flatwater.pipeline.weighing import Weigher


class ServerStream(Protocol):
    """What a pass is told by the source."""

    stop_when_empty: bool
    stop: threading.Event | None
    batch_bytes: int


Stream = TypeVar("Stream", bound=ServerStream)


class Walk(ABC, Generic[Stream]):
    """One pass over a stream. For one thread.

    Attributes:
        token: of the last item that was given; where it begins, before that; None if it has not begun.
    """

    token: Any

    def __init__(self, stream: Stream, after: Any) -> None:
        self.token = after
        self._stream = stream
        self._turns = self._read()

    def __iter__(self) -> Iterator[Batch]:
        return self._turns

    def close(self) -> None:
        """Close the connection, and give the bytes back."""
        self._turns.close()

    @abstractmethod
    def _read(self) -> Generator[Batch, None, None]:
        """Open a connection, give `lists`, and close it."""

    def _lists(self, ask: Callable[[int], Batch], token: str, most: int) -> Generator[Batch, None, None]:
        """Items as they come, and empty lists while it waits.

        Args:
            ask: for so many items behind `token`; none, if there are none after a while.
            token: the key of an item's token.
            most: items that are asked for at once.
        """
        stream = self._stream
        weigher = Weigher(stream.batch_bytes, most)
        count = 1
        while stream.stop is None or not stream.stop.is_set():
            items = ask(count)
            if not items:
                if stream.stop_when_empty:
                    return
                yield items
                continue
            self.token = items[-1][token]
            size = weigher.weigh(items)
            fitting = stream.batch_bytes * len(items) // max(1, size)
            count = max(1, min(2 * len(items), fitting, most))
            box = [items]
            del items
            yield box.pop()
