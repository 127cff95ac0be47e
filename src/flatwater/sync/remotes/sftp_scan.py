"""A listing of one folder of an SFTP server.

Covers:     names as the server tells them, what is a file and what a folder, one answer of the server after the other.
Not here:   order (`sync.walk`), the remote (`sync.remotes.sftp`).
Holds:      one answer of the server, and `limits.SYNC_SFTP_NAMES` names.
"""

from __future__ import annotations

import asyncio
import contextlib
import stat
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Self, final

from flatwater import limits
from flatwater.sync.failures import Failure, GoneFailure, InTheWayFailure
from flatwater.sync.remote import shown
from flatwater.sync.remotes.sftp_tree import Tree, failed, failure, is_folder, mtime_of, size_of
from flatwater.sync.ssh import Link, library
from flatwater.sync.walk import Item

if TYPE_CHECKING:
    import asyncssh


@final
class Scan:
    """One that is under way.

    Args:
        tree: what the folder is in.
        folder: its path, with a "/" at its end; b"" is the root.
        link: the connection.
    """

    def __init__(self, tree: Tree, folder: bytes, link: Link) -> None:
        self.link = link
        self.first: list[Item] = []
        self._tree = tree
        self._folder = folder
        self._path = folder.rstrip(b"/")
        self._names: AsyncIterator[asyncssh.SFTPName] = link.client.scandir(tree.full(self._path))
        self._turn = asyncio.Lock()  # one at a time asks for names, or ends

    async def begun(self) -> Self:
        """With the first names; the folder is looked at meanwhile, lest it has become a link."""
        self.link.users += 1
        try:
            check, first = await asyncio.gather(
                self._tree.check(self.link, self._path), self._taken(), return_exceptions=True
            )
            for told in (check, first):
                if isinstance(told, BaseException):
                    await self._raise(told)
        except BaseException:
            await self._end()
            raise
        assert isinstance(first, list)
        self.first = first
        return self

    async def _raise(self, error: BaseException) -> None:
        if not isinstance(error, Exception):
            raise error
        if await self._is_gone(error):
            raise failure(GoneFailure, self._folder or self._tree.root, "there is no such folder", "listed") from None
        raise self._failed(error)

    async def _is_gone(self, error: Exception) -> bool:
        ssh = library()
        if isinstance(error, ssh.SFTPFailure):  # some say no more than that of a file that is to be listed
            with contextlib.suppress(ssh.Error, OSError, ValueError):
                return not is_folder(await self.link.ask(self.link.client.stat(self._tree.full(self._path))))
        return isinstance(error, (ssh.SFTPNoSuchFile, ssh.SFTPNotADirectory, InTheWayFailure))

    async def items(self) -> list[Item]:
        """The next ones; none at the end."""
        try:
            return await self._taken()
        except Failure:
            raise
        except (library().Error, OSError, ValueError) as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> Exception:
        if isinstance(error, (library().Error, OSError, ValueError)):
            return failed(self._folder or self._tree.root, "listed", error)
        return error

    async def _taken(self) -> list[Item]:
        async with self._turn:
            return await self.link.ask(self._some())

    async def _some(self) -> list[Item]:
        found: list[Item] = []
        async for each in self._names:
            name, attrs = each.filename, each.attrs
            assert isinstance(name, bytes)
            if name in {b".", b".."}:
                continue
            if not name or b"/" in name or b"\x00" in name:
                raise Failure(f"{shown(self._folder) or 'The root'} cannot be listed: {shown(name)!r} is no name.")
            if attrs.permissions is None or attrs.size is None:  # a server that tells names alone
                looked = await self._looked(name)
                if looked is None:
                    continue
                attrs = looked
            if is_folder(attrs):
                found.append((name + b"/", 0, 0))
            elif stat.S_ISREG(attrs.permissions or 0):
                found.append((name, size_of(attrs), mtime_of(attrs)))
            if len(found) >= limits.SYNC_SFTP_NAMES:
                break
        return found

    async def _looked(self, name: bytes) -> asyncssh.SFTPAttrs | None:
        with contextlib.suppress(library().SFTPNoSuchFile):
            return await self._tree.lstat(self.link, self._folder + name)
        return None

    def close(self) -> None:
        """End it, wherever it is; does not wait for the server."""
        with contextlib.suppress(Failure):
            self.link.running.submit(self._end())

    async def _end(self) -> None:
        self.link.users -= 1
        async with self._turn:
            with contextlib.suppress(Exception):
                await self._names.aclose()  # type: ignore[attr-defined]
