"""Tables over SQLAlchemy 2: engines, connections and sessions, with a name, SQL text, a Table, a mapped class or a select().

Covers:     plain columns at the driver's speed with SQLAlchemy's types, objects, plans, snapshots, short transactions.
Not here:   connections (`sqlalchemy_door`), streaming (`sqlalchemy_streams`), selects (`sqlalchemy_selects`).
Holds:      nothing; a page at a time is held by who reads it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, TypeVar, final

from flatwater import errors
from flatwater.source.tables import shape as shapes
from flatwater.source.tables import statements
from flatwater.source.tables.adapters import mysql_words, postgres_words, sqlalchemy_inserts, sqlite_words
from flatwater.source.tables.adapters import sqlalchemy_selects as selects
from flatwater.source.tables.adapters import sqlalchemy_streams as streams
from flatwater.source.tables.adapters.base import Adapter, Plan, SqlAdapter, no_such
from flatwater.source.tables.adapters.sqlalchemy_door import Door
from flatwater.source.tables.adapters.sqlalchemy_orm import Objects
from flatwater.source.tables.adapters.sqlalchemy_selects import OBJECT
from flatwater.source.tables.forms import Form, Row
from flatwater.source.tables.given import Fillable, Prepared
from flatwater.source.tables.order import Order
from flatwater.source.tables.reading import Key
from flatwater.source.tables.shape import Column, Dialect, PageQuery, Relation, Shape
from flatwater.source.tables.statements import Statement

Value = TypeVar("Value")
_DIALECTS: dict[str, tuple[Dialect, ModuleType]] = {
    "sqlite": (shapes.SQLITE, sqlite_words),
    "postgresql": (shapes.POSTGRESQL, postgres_words),
    "mysql": (shapes.MYSQL, mysql_words),
    "mariadb": (shapes.MYSQL, mysql_words),
}


def adapter_of(source: Any) -> SqlAlchemyText:
    """The adapter of something of SQLAlchemy's.

    Raises:
        UsageError: it is no source of rows, or its database is not known here.
    """
    door = Door(source)
    if door.dialect.name not in _DIALECTS:
        raise errors.UsageError(
            f"SQLAlchemy's dialect {door.dialect.name!r} is not known here.",
            hint="There are sqlite, postgresql, mysql and mariadb.",
        )
    return SqlAlchemyText(door)


class _Common(Adapter):
    """What both kinds do alike."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.dialect, self._words = _DIALECTS[door.dialect.name]
        self.is_async = door.is_async
        # Closing a statement early is free with SQLite alone: others send on, or are asked by another connection to stop.
        self.buffers = self.dialect.name != "sqlite"
        self._open: Any = None
        self._is_own: Any = None  # the connection, where it is of its own

    async def run(self, call: Callable[[], Value]) -> Value:
        """`call` where the driver can wait."""
        return await self._door.run(call)

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """SQLAlchemy's errors as ours."""
        with self._door.errors():
            yield

    @contextlib.contextmanager
    def _reading(self) -> Iterator[tuple[Any, bool]]:
        if self._open is not None:
            yield self._open, True
        else:
            with self._door.reading() as found:
                yield found

    def fetch(self, statement: Statement) -> list[Row]:
        """All rows of a small statement."""
        with self.errors(), self._reading() as (connection, _):
            return self._fetch_on(connection, *statement)

    def _fetch_on(self, connection: Any, sql: str, params: Sequence[Any]) -> list[Row]:
        text, values = self._spelled(sql, params)
        return [tuple(row) for row in connection.exec_driver_sql(text, values).fetchall()]

    def _all(self, sql: str, params: Sequence[Any]) -> list[Row]:
        return self.fetch((sql, tuple(params)))

    def _spelled(self, sql: str, params: Sequence[Any]) -> Statement:
        """A statement in the driver's own marks."""
        style = self._door.dialect.paramstyle
        if style == "numeric_dollar":
            numbers = iter(range(1, len(params) + 1))
            sql = re.sub("%(s|%)", lambda found: f"${next(numbers)}" if found[1] == "s" else "%", sql)
        elif style not in ("qmark", "format", "pyformat"):
            raise errors.UsageError(f"SQL text cannot be sent by a driver of style {style!r}.", hint="Give a select().")
        return sql, tuple(params)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Callable[[Statement], int]]:
        """A transaction of our own."""
        with self.errors(), self._door.writing() as connection:
            self._door.refuse_autocommit(connection)
            self._open = connection
            try:
                if self.dialect.name == "sqlite" and not connection.connection.driver_connection.in_transaction:
                    connection.exec_driver_sql(
                        "BEGIN IMMEDIATE"
                    )  # Python's driver waits for a change: a savepoint is none
                yield self.execute
            finally:
                self._open = None

    def own(self) -> Adapter:
        """The database over a connection of its own, from the same pool."""
        with self.errors():
            door = self._door.own()
        other = self._through(door)
        assert isinstance(other, _Common)
        other._open = other._is_own = door.pinned  # noqa: SLF001 - its own kind
        return other

    def execute(self, statement: Statement) -> int:
        """Run a statement in the transaction that is open; how many rows it changed."""
        return max(int(self._open.exec_driver_sql(*self._spelled(*statement)).rowcount), 0)

    def close(self) -> None:
        """Give a connection of its own back to the pool; what the user opened stays open."""
        if self._is_own is not None:
            self._is_own.close()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Adapter]:
        """A connection of its own, in a transaction that sees one state."""
        with self.errors(), self._door.snapshot() as door:
            yield self._through(door)

    def _through(self, door: Door) -> Adapter:
        raise NotImplementedError

    @contextlib.contextmanager
    def _planning(self) -> Iterator[Any]:
        """A connection whose planner does not take a table for too small to seek in."""
        with self._door.reading() as (connection, is_users):
            if self.dialect.name != "postgresql":
                yield connection
                return
            savepoint = connection.begin_nested() if is_users else None
            try:
                for setting in postgres_words.SETTINGS:
                    connection.exec_driver_sql(f"SET LOCAL {setting} = off")
                yield connection
            finally:
                connection.rollback() if savepoint is None else savepoint.rollback()


