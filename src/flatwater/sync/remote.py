"""What a sync asks of a remote: a listing in byte order, files to read, files to write, nothing else.

Covers:     the remote, one file that is read, one that is written; names of unfinished files; paths that are no paths.
Not here:   the remotes (`sync.remotes`, one file each), trying again (`sync.retrying`), what is done with them.
Holds:      nothing.
"""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from types import TracebackType
from typing import ClassVar, Self

from flatwater.sync.entry import Attributes, Entry
from flatwater.sync.failures import Failure, InTheWayFailure, RefusedFailure
from flatwater.sync.pacing import FREE, Pace

Unread = Callable[[bytes, Failure], None]  # called with a folder that cannot be listed, and why

_PART_BYTES_MAX = 255  # of a name in a folder, wherever there are folders
_PROBE = b".flatwater-Case"
_UNFINISHED = re.compile(rb"\.flatwater-[0-9a-f]{16}\.part")


class Remote(ABC):
    """A place that has files. Thread-safe: what needs a connection takes one of its own.

    Attributes:
        kind: how messages call it, such as "s3".
        url: for people, and what a state remembers: without anything secret.
        has_folders: whether it has folders, so that a path is made of names, and a name is a file or a folder.
        delete_files: how many files are worth handing to `delete` at once.
        tells_etag: whether its listing tells etags.
        tells_md5: whether an etag of 32 hexadecimal digits is the MD5 of the content.
        keeps_mtime: whether a file that was written lists the time that it was given.
        mtime_step_ns: how exact its times are.
        pace: each request takes one from it.
    """

    kind: ClassVar[str] = ""
    has_folders: ClassVar[bool] = True
    delete_files: ClassVar[int] = 20
    tells_etag: bool = False
    tells_md5: bool = False
    keeps_mtime: bool = False
    mtime_step_ns: int = 1

    def __init__(self, url: str) -> None:
        self.url = url
        self.pace: Pace = FREE

    # --- listing ------------------------------------------------------------------------------------------------------

    @abstractmethod
    def batches(
        self, after: bytes = b"", before: bytes = b"", unread: Unread | None = None
    ) -> Generator[list[Entry], None, None]:
        """All files with `after` < path, and path < `before` unless that is empty, in the byte order of their paths.

        Unfinished files (`is_unfinished`) are left out. What comes or goes meanwhile may be told or not.

        Args:
            after: a path, whether there is such a file or not.
            before: the same.
            unread: is told of each folder that cannot be listed, and the listing goes on behind it.

        Raises:
            TemporaryFailure: it broke; another listing from behind the last path goes on.
            Failure: it cannot be listed; also for a folder, unless there is `unread`.
        """

    def borders(self, levels: int) -> list[bytes]:  # noqa: ARG002 - the signature of those that have some
        """Paths that divide it into ranges worth listing side by side, sorted: its folders down to a level, for instance."""
        return []

    @abstractmethod
    def find(self, path: bytes) -> Entry | None:
        """What the listing would tell of one file now; None if it is not there."""

    # --- one file -----------------------------------------------------------------------------------------------------

    @abstractmethod
    def read(self, path: bytes) -> Reading:
        """Open a file for reading.

        Raises:
            GoneFailure: there is no such file.
            TemporaryFailure, RefusedFailure, RemoteFailure: as they say.
        """

    @abstractmethod
    def write(self, path: bytes, size: int, attributes: Attributes) -> Writing:
        """Begin a file that nobody sees before it is published.

        Args:
            path: one that `refusal` has nothing against.
            size: that it will have.
            attributes: kept as far as the remote can.

        Raises:
            InTheWayFailure: a part of its path is a file.
            TemporaryFailure, RefusedFailure, RemoteFailure: as they say.
        """

    @abstractmethod
    def delete(self, paths: Sequence[bytes]) -> list[Failure | None]:
        """Remove files; for each of them None, also if it was not there, or why not. Folders that are empty then go, too.

        Raises:
            TemporaryFailure, RemoteFailure: nothing is known of any of them; removing them again does no harm.
        """

    def copies_inside(self, source: Remote) -> bool:  # noqa: ARG002 - the signature of those that can
        """Whether files of `source` may be copied by the store itself, because both are in one."""
        return False

    def copy_inside(self, source: Remote, entry: Entry, path: bytes) -> Entry | None:  # noqa: ARG002 - the signature
        """Let the store copy a file of `source` by itself; None where it cannot, and nothing was done.

        Raises:
            As `read` and `write`.
        """
        return None

    def refusal(self, path: bytes) -> str:
        """Why there can be no such path here, as a clause; "" if there can."""
        return refused_path(path) if self.has_folders else ""

    def is_md5_told(self, path: bytes) -> bool:  # noqa: ARG002 - the signature of those that encrypt
        """Whether the etag of a file is its MD5 where `tells_md5` says so in general; asked where the two are not the same.

        Raises:
            Failure: it is not known.
        """
        return True

    def discard(self, path: bytes) -> None:  # noqa: ARG002 - the signature of those that have something
        """Remove what a killed run left of `path`, which will not be written any more. Does nothing where nothing is left."""
        return

    def takes_cases_for_one(self) -> bool:
        """Whether names that differ only in case are one here. It may write a file to find out, and remove it."""
        return False

    # --- itself -------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Return when all that was published is durable."""
        return

    def held_bytes(self, size: int) -> int:  # noqa: ARG002 - the signature of those that hold more of large files
        """What writing a file of that size holds, in bytes, beside the chunk that is handed over."""
        return 0

    @abstractmethod
    def listing_bytes(self) -> int:
        """The most that one listing holds, in bytes."""

    @abstractmethod
    def bytes_max(self, workers: int) -> int:
        """The most it holds for so many workers at once, in bytes, beside listings and what each file holds (`held_bytes`)."""

    def close(self) -> None:
        """Close its connections; it may be used again, and opens others then."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Reading(ABC):
    """A file that is being read. For one thread; a context manager.

    Attributes:
        entry: the version that is read: its size, time and etag when it was opened.
        attributes: what goes with it.
    """

    entry: Entry
    attributes: Attributes

    @abstractmethod
    def read(self, count: int) -> bytes | bytearray | memoryview:
        """The next bytes, `count` at most; empty at the end. A view is good until the next call.

        Raises:
            TemporaryFailure: the connection broke.
            ChangedFailure: the rest is of another version.
        """

    @abstractmethod
    def is_unchanged(self) -> bool:
        """Whether all that was read is of the version in `entry`; asked behind the last byte."""

    @abstractmethod
    def close(self) -> None:
        """End; in the middle of the file, too."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


