"""Copy one file: read it, write it beside its place, look at what arrived, publish it.

Covers:     chunks, what is verified, versions that change meanwhile, copying inside one store, bandwidth.
Not here:   which files (`sync.copying`), trying again (`sync.retrying`), how a remote reads and writes.
Holds:      one chunk for each file under way, beside what its reading and writing hold.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, final

from flatwater import limits
from flatwater.sync.entry import Entry
from flatwater.sync.failures import ChangedFailure, GoneFailure, RefusedFailure, TemporaryFailure
from flatwater.sync.pacing import FREE, Pace
from flatwater.sync.record import Record
from flatwater.sync.remote import Reading, Remote, Writing, shown
from flatwater.sync.retrying import Stopped
from flatwater.sync.status import Status

Verify = Literal["size", "etag", "content"]
VERIFIES = ("size", "etag", "content")
_MD5 = re.compile(rb"[0-9a-f]{32}")


class Copied(NamedTuple):
    """What was copied.

    Attributes:
        record: of the file, synced.
        bytes: that went through this process; 0 where the store copied by itself.
    """

    record: Record
    bytes: int


@final
class Transfer:
    """Copies files of one pair of remotes. Thread-safe.

    Args:
        source: from where.
        destination: to where.
        verify: "size": as many bytes arrived as were sent; "etag": the same, and the MD5 is compared with every etag that is
            one, of the source and of the destination; "content": the same, and what arrived is read again.
        needs_md5: whether the MD5 is kept with each file, for comparing by checksum.
        bandwidth: bytes are taken from it.
        stop: when it is set, files under way are given up.
    """

    def __init__(
        self, source: Remote, destination: Remote, *, verify: Verify = "etag", needs_md5: bool = False, bandwidth: Pace = FREE,
        stop: threading.Event | None = None,
    ) -> None:  # fmt: skip
        self._source = source
        self._destination = destination
        self._verify = verify
        self._bandwidth = bandwidth
        self._stop = stop or threading.Event()
        told = verify != "size" and (source.tells_md5 or destination.tells_md5)
        self._hashes = needs_md5 or told or verify == "content"
        self._is_inside = destination.copies_inside(source) and not (needs_md5 or verify == "content")

    def copy(self, path: bytes, generation: int, publishes: Callable[[Entry], object] = bool) -> Copied:
        """Copy a file; it is tried once.

        Args:
            path: of the file.
            generation: of the scan.
            publishes: called with the version before the destination may have it; where it fails earlier, nothing was changed.

        Raises:
            Stopped: the run ends.
            GoneFailure: the source does not have it any more.
            ChangedFailure: it changed meanwhile, and nothing was published.
            Failure: of any other kind, by what is to be done about it.
        """
        refused = self._destination.refusal(path)
        if refused:
            raise RefusedFailure(f"{shown(path)} cannot be a file of {self._destination.url}: {refused}.")
        if self._is_inside and (inside := self._inside(path, generation, publishes)) is not None:
            return inside
        with self._source.read(path) as reading:
            entry = reading.entry
            self._let_settle(entry)
            writing = self._destination.write(path, entry.size, reading.attributes)
            digest = hashlib.md5(usedforsecurity=False) if self._hashes else None
            try:
                self._pour(path, reading, writing, digest)
                self._check_source(path, entry, digest)
                publishes(entry)
                arrived = writing.publish()
            except BaseException:
                writing.abandon()
                raise
        md5 = b"" if digest is None else digest.digest()
        self._check_arrived(path, entry, arrived, md5)
        return Copied(_record(entry, arrived, md5, generation), entry.size)

    def _pour(self, path: bytes, reading: Reading, writing: Writing, digest: Any) -> None:
        size = reading.entry.size
        count = 0
        while True:
            chunk = reading.read(min(limits.SYNC_CHUNK_BYTES, max(size - count, 0) + 1))
            if not chunk:
                break
            count += len(chunk)
            if count > size:
                raise ChangedFailure(f"{shown(path)} became longer while it was copied.")
            if self._stop.is_set():
                raise Stopped
            if digest is not None:
                digest.update(chunk)
            self._bandwidth.take(len(chunk))
            writing.write(chunk)
        if count != size or not reading.is_unchanged():
            raise ChangedFailure(f"{shown(path)} changed while it was copied.")

    def _check_source(self, path: bytes, entry: Entry, digest: Any) -> None:
        if digest is None or self._verify == "size" or not self._source.tells_md5 or not is_md5(entry.etag):
            return
        if digest.hexdigest().encode() != entry.etag and self._source.is_md5_told(path):
            raise TemporaryFailure(f"{shown(path)} was not read as the source has it: its MD5 is another one.")

    def _check_arrived(self, path: bytes, entry: Entry, arrived: Entry, md5: bytes) -> None:
        if arrived.size != entry.size:
            raise TemporaryFailure(f"{shown(path)} arrived with {arrived.size} bytes of {entry.size}.")
        if self._verify == "size":
            return
        is_told = md5 and self._destination.tells_md5 and is_md5(arrived.etag)
        if is_told and arrived.etag != md5.hex().encode() and self._destination.is_md5_told(path):
            raise TemporaryFailure(f"{shown(path)} did not arrive as it was sent: its MD5 is another one.")
        if self._verify == "content" and content_md5(self._destination, path) != md5:
            raise TemporaryFailure(
                f"{shown(path)} did not arrive as it was sent: what was read again is another content."
            )

    def _inside(self, path: bytes, generation: int, publishes: Callable[[Entry], object]) -> Copied | None:
        """Let the store copy, where both ends are one."""
        entry = self._source.find(path)
        if entry is None:
            raise GoneFailure(f"{shown(path)} is not there any more.")
        self._let_settle(entry)
        publishes(entry)
        arrived = self._destination.copy_inside(self._source, entry, path)
        if arrived is None:
            return None
        if arrived.size != entry.size:
            raise ChangedFailure(f"{shown(path)} changed while it was copied.")
        return Copied(_record(entry, arrived, b"", generation), 0)

    def _let_settle(self, entry: Entry) -> None:
        """Wait until a file that was changed just now could not be changed again without getting another time."""
        step_ns = self._source.mtime_step_ns + limits.SYNC_TIME_STEP_NS
        left_ns = entry.mtime_ns + step_ns - time.time_ns()
        if not entry.etag and 0 < left_ns <= step_ns:
            time.sleep(left_ns / 1e9)


def _record(entry: Entry, arrived: Entry, md5: bytes, generation: int) -> Record:
    return Record(
        Status.SYNCED, has_copy=True, generation=generation, size=entry.size, mtime_ns=entry.mtime_ns, etag=entry.etag,
        copy_mtime_ns=arrived.mtime_ns, copy_etag=arrived.etag, md5=md5,
    )  # fmt: skip


def is_md5(etag: bytes) -> bool:
    """Whether an etag has the form of an MD5."""
    return _MD5.fullmatch(etag) is not None


def content_md5(remote: Remote, path: bytes) -> bytes:
    """The MD5 of a file of a remote, which is read for it."""
    digest = hashlib.md5(usedforsecurity=False)
    with remote.read(path) as reading:
        while chunk := reading.read(limits.SYNC_CHUNK_BYTES):
            digest.update(chunk)
        if not reading.is_unchanged():
            raise ChangedFailure(f"{shown(path)} changed while it was read.")
    return digest.digest()
