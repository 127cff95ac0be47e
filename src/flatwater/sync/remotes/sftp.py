"""A folder of an SFTP server.

Covers:     URLs, listing, reading, writing, deleting below its root; copying where a server does that by itself.
Not here:   connections (`sync.ssh`), order (`sync.walk`), links on the way (`sync.remotes.sftp_tree`), bytes of files
            (`sync.remotes.sftp_files`).
Holds:      connections, two answers of each listing, blocks of open files; see `Sftp.bytes_max`.

Version 3 of the protocol, which servers speak, has whole seconds, names of any bytes, and no way to open without following
links; see `sync.remotes.sftp_tree` for what is done about that, and what remains.
"""

from __future__ import annotations

import asyncio
import contextlib
import urllib.parse
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar, final

from flatwater import errors, limits
from flatwater.sync import walk
from flatwater.sync.entry import Attributes, Entry
from flatwater.sync.failures import Failure, GoneFailure, InTheWayFailure, TemporaryFailure
from flatwater.sync.remote import Reading, Remote, Unread, Writing, found_in_another_case, unfinished_name
from flatwater.sync.remotes.sftp_files import SftpReading, SftpWriting
from flatwater.sync.remotes.sftp_scan import Scan
from flatwater.sync.remotes.sftp_tree import Tree, failed, is_file, is_folder, mtime_of, parent, size_of
from flatwater.sync.ssh import Connections, Link, Target, is_lost, library, waited
from flatwater.sync.walk import Item, Walk

if TYPE_CHECKING:
    import asyncssh

T = TypeVar("T")

_PORT_MAX = 65_535
_NAME_BYTES = 600  # of a name in an answer, with its attributes and the line for people that servers send beside it
_OPTIONS = ("config", "identity_file", "known_hosts", "password", "timeout_s")


