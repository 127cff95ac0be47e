"""Pages of a QuerySet: what its columns are, its conditions, its rows as they come, its objects.

Covers:     select_related, prefetch_related for a page at a time, annotations, values(), defer() and only().
Not here:   transactions, plans, the adapter (`adapters.django`).
Holds:      one page's objects.

Django's own iterator() fetches by number of rows, and its cursor at the server outlives no transaction of a pooler's. Here
Django compiles the statement and makes its objects, and the rows in between come one by one from the driver.
"""

from __future__ import annotations

import contextlib
import functools
import operator
from collections.abc import Iterator
from typing import Any

from flatwater import errors
from flatwater.sizing import heap_bytes
from flatwater.source.tables.adapters.rowwise import Cut, cursor
from flatwater.source.tables.conditions import AllOf, AnyOf, Compare, Condition, Null
from flatwater.source.tables.forms import Row
from flatwater.source.tables.shape import Column, PageQuery, Shape

OBJECT = "*"  # stands for whole objects among the columns of a page
FIRST_BYTES = 1_000  # of an object beside its values, before one was weighed
_LOOKUPS = {"=": "exact", ">": "gt", "<": "lt", ">=": "gte", "<=": "lte"}
_PLAIN = frozenset((
    "AutoField", "BigAutoField", "SmallAutoField", "BigIntegerField", "IntegerField", "SmallIntegerField", "PositiveIntegerField",
    "PositiveBigIntegerField", "PositiveSmallIntegerField", "BooleanField", "CharField", "TextField", "SlugField", "FileField",
    "FilePathField", "DateField", "DateTimeField", "TimeField", "DecimalField", "FloatField", "DurationField", "UUIDField",
    "BinaryField", "GenericIPAddressField", "ForeignKey", "OneToOneField",
))  # fmt: skip


def check(rows: Any) -> None:
    """Refuse a QuerySet that no condition can be added to.

    Raises:
        UsageError: says which part of it is in the way.
    """
    query = rows.query
    reasons = {
        "a slice": query.is_sliced,
        f"a {query.combinator}": bool(query.combinator),
        "distinct() on some fields": bool(query.distinct_fields),
        "groups of values()": isinstance(query.group_by, tuple) and bool(rows._fields),
        "raw SQL without a QuerySet's methods": not hasattr(rows, "_iterable_class"),
        "dates() or datetimes()": rows._iterable_class.__module__ != "django.db.models.query",  # noqa: SLF001 - as above
    }
    for what, is_so in reasons.items():
        if is_so:
            raise errors.UsageError(
                f"pages cannot be cut from a QuerySet with {what}.",
                hint="Give the QuerySet without it; find_each has start, finish and order_by.",
            )
    if query.distinct and rows._fields and not set(key_of(rows.model)) <= set(fields_of(rows, with_key=False)):
        raise errors.UsageError(
            "distinct() of values() without the primary key: pages go on by that key, and with it all rows are distinct.",
            hint="Name the key in values(), too, or read the distinct values from the table where each is once.",
        )
    if not query.distinct and not query.group_by and (several := _several(query)):
        raise errors.UsageError(
            f"the QuerySet joins several rows of {several} to one of its own, and pages cannot be cut among those.",
            hint="Add .distinct(), or filter by pk__in=... or Exists(...).",
        )


def _several(query: Any) -> str:
    """A table of which several rows are joined to one; empty if there is none."""
    fixed = _fixed(query.where)
    for alias, join in query.alias_map.items():
        field: Any = getattr(join, "join_field", None)
        if not query.alias_refcount.get(alias) or not getattr(field, "multiple", False):
            continue
        # The table of a ManyToManyField has each pair once: group.people.all() and filter(groups=group) repeat nothing.
        if alias not in fixed or not field.related_model._meta.auto_created:  # noqa: SLF001 - Django's documented name
            return str(join.table_name)
    return ""


def _fixed(where: Any) -> set[str]:
    """Tables of which a column has one value in all rows."""
    if getattr(where, "negated", True) or where.connector != "AND":  # what is no node, says nothing
        return set()
    found: set[str] = set()
    for each in where.children:
        if hasattr(each, "children"):
            found |= _fixed(each)
        elif getattr(each, "lookup_name", "") == "exact" and hasattr(each.lhs, "alias"):
            found.add(each.lhs.alias)
    return found


def key_of(model: Any) -> tuple[str, ...]:
    """The columns of a model's key: several of a CompositePrimaryKey."""
    meta = model._meta  # noqa: SLF001 - Django's documented name
    return tuple(field.attname for field in getattr(meta, "pk_fields", None) or [meta.pk])


