"""What a sync's state is made of: a sorted listing of so many files, and the entry of each.

Keys have about 100 bytes and values 60: the file's etag, size, time and status, packed. A listing is a text file, a line for
each file, which everyone reads in the same way; in the changed one every fifth etag is another.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from benchmarks import kept

SYNCED, DELETED, UNSEEN = b"\x01", b"\x02", b"\x03"
READ_ROWS, WRITE_ROWS = 1000, 500
ETAG_BYTES = 32
CHANGED_EACH = 5
KEPT_VERSION = 1
_REST = struct.Struct(">QQ11s")


def folder() -> Path:
    """Where listings are kept."""
    return kept.folder("store", KEPT_VERSION)


def path(size: int, *, changed: bool = False) -> str:
    """The listing of so many files."""
    made = folder() / f"listing-{size}{'-changed' if changed else ''}.txt"
    if not made.exists():
        temporary = made.with_suffix(f".{os.getpid()}")
        with contextlib.closing(temporary.open("w", encoding="ascii")) as file:
            for number in range(size):
                turn = "other " if changed and number % CHANGED_EACH == 0 else ""
                etag = hashlib.md5(f"{turn}{number}".encode(), usedforsecurity=False).hexdigest()
                file.write(f"bucket/prefix/{number // 1000:06d}/{'y' * 60}/{number % 1000:04d}-file.dat\t{etag}\n")
        temporary.rename(made)
    return str(made)


def batches(listing: str, rows: int) -> Iterator[list[list[str]]]:
    """Lines of a listing, some at a time, each as [key, etag]."""
    with open(listing, encoding="ascii") as file:
        while lines := list(islice(file, rows)):
            yield [line[:-1].split("\t") for line in lines]


def packed(key: str, etag: str, status: bytes) -> bytes:
    """The 60 bytes of an entry; the status is the last one."""
    return etag.encode() + _REST.pack(len(key) * 1000, 1_700_000_000, b"") + status
