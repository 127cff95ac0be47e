"""What an FTP server tells of its files and folders.

Covers:     MLST and MLSD; NLST, SIZE and MDTM where these are not there; names that no server may tell.
Not here:   order (`sync.walk`), connections (`sync.remotes.ftp_link`).
Holds:      a part of a listing; the names of one folder on disk where there is no MLSD, see `bytes_max`.

A folder is read line by line as it comes: `ftplib.mlsd` would have all of it in a list first. Lines end with CR and LF and with
nothing else: a name may have either of them in it, and is not taken apart for that.
"""

from __future__ import annotations

import calendar
import contextlib
import functools
import re
import socket
import tempfile
from collections.abc import Generator, Iterator
from typing import IO, NamedTuple

from flatwater import limits
from flatwater.sync.entry import UNKNOWN
from flatwater.sync.failures import Failure, GoneFailure, RefusedFailure
from flatwater.sync.remote import shown
from flatwater.sync.remotes.ftp_link import Link, Reply, is_denied
from flatwater.sync.walk import Item

_TIME_DIGITS = 14  # of YYYYMMDDHHMMSS
_SIZE_TOLD = 213
_DAYS_MAX = 1_024  # whose seconds are kept; about 200 B each
_NOT_THERE = {450, 501, 550, 551, 553}  # answers that may mean that something is not there
_EMPTY = re.compile(r"no (such )?files?|not found|empty", re.IGNORECASE)
_SELF = {b".", b".."}


class Seen(NamedTuple):
    """A file, a folder or something else.

    Attributes:
        kind: "file", "dir", or what the server calls it.
        size: in bytes; -1 is not told.
        mtime_ns: -1 is not told.
    """

    kind: bytes
    size: int
    mtime_ns: int


# --- one of them ------------------------------------------------------------------------------------------------------


def look(link: Link, where: bytes, path: bytes) -> Seen | None:
    """What stands there; None if nothing does. One round trip with MLST, two for a file without.

    Raises:
        RefusedFailure, RemoteFailure, TemporaryFailure: it is not to be known.
    """
    if "MLST" not in link.features:
        return _look_by_size(link, where, path)
    reply = link.ask("MLST", where)
    if not reply.is_good:
        _check_absent(link, reply, path)
        return None
    for line in reply.text.split("\n")[1:]:
        with contextlib.suppress(ValueError):
            return facts_of(line.removeprefix(" ").encode("latin-1"))[1]
    raise Failure(f"{shown(path)} cannot be looked at: the server's MLST tells nothing.")


def _check_absent(link: Link, reply: Reply, path: bytes) -> None:
    """Raise, unless an answer can mean that nothing is there."""
    if reply.code not in _NOT_THERE or is_denied(reply):
        raise link.failed(reply, path, "looked at")


def _look_by_size(link: Link, where: bytes, path: bytes) -> Seen | None:
    size = size_of(link, where)
    if size is not None:
        return Seen(b"file", size, time_of(link, where))
    if link.ask("CWD", where).is_good:
        return Seen(b"dir", -1, UNKNOWN)
    there = link.ask("RNFR", where)  # it renames nothing as long as no RNTO comes
    if there.code < 400:  # noqa: PLR2004 - as RFC 959 numbers them
        return Seen(b"other", -1, UNKNOWN)
    _check_absent(link, there, path)
    return None


def size_of(link: Link, where: bytes) -> int | None:
    """The size of a file; None if there is no such one."""
    link.binary()
    reply = link.ask("SIZE", where)
    told = reply.text[4:].strip()
    return int(told) if reply.code == _SIZE_TOLD and told.isascii() and told.isdigit() else None


def time_of(link: Link, where: bytes) -> int:
    """When a file was changed; -1 where that is not told."""
    reply = link.ask("MDTM", where)
    return time_ns(reply.text[4:].strip().encode("latin-1")) if reply.code == _SIZE_TOLD else UNKNOWN


# --- a folder ---------------------------------------------------------------------------------------------------------


def listed(link: Link, where: bytes, folder: bytes) -> Generator[Item, None, None]:
    """Files and folders in a folder, in no order; a time of -1 is to be asked for by `time_of`.

    Raises:
        GoneFailure: there is no such folder, or it is not ours to see: one answer means both.
        TemporaryFailure: the listing broke off.
        Failure: it cannot be listed, or has a name that leads elsewhere.
    """
    return _by_facts(link, where, folder) if has_facts(link) else _by_names(link, where, folder)


def has_facts(link: Link) -> bool:
    """Whether folders are listed with sizes and times."""
    return "MLST" in link.features or "MLSD" in link.features


def _by_facts(link: Link, where: bytes, folder: bytes) -> Generator[Item, None, None]:
    data = link.transfer("MLSD", where)
    if isinstance(data, Reply):
        raise _not_listed(link, data, folder)
    for line in _lines(link, data, folder):
        try:
            name, (kind, size, mtime_ns) = facts_of(line)
        except ValueError:
            raise Failure(f"{_shown(folder)} cannot be listed: {shown(line[:200])!r} is no line of MLSD.") from None
        if kind == b"file":
            if name not in _SELF:
                yield _checked(name, folder), size, mtime_ns
        elif kind == b"dir" and name not in _SELF:
            yield _checked(name, folder) + b"/", 0, 0


def _not_listed(link: Link, reply: Reply, folder: bytes) -> Failure:
    return link.failed(reply, folder, "listed", GoneFailure if reply.code in _NOT_THERE else RefusedFailure)


