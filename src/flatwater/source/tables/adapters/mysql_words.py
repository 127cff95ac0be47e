"""What MariaDB and MySQL say of themselves: columns, keys, plans, estimates. The same for each of their drivers.

Covers:     information_schema read into a `Shape`, EXPLAIN read into a `Plan`, the index that serves an order.
Not here:   drivers (`mysql`).
Holds:      nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flatwater import errors
from flatwater.source.tables import statements
from flatwater.source.tables.adapters.base import Plan, first_key
from flatwater.source.tables.given import Fillable
from flatwater.source.tables.order import Order
from flatwater.source.tables.reading import Key
from flatwater.source.tables.shape import MYSQL, Column, PageQuery, Relation, Shape

Fetch = Callable[[str, Sequence[Any]], list[Any]]

_COLUMNS = """
SELECT column_name, column_type, is_nullable = 'YES' FROM information_schema.columns
WHERE table_schema = COALESCE(%s, DATABASE()) AND table_name = %s ORDER BY ordinal_position
"""
_FILLABLE = """
SELECT column_name, is_nullable = 'NO' AND column_default IS NULL AND extra NOT LIKE '%%auto_increment%%'
FROM information_schema.columns WHERE table_schema = COALESCE(%s, DATABASE()) AND table_name = %s
  AND extra NOT LIKE '%%VIRTUAL%%' AND extra NOT LIKE '%%STORED%%' AND extra NOT LIKE '%%PERSISTENT%%'
ORDER BY ordinal_position
"""
_INDEXES = """
SELECT index_name, non_unique, column_name, nullable = 'YES', sub_part IS NOT NULL, collation = 'D'
FROM information_schema.statistics
WHERE table_schema = COALESCE(%s, DATABASE()) AND table_name = %s ORDER BY index_name, seq_in_index
"""


def _named(relation: Relation) -> tuple[str | None, str]:
    return (relation.path[-2] if len(relation.path) > 1 else None), relation.path[-1]


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def table_shape(relation: Relation, fetch: Fetch) -> Shape | None:
    """A table's columns and keys; None if there is no such table or view."""
    columns = [
        Column(_text(name), _text(kind).lower(), bool(nullable))
        for name, kind, nullable in fetch(_COLUMNS, _named(relation))
    ]
    if not columns:
        return None
    key: tuple[str, ...] = ()
    unique = []
    for name, parts in _indexes(relation, fetch).items():
        names = tuple(part[2] for part in parts)
        if name == "PRIMARY":
            key = names
        elif not any(part[1] or part[3] or part[4] for part in parts):
            unique.append(names)
    return Shape(tuple(columns), key, tuple(unique))


def fillable(relation: Relation, fetch: Fetch) -> tuple[Fillable, ...]:
    """The columns that can be written: not those that are computed."""
    return tuple(Fillable(_text(name), bool(is_needed)) for name, is_needed in fetch(_FILLABLE, _named(relation)))


def _indexes(relation: Relation, fetch: Fetch) -> dict[str, list[tuple[str, bool, str, bool, bool, bool]]]:
    found: dict[str, list[tuple[str, bool, str, bool, bool, bool]]] = {}
    for name, not_unique, column, nullable, is_prefix, is_down in fetch(_INDEXES, _named(relation)):
        row = (_text(name), bool(int(not_unique)), _text(column), bool(nullable), bool(is_prefix), bool(is_down))
        found.setdefault(row[0], []).append(row)
    return found


_NO_PLACE = {
    "float": ("FLOAT, whose values are given rounded to six digits", "Make it DOUBLE, or order by other columns."),
    "enum": ("ENUM, which is sorted by number and compared as text", "Order by other columns."),
    "set": ("SET, which is sorted by number and compared as text", "Order by other columns."),
}


def refuse_no_place(shape: Shape, order: Order) -> None:
    """Raise where the order has a column by whose values no row is found again.

    Raises:
        UsageError: as said.
    """
    for column in shape.columns:
        kind = re.match(r"[a-z]*", column.type)
        if column.name in order.names and kind is not None and kind[0] in _NO_PLACE:
            why, hint = _NO_PLACE[kind[0]]
            raise errors.UsageError(f"{column.name} is {why}: a pass would lose its place.", hint=hint)