def order_of(rows: Any, *, nulls_are_smallest: bool) -> list[str] | None:
    """The order that the QuerySet was given, as `order_by` takes it; None if it was given none."""
    from django.db.models import F, OrderBy

    query = rows.query
    if query.extra_order_by:
        raise errors.UsageError("extra(order_by=...) is no order that pages go by.", hint="Use order_by().")
    terms = []
    for each in query.order_by:
        name, down, first, last = each, False, None, None
        if isinstance(each, OrderBy) and isinstance(each.expression, F):
            name, down, first, last = each.expression.name, each.descending, each.nulls_first, each.nulls_last
        elif isinstance(each, F):
            name = each.name
        if not isinstance(name, str) or name == "?":
            raise errors.UsageError(f"order_by({each!r}) is no order that pages go by.", hint="Order by fields.")
        own_first = nulls_are_smallest != (down or name.startswith("-"))
        if (first and not own_first) or (last and own_first):
            raise errors.UsageError(
                f"{name}: this database has NULLs {'first' if own_first else 'last'} in this direction, and an index cannot say otherwise.",
                hint="Leave out nulls_first and nulls_last: no row is lost either way.",
            )
        bare = name.lstrip("-+")
        sign = "-" if down or name.startswith("-") else ""
        own = key_of(rows.model) if bare == "pk" else (_attname(rows.model, _own_column(rows.model, bare)),)
        terms += [f"{sign}{each}" for each in own]
    if not query.standard_ordering:  # reverse()
        terms = [term[1:] if term.startswith("-") else f"-{term}" for term in terms or key_of(rows.model)]
    return [term.replace(",", "") for term in terms] or None


def _own_column(model: Any, name: str) -> str:
    """A field's name, unless Django would go by the ordering of the class that it refers to."""
    field = next((each for each in model._meta.concrete_fields if each.name == name != each.attname), None)  # noqa: SLF001 - Django's documented name
    if field is not None and field.related_model._meta.ordering:  # noqa: SLF001 - as above
        raise errors.UsageError(
            f"order_by({name!r}) goes by the ordering of {field.related_model.__name__}, and no index of one table has that.",
            hint=f"Order by {field.attname!r}.",
        )
    return name


def _attname(model: Any, name: str) -> str:
    from django.core.exceptions import FieldDoesNotExist

    if name == "pk":
        return str(model._meta.pk.attname)  # noqa: SLF001 - Django's documented name
    try:
        return str(model._meta.get_field(name).attname)  # noqa: SLF001 - as above
    except (FieldDoesNotExist, AttributeError):
        return name


def fields_of(rows: Any, *, with_key: bool = True) -> dict[str, Any]:
    """Names that rows carry, with their fields; None for what is computed. The primary key is always one of them."""
    query, meta = rows.query, rows.model._meta  # noqa: SLF001 - Django's documented name
    concrete = {field.attname: field for field in meta.concrete_fields}
    found: dict[str, Any] = {}
    if rows._fields is not None:
        names = [*query.extra_select, *query.values_select, *query.annotation_select]
        found = {_attname(rows.model, name): concrete.get(_attname(rows.model, name)) for name in names}
    else:
        deferred, is_defer = query.deferred_loading
        for name, field in concrete.items():
            is_named = field.name in deferred or name in deferred
            if is_named != is_defer:
                found[name] = field
        found.update(dict.fromkeys([*query.extra_select, *query.annotation_select]))
    missing = [name for name in key_of(rows.model) if with_key and name not in found]
    return {**{name: concrete[name] for name in missing}, **found}


def shape_of(rows: Any, connection: Any) -> Shape:
    """Names, types as the database writes them, and the key."""
    columns = []
    for name, field in fields_of(rows).items():
        kind = "" if field is None else (field.db_type(connection) or "").lower()
        is_plain = field is not None and field.get_internal_type() in _PLAIN and not hasattr(field, "from_db_value")
        columns.append(Column(name, kind if is_plain else f"{kind} object", field is None or field.null))
    return Shape(tuple(columns), key_of(rows.model))


def page_of(rows: Any, query: PageQuery) -> Any:
    """The QuerySet of one page."""
    from django.db import connections

    found = rows if rows.query.standard_ordering else rows.reverse()  # which is in the order that is given here
    for condition in query.conditions:
        found = found.filter(_condition(condition))
    # MariaDB would sort by a column that is NULL on the whole page, instead of following its index.
    is_mysql = connections[rows.db].vendor == "mysql"
    fixed = {each.column for each in query.conditions if isinstance(each, Null) and each.is_null and is_mysql}
    left = [each for each in query.order.columns if each.name not in fixed] or query.order.columns
    found = found.order_by(*(f"-{each.name}" if each.descending else each.name for each in left))
    if query.columns[:1] != (OBJECT,):
        found = found.prefetch_related(None).select_related(None) if rows._fields is None else found
        found = found.values_list(*query.columns)
    return found[: query.limit]


def _condition(condition: Condition) -> Any:
    from django.db.models import Q

    if isinstance(condition, Compare):
        return Q(**{f"{condition.column}__{_LOOKUPS[condition.op]}": condition.value})
    if isinstance(condition, Null):
        return Q(**{f"{condition.column}__isnull": condition.is_null})
    assert isinstance(condition, (AllOf, AnyOf)), "Django's orders are sought in steps"
    joint = operator.and_ if isinstance(condition, AllOf) else operator.or_
    return functools.reduce(joint, map(_condition, condition.parts))


