"""The stage that passes the first item of each key on, in a stream, whatever the number of keys.

Covers:     digests of keys, the first item of each.
Not here:   what a digest is (`pipeline.digests`), remembering them (`pipeline.remembering`).
Holds:      digests; see `Distinct.bytes_max`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from flatwater.pipeline.digests import digest_of
from flatwater.pipeline.place import Batch, Place
from flatwater.pipeline.remembering import Remembered
from flatwater.pipeline.stages import Function, called, name_of

_ROWS = 1_024  # that are looked up at a time
_ROW_BYTES = 256  # of the digest of one of them, in a list and two tables


@dataclass(frozen=True, slots=True)
class Distinct:
    """The first item of each key."""

    key: Function | None
    distinct_bytes: int
    folder: str = ""

    why_no_checkpoint: ClassVar[str] = "remembers more keys than a checkpoint has room for"

    @property
    def name(self) -> str:
        """For people."""
        return f"distinct({name_of(self.key) if self.key is not None else ''})"

    def bytes_max(self, batch_bytes: int) -> int:  # noqa: ARG002 - items go on as they come
        """The most it holds, in bytes."""
        total = 0
        total += self.distinct_bytes  # digests in memory
        total += _ROWS * _ROW_BYTES  # those that are looked up
        return total

    def over(self, batches: Iterator[Batch], place: Place) -> Iterator[Batch]:
        """Items that are the first ones of their keys, as they come."""
        key = self.key
        function = digest_of if key is None else _of(key)
        remembered = Remembered(self.distinct_bytes, self.folder, self.name)
        try:
            for batch in batches:
                if not batch:
                    yield batch
                    continue
                box: list[Batch] = [[]]
                for first in range(0, len(batch), _ROWS):
                    digests, items = called(function, batch[first : first + _ROWS], place.gauge, place.policy)
                    firsts = dict(zip(reversed(digests), reversed(items), strict=True))  # the first one is set last
                    box[0] += map(firsts.__getitem__, remembered.new(digests))
                    del firsts, items, digests
                del batch
                if box[0]:
                    yield box.pop()
        finally:
            remembered.close()


def _of(key: Function) -> Function:
    def digest(item: Any) -> bytes:
        return digest_of(key(item))

    return digest