def index_for(relation: Relation, order: Order, fetch: Fetch) -> str:
    """The index whose columns are those of the order, all one way or all the other; empty for none.

    InnoDB's indexes end with the primary key, so an index of the first columns serves where the key's are what is left.
    """
    if not relation.path:
        return ""
    indexes = _indexes(relation, fetch)
    key = [part[2] for part in indexes.get("PRIMARY", ())]
    wanted = [(column.name, column.descending) for column in order.columns]
    for name, parts in indexes.items():
        if any(part[4] for part in parts):
            continue
        have = [(part[2], part[5]) for part in parts]
        have += [(column, False) for column in key if column not in [each for each, _ in have]]
        have = have[: len(wanted)]
        if have == wanted or have == [(column, not down) for column, down in wanted]:
            return name
    return ""


def plan_of(query: PageQuery, fetch: Fetch) -> Plan:
    """What EXPLAIN says of a page."""
    sql, params = statements.page(query, MYSQL)
    try:
        told = json.loads(_text(fetch(f"EXPLAIN FORMAT=JSON {sql}", params)[0][0]))
    except json.JSONDecodeError:  # of a name with quotation marks
        return _plan_of_lines(query, fetch(f"EXPLAIN {sql}", params))
    tables = list(_tables(told))
    text = json.dumps(told)
    sorts = '"filesort"' in text or '"using_filesort": true' in text
    materialized = '"materialized"' in text or '"materialized_from_subquery"' in text
    access = str(tables[0].get("access_type", "")).lower() if tables else ""
    # "Impossible WHERE" and such: there is no table to read.
    scans = bool(query.conditions) and bool(tables) and (materialized or access in ("all", "index"))
    lines = [
        ", ".join(
            f"{name} {table[name]}" for name in ("table_name", "access_type", "key", "used_key_parts") if name in table
        )
        for table in tables
    ]
    return Plan("\n".join([*lines, *(["filesort"] if sorts else [])]), sorts, scans)


def _plan_of_lines(query: PageQuery, found: Sequence[Sequence[Any]]) -> Plan:
    """What EXPLAIN says as a table: its fourth column is the access, its last one has further words."""
    lines = [", ".join("" if cell is None else _text(cell) for cell in row) for row in found]
    access = {_text(row[3]).lower() for row in found[:1] if row[3] is not None}
    scans = bool(query.conditions) and bool(access & {"all", "index"})
    return Plan("\n".join(lines), "filesort" in "".join(lines), scans)


def _tables(node: Any) -> Iterator[dict[str, Any]]:
    """Tables of a plan, in the order they are read."""
    if isinstance(node, dict):
        for name, below in node.items():
            if name == "table" and isinstance(below, dict):
                yield below
            yield from _tables(below)
    elif isinstance(node, list):
        for below in node:
            yield from _tables(below)


def some_key(relation: Relation, order: Order, fetch: Fetch) -> Key:
    """The key of some row; of a table that has none yet, values of the right types."""
    found = first_key(relation, order, MYSQL, fetch)
    if found:
        return found
    shape = table_shape(relation, fetch) if relation.path else None
    kinds = {column.name: column.type for column in shape.columns} if shape is not None else {}
    return tuple(_some_value(kinds.get(name, "")) for name in order.names)


def _some_value(kind: str) -> object:
    """A value of a type, to plan with where a table has no row yet: one of another type would not use an index."""
    if kind.startswith(("date", "timestamp")):
        return "2000-01-01"
    if kind.startswith("time"):
        return "00:00"
    return "" if any(word in kind for word in ("char", "text", "blob", "binary", "enum", "set", "uuid")) else 0


def count_estimate(relation: Relation, fetch: Fetch) -> tuple[int, str]:
    """About how many rows there are: by the statistics, else by counting."""
    if relation.path and not relation.where:
        sql = "SELECT table_rows FROM information_schema.tables WHERE table_schema = COALESCE(%s, DATABASE()) AND table_name = %s"
        for (rows,) in fetch(sql, _named(relation)):
            if rows is not None:
                return int(rows), "InnoDB's statistics"
    ((rows,),) = fetch(*statements.count(relation, MYSQL))
    return int(rows), "counting"
