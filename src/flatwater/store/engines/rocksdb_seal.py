"""What RocksDB's log and MANIFEST were when the store was closed: whether one was cut off or taken away since.

Covers:     a small file beside them with their names and sizes, written by a clean end, compared before they are opened.
Not here:   damage inside of files, which RocksDB finds by checksums (`engines.rocksdb_upkeep`).
Holds:      nothing; a file of about 100 B.

RocksDB takes the end of a cut file for one that a crash left, forgets what stood behind it, and removes table files that
the MANIFEST does not name any more. After a crash there is no seal, and it is right; after a clean end it never is.
"""

from __future__ import annotations

import contextlib
import os
import re

import msgspec

from flatwater import errors
from flatwater.store.directory import sync_directory, write_whole

SEAL = "sizes.json"
_SEALED = re.compile(r"\d{6,}\.log|MANIFEST-\d+")


def put(path: str) -> None:
    """Note what is there. Where there is no room for that, there is no seal."""
    with contextlib.suppress(OSError):
        found = {
            name: os.path.getsize(os.path.join(path, name)) for name in os.listdir(path) if _SEALED.fullmatch(name)
        }
        sizes = {name: size for name, size in found.items() if size}
        write_whole(os.path.join(path, SEAL), msgspec.json.encode(sizes))


def check(path: str, *, take: bool) -> None:
    """Compare what is there with the seal, if there is one, and take it away before anything is written.

    Raises:
        CorruptError: a file is gone, or shorter than it was; the seal stays.
    """
    seal = os.path.join(path, SEAL)
    try:
        with open(seal, "rb") as file:
            text = file.read()
    except OSError:
        return  # after a crash
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):  # it was cut off itself: it says nothing
        for name, size in msgspec.json.decode(text, type=dict[str, int]).items():
            _compare(os.path.join(path, name), size, seal)
    if take:
        os.unlink(seal)
        sync_directory(path)  # else it could come back after a power cut, and be wrong


def _compare(file: str, size: int, seal: str) -> None:
    try:
        found = os.path.getsize(file)
    except FileNotFoundError:
        found = -1
    if found < size:
        state = f"has {found} B of {size}" if found >= 0 else "is gone"
        raise errors.CorruptError(
            f"{file} {state}, and so is what was in it.",
            hint=f"Restore a backup. To open what is left, remove {seal}; nothing is changed before.",
        )
