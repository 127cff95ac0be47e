"""PostgreSQL through psycopg 3: by URL, or a connection of the user's.

Covers:     pages that arrive in chunks of bounded bytes, snapshots, short transactions, statements that pool well.
Not here:   what PostgreSQL says of itself (`postgres_words`).
Holds:      a chunk of rows; two connections at most.

libpq takes a result whole, or in chunks of so many rows, and knows nothing of bytes. So the server is asked first how wide
the widest of the next rows is; it looks at lengths alone, which are kept beside the values. Chunks are then as long as they
may be.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, final

from flatwater import errors, limits
from flatwater.source.tables import statements
from flatwater.source.tables.adapters import postgres_copy, postgres_words
from flatwater.source.tables.adapters.base import Plan, SqlAdapter, Turns, in_transaction, no_such
from flatwater.source.tables.forms import Row, bare_type
from flatwater.source.tables.given import Fillable
from flatwater.source.tables.order import Order
from flatwater.source.tables.reading import Key
from flatwater.source.tables.shape import POSTGRESQL, Column, Dialect, PageQuery, Relation, Shape
from flatwater.source.tables.statements import Statement

# Whole names: a domain or an enumeration of the user's may be called "timeline" or "text_kind".
_FIXED = frozenset((
    "smallint", "integer", "bigint", "real", "double precision", "boolean", "date", "uuid", "oid",
    "time without time zone", "time with time zone", "timestamp without time zone", "timestamp with time zone",
))  # fmt: skip
_TEXT = frozenset(("text", "character", "character varying", "bytea"))
_BINARY = _FIXED | _TEXT | {"numeric", "jsonb", "json", "interval", "name"}
# To plan with, where a table has no row yet. Others (enumerations, domains) have no value that is sure to be one.
_SOME: dict[str, object] = {
    **dict.fromkeys(("smallint", "integer", "bigint", "real", "double precision", "numeric", "oid"), 0),
    **dict.fromkeys(("text", "character", "character varying", "name"), ""),
    **dict.fromkeys((kind for kind in _FIXED if kind.startswith(("date", "timestamp"))), "2000-01-01"),
    **dict.fromkeys((kind for kind in _FIXED if kind.startswith("time ")), "00:00"),
    "uuid": "00000000-0000-0000-0000-000000000000",
    "boolean": False,
    "bytea": b"",
}


@final
class Postgres(SqlAdapter):
    """A PostgreSQL database. psycopg's connections may be used by any thread, one statement at a time."""

    dialect: Dialect = POSTGRESQL
    buffers: bool = True
    copies: bool = True

    def __init__(self, source: Any) -> None:
        try:
            import psycopg
        except ImportError as error:
            raise errors.MissingExtra("tables", "psycopg") from error
        self._psycopg = psycopg
        self._url = source if isinstance(source, str) else None
        self.is_picklable = self._url is not None
        self._types: dict[str, str] = {}
        if self._url is None:
            if not isinstance(source, psycopg.Connection):
                raise errors.UsageError(
                    f"{type(source).__name__} cannot be read from here.",
                    hint="Give a psycopg.Connection or a URL; async for works with both.",
                )
            self._connection = source
        else:
            self._connection = self._connect(self._url)
        self._turns = Turns(self._open_anew if self._url is not None else None, lambda: not self._connection.closed)

    def _open_anew(self) -> None:
        self._left_behind = self._connection  # in a forked child it is the parent's: closing it would end his
        self._connection = self._connect(str(self._url))

    def _connect(self, url: str) -> Any:
        try:
            # Prepared statements would bind it to one server connection behind a pool.
            scheme, rest = url.split("://", 1)
            url = f"{scheme.partition('+')[0]}://{rest}"  # as SQLAlchemy writes it, with a driver's name
            return self._psycopg.connect(url, autocommit=True, prepare_threshold=None)
        except self._psycopg.Error as error:
            raise errors.BrokenError(f"PostgreSQL cannot be reached: {_words(error)}.") from error

    def bytes_max(self) -> int:
        """The most this holds at once, in bytes, beside one batch and the largest row."""
        total = 0
        total += limits.DRIVER_BYTES  # the connection's buffers
        total += limits.TABLE_CHUNK_BYTES  # a chunk as it arrived
        return total

    def rows(self, query: PageQuery, *, row_bytes: int) -> Iterator[Row]:
        """Rows of a page: at once where they are a chunk at most, else in chunks of bounded bytes."""
        del row_bytes
        query = self._cast(query)
        width = self._widest(query)
        if width is None:
            return iter(())
        sql, params = statements.page(query, POSTGRESQL)
        if query.limit * width <= limits.TABLE_CHUNK_BYTES:
            return iter(self._all(sql, params, binary=self._is_binary))
        size = max(1, min(limits.TABLE_CHUNK_ROWS, limits.TABLE_CHUNK_BYTES // max(width, 1)))
        return self.stream(sql, params, row_bytes=limits.TABLE_CHUNK_BYTES // size)

    def _cast(self, query: PageQuery) -> PageQuery:
        """Keys as the columns' own types: a number would else be of the smallest type that holds it."""
        casts = {name: kind for name in query.order.names if (kind := self._types.get(name))}
        return dataclasses.replace(query, casts=casts)

    def _widest(self, query: PageQuery) -> int | None:
        """The bytes of the widest of the next rows; None if there are none."""
        widths = []
        for name in query.columns:
            kind = bare_type(self._types.get(name, ""))
            quoted = POSTGRESQL.identifier(name)
            if kind in _FIXED:
                continue
            if kind in _TEXT:
                widths.append(f"coalesce(octet_length({quoted}), 0)")
            else:
                widths.append(f"coalesce(octet_length({quoted}::text), 0)")
        if not widths:
            return 64 * len(query.columns)
        sql, params = statements.select(f"{' + '.join(widths)} AS w", query, POSTGRESQL)
        ((width,),) = self.fetch((f"SELECT max(w) FROM ({sql}) AS p", params))
        return None if width is None else int(width)

    def stream(self, sql: str, params: Sequence[Any], *, row_bytes: int) -> Iterator[Row]:
        """Rows as they come, in chunks; closing ends the statement at the server."""
        size = max(1, limits.TABLE_CHUNK_BYTES // max(row_bytes, 1))
        with self._statement() as cursor, self._kept():
            yield from cursor.stream(sql, tuple(params), binary=self._is_binary, size=size)

    def _kept(self) -> contextlib.AbstractContextManager[Any]:
        """Keeps a transaction of the user's: a stream that ends early is cancelled, which would break it."""
        status = self._connection.info.transaction_status
        if status != self._psycopg.pq.TransactionStatus.INTRANS or self._url is not None:
            return contextlib.nullcontext()
        return self._connection.transaction(force_rollback=True)

    @contextlib.contextmanager
    def _statement(self) -> Iterator[Any]:
        """A cursor; a transaction that it began by itself ends with it."""
        status = self._psycopg.pq.TransactionStatus
        with self._turns.turn():
            connection = self._connection
            was_idle = connection.info.transaction_status == status.IDLE
            try:
                with connection.cursor(row_factory=self._psycopg.rows.tuple_row) as cursor:
                    yield cursor
            finally:
                if was_idle and not connection.closed and connection.info.transaction_status != status.IDLE:
                    connection.rollback()

    @property
    def _is_binary(self) -> bool:
        """Whether all columns have types that psycopg reads in binary form, which is cheaper."""
        return bool(self._types) and all(bare_type(kind) in _BINARY for kind in self._types.values())

    def fetch(self, statement: Statement) -> list[Row]:
        """All rows of a small statement."""
        return self._all(*statement)

    def _all(self, sql: str, params: Sequence[Any], *, binary: bool = False) -> list[Any]:
        with self.errors(), self._statement() as cursor:
            cursor.execute(sql, tuple(params), prepare=False, binary=binary)
            return cursor.fetchall()  # type: ignore[no-any-return]

    def shape(self, relation: Relation) -> Shape:
        """Columns and key by the catalogue; of a select by running it for no row."""
        if relation.path:
            found = postgres_words.table_shape(relation, self._all)
            if found is None:
                raise no_such(relation, "there is no such table or view")
        else:
            source, params = statements.from_clause(relation, POSTGRESQL)
            try:
                with self._statement() as cursor:
                    cursor.execute(f"SELECT * FROM {source} LIMIT 0", params, prepare=False)
                    described = [(each.name, each.type_code) for each in cursor.description]
            except self._psycopg.Error as error:
                raise no_such(relation, _words(error)) from error
            names = dict(
                self._all(
                    "SELECT oid, format_type(oid, NULL) FROM pg_type WHERE oid = ANY(%s)",
                    ([oid for _, oid in described],),
                )
            )
            found = Shape(tuple(Column(name, names.get(oid, ""), nullable=True) for name, oid in described))
        self._types = {column.name: column.type for column in found.columns}
        return found

    def fillable(self, relation: Relation) -> tuple[Fillable, ...]:
        """The columns that can be written."""
        return postgres_words.fillable(relation, self._all)

    def copy(self, path: Sequence[str], columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Rows by COPY: seven times as fast as by INSERT.

        Raises:
            UsageError: COPY would make something else of them than INSERT, or refuse them.
        """
        if not postgres_copy.is_same([self._types.get(name, "") for name in columns], rows):
            raise errors.UsageError("COPY would read these values otherwise.")
        table = postgres_words.regclass(Relation(path=tuple(path)))
        names = ", ".join(postgres_words.regclass(Relation(path=(name,))) for name in columns)
        with (
            self.errors(),
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def own(self) -> Postgres:
        """The database over another connection, which is never opened anew."""
        if self._url is None:
            return super().own()  # type: ignore[return-value]  # it raises
        other = Postgres(self._url)
        other._types = self._types
        other._turns.pin()
        return other

    def execute(self, statement: Statement) -> int:
        """Run a statement; how many rows it changed."""
        return max(self._connection.execute(*statement, prepare=False).rowcount, 0)

    def plan(self, query: PageQuery) -> Plan:
        """What PostgreSQL would do for a page, if tables were never too small for an index."""
        query = self._cast(query)

        def fetch(sql: str, params: Sequence[Any]) -> list[Any]:
            with self._connection.cursor(row_factory=self._psycopg.rows.tuple_row) as cursor:
                cursor.execute(sql, tuple(params), prepare=False)
                return cursor.fetchall()

        with self.errors(), self._statement(), self._connection.transaction(force_rollback=True):
            for setting in postgres_words.SETTINGS:
                self._connection.execute("SELECT set_config(%s, 'off', true)", (setting,), prepare=False)
            return postgres_words.plan_of(query, fetch)

    def some_key(self, relation: Relation, order: Order) -> Key:
        """The key of some row; of a table that has none yet, values of the right types."""
        found = postgres_words.some_key(relation, order, self._all)
        values = [_SOME.get(bare_type(self._types.get(name, ""))) for name in order.names]
        return found or (() if None in values else tuple(values))

    def count_estimate(self, relation: Relation) -> tuple[int, str]:
        """About how many rows there are."""
        return postgres_words.count_estimate(relation, self._all)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Postgres]:
        """A repeatable-read transaction: on a connection of its own, or on the user's."""
        status = self._psycopg.pq.TransactionStatus
        if self._url is not None:
            other = Postgres(self._url)
            other._types = self._types
            other._turns.pin()
            try:
                other._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                yield other
            finally:
                other.close()
            return
        if self._connection.info.transaction_status != status.IDLE:
            raise errors.UsageError(
                "the connection is in a transaction, whose isolation cannot be changed any more.",
                hint="Commit or roll back first.",
            )
        self._connection.execute(
            f"{'BEGIN' if self._connection.autocommit else 'SET TRANSACTION'} ISOLATION LEVEL REPEATABLE READ READ ONLY"
        )
        try:
            yield self
        finally:
            if not self._connection.closed:
                self._connection.execute("ROLLBACK") if self._connection.autocommit else self._connection.rollback()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Callable[[Statement], int]]:
        """A transaction of our own."""
        with self._turns.turn():
            if self._connection.info.transaction_status != self._psycopg.pq.TransactionStatus.IDLE:
                raise in_transaction("Commit or roll back first.")
            with self.errors(), self._connection.transaction():
                yield self.execute

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Psycopg's errors as ours."""
        psycopg = self._psycopg
        try:
            yield
        except (psycopg.ProgrammingError, psycopg.DataError) as error:
            raise errors.UsageError(f"PostgreSQL: {_words(error)}.") from error
        except psycopg.Error as error:
            raise errors.BrokenError(
                f"PostgreSQL: {_words(error)}.", hint="A pass goes on with after=token."
            ) from error

    def close(self) -> None:
        """Close the connection, if it is ours."""
        self._turns.pin()
        if self._url is not None:
            self._connection.close()


def _words(error: BaseException) -> str:
    """An error's first line, without a full stop."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
