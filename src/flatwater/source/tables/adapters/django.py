"""Tables over Django's ORM: a QuerySet, read in pages of bounded bytes.

Covers:     model objects and plain columns, on the connection of this thread; plans, snapshots, short transactions.
Not here:   pages (`django_pages`).
Holds:      nothing; the connection is Django's.

Each page is one short statement in autocommit mode, so that it works behind a pooler in transaction mode. Within the user's
transaction.atomic() it reads there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, TypeVar, final

from flatwater import errors
from flatwater.source.tables import shape as shapes
from flatwater.source.tables.adapters import django_pages as pages
from flatwater.source.tables.adapters import mysql_words, postgres_words, sqlite_words
from flatwater.source.tables.adapters.base import Adapter, Plan
from flatwater.source.tables.adapters.rowwise import Cut
from flatwater.source.tables.forms import Form, Row
from flatwater.source.tables.given import Fillable, Prepared, Values
from flatwater.source.tables.order import Order
from flatwater.source.tables.reading import Key
from flatwater.source.tables.shape import Dialect, PageQuery, Relation, Shape
from flatwater.source.tables.statements import Statement

Value = TypeVar("Value")
_BY_ITSELF = "a QuerySet says by itself what is read."
_BY_ITSELF_HINT = "Write Table(User.objects.filter(...))."
_VENDORS: dict[str, tuple[Dialect, ModuleType]] = {
    "sqlite": (shapes.SQLITE, sqlite_words),
    "postgresql": (shapes.POSTGRESQL, postgres_words),
    "mysql": (shapes.MYSQL, mysql_words),
}


def adapter_of(source: Any) -> DjangoRows:
    """The adapter of a QuerySet, a manager or a model.

    Raises:
        UsageError: it is something else of Django's, or its database is not known here.
    """
    from django.db.models import Manager, Model, QuerySet

    if isinstance(source, type) and issubclass(source, Model):
        model: Any = source
        source = model._meta.default_manager  # noqa: SLF001 - Django's documented name
    if isinstance(source, Manager):
        source = source.all()
    if not isinstance(source, QuerySet):
        raise errors.UsageError(f"{type(source).__name__} of Django is no source of a table.", hint="Give a QuerySet.")
    pages.check(source)
    return DjangoRows(source)


@final
class DjangoRows(Adapter):
    """A QuerySet. Threads have connections of their own, as everywhere in Django."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows
        vendor = self._connection.vendor
        if vendor not in _VENDORS:
            raise errors.UsageError(
                f"the database {vendor!r} is not known here.", hint="There are sqlite, postgresql and mysql."
            )
        known, self._words = _VENDORS[vendor]
        # Django's lookups compare column by column, take %s everywhere and give Python's types.
        self.dialect = dataclasses.replace(known, mark="%s", row_values=False, dates_as_text=False)
        self.buffers = vendor != "sqlite"
        self.order = pages.order_of(rows, nulls_are_smallest=known.nulls_are_smallest)
        self._base = pages.FIRST_BYTES

    @property
    def is_async(self) -> bool:  # type: ignore[override]  # the same QuerySet serves both
        """Whether this is called in an event loop, where Django refuses to wait for a database."""
        import asyncio

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return False
        return True

    _own: Any = None  # the connection, where it is of its own

    @property
    def _connection(self) -> Any:
        from django.db import connections

        return connections[self._rows.db] if self._own is None else self._own

    def bind(self, name_or_select: Any, relation: Relation) -> tuple[Adapter, Relation]:
        """This adapter; a QuerySet says by itself what is read."""
        if name_or_select is not None or relation.where or relation.params:
            raise errors.UsageError(_BY_ITSELF, hint=_BY_ITSELF_HINT)
        meta = self._rows.model._meta  # noqa: SLF001 - Django's documented name
        is_plain = not meta.parents and self._rows._fields is None
        sql, params = self._sql(self._rows.order_by())
        path = tuple(part.strip('"') for part in meta.db_table.split('"."')) if is_plain else ()
        return self, Relation(path=path, select=sql, params=tuple(map(repr, params)))

    def _sql(self, rows: Any) -> tuple[str, tuple[Any, ...]]:
        from django.core.exceptions import EmptyResultSet

        try:
            sql, params = rows.query.get_compiler(connection=self._connection).as_sql()
        except EmptyResultSet:
            return "SELECT 1 WHERE 1 = 0", ()
        return sql, tuple(params)

    async def run(self, call: Callable[[], Value]) -> Value:
        """`call` in the thread that Django keeps for this task's connections."""
        from asgiref.sync import sync_to_async

        return await sync_to_async(call, thread_sensitive=True)()  # type: ignore[no-any-return,unused-ignore]

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Django's errors as ours."""
        from django.core.exceptions import FieldError
        from django.db import utils

        try:
            with self._connection.wrap_database_errors:
                yield
        except (utils.ProgrammingError, utils.DataError, utils.IntegrityError, FieldError) as error:
            raise errors.UsageError(f"the database says: {_words(error)}.") from error
        except utils.Error as error:
            if "no such" in str(error):
                raise errors.UsageError(f"the database says: {_words(error)}.", hint="Is it migrated?") from error
            raise errors.BrokenError(
                f"the database says: {_words(error)}.", hint="A pass goes on with after=token."
            ) from error

    # --- reading -------------------------------------------------------------------------------------------------------

    def shape(self, relation: Relation) -> Shape:
        """Columns and key, as the model has them."""
        if not relation.select:
            raise errors.UsageError(_BY_ITSELF, hint=_BY_ITSELF_HINT)
        return pages.shape_of(self._rows, self._connection)

    def rows(self, query: PageQuery, *, row_bytes: int) -> Iterator[Row]:
        """Rows of a page as they come; for objects, what collects the page."""
        del row_bytes
        return self._collector(query) if query.columns[0] == pages.OBJECT else self._values(query)

    def _values(self, query: PageQuery) -> Iterator[Row]:
        with pages.streamed(pages.page_of(self._rows, query), self._connection) as rows:
            yield from rows

    def orm_form(self, shape: Shape, order: Order) -> Form:
        """Model objects."""
        del shape
        if self._rows._fields is not None:
            raise errors.UsageError("values() gives no objects.", hint="Leave out values(), or give as_=dict.")

        def collect(rows: Any, out: list[Any], room: int, _: int) -> tuple[int, Row | None, bool]:
            return next(rows)(out, room)  # type: ignore[no-any-return]

        return Form((pages.OBJECT, *order.names), collect, lambda _: 0, tuple(range(len(order.columns))), None)

    def _collector(self, query: PageQuery) -> Iterator[Any]:
        yield functools.partial(self._collect, query)

    def _collect(self, query: PageQuery, out: list[Any], room: int) -> tuple[int, Row | None, bool]:
        cut = Cut(room, self._base, pages.values_bytes, may_pass=not out)
        made = pages.objects_of(pages.page_of(self._rows, query), self._connection, cut)
        if not made:
            return 0, None, cut.is_full
        seen: set[int] = set()
        sample = made[:: max(1, len(made) // 16)]
        weight = sum(pages.object_bytes(each, seen) for each in sample) // len(sample)
        values = (cut.used - self._base * len(made)) // len(made)
        self._base = max(weight - values, 400)
        out += made
        return cut.used, tuple(getattr(made[-1], name) for name in query.order.names), cut.is_full

    # --- what the database says ----------------------------------------------------------------------------------------

    def sql_of(self, query: PageQuery) -> str:
        """The SQL of a page, as Django writes it."""
        return self._sql(pages.page_of(self._rows, query))[0]

    def plan(self, query: PageQuery) -> Plan:
        """What the database would do for a page."""
        from django.db import transaction

        sql, params = self._sql(pages.page_of(self._rows, query))
        connection = self._connection

        def fetch(text: str, _: Sequence[Any]) -> list[Row]:
            """EXPLAIN in its words, of the select in Django's."""
            return self.fetch((text[: text.index("SELECT")] + sql, params))

        with self.errors():
            if connection.vendor != "postgresql":
                found: Plan = self._words.plan_of(query, fetch)
                return found
            with transaction.atomic(connection.alias):
                point = transaction.savepoint(connection.alias)
                for setting in postgres_words.SETTINGS:
                    with connection.cursor() as cursor:
                        cursor.execute(f"SET LOCAL {setting} = off")
                found = self._words.plan_of(query, fetch)
                transaction.savepoint_rollback(point, connection.alias)
                return found

    def fetch(self, statement: Statement) -> list[Row]:
        """All rows of a small statement."""
        with self.errors(), self._connection.cursor() as cursor:
            cursor.execute(*statement)
            return list(cursor.fetchall())

    def some_key(self, relation: Relation, order: Order) -> Key:
        """The key of some row, without NULLs if there is one; none at all of an empty table."""
        from flatwater.source.tables.conditions import Null

        whole = tuple(Null(column.name, is_null=False) for column in order.columns if column.nullable)
        for conditions in (whole, ()):
            with self.errors():
                found = list(self._values(PageQuery(relation, order.names, conditions, order, 1)))
            if found:
                return tuple(found[0])
        return ()

    def borders(self, relation: Relation, order: Order, count: int) -> list[Key]:
        """Every so-many-th key, by one pass over the keys."""
        with self.errors():
            rows = self._rows.order_by().count()
            step = max(-(-rows // count), 1)
            keys = self._values(PageQuery(relation, order.names, (), order, max(rows, 1)))
            found = [tuple(key) for at, key in enumerate(keys, 1) if at % step == 0]
        return found[: count - 1]

    def count_estimate(self, relation: Relation) -> tuple[int, str]:
        """About how many rows there are."""
        query = self._rows.query
        if relation.path and not query.where and not query.group_by and not query.distinct:
            found: tuple[int, str] = self._words.count_estimate(Relation(path=relation.path), self._plain)
            return found
        with self.errors():
            return int(self._rows.order_by().count()), "counting"

    def _plain(self, sql: str, params: Sequence[Any]) -> list[Row]:
        """A statement in the driver's own marks."""
        if self.dialect.name != "sqlite":
            return self.fetch((sql, tuple(params)))
        connection = self._connection
        connection.ensure_connection()
        with self.errors():
            return list(connection.connection.execute(sql, tuple(params)).fetchall())

    # --- transactions --------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Adapter]:
        """A repeatable-read transaction on this thread's connection."""
        from django.db import transaction

        connection = self._connection
        self._check_free("its isolation cannot be changed any more")
        with self.errors():
            if connection.vendor == "mysql":
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            with transaction.atomic(connection.alias):
                with connection.cursor() as cursor:
                    if connection.vendor == "postgresql":
                        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                    cursor.execute(
                        "SELECT 1 FROM sqlite_master LIMIT 1" if connection.vendor == "sqlite" else "SELECT 1"
                    )
                yield self

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Callable[[Statement], int]]:
        """A transaction of our own."""
        from django.db import transaction

        self._check_free("this needs short ones of its own")
        with self.errors(), transaction.atomic(self._connection.alias):
            yield self.execute

    def execute(self, statement: Statement) -> int:
        """Run a statement; how many rows it changed."""
        with self._connection.cursor() as cursor:
            cursor.execute(*statement)
            return max(int(cursor.rowcount), 0)

    def own(self) -> DjangoRows:
        """The database over a connection of its own, which any thread may use."""
        connection = self._connection
        if connection.vendor == "sqlite" and connection.is_in_memory_db():
            raise errors.UsageError(
                "a database in memory has one connection, and a writer needs one of its own.",
                hint="Give a database in a file or a server.",
            )
        other = DjangoRows(self._rows)
        other._own = connection.copy()
        other._own.inc_thread_sharing()
        with other.errors():
            other._own.ensure_connection()
            other._own.set_autocommit(True)
        return other

    def close(self) -> None:
        """Close a connection of its own; Django's stay."""
        if self._own is not None:
            self._own.close()

    def fillable(self, relation: Relation) -> tuple[Fillable, ...]:
        """The columns that can be written, as the model has them."""
        del relation
        return tuple(
            Fillable(field.attname, not (field.null or field.has_default() or _fills_itself(field)))
            for field in self._rows.model._meta.concrete_fields  # noqa: SLF001 - Django's documented name
            if not getattr(field, "generated", False)
        )

    def prepared(self, names: tuple[str, ...], shape: Shape) -> Prepared:
        """How values of these columns are written: with Django's types and defaults, as bulk_create does it."""
        del shape
        model = self._rows.model
        concrete = {field.attname: field for field in model._meta.concrete_fields}  # noqa: SLF001 - as above
        fields = [concrete[name] for name in names]
        fields += [
            field
            for field in concrete.values()
            if field.attname not in names and not getattr(field, "generated", False) and not _is_databases(field)
        ]
        connection = self._connection

        def ready(values: Values) -> Values:
            made = model(**dict(zip(names, values, strict=True)))
            return tuple(field.get_db_prep_save(field.pre_save(made, add=True), connection) for field in fields)

        return Prepared(tuple(field.column for field in fields), ready)

    def _check_free(self, why: str) -> None:
        if self._connection.in_atomic_block or not self._connection.get_autocommit():
            raise errors.UsageError(
                f"this is within transaction.atomic(), and {why}.", hint="Call it outside of atomic()."
            )

    def stored(self, name: str, value: Any) -> tuple[str, Any]:
        """The column's name in the database, and the value as the driver wants it."""
        field = pages.fields_of(self._rows).get(name)
        if field is None:
            return name, value
        return field.column, field.get_db_prep_save(value, self._connection)

    def loaded(self, names: Sequence[str], row: Row) -> Row:
        """The row that has this key, with Django's types."""
        key = {name: row[list(names).index(name)] for name in pages.key_of(self._rows.model)}
        again = self._rows.filter(**key).order_by().values_list(*names)
        found: Row = again.first() or row
        return found


def _is_databases(field: Any) -> bool:
    """Whether the database fills the column in."""
    from django.db.models import NOT_PROVIDED, AutoField

    return isinstance(field, AutoField) or getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED


def _fills_itself(field: Any) -> bool:
    """Whether the database or the field itself fills the column in."""
    return _is_databases(field) or getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)


def _words(error: BaseException) -> str:
    """An error's first line, without a full stop."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
