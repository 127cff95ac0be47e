"""Rows of a Table or mapped class of SQLAlchemy on their way in: its types, and what it fills in by itself.

Covers:     names, types and defaults of Python's side, the identity of a class among those that share a table.
Not here:   defaults that are SQL, which a row must have instead; statements (`tables.inserting`).
Holds:      what turns values into the driver's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flatwater.source.tables.adapters.sqlalchemy_selects import Target, plain
from flatwater.source.tables.given import Fillable, Prepared, Values


def fillable(target: Target) -> tuple[Fillable, ...]:
    """The columns that can be written, in the table's order."""
    return tuple(Fillable(name, _is_needed(column, target)) for name, column in _columns(target).items())


def prepared(target: Target, dialect: Any, names: tuple[str, ...]) -> Prepared:
    """How values of these columns are written, and of those that SQLAlchemy fills in."""
    columns = _columns(target)
    given = [columns[name] for name in names]
    filled = [
        (column, make)
        for name, column in columns.items()
        if name not in names and (make := _filled(column, target)) is not None
    ]
    all_columns = [*given, *(column for column, _ in filled)]
    by = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in all_columns]
    makes = [make for _, make in filled]

    def ready(values: Values) -> Values:
        whole = (*values, *(make() for make in makes)) if makes else values
        return tuple(value if turn is None else turn(value) for value, turn in zip(whole, by, strict=True))

    return Prepared(tuple(str(column.name) for column in all_columns), ready)


def _columns(target: Target) -> dict[str, Any]:
    """Those of the table that can be written, by the names that rows carry; with those that the class defers."""
    table = target.table
    if target.mapper is None:
        found = dict(table.columns.items())
    else:
        by_column = {plain(each.columns[0]): each.key for each in target.mapper.column_attrs}
        found = {by_column.get(column, column.key): column for column in table.columns}
    return {
        name: column
        for name, column in found.items()
        if column.computed is None and not (column.identity is not None and column.identity.always)
    }


def _filled(column: Any, target: Target) -> Callable[[], Any] | None:
    """What makes the value of a column that a row lacks; None where that is nothing of Python's."""
    mapper = target.mapper
    if mapper is not None and mapper.polymorphic_on is not None and plain(mapper.polymorphic_on) is column:
        identity = mapper.polymorphic_identity
        return None if identity is None else lambda: identity
    default = column.default
    if default is None or default.is_sequence or default.is_clause_element:
        return None
    value = default.arg
    return (lambda: value(None)) if default.is_callable else (lambda: value)


def _is_needed(column: Any, target: Target) -> bool:
    if _filled(column, target) is not None or column.server_default is not None or column.identity is not None:
        return False
    if column.default is not None:  # SQL of SQLAlchemy's, which no statement of ours has
        return True
    return not column.nullable and column is not target.table.autoincrement_column
