"""SQLite through apsw: a file by its path, or a connection of the user's.

Covers:     opening (never creating), short reads, snapshots, short transactions.
Not here:   connections of the standard library's sqlite3 (`sqlite_connection`).
Holds:      two connections at most, with a page cache each.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, final
from urllib.parse import unquote, urlsplit

from flatwater import errors, limits
from flatwater.source.tables import statements
from flatwater.source.tables.adapters import sqlite_columns, sqlite_words
from flatwater.source.tables.adapters.base import Plan, SqlAdapter, in_transaction, no_such
from flatwater.source.tables.forms import Row
from flatwater.source.tables.given import Fillable
from flatwater.source.tables.shape import SQLITE, Column, Dialect, PageQuery, Relation, Shape
from flatwater.source.tables.statements import Statement


class SqliteApsw(SqlAdapter):
    """A connection of the user's, which stays open. Any thread may use it, one statement at a time."""

    dialect: Dialect = SQLITE

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.name = str(connection.filename) or ":memory:"

    def bytes_max(self) -> int:
        """The most this holds at once, in bytes, beside one batch and the largest row."""
        total = 0
        total += limits.SQLITE_CACHE_BYTES  # the connection's pages
        total += limits.SQLITE_CACHE_BYTES  # those of a snapshot's own connection, or of the one that reads columns
        total += limits.DRIVER_BYTES  # prepared statements, and the row at hand
        return total

    def stream(self, sql: str, params: Sequence[Any], *, row_bytes: int) -> Iterator[Row]:
        """Rows as they come: nothing is read ahead."""
        del row_bytes
        return _Cursor(self, sql, params)

    def fetch(self, statement: Statement) -> list[Row]:
        """All rows of a small statement."""
        return self._all(*statement)

    def _all(self, sql: str, params: Sequence[Any]) -> list[Any]:
        with self.errors():
            return self._connection.cursor().execute(sql, tuple(params)).fetchall()  # type: ignore[no-any-return]

    def shape(self, relation: Relation) -> Shape:
        """Columns and key by the schema; of a select by preparing it."""
        if relation.path:
            found = sqlite_words.table_shape(relation, self._all)
            if found is None:
                raise no_such(relation, f"there is no such table or view in {self.name!r}")
            return found
        import apsw
        import apsw.ext

        source, _ = statements.from_clause(relation, SQLITE)
        try:
            described = apsw.ext.query_info(self._connection, f"SELECT * FROM {source}").description
        except apsw.Error as error:
            raise no_such(relation, error) from error
        return Shape(tuple(Column(each[0], (each[1] or "").lower(), nullable=True) for each in described))

    def fillable(self, relation: Relation) -> tuple[Fillable, ...]:
        """The columns that can be written."""
        return sqlite_words.fillable(relation, self._all)

    def plan(self, query: PageQuery) -> Plan:
        """What SQLite would do for a page."""
        return sqlite_words.plan_of(query, self._all)

    def count_estimate(self, relation: Relation) -> tuple[int, str]:
        """About how many rows there are."""
        return sqlite_words.count_estimate(relation, self._all)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[SqliteApsw]:
        """One read transaction on this connection, unless the user has one open, which is a snapshot as well."""
        if not self._connection.in_transaction:
            sqlite_words.begin_snapshot(self._all)
            try:
                yield self
            finally:
                if self._connection.in_transaction:
                    self._all("ROLLBACK", ())
        else:
            yield self

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Callable[[Statement], int]]:
        """A write transaction."""
        connection = self._connection
        if connection.in_transaction:
            raise in_transaction("Commit or roll back first.")
        with self.errors():
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._change
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _change(self, statement: Statement) -> int:
        self._connection.execute(*statement)
        return int(self._connection.changes())

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """SQLite's errors as ours."""
        import apsw

        try:
            yield
        except apsw.InterruptError:
            raise
        except (apsw.SQLError, apsw.BindingsError) as error:
            raise errors.UsageError(f"{self.name!r}: {error}.") from error
        except apsw.CorruptError as error:
            raise errors.CorruptError(f"{self.name!r}: {error}.", hint="PRAGMA integrity_check says more.") from error
        except apsw.Error as error:
            raise errors.BrokenError(f"{self.name!r}: {error}.", hint="A pass goes on with after=token.") from error