class Writing(ABC):
    """A file that is being written. For one thread. One of `publish` and `abandon` ends it."""

    @abstractmethod
    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append; `data` may be changed by its owner after the call.

        Raises:
            TemporaryFailure, RefusedFailure, RemoteFailure: as they say; it is still to be abandoned.
        """

    @abstractmethod
    def publish(self) -> Entry:
        """Make it the file of that path, at once and whole: what stood there before is seen until then.

        Returns:
            What the remote tells of it, asked of the remote (or told in its answer), not what was sent.

        Raises:
            InTheWayFailure: a folder has that path.
            TemporaryFailure, RefusedFailure, RemoteFailure: as they say. It is abandoned then.
        """

    @abstractmethod
    def abandon(self) -> None:
        """Leave nothing behind, as far as the remote can be reached. Raises nothing; more than once does no harm."""


def found_in_another_case(remote: Remote) -> bool:
    """Whether a file that is written to a remote is there under a name in the other case, too.

    Raises:
        Failure: it is not known.
    """
    try:
        remote.write(_PROBE, 0, Attributes()).publish()
    except (RefusedFailure, InTheWayFailure):
        return False  # whoever writes the next file will be told what is wrong
    try:
        return remote.find(_PROBE.swapcase()) is not None
    finally:
        remote.delete([_PROBE])


def unfinished_name(path: bytes) -> bytes:
    """The path of a file that becomes `path` when it is complete, in the same folder; each time the same one."""
    folder, slash, _name = path.rpartition(b"/")
    digest = hashlib.blake2b(path, digest_size=8).hexdigest()
    return folder + slash + b".flatwater-%s.part" % digest.encode()


def is_unfinished(name: bytes) -> bool:
    """Whether a name in a folder is one of `unfinished_name`."""
    return name.startswith(b".flatwater-") and _UNFINISHED.fullmatch(name) is not None


def refused_path(path: bytes) -> str:
    """Why a path cannot be one of folders and names below a root, as a clause; "" if it can.

    >>> refused_path(b"a/../b"), refused_path(b"a/b.txt")
    ("'..' is no name of a file or folder", '')
    """
    if b"\x00" in path:
        return "it has a zero byte in it"
    for part in path.split(b"/"):
        if part in {b"", b".", b".."}:
            return f"{part.decode()!r} is no name of a file or folder"
        if len(part) > _PART_BYTES_MAX:
            return f"a name in it has {len(part)} bytes, and {_PART_BYTES_MAX} are possible"
        if is_unfinished(part):
            return "it is named as unfinished files are"
    return ""


def shown(path: bytes) -> str:
    """A path for people, on one line: what is no printable UTF-8 is escaped."""
    text = path.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else repr(text)[1:-1]


def text_of(path: bytes) -> str:
    """A path for programs: UTF-8, and bytes that are none as lone surrogates, as `os.fsdecode` tells them."""
    return path.decode("utf-8", "surrogateescape")
