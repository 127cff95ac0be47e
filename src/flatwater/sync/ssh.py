"""SSH connections of one remote, with their event loop in a thread of its own.

Covers:     where to, who; connecting, host keys, handing work to the loop's thread, connections that do not answer.
Not here:   what is asked over them (`sync.remotes.sftp`).
Holds:      up to `limits.SYNC_SFTP_CONNECTIONS` connections, and a thread while there are any.

Requests are coroutines of asyncssh that run in that thread; workers wait for what becomes of them. Many share a connection.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import itertools
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, final

from flatwater import errors, limits
from flatwater.sync.failures import Failure, RemoteFailure, TemporaryFailure

if TYPE_CHECKING:
    import asyncssh

T = TypeVar("T")

_CLOSE_S = 5.0  # for a connection to say goodbye
_OLDEST_TIMES = 10  # so many times the time limit may one request take while others are answered
# AES-GCM first, then the library's own order: its ChaCha20 sets four ciphers up for each packet, from Python. A small file
# that is written costs 2.2 to 2.3 ms of processor time with it, and 1.3 to 1.9 without.
_CIPHERS = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"
_PASSING_CODES = {2, 4}  # no session: the connection failed, a shortage of resources (RFC 4254, 5.1)
_BUSY_CODES = {10, 11, 12}  # disconnected: lost, by the application, too many connections (RFC 4253, 11.1)


@dataclass(frozen=True)
class Target:
    """Where to connect to, and as whom. What is empty is taken from the user's SSH configuration, or its defaults.

    Attributes:
        host: a name, an address or a `Host` of the configuration.
        port: 0 for that of the configuration, or 22.
        user: of the server.
        password: in no message and no repr.
        identity_file: a private key; otherwise those of the agent, and ~/.ssh/id_*.
        known_hosts: a file of host keys that are trusted; otherwise ~/.ssh/known_hosts. There is no way around it.
        config: a file as ssh has it; otherwise ~/.ssh/config.
        timeout_s: in which a connection that was asked something has to answer something.
    """

    host: str
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    identity_file: str = ""
    known_hosts: str = ""
    config: str = ""
    timeout_s: float = limits.SYNC_SFTP_TIMEOUT_S

    @property
    def name(self) -> str:
        """For people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (f"{self.user}@" if self.user else "") + host + (f":{self.port}" if self.port else "")

    def known_hosts_file(self) -> str:
        """Where trusted host keys are looked for."""
        return os.path.expanduser(self.known_hosts or "~/.ssh/known_hosts")


def library() -> Any:
    """The module asyncssh.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import asyncssh
    except ImportError:
        raise errors.MissingExtra("sync", "asyncssh") from None
    return asyncssh


@final
class Link:
    """One connection with its SFTP session. Its coroutines are for the loop's thread.

    Attributes:
        client: asyncssh's; paths are bytes.
        users: files that are open over it, and work that is being done.
        broken: it is not to be used any more.
    """

    def __init__(self, running: _Running, connection: asyncssh.SSHClientConnection, timeout_s: float) -> None:
        self.running = running
        self.client: asyncssh.SFTPClient
        self.users = 0
        self.broken = False
        self._connection = connection
        self._timeout_s = timeout_s
        self._asked: dict[int, float] = {}  # requests without an answer, the oldest first, and when
        self._numbers = itertools.count()
        self._answered = 0.0  # when the last answer came
        self._is_silent = False  # it was dropped as none came
        self._watch = running.loop.create_task(self._watched())

    async def ask(self, request: Awaitable[T]) -> T:
        """Wait for the answer to one request.

        Raises:
            asyncssh.Error, OSError, ValueError: as the library does; the connection is dropped if it is lost.
        """
        now = self.running.loop.time()
        if not self._asked:
            self._answered = now
        number = next(self._numbers)
        self._asked[number] = now
        try:
            return await request
        except BaseException as error:
            if is_lost(error):
                self.drop()
                if self._is_silent:  # the library knows no more than that it was closed: by us
                    raise TimeoutError(f"no answer in {self._timeout_s:g} s") from error
            raise
        finally:
            del self._asked[number]
            self._answered = self.running.loop.time()

    async def _watched(self) -> None:
        """Drop it when it does not answer: a request has no time limit of its own, for it waits behind those of others."""
        while not self.broken:
            await asyncio.sleep(self._timeout_s / 4)
            if self._asked:
                now = self.running.loop.time()
                oldest = next(iter(self._asked.values()))
                if now - self._answered > self._timeout_s or now - oldest > _OLDEST_TIMES * self._timeout_s:
                    self._is_silent = True
                    self.drop()

    def drop(self) -> None:
        """Never use it again; all that wait for an answer are told."""
        if not self.broken:
            self.broken = True
            self._connection.abort()

    async def end(self) -> None:
        """Close it, in good order if there is time."""
        self._watch.cancel()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_CLOSE_S):
                if not self.broken:
                    self.broken = True
                    self._connection.close()
                await self._connection.wait_closed()
                return
        self._connection.abort()


def is_lost(error: BaseException) -> bool:
    """Whether an error of asyncssh is about the connection, not about what was asked."""
    ssh = library()
    if isinstance(error, ssh.SFTPError):
        return isinstance(error, (ssh.SFTPNoConnection, ssh.SFTPConnectionLost))
    return isinstance(error, (ssh.Error, OSError))


@final
class Connections:
    """Those of one remote. Thread-safe.

    Args:
        target: where to.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._process = 0

    def run(self, work: Callable[[Link], Coroutine[Any, Any, T]]) -> T:
        """What `work` returns, which is called with the connection that has least to do.

        Raises:
            TemporaryFailure, RemoteFailure: there is no connection.
            Exception: what `work` raises.
        """
        with self._lock:
            if self._running is None or self._running.ended:
                library()
                self._process = os.getpid()
                self._running = _Running(self.target)
            elif self._process != os.getpid():
                raise errors.ClosedError(
                    "connections of SSH were opened before a fork, and the parent has them.",
                    hint="Make the remote in the process that uses it.",
                )
            running = self._running
        return waited(running.submit(running.work(work)))

    def close(self) -> None:
        """Close all of them, and end the thread. The next `run` begins anew."""
        with self._lock:
            running, self._running = self._running, None
        if running is not None and self._process == os.getpid():
            running.close()


