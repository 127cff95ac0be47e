"""What all readers of files share: one pass over a stream, as an iterator and a context manager.

Covers:     starting, stopping from any thread, collecting, pickling before the start, both faces of iterating.
Not here:   what the items are (`files.chunks`, `files.line_reader`, `files.record_reader`).
Holds:      a generator, and what it works on.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import AsyncIterator, Generator, Iterator
from itertools import chain
from typing import Any, Generic, Self, TypeVar

from flatwater import errors
from flatwater.source.files.place import Mark
from flatwater.source.files.stream import Stream

Item = TypeVar("Item")


class Body:
    """What a generator works on. It does not know its reader, so that neither keeps the other alive."""

    __slots__ = ("stream",)

    def __init__(self, stream: Stream) -> None:
        self.stream = stream

    def begin(self) -> Any:
        """The opened bytes, with what they may take promised."""
        raw = self.stream.open()
        try:
            self.stream.reserve(self.bytes_max())
        except BaseException:
            self.close()
            raise
        return raw

    def bytes_max(self) -> int:
        """The most it can hold, in bytes."""
        raise NotImplementedError

    def lists(self) -> Iterator[list[Any]]:
        """The items, some at a time."""
        raise NotImplementedError

    def turns(self) -> Generator[Any, None, None]:
        """One pass, from opening to closing: lists of items."""
        try:
            self.begin()
            yield from self.lists()
        except GeneratorExit:
            self.warn_unclosed()
            raise
        finally:
            self.close()

    def items(self, turns: Generator[Any, None, None]) -> Iterator[Any]:
        """The items of `turns`, one at a time: in C, without a step in Python for each."""
        return chain.from_iterable(turns)

    def warn_unclosed(self) -> None:
        """The generator ends before its time: say so, unless somebody asked for it."""
        if not self.stream.is_closing:
            warnings.warn(f"unclosed source {self.stream.place.name!r}", ResourceWarning, stacklevel=3)

    def close(self) -> None:
        """Close what is open and give back what was promised."""
        self.stream.close()


class OnePass(Generic[Item]):
    """An iterator and a context manager over a stream, good for one pass. See the classes that inherit."""

    __slots__ = ("__weakref__", "_body", "_closing", "_items", "_turns")

    def __init__(self, body: Body) -> None:
        self._body = body
        self._closing = threading.RLock()  # two threads that close one generator end the interpreter
        self._items: Iterator[Any] | None = None
        self._turns: Generator[Any, None, None] | None = None

    @property
    def name(self) -> str:
        """The file, for people: a URL without user, password and query."""
        return self._body.stream.place.name

    @property
    def is_followed(self) -> bool:
        """Whether it waits for more at the end of its file."""
        return self._body.stream.place.follow

    @property
    def mark(self) -> Mark:
        """Where the items begin that come next; of a file that is followed, with the file that it is in: for `since`."""
        return self._body.stream.mark

    @property
    def notes(self) -> list[str]:
        """What was seen that you should know: rotated, truncated, written or deleted meanwhile."""
        return self._body.stream.notes

    @property
    def bytes_known(self) -> int:
        """How many bytes there are to read, in a plain local file; 0 where that is not known before it is read."""
        return self._body.stream.place.bytes_known()

    def bytes_max(self) -> int:
        """The most this source can hold at once, in bytes; before it is open, the most that its arguments allow."""
        return self._body.bytes_max()

    def __iter__(self) -> Iterator[Item]:
        # Not `self`: a `for` drives what is underneath without calling a method of ours for every item.
        return self._started()

    def __next__(self) -> Item:
        items = self._items if self._items is not None else self._started()
        item: Item = next(items)
        return item

    def _started(self) -> Iterator[Any]:
        if self._body.stream.is_done:
            self._body.stream.open()  # raises: it was read, or closed
        if self._turns is None or self._items is None:
            self._turns = self._body.turns()
            self._items = self._body.items(self._turns)
        return self._items

    def lists(self) -> Iterator[list[Item]]:
        """The items of this pass in lists, as they are read: what is there now, without waiting for more."""
        self._started()
        if self._turns is not None:
            yield from self._turns

    async def __aiter__(self) -> AsyncIterator[Item]:
        """The same for coroutines: each read is done in a thread, and the event loop goes on."""
        import asyncio

        items = self._started()
        nothing: Any = object()
        try:
            while (item := await asyncio.to_thread(next, items, nothing)) is not nothing:
                yield item
        finally:
            self.close()

    def stop(self) -> None:
        """Let an iteration end at its next look, or wait no longer; whoever iterates closes. From any thread."""
        self._body.stream.stop()

    def close(self) -> None:
        """Close the file and give its bytes back to the budget. From any thread; closing twice is fine.

        An iteration that runs in another thread ends at its next look; one that follows a file ends within a poll. Items
        that were read already may still come.
        """
        self._body.stream.stop()
        with self._closing:
            if self._turns is not None:
                try:
                    self._turns.close()
                except ValueError:  # it runs, in another thread: it sees that it is to end, and closes
                    return
            self._body.close()

    def __enter__(self) -> Self:
        self._body.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        import asyncio

        await asyncio.to_thread(self._body.begin)
        return self

    async def __aexit__(self, *_: object) -> None:
        import asyncio

        await asyncio.to_thread(self.close)

    def _refuse_started(self) -> None:
        """Before pickling.

        Raises:
            UsageError: it is open, or was.
        """
        stream = self._body.stream
        if stream.raw is not None or stream.is_done:
            raise errors.UsageError(
                f"{self.name} is being read and cannot be pickled.", hint="Send a new one, with offset= if need be."
            )

    def __repr__(self) -> str:
        stream = self._body.stream
        state = (
            "closed" if stream.is_done else f"at byte {stream.position}" if stream.raw is not None else "not started"
        )
        return f"<{type(self).__name__} {self.name!r} {state}>"
