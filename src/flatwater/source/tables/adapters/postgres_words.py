"""What PostgreSQL says of itself: columns, keys, plans, estimates. The same for each of its drivers.

Covers:     the catalogue read into a `Shape`, EXPLAIN read into a `Plan`.
Not here:   drivers (`postgres`).
Holds:      nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flatwater.source.tables import statements
from flatwater.source.tables.adapters.base import Plan, first_key
from flatwater.source.tables.given import Fillable
from flatwater.source.tables.order import Order
from flatwater.source.tables.reading import Key
from flatwater.source.tables.shape import POSTGRESQL, Column, PageQuery, Relation, Shape

Fetch = Callable[[str, Sequence[Any]], list[Any]]

# Small tables are sorted and scanned because that is cheap, not because no index serves: the planner is asked without.
SETTINGS = ("enable_seqscan", "enable_sort", "enable_bitmapscan", "enable_incremental_sort")

_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull
FROM pg_attribute a WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_KEYS = """
SELECT i.indisprimary, array_agg(a.attname ORDER BY k.place), bool_and(a.attnotnull)
FROM pg_index i
CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(number, place)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
WHERE i.indrelid = to_regclass(%s) AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
  AND k.place <= i.indnkeyatts
GROUP BY i.indexrelid, i.indisprimary
"""


def regclass(relation: Relation) -> str:
    """A table's name as to_regclass reads it."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in relation.path)


def table_shape(relation: Relation, fetch: Fetch) -> Shape | None:
    """A table's columns and keys; None if there is no such table or view."""
    name = regclass(relation)
    columns = fetch(_COLUMNS, (name,))
    if not columns:
        return None
    key: tuple[str, ...] = ()
    unique = []
    for is_primary, names, is_not_null in fetch(_KEYS, (name,)):
        if is_primary:
            key = tuple(names)
        elif is_not_null:
            unique.append(tuple(names))
    return Shape(tuple(Column(each[0], each[1], nullable=each[2]) for each in columns), key, tuple(unique))


_FILLABLE = """
SELECT a.attname, a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
FROM pg_attribute a WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
  AND a.attgenerated = '' AND a.attidentity <> 'a' ORDER BY a.attnum
"""


def fillable(relation: Relation, fetch: Fetch) -> tuple[Fillable, ...]:
    """The columns that can be written: not those that are generated always."""
    return tuple(Fillable(str(name), bool(is_needed)) for name, is_needed in fetch(_FILLABLE, (regclass(relation),)))


def plan_of(query: PageQuery, fetch: Fetch) -> Plan:
    """What EXPLAIN says of a page; `fetch` runs with `SETTINGS` off."""
    sql, params = statements.page(query, POSTGRESQL)
    told = fetch(f"EXPLAIN (FORMAT JSON) {sql}", params)[0][0]
    return read_plan(json.loads(told) if isinstance(told, str) else told, query)


def read_plan(told: Any, query: PageQuery) -> Plan:
    """EXPLAIN's JSON as a `Plan`."""
    nodes = list(_nodes(told[0]["Plan"], 0))
    sorts = any(node["Node Type"] in ("Sort", "Incremental Sort") for _, node in nodes)
    # The outermost of the scans gives the order, the others are looked into for each of its rows.
    scans = [node for _, node in nodes if "Scan" in node["Node Type"]]
    seeks = not scans or "Index Cond" in scans[0]  # without any, nothing is read: a condition is known to be false
    text = "\n".join("  " * depth + _line(node) for depth, node in nodes)
    return Plan(text, sorts, bool(query.conditions) and not seeks)


def _nodes(node: dict[str, Any], depth: int) -> Iterator[tuple[int, dict[str, Any]]]:
    yield depth, node
    for below in node.get("Plans", ()):
        yield from _nodes(below, depth + 1)


def _line(node: dict[str, Any]) -> str:
    words = [node["Node Type"]]
    shown = ("Index Name", "Relation Name", "Index Cond", "Filter", "Sort Key")
    return ", ".join([*words, *(f"{name.lower()} {node[name]}" for name in shown if name in node)])


def some_key(relation: Relation, order: Order, fetch: Fetch) -> Key:
    """The key of any row, where one has values in all columns of the order; else of any."""
    return first_key(relation, order, POSTGRESQL, fetch)


def count_estimate(relation: Relation, fetch: Fetch) -> tuple[int, str]:
    """About how many rows there are: by the statistics, else by the planner."""
    if relation.path and not relation.where:
        for (rows,) in fetch(
            "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)", (regclass(relation),)
        ):
            if rows >= 0:
                return int(rows), "the statistics of ANALYZE"
    source, params = statements.from_clause(relation, POSTGRESQL)
    told = fetch(f"EXPLAIN (FORMAT JSON) SELECT 1 FROM {source}", params)[0][0]
    told = json.loads(told) if isinstance(told, str) else told
    return int(told[0]["Plan"]["Plan Rows"]), "the planner"
