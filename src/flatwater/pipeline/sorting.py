"""The stage that sorts more than memory has: runs on disk, merged block by block.

Covers:     filling memory, writing a sorted run, levels of runs, the last merge; all in memory where it fits.
Not here:   the merge (`pipeline.blocks`), the file (`pipeline.spilling`), flows that are sorted already (`pipeline.merging`).
Holds:      the items of one run, or one block of each run; see `Sort.bytes_max`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from flatwater import limits
from flatwater.pipeline.blocks import Block, Scale, merged, sort_by
from flatwater.pipeline.place import Batch, Place
from flatwater.pipeline.spilling import SpillFile
from flatwater.pipeline.stages import Function, called, name_of

_SORT_SLOT_BYTES = 12  # of an item while its list is sorted: half a pointer that `list.sort` sets aside, one that grew
_KEY_SLOT_BYTES = 24  # of a key beside it: in the list of keys, in `list.sort`, half of one set aside
_PAIR = 2  # runs: fewer cannot be merged
_BLOCKS_ASIDE = 4  # of the bytes: one that is made, as objects and twice as bytes; and what weighing is wrong by


@dataclass(frozen=True, slots=True)
class Sort:
    """All items in order. Stable."""

    key: Function | None
    sort_bytes: int
    reverse: bool = False
    folder: str = ""

    why_no_checkpoint: ClassVar[str] = "gives nothing before it has had everything"

    @property
    def name(self) -> str:
        """For people."""
        return f"sort({name_of(self.key) if self.key is not None else ''})"

    def bytes_max(self, batch_bytes: int) -> int:
        """The most it holds, in bytes, beside two of the largest items, as they are and as bytes."""
        total = 0
        total += self.sort_bytes  # the run that is filled; or a block of each run; what is written or read
        total += batch_bytes  # the batch that is handed on
        return total

    def over(self, batches: Iterator[Batch], place: Place) -> Iterator[Batch]:
        """Nothing before the last batch has come; then all."""
        sorting = _Sorting(self, place)
        try:
            for batch in batches:
                box = [batch]
                del batch
                sorting.add(box)
            yield from sorting.sorted()
        finally:
            sorting.close()


@final
@dataclass(slots=True)
class _SortedRun:
    """Blocks in a file, in order.

    Attributes:
        start: the offset of the first one.
        end: the offset behind the last one.
        block_bytes: heap bytes of the heaviest one.
        level: how often its items have been merged.
    """

    file: SpillFile
    start: int
    end: int = 0
    block_bytes: int = 0
    level: int = 0

    def blocks(self) -> Iterator[Block]:
        offset = self.start
        while offset < self.end:
            keys, items, offset = self.file.read_block(offset)
            box = [(keys, items)]
            del keys, items
            yield box.pop()


@final
class _Sorting:
    """One sort, in one run of the flow."""

    def __init__(self, stage: Sort, place: Place) -> None:
        self._stage = stage
        self._place = place
        self._block_bytes = max(1, stage.sort_bytes // (limits.FLOW_SORT_RUNS_AT_ONCE + _BLOCKS_ASIDE))
        self._room = max(1, stage.sort_bytes - _BLOCKS_ASIDE * self._block_bytes)
        self._scale = Scale()  # of what comes
        self._cutting = Scale()  # of blocks
        self._handing = Scale()  # of batches
        self._items: list[Any] = []
        self._keys: list[Any] = self._items if stage.key is None else []
        self._held = 0
        self._slot_bytes = _SORT_SLOT_BYTES + (0 if stage.key is None else _KEY_SLOT_BYTES)
        self._runs: list[_SortedRun] = []
        self._files: list[SpillFile] = []  # of each level

    def add(self, box: list[Batch]) -> None:
        """Take the batch; what does not fit any more goes to disk."""
        gauge, key = self._place.gauge, self._stage.key
        items = box.pop()
        if key is None:
            gauge.items_in += len(items)
            keys = items
        else:
            keys, items = called(key, items, gauge, self._place.policy)
        self._add(keys, items)

    def _add(self, keys: list[Any], items: list[Any]) -> None:
        if not items:
            return
        size = self._scale.weigh(keys, items) + self._slot_bytes * len(items)
        if self._held + size > self._room:
            if len(items) > 1 and size > self._block_bytes:  # by halves, so that a heavy item does not come with others
                half = len(items) // 2
                first = items[:half]
                self._add(first if keys is items else keys[:half], first)
                rest = items[half:]
                self._add(rest if keys is items else keys[half:], rest)
                return
            if self._held:
                self._spill()
        self._items += items
        if keys is not items:
            self._keys += keys
        self._held += size

    def _spill(self) -> None:
        """Write what is held as a run."""
        reverse = self._stage.reverse
        sort_by(self._keys, self._items, reverse=reverse)
        if self._keys is not self._items:
            self._keys.sort(reverse=reverse)  # as the items were: the same keys, the same steps
        run = self._begin(0)
        self._write(run, self._keys, self._items)
        self._runs.append(run)
        self._held = 0
        level = 0
        while sum(run.level == level for run in self._runs) >= limits.FLOW_SORT_RUNS_MAX:
            self._merge_level(level)
            level += 1

    # --- runs ---------------------------------------------------------------------------------------------------------

    def _begin(self, level: int) -> _SortedRun:
        while len(self._files) <= level:
            self._files.append(SpillFile(self._stage.folder, self._stage.name))
        file = self._files[level]
        return _SortedRun(file, file.size, level=level)

    def _write(self, run: _SortedRun, keys: list[Any], items: list[Any]) -> None:
        """Empties the lists."""
        for size, (part_keys, part) in self._cutting.cut(keys, items, self._block_bytes, len(items)):
            run.block_bytes = max(run.block_bytes, size)
            run.file.write_block(part_keys, part)
            del part_keys, part
        run.end = run.file.size

    def _merge_level(self, level: int) -> None:
        """Runs of one level, which are the newest ones, into fewer of the next; their file is empty then."""
        first = next(at for at, run in enumerate(self._runs) if run.level == level)
        old = self._runs[first:]
        del self._runs[first:]
        while old:
            count = self._count(old, len(old), limits.FLOW_SORT_RUNS_AT_ONCE)
            self._runs.append(self._merged(old[len(old) - count :], level + 1))
            del old[len(old) - count :]
        self._runs[first:] = reversed(self._runs[first:])  # the newest ones were merged first
        self._files[level].clear()

    def _merged(self, runs: Sequence[_SortedRun], level: int) -> _SortedRun:
        """One run of many."""
        run = self._begin(level)
        inputs = [each.blocks() for each in runs]
        for keys, items in merged(inputs, reverse=self._stage.reverse, wants_keys=True):
            self._write(run, keys, items)
        return run

    def _count(self, runs: Sequence[_SortedRun], end: int, wanted: int) -> int:
        """How many runs in front of `end` can be merged: one block of each has to fit. Two at least, if there are two.

        No more than are wanted.
        """
        count = held = 0
        for run in reversed(runs[:end]):
            held += run.block_bytes
            if count >= wanted or (held > self._room and count >= _PAIR):
                break
            count += 1
        return count

    # --- the end ------------------------------------------------------------------------------------------------------

    def sorted(self) -> Iterator[Batch]:
        """All of it, in order."""
        reverse, runs = self._stage.reverse, self._runs
        if not runs:
            sort_by(self._keys, self._items, reverse=reverse)
            box, self._keys, self._items = [self._items], [], []
            yield from self._handing.batches(box, self._place)
            return
        if self._items:
            self._spill()
        self._reduce()
        for keys, items in merged([run.blocks() for run in runs], reverse=reverse, wants_keys=False):
            box = [items]
            del keys, items
            yield from self._handing.batches(box, self._place)

    def _reduce(self) -> None:
        """Merge until one block of each run fits; no more than has to be, and the newest ones, which are short, first."""
        runs, most, level = self._runs, limits.FLOW_SORT_RUNS_AT_ONCE, len(self._files)
        end = len(runs)
        while len(runs) > _PAIR and (len(runs) > most or sum(run.block_bytes for run in runs) > self._room):
            if end < _PAIR:
                end = len(runs)
            wanted = min(most, len(runs) - most + 1) if len(runs) > most else most
            count = self._count(runs, end, max(_PAIR, wanted))
            runs[end - count : end] = [self._merged(runs[end - count : end], level)]
            end -= count

    def close(self) -> None:
        """Nothing of it is left."""
        for file in self._files:
            file.close()
