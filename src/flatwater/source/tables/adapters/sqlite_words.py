"""What SQLite says of itself: columns, keys, plans. The same for each of its drivers.

Covers:     pragmas read into a `Shape`, EXPLAIN QUERY PLAN read into a `Plan`, estimates.
Not here:   drivers (`sqlite_path`, `sqlite_connection`).
Holds:      nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flatwater.source.tables import statements
from flatwater.source.tables.adapters.base import Plan
from flatwater.source.tables.conditions import Null
from flatwater.source.tables.given import Fillable
from flatwater.source.tables.shape import SQLITE, Column, PageQuery, Relation, Shape

Fetch = Callable[[str, Sequence[Any]], list[Any]]


def table_shape(relation: Relation, fetch: Fetch) -> Shape | None:
    """A table's columns and keys; None if there is no such table or view."""
    *schema, name = relation.path
    where = f"{SQLITE.identifier(schema[-1])}." if schema else ""
    argument = "'" + name.replace("'", "''") + "'"
    found = fetch(f"PRAGMA {where}table_xinfo({argument})", ())
    columns = [row for row in found if row[6] != 1]  # hidden columns of virtual tables are no data
    if not columns:
        return None
    keyed = sorted((row[5], row[1]) for row in columns if row[5])
    key = tuple(column for _, column in keyed)
    is_row_number = len(key) == 1 and next(row[2] for row in columns if row[5]).lower() == "integer"
    listed = tuple(
        Column(
            row[1],
            str(row[2]).lower() if row[5] or str(row[2]).lower() != "integer" else "int",
            nullable=not row[3] and not (row[5] and is_row_number),
        )
        for row in columns
    )
    unique = []
    nullable = {column.name for column in listed if column.nullable}
    for _, index, is_unique, _, is_partial, *_ in fetch(f"PRAGMA {where}index_list({argument})", ()):
        if is_unique and not is_partial:
            quoted = "'" + index.replace("'", "''") + "'"
            names = [row[2] for row in fetch(f"PRAGMA {where}index_info({quoted})", ())]
            if None not in names and not nullable.intersection(names):  # NULL may stand in it any number of times
                unique.append(tuple(names))
    return Shape(listed, key, tuple(unique))


def fillable(relation: Relation, fetch: Fetch) -> tuple[Fillable, ...]:
    """The columns that can be written; SQLite fills in the number of a row, and what has a default."""
    *schema, name = relation.path
    where = f"{SQLITE.identifier(schema[-1])}." if schema else ""
    argument = "'" + name.replace("'", "''") + "'"
    found = fetch(f"PRAGMA {where}table_xinfo({argument})", ())
    is_row_number = sum(bool(row[5]) for row in found) == 1
    return tuple(
        Fillable(
            row[1], bool(row[3]) and row[4] is None and not (row[5] and is_row_number and row[2].lower() == "integer")
        )
        for row in found
        if not row[6]  # hidden, or generated
    )


def begin_snapshot(fetch: Fetch) -> None:
    """Begin a read transaction: what it sees is settled by its first read."""
    fetch("BEGIN", ())
    fetch("SELECT 1 FROM sqlite_master LIMIT 1", ())


def plan_of(query: PageQuery, fetch: Fetch) -> Plan:
    """What EXPLAIN QUERY PLAN says of a page."""
    sql, params = statements.page(query, SQLITE)
    details = [str(row[3]) for row in fetch(f"EXPLAIN QUERY PLAN {sql}", params)]
    sorts = any(line.startswith("USE TEMP B-TREE FOR") and "ORDER BY" in line for line in details)
    loops = [line for line in details if line.startswith(("SEARCH", "SCAN"))]
    whole = any(line.startswith(("MATERIALIZE", "CO-ROUTINE")) for line in details)  # made anew for each page
    # IS NULL of what is never NULL is known to be false: it is shown as a scan, and reads nothing.
    sought = bool(query.conditions) and not any(isinstance(each, Null) and each.is_null for each in query.conditions)
    scans = sought and (whole or not loops or not loops[0].startswith("SEARCH"))
    return Plan("\n".join(details), sorts, scans)


def count_estimate(relation: Relation, fetch: Fetch) -> tuple[int, str]:
    """About how many rows there are: by ANALYZE, else by the range of row numbers, else by counting."""
    source, params = statements.from_clause(relation, SQLITE)
    if relation.path and not relation.where:
        name = relation.path[-1]
        if fetch("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'", ()):
            for (words,) in fetch("SELECT stat FROM sqlite_stat1 WHERE tbl = ? AND stat IS NOT NULL LIMIT 1", (name,)):
                return int(str(words).split()[0]), "the statistics of ANALYZE"
        shape = table_shape(relation, fetch)
        kinds = {column.name: column.type for column in shape.columns} if shape is not None else {}
        if shape is not None and [kinds[each] for each in shape.key] == ["integer"]:
            quoted = SQLITE.identifier(shape.key[0])
            ends = f"SELECT (SELECT min({quoted}) FROM {source}), (SELECT max({quoted}) FROM {source})"
            ((least, most),) = fetch(ends, ())
            return (0 if least is None else most - least + 1), "the range of row numbers"
    ((count,),) = fetch(f"SELECT count(*) FROM {source}", params)
    return int(count), "counting"
