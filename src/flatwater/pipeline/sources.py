"""What a flow begins with: anything that can be iterated over, and what this house reads by batches.

Covers:     iterables, iterators that are used up, functions that make one, tables, stores and files by their own batches;
            where a pass is, and going on from there.
Not here:   reading files, tables and documents (`source`), queues and other streams that do not end (`pipeline.streams`).
Holds:      one batch, while it is gathered; see `Source.bytes_max`.
"""

from __future__ import annotations

import copy
import os
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Sized
from dataclasses import replace
from typing import Any, Protocol, final, runtime_checkable

from flatwater import errors
from flatwater.pipeline import streams
from flatwater.pipeline.checking import is_a
from flatwater.pipeline.pieces import Pieces
from flatwater.pipeline.place import Batch
from flatwater.pipeline.reading import Found, Items, Position, Reading
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.stages import name_of
from flatwater.pipeline.weighing import Weigher


@runtime_checkable
class Batched(Protocol):
    """What has batches of its own: a `Table`, a `Store`, a stream, or somebody's class.

    `batches()` returns an iterable of lists. If that one has a `token` that says where it is, and `batches(after=token)`
    goes on from there, a checkpoint needs not count.

    One that waits for more gives an empty list every limits.FLOW_LOOK_S meanwhile: the run looks whether it was stopped,
    whether the budget's gate is closed, whether a checkpoint is due.
    """

    def batches(self) -> Iterable[Batch]:
        """Its items, in lists."""
        ...


