"""SQL for one page, and for changes: identifiers are quoted, values are parameters, there is no OFFSET.

Covers:     SELECT by seek, UPDATE and DELETE of a row by its key, CREATE INDEX as a suggestion.
Not here:   running them (`tables.adapters`), what to seek by (`tables.seek`).
Holds:      text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from flatwater.source.tables.conditions import AllOf, AnyOf, Compare, Condition, Null
from flatwater.source.tables.order import Order
from flatwater.source.tables.shape import Dialect, PageQuery, Relation

Statement = tuple[str, tuple[object, ...]]
# Columns of one table as they are: what an index of the table serves.
_PLAIN_SELECT = re.compile(
    r"\s*select\s+(?:\*|\w+(?:\s*,\s*\w+)*)\s+from\s+(\w+(?:\.\w+)*)(?:\s+where\s.*)?\s*", re.IGNORECASE | re.DOTALL
)


def page(query: PageQuery, dialect: Dialect) -> Statement:
    """The SELECT of one page."""
    columns = ", ".join(dialect.identifier(name) for name in query.columns) or "1"
    return select(columns, query, dialect)


def select(columns: str, query: PageQuery, dialect: Dialect) -> Statement:
    """SELECT of these expressions, of the rows of a page."""
    written = [_condition(condition, dialect, query.casts) for condition in query.conditions]
    source, params = from_clause(query.relation, dialect, [text for text, _ in written], query.index)
    params += tuple(value for _, more in written for value in more)
    order = order_clause(_left_to_sort(query, dialect), dialect)
    # The limit is a parameter as well: one text for all pages is prepared once.
    return f"SELECT {columns} FROM {source} ORDER BY {order} LIMIT {dialect.mark}", (*params, query.limit)


def _left_to_sort(query: PageQuery, dialect: Dialect) -> Order:
    """The order; on MariaDB without columns that are NULL on this page, which it would sort by instead of its index."""
    if dialect.name != "mysql":
        return query.order
    fixed = {each.column for each in query.conditions if isinstance(each, Null) and each.is_null}
    left = tuple(column for column in query.order.columns if column.name not in fixed)
    return Order(left) if left else query.order


def count(relation: Relation, dialect: Dialect) -> Statement:
    """How many rows there are, counted."""
    source, params = from_clause(relation, dialect)
    return f"SELECT count(*) FROM {source}", params


def every(relation: Relation, order: Order, step: int, dialect: Dialect) -> Statement:
    """The key of every `step`-th row, in order."""
    quoted = dialect.identifier
    source, params = from_clause(relation, dialect)
    keys = ", ".join(map(quoted, order.names))
    number = quoted("flatwater_row")
    numbered = f"SELECT {keys}, row_number() OVER (ORDER BY {order_clause(order, dialect)}) AS {number} FROM {source}"
    picked = (
        f"SELECT {keys} FROM ({numbered}) AS {quoted('r')} WHERE {number} - ({number} / {int(step)}) * {int(step)} = 0"
    )
    if dialect.name == "mysql":  # its division is not whole
        picked = f"SELECT {keys} FROM ({numbered}) AS {quoted('r')} WHERE {number} MOD {int(step)} = 0"
    return f"{picked} ORDER BY {number}", params


def from_clause(relation: Relation, dialect: Dialect, conditions: Sequence[str] = (), index: str = "") -> Statement:
    """What stands behind FROM, with the user's condition and further ones, and the user's parameters."""
    if relation.path:
        source = ".".join(dialect.identifier(part) for part in relation.path)
        if index:
            source += f" FORCE INDEX ({dialect.identifier(index)})"
    else:
        # The line break ends a comment that the user's text may end with.
        source = f"({text_of(relation.select, relation, dialect)}\n) AS {dialect.identifier('q')}"
    own = [f"({text_of(relation.where, relation, dialect)}\n)"] if relation.where else []
    if own or conditions:
        source += f" WHERE {' AND '.join([*own, *conditions])}"
    return source, relation.params


def text_of(text: str, relation: Relation, dialect: Dialect) -> str:
    """The user's SQL; without parameters of his own, a percent sign of his is none of the driver's."""
    if dialect.mark == "%s" and not relation.params:
        return text.replace("%", "%%")
    return text


def order_clause(order: Order, dialect: Dialect) -> str:
    """What stands behind ORDER BY."""
    return ", ".join(
        dialect.identifier(column.name) + (" DESC" if column.descending else "") for column in order.columns
    )


def update(
    path: Sequence[str], changes: Iterable[tuple[str, object]], where: Sequence[tuple[str, object]], dialect: Dialect
) -> Statement:
    """UPDATE of the rows where these columns have those values, NULL being equal to NULL."""
    quoted = dialect.identifier
    changes = list(changes)
    sets = ", ".join(f"{quoted(name)} = {dialect.mark}" for name, _ in changes)
    text, values = _same(where, dialect)
    table = ".".join(map(quoted, path))
    return f"UPDATE {table} SET {sets} WHERE {text}", (*(value for _, value in changes), *values)


def delete(path: Sequence[str], where: Sequence[tuple[str, object]], dialect: Dialect) -> Statement:
    """DELETE of the rows where these columns have those values."""
    text, values = _same(where, dialect)
    return f"DELETE FROM {'.'.join(map(dialect.identifier, path))} WHERE {text}", values


def insert(path: Sequence[str], values: Sequence[tuple[str, object]], dialect: Dialect) -> Statement:
    """INSERT of one row."""
    quoted = dialect.identifier
    names = ", ".join(quoted(name) for name, _ in values)
    marks = ", ".join([dialect.mark] * len(values))
    table = ".".join(map(quoted, path))
    return f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(value for _, value in values)


def row_by_key(
    path: Sequence[str], columns: Sequence[str], key: Sequence[tuple[str, object]], dialect: Dialect
) -> Statement:
    """SELECT of one row, locked until the transaction ends where the database locks rows."""
    text, values = _same(key, dialect)
    names = ", ".join(map(dialect.identifier, columns))
    lock = "" if dialect.name == "sqlite" else " FOR UPDATE"
    return f"SELECT {names} FROM {'.'.join(map(dialect.identifier, path))} WHERE {text}{lock}", values


def create_index(relation: Relation, order: Order, dialect: Dialect) -> str:
    """The line that makes an index for an order."""
    plain = _PLAIN_SELECT.fullmatch(relation.select)
    path = list(relation.path or (plain[1].split(".") if plain else ("the_table",)))
    index = ["_".join([path[-1], *order.names])[:60]]
    if dialect.name == "sqlite":  # there the schema stands before the index
        index, path = [*path[:-1], *index], path[-1:]
    name, source = (".".join(map(dialect.identifier, parts)) for parts in (index, path))
    return f"CREATE INDEX {name} ON {source} ({order_clause(order, dialect)})".replace("%%", "%")


def _same(where: Sequence[tuple[str, object]], dialect: Dialect) -> Statement:
    text = " AND ".join(f"{dialect.identifier(name)} {dialect.same} {dialect.mark}" for name, _ in where)
    return text, tuple(value for _, value in where)


def _condition(condition: Condition, dialect: Dialect, casts: Mapping[str, str]) -> Statement:
    quoted = dialect.identifier

    def mark(column: str) -> str:
        return f"{dialect.mark}::{casts[column]}" if column in casts else dialect.mark

    if isinstance(condition, Compare):
        return f"{quoted(condition.column)} {condition.op} {mark(condition.column)}", (condition.value,)
    if isinstance(condition, Null):
        return f"{quoted(condition.column)} IS {'' if condition.is_null else 'NOT '}NULL", ()
    if isinstance(condition, (AllOf, AnyOf)):
        written = [_condition(part, dialect, casts) for part in condition.parts]
        if not written:
            return ("1 = 1" if isinstance(condition, AllOf) else "1 = 0"), ()
        joint = " AND " if isinstance(condition, AllOf) else " OR "
        return f"({joint.join(text for text, _ in written)})", tuple(value for _, more in written for value in more)
    columns = ", ".join(map(quoted, condition.columns))
    marks = ", ".join(map(mark, condition.columns))
    return f"({columns}) {condition.op} ({marks})", condition.values
