"""What a state keeps of one file, as bytes.

Covers:     packing, and reading the parts that a scan compares.
Not here:   the store they are in (`sync.state`).
Holds:      nothing.

Bytes: status (1), flags (1), generation (4), size (8), time (8), length of the etag (1); then for the copy its time (8) and
the length of its etag (1); then both etags, and the MD5 of the content where it is known (16). Little-endian.
"""

from __future__ import annotations

import struct
from typing import NamedTuple, final

from flatwater.sync.entry import UNKNOWN, Entry
from flatwater.sync.status import Status

FORM = struct.Struct("<BBIQqBqB")  # and the copy's time, and the length of its etag
COMPARED = struct.Struct(
    "<BBIQqB"
)  # the beginning of the former: status, flags, generation, size, time, length of the etag
ETAGS_AT = FORM.size
HAS_COPY, IS_MARKED = 1, 2
_MD5_BYTES = 16
_ETAG_BYTES_MAX = 255
NO_SIZE = (1 << 64) - 1  # of a version that is not known: no file has it
_TIME_MAX = (1 << 63) - 1  # in the year 2262; some file systems have later times


@final
class Record(NamedTuple):
    """What is known of one file.

    Attributes:
        status: of the file.
        has_copy: whether the destination may have a version of it that a sync put there.
        generation: of the scan that changed it last.
        size: of the source's version that was copied, or is to be; `NO_SIZE` where that is not known.
        mtime_ns: of that version.
        etag: of that version.
        copy_mtime_ns: of the copy, as the destination told it.
        copy_etag: the same.
        md5: of the content, as bytes; b"" where it is not known.
        is_marked: `has_copy` was written before the first copy was begun, and it is not known whether that was published: what
            stands there may be somebody else's. The version is the one that was to be copied.
    """

    status: Status
    has_copy: bool = False
    generation: int = 0
    size: int = NO_SIZE
    mtime_ns: int = UNKNOWN
    etag: bytes = b""
    copy_mtime_ns: int = UNKNOWN
    copy_etag: bytes = b""
    md5: bytes = b""
    is_marked: bool = False

    def packed(self) -> bytes:
        """As bytes. An etag of more than 255 bytes counts as none."""
        etag = self.etag if len(self.etag) <= _ETAG_BYTES_MAX else b""
        copy_etag = self.copy_etag if len(self.copy_etag) <= _ETAG_BYTES_MAX else b""
        flags = HAS_COPY | (IS_MARKED if self.is_marked else 0) if self.has_copy else 0
        return (
            FORM.pack(
                self.status, flags, self.generation, self.size, kept_time(self.mtime_ns), len(etag),
                kept_time(self.copy_mtime_ns), len(copy_etag),
            )
            + etag + copy_etag + self.md5
        )  # fmt: skip

    def forgotten(self, status: Status, generation: int) -> Record:
        """The same file with that status, of which no copied version is known any more."""
        if self.has_copy and self.is_marked:  # by its version it is told from somebody else's
            return self._replace(status=status, generation=generation)
        return Record(status, self.has_copy, generation)


def kept_time(mtime_ns: int) -> int:
    """A time as a state keeps it: one that is too far from 1970 for 64 bits is the farthest that is not."""
    return max(-_TIME_MAX - 1, min(mtime_ns, _TIME_MAX))


def unpacked(value: bytes) -> Record:
    """What `Record.packed` made bytes of."""
    status, flags, generation, size, mtime_ns, etag_bytes, copy_mtime_ns, copy_etag_bytes = FORM.unpack_from(value)
    middle = ETAGS_AT + etag_bytes
    end = middle + copy_etag_bytes
    return Record(
        Status(status), bool(flags & HAS_COPY), generation, size, mtime_ns, value[ETAGS_AT:middle],
        copy_mtime_ns, value[middle:end], value[end : end + _MD5_BYTES], bool(flags & IS_MARKED),
    )  # fmt: skip


def is_version(record: Record, entry: Entry) -> bool:
    """Whether a record has the very version of a file."""
    return (record.size, record.mtime_ns, record.etag) == (entry.size, kept_time(entry.mtime_ns), entry.etag)


def found(entry: Entry, generation: int, before: Record | None = None) -> Record:
    """A file that is to be copied, as a listing shows it."""
    record = Record(
        Status.NEW,
        has_copy=False,
        generation=generation,
        size=entry.size,
        mtime_ns=kept_time(entry.mtime_ns),
        etag=entry.etag,
    )
    return record if before is None else record._replace(has_copy=before.has_copy, is_marked=before.is_marked)
