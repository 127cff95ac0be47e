"""One file of an FTP server that is read, and one that is written.

Covers:     both ends of a transfer, what was cut, renaming.
Not here:   folders (`sync.remotes.ftp`), connections (`sync.remotes.ftp_link`).
Holds:      a connection each, and a buffer of `limits.SYNC_FTP_BUFFER_BYTES` for reading.

Each has its connection to itself. It goes back to the pool only when the server said how the transfer ended.
"""

from __future__ import annotations

import contextlib
import re
import socket
import time
from typing import final

from flatwater import limits
from flatwater.sync.entry import Attributes, Entry
from flatwater.sync.failures import Failure, GoneFailure, InTheWayFailure, RefusedFailure, TemporaryFailure
from flatwater.sync.remote import Reading, Writing, shown, unfinished_name
from flatwater.sync.remotes import ftp_listing
from flatwater.sync.remotes.ftp_data import arrived, ended, sent
from flatwater.sync.remotes.ftp_link import Link, Reply
from flatwater.sync.remotes.ftp_pool import Pool

_SECOND_NS = 1_000_000_000
_ALTERED = re.compile(rb"(^|/)\s|\s(/|$)|[\x00-\x1f\x7f\\]")  # pure-ftpd makes a space at the end of a name a "_"
_MORE = 300  # answers below it, but not below 200, say that it was done; from it on, that more is to come


@final
class FtpReading(Reading):
    """A file of an FTP server. Round trips: what it is, PASV, RETR, its end; and what it is then.

    Raises:
        GoneFailure, RefusedFailure, TemporaryFailure: as `Remote.read`. The connection is the caller's then.
    """

    def __init__(self, pool: Pool, link: Link, where: bytes, path: bytes) -> None:
        self._link: Link | None = None
        self._data: socket.socket | None = None
        self._pool = pool
        self._where = where
        self._path = path
        self._count = 0
        self._buffer = bytearray()
        self.entry = self._found(link)
        self.attributes = Attributes(self.entry.mtime_ns)
        link.binary()
        data = link.transfer("RETR", where)
        if isinstance(data, Reply):
            raise link.failed(data, path, "read")
        self._data = data
        self._link = link

    def _found(self, link: Link) -> Entry:
        seen = ftp_listing.look(link, self._where, self._path)
        if seen is None or seen.kind != b"file":
            raise GoneFailure(f"{shown(self._path)} cannot be read: it is not there any more.")
        return Entry(self._path, seen.size, seen.mtime_ns)

    def read(self, count: int) -> memoryview:
        """As `Reading.read`."""
        if self._data is None or self._link is None:
            return memoryview(b"")
        wanted = min(count, limits.SYNC_FTP_BUFFER_BYTES)
        if len(self._buffer) < wanted:
            self._buffer = bytearray(wanted)
        view = memoryview(self._buffer)
        failure: Failure
        try:
            got = self._data.recv_into(view, wanted)
        except OSError as error:
            failure = self._link.why_cut(error, self._path, "read")
        else:
            self._count += got
            if not got:
                self._end(self._link, self._data)
            return view[:got]
        self.close()
        raise failure

    def _end(self, link: Link, data: socket.socket) -> None:
        """Hear whether that was all."""
        self._data = None
        ended(data)
        reply = link.answer()
        if not reply.is_good:
            raise link.failed(reply, self._path, "read", TemporaryFailure)
        if self.entry.size >= 0 and self._count != self.entry.size:
            raise TemporaryFailure(
                f"{shown(self._path)} cannot be read: {self._count} B came, and it had {self.entry.size} B."
            )

    def is_unchanged(self) -> bool:
        """As `Reading.is_unchanged`."""
        if self._link is None or self._data is not None:
            return False
        try:
            return self._found(self._link) == self.entry
        except GoneFailure:
            return False

    def close(self) -> None:
        """As `Reading.close`; in the middle of the file, with its connection."""
        data, self._data = self._data, None
        if data is not None:
            data.close()
        link, self._link = self._link, None
        if link is not None:
            self._pool.back(link)

    def __del__(self) -> None:
        self.close()  # the pool counts its connections


