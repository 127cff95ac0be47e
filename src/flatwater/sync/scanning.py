"""Find out what is to be done: the source's listing beside the state, in one pass of both.

Covers:     a scan, whether it is written down or only told; going on where a killed one was; what follows when it is complete.
Not here:   the listing (`sync.listing`), the pass (`sync.joining`), what follows from a status (`sync.status`).
Holds:      what a listing holds, a page of records for each range that is being listed, and changes until they are written.

A file that is unchanged costs no write. Places in the listing are written with the changes before them, and every few seconds
where there are none: a scan that is killed goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Literal, NamedTuple, final

from flatwater import limits
from flatwater.sync import record as records
from flatwater.sync import status as statuses
from flatwater.sync.comparing import Comparison
from flatwater.sync.entry import Entry
from flatwater.sync.joining import joined
from flatwater.sync.listing import Listing
from flatwater.sync.record import Record
from flatwater.sync.state import Change, Range, State, Work
from flatwater.sync.status import Status

Action = Literal["new", "changed", "pending", "retry", "refused", "delete"]


class Told(NamedTuple):
    """One thing that is to be done.

    Attributes:
        action: "new", "changed", "pending" (an earlier run found it and did not come to it), "retry" (it failed before),
            "refused" (the destination cannot have such a path), "delete".
        path: of the file.
        size: in bytes; 0 for what is deleted.
        reason: of a refusal, or of the failure before; "" elsewhere.
    """

    action: Action
    path: bytes
    size: int
    reason: str = ""


Tell = Callable[[Told], None]


@final
class Scan:
    """One scan. For one thread.

    Args:
        state: what is known; changed, unless it was opened for reading.
        listing: of the source.
        ranges: of the listing; the present places in it are kept in them.
        comparison: how versions are told apart.
        takes: whether a path is one of those that are wanted; None: all are.
        tell: called for each file that is to be copied or deleted; only where nothing is written.

    Attributes:
        files: that were listed.
        bytes: of these.
        new, changed, missing, back: how many changes of each kind were found: files that are new, that are another version, that
            are gone, that were gone before.
        synced_more: how many more files are synced than before, when all of these are copied.
        is_complete: whether the listing was.
    """

    def __init__(
        self,
        state: State,
        listing: Listing,
        ranges: list[Range],
        comparison: Comparison,
        takes: Callable[[bytes], bool] | None,
        tell: Tell | None = None,
    ) -> None:
        self._state = state
        self._listing = listing
        self._ranges = ranges
        self._comparison = comparison
        self._takes = takes
        self._tell = tell
        self._generation = state.run.generation
        self._changes: list[Change] = []
        self._touched: set[int] = set()
        self._written_s = time.monotonic()
        self.files = self.bytes = 0
        self.new = self.changed = self.missing = self.back = self.synced_more = 0
        self.is_complete = False

    def run(self, progress: Callable[[], None]) -> None:
        """Look at all files that are not looked at yet.

        Args:
            progress: called after each batch.

        Raises:
            Failure: the source could not be listed to its end: what was found is written.
        """
        parts = joined(self._state, self._listing, self._ranges, self._comparison.same, self._deviates, self._takes)
        try:
            with closing(parts):
                for part in parts:
                    self.files += len(part.batch)
                    self.bytes += sum([entry[1] for entry in part.batch])
                    self._done(part.number, part.last, is_last=part.is_last)
                    progress()
        finally:
            self._write()
        self.is_complete = self._state.run.is_complete and not self._listing.unread_count

    def _done(self, number: int, last: bytes, *, is_last: bool) -> None:
        """All of the range up to a path is in `self._changes`, or was as it should be."""
        self._ranges[number].done = last
        self._ranges[number].is_done = is_last
        self._touched.add(number)
        if len(self._changes) >= limits.SYNC_COMMIT_ROWS or time.monotonic() - self._written_s > limits.SYNC_RECORD_S:
            self._write()

    def _write(self) -> None:
        """Changes, and then the places in the listing that are behind them."""
        self._flush()
        touched, self._touched = self._touched, set()
        if not self._state.read_only:
            if self._listing.unread_count:
                self._state.run.is_complete = False
            self._state.commit(ranges={number: self._ranges[number] for number in touched})
        self._written_s = time.monotonic()

    def _flush(self) -> None:
        changes, self._changes = self._changes, []
        if self._state.read_only:
            return
        try:
            self._state.commit_each(changes)
        except BaseException:
            self._touched.clear()  # no place may be written that is behind changes which were not
            raise

    def _deviates(self, path: bytes, entry: Entry | None, value: bytes | None) -> None:
        before = None if value is None else records.unpacked(value)
        after = self._becomes(entry, before)
        if self._tell is not None:
            self._said(path, entry, before, after)
        if after is not before:
            if before is not None and before.is_marked and entry is not None and not self._state.read_only:
                self._state.note_version(path, before)  # a killed run may have published it
            self._changes.append(Change(path, before, after))
            if len(self._changes) >= 2 * limits.SYNC_COMMIT_ROWS:  # many that are missing may come between two files
                self._flush()

    def _becomes(self, entry: Entry | None, before: Record | None) -> Record:
        generation = self._generation
        self.synced_more += (entry is not None) - (before is not None and before.status is Status.SYNCED)
        if entry is None:
            assert before is not None
            status = statuses.missing(before.status)
            if status is before.status:
                return before
            self.missing += 1
            if before.status is Status.SYNCED:
                return before._replace(status=status, generation=generation)
            return before.forgotten(status, generation)
        is_same = before is not None and not before.is_marked and self._comparison.is_same(entry, before)
        status = statuses.seen(None if before is None else before.status, is_same=is_same)
        if before is None:
            self.new += 1
            return records.found(entry, generation)
        if status is Status.SYNCED:
            if before.status is Status.SYNCED:
                return before
            self.back += 1
            return before._replace(status=status, generation=generation)
        if status is Status.ERROR:
            return before
        if before.status is Status.NEW:
            seen = records.found(entry, before.generation, before)
            return before if seen == before else seen._replace(generation=generation)
        self.changed += 1
        return records.found(entry, generation, before)

    def _said(self, path: bytes, entry: Entry | None, before: Record | None, after: Record) -> None:
        tell = self._tell
        assert tell is not None
        if after.status is Status.SYNCED:
            return
        if entry is None:
            if after.has_copy:
                tell(Told("delete", path, 0))
        elif after.status is Status.ERROR:
            tell(Told("retry", path, entry.size, self._state.failure(path)))
        elif before is None:
            tell(Told("new", path, entry.size))
        else:
            tell(Told("pending" if before.status is Status.NEW else "changed", path, entry.size))


def finalize(state: State, takes: Callable[[bytes], bool] | None) -> int:
    """After a complete listing: what it did not have is to be deleted, or not known any more; how many files that were.

    Args:
        state: is changed.
        takes: files that are left out stay as they are.
    """
    count = 0
    for page in state.todo(Work.DECIDE):
        paths = [path for path, _size in page if takes is None or takes(path)]
        changes = []
        for path, value in zip(paths, state.records(paths), strict=True):
            if value is None:
                continue
            before = records.unpacked(value)
            status = statuses.finalized(before.status, has_copy=before.has_copy)
            after = None if status is None else before.forgotten(status, state.run.generation)
            changes.append(Change(path, before, after))
        state.commit_each(changes)
        count += len(changes)
    return count