def waited(future: concurrent.futures.Future[T]) -> T:
    """The result of work in the loop's thread."""
    try:
        return future.result()
    except concurrent.futures.CancelledError:
        raise TemporaryFailure("The connection was closed meanwhile.") from None
    except BaseException:
        future.cancel()  # it was waited for in vain: an interrupt
        raise


@final
class _Running:
    """A thread with an event loop, and its connections, from the first use to the next `close`."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._lock = threading.Lock()  # nothing is submitted behind the end
        self._slots: list[_Slot] = [_Slot() for _ in range(limits.SYNC_SFTP_CONNECTIONS)]
        self.ended = False
        self.loop: asyncio.AbstractEventLoop
        begun = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(begun)), name="flatwater-ssh", daemon=True
        )
        self._thread.start()
        begun.wait()

    async def _serve(self, begun: threading.Event) -> None:
        self.loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        begun.set()
        await self._over.wait()
        await asyncio.gather(*(slot.link.end() for slot in self._slots if slot.link is not None))

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Begin with it in the loop's thread."""
        with self._lock:
            if not self.ended:
                return asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        coroutine.close()
        raise TemporaryFailure("The connection was closed meanwhile.")

    def close(self) -> None:
        with self._lock:
            if self.ended:
                return
            self.ended = True
            self.loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def work(self, work: Callable[[Link], Coroutine[Any, Any, T]]) -> T:
        now = self.loop.time()
        slot = min(self._slots, key=lambda slot: (slot.refused_until > now, slot.users()))
        link = await self._waited(slot)
        link.users += 1
        try:
            return await work(link)
        finally:
            link.users -= 1

    async def _waited(self, slot: _Slot) -> Link:
        """The connection of a slot, or another one where there is one: a server may not take as many as we want."""
        slot.waiting += 1
        try:
            return await self._linked(slot)
        except TemporaryFailure:
            others = [each for each in self._slots if each is not slot and each.is_used()]
            if not others:
                raise
            slot.refused_until = self.loop.time() + limits.SYNC_SFTP_REFUSED_S
        finally:
            slot.waiting -= 1
        return await self._linked(min(others, key=lambda each: each.users()))

    async def _linked(self, slot: _Slot) -> Link:
        if slot.link is not None and slot.link.broken:
            await slot.link.end()
            slot.link = None
        if slot.link is not None:
            return slot.link
        if slot.connecting is None:
            slot.connecting = self.loop.create_task(self._connected())
        connecting = slot.connecting
        try:
            made = await asyncio.shield(connecting)
        finally:
            if slot.connecting is connecting and connecting.done():
                slot.connecting = None
        if isinstance(made, Failure):
            raise type(made)(str(made))  # an own one for each of those who wait
        slot.link = made
        return made

    async def _connected(self) -> Link | Failure:
        target = self._target
        ssh = library()
        connection = None
        try:
            async with asyncio.timeout(target.timeout_s):
                connection = await ssh.connect(**_arguments(target))
                link = Link(self, connection, target.timeout_s)
                link.client = await connection.start_sftp_client(path_encoding=None)
                return link
        except (ssh.Error, OSError, ValueError) as error:  # TimeoutError is an OSError
            if connection is not None:
                connection.abort()
            return connect_failure(error, target)