@final
class SqlitePath(SqliteApsw):
    """A SQLite file.

    apsw brings a SQLite of its own. If the same process writes the file through another one as well (the standard
    library's sqlite3 has one), the two do not see each other's locks, and the other may take the write-ahead log away
    when it closes. So it is looked after before each page, and the file opened anew where that happened. Who writes and
    reads in one process at the same time gives the connection instead of the path.
    """

    is_picklable: bool = True
    joins: bool = True

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(_open(path))
        self.name = path
        self._log = _log_inode(path)
        self._pid = os.getpid()
        self._joiner = sqlite_columns.Joiner(lambda: SqlitePath(path))

    def join(
        self, query: PageQuery, kinds: Sequence[sqlite_columns.Kind], text_bytes: int
    ) -> sqlite_columns.Joined | None:
        """A page as columns; None where it is longer than that, or its text is none."""
        self._look_after_fork()
        return self._joiner.read(query, kinds, text_bytes)

    def ready(self) -> Any:
        """The connection, looked after: opened anew after a fork, or where its log went."""
        self._look_after_fork()
        self._look_after_log()
        return self._connection

    def _all(self, sql: str, params: Sequence[Any]) -> list[Any]:
        self._look_after_fork()
        return super()._all(sql, params)

    def stream(self, sql: str, params: Sequence[Any], *, row_bytes: int) -> Iterator[Row]:
        """Rows as they come: nothing is read ahead."""
        self._look_after_fork()
        self._look_after_log()
        return super().stream(sql, params, row_bytes=row_bytes)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Callable[[Statement], int]]:
        """A write transaction."""
        self._look_after_fork()
        self._look_after_log()
        with super().transaction() as change:
            yield change

    def own(self) -> SqlitePath:
        """The file, opened once more."""
        return SqlitePath(self.path)

    def execute(self, statement: Statement) -> int:
        """Run a statement; how many rows it changed."""
        if not self._connection.in_transaction:
            self._look_after_log()
        return self._change(statement)

    def _look_after_log(self) -> None:
        """Open the file anew if its write-ahead log is another one by now."""
        if _log_inode(self.path) != self._log and not self._connection.in_transaction:
            self._connection.close(True)  # noqa: FBT003 - apsw's signature
            self._open_anew()

    def _look_after_fork(self) -> None:
        """Open the file anew in the child of a fork: SQLite's connections belong to their process."""
        if self._pid == os.getpid():
            return
        self._left_behind, self._pid = (self._connection, self._joiner), os.getpid()
        self._joiner = sqlite_columns.Joiner(lambda: SqlitePath(self.path))  # its lock may be held by nobody's thread
        if self._connection.in_transaction:
            raise errors.ClosedError(
                "the snapshot belongs to the process that this one was forked from.", hint="Begin another one here."
            )
        self._open_anew()

    def _open_anew(self) -> None:
        self._connection = _open(self.path)
        self._log = _log_inode(self.path)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[SqliteApsw]:
        """A connection of its own in one read transaction; in rollback-journal mode, writers wait for its end."""
        other = SqlitePath(self.path)
        try:
            sqlite_words.begin_snapshot(other._all)
            other._joiner = sqlite_columns.Joiner(lambda: other)
            yield other
        finally:
            other.close()

    def close(self) -> None:
        """Close the file."""
        self._joiner.close(but=self)
        self._connection.close(True)  # noqa: FBT003 - apsw's signature: statements in flight are no reason not to


def _log_inode(path: str) -> int:
    """Which write-ahead log a file has; 0 for none."""
    try:
        return os.stat(f"{path}-shm").st_ino
    except OSError:
        return 0


def _open(path: str) -> Any:
    """A connection to a file that is there.

    Raises:
        UsageError: there is no such file, or it is no database.
        MissingExtra: apsw is not installed.
        BrokenError: it cannot be opened.
    """
    try:
        import apsw
    except ImportError as error:
        raise errors.MissingExtra("tables", "apsw") from error
    if not os.path.isfile(path):
        raise errors.UsageError(f"there is no file {path!r}.", hint="A table is read, never created: check the path.")
    try:
        try:
            connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
        except (apsw.CantOpenError, apsw.ReadOnlyError):
            connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(round(limits.TABLE_BUSY_S * 1000))
        connection.execute(f"PRAGMA cache_size = -{limits.SQLITE_CACHE_BYTES // 1024}")
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    except apsw.NotADBError as error:
        raise errors.UsageError(f"{path!r} is no SQLite database.", hint="Check the path.") from error
    except apsw.Error as error:
        raise errors.BrokenError(f"{path!r} cannot be opened: {error}.") from error
    return connection


class _Cursor:
    """Rows of one statement; SQLite makes a row when it is asked for it."""

    __slots__ = ("_adapter", "_cursor", "_params", "_sql")

    def __init__(self, adapter: SqliteApsw, sql: str, params: Sequence[Any]) -> None:
        self._adapter, self._sql, self._params = adapter, sql, params
        self._cursor: Any = None

    def __iter__(self) -> Iterator[Row]:
        with self._adapter.errors():
            self._cursor = self._adapter._connection.cursor()  # noqa: SLF001 - its own kind
            return self._cursor.execute(self._sql, self._params)  # type: ignore[no-any-return]

    def __next__(self) -> Row:
        return next(self._cursor)

    def close(self) -> None:
        if self._cursor is not None:
            self._cursor.close(True)  # noqa: FBT003 - apsw's signature
            self._cursor = None


def path_of(source: str) -> str:
    """The path in `sqlite:///relative`, `sqlite:////absolute`, or a path as it is."""
    scheme = source.partition(":")[0].lower()
    if scheme.partition("+")[0] != "sqlite" or (scheme != "sqlite" and "://" not in source):
        return source
    parts = urlsplit(source)
    if parts.query or parts.fragment:
        raise errors.UsageError(
            f"{source!r} has more than a path.", hint="Give the path itself, or write %3F for ? and %23 for #."
        )
    if parts.netloc:
        raise errors.UsageError(
            f"{source!r} names a host, and SQLite has none.", hint="Write sqlite:///path/to/file.db."
        )
    return unquote(parts.path[1:]) if parts.path.startswith("/") else unquote(parts.path)