@final
class SqlAlchemyText(_Common, SqlAdapter):
    """A table by its name, or a SELECT as text: no types of SQLAlchemy, the driver's values."""

    def stream(self, sql: str, params: Sequence[Any], *, row_bytes: int) -> Iterator[Row]:
        """Rows as they come."""
        del row_bytes
        text, values = self._spelled(sql, params)
        with (
            self._reading() as (connection, is_users),
            streams.opened(
                connection,
                lambda options: connection.exec_driver_sql(text, values, execution_options=options),
                is_users=is_users,
            ) as result,
        ):
            if result.cursor is not None:
                yield from streams.raw_rows(result.cursor)

    def shape(self, relation: Relation) -> Shape:
        """Columns and key, as the database has them."""
        if relation.path:
            found: Shape | None = self._words.table_shape(relation, self._all)
            if found is None:
                raise no_such(relation, "there is no such table or view")
            if self.dialect.name == "postgresql":
                self._types.update((column.name, column.type) for column in found.columns)
            return found
        source, params = statements.from_clause(relation, self.dialect)
        text, values = self._spelled(f"SELECT * FROM {source} LIMIT 0", params)
        try:
            with self.errors(), self._reading() as (connection, _):
                names = list(connection.exec_driver_sql(text, values).keys())
        except errors.FlatwaterError as error:
            raise no_such(relation, str(error.args[0]).rstrip(".")) from error
        return Shape(tuple(Column(name, "", nullable=True) for name in names))

    def fillable(self, relation: Relation) -> tuple[Fillable, ...]:
        """The columns that can be written, as the database has them."""
        found: tuple[Fillable, ...] = self._words.fillable(relation, self._all)
        return found

    def rows(self, query: PageQuery, *, row_bytes: int) -> Iterator[Row]:
        """Rows of a page as they come."""
        return super().rows(self._cast(query), row_bytes=row_bytes)

    def _cast(self, query: PageQuery) -> PageQuery:
        """Keys as PostgreSQL's own types: a number would else be of the smallest type that holds it."""
        casts = {name: kind for name in query.order.names if (kind := self._types.get(name))}
        return dataclasses.replace(query, casts=casts)

    @functools.cached_property
    def _types(self) -> dict[str, str]:
        return {}

    def plan(self, query: PageQuery) -> Plan:
        """What the database would do for a page."""
        query = self._cast(query)
        with self.errors(), self._planning() as connection:
            found: Plan = self._words.plan_of(query, lambda sql, params: self._fetch_on(connection, sql, params))
            return found

    def some_key(self, relation: Relation, order: Order) -> Key:
        """The key of some row."""
        if self.dialect.name == "sqlite":
            return super().some_key(relation, order)
        found: Key = self._words.some_key(relation, order, self._all)
        return found

    def index_for(self, relation: Relation, order: Order) -> str:
        """The index to name, where the database would not take it by itself."""
        if self._words is not mysql_words:
            return ""
        _refuse_unordered(self.shape(relation), order)
        return mysql_words.index_for(relation, order, self._all)

    def count_estimate(self, relation: Relation) -> tuple[int, str]:
        """About how many rows there are."""
        found: tuple[int, str] = self._words.count_estimate(relation, self._all)
        return found

    def bind(self, name_or_select: Any, relation: Relation) -> tuple[Adapter, Relation]:
        """This source for a Table, a mapped class or a select()."""
        target = selects.target_of(name_or_select, relation)
        door = self._door.of(target.base, target.mapper)
        target.dialect = _DIALECTS[door.dialect.name][0].name
        if target.table is not None:
            path = tuple(part for part in (target.table.schema, target.table.name) if part)
            return SqlAlchemySelect(door, target), Relation(path=path)
        compiled = target.base.compile(dialect=door.dialect)
        params = tuple(f"{name}={value!r}" for name, value in sorted(compiled.params.items()))
        return SqlAlchemySelect(door, target), Relation(select=str(compiled), params=params)

    def _through(self, door: Door) -> Adapter:
        other = SqlAlchemyText(door)
        other._types.update(self._types)
        return other


