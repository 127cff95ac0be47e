"""Files of an SFTP server that are read and written, a bounded number of blocks under way.

Covers:     reading ahead, writing behind, what a file was when it was opened, putting a file in its place.
Not here:   which folders may be used (`sync.remotes.sftp_tree`), the remote (`sync.remotes.sftp`).
Holds:      `limits.SYNC_SFTP_BLOCKS` blocks of each open file.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
from collections import deque
from typing import TYPE_CHECKING, final

from flatwater import limits
from flatwater.sync.entry import Attributes, Entry
from flatwater.sync.failures import ChangedFailure, Failure, GoneFailure, InTheWayFailure, TemporaryFailure
from flatwater.sync.pacing import Pace
from flatwater.sync.remote import Reading, Writing, shown, unfinished_name
from flatwater.sync.remotes.sftp_tree import (
    Tree,
    failed,
    failure,
    is_file,
    is_folder,
    mtime_of,
    parent,
    size_of,
)  # fmt: skip
from flatwater.sync.ssh import Connections, Link, library, waited

if TYPE_CHECKING:
    import asyncssh

_TRIES = 3  # to open a file in a folder that goes and comes with its files
_SECONDS = range(1 << 32)  # that version 3 of the protocol has


@final
class SftpReading(Reading):
    """A file that is read ahead. A connection of its own is not needed: the handle is the connection's."""

    def __init__(self, connections: Connections, tree: Tree, pace: Pace, path: bytes) -> None:
        self._path = path
        self._pace = pace
        self._ahead: deque[concurrent.futures.Future[bytes]] = deque()
        self._asked = 0  # bytes that were asked for
        self._told = 0  # bytes that were returned
        self._view = memoryview(b"")
        self._closed = False
        pace.take(4)
        self._link, self._file, found, first = connections.run(lambda link: self._opened(link, tree))
        self.entry = Entry(path, size_of(found), mtime_of(found))
        self.attributes = Attributes(self.entry.mtime_ns, (found.permissions or 0) & 0o7777)
        self._asked = len(first)
        self._view = memoryview(first)

    async def _opened(self, link: Link, tree: Tree) -> tuple[Link, asyncssh.SFTPClientFile, asyncssh.SFTPAttrs, bytes]:
        ssh = library()
        file = await _opened(link, tree, self._path)
        try:
            found, first = await asyncio.gather(link.ask(file.stat()), self._part(link, file, 0, _block(link)))
            link.users += 1
        except (ssh.Error, OSError, ValueError) as error:
            await _closed(link, file)
            raise failed(self._path, "read", error) from error
        return link, file, found, first[: size_of(found)]

    @staticmethod
    async def _part(link: Link, file: asyncssh.SFTPClientFile, offset: int, count: int) -> bytes:
        data = await link.ask(file.read(count, offset))
        assert isinstance(data, bytes)
        if len(data) > count:
            raise Failure("The server gave more bytes of a file than it was asked for.")
        return data

    async def _whole(self, offset: int, count: int) -> bytes:
        """A block, though a server may give less at a time."""
        ssh = library()
        parts = []
        while count:
            try:
                data = await self._part(self._link, self._file, offset, min(count, _block(self._link)))
            except (ssh.Error, OSError, ValueError) as error:
                raise failed(self._path, "read", error) from error
            if not data:
                raise ChangedFailure(f"{shown(self._path)} has become shorter while it was read.")
            parts.append(data)
            offset += len(data)
            count -= len(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read(self, count: int) -> memoryview:
        """As `Reading.read`."""
        while self._asked < self.entry.size and len(self._ahead) < limits.SYNC_SFTP_BLOCKS:
            size = min(_block(self._link), self.entry.size - self._asked)
            self._pace.take()
            self._ahead.append(self._link.running.submit(self._whole(self._asked, size)))
            self._asked += size
        if not self._view and self._ahead:
            self._view = memoryview(waited(self._ahead.popleft()))
        part, self._view = self._view[:count], self._view[count:]
        self._told += len(part)
        return part

    def is_unchanged(self) -> bool:
        """As `Reading.is_unchanged`: the size and time of the file that was opened, whatever has its name by now."""
        self._pace.take()
        found = waited(self._link.running.submit(self._found()))
        return (size_of(found), mtime_of(found), self._told) == (self.entry.size, self.entry.mtime_ns, self.entry.size)

    async def _found(self) -> asyncssh.SFTPAttrs:
        ssh = library()
        try:
            return await self._link.ask(self._file.stat())
        except (ssh.Error, OSError, ValueError) as error:
            raise failed(self._path, "read", error) from error

    def close(self) -> None:
        """As `Reading.close`; does not wait for the server."""
        if self._closed:
            return
        self._closed = True
        self._view = memoryview(b"")
        for future in self._ahead:
            future.cancel()
        self._ahead.clear()
        with contextlib.suppress(Failure):
            self._link.running.submit(_ended(self._link, self._file))


@final
class SftpWriting(Writing):
    """A file that is written beside its place. One of a block at most is sent when it is published, all at once."""

    def __init__(self, connections: Connections, tree: Tree, pace: Pace, path: bytes, attributes: Attributes) -> None:
        self._connections = connections
        self._tree = tree
        self._pace = pace
        self._path = path
        self._unfinished = unfinished_name(path)
        self._attributes = attributes
        self._buffer = bytearray()
        self._sent: deque[concurrent.futures.Future[None]] = deque()
        self._size = 0  # bytes that were sent
        self._link: Link | None = None
        self._file: asyncssh.SFTPClientFile | None = None  # as long as it is open
        self._begun = False  # there may be an unfinished file

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """As `Writing.write`; an error may be that of an earlier block."""
        left = memoryview(data).cast("B")
        while left:
            room = limits.SYNC_SFTP_BLOCK - len(self._buffer)
            self._buffer += left[:room]
            left = left[room:]
            if left:  # more than a block: not one that publishing sends with all the rest
                self._send()

    def _send(self) -> None:
        if self._link is None or self._file is None:
            self._pace.take()
            self._link, self._file = self._connections.run(self._opened)
        while len(self._sent) >= limits.SYNC_SFTP_BLOCKS:
            waited(self._sent.popleft())
        block = bytes(self._buffer)
        self._buffer.clear()
        self._pace.take()
        self._sent.append(self._link.running.submit(self._written(self._link, self._file, self._size, block)))
        self._size += len(block)

    async def _opened(self, link: Link) -> tuple[Link, asyncssh.SFTPClientFile]:
        """The unfinished file, new: what has its name is removed, not written to, for it may be a link."""
        ssh = library()
        client, full, folder = link.client, self._tree.full(self._unfinished), parent(self._path)
        attrs = ssh.SFTPAttrs()
        if self._attributes.mode >= 0:
            attrs.permissions = self._attributes.mode & 0o777  # from the first byte on: nobody else reads it meanwhile
        try:
            for rest in reversed(range(_TRIES)):
                await self._tree.check(link, folder, make=True)
                self._begun = True
                try:
                    file = await link.ask(client.open(full, "xb", attrs, block_size=0))
                except ssh.SFTPNoSuchFile:  # the folder went with its last file meanwhile
                    self._tree.forget(folder)
                    if not rest:
                        raise
                except (ssh.SFTPFailure, ssh.SFTPFileAlreadyExists):  # what a killed run left
                    if not rest:
                        raise
                    with contextlib.suppress(ssh.SFTPNoSuchFile):
                        await link.ask(client.remove(full))
                else:
                    link.users += 1
                    return link, file
        except (ssh.Error, OSError, ValueError) as error:
            raise await self._tree.why(link, self._path, "written", error) from error
        raise AssertionError

    async def _written(self, link: Link, file: asyncssh.SFTPClientFile, offset: int, block: bytes) -> None:
        ssh = library()
        most = _block(link)
        try:
            for start in range(0, len(block), most):
                await link.ask(file.write(block[start : start + most], offset + start))
        except (ssh.Error, OSError, ValueError) as error:
            raise await self._tree.why(link, self._path, "written", error) from error

    def publish(self) -> Entry:
        """As `Writing.publish`. In three round trips: open; bytes, times, rights, a look and close; rename."""
        try:
            while self._sent:
                waited(self._sent.popleft())
            self._pace.take(7 if self._link is None else 6)
            link = self._link
            if link is None:
                entry = self._connections.run(self._published)
            else:
                entry = waited(link.running.submit(self._published(link)))
        except BaseException:
            self.abandon()
            raise
        self._begun = False
        return entry

    async def _published(self, link: Link) -> Entry:
        ssh = library()
        if self._file is None:
            self._link, self._file = await self._opened(link)
        file = self._file
        block = bytes(self._buffer)
        self._buffer.clear()
        size = self._size + len(block)
        # Sent at once: a server works on the requests for one file in their order (draft-ietf-secsh-filexfer-02, 6.1).
        written, set_, _durable, found, closed, named = await asyncio.gather(
            self._written(link, file, self._size, block) if block else asyncio.sleep(0),
            self._set(link, file),
            self._durable(link, file),
            link.ask(file.stat()),
            link.ask(file.close()),
            self._tree.lstat(link, self._unfinished),
            return_exceptions=True,
        )
        link.users -= 1
        self._file = None
        for error in (written, set_, found, closed):
            if isinstance(error, (ssh.Error, OSError, ValueError)):
                raise await self._tree.why(link, self._path, "written", error) from error
            if isinstance(error, BaseException):
                raise error
        assert not isinstance(found, BaseException)
        if size_of(found) != size:
            raise TemporaryFailure(f"{shown(self._path)}: {size} bytes were sent, and the server has {size_of(found)}.")
        if not isinstance(named, BaseException) and size_of(named) != size:  # another sync of this file began meanwhile
            self._begun = False  # it is not ours to remove
            raise TemporaryFailure(f"{shown(self._path)} cannot be written: somebody else is writing it.")
        try:
            await self._placed(link)
            await self._tree.touch(link, parent(self._path))
        except (ssh.Error, OSError, ValueError) as error:
            raise await self._tree.why(link, self._path, "written", error) from error
        return Entry(self._path, size, mtime_of(found))

    async def copied(self, link: Link, tree: Tree, entry: Entry) -> Entry | None:
        """Let the server fill it with a file of another tree there, and put it in its place; None where it cannot."""
        ssh = library()
        if not link.client.supports_remote_copy:
            return None
        source = await _opened(link, tree, entry.path)
        try:
            found = await link.ask(source.stat())
            if (size_of(found), mtime_of(found)) == (entry.size, entry.mtime_ns):
                self._attributes = Attributes(mtime_of(found), (found.permissions or 0) & 0o777)
                self._link, self._file = await self._opened(link)
                for start in range(0, entry.size, limits.SYNC_SFTP_COPY_BYTES):  # each in far less than the time limit
                    count = min(limits.SYNC_SFTP_COPY_BYTES, entry.size - start)
                    await link.ask(link.client.remote_copy(source, self._file, start, count, start))
                self._size = entry.size
                found = await link.ask(source.stat())
            if (size_of(found), mtime_of(found)) != (entry.size, entry.mtime_ns):
                raise ChangedFailure(f"{shown(entry.path)} has become another file.")
        except ssh.SFTPOpUnsupported:
            return None
        except (ssh.Error, OSError, ValueError) as error:
            raise await self._tree.why(link, self._path, "written", error) from error
        finally:
            await _closed(link, source)
        told = await self._published(link)
        self._begun = False
        return told

    async def _set(self, link: Link, file: asyncssh.SFTPClientFile) -> None:
        """Times and rights, as far as the server lets us: what came of it is in the entry."""
        ssh = library()
        attrs = ssh.SFTPAttrs()
        seconds = self._attributes.mtime_ns // 1_000_000_000
        if self._attributes.mtime_ns >= 0 and seconds in _SECONDS:
            attrs.atime = attrs.mtime = seconds
        if self._attributes.mode >= 0:
            attrs.permissions = self._attributes.mode & 0o777  # set-user-ID and its kin are not handed on
        if attrs.mtime is None and attrs.permissions is None:
            return
        with contextlib.suppress(ssh.SFTPPermissionDenied, ssh.SFTPFailure, ssh.SFTPOpUnsupported):
            await link.ask(file.setstat(attrs))

    async def _durable(self, link: Link, file: asyncssh.SFTPClientFile) -> None:
        """Its bytes are on disk before it has its name, as far as the server has fsync@openssh.com."""
        with contextlib.suppress(library().SFTPError):
            await link.ask(file.fsync())

    async def _placed(self, link: Link) -> None:
        ssh = library()
        client = link.client
        source, target = self._tree.full(self._unfinished), self._tree.full(self._path)
        try:
            try:
                await link.ask(client.posix_rename(source, target))
            except ssh.SFTPOpUnsupported:  # for a moment there is no file of that name, unless it is a new one
                try:
                    await link.ask(client.rename(source, target))
                except ssh.SFTPFailure:
                    if await self._is_folder(link):
                        raise
                    await link.ask(client.remove(target))
                    await link.ask(client.rename(source, target))
        except (ssh.SFTPFailure, ssh.SFTPPermissionDenied, ssh.SFTPFileIsADirectory):
            if await self._is_folder(link):
                raise InTheWayFailure(f"{shown(self._path)} cannot be written: a folder has that name.") from None
            raise
        except ssh.SFTPNoSuchFile:  # the folder, or the unfinished file, was taken away
            self._tree.forget(parent(self._path))
            raise TemporaryFailure(f"{shown(self._path)} was taken away before it was whole.") from None

    async def _is_folder(self, link: Link) -> bool:
        try:
            return is_folder(await self._tree.lstat(link, self._path))
        except library().SFTPNoSuchFile:
            return False

    def abandon(self) -> None:
        """As `Writing.abandon`."""
        link, file = self._link, self._file
        self._file = None
        self._buffer.clear()
        for future in self._sent:
            future.cancel()
        self._sent.clear()
        if link is not None and file is not None:
            with contextlib.suppress(Exception):
                link.running.submit(_ended(link, file))
        if self._begun:
            self._begun = False
            with contextlib.suppress(Exception):  # over a new connection if this one is lost
                self._connections.run(self._removed)

    async def _removed(self, link: Link) -> None:
        await self._tree.check(link, parent(self._path))
        await link.ask(link.client.remove(self._tree.full(self._unfinished)))


async def _opened(link: Link, tree: Tree, path: bytes) -> asyncssh.SFTPClientFile:
    """A file, open for reading. It is looked at first: a link would be followed, and a pipe would hold the server up."""
    ssh = library()
    try:
        await tree.check(link, parent(path))
        if not is_file(await tree.lstat(link, path)):
            raise failure(GoneFailure, path, "it is no file any more", "read")
        return await link.ask(link.client.open(tree.full(path), "rb", block_size=0))
    except (ssh.SFTPNoSuchFile, InTheWayFailure):
        raise failure(GoneFailure, path, "it is not there any more", "read") from None
    except (ssh.Error, OSError, ValueError) as error:
        raise failed(path, "read", error) from error


async def _ended(link: Link, file: asyncssh.SFTPClientFile) -> None:
    link.users -= 1
    await _closed(link, file)


async def _closed(link: Link, file: asyncssh.SFTPClientFile) -> None:
    ssh = library()
    with contextlib.suppress(ssh.Error, OSError, ValueError):
        if not link.broken:
            await link.ask(file.close())


def _block(link: Link) -> int:
    found = link.client.limits
    return min(limits.SYNC_SFTP_BLOCK, found.max_read_len, found.max_write_len)
