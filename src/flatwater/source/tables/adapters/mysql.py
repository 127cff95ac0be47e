"""MariaDB and MySQL through PyMySQL: by URL, or a connection of the user's.

Covers:     pages row by row without a buffer, snapshots, short transactions.
Not here:   what the database says of itself (`mysql_words`).
Holds:      the row at hand; two connections at most.

Its protocol cannot end a result early: what is not wanted is read and thrown away. So a page asks for about as many rows
as fit, by the width of those before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, final
from urllib.parse import parse_qsl, unquote, urlsplit

from flatwater import errors, limits
from flatwater.source.tables import statements
from flatwater.source.tables.adapters import mysql_words
from flatwater.source.tables.adapters.base import Plan, SqlAdapter, Turns, in_transaction, no_such
from flatwater.source.tables.forms import Row
from flatwater.source.tables.given import Fillable
from flatwater.source.tables.order import Order
from flatwater.source.tables.reading import Key
from flatwater.source.tables.shape import MYSQL, Column, Dialect, PageQuery, Relation, Shape
from flatwater.source.tables.statements import Statement

_USAGE_CODES = (1044, 1045, 1049, 1052, 1054, 1059, 1064, 1103, 1142, 1143, 1146, 1176, 1241, 1248, 1292, 1366)

_SSL_SWITCHES = frozenset(("ssl_disabled", "ssl_verify_cert", "ssl_verify_identity"))
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))


@final
class MySql(SqlAdapter):
    """A MariaDB or MySQL database. PyMySQL's connections belong to one thread at a time."""

    dialect: Dialect = MYSQL
    buffers: bool = True

    def __init__(self, source: Any) -> None:
        try:
            import pymysql
            import pymysql.constants.FIELD_TYPE
        except ImportError as error:
            raise errors.MissingExtra("tables", "PyMySQL") from error
        self._pymysql = pymysql
        self._url = source if isinstance(source, str) else None
        self.is_picklable = self._url is not None
        self._connection = self._connect(self._url) if self._url is not None else source
        self._turns = Turns(self._open_anew if self._url is not None else None, lambda: self._connection.open)

    def _open_anew(self) -> None:
        self._connection = self._connect(str(self._url))

    def _connect(self, url: str) -> Any:
        try:
            parts = urlsplit(url)
            port = parts.port or 3306
        except ValueError as error:
            raise errors.UsageError(
                f"the URL is none: {error}.", hint="As in mysql://user@host:3306/database."
            ) from error
        options: dict[str, Any] = dict(parse_qsl(parts.query))
        allowed = {"charset", "unix_socket", "connect_timeout", "ssl_ca", "ssl_cert", "ssl_key", *_SSL_SWITCHES}
        unknown = sorted(set(options) - allowed)
        if unknown or not parts.path.strip("/"):
            what = f"does not take {', '.join(unknown)}" if unknown else "names no database"
            raise errors.UsageError(
                f"the URL {what}.",
                hint=f"As in mysql://user@host/database?charset=utf8mb4; there are {', '.join(sorted(allowed))}.",
            )
        timeout = options.get("connect_timeout", "10")
        charset = options.setdefault("charset", "utf8mb4")
        if not timeout.isdecimal() or self._pymysql.charset.charset_by_name(charset) is None:
            raise errors.UsageError(
                f"the URL has connect_timeout={timeout}, charset={charset}.",
                hint="As in connect_timeout=10, charset=utf8mb4.",
            )
        options["connect_timeout"] = int(timeout)
        host = parts.hostname or "127.0.0.1"
        for name in _SSL_SWITCHES & set(options):
            if options[name] not in ("true", "false"):
                raise errors.UsageError(f"the URL has {name}={options[name]}.", hint="It is true or false.")
            options[name] = options[name] == "true"
        if host in _LOOPBACK and not any(name.startswith("ssl_") for name in options):
            options["ssl_disabled"] = True  # else PyMySQL reads all of the system's certificates, 0.1 s a connection
        try:
            return self._pymysql.connect(
                host=host,
                port=port,
                user=unquote(parts.username or ""),
                password=unquote(parts.password or ""),
                database=unquote(parts.path.strip("/")),
                autocommit=True,
                client_flag=self._pymysql.constants.CLIENT.FOUND_ROWS,
                **options,
            )
        except self._pymysql.MySQLError as error:
            raise errors.BrokenError(f"the database cannot be reached: {_words(error)}.") from error

    def bytes_max(self) -> int:
        """The most this holds at once, in bytes, beside one batch and the largest row."""
        return limits.DRIVER_BYTES  # the connection's buffers

    def stream(self, sql: str, params: Sequence[Any], *, row_bytes: int) -> Iterator[Row]:
        """Rows as they come, one packet at a time; closing reads what is left and throws it away."""
        del row_bytes
        return self._rows(sql, params)

    def _rows(self, sql: str, params: Sequence[Any]) -> Iterator[Row]:
        from pymysql.cursors import SSCursor

        with self._statement(), self._connection.cursor(SSCursor) as cursor:
            cursor.execute(sql, tuple(params))
            yield from cursor.fetchall_unbuffered()

    @contextlib.contextmanager
    def _statement(self) -> Iterator[None]:
        """A transaction that a statement began by itself ends with it."""
        with self._turns.turn():
            connection = self._connection
            began = not connection.get_autocommit() and not self._is_in_transaction()
            try:
                yield
            finally:
                if began and connection.open:
                    connection.rollback()

    def _is_in_transaction(self) -> bool:
        """Whether the user has a transaction open. MySQL does not tell: there, one without autocommit counts as open."""
        from pymysql.cursors import Cursor

        with self._connection.cursor(Cursor) as cursor:
            try:
                cursor.execute("SELECT @@in_transaction")
            except self._pymysql.MySQLError:
                return not self._connection.get_autocommit()
            # flatwater: allow FW101 — one row
            (found,) = next(iter(cursor.fetchall()))
            return bool(found)

    def fetch(self, statement: Statement) -> list[Row]:
        """All rows of a small statement."""
        return self._all(*statement)

    def _all(self, sql: str, params: Sequence[Any]) -> list[Any]:
        from pymysql.cursors import Cursor

        with self.errors(), self._statement(), self._connection.cursor(Cursor) as cursor:
            cursor.execute(sql, tuple(params))
            return list(cursor.fetchall())

    def shape(self, relation: Relation) -> Shape:
        """Columns and key by information_schema; of a select by running it for no row."""
        if relation.path:
            found = mysql_words.table_shape(relation, self._all)
            if found is None:
                raise no_such(relation, "there is no such table or view")
            return found
        from pymysql.cursors import Cursor

        source, params = statements.from_clause(relation, MYSQL)
        try:
            with self._statement(), self._connection.cursor(Cursor) as cursor:
                cursor.execute(f"SELECT * FROM {source} LIMIT 0", tuple(params))
                described = [(each[0], _type_name(each[1])) for each in cursor.description]
        except self._pymysql.MySQLError as error:
            raise no_such(relation, _words(error)) from error
        return Shape(tuple(Column(name, kind, nullable=True) for name, kind in described))

    def fillable(self, relation: Relation) -> tuple[Fillable, ...]:
        """The columns that can be written."""
        return mysql_words.fillable(relation, self._all)

    def own(self) -> MySql:
        """The database over another connection, which is never opened anew."""
        if self._url is None:
            return super().own()  # type: ignore[return-value]  # it raises
        other = MySql(self._url)
        other._turns.pin()
        return other

    def execute(self, statement: Statement) -> int:
        """Run a statement; how many rows it matched on connections of ours, else how many it changed."""
        from pymysql.cursors import Cursor

        with self._connection.cursor(Cursor) as cursor:
            return int(cursor.execute(*statement))

    def plan(self, query: PageQuery) -> Plan:
        """What the database would do for a page."""
        return mysql_words.plan_of(query, self._all)

    def index_for(self, relation: Relation, order: Order) -> str:
        """The index that serves an order: on small tables the optimizer would rather sort."""
        mysql_words.refuse_no_place(self.shape(relation), order)
        return mysql_words.index_for(relation, order, self._all)

    def some_key(self, relation: Relation, order: Order) -> Key:
        """The key of some row."""
        return mysql_words.some_key(relation, order, self._all)

    def count_estimate(self, relation: Relation) -> tuple[int, str]:
        """About how many rows there are."""
        return mysql_words.count_estimate(relation, self._all)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[MySql]:
        """A transaction with a consistent snapshot: on a connection of its own, or on the user's."""
        other = MySql(self._url) if self._url is not None else self
        other._turns.pin()  # noqa: SLF001 - its own kind
        if other is self and self._is_in_transaction():
            raise errors.UsageError("the connection is in a transaction.", hint="Commit or roll back first.")
        try:
            with other.errors(), other._connection.cursor() as cursor:  # noqa: SLF001 - its own kind
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            yield other
        finally:
            if other is not self:
                other.close()
            elif self._connection.open:
                self._connection.rollback()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Callable[[Statement], int]]:
        """A transaction of our own."""
        with self._turns.turn():
            if self._is_in_transaction():
                raise in_transaction("Commit or roll back first.")
            with self.errors():
                self._connection.begin()
                try:
                    yield self.execute
                    self._connection.commit()
                except BaseException:
                    if self._connection.open:
                        self._connection.rollback()
                    raise

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """PyMySQL's errors as ours."""
        try:
            yield
        except self._pymysql.MySQLError as error:
            is_usage = bool(error.args) and error.args[0] in _USAGE_CODES
            kind = errors.UsageError if is_usage else errors.BrokenError
            raise kind(
                f"the database says: {_words(error)}.", hint="" if is_usage else "A pass goes on with after=token."
            ) from error

    def close(self) -> None:
        """Close the connection, if it is ours."""
        self._turns.pin()
        if self._url is not None and self._connection.open:
            self._connection.close()


def _type_name(code: int) -> str:
    from pymysql.constants import FIELD_TYPE

    for name, value in vars(FIELD_TYPE).items():
        if value == code and name.isupper():
            return str(name).lower().replace("var_string", "varchar").replace("long", "int")
    return ""


def _words(error: BaseException) -> str:
    """An error's own words, without its number."""
    words = str(error.args[1]) if len(error.args) > 1 else str(error)
    return (words.strip().splitlines() or [type(error).__name__])[0].rstrip(".")
