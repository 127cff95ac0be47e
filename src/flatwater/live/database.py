"""A database: SQL tables in a directory, and queries that go on.

Covers:     the public class: opening, statements, subscriptions, loading, closing; who does what in whose name.
Not here:   how each is done (`selecting`, `changing`, `definitions`, `following`, `writing`).
Holds:      the store, what waits to be committed, tables and statements that were used, subscriptions; see `Database.bytes_max`.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import itertools
import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self, final

from flatwater import errors, limits, units
from flatwater.budget.budget import Budget
from flatwater.live import assigning, changing, system
from flatwater.live.access import SYSTEM_USER, Actor
from flatwater.live.catalog import Catalog
from flatwater.live.conditions import condition_of
from flatwater.live.executing import Executor
from flatwater.live.following import Following
from flatwater.live.locking import locked
from flatwater.live.log import Change, Get, Log
from flatwater.live.queries import Queries
from flatwater.live.results import Result
from flatwater.live.rows import Heads
from flatwater.live.schema import Row
from flatwater.live.sequence import Sequence as Numbers
from flatwater.live.statements import name_in
from flatwater.live.subscriber import Subscription
from flatwater.live.upkeep import Upkeep
from flatwater.live.writing import Edit, Writer
from flatwater.store.directory import full
from flatwater.store.store import Store

if TYPE_CHECKING:
    from flatwater.live.serving.server import Server


@final
class Database:
    """SQL tables in a directory, without a server; live queries that see each change once. Thread-safe; one process at a time.

    In USER and STREAM tables each user has rows of his own, under the same names: whose is said by `user=`, never by the SQL.
    Without `user=` it is `system`, who may everything, and whose rows are his own, too: EXECUTE AS USER 'ada' (...) is for others'.

    What is acknowledged is on the disk. Memory: `bytes_max()` of the ambient budget; the SQL engine, when a statement first
    needs it, four times `sql_pool` more.

    Args:
        path: of the directory; made if it does not exist.
        sync: as for `Store`: "full" makes each statement durable, "normal" and "off" lose the last ones with the machine's power.
        log_bytes: of changes kept on disk for subscribers that are slow, or come back.
        sql_pool: bytes that joins, sorting and grouping have before they go to disk.

    Raises:
        UsageError: an argument makes no sense, or there is something else.
        BrokenError: the disk, the rights, or another process that has it open.
        BudgetExceeded: it does not fit into the ambient budget.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Database(folder) as db:
    ...     _ = db.sql("CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')")
    ...     _ = db.sql("INSERT INTO notes VALUES (?, ?)", [1, "mine"], user="ada")
    ...     with db.subscribe("SELECT body FROM notes", user="ada") as notes:
    ...         _ = db.sql("INSERT INTO notes VALUES (2, 'more')", user="ada")
    ...         seen = [next(notes).row, next(notes).row]
    ...     seen, list(db.sql("SELECT * FROM notes", user="bob"))
    ([{'body': 'mine'}, {'body': 'more'}], [])
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        sync: Literal["full", "normal", "off"] = "full",
        log_bytes: str | int = limits.LIVE_LOG_BYTES,
        sql_pool: str | int = limits.LIVE_SQL_POOL_BYTES,
    ) -> None:
        self._is_open = False
        self.path = full(path)
        kept = errors.bytes_of(log_bytes, what="log_bytes", least=units.KIB)
        pool = errors.bytes_of(sql_pool, what="sql_pool", least=units.MIB)
        self.budget = Budget.current()
        with contextlib.ExitStack() as opened:
            self._store = Store(path, "lmdb", sync)
            opened.callback(self._store.close)
            opened.callback(os.close, locked(self.path))
            self._queries = Queries(self.path)
            opened.callback(self._queries.close)
            reservation = self.budget.reserve(self._own_bytes_max(), f"live {os.path.basename(self.path)}")
            opened.callback(reservation.release)
            self._open(kept, pool)
            opened.callback(self._threads.shutdown, wait=False)
            opened.callback(self._executor.close)
            opened.callback(self._following.close)
            opened.callback(self._upkeep.close)
            self._closing = opened.pop_all()
        self._is_open = True

    def _open(self, log_bytes: int, sql_pool: int) -> None:
        store, space = self._store, self._store.space
        entries = store.partition("live.catalog")
        heads = Heads(store.partition("live.rows").head(), store.partition("live.stream").head(), entries.head())
        log = Log(store.partition("live.log").head())
        catalog = Catalog(entries)
        self._numbers = Numbers()
        self._writer = Writer(
            space, heads, log, self._numbers, self._tell, log_bytes=log_bytes, behind=self._behind, mark=self._mark
        )
        self._numbers.start(self._writer.last)
        # Statements that wait for a turn of the engine have threads of their own: those who read results need some, too.
        self._threads = ThreadPoolExecutor(limits.LIVE_ASYNC_THREADS, "flatwater-asql")
        self._upkeep = Upkeep(space, heads, catalog, self._writer, self._numbers)
        self._executor = Executor(
            self.path, space, heads, log, catalog, self._writer, self._numbers,
            sql_pool=sql_pool, budget=self.budget, wake=self._upkeep.wake,
            table_dropped=self._table_dropped, user_changed=self._user_changed, kill=self._kill,
            parts=system.Parts(self.budget, catalog, self._upkeep.jobs, self._live, self._memory),
        )  # fmt: skip
        self._following = Following(
            space, heads, log, catalog.numbered, self._writer.last, self._executor.since, self._queries, self.budget
        )
        self._users: dict[str, int] = {}  # a number for each user who has subscriptions, and for some who had
        self._user_numbers = itertools.count()

    # --- statements ---------------------------------------------------------------------------------------------------

    def sql(self, text: str, params: Sequence[Any] = (), *, user: str | None = None) -> Result:
        """Do one statement. What changes something is done, and on the disk, when this returns; rows of a SELECT are streamed.

        Args:
            text: one statement; `?` stands for a parameter, or `$1`, `$2`, ...
            params: their values, in their order.
            user: in whose name; None is `system`.

        Returns:
            An iterator of dicts, also async; `.json()` are lines of JSON instead, `.arrow()` record batches. `.count` says
            how many rows were changed.

        Raises:
            UsageError: the statement makes no sense, or a value does not fit.
            AccessDenied: the user's role does not allow it.
            Conflict: a primary key is there.
            LimitReached: it changes or gives more than the user may.
            BudgetExceeded: the SQL engine does not fit into the budget.
            BrokenError: the disk is full or broken; nothing was changed.
        """
        self._check_open()
        return self._executor.do(text, params, self._executor.actor(user))

    async def asql(self, text: str, params: Sequence[Any] = (), *, user: str | None = None) -> Result:
        """As `sql`, in a thread: for coroutines, which go on meanwhile."""
        call = partial(contextvars.copy_context().run, self.sql, text, params, user=user)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def load(self, table: str, rows: Iterable[Any], *, user: str | None = None) -> int:
        """Write any number of rows, in transactions of their own; a row whose key is there takes its place.

        Args:
            table: its name, or namespace.name.
            rows: dicts, or pyarrow record batches or tables; a Flow's, too.
            user: whose.

        Returns:
            How many.

        Raises:
            UsageError: a row does not fit; those of the transactions before it are there.
        """
        self._check_open()
        executor = self._executor
        actor = executor.actor(user)
        schema = executor.writable(name_in(table), actor)
        place = executor.place(schema, actor)
        count = size = written = 0
        edits: list[Edit] = []
        now = datetime.now(UTC)

        def plan(edits: list[Edit], get: Get) -> list[Edit]:
            executor.catalog.must_be_there(schema, get)
            actor.must_change(count + len(edits), written + size)
            return edits

        for row in system.rows_of(rows):
            assigning.known(row, schema)
            made = changing.complete(schema, list(row), list(row.values()), self._numbers, now)
            json = changing.check_row(schema.encode(made), schema)
            edits.append(Edit(schema.number, place.head, place.key(made), json))
            changing.check_key(edits[-1].key)
            size += len(edits[-1].new or b"")
            if len(edits) == limits.LIVE_LOAD_ROWS or size >= limits.LIVE_GROUP_BYTES // 4:
                self._writer.submit(partial(plan, edits), size=2 * size)
                count, edits, written, size = count + len(edits), [], written + size, 0
        if edits:
            self._writer.submit(partial(plan, edits), size=2 * size)
        return count + len(edits)

    # --- live ---------------------------------------------------------------------------------------------------------

    def subscribe(
        self,
        text: str,
        params: Sequence[Any] = (),
        *,
        user: str | None = None,
        last_rows: int | None = None,
        since: int | None = None,
    ) -> Subscription:
        """Rows of a SELECT, then each change to them, in the order in which they were committed.

        Args:
            text: SELECT columns or * FROM one table, with or without WHERE.
            params: as for `sql`.
            user: whose rows.
            last_rows: of the snapshot, at most, those with the highest keys; 0 for none.
            since: go on behind this `seq` of an event, without a snapshot. Where the log no longer reaches back to it, the
                first event is a "reset", and a snapshot follows.

        Returns:
            An iterator of events, also async: `op`, `row`, `old`, `seq`. `poll(seconds)` gives None when nothing comes.

        Raises:
            UsageError: the query is more than a condition on one table.
            LimitReached: the user has as many as he may.
        """
        self._check_open()
        executor, following = self._executor, self._following
        actor = executor.actor(user)
        wanted, values = executor.followable(text, params)
        for name, value in (("last_rows", last_rows), ("since", since)):
            if value is not None and (type(value) is not int or not 0 <= value < 2**63):
                raise errors.UsageError(
                    f"{name}={value!r:.80} is no number from 0 on.",
                    hint="Pass the seq of an event." if name == "since" else "Pass how many rows: 0 for changes alone.",
                )
        schema = executor.catalog.table(*wanted.table)
        actor.must_read(schema)
        user_of_rows = executor.place(schema, actor).user
        predicate = condition_of(wanted.where, schema, values).predicate
        with following.lock:
            number = self._number_of(actor.name)
            held = following.subscriptions.count(number)
            if held >= actor.limits.subscriptions and actor.role != SYSTEM_USER:
                raise errors.LimitReached(
                    f"{actor.name!r} has {held} subscriptions.", what="subscriptions", limit=actor.limits.subscriptions,
                    hint="Close some, or ALTER USER ... SUBSCRIPTIONS <more>.",
                )  # fmt: skip
            made = following.follow(
                schema, user_of_rows, predicate, number, wanted.names, last_rows=last_rows, since=since
            )
        made.enter(actor.name, text)
        return made

    # --- serving ------------------------------------------------------------------------------------------------------

    def serve(
        self,
        host: str = "127.0.0.1",
        port: int = limits.SERVE_PORT,
        *,
        tls: tuple[str, str] | None = None,
        hosts: Sequence[str] = (),
        origins: Sequence[str] = (),
        proxies: Sequence[str] = (),
    ) -> Server:
        """Serve it by HTTP and WebSocket, from a thread of its own, until the server or the database is closed.

        Args:
            host: an address of this machine; others reach what is not loopback.
            port: 0 takes a free one.
            tls: files of a certificate with its chain, and of its key.
            hosts: names that clients call it by; of loopback, unless told otherwise.
            origins: of pages from elsewhere that may connect, such as "https://example.org".
            proxies: addresses of reverse proxies, whose X-Forwarded-For says where clients are.

        Returns:
            The server: `.url`, `.one_time_token`, `.token(user)`, `.close()`.

        Raises:
            UsageError: an argument makes no sense, such as an origin that no browser sends, or it is served already.
            BrokenError: the port is taken.
            MissingExtra: a library of the extra `serve` is not installed.
        """
        self._check_open()
        try:
            from flatwater.live.serving.server import Server
        except ModuleNotFoundError as error:
            raise errors.MissingExtra("serve", error.name or "a library") from error
        if self._following.pushing is not None:
            raise errors.UsageError(f"the database {self.path} is served already.", hint="Close that server first.")
        server = Server(self, host, port, tls=tls, hosts=hosts, origins=origins, proxies=proxies)
        self._closing.callback(server.close)
        return server

    # --- inside -------------------------------------------------------------------------------------------------------

    def _table_dropped(self, number: int) -> None:
        self._following.table_dropped(number)

    def _kill(self, number: int, actor: Actor) -> bool:
        """End a live query, which may be another user's."""
        with self._following.lock:
            owner = self._queries.owner(number)
            if owner is None:
                return False
            if owner != actor.name:
                actor.must_rule(self._executor.actor(owner).role, owner)
            return self._following.kill(number)

    def _user_changed(self, user: str) -> None:
        """End his subscriptions that he may no longer have."""
        number = self._users.get(user)
        if number is not None:
            self._following.user_changed(number, self._executor.actor(user).may_read)

    def _number_of(self, user: str) -> int:
        """By which his subscriptions are counted."""
        number = self._users.get(user)
        if number is None:
            if len(self._users) >= 2 * len(self._following.subscriptions) + limits.LIVE_IDLE_USERS:
                has = self._following.subscriptions.has
                self._users = {name: number for name, number in self._users.items() if has(number)}
            number = self._users[user] = next(self._user_numbers)
        return number

    def _tell(self, changes: list[Change]) -> None:
        self._following.tell(changes)

    def _mark(self, number: int) -> None:
        self._following.mark(number)

    def _behind(self) -> int | None:
        return self._following.behind()

    def _live(self) -> Iterator[Row]:
        self._following.settle()
        return self._queries.rows()

    # --- what it holds ------------------------------------------------------------------------------------------------

    def parts(self) -> Iterator[Row]:
        """The parts of `system.memory`: what each promised, and holds where that is known."""
        return self._memory()

    def _memory(self) -> Iterator[Row]:
        """The rows of `system.memory`: who promised how much, and holds how much where that is known."""
        following, engine = self._following, self._executor.engine
        groups, places = following.held()
        for part, promised, seen in (
            ("store", self._store.bytes_max(), None),
            ("live queries' texts", self._queries.bytes_max(), None),
            ("commits", self._writer.bytes_max(), None),
            ("schemas", limits.LIVE_SCHEMAS_BYTES, self._executor.catalog.held()),
            ("statements", self._executor.bytes_max(), self._executor.held()),
            ("subscriptions", following.promised(), places + groups),
            ("sql engine", 0 if engine is None else engine.bytes_max(), None),
        ):
            yield {"part": part, "promised": promised, "seen": seen}

    def _own_bytes_max(self) -> int:
        total = 0
        total += Writer.bytes_max()  # rows that are committed together
        total += limits.LIVE_SCHEMAS_BYTES  # tables that were used
        total += Executor.bytes_max()  # statements that were used
        return total

    def bytes_max(self) -> int:
        """The most it holds in memory, in bytes, beside the SQL engine, subscriptions, and the pages of statements that are read."""
        total = 0
        total += self._store.bytes_max()  # the store
        total += self._queries.bytes_max()  # the store of live queries' texts
        total += self._own_bytes_max()  # what waits to be committed, tables and statements
        return total

    def _check_open(self) -> None:
        if not self._is_open:
            raise errors.ClosedError(f"the database {self.path} was closed.", hint="Open it again.")

    def close(self) -> None:
        """End: subscriptions end, what was acknowledged stays. More than once does no harm."""
        if self._is_open:
            self._is_open = False
            self._closing.close()

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_is_open", False):
            warnings.warn(f"unclosed database {self.path!r}", ResourceWarning, stacklevel=2)
            self.close()

    def __repr__(self) -> str:
        return f"<Database {self.path!r}>"
