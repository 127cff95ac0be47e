"""FW101: all rows of a query are fetched at once, and then gone over.

Covers:     `fetchall`, `.all()`, asyncpg's `fetch`, `list(queryset)` and a queryset that a loop goes over.
Not here:   cursors that fetch everything in any case (`fw104`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flatwater.lint import uses
from flatwater.lint.finding import Confidence
from flatwater.lint.nodes import own_nodes, text
from flatwater.lint.rule import Found, Look, Rule
from flatwater.lint.values import Value

BOUNDED_SQL = re.compile(
    r"\bLIMIT\b|\bTOP\s*\(?\s*\d|\bFETCH\s+(FIRST|NEXT)\b|\bROWNUM\b|\bRETURNING\b|^\s*(PRAGMA|SHOW|EXPLAIN|DESC|DESCRIBE|CALL|INSERT|UPDATE|DELETE)\b|"
    r"\b(information_schema|pg_catalog|pg_\w+|sqlite_master|sqlite_schema|sys\.|duckdb_\w+|mysql\.)|^\s*SELECT\s+(COUNT|MAX|MIN|SUM|AVG|EXISTS)\s*\((?![^)]*\)\s*,)",
    re.IGNORECASE,
)
GROUPED = re.compile(r"\bGROUP\s+BY\b|\bDISTINCT\b", re.IGNORECASE)
BY_KEY = re.compile(r"\bWHERE\b.*?(=|\bIN\b|\bLIKE\b)", re.IGNORECASE | re.DOTALL)
BY_RANGE = re.compile(r"\bWHERE\b.*?(>|<|\bBETWEEN\b)", re.IGNORECASE | re.DOTALL)


def _check(look: Look) -> Iterator[Found]:
    for call, func in look.method_calls(
        "fetchall", "fetch_all", "all", "fetch", "execute_fetchall", "to_list", "in_bulk"
    ):
        value = look.value(call)
        if value is None or value.kind != "rows.all":
            continue
        sure = _bound(look, func, value)
        if sure is None:
            continue
        use = _use(look, call)
        yield Found(
            call,
            f"`{func.attr}()` holds every row at once{use}; {_cure(look, func)}.",
            min(sure, value.confidence, Confidence.SURE if use else Confidence.LIKELY),
        )
    for call in look.module.of(ast.Call):
        if look.origin(call.func) in {"list", "tuple", "sorted", "set"} and len(call.args) == 1:
            value = look.value(call.args[0])
            if value is None or value.kind not in {"django.queryset", "sa.query"}:
                continue
            if value.kind == "sa.query" and isinstance(call.args[0], ast.Call) and value.call is None:
                continue
            use = _use(look, call)
            confidence = value.confidence if use and not _is_filtered(call.args[0]) else Confidence.MAYBE
            yield Found(
                call,
                f"`{look.origin(call.func)}(…)` holds every row of the query at once{use}; {_CURES[value.kind]}.",
                confidence,
            )
    loops: list[ast.For | ast.comprehension] = [*look.module.of(ast.For), *look.module.of(ast.comprehension)]
    for loop in loops:
        value = look.value(loop.iter)
        if value is None or value.kind not in {"django.queryset", "sa.query"}:
            continue
        if isinstance(loop.iter, ast.Name | ast.Attribute) and value.call is None:
            continue
        confidence = min(
            value.confidence, Confidence.MAYBE if _is_filtered(value.call or loop.iter) else Confidence.LIKELY
        )
        yield Found(
            loop.iter, f"a loop over a query holds every row of it while it runs; {_CURES[value.kind]}.", confidence
        )


_CURES = {
    "django.queryset": "use `.iterator(chunk_size=…)`, or go by key with `fw.Table(…).find_each()`",
    "sa.query": "use `yield_per`, or go by key with `fw.Table(…).find_each()`",
}


def _cure(look: Look, func: ast.Attribute) -> str:
    holder = look.value(func.value)
    kind = holder.kind if holder else ""
    if kind.startswith("sa."):
        return "go over the result with `yield_per`, or by key with `fw.Table(…).find_each()`"
    if kind.startswith("pg."):
        return "go over `connection.cursor(…)` in a transaction"
    return "go over the cursor itself, or by key with `fw.Table(…).find_each()`"


def _use(look: Look, call: ast.Call) -> str:
    for place in uses.places(look.module, call):
        if uses.is_iterated(look.module, place):
            return ", and is then gone over"
        above = look.module.above.get(place)
        if isinstance(above, ast.Call) and place in above.args:
            name = look.origin(above.func)
            if name == "len":
                return ", and only counts them"
            if name in {"sum", "max", "min", "set", "dict", "sorted"}:
                return f", for `{name}`"
    return ""


def _bound(look: Look, func: ast.Attribute, value: Value) -> Confidence | None:
    """How sure it is that nothing bounds the rows; None if something does."""
    statements = list(_statements(look, func, value))
    if not statements:
        return Confidence.LIKELY
    sure = Confidence.SURE
    for statement in statements:
        node = look.values.resolved(statement)
        said = text(node)
        if said is not None:
            if BOUNDED_SQL.search(said):
                return None
            if GROUPED.search(said) or BY_KEY.search(said):
                sure = Confidence.MAYBE
            elif BY_RANGE.search(said):
                sure = min(sure, Confidence.LIKELY)
            continue
        made = look.value(node)
        if made is not None and made.kind.endswith(".some"):
            return None
        if made is None:
            sure = min(sure, Confidence.MAYBE)
        elif made.kind in {"sa.select", "sa.query"} and _is_filtered(node):
            sure = Confidence.MAYBE
    if _is_filtered(func.value):
        sure = Confidence.MAYBE
    return sure


def _statements(look: Look, func: ast.Attribute, value: Value) -> Iterator[ast.expr]:
    """The statements that may be behind it: of its own chain, else those run on the same name in the same function, before it."""
    if func.attr in {"fetch", "execute_fetchall"} and value.call is not None and value.call.args:
        yield value.call.args[0]
        return
    node: ast.expr | None = func.value
    for _ in range(20):
        while isinstance(node, ast.Await):
            node = node.value
        if isinstance(node, ast.Call):
            if (
                isinstance(node.func, ast.Attribute)
                and node.func.attr in {"execute", "scalars", "exec", "stream"}
                and node.args
            ):
                yield node.args[0]
                return
            node = node.func
        elif isinstance(node, ast.Attribute):
            node = node.value
        elif isinstance(node, ast.Name):
            resolved = look.values.resolved(node)
            if resolved is node or resolved is None:
                break
            if (
                isinstance(resolved, ast.Call)
                and isinstance(resolved.func, ast.Attribute)
                and resolved.func.attr == "cursor"
            ):
                break
            node = resolved
        else:
            return
    if isinstance(node, ast.Name):
        last: ast.Call | None = None
        for each in own_nodes(look.module.function_of(func) or look.module.tree):
            if (
                isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr == "execute" and each.args
                and isinstance(each.func.value, ast.Name) and each.func.value.id == node.id and each.lineno <= func.lineno
                and (last is None or each.lineno > last.lineno)
            ):  # fmt: skip
                last = each
        if last is not None:
            yield last.args[0]


def _is_filtered(node: ast.AST | None) -> bool:
    """Whether a chain of calls has a condition that may bound it."""
    while node is not None:
        if isinstance(node, ast.Await):
            node = node.value
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr in {
                "filter",
                "filter_by",
                "where",
                "exclude",
                "having",
                "distinct",
                "group_by",
                "get",
            }:
                return True
            node = node.func
        elif isinstance(node, ast.Attribute):
            node = node.value
        else:
            break
    return False


RULE = Rule("FW101", "rows-fetched", "All rows of a query are fetched at once.", _check)