@final
class SqlAlchemySelect(_Common):
    """A Table, a mapped class or a select(): SQLAlchemy's types, and its objects."""

    def __init__(self, door: Door, target: selects.Target) -> None:
        super().__init__(door)
        self._target = target
        self.dialect = selects.form_dialect(self.dialect)
        self._readers: dict[tuple[str, ...], Any] = {}

    def shape(self, relation: Relation) -> Shape:
        """Columns and key, as SQLAlchemy knows them."""
        del relation
        return self._target.shape(self._door.dialect)

    def orm_form(self, shape: Shape, order: Order) -> Form:
        """Mapped objects."""
        del shape
        return self._objects.form(order)

    @functools.cached_property
    def _objects(self) -> Objects:
        return Objects(self._door, self._target)

    def rows(self, query: PageQuery, *, row_bytes: int) -> Iterator[Row]:
        """Rows of a page as they come; for objects, what collects the page."""
        del row_bytes
        return self._objects.page(query) if query.columns[0] == OBJECT else self._raw(query)

    def sql_of(self, query: PageQuery) -> str:
        """The SQL of a page, as SQLAlchemy writes it."""
        return " ".join(str(self._target.page(query).compile(dialect=self._door.dialect)).split())

    def stored(self, name: str, value: Any) -> tuple[str, Any]:
        """The column's name in the database, and the value as the driver wants it."""
        if name not in self._target.columns:  # of a table of ours
            return name, value
        dialect = self._door.dialect
        by = self._target.columns[name].type.dialect_impl(dialect).bind_processor(dialect)
        return self._target.stored(name), value if by is None else by(value)

    def fillable(self, relation: Relation) -> tuple[Fillable, ...]:
        """The columns that can be written, as SQLAlchemy knows them."""
        del relation
        return sqlalchemy_inserts.fillable(self._target)

    def prepared(self, names: tuple[str, ...], shape: Shape) -> Prepared:
        """How values of these columns are written: with SQLAlchemy's types and defaults."""
        del shape
        return sqlalchemy_inserts.prepared(self._target, self._door.dialect, names)

    def loaded(self, names: Sequence[str], row: Row) -> Row:
        """A row that was read by a statement of ours, with SQLAlchemy's types."""
        read = self._readers.get(tuple(names))
        loaded: Row = row if read is None else read(row)
        return loaded

    def _raw(self, query: PageQuery) -> Iterator[Row]:
        page = self._target.page(query)
        with (
            self._reading() as (connection, is_users),
            streams.opened(
                connection, lambda options: connection.execute(page, execution_options=options), is_users=is_users
            ) as result,
        ):
            if result.cursor is None:
                return
            about = result.cursor.description
            read = self._reader(query.columns, about)
            rows = streams.raw_rows(result.cursor)
            check = selects.comes_back(query.order.names, self._target, self._door.dialect, query.columns, about)
            if check is not None and read is not None:
                yield from (check(row, read(row)) for row in rows)
                return
            yield from rows if read is None else map(read, rows)

    def _reader(self, names: tuple[str, ...], description: Any) -> Any:
        if names not in self._readers:
            types = [self._target.columns[name].type for name in names]
            self._readers[names] = selects.reader(types, self._door.dialect, description)
        return self._readers[names]

    def index_for(self, relation: Relation, order: Order) -> str:
        """Names the index, where the database would not take it by itself."""
        if self._words is not mysql_words:
            return ""
        _refuse_unordered(self.shape(relation), order)
        if self._target.table is None:
            return ""
        stored = Order(tuple(each._replace(name=self._target.stored(each.name)) for each in order.columns))
        return mysql_words.index_for(relation, stored, self._all)

    def plan(self, query: PageQuery) -> Plan:
        """What the database would do for a page."""
        from sqlalchemy import event

        page = self._target.page(query)
        with self.errors(), self._planning() as connection:

            def fetch(sql: str, _: Sequence[Any]) -> list[Row]:
                """EXPLAIN in its words, of the select in SQLAlchemy's."""
                words = sql[: sql.index("SELECT")]

                def explained(*told: Any) -> tuple[str, Any]:
                    return words + told[2], told[3]

                event.listen(connection, "before_cursor_execute", explained, retval=True)
                try:
                    result = connection.execute(page)
                    return [tuple(row) for row in result.cursor.fetchall()]
                finally:
                    event.remove(connection, "before_cursor_execute", explained)

            found: Plan = self._words.plan_of(query, fetch)
            return found

    def some_key(self, relation: Relation, order: Order) -> Key:
        """The key of some row, without NULLs if there is one; none at all of an empty table."""
        from flatwater.source.tables.conditions import Null

        whole = tuple(Null(column.name, is_null=False) for column in order.columns if column.nullable)
        for conditions in (whole, ()):
            with self.errors():
                found = list(self._raw(PageQuery(relation, order.names, conditions, order, 1)))
            if found:
                return tuple(found[0])
        return ()

    def borders(self, relation: Relation, order: Order, count: int) -> list[Key]:
        """Every so-many-th key, by one pass over the keys."""
        rows, _ = self._counted()
        step = max(-(-rows // count), 1)
        keys = self._raw(PageQuery(relation, order.names, (), order, max(rows, 1)))
        with self.errors():
            found = [tuple(key) for at, key in enumerate(keys, 1) if at % step == 0]
        return found[: count - 1]

    def count_estimate(self, relation: Relation) -> tuple[int, str]:
        """About how many rows there are."""
        if self._target.is_whole:
            found: tuple[int, str] = self._words.count_estimate(relation, self._all)
            return found
        return self._counted()

    def _counted(self) -> tuple[int, str]:
        with self.errors(), self._reading() as (connection, _):
            return int(connection.execute(self._target.count()).scalar_one()), "counting"

    def _through(self, door: Door) -> Adapter:
        return SqlAlchemySelect(door, self._target)


def _refuse_unordered(shape: Shape, order: Order) -> None:
    """Raise where MariaDB sorts a column by something else than what it compares it by.

    Raises:
        UsageError: as said.
    """
    mysql_words.refuse_no_place(shape, order)
    listed = {column.name for column in shape.columns if column.type.startswith(("enum", "set("))}
    if found := sorted(listed.intersection(order.names)):
        raise errors.UsageError(
            f"{', '.join(found)} is ENUM or SET, which is sorted by number and compared as text: rows would be lost.",
            hint="Order by other columns; or Enum(native_enum=False) makes it text.",
        )