@final
class FtpWriting(Writing):
    """A file of an FTP server that has not its name yet.

    Round trips: PASV, STOR, its end, MFMT, what the server has of it, RNFR, RNTO; and one of TCP for the data.

    Raises:
        RefusedFailure, RemoteFailure, TemporaryFailure: as `Remote.write`. The connection is the caller's then.
    """

    def __init__(
        self,
        pool: Pool,
        link: Link,
        where: bytes,
        path: bytes,
        attributes: Attributes,
        time_command: str,
    ) -> None:
        self._pool = pool
        self._link: Link | None = None
        self._data: socket.socket | None = None
        self._where = where
        self._unfinished = unfinished_name(where)
        self._path = path
        self._attributes = attributes
        self._time_command = time_command
        self._count = 0
        link.binary()
        data = link.transfer("STOR", self._unfinished)
        if isinstance(data, Reply):
            raise link.failed(data, path, "written")
        self._data = data
        self._link = link

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """As `Writing.write`."""
        if self._data is None or self._link is None:
            raise TemporaryFailure(f"{shown(self._path)} cannot be written: its connection broke.")
        try:
            sent(self._data, data)
        except OSError as error:
            failure = self._link.why_cut(error, self._path, "written")
        else:
            self._count += len(data)
            return
        self._drop_data()
        raise failure

    def publish(self) -> Entry:
        """As `Writing.publish`."""
        if self._data is None or self._link is None:
            raise TemporaryFailure(f"{shown(self._path)} cannot be written: its connection broke.")
        try:
            entry = self._published(self._link, self._data)
        except BaseException:
            self.abandon()
            raise
        self._back()
        return entry

    def _published(self, link: Link, data: socket.socket) -> Entry:
        self._data = None
        if self._count > limits.SYNC_CHUNK_BYTES:
            arrived(data)
        ended(data)
        self._done(link, link.answer())
        if self._time_command:
            when = time.strftime("%Y%m%d%H%M%S", time.gmtime(self._attributes.mtime_ns // _SECOND_NS))
            link.ask(self._time_command, when.encode() + b" " + self._unfinished)  # what it became is told below
        seen = ftp_listing.look(link, self._unfinished, self._path)
        if seen is None or seen.size != self._count:
            has = "nothing" if seen is None else f"{seen.size} B"
            raise TemporaryFailure(f"{shown(self._path)} cannot be written: of {self._count} B the server has {has}.")
        renamed = self._renamed(link)
        if not renamed.is_good:
            self._renamed_over(link, renamed)
        if _ALTERED.search(self._path) and ftp_listing.look(link, self._where, self._path) is None:
            raise RefusedFailure(f"{shown(self._path)} cannot be written: the server gave it another name.")
        return Entry(self._path, seen.size, seen.mtime_ns)

    def _renamed(self, link: Link) -> Reply:
        reply = link.ask("RNFR", self._unfinished)
        return link.ask("RNTO", self._where) if _MORE <= reply.code < 400 else reply  # noqa: PLR2004

    def _renamed_over(self, link: Link, refused: Reply) -> None:
        """Once more where the server does not rename onto a file: without that file."""
        failure = link.failed(refused, self._path, "written")
        seen = ftp_listing.look(link, self._where, self._path)
        if seen is not None and seen.kind == b"dir":
            raise InTheWayFailure(f"{shown(self._path)} cannot be written: a folder has that name.")
        if seen is None or not isinstance(failure, RefusedFailure):
            raise failure
        self._done(link, link.ask("DELE", self._where))
        self._done(link, self._renamed(link))

    def _done(self, link: Link, reply: Reply) -> None:
        if not reply.is_good:
            raise link.failed(reply, self._path, "written")

    def abandon(self) -> None:
        """As `Writing.abandon`: over another connection if this one broke."""
        link, data = self._link, self._data
        if link is None:
            return
        with contextlib.suppress(Failure):
            if data is not None:
                self._drop_data()
                link.answer()
            if link.is_clean:
                link.ask("DELE", self._unfinished)
        was_lost = not link.is_clean
        self._back()
        if was_lost:
            with contextlib.suppress(Failure):
                other = self._pool.take()
                try:
                    other.ask("DELE", self._unfinished)
                finally:
                    self._pool.back(other)

    def _drop_data(self) -> None:
        data, self._data = self._data, None
        if data is not None:
            data.close()

    def _back(self) -> None:
        self._drop_data()
        link, self._link = self._link, None
        if link is not None:
            self._pool.back(link)

    def __del__(self) -> None:
        self._back()  # the pool counts its connections
