"""A Table, a mapped class or a select() of SQLAlchemy as something that pages can be cut from.

Covers:     names and types of its columns, its key, a page as a select, what is refused.
Not here:   running it (`adapters.sqlalchemy`), objects (`sqlalchemy_orm`).
Holds:      expressions.

Where conditions can be added to the user's select they are, and indexes serve as in his own; where they would change what it
means (groups, limits, window functions, unions) it becomes a subquery.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Iterator, Sequence
from typing import Any

from flatwater import errors
from flatwater.source.tables.conditions import AllOf, AnyOf, Compare, Condition, Null
from flatwater.source.tables.order import Order
from flatwater.source.tables.shape import MYSQL, Column, PageQuery, Relation, Shape

OBJECT = "*"  # stands for whole objects among the columns of a page
_OPS: dict[str, Any] = {"=": operator.eq, ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le}


@dataclasses.dataclass(slots=True)
class Target:
    """What pages are cut from.

    Attributes:
        base: a select() that conditions are added to.
        columns: by the names that rows carry.
        key: names of the key, if it is known.
        table: the table that is written back to; None where there is not one.
        entity: whether `base` gives objects.
        mapper: of the class that was given, or is selected first; None of tables.
        twins: by name, columns of other tables that are the same by a join of inheritance: a seek begins in each of them.
        may_repeat: whether joins may give one row several times.
        dialect: the name of the database's, as in `tables.shape`.
    """

    base: Any
    columns: dict[str, Any]
    key: tuple[str, ...]
    table: Any
    entity: bool
    may_repeat: bool
    dialect: str = ""
    mapper: Any = None
    twins: dict[str, list[Any]] = dataclasses.field(default_factory=dict)

    def page(self, query: PageQuery) -> Any:
        """The select of one page; of objects if OBJECT is asked for."""
        from sqlalchemy import text

        if query.columns[:1] == (OBJECT,):
            chosen = self.base.add_columns(
                *(self.columns[name] for name in query.order.names),
                *(self._plain_value(name) for name in self.decorated(query.order.names)),
            )
        else:
            chosen = self.base.with_only_columns(
                *(self.columns[name] for name in query.columns), maintain_column_froms=True
            )
        for condition in query.conditions:
            chosen = chosen.where(self._condition(condition))
        # MariaDB would sort by a column that is NULL on the whole page, instead of following its index.
        fixed = {
            each.column
            for each in query.conditions
            if isinstance(each, Null) and each.is_null and self.dialect == "mysql"
        }
        left = tuple(each for each in query.order.columns if each.name not in fixed) or query.order.columns
        chosen = chosen.order_by(*self._order(Order(left)))
        if query.index:
            for dialect in ("mysql", "mariadb"):
                chosen = chosen.with_hint(
                    self.table, f"FORCE INDEX ({MYSQL.identifier(query.index).replace('%%', '%')})", dialect
                )
        if self.dialect == "sqlite":  # for which SQLAlchemy writes an OFFSET of zero behind each limit
            return chosen.suffix_with(text("LIMIT :flatwater_limit").bindparams(flatwater_limit=query.limit))
        return chosen.limit(query.limit)

    def count(self) -> Any:
        """How many rows there are, counted."""
        from sqlalchemy import func, select

        return select(func.count()).select_from(self.base.order_by(None).subquery())

    @property
    def is_whole(self) -> bool:
        """Whether these are all rows of the table."""
        return self.table is not None and (self.mapper is None or not (self.mapper.single and self.mapper.inherits))

    def decorated(self, names: Sequence[str]) -> list[str]:
        """Those of the columns whose values the user's own code makes and takes apart."""
        return [name for name in names if _overrides(self.columns[name].type)]

    def _plain_value(self, name: str) -> Any:
        """A column without the user's own code."""
        from sqlalchemy import type_coerce

        return type_coerce(self.columns[name], self.columns[name].type.impl_instance).label(f"flatwater_plain_{name}")

    def _bound(self, name: str, value: object) -> Any:
        """A value of a key, for comparing it with its column: of the column's own type, whatever Python would make of it."""
        from sqlalchemy import cast, literal, types

        kind = self.columns[name].type
        bound = literal(value, kind)
        # PostgreSQL's real is compared with a double as that, and is then another number.
        return cast(bound, kind) if self.dialect == "postgresql" and isinstance(kind, types.Float) else bound

    def _order(self, order: Order) -> list[Any]:
        return [
            self.columns[column.name].desc() if column.descending else self.columns[column.name].asc()
            for column in order.columns
        ]

    def _condition(self, condition: Condition) -> Any:
        from sqlalchemy import and_, false, or_, true, tuple_

        if isinstance(condition, Compare):
            found = (self.columns[condition.column], *self.twins.get(condition.column, ()))
            return and_(*(_OPS[condition.op](each, self._bound(condition.column, condition.value)) for each in found))
        if isinstance(condition, Null):
            column = self.columns[condition.column]
            return column.is_(None) if condition.is_null else column.is_not(None)
        if isinstance(condition, AllOf):
            return and_(true(), *map(self._condition, condition.parts))
        if isinstance(condition, AnyOf):
            return or_(false(), *map(self._condition, condition.parts))
        return _OPS[condition.op](
            tuple_(*(self.columns[name] for name in condition.columns)),
            tuple_(*map(self._bound, condition.columns, condition.values)),
        )

    def shape(self, dialect: Any) -> Shape:
        """Names, types as the database writes them, and the key."""
        listed = [
            Column(
                name,
                _type_words(column.type, dialect),
                nullable=self.may_repeat or getattr(column, "nullable", True) is not False,
            )
            for name, column in self.columns.items()
        ]
        return Shape(tuple(listed), self.key, self._unique())

    def _unique(self) -> tuple[tuple[str, ...], ...]:
        if self.table is None:
            return ()
        from sqlalchemy import UniqueConstraint

        found = [list(each.columns) for each in self.table.constraints if isinstance(each, UniqueConstraint)]
        found += [list(index.columns) for index in self.table.indexes if index.unique and not index.dialect_kwargs]
        return tuple(
            names
            for columns in found
            if not any(column.nullable for column in columns) and (names := self._names(columns)) is not None
        )

    def _names(self, columns: Any) -> tuple[str, ...] | None:
        return _names_of(columns, self.columns)

    def stored(self, name: str) -> str:
        """The name of a column in the database."""
        return str(getattr(plain(self.columns[name]), "name", name))