@contextlib.contextmanager
def streamed(page: Any, connection: Any, cut: Cut | None = None) -> Iterator[Any]:
    """The page as an iterator whose rows come from the driver one by one; those that fit, with a `cut`."""
    compiler = page.query.get_compiler(connection=connection)
    with contextlib.ExitStack() as stack:

        def execute_sql(*_: Any, **__: Any) -> Any:
            from django.core.exceptions import EmptyResultSet

            try:
                sql, params = compiler.as_sql()
            except EmptyResultSet:
                return []
            found = stack.enter_context(_cursor(connection))
            found.execute(sql, params)
            raw = _checked(iter(found), page, compiler)
            if cut is None:
                return [raw]
            rows = cut.take(raw)
            stack.close()  # further statements of this page find the connection free
            return [rows]

        compiler.execute_sql = execute_sql
        query = page.query.clone()
        query.get_compiler = lambda *_, **__: compiler
        clone = page._clone()  # noqa: SLF001 - a QuerySet's only copy that keeps its slice
        clone._query = query  # noqa: SLF001 - as above
        yield iter(clone._iterable_class(clone))  # noqa: SLF001 - as above


def _checked(rows: Iterator[Row], page: Any, compiler: Any) -> Iterator[Row]:
    """Rows as they come; refused where a field of the order does not make the database's value of its own again."""
    names = {each.lstrip("-") for each in page.query.order_by}
    asked = {at: column for at, (column, *_) in enumerate(compiler.select) if hasattr(column, "target")}
    work = [
        (at, column.target, compiler.connection.ops.get_db_converters(column), column.get_db_converters(compiler.connection), column)
        for at, column in asked.items()
        if column.target.attname in names and hasattr(column.target, "from_db_value")
    ]  # fmt: skip
    if not work:
        return rows

    def check(row: Row) -> Row:
        for at, field, by_database, by_field, column in work:
            plain = functools.reduce(lambda value, by: by(value, column, compiler.connection), by_database, row[at])
            given = functools.reduce(lambda value, by: by(value, column, compiler.connection), by_field, plain)
            if plain is not None and field.get_prep_value(given) != plain:
                raise errors.UsageError(
                    f"{field.attname}: {type(field).__name__} does not make the database's value of its own again, and pages go on by that.",
                    hint="Order by another field.",
                )
        return row

    return map(check, rows)


def objects_of(page: Any, connection: Any, cut: Cut) -> list[Any]:
    """The page's objects, as many as fit, with what prefetch_related() names."""
    from django.db.models import prefetch_related_objects

    with streamed(page, connection, cut) as found:
        made = list(found)
    if made and page._prefetch_related_lookups:  # noqa: SLF001 - what prefetch_related() keeps
        prefetch_related_objects(made, *page._prefetch_related_lookups)  # noqa: SLF001 - as above
    return made


@contextlib.contextmanager
def _cursor(connection: Any) -> Iterator[Any]:
    """A cursor of Django's, with its wrappers and its log, that gets rows from the wire when they are asked for."""
    from django.db import transaction

    if connection.vendor == "sqlite":
        with connection.cursor() as found:
            yield found
        return
    connection.ensure_connection()
    raw = connection.connection
    if connection.vendor == "mysql":
        import importlib

        inner = connection.create_cursor()
        inner.cursor.close()
        inner.cursor = raw.cursor(importlib.import_module(type(inner.cursor).__module__).SSCursor)
    elif hasattr(raw, "cursor_factory") and type(raw).__module__.partition(".")[0] == "psycopg":
        inner = cursor(raw.cursor_factory)(raw)
    else:
        inner = connection.chunked_cursor() if connection.in_atomic_block else connection.create_cursor()
    # A stream that is ended early is cancelled, and that breaks a transaction: the user's goes on from here.
    is_users = connection.vendor == "postgresql" and connection.in_atomic_block
    point = transaction.savepoint(connection.alias) if is_users else None
    try:
        with connection._prepare_cursor(inner) as found:  # noqa: SLF001 - the one place where wrappers are put on
            yield found
    finally:
        if point is not None:
            transaction.savepoint_rollback(point, connection.alias)


def values_bytes(row: Row) -> int:
    """The bytes of a raw row's values."""
    return sum(value.__sizeof__() for value in row)


def object_bytes(found: Any, seen: set[int]) -> int:
    """Heap bytes of a model object with its values, and of those loaded with it; what is in `seen` counts once."""
    if id(found) in seen:
        return 0
    seen.add(id(found))
    state = found._state  # noqa: SLF001 - Django's documented name
    total = heap_bytes(bytes(found.__dict__.__sizeof__() + state.__sizeof__() + state.__dict__.__sizeof__())) + 48
    for name, value in list(found.__dict__.items()):
        if name == "_prefetched_objects_cache":
            total += value.__sizeof__()
            for rows in value.values():
                total += 1_200 + sum(object_bytes(each, seen) for each in rows)  # with its QuerySet, measured
        elif name != "_state":
            total += heap_bytes(value)
    related = state.__dict__.get("fields_cache") or {}
    return total + related.__sizeof__() + sum(object_bytes(each, seen) for each in related.values() if each is not None)
