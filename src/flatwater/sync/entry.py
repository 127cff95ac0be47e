"""One file of a remote, as a listing tells it.

Covers:     what is compared, and what goes with a file's bytes.
Not here:   who lists (`sync.walk`, `sync.remotes`).
Holds:      nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

UNKNOWN = -1  # of a time, a mode


class Entry(NamedTuple):
    """A file, where a listing saw it.

    Attributes:
        path: below the root, with `/` between its parts; the bytes that the remote has, which need not be UTF-8.
        size: in bytes.
        mtime_ns: when it was changed last, in nanoseconds since 1970; -1 where that is not told.
        etag: of an object store, without quotes; b"" elsewhere.
    """

    path: bytes
    size: int
    mtime_ns: int = UNKNOWN
    etag: bytes = b""


class Attributes(NamedTuple):
    """What is kept beside a file's bytes, where the destination can.

    Attributes:
        mtime_ns: when its content was changed last, in nanoseconds since 1970; -1 where that is not known.
        mode: permission bits, such as 0o644; -1 where there are none.
        content_type: as in HTTP; "" where it is not known.
        metadata: of an object store: the user's own names and values.
    """

    mtime_ns: int = UNKNOWN
    mode: int = UNKNOWN
    content_type: str = ""
    metadata: Mapping[str, str] = {}
