"""What a flow begins with: anything that can be iterated over, and what this house reads by batches.

Covers:     iterables, iterators that are used up, functions that make one, tables and stores by their own batches.
Not here:   reading files, tables and documents (`source`), queues and followed files.
Holds:      one batch, while it is gathered; see `Source.bytes_max`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, final

from flatwater import errors
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.stages import Batch, name_of
from flatwater.pipeline.weighing import Weigher


@final
class Source:
    """Where the items of a flow come from. Picklable, if what it holds is.

    Args:
        origin: an iterable; something with `batches()`, such as a `Table` or a `Store`; or a function.
        arguments: of that function, which is called anew in each run.

    Raises:
        UsageError: it is none of these, or a text, whose letters nobody wants.
    """

    def __init__(self, origin: Any, arguments: tuple[Any, ...]) -> None:
        is_iterable, is_function = isinstance(origin, Iterable) or hasattr(origin, "batches"), callable(origin)
        if isinstance(origin, (str, bytes)):
            raise errors.UsageError(
                f"{origin!r:.60} as a source would give its letters.",
                hint="For the lines of a file take fw.lines(path), for its pieces fw.FileChunks(path).",
            )
        if not is_iterable and not is_function:
            raise errors.UsageError(
                f"{type(origin).__name__} is no source.", hint="Give an iterable, or a function that returns one."
            )
        if arguments and not is_function:
            raise errors.UsageError("only a function takes arguments.", hint="Flow(function, *arguments)")
        self.origin = origin
        self.arguments = arguments
        self._is_used_up = False

    @property
    def name(self) -> str:
        """For people."""
        if isinstance(self.origin, Iterable) or hasattr(self.origin, "batches"):
            return type(self.origin).__name__
        return name_of(self.origin)

    def bytes_max(self, batch_bytes: int) -> int:
        """The most it holds, in bytes, beside what its origin takes from the budget itself."""
        return batch_bytes  # the batch that is gathered

    def origin_bytes(self, batch_bytes: int) -> int:
        """What the origin takes from the budget when it is read, in bytes, as far as it tells."""
        if _is_partition(self.origin):
            return 2 * batch_bytes  # a walk's; the store's own bytes have been taken since it was opened
        ask: Callable[[], int] | None = getattr(self.origin, "bytes_max", None)
        return ask() if ask is not None else 0

    def batches(self, weigher: Weigher, gauge: Gauge) -> Iterator[Batch]:
        """Its items, in lists.

        Raises:
            UsageError: it is an iterator that another run has used up, or its function returned nothing to iterate over.
        """
        origin = self.origin
        if not isinstance(origin, Iterable) and not hasattr(origin, "batches"):
            origin = origin(*self.arguments)
        elif isinstance(origin, Iterator):
            if self._is_used_up:
                raise errors.UsageError(
                    f"the source, {self.name}, is an iterator that a run has used up.",
                    hint="Give the function that makes it: Flow(function, *arguments).",
                )
            self._is_used_up = True
        if hasattr(origin, "batches") and not isinstance(origin, Iterator):
            return self._counted(_batches_of(origin, weigher), gauge, weigher)
        if not isinstance(origin, Iterable):
            raise errors.UsageError(
                f"{self.name} returned {type(origin).__name__}, which cannot be iterated over.",
                hint="Return an iterable, or make it a generator function.",
            )
        return weigher.batches(map(bytes, origin) if _lends(origin) else origin, gauge)

    @staticmethod
    def _counted(batches: Iterable[Batch], gauge: Gauge, weigher: Weigher) -> Iterator[Batch]:
        for batch in batches:
            gauge.bytes_out += weigher.weigh(batch)
            box = [batch]
            del batch
            yield box.pop()


def _is_partition(origin: object) -> bool:
    store = sys.modules.get("flatwater.store.partition")  # not imported: then it is none
    return store is not None and isinstance(origin, store.Partition)


def _lends(origin: object) -> bool:
    """Whether its items are views that are good until the next one: in a batch there are several."""
    chunks = sys.modules.get("flatwater.source.files.chunks")
    return chunks is not None and isinstance(origin, chunks.FileChunks)


def _batches_of(origin: Any, weigher: Weigher) -> Iterable[Batch]:
    if _is_partition(origin):
        batches: Iterable[Batch] = origin.batches(bytes=weigher.bytes_max, rows=weigher.rows_max)
        return batches
    return origin.batches()  # type: ignore[no-any-return]