@final
class Source:
    """Where the items of a flow come from. Picklable, if what it holds is.

    Args:
        origin: an iterable; something with `batches()`, such as a `Table` or a `Store`; or a function.
        arguments: of that function, which is called anew in each run.
        until: the item that is a queue's last.

    Raises:
        UsageError: it is none of these, or a text, whose letters nobody wants.
    """

    def __init__(self, origin: Any, arguments: tuple[Any, ...], until: Any = None) -> None:
        is_function = callable(origin)
        if isinstance(origin, (str, bytes)):
            raise errors.UsageError(
                f"{origin!r:.60} as a source would give its letters.",
                hint="For the lines of a file take fw.lines(path), for its pieces fw.FileChunks(path).",
            )
        if not _gives_items(origin) and not is_function:
            raise errors.UsageError(
                f"{type(origin).__name__} is no source.", hint="Give an iterable, or a function that returns one."
            )
        if arguments and not is_function:
            raise errors.UsageError("only a function takes arguments.", hint="Flow(function, *arguments)")
        self.origin = origin
        if until is not None and not streams.is_queue(origin):
            raise errors.UsageError("until= is for queues.", hint="Leave it out, or filter the items.")
        self.arguments = arguments
        self.until = until
        self._again = _copied(origin)  # before it is read: a file's reader is good for one pass
        self._is_used_up = False

    @property
    def name(self) -> str:
        """For people."""
        if isinstance(self.origin, Pieces):
            return self.origin.name
        if isinstance(name := getattr(self.origin, "name", None), str) and is_file(self.origin):
            return f"{type(self.origin).__name__} {name}"
        return type(self.origin).__name__ if _gives_items(self.origin) else name_of(self.origin)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        if self._again is not None:
            state["origin"] = self._again  # the other one may have been read
        return state

    @property
    def total(self) -> tuple[int, str]:
        """About how much there is, for showing how far a run is: (items, "items"), (bytes, "bytes"), or 0 if nobody knows."""
        if isinstance(self.origin, Sized):
            return len(self.origin), "items"
        if is_file(self.origin) and hasattr(self.origin, "since"):
            return self.origin.bytes_known, "bytes"
        if hasattr(self.origin, "count_estimate"):
            return int(self.origin.count_estimate()), "items"
        return 0, "items"

    @property
    def can_go_on(self) -> bool:
        """Whether another run can begin behind an item of this one: what a queue gave is gone."""
        return not streams.is_stream(self.origin)

    def bytes_max(self, batch_bytes: int) -> int:
        """The most it holds, in bytes, beside what its origin takes from the budget itself."""
        return batch_bytes  # the batch that is gathered

    def origin_bytes(self, batch_bytes: int) -> int:
        """What the origin takes from the budget when it is read, in bytes, as far as it tells."""
        if is_a("flatwater.store.partition", "Partition", self.origin):
            return 2 * batch_bytes  # a walk's; the store's own bytes have been taken since it was opened
        if is_a("flatwater.source.tables.table", "Table", self.origin):
            return 2 * batch_bytes
        ask: Callable[[], int] | None = getattr(self.origin, "bytes_max", None)
        return ask() if ask is not None else 0

    def reopened(self, position: Position) -> Position:
        """The place at which a pass has ended, to go on with what the source has got since then.

        Raises:
            UsageError: its last line has become another one.
        """
        token = position.token
        if token is not None and hasattr(self.origin, "reopened"):
            return replace(position, token=self.origin.reopened(token))
        is_lines = is_a("flatwater.source.files.line_reader", "Lines", self.origin)
        if is_lines and isinstance(token, int) and not position.skip and self.origin.is_within_line(token):
            raise errors.UsageError(
                f"the last line of {self.name} had no end when it was read, and is longer now.",
                hint="Write whole lines to it, or remove the checkpoint to begin anew.",
            )
        return position

    def by_reference(self) -> Source:
        """The same, if its items can be read where they are wanted: pieces of a plain local file. Else itself."""
        if not is_a("flatwater.source.files.chunks", "FileChunks", self.origin):
            return self
        if self._is_used_up and self._again is None:
            return self  # which says so
        extent = self.origin.reference()
        return self if extent is None else Source(Pieces(self.name, *extent), ())

    def opened(self, weigher: Weigher, gauge: Gauge, start: Position = Position()) -> Reading:  # noqa: B008 - it is frozen
        """One pass over its items, from `start` on.

        Raises:
            UsageError: it is an iterator that another run has used up, or its function returned nothing to iterate over.
        """
        origin = self._fresh()
        if (waiting := streams.batches_of(origin, weigher, self.until)) is not None:
            return Reading(self, origin, _without_places(waiting), gauge, weigher, start)
        found = _found(origin, weigher, start.token, self.name)
        return Reading(self, origin, found, gauge, weigher, start)

    def _fresh(self) -> Any:
        """What can be read from its beginning now."""
        origin = self.origin
        if not _gives_items(origin):
            origin = origin(*self.arguments)
            streams.refuse_returned(origin, self.name)
            if isinstance(origin, (str, bytes)):
                raise errors.UsageError(
                    f"{self.name} returned {type(origin).__name__}, which would give its letters.",
                    hint="Return a list of it, or make it a generator function.",
                )
            if not _gives_items(origin):
                raise errors.UsageError(
                    f"{self.name} returned {type(origin).__name__}, which cannot be iterated over.",
                    hint="Return an iterable, or make it a generator function.",
                )
            return origin
        if self._is_used_up and self._again is not None:
            return copy.copy(self._again)
        if isinstance(origin, (Iterator, AsyncIterator)) or self._again is not None:
            if self._is_used_up:
                raise errors.UsageError(
                    f"the source, {self.name}, is an iterator that a run has used up.",
                    hint="Give the function that makes it: Flow(function, *arguments).",
                )
            self._is_used_up = True
        return origin


def _found(origin: Any, weigher: Weigher, after: Any, name: str) -> Iterator[Found]:
    """Batches of anything, from behind a token on."""
    if is_file(origin):
        if after is not None:
            _refuse_shorter(origin, after, name)
        return _of_a_file(origin if after is None else origin.since(after), weigher)
    if isinstance(origin, Batched) and not isinstance(origin, Iterator):
        return _of_batches(origin, weigher, after)
    if after is not None:
        raise errors.UsageError(
            f"{name} cannot be read from {after!r:.60} on, where a checkpoint stands.",
            hint="It is another source than the checkpoint's: remove the checkpoint to begin anew.",
        )
    return Items(origin, weigher)


