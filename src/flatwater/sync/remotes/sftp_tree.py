"""The tree below the root of an SFTP server: folders that are none of links, and what its errors mean.

Covers:     paths as the server has them, looking at each folder on the way before it is used, making folders, failures.
Not here:   connections (`sync.ssh`), the remote (`sync.remotes.sftp`), bytes of files (`sync.remotes.sftp_files`).
Holds:      the paths of up to `limits.SYNC_SFTP_FOLDERS` folders that were looked at, and of as many with new files in them.

SFTP has no way to open a path without following links in it. So each folder on the way is looked at (lstat) before anything
below it is used for the first time, and a link is not passed. One race remains: who may write below the root on the server
can put a link in a folder's place behind that look, and then the server follows it. Against such users the server's own
bounds help (`ChrootDirectory`, the rights of the login), nothing that a client does.
"""

from __future__ import annotations

import asyncio
import stat
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, final

from flatwater import limits
from flatwater.sync.entry import UNKNOWN
from flatwater.sync.failures import (
    Failure,
    GoneFailure,
    InTheWayFailure,
    RefusedFailure,
    RemoteFailure,
    TemporaryFailure,
)
from flatwater.sync.remote import shown
from flatwater.sync.ssh import Link, is_lost, library

if TYPE_CHECKING:
    import asyncssh

_NO_ROOM_BYTES = (
    limits.SYNC_SFTP_BLOCK * limits.SYNC_SFTP_BLOCKS
)  # so little is left when a disk was full for what came


@final
class Tree:
    """Thread-safe; its coroutines are for the thread of a link.

    Args:
        root: an absolute path, or one from the home directory; may be a link, for it was named.
    """

    def __init__(self, root: bytes) -> None:
        self.root = root
        self._prefix = root if root.endswith(b"/") else root + b"/"
        self._known: dict[bytes, None] = {}  # folders; b"" is the root
        self._lock = threading.Lock()
        self._touched: dict[bytes, None] = {}  # folders with new names in them that may not be durable yet

    def full(self, path: bytes) -> bytes:
        """As the server has it."""
        return self._prefix + path if path else self.root

    async def lstat(self, link: Link, path: bytes) -> asyncssh.SFTPAttrs:
        """What is there; of a link, the link."""
        return await link.ask(link.client.lstat(self.full(path)))

    async def check(self, link: Link, folder: bytes, *, make: bool = False) -> None:
        """Return if each part of a folder's path is a folder.

        Args:
            link: the connection.
            folder: without a "/" at its end; b"" is the root.
            make: make those that are not there, the root, too.

        Raises:
            InTheWayFailure: one is a file or a link.
            asyncssh.SFTPNoSuchFile: one is not there.
        """
        parts = folder.split(b"/") if folder else []
        prefixes = [b"/".join(parts[:count]) for count in range(len(parts) + 1)]
        with self._lock:
            unknown = [prefix for prefix in prefixes if prefix not in self._known]
        if not make:
            unknown = [prefix for prefix in unknown if prefix]  # the root may be anything: it was named
        if not unknown:
            return
        none = library().SFTPNoSuchFile
        looks = [self.lstat(link, prefix) if prefix else self._stat_root(link) for prefix in unknown]
        for prefix, found in zip(unknown, await asyncio.gather(*looks, return_exceptions=True), strict=True):
            if make and isinstance(found, none):
                await self._make(link, prefix, folder)
            elif isinstance(found, BaseException):
                raise found
            elif not is_folder(found):
                raise in_the_way(folder, prefix)
            self._remember(prefix)

    async def _stat_root(self, link: Link) -> asyncssh.SFTPAttrs:
        return await link.ask(link.client.stat(self.root))

    async def _make(self, link: Link, prefix: bytes, folder: bytes) -> None:
        ssh = library()
        if not prefix:
            await link.ask(link.client.makedirs(self.root, exist_ok=True))
            return
        try:
            await link.ask(link.client.mkdir(self.full(prefix)))
            await self.touch(link, parent(prefix))
        except ssh.SFTPFailure:  # another worker made it meanwhile, or something else has its name
            if not is_folder(await self.lstat(link, prefix)):
                raise in_the_way(folder, prefix) from None

    def _remember(self, folder: bytes) -> None:
        with self._lock:
            self._known[folder] = None
            if len(self._known) > limits.SYNC_SFTP_FOLDERS:
                del self._known[next(iter(self._known))]  # the one that was looked at first

    def forget(self, folder: bytes) -> None:
        """Look at it again: it, or one above it, is gone."""
        with self._lock:
            while folder:
                self._known.pop(folder, None)
                folder = parent(folder)
            self._known.pop(b"", None)

    async def touch(self, link: Link, folder: bytes) -> None:
        """Remember that there is a new name in a folder, or make those durable that are remembered."""
        self._touched[folder] = None
        if len(self._touched) > limits.SYNC_SFTP_FOLDERS:
            await self.settle(link)

    async def settle(self, link: Link) -> None:
        """Have the names of new files on disk: OpenSSH opens folders as files, and syncs them. Others may refuse that."""
        ssh = library()
        while self._touched:
            folder = next(iter(self._touched))
            try:
                await self.check(link, folder)
                async with await link.ask(link.client.open(self.full(folder), "rb", block_size=0)) as opened:
                    await link.ask(opened.fsync())
            except (ssh.SFTPError, ValueError, InTheWayFailure) as error:
                if is_lost(error):
                    raise
            self._touched.pop(folder, None)

    async def prune(self, link: Link, folders: Iterable[bytes]) -> None:
        """Remove those that are empty, and then those above them."""
        ssh = library()
        left = sorted(set(folders) - {b""}, key=lambda folder: folder.count(b"/"))
        while left:
            folder = left.pop()
            self.forget(folder)
            try:
                await link.ask(link.client.rmdir(self.full(folder)))
            except (ssh.SFTPError, ValueError) as error:
                if is_lost(error):
                    raise
                continue
            above = parent(folder)
            if above and above not in left:
                left.append(above)
                left.sort(key=lambda folder: folder.count(b"/"))

    async def is_full(self, link: Link) -> bool:
        """Whether a failure may come from a full disk: SFTP has no code for that in the version that servers speak."""
        ssh = library()
        try:
            found = await link.ask(link.client.statvfs(self.root))
        except (ssh.Error, OSError, ValueError):
            return False
        block = found.frsize or found.bsize or 1
        return bool(found.bavail * block < _NO_ROOM_BYTES or (found.files and not found.favail))

    async def why(self, link: Link, path: bytes, verb: str, error: Exception) -> Failure:
        """As `failed`; a failure without a reason is looked into."""
        if isinstance(error, library().SFTPFailure) and verb == "written" and await self.is_full(link):
            return failure(RemoteFailure, path, "no space left on the server", verb)
        return failed(path, verb, error)


