"""How it is told that a file of the source is the version that was copied.

Covers:     by etag, by size and time, by size, by checksum; which of them, where nobody says.
Not here:   what arrived at the destination (`sync.transfer`).
Holds:      nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, final

from flatwater import errors
from flatwater.sync.entry import Entry
from flatwater.sync.failures import ChangedFailure, GoneFailure, RefusedFailure
from flatwater.sync.record import COMPARED, ETAGS_AT, Record, kept_time
from flatwater.sync.remote import Remote
from flatwater.sync.status import Status

Compare = Literal["auto", "etag", "mtime", "size", "checksum"]
COMPARES = ("auto", "etag", "mtime", "size", "checksum")
_SAID = {
    "etag": "etag and size, as the source tells them",
    "mtime": "size and time of the last change",
    "size": "size alone: a change that keeps the size is not seen",
    "checksum": "size and MD5 of the content: each file is read",
}


@final
class Comparison:
    """One way of telling versions apart.

    Args:
        wanted: one of `COMPARES`; "auto" takes etags where the source tells them, else size and time.
        source: whose files they are.
        content_md5: reads a file of the source; for "checksum".

    Attributes:
        name: of the way that was chosen.
        same: whether a file that is listed is the version in a packed record of a synced file, in a few hundred nanoseconds.

    Raises:
        UsageError: there is no such way, or the source tells no etags.
    """

    def __init__(self, wanted: str, source: Remote, content_md5: Callable[[Entry], bytes]) -> None:
        if wanted not in COMPARES:
            raise errors.UsageError(f"compare={wanted!r} is not known.", hint=f"Take one of {', '.join(COMPARES)}.")
        if wanted == "etag" and not source.tells_etag:
            raise errors.UsageError(
                f"{source.url} tells no etags.", hint="Compare by mtime, size or checksum; auto takes what there is."
            )
        self.name = ("etag" if source.tells_etag else "mtime") if wanted == "auto" else wanted
        self._content_md5 = content_md5
        ways: dict[str, Callable[[Entry, bytes], bool]] = {
            "etag": _same_etag, "mtime": _same_mtime, "size": _same_size, "checksum": _never,
        }  # fmt: skip
        self.same = ways[self.name]

    @property
    def said(self) -> str:
        """For people."""
        return _SAID[self.name]

    def is_same(self, entry: Entry, record: Record) -> bool:
        """Whether a file that is listed is the version that a record describes, whatever its status."""
        if entry.size != record.size:
            return False
        if self.name == "size":
            return True
        if self.name == "checksum":
            try:
                return bool(record.md5) and self._content_md5(entry) == record.md5
            except (GoneFailure, RefusedFailure, ChangedFailure):
                return False  # the file's own matter: copying it says what it is
        if self.name == "etag" and entry.etag and record.etag:
            return entry.etag == record.etag
        return kept_time(entry.mtime_ns) == record.mtime_ns


def _same_mtime(
    entry: Entry, value: bytes, unpack: Callable[[bytes], tuple[int, ...]] = COMPARED.unpack_from, synced: int = Status.SYNCED
) -> bool:  # fmt: skip
    status, _flags, _generation, size, mtime_ns, _etag_bytes = unpack(value)
    return status == synced and size == entry[1] and mtime_ns == entry[2]


def _same_etag(
    entry: Entry, value: bytes, unpack: Callable[[bytes], tuple[int, ...]] = COMPARED.unpack_from, synced: int = Status.SYNCED
) -> bool:  # fmt: skip
    status, _flags, _generation, size, mtime_ns, etag_bytes = unpack(value)
    if status != synced or size != entry[1]:
        return False
    if etag_bytes and entry[3]:
        return value[ETAGS_AT : ETAGS_AT + etag_bytes] == entry[3]
    return mtime_ns == entry[2]


def _same_size(
    entry: Entry, value: bytes, unpack: Callable[[bytes], tuple[int, ...]] = COMPARED.unpack_from, synced: int = Status.SYNCED
) -> bool:  # fmt: skip
    status, _flags, _generation, size, _mtime_ns, _etag_bytes = unpack(value)
    return status == synced and size == entry[1]


def _never(_entry: Entry, _value: bytes) -> bool:
    return False