def _refuse_shorter(origin: Any, after: Any, name: str) -> None:
    """A plain file, which is read on from a byte, has that byte."""
    if not isinstance(after, int):
        return
    size = origin.bytes_known
    if size or (os.path.isfile(origin.name) and not os.path.getsize(origin.name)):
        end = size + getattr(origin, "extent", (0, 0))[0]
        if end < after:
            raise errors.UsageError(
                f"{name} has {end:,} bytes, and the checkpoint's place is behind {after:,}.",
                hint="It is shorter than it was: put it back, or remove the checkpoint to begin anew.",
            )


def _without_places(batches: Iterator[Batch]) -> Generator[Found, None, None]:
    """Each of them; it is not held meanwhile, and what gives them is closed at the end."""
    try:
        for batch in batches:
            box = [batch]
            del batch
            yield box.pop(), None, None
    finally:
        if isinstance(batches, Generator):
            batches.close()


def _of_a_file(origin: Any, weigher: Weigher) -> Generator[Found, None, None]:
    """Lines as they come, list by list; pieces together, as copies: those that are lent are good for one turn only."""
    is_chunks, is_followed = is_a("flatwater.source.files.chunks", "FileChunks", origin), origin.is_followed
    if is_chunks and not is_followed:
        pieces = map(bytes, origin)
        try:
            for batch in weigher.batches(pieces):
                box = [batch]
                del batch
                yield box.pop(), None, origin.mark
        finally:
            origin.close()
        return
    knows_place, place = hasattr(origin, "since"), None
    lists = ([bytes(piece)] for piece in origin) if is_chunks else origin.lists()
    if is_followed:
        lists = streams.with_looks(lists, origin.stop)
    try:
        for items in lists:
            parts = weigher.parts(items)
            del items
            place = origin.mark if knows_place else None  # where these lines begin, or this piece ends
            yield from _handed_on(parts, None if is_chunks else place, place if is_chunks else None)
        if place is not None and not is_chunks and not is_followed:
            yield [], None, origin.mark  # behind the last line, to go on from there when there are more
    finally:
        origin.close()
        lists.close()


def _of_batches(origin: Any, weigher: Weigher, after: Any) -> Generator[Found, None, None]:
    options: dict[str, Any] = {}
    if is_a("flatwater.store.partition", "Partition", origin):
        options = {"bytes": weigher.bytes_max, "rows": weigher.rows_max} | ({"start": after} if after else {})
    else:
        if is_a("flatwater.source.tables.table", "Table", origin):
            options = {"batch_bytes": weigher.bytes_max, "batch_rows": weigher.rows_max}
        options |= {"after": after} if after is not None else {}
    walk = origin.batches(**options)
    named = "resume_key" if hasattr(walk, "resume_key") else "token"
    try:
        for batch in walk:
            if not isinstance(batch, list):
                raise errors.UsageError(f"batches() gave {type(batch).__name__}, which is no list.", hint="Give lists.")
            parts = weigher.parts(batch)
            del batch
            yield from _handed_on(parts, None, getattr(walk, named, None))
    finally:
        close = getattr(walk, "close", None)
        if close is not None:
            close()


def _handed_on(parts: list[Batch], before: Any, behind: Any) -> Iterator[Found]:
    """Each of them once: what is handed on is not held any more."""
    parts.reverse()
    while len(parts) > 1:
        yield parts.pop(), before, None
        before = None
    yield parts.pop(), before, behind


def _gives_items(origin: object) -> bool:
    return isinstance(origin, (Iterable, Batched)) or streams.is_stream(origin)


def is_file(origin: object) -> bool:
    """Whether it is a reader of a file, good for one pass."""
    return is_a("flatwater.source.files.one_pass", "OnePass", origin)


def _copied(origin: object) -> Any:
    """Another one like it, if it is a reader of this house that is good for one pass and not read yet."""
    if not is_file(origin):
        return None
    try:
        return copy.copy(origin)
    except errors.UsageError:  # it is open, or cannot be opened twice: then there is this one pass
        return None
