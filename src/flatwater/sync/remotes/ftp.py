"""The files below a folder of an FTP server.

Covers:     FTP and FTPS; listing, reading, writing, deleting below a root.
Not here:   order (`sync.walk`), one connection (`sync.remotes.ftp_link`), one file (`sync.remotes.ftp_files`).
Holds:      connections and parts of listings; see `Ftp.bytes_max`.

All commands have whole paths, from the server's "/" on: a connection that was in another folder does no harm, and no name
begins with a space or a dash as far as the server sees. A path costs its own bytes, and no round trip.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from ftplib import parse257
from typing import Self, TypeVar, final

from flatwater import limits
from flatwater.sync import walk
from flatwater.sync.entry import UNKNOWN, Attributes, Entry
from flatwater.sync.failures import Failure, GoneFailure, InTheWayFailure, RefusedFailure, RemoteFailure
from flatwater.sync.remote import Reading, Remote, Unread, Writing, found_in_another_case, shown, unfinished_name
from flatwater.sync.remotes import ftp_listing, ftp_pool
from flatwater.sync.remotes.ftp_files import FtpReading, FtpWriting
from flatwater.sync.remotes.ftp_link import Link, LostFailure, Settings
from flatwater.sync.remotes.ftp_pool import Pool
from flatwater.sync.remotes.ftp_url import target
from flatwater.sync.walk import Item, Walk

_T = TypeVar("_T")
_FOLDER_BYTES = 320  # of a path in a dict: most are shorter
_SECOND_NS = 1_000_000_000
_BYTES_REFUSED = {b"\r": "a carriage return", b"\n": "a line feed", b"\xff": "a byte 255"}


@final
class Ftp(Remote):
    """Files of an FTP server. Links are what the server says they are: most tell what is behind them.

    A name has any bytes but "/", zero, CR and LF, which end a command, and 255, which begins a command of Telnet: some
    servers want it doubled and some do not, and it is in no UTF-8. A name that is no UTF-8 is not written to a server that
    calls its names UTF-8: pyftpdlib, for one, would store another one.

    A file is written under another name and renamed when it is whole. A server that does not rename onto a file which is
    there has it deleted first: for a short moment there is none of that name.

    Without MLSD, as in vsftpd, a folder is listed by its names, and each file is asked for its size and time: two round
    trips a file. Names that begin with a dot are listed there if the server takes `NLST -a`.

    Args:
        settings: how to reach the server.
        root: the folder: relative to the one of the login, unless it begins with "/". It is made when the first file is
            written.
        url: for people.
    """

    kind = "ftp"
    mtime_step_ns = _SECOND_NS

    def __init__(self, settings: Settings, root: bytes, url: str) -> None:
        super().__init__(url)
        self._root = root
        self._base = b""  # the root from "/" on, with a "/" at its end, once the server told it
        self._home = b""  # the part of it that is not ours to make
        self._set_time: str | None = None
        self._learned: dict[str, bool] = {}
        self._folders: dict[bytes, None] = {}  # that are there, as far as we know
        self._folders_lock = threading.Lock()
        self._pool = Pool(lambda: Link(settings, self._paced, self._learned))

    @classmethod
    def from_url(cls, url: str, options: Mapping[str, str]) -> Self:
        """From ftp://user:password@host:port/path, or ftps:// for TLS.

        The path is relative to the folder in which the login ends, as in RFC 1738; one that begins with %2F, or with a
        second slash, is absolute. User and password are looked for in ~/.netrc where the URL has none; "anonymous" else.

        Args:
            url: with what is special in it percent-encoded.
            options: `tls`: "explicit" (the default: a plain connection begins TLS before the login) or "implicit";
                `ca_file`: certificates of your own authority; `verify`: "no" takes any certificate, so that anybody in
                between can read and change all of it; `passive`: "no" lets the server connect back; `timeout_s`: for each
                answer; `encoding`: "bytes", as names are passed on.

        Raises:
            UsageError: it is none.
        """
        settings, root, shown_url = target(url, options)
        return cls(settings, root, shown_url)

    @property
    def keeps_mtime(self) -> bool:  # type: ignore[override] # it is the server's matter, and asked of it
        """Whether the server sets times: by MFMT, or by MDTM as vsftpd does. Connects when it is asked first.

        Raises:
            TemporaryFailure, RemoteFailure: the server cannot be reached.
        """
        return bool(self._run(self._time_command))

    def _time_command(self, link: Link) -> str:
        """The command that sets a file's time; "" if there is none."""
        if self._set_time is None:
            self._set_time = "MFMT" if "MFMT" in link.features else ""
            if not self._set_time and "MDTM" in link.features and "vsftpd" in link.ask("STAT").text.lower():
                self._set_time = "MDTM"
        return self._set_time

    # --- connections --------------------------------------------------------------------------------------------------

    def _paced(self) -> None:
        self.pace.take()

    def _run(self, action: Callable[[Link], _T], *, keep: bool = False) -> _T:
        """Do something with a connection; with another one, if it was idle and turns out to be dead.

        Args:
            action: what to do.
            keep: its result has the connection, and gives it back.
        """
        while True:
            link = self._pool.take()
            kept = False
            try:
                found = action(link)
                kept = keep
            except LostFailure:
                if not link.is_stale():
                    raise
            else:
                return found
            finally:
                if not kept:
                    self._pool.back(link)

    def _where(self, link: Link, path: bytes) -> bytes:
        """A path below the root as the server's own."""
        if not self._base:
            self._find_base(link)
        return (self._base + path).rstrip(b"/") or b"/"

    def _find_base(self, link: Link) -> None:
        home = b""
        if not self._root.startswith(b"/"):
            reply = link.ask("PWD")
            if not reply.text.startswith('257 "/'):
                raise RemoteFailure(
                    f"{self.url}: the server does not tell where the login ends.",
                    hint="Write the whole path, with %2F at its beginning.",
                )
            home = parse257(reply.text).encode("latin-1").rstrip(b"/")  # noqa: S321 - FTP is what was asked for
        self._home = home + b"/"
        self._base = (self._home + self._root.lstrip(b"/")).rstrip(b"/") + b"/"

    # --- listing ------------------------------------------------------------------------------------------------------

    def batches(
        self, after: bytes = b"", before: bytes = b"", unread: Unread | None = None
    ) -> Generator[list[Entry], None, None]:
        """As `Remote.batches`."""
        return Walk(self._folder, self._entries, after, before, unread).batches()

    def _folder(self, folder: bytes) -> Iterator[Item]:
        gone: GoneFailure | None = None
        while gone is None:
            link = self._pool.take()
            try:
                yield from ftp_listing.listed(link, self._where(link, folder), folder)
            except LostFailure:
                if not link.is_stale() and not link.is_doubtful:
                    raise
            except GoneFailure as error:
                gone = error
            else:
                return
            finally:
                self._pool.back(link)
        raise gone if self._is_gone(folder.rstrip(b"/"), b"file") else RefusedFailure(str(gone))

    def _is_gone(self, path: bytes, *others: bytes) -> bool:
        """Whether nothing of that path is there, or something else: the answer to a command may mean this or a lack of rights."""
        seen = self._run(lambda link: ftp_listing.look(link, self._where(link, path), path))
        return seen is None or seen.kind in others

    def _entries(self, prefix: bytes, items: list[Item]) -> list[Entry]:
        if all(size >= 0 and mtime_ns != UNKNOWN for _name, size, mtime_ns in items):
            return walk.told(prefix, items)
        found = [self._entry(prefix + name, size, mtime_ns) for name, size, mtime_ns in items]
        return [entry for entry in found if entry is not None]

    def _entry(self, path: bytes, size: int, mtime_ns: int) -> Entry | None:
        def asked(link: Link) -> Entry | None:
            if size >= 0 and ftp_listing.has_facts(link):
                return Entry(path, size, mtime_ns)  # it has a time for none
            if size >= 0:
                return Entry(path, size, ftp_listing.time_of(link, self._where(link, path)))
            return self._found(link, path)

        return self._run(asked)

    def borders(self, levels: int) -> list[bytes]:
        """As `Remote.borders`: the folders of so many levels, `limits.SYNC_RANGES_MAX` of them at most."""
        found: list[bytes] = []
        level = [b""]
        for _ in range(levels):
            below: list[bytes] = []
            for folder in level:
                items = self._folder(folder)
                with contextlib.suppress(RefusedFailure):  # the listing will say so
                    for name, _size, _time in items:
                        if name.endswith(b"/"):
                            below.append(folder + name)
                        if len(below) > 2 * limits.SYNC_RANGES_MAX:
                            below = sorted(below)[::2]
            if not below or len(found) + len(below) > limits.SYNC_RANGES_MAX:
                found += _thinned(sorted(below), limits.SYNC_RANGES_MAX - len(found))
                break
            found += below
            level = below
        return sorted(found)

    def find(self, path: bytes) -> Entry | None:
        """As `Remote.find`."""
        if self.refusal(path):
            return None
        return self._run(lambda link: self._found(link, path))

    def _found(self, link: Link, path: bytes) -> Entry | None:
        seen = ftp_listing.look(link, self._where(link, path), path)
        return Entry(path, seen.size, seen.mtime_ns) if seen is not None and seen.kind == b"file" else None

    # --- one file -----------------------------------------------------------------------------------------------------

    def read(self, path: bytes) -> Reading:
        """As `Remote.read`."""
        self._check(path, "read")
        try:
            return self._run(lambda link: FtpReading(self._pool, link, self._where(link, path), path), keep=True)
        except RefusedFailure:
            if not self._is_gone(path):
                raise
        raise GoneFailure(f"{shown(path)} cannot be read: it went meanwhile.")

    def write(self, path: bytes, size: int, attributes: Attributes) -> Writing:  # noqa: ARG002 - the signature
        """As `Remote.write`."""
        self._check(path, "written")

        folder = path.rpartition(b"/")[0]
        is_known = folder in self._folders

        def begun(link: Link) -> Writing:
            if "UTF8" in link.features and not _is_utf8(path):
                raise RefusedFailure(f"{shown(path)} cannot be written: it is no UTF-8, and the server's names are.")
            command = self._time_command(link) if attributes.mtime_ns >= 0 else ""
            if folder not in self._folders:
                self._make_folder(link, path)
            return FtpWriting(self._pool, link, self._where(link, path), path, attributes, command)

        try:
            return self._run(begun, keep=True)
        except RefusedFailure:
            self._forget_folder(folder)
            if not is_known:  # it is there, as we have just seen
                raise
        return self._run(begun, keep=True)

    def delete(self, paths: Sequence[bytes]) -> list[Failure | None]:
        """As `Remote.delete`."""

        def deleted(link: Link) -> list[Failure | None]:
            found = [self._delete(link, path) for path in paths]
            self._prune(link, [path for path, failure in zip(paths, found, strict=True) if failure is None])
            return found

        return self._run(deleted)

    def _delete(self, link: Link, path: bytes) -> Failure | None:
        if reason := self.refusal(path):
            return RefusedFailure(f"{shown(path)} cannot be deleted: {reason}.")
        where = self._where(link, path)
        reply = link.ask("DELE", where)
        if reply.is_good:
            return None
        failure = link.failed(reply, path, "deleted")
        if not isinstance(failure, RefusedFailure):
            return failure
        try:
            seen = ftp_listing.look(link, where, path)  # it may not be there, or not be ours
        except LostFailure:
            raise
        except Failure as error:
            return error
        return None if seen is None or seen.kind == b"dir" else failure

    def _prune(self, link: Link, paths: Sequence[bytes]) -> None:
        """Remove the folders above these paths that are empty now: each is tried once, the deepest first."""
        folders = {path.rpartition(b"/")[0] for path in paths} - {b""}
        for depth in range(max((folder.count(b"/") for folder in folders), default=-1), -1, -1):
            for folder in sorted(folder for folder in folders if folder.count(b"/") == depth):
                self._forget_folder(folder)
                if link.ask("RMD", self._where(link, folder)).is_good and depth:
                    folders.add(folder.rpartition(b"/")[0])

    def _make_folder(self, link: Link, path: bytes) -> None:
        """Make the folder of a path, and those above it that are missing. One round trip for one that is missing alone."""
        below = path.rpartition(b"/")[0]
        missing = [self._where(link, below)]
        tried = set()
        while missing:
            folder = missing[-1]
            made = link.ask("MKD", folder)
            if made.is_good or link.ask("CWD", folder).is_good:  # another worker made it meanwhile
                missing.pop()
                continue
            failure = link.failed(made, path, "written")
            if not isinstance(failure, RefusedFailure):
                raise failure
            above = folder.rpartition(b"/")[0]
            if folder in tried or not (above + b"/").startswith(self._home) or above + b"/" == self._home:
                raise self._in_the_way(link, folder, path) or failure
            tried.add(folder)
            missing.append(above)
        with self._folders_lock:
            if len(self._folders) >= limits.SYNC_FTP_FOLDERS:
                del self._folders[next(iter(self._folders))]
            self._folders[below] = None

    def _forget_folder(self, folder: bytes) -> None:
        with self._folders_lock:
            self._folders.pop(folder, None)

    def _in_the_way(self, link: Link, folder: bytes, path: bytes) -> Failure | None:
        seen = ftp_listing.look(link, folder, path)
        if seen is None or seen.kind == b"dir":
            return None
        name = shown(folder.rpartition(b"/")[2])
        return InTheWayFailure(f"{shown(path)} cannot be written: {name!r} on the way to it is no folder.")

    def discard(self, path: bytes) -> None:
        """As `Remote.discard`."""
        if not self.refusal(path):
            with contextlib.suppress(Failure):
                self._run(lambda link: link.ask("DELE", self._where(link, unfinished_name(path))))

    def refusal(self, path: bytes) -> str:
        """As `Remote.refusal`."""
        if reason := super().refusal(path):
            return reason
        for byte, name in _BYTES_REFUSED.items():
            if byte in path:
                return f"it has {name} in it, which FTP cannot carry"
        return ""

    def _check(self, path: bytes, verb: str) -> None:
        if reason := self.refusal(path):
            raise RefusedFailure(f"{shown(path)} cannot be {verb}: {reason}.")

    def takes_cases_for_one(self) -> bool:
        """As `Remote.takes_cases_for_one`."""
        return found_in_another_case(self)

    # --- itself -------------------------------------------------------------------------------------------------------

    def listing_bytes(self) -> int:
        """As `Remote.listing_bytes`."""
        return walk.bytes_max() + ftp_listing.bytes_max(1)  # and the part of it that is read

    def bytes_max(self, workers: int) -> int:
        """As `Remote.bytes_max`."""
        total = 0
        total += limits.SYNC_FTP_FOLDERS * _FOLDER_BYTES  # names of folders that are there
        total += ftp_pool.bytes_max(workers)  # connections
        total += workers * limits.SYNC_FTP_BUFFER_BYTES  # of a file that is read
        return total

    def close(self) -> None:
        """As `Remote.close`."""
        self._pool.close()
        with self._folders_lock:
            self._folders.clear()


def _is_utf8(path: bytes) -> bool:
    try:
        path.decode()
    except UnicodeDecodeError:
        return False
    return True


def _thinned(paths: list[bytes], count: int) -> list[bytes]:
    """So many of them at most, evenly."""
    if len(paths) <= count:
        return paths
    return [paths[number * len(paths) // count] for number in range(count)]
