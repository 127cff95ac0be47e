"""A connection of the standard library's sqlite3, as the user opened it.

Covers:     short reads with cursors of our own (the connection's row factory stays out), snapshots, short transactions.
Not here:   files by path (`sqlite_path`, which is faster).
Holds:      a cursor.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, final

from flatwater import errors, limits
from flatwater.source.tables import statements
from flatwater.source.tables.adapters import sqlite_words
from flatwater.source.tables.adapters.base import Plan, SqlAdapter, in_transaction, no_such
from flatwater.source.tables.forms import Row
from flatwater.source.tables.given import Fillable
from flatwater.source.tables.shape import SQLITE, Column, Dialect, PageQuery, Relation, Shape
from flatwater.source.tables.statements import Statement

Value = TypeVar("Value")


@final
class SqliteConnection(SqlAdapter):
    """A `sqlite3.Connection`; used in the thread that calls, as sqlite3 wants it, and never closed here."""

    dialect: Dialect = SQLITE

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        if connection.text_factory in (bytes, bytearray):
            raise errors.UsageError(
                "the connection's text_factory makes bytes of text, and no row is found again by these.",
                hint="Leave it at str.",
            )

    def bytes_max(self) -> int:
        """The most this holds at once, in bytes, beside one batch and the largest row."""
        return limits.DRIVER_BYTES  # prepared statements, the row at hand; the page cache is the user's own

    def stream(self, sql: str, params: Sequence[Any], *, row_bytes: int) -> Iterator[Row]:
        """Rows as they come."""
        del row_bytes
        with self.errors():
            return self._cursor().execute(sql, tuple(params))

    def _cursor(self) -> sqlite3.Cursor:
        cursor = self._connection.cursor()
        cursor.row_factory = None  # plain tuples, whatever the connection makes
        return cursor

    def fetch(self, statement: Statement) -> list[Row]:
        """All rows of a small statement."""
        return self._all(*statement)

    def _all(self, sql: str, params: Sequence[Any]) -> list[Any]:
        with self.errors(), contextlib.closing(self._cursor()) as cursor:
            return cursor.execute(sql, tuple(params)).fetchall()

    def shape(self, relation: Relation) -> Shape:
        """Columns and key by the schema; of a select by running it for no row."""
        if relation.path:
            found = sqlite_words.table_shape(relation, self._all)
            if found is None:
                raise no_such(relation, "there is no such table or view")
            return found
        source, params = statements.from_clause(relation, SQLITE)
        try:
            with contextlib.closing(self._cursor()) as cursor:
                described = cursor.execute(f"SELECT * FROM {source} LIMIT 0", tuple(params)).description
        except sqlite3.Error as error:
            raise no_such(relation, error) from error
        return Shape(tuple(Column(each[0], "", nullable=True) for each in described))

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
    def snapshot(self) -> Iterator[SqliteConnection]:
        """One read transaction on this connection, unless the user has one open, which is a snapshot as well."""
        if self._connection.in_transaction:
            yield self
            return
        sqlite_words.begin_snapshot(self._all)
        try:
            yield self
        finally:
            if self._connection.in_transaction:
                self._connection.rollback()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Callable[[Statement], int]]:
        """A write transaction."""
        connection = self._connection
        if connection.in_transaction:
            raise in_transaction("Commit first, and open it without autocommit=False.")
        with self.errors():
            self._all("BEGIN IMMEDIATE", ())
            try:
                yield self._change
                self._all("COMMIT", ())  # commit() does nothing on a connection with autocommit=True
            except BaseException:
                if connection.in_transaction:
                    self._all("ROLLBACK", ())
                raise

    def _change(self, statement: Statement) -> int:
        with contextlib.closing(self._cursor()) as cursor:
            return max(cursor.execute(*statement).rowcount, 0)

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """SQLite's errors as ours."""
        try:
            yield
        except (sqlite3.ProgrammingError, sqlite3.InterfaceError) as error:
            raise errors.UsageError(f"sqlite3: {error}.") from error
        except sqlite3.OperationalError as error:
            kind = errors.UsageError if str(error).startswith(("no such", "near ")) else errors.BrokenError
            raise kind(f"sqlite3: {error}.") from error
        except sqlite3.DatabaseError as error:
            corrupt = "malformed" in str(error) or "not a database" in str(error)
            raise (errors.CorruptError if corrupt else errors.BrokenError)(f"sqlite3: {error}.") from error

    async def run(self, call: Callable[[], Value]) -> Value:
        """`call` here: a sqlite3 connection belongs to its thread. The event loop waits for a page at a time."""
        return call()
