"""Look whether the destination still has what was copied to it: its listing beside the state, in one pass of both.

Covers:     files that are missing, altered or not known there; putting them right in the state, so that they are copied again;
            files that are there before a sync ever copied them.
Not here:   the listing (`sync.listing`), the pass (`sync.joining`), copying (`sync.copying`).
Holds:      what a listing holds, a page of records for each range that is being listed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Literal, NamedTuple, final

from flatwater import limits
from flatwater.sync import record as records
from flatwater.sync.entry import UNKNOWN, Entry
from flatwater.sync.failures import GoneFailure
from flatwater.sync.joining import joined
from flatwater.sync.listing import Listing
from flatwater.sync.record import ETAGS_AT, FORM, Record, kept_time
from flatwater.sync.remote import Remote
from flatwater.sync.state import Change, Range, State
from flatwater.sync.status import Status
from flatwater.sync.transfer import is_md5

Kind = Literal["missing", "altered", "unknown", "adopted"]


class Difference(NamedTuple):
    """One file of the destination that is not as the state has it.

    Attributes:
        kind: "missing" (it was copied, and is not there), "altered" (it is another one than was copied), "unknown" (no sync put
            it there), "adopted" (it was there, and is the source's version).
        path: of the file.
        size: at the destination; 0 where it is missing.
    """

    kind: Kind
    path: bytes
    size: int


Adopts = Callable[[Record, Entry], bool]


@final
class Auditing:
    """One look at a destination. For one thread.

    Args:
        state: what was copied; changed where `repairs`.
        destination: that is looked at.
        listing: of the destination.
        ranges: of the listing.
        takes: files that are left out are not looked at.
        tell: called for each difference.
        repairs: files that are missing or altered are marked to be copied again.
        adopts: whether a file that the destination has is the source's version of a new one, which need not be copied then.

    Attributes:
        files: that the destination has.
        fine, pending, missing, altered, unknown, adopted: files of each kind; pending ones are not synced by now.
    """

    def __init__(
        self,
        state: State,
        destination: Remote,
        listing: Listing,
        ranges: list[Range],
        *,
        takes: Callable[[bytes], bool] | None,
        tell: Callable[[Difference], None],
        repairs: bool = False,
        adopts: Adopts | None = None,
    ) -> None:
        self._state = state
        self._listing = listing
        self._ranges = ranges
        self._takes = takes
        self._tell = tell
        self._repairs = repairs
        self._adopts = adopts
        self._same = _same(destination)
        self._changes: list[Change] = []
        self.files = self.pending = self.missing = self.altered = self.unknown = self.adopted = 0

    @property
    def fine(self) -> int:
        """Files that are as they were copied."""
        return self.files - self.altered - self.unknown - self._listed_pending

    _listed_pending = 0

    def run(self, progress: Callable[[], None]) -> None:
        """Look at all files.

        Raises:
            Failure: the destination could not be listed to its end.
        """
        is_begun = False
        try:
            with closing(
                joined(self._state, self._listing, self._ranges, self._same, self._deviates, self._takes)
            ) as parts:
                for part in parts:
                    is_begun = True
                    self.files += len(part.batch)
                    progress()
        except GoneFailure:  # nothing was ever written there: its root is made with the first file
            if is_begun:
                raise
            for page in self._state.pages(b"", b""):
                for (path,), value in page:
                    if self._takes is None or self._takes(path):
                        self._deviates(path, None, value)
        finally:
            self._flush()

    def _deviates(self, path: bytes, entry: Entry | None, value: bytes | None) -> None:
        before = None if value is None else records.unpacked(value)
        if before is None:
            assert entry is not None
            self.unknown += 1
            self._tell(Difference("unknown", path, entry.size))
        elif before.status is Status.SYNCED:
            if entry is None and self._listing.may_have(path):
                return
            if entry is None:
                self.missing += 1
                self._tell(Difference("missing", path, 0))
            else:
                self.altered += 1
                self._tell(Difference("altered", path, entry.size))
            if self._repairs:
                again = before._replace(status=Status.NEW, generation=self._state.run.generation)
                self._change(Change(path, before, again))
        else:
            self._pending(path, entry, before)

    def _pending(self, path: bytes, entry: Entry | None, before: Record) -> None:
        self.pending += 1
        if entry is None:
            return
        self._listed_pending += 1
        if (
            self._adopts is None
            or before.status is not Status.NEW
            or before.has_copy
            or not self._adopts(before, entry)
        ):
            return
        self.adopted += 1
        self._tell(Difference("adopted", path, entry.size))
        synced = before._replace(
            status=Status.SYNCED, has_copy=True, copy_mtime_ns=entry.mtime_ns, copy_etag=entry.etag
        )
        self._change(Change(path, before, synced))

    def _change(self, change: Change) -> None:
        self._changes.append(change)
        if len(self._changes) >= limits.SYNC_COMMIT_ROWS:
            self._flush()

    def _flush(self) -> None:
        changes, self._changes = self._changes, []
        if changes:
            self._state.commit(changes)


def _same(destination: Remote) -> Callable[[Entry, bytes], bool]:
    """Whether a file of the destination is what was copied, by its packed record."""
    keeps_mtime = destination.keeps_mtime
    unpack = FORM.unpack_from
    synced = int(Status.SYNCED)

    def same(entry: Entry, value: bytes) -> bool:
        status, _flags, _generation, size, _mtime_ns, etag_bytes, mtime_ns, copy_etag_bytes = unpack(value)
        if status != synced or size != entry[1]:
            return False
        if copy_etag_bytes and entry[3]:
            start = ETAGS_AT + etag_bytes
            return value[start : start + copy_etag_bytes] == entry[3]
        return (
            not keeps_mtime
            or mtime_ns == entry[2]
            or UNKNOWN in (mtime_ns, entry[2])
            or mtime_ns == kept_time(entry[2])
        )

    return same


def adopting(source: Remote, destination: Remote, compared: str, content_md5: Callable[[Entry], bytes]) -> Adopts:
    """Whether a file that the destination has without a sync is the source's version, by what both of them tell.

    Sizes must be equal, and one of: both etags are the same MD5; both keep times, and they are equal as exactly as both tell
    them; the source's file has the MD5 that the destination tells, where comparing by checksum; sizes alone, where comparing by
    size. What cannot be told is copied.
    """
    step_ns = max(source.mtime_step_ns, destination.mtime_step_ns)

    def adopts(record: Record, entry: Entry) -> bool:
        if record.size != entry.size:
            return False
        if compared == "size":
            return True
        if destination.tells_md5 and is_md5(entry.etag):
            if source.tells_md5 and is_md5(record.etag):
                return record.etag == entry.etag
            if compared == "checksum" or source.kind == "directory":
                wanted = Entry(entry.path, record.size, record.mtime_ns, record.etag)
                return content_md5(wanted).hex().encode() == entry.etag
            return False
        if compared == "mtime" and destination.keeps_mtime and UNKNOWN not in (record.mtime_ns, entry.mtime_ns):
            return record.mtime_ns // step_ns == kept_time(entry.mtime_ns) // step_ns
        return False

    return adopts
