"""Remotes without a disk: a listing that is made as it is read, and a destination that drops what it is given.

They take the place of servers where the question is what a sync itself costs and holds.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path

from benchmarks import kept
from flatwater import limits
from flatwater.sync.entry import Attributes, Entry
from flatwater.sync.failures import Failure
from flatwater.sync.record import Record
from flatwater.sync.remote import Reading, Remote, Unread, Writing
from flatwater.sync.state import Change, Pair, Range, State
from flatwater.sync.status import Status

SIZE = 200  # bytes of each file
CHANGED_EACH = 100  # of a source with changes: one in so many
KEPT_VERSION = 1


class Generated(Remote):
    """An object store of so many files, whose keys have 100 bytes, as those of `benchmarks.store.listing`.

    Args:
        count: of files.
        changed: whether each hundredth has another etag than in the state that `state_of` makes.
    """

    kind = "generated"
    has_folders = False
    tells_etag = True

    def __init__(self, count: int, *, changed: bool = False) -> None:
        super().__init__(f"generated://{count}")
        self._count = count
        self._changed = changed

    def batches(
        self,
        after: bytes = b"",
        before: bytes = b"",  # noqa: ARG002 - the signature
        unread: Unread | None = None,  # noqa: ARG002 - the signature
    ) -> Generator[list[Entry], None, None]:
        """All of them, by the thousand, as pages of a store come."""
        start = number_of(after) + 1 if after else 0
        for first in range(start, self._count, limits.SYNC_BATCH):
            yield [self.entry(number) for number in range(first, min(first + limits.SYNC_BATCH, self._count))]

    def entry(self, number: int) -> Entry:
        """One of them."""
        turn = 1 if self._changed and number % CHANGED_EACH == 0 else 0
        return Entry(path_of(number), SIZE, -1, etag_of(number, turn))

    def find(self, path: bytes) -> Entry | None:
        """As `Remote.find`."""
        return self.entry(number_of(path))

    def read(self, path: bytes) -> Reading:
        """As `Remote.read`."""
        return _Reading(self.entry(number_of(path)))

    def write(self, path: bytes, size: int, attributes: Attributes) -> Writing:
        """As `Remote.write`."""
        raise NotImplementedError

    def delete(self, paths: Sequence[bytes]) -> list[Failure | None]:
        """As `Remote.delete`."""
        raise NotImplementedError

    def listing_bytes(self) -> int:
        """As `Remote.listing_bytes`."""
        return limits.SYNC_BATCH * 400

    def bytes_max(self, workers: int) -> int:
        """As `Remote.bytes_max`."""
        return workers * SIZE


class Dropping(Remote):
    """A destination that says what it was given, and keeps nothing."""

    kind = "dropping"

    def __init__(self) -> None:
        super().__init__("dropping://")

    def batches(
        self,
        after: bytes = b"",  # noqa: ARG002 - the signature
        before: bytes = b"",  # noqa: ARG002 - the signature
        unread: Unread | None = None,  # noqa: ARG002 - the signature
    ) -> Generator[list[Entry], None, None]:
        """None."""
        yield from ()

    def find(self, path: bytes) -> Entry | None:  # noqa: ARG002 - the signature
        """As `Remote.find`."""
        return None

    def read(self, path: bytes) -> Reading:
        """As `Remote.read`."""
        raise NotImplementedError

    def write(self, path: bytes, size: int, attributes: Attributes) -> Writing:  # noqa: ARG002 - the signature
        """As `Remote.write`."""
        return _Writing(path)

    def delete(self, paths: Sequence[bytes]) -> list[Failure | None]:
        """As `Remote.delete`."""
        return [None] * len(paths)

    def listing_bytes(self) -> int:
        """As `Remote.listing_bytes`."""
        return 0

    def bytes_max(self, workers: int) -> int:
        """As `Remote.bytes_max`."""
        return workers * SIZE


class _Reading(Reading):
    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.attributes = Attributes()
        self._data = bytes(entry.size)

    def read(self, count: int) -> bytes:
        """As `Reading.read`."""
        data, self._data = self._data[:count], self._data[count:]
        return data

    def is_unchanged(self) -> bool:
        """As `Reading.is_unchanged`."""
        return True

    def close(self) -> None:
        """As `Reading.close`."""
        return


class _Writing(Writing):
    def __init__(self, path: bytes) -> None:
        self._path = path
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """As `Writing.write`."""
        self._size += len(data)

    def publish(self) -> Entry:
        """As `Writing.publish`."""
        return Entry(self._path, self._size)

    def abandon(self) -> None:
        """As `Writing.abandon`."""
        return


def path_of(number: int) -> bytes:
    return b"prefix/%06d/%s/%04d-file.dat" % (number // 10_000, b"y" * 70, number % 10_000)


def number_of(path: bytes) -> int:
    _prefix, folder, _ys, name = path.split(b"/")
    return int(folder) * 10_000 + int(name[:4])


def etag_of(number: int, turn: int) -> bytes:
    return hashlib.md5(struct.pack("<QB", number, turn), usedforsecurity=False).hexdigest().encode()


def state_of(count: int) -> str:
    """A copy of a state in which so many files are synced."""
    made = kept_state_of(count)
    home = tempfile.mkdtemp()
    shutil.copytree(made, f"{home}/state")
    return f"{home}/state"


def kept_state_of(count: int) -> Path:
    """The state itself; it is made once."""
    folder = kept.folder("states", KEPT_VERSION)
    made = folder / f"state-{count}"
    if not made.exists():
        temporary = folder / f"state-{count}.{os.getpid()}"
        pair = Pair(Generated(count).url, Dropping().url)
        with State(str(temporary), pair, durability="off") as state:
            state.run.generation = 1
            state.begin_scan([Range()])
            for batch in Generated(count).batches():
                changes = [
                    Change(
                        entry.path, None,
                        Record(Status.SYNCED, has_copy=True, generation=1, size=entry.size, mtime_ns=-1, etag=entry.etag),
                    )
                    for entry in batch
                ]  # fmt: skip
                state.commit(changes)
        temporary.rename(made)
    return made