class _Slot:
    """Room for one connection."""

    def __init__(self) -> None:
        self.link: Link | None = None
        self.connecting: asyncio.Task[Link | Failure] | None = None
        self.waiting = 0
        self.refused_until = 0.0  # by the loop's clock: the server took no further connection

    def is_used(self) -> bool:
        return self.connecting is not None or (self.link is not None and not self.link.broken)

    def users(self) -> int:
        return self.waiting + (self.link.users if self.link is not None else 0)


def _arguments(target: Target) -> Mapping[str, object]:
    ssh = library()
    known = target.known_hosts_file()
    arguments: dict[str, object] = {
        "host": target.host,
        # Given in any case, also as none at all: otherwise a configuration could switch the check off.
        "known_hosts": known if os.path.exists(known) else ssh.import_known_hosts(""),
        "encryption_algs": _CIPHERS,
        "utf8_decode_errors": "replace",
        "connect_timeout": target.timeout_s,
        "login_timeout": target.timeout_s,
    }
    if target.port:
        arguments["port"] = target.port
    if target.user:
        arguments["username"] = target.user
    if target.password:
        arguments["password"] = target.password
    if target.identity_file:
        arguments["client_keys"] = [os.path.expanduser(target.identity_file)]
    if target.config:
        arguments["config"] = [os.path.expanduser(target.config)]
    return arguments


def connect_failure(error: Exception, target: Target) -> Failure:  # noqa: C901 - a table of kinds
    """What an error of asyncssh while it connects is to us. No message of the library has a secret in it; none is chained."""
    ssh = library()
    what = f"No connection to {target.name}"
    if isinstance(error, ssh.HostKeyNotVerifiable):
        port = f"-p {target.port} " if target.port else ""
        return RemoteFailure(
            f"{what}: its host key is not among those in {target.known_hosts_file()}, or another one is.",
            hint=f"If it is new: ssh-keyscan {port}{target.host}, compare the key with what its owner says, and add the line.",
        )
    if isinstance(error, ssh.PermissionDenied):
        return RemoteFailure(
            f"{what}: the login was refused.",
            hint="Look at the user, and at the key (ssh-agent, ~/.ssh/id_*, identity_file).",
        )
    if isinstance(error, TimeoutError):
        return TemporaryFailure(f"{what}: no answer in {target.timeout_s:g} s.")
    if isinstance(error, ssh.ChannelOpenError):  # also what the library says where the connection is cut just then
        kind = TemporaryFailure if error.code in _PASSING_CODES else RemoteFailure
        return kind(f"{what}: the server opens no session: {error}.")
    if isinstance(error, (ssh.KeyImportError, ssh.KeyEncryptionError)):
        return RemoteFailure(
            f"{what}: the private key cannot be used: {error}.",
            hint="A key with a passphrase is to be added to ssh-agent.",
        )
    if isinstance(error, ssh.ConfigParseError):
        return RemoteFailure(f"{what}: the SSH configuration cannot be read: {error}.")
    if isinstance(error, ssh.DisconnectError):
        kind = TemporaryFailure if error.code in _BUSY_CODES else RemoteFailure
        return kind(f"{what}: {error.reason}.")
    if isinstance(error, socket.gaierror) and error.errno != socket.EAI_AGAIN:
        return RemoteFailure(f"{what}: {(error.strerror or str(error)).lower()}.")
    if isinstance(error, OSError) and error.filename is not None:  # a key, a configuration
        return RemoteFailure(f"{what}: {os.fsdecode(error.filename)}: {(error.strerror or str(error)).lower()}.")
    if isinstance(error, (OSError, ssh.SFTPConnectionLost, ssh.SFTPNoConnection)):
        number = getattr(error, "errno", None) or 0  # the text of asyncio's own speaks of its calls
        return TemporaryFailure(f"{what}: {os.strerror(number).lower() if number > 0 else error}.")
    return RemoteFailure(f"{what}: {error}.")
