"""One file of a remote, as a listing tells it.

Covers:     what is compared.
Not here:   who lists (`sync.tree`).
Holds:      nothing.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """A file, where a listing saw it.

    Attributes:
        path: below the root, with `/` between its parts; the bytes that the remote has, which need not be UTF-8.
        size: in bytes.
        mtime_ns: when it was changed last, in nanoseconds since 1970; -1 where that is not told.
        etag: of an object store; b"" elsewhere.
    """

    path: bytes
    size: int
    mtime_ns: int = -1
    etag: bytes = b""