def target_of(given: Any, relation: Relation) -> Target:
    """What a user gave.

    Raises:
        UsageError: it is nothing that rows come from, or has an order of its own.
    """
    from sqlalchemy import inspect
    from sqlalchemy.orm import Mapper, Query
    from sqlalchemy.sql import CompoundSelect, FromClause, Select

    if relation.where or relation.params:
        raise errors.UsageError(
            "where= and params= are for SQL text.", hint="Give select(...).where(...) instead of the table or class."
        )
    if isinstance(given, Query):
        given = given.statement
    if isinstance(given, (Select, CompoundSelect)):
        return _of_select(given)
    if isinstance(given, type) or isinstance(inspect(given, raiseerr=False), Mapper):
        mapper = inspect(given, raiseerr=False)
        if isinstance(mapper, Mapper):
            return _of_class(given, mapper)
    if isinstance(given, FromClause):
        return _of_table(given)
    raise errors.UsageError(
        f"{given!r} is no table of SQLAlchemy.", hint="Give a name, a Table, a mapped class or a select()."
    )


def _of_table(table: Any) -> Target:
    from sqlalchemy import Table, select

    columns = dict(table.columns.items())
    key = _names_of(table.primary_key, columns) or ()
    return Target(
        select(table), columns, key, table if isinstance(table, Table) else None, entity=False, may_repeat=False
    )


def _of_class(mapped: Any, mapper: Any) -> Target:
    from sqlalchemy import Table, select

    columns = {each.key: getattr(mapped, each.key) for each in mapper.column_attrs if not each.deferred}
    key = tuple(mapper.get_property_by_column(column).key for column in mapper.primary_key)
    if not columns.keys() >= set(key):
        key = ()
    table = mapper.local_table if isinstance(mapper.persist_selectable, Table) else None
    twins = {each.key: list(each.columns[1:]) for each in mapper.column_attrs if each.key in key}
    return Target(select(mapped), columns, key, table, entity=True, may_repeat=False, mapper=mapper, twins=twins)


def _of_select(given: Any) -> Target:
    from sqlalchemy import Table, inspect, select
    from sqlalchemy.sql import CompoundSelect

    if len(given._order_by_clauses):  # noqa: SLF001 - the select's only way to say it
        raise errors.UsageError(
            "the select has an order of its own, and pages go by another.",
            hint='Take it off with .order_by(None), and give order_by="-created_at" to the verb.',
        )
    if isinstance(given, CompoundSelect) or _changes_with_conditions(given):
        inner = given.subquery("q")
        return Target(select(inner), dict(inner.columns.items()), (), None, entity=False, may_repeat=False)
    described = given.column_descriptions
    entity = all(
        each["entity"] is not None
        and inspect(each["expr"], raiseerr=False) is not None
        and each["expr"] is each["entity"]
        for each in described
    )
    named = given.subquery().columns.keys()
    found = list(given.selected_columns)
    columns = dict(zip(named, found, strict=True)) if len(named) == len(found) else {each.key: each for each in found}
    froms = given.with_only_columns(
        *found, maintain_column_froms=True
    ).get_final_froms()  # without what joinedload() adds
    only = froms[0] if len(froms) == 1 and isinstance(getattr(froms[0], "element", froms[0]), Table) else None
    key = _names_in(only.primary_key, columns) if only is not None else ()
    first = inspect(described[0]["entity"], raiseerr=False) if described else None
    return Target(
        given, columns, key, None, entity=entity, may_repeat=only is None, mapper=getattr(first, "mapper", None)
    )