@final
class Sftp(Remote):
    """The files below a folder of a server. Symbolic links, sockets, pipes and devices are no files, and not followed.

    A file takes its place by posix-rename@openssh.com, at once. A server without that has, for a moment, no file of that
    name while an old one is replaced.

    Args:
        target: where to connect to.
        root: an absolute path, or one from the home directory; made when the first file is written to it.
    """

    kind = "sftp"
    keeps_mtime = True
    mtime_step_ns = 1_000_000_000

    def __init__(self, target: Target, root: bytes) -> None:
        root = root.rstrip(b"/") or (b"/" if root.startswith(b"/") else b".")
        path = root if root.startswith(b"/") else b"/~" if root == b"." else b"/~/" + root
        super().__init__(f"sftp://{target.name}{urllib.parse.quote(path, safe='/~')}")
        self.tree = Tree(root)
        self.connections = Connections(target)

    @classmethod
    def from_url(cls, url: str, options: Mapping[str, str]) -> Self:
        """From sftp://user@host:port/path; "/~/path" is one from the home directory.

        Args:
            url: percent-decoded; `host` may be a `Host` of the SSH configuration.
            options: `identity_file`, `known_hosts`, `config` (files), `password`, `timeout_s`.

        Raises:
            UsageError: there is no such remote.
        """
        parts = urllib.parse.urlsplit(url)
        if parts.query or parts.fragment or "?" in url or "#" in url:
            raise errors.UsageError("an SFTP URL has no ? and no # in it.", hint="In a path, write %3F and %23.")
        login, _at, place = parts.netloc.rpartition("@")
        user, _colon, password = login.partition(":")
        host = place[1:].partition("]")[0] if place.startswith("[") else place.partition(":")[0]
        try:
            port = parts.port or 0
        except ValueError:
            raise errors.UsageError(f"an SFTP URL's port is a number up to {_PORT_MAX}.") from None
        if parts.scheme != "sftp" or not host or host.startswith("-") or not host.isprintable() or " " in host:
            raise errors.UsageError("an SFTP URL is sftp://user@host:port/path.")
        path = urllib.parse.unquote_to_bytes(parts.path)
        if not path or b"\x00" in path:
            raise errors.UsageError("an SFTP URL says which folder.", hint="The home directory is sftp://host/~/.")
        if path == b"/~" or path.startswith(b"/~/"):
            path = path[3:].lstrip(b"/") or b"."
        unknown = sorted(set(options) - set(_OPTIONS))
        if unknown:
            raise errors.UsageError(f"SFTP has no option {unknown[0]!r}.", hint=f"There are {', '.join(_OPTIONS)}.")
        try:
            timeout_s = float(options.get("timeout_s", limits.SYNC_SFTP_TIMEOUT_S))
        except ValueError:
            timeout_s = 0.0
        if not 0 < timeout_s < float("inf"):
            raise errors.UsageError("timeout_s is a number of seconds above 0.")
        target = Target(
            urllib.parse.unquote(host),
            port,
            urllib.parse.unquote(user),
            options.get("password", "") or urllib.parse.unquote(password),
            options.get("identity_file", ""),
            options.get("known_hosts", ""),
            options.get("config", ""),
            timeout_s,
        )
        return cls(target, path)

    def _run(self, path: bytes, verb: str, work: Callable[[Link], Coroutine[Any, Any, T]], requests: int = 1) -> T:
        self.pace.take(requests)
        try:
            return self.connections.run(work)
        except Failure:
            raise
        except Exception as error:
            if isinstance(error, (library().Error, OSError, ValueError)) and not isinstance(
                error, errors.FlatwaterError
            ):
                raise failed(path or self.tree.root, verb, error) from error
            raise

    # --- listing ------------------------------------------------------------------------------------------------------

    def batches(
        self, after: bytes = b"", before: bytes = b"", unread: Unread | None = None
    ) -> Generator[list[Entry], None, None]:
        """As `Remote.batches`."""
        return Walk(self._folder, walk.told, after, before, unread).batches()

    def _folder(self, folder: bytes) -> Iterator[Item]:
        scan = self._run(folder, "listed", lambda link: Scan(self.tree, folder, link).begun(), requests=3)
        try:
            items = scan.first
            scan.first = []
            while items:
                self.pace.take()
                ahead = scan.link.running.submit(scan.items())
                yield from items
                items = waited(ahead)
        finally:
            scan.close()

    def borders(self, levels: int) -> list[bytes]:
        """As `Remote.borders`: folders with a "/" behind them, evenly thinned out where there are too many."""
        level, found = [b""], set[bytes]()
        for _ in range(levels):
            below: list[bytes] = []
            for folder in level:
                for name, _size, _mtime in self._folders(folder):
                    below.append(folder + name)
                    if len(below) > 2 * limits.SYNC_RANGES_MAX:
                        below = sorted(below)[::2]
            found.update(below)
            level = sorted(below)[:: 1 + len(below) // limits.SYNC_RANGES_MAX]
        every = 1 + max(0, len(found) - 1) // limits.SYNC_RANGES_MAX
        return sorted(found)[every - 1 :: every]

    def _folders(self, folder: bytes) -> Iterator[Item]:
        try:
            yield from (item for item in self._folder(folder) if item[0].endswith(b"/"))
        except TemporaryFailure:
            raise
        except Failure:  # the listing will tell
            if not folder:
                raise

    def find(self, path: bytes) -> Entry | None:
        """As `Remote.find`."""
        try:
            found = self._run(path, "looked at", lambda link: self._looked(link, path))
        except (GoneFailure, InTheWayFailure):
            return None
        return Entry(path, size_of(found), mtime_of(found)) if is_file(found) else None

    async def _looked(self, link: Link, path: bytes) -> asyncssh.SFTPAttrs:
        await self.tree.check(link, parent(path))
        return await self.tree.lstat(link, path)

    # --- one file -----------------------------------------------------------------------------------------------------

    def read(self, path: bytes) -> Reading:
        """As `Remote.read`."""
        return SftpReading(self.connections, self.tree, self.pace, path)

    def write(self, path: bytes, size: int, attributes: Attributes) -> Writing:  # noqa: ARG002 - the signature
        """As `Remote.write`. The server is asked when a block is full, or at `publish`: then it says what is in the way."""
        return SftpWriting(self.connections, self.tree, self.pace, path, attributes)

    def delete(self, paths: Sequence[bytes]) -> list[Failure | None]:
        """As `Remote.delete`."""
        told: list[Failure | None] = []
        for start in range(0, len(paths), limits.SYNC_SFTP_REMOVALS):
            some = paths[start : start + limits.SYNC_SFTP_REMOVALS]
            told += self._run(some[0], "deleted", lambda link, some=some: self._deleted(link, some), len(some))  # type: ignore[misc]
        return told

    async def _deleted(self, link: Link, paths: Sequence[bytes]) -> list[Failure | None]:
        # flatwater: allow FW402 — paths are cut into parts of SYNC_SFTP_REMOVALS
        told = await asyncio.gather(*(self._delete(link, path) for path in paths))
        gone = [path for path, why in zip(paths, told, strict=True) if why is None]
        await self.tree.prune(link, {parent(path) for path in gone})
        return told

    async def _delete(self, link: Link, path: bytes) -> Failure | None:
        ssh = library()
        try:
            await self.tree.check(link, parent(path))
            try:
                await link.ask(link.client.remove(self.tree.full(path)))
            except (ssh.SFTPFailure, ssh.SFTPPermissionDenied):
                if is_folder(await self.tree.lstat(link, path)):
                    return None  # the file is gone, and a folder has its name
                raise
        except (ssh.SFTPNoSuchFile, InTheWayFailure):
            return None
        except (ssh.Error, OSError, ValueError) as error:
            if is_lost(error):
                raise
            return failed(path, "deleted", error)
        return None

    def copies_inside(self, source: Remote) -> bool:
        """As `Remote.copies_inside`: in the files of the same user on the same server."""
        return isinstance(source, Sftp) and source.connections.target == self.connections.target

    def copy_inside(self, source: Remote, entry: Entry, path: bytes) -> Entry | None:
        """As `Remote.copy_inside`: by copy-data."""
        if not isinstance(source, Sftp) or not self.copies_inside(source):
            return None
        writing = SftpWriting(self.connections, self.tree, self.pace, path, Attributes())
        try:
            return self._run(path, "written", lambda link: writing.copied(link, source.tree, entry), requests=10)
        finally:
            writing.abandon()

    def discard(self, path: bytes) -> None:
        """As `Remote.discard`."""
        with contextlib.suppress(Failure):
            self._run(path, "deleted", lambda link: self._delete(link, unfinished_name(path)))

    def takes_cases_for_one(self) -> bool:
        """As `Remote.takes_cases_for_one`."""
        return found_in_another_case(self)

    # --- itself -------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """As `Remote.settle`: bytes are on disk when a file is published, names from here on. Needs fsync@openssh.com."""
        self._run(b"", "made durable", self.tree.settle)

    def listing_bytes(self) -> int:
        """As `Remote.listing_bytes`."""
        total = 0
        total += walk.bytes_max()
        total += 3 * limits.SYNC_SFTP_NAMES * _NAME_BYTES  # what it is given, what is under way, the library's answer
        return total

    def bytes_max(self, workers: int) -> int:
        """As `Remote.bytes_max`."""
        total = 0
        total += workers * limits.SYNC_FILE_BYTES  # open files
        total += (
            workers * (limits.SYNC_SFTP_BLOCKS + 2) * limits.SYNC_SFTP_BLOCK
        )  # their blocks, the present and the last
        total += limits.SYNC_SFTP_CONNECTIONS * limits.SYNC_SFTP_CONNECTION_BYTES  # what the library holds
        total += limits.SYNC_SFTP_FOLDERS * _NAME_BYTES  # folders that were looked at
        total += limits.SYNC_SFTP_FOLDERS * _NAME_BYTES  # folders with new files in them
        return total

    def close(self) -> None:
        """As `Remote.close`; what is open or under way breaks."""
        self.connections.close()