def _by_names(link: Link, where: bytes, folder: bytes) -> Generator[Item, None, None]:
    entered = link.ask("CWD", where)  # NLST alone takes no path: it would be a pattern, or options, to some servers
    if not entered.is_good:
        raise _not_listed(link, entered, folder)
    before = where.rstrip(b"/") + b"/"
    with tempfile.SpooledTemporaryFile(limits.SYNC_FTP_NAMES_BYTES) as names:
        _spooled(link, folder, names)
        names.seek(0)
        while head := names.read(4):
            name = _checked(names.read(int.from_bytes(head, "big")), folder)
            size = size_of(link, before + name)
            if size is not None:
                yield name, size, UNKNOWN
                continue
            seen = _look_by_size(link, before + name, folder + name)
            if seen is not None:  # a folder that cannot be entered is told of when it is listed
                yield (name + b"/", 0, 0) if seen.kind != b"file" else (name, seen.size, seen.mtime_ns)


def _spooled(link: Link, folder: bytes, names: IO[bytes]) -> None:
    """Write the names in the present folder to a file, hidden ones with them where the server can.

    An answer to `NLST -a` is taken for one only if "." is in it: other servers look for a file of that name.
    """
    link.text()
    if link.learned.get("NLST -a", True):
        data = link.transfer("NLST", b"-a")
        takes = False
        if not isinstance(data, Reply):
            for name in _lines(link, data, folder):
                if name in _SELF:
                    takes = True
                else:
                    names.write(len(name).to_bytes(4, "big") + name)
        link.learned["NLST -a"] = takes
        if takes:
            return
        names.seek(0)
        names.truncate()
    data = link.transfer("NLST")
    if isinstance(data, Reply):
        if data.code in {450, 550} and _EMPTY.search(data.text):
            return
        raise link.failed(data, folder, "listed")
    for name in _lines(link, data, folder):
        if name not in _SELF:
            names.write(len(name).to_bytes(4, "big") + name)


def _lines(link: Link, data: socket.socket, folder: bytes) -> Iterator[bytes]:
    """Lines of a listing as they come, then the answer that it was whole."""
    rest = b""
    failure: Failure | None = None
    try:
        while True:
            try:
                part = data.recv(limits.SYNC_FTP_PART_BYTES)
            except OSError as error:
                failure = link.why_cut(error, folder, "listed")
                break
            if not part:
                break
            lines = (rest + part).split(b"\r\n")
            rest = lines.pop()
            if len(rest) > limits.SYNC_FTP_LINE_BYTES:
                raise Failure(f"{_shown(folder)} cannot be listed: a line has no end.")
            yield from lines
    finally:
        data.close()
    if failure is not None:
        raise failure
    reply = link.answer()
    if not reply.is_good:
        raise link.failed(reply, folder, "listed")
    if rest:
        raise Failure(f"{_shown(folder)} cannot be listed: its last line has no end.")


def _checked(name: bytes, folder: bytes) -> bytes:
    """A name in a folder, unless it leads elsewhere: a server can tell anything."""
    if not name or b"/" in name or b"\x00" in name:
        raise Failure(
            f"{_shown(folder)} cannot be listed: the server tells of {shown(name[:200])!r}, which is no name."
        )
    return name


def _shown(folder: bytes) -> str:
    return shown(folder) or "the root"


# --- facts ------------------------------------------------------------------------------------------------------------


def facts_of(line: bytes) -> tuple[bytes, Seen]:
    """The name and the facts of one line of MLSD.

    Raises:
        ValueError: it is none.

    >>> facts_of(b"Type=file;Size=5;Modify=20231114221321.5; a b")
    (b'a b', Seen(kind=b'file', size=5, mtime_ns=1700000001500000000))
    """
    facts, space, name = line.partition(b" ")
    if not space or not facts.endswith(b";"):
        raise ValueError(line)
    kind, size, mtime_ns = b"", -1, UNKNOWN
    for fact in facts.split(b";"):
        key, _equal, value = fact.partition(b"=")
        key = key.lower()
        if key == b"type":
            kind = value.lower()
        elif key == b"size":
            size = int(value) if value.isdigit() else -1
        elif key == b"modify":
            mtime_ns = time_ns(value)
    if not kind:
        raise ValueError(line)
    return name, Seen(kind, size, mtime_ns)


def time_ns(text: bytes) -> int:
    """Nanoseconds since 1970 of a time such as b"20231114221321.5", in UTC; -1 if it is none."""
    whole, _dot, fraction = text.partition(b".")
    if len(whole) != _TIME_DIGITS or not whole.isdigit() or (fraction and not fraction.isdigit()):
        return UNKNOWN
    seconds = _day_s(whole[:8]) + int(whole[8:10]) * 3600 + int(whole[10:12]) * 60 + int(whole[12:])
    return seconds * 1_000_000_000 + (int(fraction[:9].ljust(9, b"0")) if fraction else 0)


@functools.lru_cache(maxsize=_DAYS_MAX)
def _day_s(text: bytes) -> int:
    """Seconds from 1970 to a day: files of one day are often together."""
    return calendar.timegm((int(text[:4]), int(text[4:6]), int(text[6:]), 0, 0, 0))


def bytes_max(workers: int) -> int:
    """The most that listings hold, in bytes, where so many are made at once."""
    total = 0
    total += workers * (4 * limits.SYNC_FTP_PART_BYTES + limits.SYNC_FTP_LINE_BYTES)  # a part, and its lines
    total += workers * limits.SYNC_FTP_NAMES_BYTES  # names in memory before they go to disk
    return total
