"""A port behind which a database is served: from a thread of its own, until it is closed.

Covers:     the public `Server`: binding, TLS, the loop, the first start's token, tokens for applications, closing.
Not here:   requests (`serving.app`), connections (`serving.http`, `serving.connection`), what they share (`serving.service`).
Holds:      a thread and its loop; see `serving.admission` for what grows with connections.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Self, final

from flatwater import errors, limits
from flatwater.live.serving.app import Pages
from flatwater.live.serving.audit import Audit
from flatwater.live.serving.callers import checked_hosts, checked_origins, checked_proxies
from flatwater.live.serving.connection import Connection
from flatwater.live.serving.handshakes import Handshakes
from flatwater.live.serving.http import HttpConnection
from flatwater.live.serving.passwords import Passwords
from flatwater.live.serving.service import Service
from flatwater.live.serving.tokens import OneTime, Tokens
from flatwater.meter.probe import usage
from flatwater.watch.watcher import Watcher

if TYPE_CHECKING:
    from flatwater.live.database import Database

logger = logging.getLogger("flatwater.live")


@final
class Server:
    """A database that is served; made by `Database.serve`. A context manager; thread-safe.

    Attributes:
        url: where it is.
        one_time_token: for the first log-in, as `admin`, where nobody has a password yet; else "".
        is_readable: whether others on the way can read passwords and tokens: others reach it, and there is no TLS.
    """

    def __init__(
        self, database: Database, host: str, port: int, *, tls: tuple[str, str] | None,
        hosts: Sequence[str], origins: Sequence[str], proxies: Sequence[str],
    ) -> None:  # fmt: skip
        self._database = database
        self._hosts, self._origins = checked_hosts(hosts), checked_origins(origins)
        self._proxies = checked_proxies(proxies)
        self._context = None if tls is None else _context(*tls)
        self._socket = _bound(host, port)
        bound = self._socket.getsockname()
        name = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if tls else 'http'}://{name}:{bound[1]}"
        self.is_readable = tls is None and not _is_loopback(bound[0])
        if not self._hosts and not _is_loopback(bound[0]):
            self._hosts = ["*"]  # who opens it to a network has a token in front of everything
        self._tokens = Tokens(database.path, database._executor.catalog)  # noqa: SLF001 - the served half of one class
        self._passwords = Passwords(database._executor.catalog, database.budget)  # noqa: SLF001 - the same
        self._audit = Audit(database.path)
        has_password = any(record.password for _name, record in database._executor.catalog.users())  # noqa: SLF001
        self._one_time = None if has_password else OneTime()
        self.one_time_token = "" if self._one_time is None else self._one_time.text
        self.service: Service | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._error: BaseException | None = None
        self._is_ready = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="flatwater-server", daemon=True)
        self._thread.start()
        self._is_ready.wait()
        if self._error is not None:
            self._thread.join()
            self._audit.close()
            raise self._error

    def token(self, user: str, *, seconds: int | None = None) -> str:
        """A token for a user of an application's: who he is was checked by the application.

        Args:
            user: whose rows he sees; nobody needs to have made him.
            seconds: until it ends; an hour, unless told otherwise.
        """
        record = self._database._executor.catalog.user(user)  # noqa: SLF001 - the served half of one class
        return self._tokens.issue(user, 0 if record is None else record.stamp, seconds)[0]

    def wait(self) -> None:
        """Until it is closed."""
        self._thread.join()

    def close(self) -> None:
        """End: clients are told to come back, requests at work have some seconds. More than once does no harm."""
        with self._lock:
            loop, ending = self._loop, self._ending
            if loop is not None and ending is not None and self._thread.is_alive():
                loop.call_soon_threadsafe(ending.set)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Server {self.url}>"

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            _run(self._serve())
        except BaseException as error:
            self._error = error
            if self._is_ready.is_set():
                logger.exception("the server failed")
        finally:
            self._socket.close()
            self._audit.close()
            self._is_ready.set()

    async def _serve(self) -> None:
        from uvicorn import Config
        from uvicorn.server import ServerState

        self._loop = loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        service = Service(
            self._database, self._tokens, self._passwords, self._one_time, self._audit,
            hosts=self._hosts, origins=self._origins, is_tls=self._context is not None,
        )  # fmt: skip
        sockets: Any = lambda **_: Connection(service)  # noqa: E731 - uvicorn makes connections by calling a class
        config = Config(
            Pages(service).app, http=HttpConnection, ws=sockets, lifespan="off", log_config=None, access_log=False, proxy_headers=bool(self._proxies), forwarded_allow_ips=self._proxies, server_header=False, date_header=False, timeout_keep_alive=int(limits.SERVE_IDLE_S),
        )  # fmt: skip
        config.load()
        noisy = logging.getLogger("uvicorn.error")  # a line for each request that is none: as many as somebody likes
        if noisy.level == logging.NOTSET:
            noisy.setLevel(logging.ERROR)
        state = ServerState()
        made: Callable[[], asyncio.Protocol] = lambda: HttpConnection(config, state, service)  # noqa: E731 - with TLS something stands before it
        accepting: asyncio.Task[None] | None = None
        listening: asyncio.Server | None = None
        if self._context is None:
            listening = await loop.create_server(made, sock=self._socket, backlog=limits.SERVE_BACKLOG)
        else:
            self._socket.setblocking(False)  # noqa: FBT003 - its only argument
            self._socket.listen(limits.SERVE_BACKLOG)
            accepting = loop.create_task(Handshakes(service, self._context, made).accept(self._socket))
        service.watcher = watcher = Watcher(
            self._database.budget, period_s=limits.SERVE_WATCH_S, baseline=max(0, usage().anon), children=False
        ).start()
        self.service = service
        self._is_ready.set()
        try:
            await self._ending.wait()
        finally:
            watcher.stop()
            if listening is not None:
                listening.close()
            if accepting is not None:
                accepting.cancel()
                await asyncio.wait([accepting])
            for connection in list(state.connections):
                connection.shutdown()
            await service.close_connections()
            if state.tasks:
                await asyncio.wait(list(state.tasks), timeout=limits.SERVE_GRACE_S)
            for connection in list(state.connections):
                connection.transport.abort()
            for task in list(state.tasks):
                task.cancel()
            await asyncio.gather(*list(state.tasks), return_exceptions=True)
            await service.close()
            await asyncio.sleep(0)


def _run(serving: Coroutine[Any, Any, None]) -> None:
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        asyncio.run(serving)
        return
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serving)


def _bound(host: str, port: int) -> socket.socket:
    """A socket at this address.

    Raises:
        UsageError: there is no such address, or it is none of this machine.
        BrokenError: the port is taken, or not ours to take.
    """
    if type(port) is not int or not 0 <= port < 1 << 16:
        raise errors.UsageError(f"port={port!r:.40} is no port.", hint="0 takes a free one.")
    try:
        family, kind, proto, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise errors.UsageError(
            f"host={host!r:.80} is no address: {error}.", hint="Such as 127.0.0.1, or 0.0.0.0 for all."
        ) from error
    made = socket.socket(family, kind, proto)
    try:
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise errors.UsageError(
                f"host={host!r:.80} is no address of this machine.",
                hint="127.0.0.1 is one that only this machine reaches; 0.0.0.0 stands for all that it has.",
            ) from error
        hint = "Take one above 1023." if error.errno == errno.EACCES else "Take another port."
        raise errors.BrokenError(f"{host}:{port} cannot be served: {error.strerror}.", hint=hint) from error
    return made


def _is_loopback(address: str) -> bool:
    import ipaddress

    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _context(certificate: str, key: str) -> ssl.SSLContext:
    """TLS with these files.

    Raises:
        UsageError: they are not there, or do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise errors.UsageError(
            f"TLS with {certificate} and {key}: {error}.", hint="Give PEM files that belong together."
        ) from error
    context.set_alpn_protocols(["http/1.1"])
    return context
