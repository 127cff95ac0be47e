"""The way from what a user of SQLAlchemy has to a connection for one statement.

Covers:     engines, connections, sessions and their factories, sync and async; whose transaction it is; errors.
Not here:   what is read (`sqlalchemy_selects`), how rows arrive (`sqlalchemy_streams`).
Holds:      nothing between two statements, but for a snapshot's connection.

A transaction that nobody had opened is ended with the statement. One that the user has opened is read in, and left as it is.
"""

from __future__ import annotations

import contextlib
import contextvars
import copy
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from flatwater import errors

Value = TypeVar("Value")
JOINED = "joinedload() of a collection makes several rows of one object, and a page cannot be cut in them."
JOINED_HINT = "Use options(selectinload(...)): it loads the collections of a whole page at once."

_IN_ASYNC: contextvars.ContextVar[bool] = contextvars.ContextVar("flatwater_in_async", default=False)


class Door:
    """A source of connections.

    Args:
        source: an Engine, Connection, Session, scoped_session or sessionmaker, or their asynchronous kinds.

    Attributes:
        dialect: SQLAlchemy's.
        is_async: whether only coroutines can use it.
        bind_arguments: what a Session with several databases chooses one by.
    """

    def __init__(self, source: Any) -> None:
        self._source = source
        self._pinned: Any = None
        self.bind_arguments: dict[str, Any] = {}
        self.is_async = any(base.__module__.startswith("sqlalchemy.ext.asyncio") for base in type(source).__mro__)
        engine = self.engine
        self.dialect = engine.dialect
        if not self.is_async and getattr(self.dialect, "is_async", False):
            self.is_async = True

    def of(self, clause: Any, mapper: Any) -> Door:
        """The door to the database that a Session takes for this select, of this class if it is of one."""
        door = copy.copy(self)
        door.bind_arguments = {"clause": clause} if mapper is None else {"clause": clause, "mapper": mapper}
        door.dialect = door.engine.dialect
        return door

    # --- what there is -------------------------------------------------------------------------------------------------

    def session(self) -> Any:
        """The user's Session, if that is what he gave; else None."""
        from sqlalchemy.orm import Session, scoped_session

        source = self._source
        if self._pinned is not None:
            return None
        if isinstance(source, scoped_session):
            return source()
        if self.is_async:
            from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session

            if isinstance(source, async_scoped_session):
                source = source()
            if isinstance(source, AsyncSession):
                return source.sync_session
        return source if isinstance(source, Session) else None

    @property
    def engine(self) -> Any:
        """The engine that connections come from."""
        from sqlalchemy import Engine

        bind = self._bind()
        return bind if isinstance(bind, Engine) else bind.engine

    def _bind(self) -> Any:
        """The Engine or Connection behind whatever the source is."""
        from sqlalchemy import Connection, Engine, exc
        from sqlalchemy.orm import Session, sessionmaker

        if self._pinned is not None:
            return self._pinned
        session = self.session()
        source: Any = self._source
        if session is None and isinstance(source, sessionmaker):
            session = source()
        if session is None and self.is_async:
            source = _synchronous(source)
            session = source if isinstance(source, Session) else None
        if session is not None:
            try:
                return session.get_bind(**self.bind_arguments)
            except exc.UnboundExecutionError as error:
                raise errors.UsageError("the Session has no engine of its own.", hint="Give it bind=engine.") from error
        if isinstance(source, (Engine, Connection)):
            return source
        raise errors.UsageError(
            f"{type(source).__module__}.{type(source).__name__} of SQLAlchemy is no source of a table.",
            hint="Give an Engine, a Connection, a Session or an AsyncSession.",
        )

    # --- connections ---------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def reading(self) -> Iterator[tuple[Any, bool]]:
        """A connection for one statement, and whether its transaction is the user's."""
        self.check_way()
        session = self.session()
        if session is not None and session.in_transaction():
            if session.autoflush:
                session.flush()
            yield session.connection(bind_arguments=dict(self.bind_arguments)), True
            return
        bind = self._bind()
        if bind is self.engine:
            with bind.connect() as connection:
                yield connection, False
        elif bind.in_transaction():
            yield bind, True
        else:
            try:
                yield bind, False
            finally:
                bind.rollback()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Any]:
        """A connection in a transaction of its own, committed at the end."""
        self.check_way()
        session = self.session()
        bind = self._bind()
        if (session is not None and session.in_transaction()) or (bind is not self.engine and bind.in_transaction()):
            what = "session" if session is not None else "connection"
            raise errors.UsageError(
                f"the {what} is in a transaction, and this needs short ones of its own.",
                hint="Commit or roll back first, or give the engine.",
            )
        if bind is self.engine:
            with bind.begin() as connection:
                yield connection
        else:
            with bind.begin():
                yield bind

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Door]:
        """A door to one connection of its own, that sees the database as it is now."""
        self.check_way()
        name = self.dialect.name
        with self.engine.connect() as connection:
            if name == "sqlite":
                # Python's driver begins no transaction for a SELECT; and the first read is when the snapshot is taken.
                connection.exec_driver_sql("BEGIN")
                connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            else:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")  # noqa: PLW2901 - the same one
                connection.exec_driver_sql(
                    "SELECT 1" if name == "postgresql" else "START TRANSACTION WITH CONSISTENT SNAPSHOT"
                )
            door = copy.copy(self)
            door._pinned = connection  # noqa: SLF001 - a copy of its own
            try:
                yield door
            finally:
                connection.rollback()

    def own(self) -> Door:
        """A door to one connection of its own, on which each statement commits by itself until one says BEGIN.

        Raises:
            UsageError: the engine has one connection for all.
        """
        from sqlalchemy.pool import SingletonThreadPool, StaticPool

        self.check_way()
        engine = self.engine
        if isinstance(engine.pool, (SingletonThreadPool, StaticPool)):
            raise errors.UsageError(
                "the engine has one connection for all, as databases in memory do, and a writer needs one of its own.",
                hint="Give an engine of a file or a server.",
            )
        door = copy.copy(self)
        door._pinned = engine.connect().execution_options(isolation_level="AUTOCOMMIT")  # noqa: SLF001 - a copy of its own
        return door

    @property
    def pinned(self) -> Any:
        """The one connection that it leads to, if there is one."""
        return self._pinned

    def refuse_autocommit(self, connection: Any) -> None:
        """Refuse a connection whose statements would each commit by themselves.

        Raises:
            UsageError: as said.
        """
        level = connection.get_execution_options().get("isolation_level")
        level = level or getattr(self.dialect, "_on_connect_isolation_level", None)
        if level == "AUTOCOMMIT":
            raise errors.UsageError(
                "the engine is in AUTOCOMMIT, and this needs short transactions.",
                hint='Give engine.execution_options(isolation_level="READ COMMITTED"), or SERIALIZABLE for SQLite.',
            )

    # --- coroutines ----------------------------------------------------------------------------------------------------

    def check_way(self) -> None:
        """Refuse a plain call of what only coroutines can use."""
        if self.is_async and not _IN_ASYNC.get():
            raise errors.UsageError(
                "this source is asynchronous, and was asked by a plain call.",
                hint="Use async for and the verbs that begin with a (apage, aranges, ...); or give a synchronous Engine.",
            )

    async def run(self, call: Callable[[], Value]) -> Value:
        """`call` as SQLAlchemy's asynchronous drivers want it; a synchronous one gets a thread."""
        if not self.is_async:
            import asyncio

            return await asyncio.to_thread(call)
        from sqlalchemy.util import greenlet_spawn

        def marked() -> Value:
            before = _IN_ASYNC.set(True)
            try:
                return call()
            finally:
                _IN_ASYNC.reset(before)

        return await greenlet_spawn(marked)

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """SQLAlchemy's errors, and its driver's, as ours."""
        from sqlalchemy import exc

        try:
            yield
        except exc.DBAPIError as error:
            raise _ours(error.orig or error, is_broken=error.connection_invalidated) from error
        except exc.MissingGreenlet as error:
            raise errors.UsageError(
                "this source is asynchronous, and was asked by a plain call.",
                hint="Use async for and the verbs that begin with a (apage, aranges, ...).",
            ) from error
        except (exc.ResourceClosedError, exc.TimeoutError) as error:
            raise errors.BrokenError(f"SQLAlchemy: {_words(error)}.") from error
        except exc.SQLAlchemyError as error:
            if "unique()" in str(error) or "eager load" in str(error):
                raise errors.UsageError(JOINED, hint=JOINED_HINT) from error
            raise errors.UsageError(f"SQLAlchemy: {_words(error)}.") from error
        except Exception as error:
            driver = getattr(self.dialect, "loaded_dbapi", None)
            if driver is not None and isinstance(error, driver.Error):
                raise _ours(error, is_broken=False) from error
            raise


def _synchronous(source: Any) -> Any:
    """What SQLAlchemy's asynchronous kinds stand for."""
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, async_sessionmaker

    if isinstance(source, AsyncEngine):
        return source.sync_engine
    if isinstance(source, AsyncConnection):
        if source.sync_connection is None:
            raise errors.UsageError("the AsyncConnection is not open.", hint="Open it with async with first.")
        return source.sync_connection
    return source().sync_session if isinstance(source, async_sessionmaker) else source


def _ours(error: BaseException, *, is_broken: bool) -> errors.FlatwaterError:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    text = f"the database says: {_words(error)}."
    wrong = bool(kinds & {"ProgrammingError", "DataError", "NotSupportedError", "IntegrityError"})
    # SQLite and MariaDB call an unknown column an operational error.
    wrong = wrong or any(
        words in text.lower() for words in ("no such column", "no such table", "syntax error", "unknown column")
    )
    if wrong and not is_broken:
        return errors.UsageError(text)
    return errors.BrokenError(text, hint="A pass goes on with after=token.")


def _words(error: BaseException) -> str:
    """An error's first line, without a full stop."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