def parent(path: bytes) -> bytes:
    """The folder of a path."""
    return path.rpartition(b"/")[0]


def is_folder(found: asyncssh.SFTPAttrs) -> bool:
    """What lstat told is a folder."""
    return stat.S_ISDIR(found.permissions or 0)


def is_file(found: asyncssh.SFTPAttrs) -> bool:
    """What lstat told is a file."""
    return stat.S_ISREG(found.permissions or 0)


def size_of(found: asyncssh.SFTPAttrs) -> int:
    """In bytes; a server that tells none has none of ours."""
    return found.size if found.size is not None else 0


def mtime_of(found: asyncssh.SFTPAttrs) -> int:
    """In nanoseconds."""
    return found.mtime * 1_000_000_000 if found.mtime is not None else UNKNOWN


def failure(kind: type[Failure], path: bytes, reason: str, verb: str) -> Failure:
    """In the house's words."""
    return kind(f"{shown(path)} cannot be {verb}: {reason}.")


def in_the_way(path: bytes, part: bytes) -> InTheWayFailure:
    """A part of a path is no folder."""
    return InTheWayFailure(f"{shown(path)} cannot be reached: {shown(part)!r} on the way to it is no folder.")


def failed(path: bytes, verb: str, error: Exception) -> Failure:
    """What an error of the library is to one file."""
    ssh = library()
    if isinstance(error, Failure):
        return error
    if is_lost(error) or isinstance(error, TimeoutError):
        return failure(TemporaryFailure, path, f"the connection was lost ({_reason(error)})", verb)
    if isinstance(error, ssh.SFTPNoSuchFile):
        return failure(GoneFailure, path, "it is not there", verb)
    if isinstance(error, (ssh.SFTPPermissionDenied, ssh.SFTPWriteProtect)):
        return failure(RefusedFailure, path, "permission denied", verb)
    if isinstance(error, (ssh.SFTPNoSpaceOnFilesystem, ssh.SFTPQuotaExceeded)) or _is_no_space(error):
        return failure(RemoteFailure, path, _reason(error), verb)
    if isinstance(error, ssh.SFTPBadMessage):  # OpenSSH's word for a name that is too long or impossible there
        return failure(RefusedFailure, path, f"the server takes no such request ({_reason(error)})", verb)
    return failure(Failure, path, f"the server says {_reason(error)!r}", verb)


def _is_no_space(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, library().SFTPFailure) and any(
        words in text for words in ("no space", "disk full", "quota exceeded", "not enough space")
    )


def _reason(error: Exception) -> str:
    text = str(getattr(error, "reason", "") or error).strip().rstrip(".")
    return shown(text.encode("utf-8", "replace")[:200]).lower() or type(error).__name__
