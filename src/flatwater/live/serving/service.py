"""What the connections and requests of a server share: the database, tokens, admission, threads.

Covers:     subscribing in a thread, ending live queries, who may connect from where, looks at what is due.
Not here:   the port (`serving.server`), HTTP (`serving.app`), WebSockets (`serving.connection`).
Holds:      its threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits
from flatwater.live.access import SYSTEM_USER
from flatwater.live.catalog import check_name
from flatwater.live.refusals import Unauthenticated
from flatwater.live.serving.admission import Admission
from flatwater.live.serving.channels import Channels
from flatwater.live.serving.connection import Connection
from flatwater.live.serving.fanout import Fanout
from flatwater.live.serving.feed import Feed
from flatwater.live.serving.frames import text_frame
from flatwater.live.serving.messages import RESTART, Subscribe

if TYPE_CHECKING:
    from flatwater.live.access import Actor
    from flatwater.live.database import Database
    from flatwater.live.serving.audit import Audit
    from flatwater.live.serving.http import HttpConnection
    from flatwater.live.serving.passwords import Passwords
    from flatwater.live.serving.tokens import OneTime, Tokens
    from flatwater.live.subscriber import Subscription
    from flatwater.watch.watcher import Watcher

ADMIN = "admin"  # whom the one-time token of the first start is for
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


@final
class Service:
    """One server's. For its loop alone.

    Args:
        database: that is served.
        tokens: made and checked.
        passwords: checked.
        one_time: the token of the first start.
        audit: who did what.
        hosts: names that it is called by; of loopback, unless told otherwise.
        origins: of pages from elsewhere that may connect.
        is_tls: whether it is.
    """

    def __init__(
        self, database: Database, tokens: Tokens, passwords: Passwords, one_time: OneTime | None, audit: Audit, *,
        hosts: Sequence[str], origins: Sequence[str], is_tls: bool,
    ) -> None:  # fmt: skip
        self.database, self.tokens, self.passwords = database, tokens, passwords
        self.one_time, self.audit = one_time, audit
        self.loop = asyncio.get_running_loop()
        self.clock: Callable[[], float] = time.time
        self.now = self.loop.time()
        self.began = self.now
        self.connections: set[Connection] = set()
        self.arriving: dict[HttpConnection, None] = {}  # whose request has not arrived, the oldest first
        self.idle: dict[HttpConnection, None] = {}  # between two requests
        self.channels = Channels()
        self.following = database._following  # noqa: SLF001 - the served half of one class
        self.executor = database._executor  # noqa: SLF001 - the same
        self.is_tls = is_tls
        self._hosts = frozenset(map(str.lower, hosts)) or _LOOPBACK
        self._any_host = "*" in self._hosts
        self.origins = frozenset(map(str.lower, origins))
        self.requests = self.at_work = 0  # that came, and are at work
        self._tasks: set[asyncio.Task[Any]] = set()
        self._version = self.executor.catalog.version  # of users and tables, as connections were last looked at
        with contextlib.ExitStack() as opened:
            self.admission = Admission(database.budget, is_tls=is_tls)
            opened.callback(self.admission.close)
            self.threads = ThreadPoolExecutor(limits.SERVE_THREADS, "flatwater-serve")
            opened.callback(self.threads.shutdown)
            self.pages = ThreadPoolExecutor(
                limits.SERVE_THREADS, "flatwater-pages"
            )  # results that were begun go on here
            opened.callback(self.pages.shutdown)
            self.engine_threads = ThreadPoolExecutor(limits.LIVE_QUERIES_MAX, "flatwater-queries")
            opened.callback(self.engine_threads.shutdown)
            self.logins = ThreadPoolExecutor(limits.SERVE_LOGIN_THREADS, "flatwater-logins")
            opened.callback(self.logins.shutdown)
            self.fanout = Fanout(self.following, self.loop, lambda: self.at_work > 0)
            opened.pop_all()
        self.watcher: Watcher | None = None
        self._looking = self.loop.create_task(self._look())

    # --- who and where ------------------------------------------------------------------------------------------------

    def actor(self, user: str) -> Actor:
        """The user with his role and limits, as they are now."""
        return self.executor.actor(user)

    def stamp_of(self, user: str) -> int:
        """What changes with a user's password, and when he is dropped; 0 for one whom nobody made."""
        record = self.executor.catalog.user(user)
        return 0 if record is None else record.stamp

    def messages_of(self, user: str | None) -> int:
        """How many messages a second a user may send."""
        return limits.LIVE_USER_MESSAGES if user is None else self.actor(user).limits.messages

    def is_host(self, host: str) -> bool:
        """Whether the server goes by this name: a page of another one whose name was made to lead here does not get in."""
        name = host.lower()
        return self._any_host or name in self._hosts or name.rpartition(":")[0] in self._hosts

    def is_origin(self, origin: str, host: str) -> bool:
        """Whether pages of this origin may connect: the server's own, and those that were named."""
        own = f"{'https' if self.is_tls else 'http'}://{host}"
        return origin.lower() in self.origins or origin.lower() == own.lower()

    def is_page(self, origin: str, host: str) -> bool:
        """Whether pages of this origin may ask by HTTP: also the server's own behind a proxy with TLS, of which it does not know."""
        return origin.lower() in self.origins or origin.lower().partition("://")[2] == host.lower() != ""

    @staticmethod
    def bound(transport: asyncio.Transport) -> None:
        """Bound what the kernel keeps for a client."""
        taken = transport.get_extra_info("socket")
        if taken is not None:
            with contextlib.suppress(OSError):
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.SERVE_SOCKET_BYTES)

    def took_one_time(self, text: str, address: str) -> tuple[str, int]:
        """Who the one-time token is for, and his stamp: `admin`, who is made now if he is not there.

        Raises:
            Unauthenticated: it is another one, or was taken.
        """
        if self.one_time is None or not self.one_time.take(text):
            self.audit.write("refused", "", address, what="one-time token")
            raise Unauthenticated(
                "this one-time token does not hold.", hint="It holds once; the server's start prints one."
            )
        catalog = self.executor.catalog
        if catalog.user(ADMIN) is None:
            self.executor.do(f"CREATE USER {ADMIN} WITH ROLE 'dba'", (), self.actor(SYSTEM_USER))
        record = catalog.user(ADMIN)
        return ADMIN, 0 if record is None else record.stamp

    def token_for(self, actor: Actor, user: str | None) -> tuple[str, int]:
        """Whom a token is for that somebody with a token asks for, and his stamp.

        Raises:
            AccessDenied: his role does not allow it.
        """
        name = actor.name if user is None else user
        if name != actor.name:
            check_name(name, "user")
            other = self.actor(name)
            actor.must_act_as(other.role, name)
        record = self.executor.catalog.user(name)
        return name, 0 if record is None else record.stamp

    def gives_rows(self, text: str) -> bool:
        """Whether a statement changes nothing."""
        statement = self.executor.understood(text)
        if statement.kind == "execute as":
            statement = self.executor.understood(statement.words[1])
        return statement.kind == "select"

    def audit_statement(self, text: str, user: str, address: str) -> None:
        """Write down what a definition, or a change of users, says."""
        kind = self.executor.understood(text).kind
        if kind not in {"select", "insert", "update", "delete", "show", "describe"}:
            self.audit.write("statement", user, address, sql=text)

    # --- live queries -------------------------------------------------------------------------------------------------

    async def subscribe(self, message: Subscribe, user: str) -> Subscription:
        """A live query of a user, made in a thread."""
        call = partial(
            self.database.subscribe, message.sql, message.params, user=user,
            last_rows=message.last_rows, since=message.since,
        )  # fmt: skip
        return await self.loop.run_in_executor(self.threads, call)

    def group_of(self, reader: Subscription) -> int:
        """The rows that it follows."""
        with self.following.lock:
            return self.following.subscriptions.group(reader.number)

    def columns_of(self, reader: Subscription) -> list[str]:
        """What its rows have."""
        if reader.names is not None:
            return [called for called, _name in reader.names]
        try:
            place, _condition = self.following.read(reader.number)
        except errors.FlatwaterError:  # it is gone: its first page says so
            return []
        return list(place.schema.columns)

    def drop(self, feeds: list[Feed]) -> None:
        """End live queries; their readers are closed in a thread."""
        for feed in feeds:
            self.fanout.remove(feed)
            self.channels.give_back(feed.channel)
        self.admission.follow(-len(feeds))
        self.close_readers(feeds)

    def close_readers(self, readers: Sequence[Feed | Subscription]) -> None:
        """Close them, in a thread."""

        def close() -> None:
            for reader in readers:
                reader.close()

        self.begin(self._in_thread(close))

    async def _in_thread(self, call: Callable[[], None]) -> None:
        await self.loop.run_in_executor(self.threads, call)

    def begin(self, doing: Coroutine[Any, Any, None]) -> None:
        """Do something beside."""
        task = self.loop.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- what is due --------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        level = self.now
        while True:
            await asyncio.sleep(limits.SERVE_SWEEP_S)
            self.now = now = self.loop.time()
            wall = self.clock()
            for connection in list(self.connections):
                connection.look(now, wall)
            if self.executor.catalog.version != self._version:
                self._version = self.executor.catalog.version
                self._look_at_users()
            if now - level >= limits.SERVE_LEVEL_S:
                level = now
                self._tell_level()

    def _look_at_users(self) -> None:
        """End the connections of users who were dropped, or have another password."""
        stamps: dict[str, int] = {}
        for connection in list(self.connections):
            user = connection.user
            if user is None:
                continue
            if user not in stamps:
                stamps[user] = self.stamp_of(user)
            if stamps[user] != connection.stamp:
                connection.is_out()

    def _tell_level(self) -> None:
        """Tell who has everything up to where that is, so that he can go on there later."""
        with self.following.lock:
            told = self.following.told
            if self.fanout.position(told) != told:
                return
        frame = text_frame(b'{"type":"level","seq":%d}' % told)
        for connection in list(self.connections):
            connection.level(frame)

    async def close_connections(self) -> None:
        """Close all live connections."""
        self._looking.cancel()
        for connection in list(self.connections):
            connection.close(RESTART, "the server ends")
        until = self.loop.time() + limits.SERVE_CLOSE_S
        while self.connections and self.loop.time() < until:  # noqa: ASYNC110 - they end one by one, none of them tells
            await asyncio.sleep(0.02)
        for connection in list(self.connections):
            connection.abort()
        await asyncio.sleep(0)

    async def close(self) -> None:
        """End what is left."""
        await self.fanout.close()
        while self._tasks:
            await asyncio.gather(*list(self._tasks), return_exceptions=True)
        for pool in (self.threads, self.engine_threads, self.pages, self.logins):
            await self.loop.run_in_executor(None, pool.shutdown)
        self.admission.close()
