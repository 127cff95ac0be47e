"""FW101: all rows of a query are fetched at once, and then gone over.

Covers:     `fetchall`, `.all()`, asyncpg's `fetch`, `list(queryset)` and a queryset that a loop goes over.
Not here:   cursors that fetch everything in any case (`fw104`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import statements, uses
from flatwater.lint.finding import Confidence
from flatwater.lint.nodes import own_nodes
from flatwater.lint.rule import Found, Look, Rule


def _check(look: Look) -> Iterator[Found]:
    for call, func in look.method_calls(
        "fetchall", "fetch_all", "all", "fetch", "execute_fetchall", "to_list", "in_bulk"
    ):
        value = look.value(call)
        if value is None or value.kind != "rows.all" or (func.attr == "in_bulk" and (call.args or call.keywords)):
            continue
        sure = statements.bound(look, func, value, exported=_is_exported(look, call))
        if sure is None:
            continue
        if _is_of_one(look, call):
            continue
        if _is_only_counted(look, call):
            yield Found(
                call,
                f"`{func.attr}()` holds every row at once, and only counts them; let the database count.",
                Confidence.MAYBE
                if statements.is_of_short_table(look, func, value)
                else min(value.confidence, Confidence.LIKELY),
            )
            continue
        use = _use(look, call)
        yield Found(
            call,
            f"`{func.attr}()` holds every row at once{use}; {_cure(look, func)}.",
            min(sure, value.confidence, Confidence.SURE if use else Confidence.LIKELY),
        )
    yield from _counted(look)
    for call in look.module.of(ast.Call):
        if look.origin(call.func) in {"list", "tuple", "sorted", "set"} and len(call.args) == 1:
            value = look.value(call.args[0])
            if value is None or value.kind not in _CURES:
                continue
            if value.kind == "sa.query" and isinstance(call.args[0], ast.Call) and value.call is None:
                continue
            use = _use(look, call)
            confidence = (
                value.confidence
                if use
                and not statements.is_filtered(look, call.args[0])
                and statements.is_of_long_table(look, call.args[0], value.model)
                else Confidence.MAYBE
            )
            yield Found(
                call,
                f"`{look.origin(call.func)}(…)` holds every row of the query at once{use}; {_CURES[value.kind]}.",
                confidence,
            )
    loops: list[ast.For | ast.comprehension] = [*look.module.of(ast.For), *look.module.of(ast.comprehension)]
    for loop in loops:
        value = look.value(loop.iter)
        if value is None or value.kind not in _CURES:
            continue
        if isinstance(loop.iter, ast.Name | ast.Attribute) and value.call is None:
            continue
        confidence = min(
            value.confidence,
            Confidence.MAYBE
            if statements.is_filtered(look, value.call or loop.iter)
            or statements.is_filtered(look, loop.iter)
            or not statements.is_of_long_table(look, loop.iter, value.model)
            or _ends_early(look, loop)
            else Confidence.LIKELY,
        )
        yield Found(
            loop.iter, f"a loop over a query holds every row of it while it runs; {_CURES[value.kind]}.", confidence
        )


HANDING = frozenset(
    """
    apply_async delay enqueue index insert insert_many insert_one post produce publish put send send_message submit upsert write writelines writerow
    writerows
    """.split()  # noqa: SIM905 - words are read as words
)


def _is_exported(look: Look, call: ast.Call) -> bool:
    """Whether a loop goes over the rows, and hands each on: to a file, a queue, another service."""
    loops = [
        look.module.above.get(each) for each in uses.places(look.module, call) if uses.is_iterated(look.module, each)
    ]
    return any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in HANDING
        for loop in loops
        if isinstance(loop, ast.For | ast.AsyncFor)
        for each in ast.walk(loop)
    )


def _counted(look: Look) -> Iterator[Found]:
    """`len(queryset)` of a query that nothing else goes over."""
    for call in look.module.of(ast.Call):
        if look.origin(call.func) != "len" or len(call.args) != 1:
            continue
        value = look.value(call.args[0])
        if value is None or value.kind != "django.queryset" or value.call is None:
            continue
        if _is_only_counted(look, value.call):
            yield Found(
                call,
                "`len(…)` holds every row of the query, and only counts them; use `.count()`.",
                min(value.confidence, Confidence.LIKELY)
                if statements.is_of_long_table(look, call.args[0], value.model)
                else Confidence.MAYBE,
            )


def _is_only_counted(look: Look, made: ast.expr) -> bool:
    """Whether all that is done with it is `len`."""
    name = uses.name_of(look.module, made)
    taken = list(uses.places(look.module, made))[0 if name is None else 1 :]
    return bool(taken) and all(
        isinstance(above := look.module.above.get(each), ast.Call)
        and each in above.args
        and look.origin(above.func) == "len"
        and not isinstance(look.module.above.get(above), ast.Compare | ast.If | ast.UnaryOp)  # whether there is one
        for each in taken
    )


def _is_of_one(look: Look, call: ast.Call) -> bool:
    """Whether the first row is all that is taken: the query is one of a single row."""
    taken = [
        each
        for each in uses.places(look.module, call)
        if not isinstance(look.module.above.get(each), ast.Assign | ast.AnnAssign | ast.If | ast.UnaryOp)
    ]
    return bool(taken) and all(
        isinstance(above := look.module.above.get(each), ast.Subscript)
        and isinstance(above.slice, ast.Constant)
        and above.value is each
        for each in taken
    )


def _ends_early(look: Look, loop: ast.For | ast.comprehension) -> bool:
    """Whether the first that fits is enough: a query of Django gives rows by the hundred."""
    if isinstance(loop, ast.comprehension):
        above = look.module.above.get(loop)
        return isinstance(above, ast.GeneratorExp)
    return any(isinstance(each, ast.Return | ast.Break) for each in own_nodes(loop))


_CURES = {
    "django.queryset": "use `.iterator(chunk_size=…)`, or go by key with `fw.Table(…).find_each()`",
    "peewee.query": "use `.iterator()`, or go by key with `fw.Table(…).find_each()`",
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


RULE = Rule("FW101", "rows-fetched", "All rows of a query are fetched at once.", _check)