def _changes_with_conditions(given: Any) -> bool:
    """Whether a condition more would be met before the select's own grouping, numbering or limit."""
    from sqlalchemy.sql import functions
    from sqlalchemy.sql.elements import Over

    own = (given._group_by_clauses, given._having_criteria, given._distinct, given._distinct_on)  # noqa: SLF001 - as above
    if any(bool(each) for each in own):
        return True
    if any(each is not None for each in (given._limit_clause, given._offset_clause, given._fetch_clause)):  # noqa: SLF001 - as above
        return True
    return any(
        isinstance(part, (functions.FunctionElement, Over))
        for column in given.selected_columns
        for part in _parts(column)
    )


def _parts(column: Any) -> Iterator[Any]:
    """An expression and what it is made of; a subquery counts for itself, whatever is in it."""
    from sqlalchemy import ScalarSelect

    yield column
    if not isinstance(column, ScalarSelect):
        for each in column.get_children():
            yield from _parts(each)


def _names_of(columns: Any, named: dict[str, Any]) -> tuple[str, ...] | None:
    """The names under which these columns of a table are; None if one is not."""
    places: dict[Any, str] = {}
    for name, column in named.items():
        places.setdefault(plain(column), name)
    found = tuple(places.get(column) for column in columns)
    return None if None in found else found  # type: ignore[return-value]


def _names_in(key: Any, named: dict[str, Any]) -> tuple[str, ...]:
    """The names under which the columns of the key of a select's only table are; none if one is not."""
    places = {
        each.name: name for name, column in named.items() if getattr(each := plain(column), "table", None) is not None
    }
    found = tuple(places.get(column.name, "") for column in key)
    return found if all(found) else ()


def plain(column: Any) -> Any:
    """The table's own column behind an attribute of a class, or a column of a select."""
    column = getattr(column, "expression", column)
    column = column.element if getattr(column, "__visit_name__", "") == "label" else column
    return getattr(column, "_deannotate", lambda: column)() if hasattr(column, "_deannotate") else column


def _type_words(kind: Any, dialect: Any) -> str:
    """A column's type as the database writes it; "object" with it where values may be of any Python type."""
    from sqlalchemy import exc, types

    try:
        text = kind.compile(dialect=dialect).lower()
    except exc.CompileError:
        text = ""
    plain = (
        types.Integer,
        types.Numeric,
        types.Boolean,
        types.String,
        types.Date,
        types.DateTime,
        types.Time,
        types.LargeBinary,
    )
    is_plain = isinstance(kind, (*plain, types.Uuid, types.Interval)) and not isinstance(kind, types.PickleType)
    return text if is_plain else f"{text} object"


def check_comes_back(name: str, kind: Any, dialect: Any, plain: object, given: object) -> None:
    """Refuse a key whose type does not give back what it was given: pages would begin at another place than the last ended.

    Raises:
        UsageError: it does not.
    """
    if plain is None:
        return
    if (kind.process_bind_param(given, dialect) if "process_bind_param" in _overrides(kind) else given) != plain:
        raise errors.UsageError(
            f"{name}: its type {type(kind).__name__} does not make the database's value of its own again, and pages go on by that.",
            hint="Order by another column, or name the table in SQL text, which has no types.",
        )


def comes_back(names: Sequence[str], target: Target, dialect: Any, columns: Sequence[str], description: Any) -> Any:
    """What checks a raw row beside the one that was made of it; None where nothing is decorated."""
    work = []
    for name in target.decorated(names):
        at, kind = columns.index(name), target.columns[name].type
        work.append((name, at, kind, kind.type_engine(dialect).result_processor(dialect, description[at][1])))
    if not work:
        return None

    def check(raw: Any, made: Any) -> Any:
        for name, at, kind, by in work:
            check_comes_back(name, kind, dialect, raw[at] if by is None else by(raw[at]), made[at])
        return made

    return check


def _overrides(kind: Any) -> list[str]:
    """What a TypeDecorator of the user's does with values; nothing of any other type."""
    from sqlalchemy import TypeDecorator

    if not isinstance(kind, TypeDecorator):
        return []
    names = ("process_bind_param", "process_result_value")
    return [name for name in names if getattr(type(kind), name) is not getattr(TypeDecorator, name)]


def form_dialect(core: Any) -> Any:
    """Values have SQLAlchemy's types already."""
    return dataclasses.replace(core, dates_as_text=False)


def reader(types: list[Any], dialect: Any, description: Any) -> Any:
    """What makes SQLAlchemy's values of a raw row; None where that is nothing."""
    work = []
    for at, kind in enumerate(types):
        impl = kind.dialect_impl(dialect)
        by = impl.result_processor(dialect, description[at][1])
        if by is not None:
            work.append((at, by))
    if not work:
        return None

    def read(row: Any) -> tuple[Any, ...]:
        values = list(row)
        for at, by in work:
            values[at] = by(values[at])
        return tuple(values)

    return read
