"""FW105: a table is read page by page with an offset that grows, so that each page reads all rows before it.

Covers:     OFFSET in SQL with a value of its own, `.offset(…)` of SQLAlchemy, slices of a queryset whose bounds move, `skip` of MongoDB, in a loop.
Not here:   one page for a user who asked for it.
Holds:      nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flatwater.lint.finding import Confidence
from flatwater.lint.nodes import text
from flatwater.lint.rule import Found, Look, Rule
from flatwater.lint.values import Value

MESSAGE = "each page counts through all rows before it, and rows that come or go meanwhile are read twice or never; go on behind the last key (`fw.Table(…).batches()`)."
OFFSET = re.compile(
    r"\bOFFSET\s*(\?|%|:|\$|\{|$)|\bLIMIT\s*(\?|%s|%\(\w+\)s|:\w+)\s*,", re.IGNORECASE
)  # MySQL writes `LIMIT offset, rows`
BEHIND = re.compile(
    r"\bWHERE\b.*>", re.IGNORECASE | re.DOTALL
)  # it goes on behind a key; the offset is the length of a step
RUNS = frozenset({"execute", "fetch", "fetchall", "read_sql", "read_sql_query", "exec", "scalars", "raw"})


def _check(look: Look) -> Iterator[Found]:
    for call in look.module.of(ast.Call):
        if not isinstance(call.func, ast.Attribute) or not _moves(look, call):
            continue
        if call.func.attr in {"page", "get_page"} and call.args and not isinstance(call.args[0], ast.Constant):
            holder = look.value(call.func.value)
            if holder is not None and holder.kind == "django.paginator" and _is_of_rows(look, holder):
                yield Found(call, MESSAGE, min(holder.confidence, Confidence.LIKELY))
        elif call.func.attr in {"offset", "skip"} and call.args and not isinstance(call.args[0], ast.Constant):
            holder = look.value(call.func.value)
            if holder is not None and holder.kind.startswith(("sa.", "mongo.", "django.")):
                yield Found(call, MESSAGE, holder.confidence)
        elif call.func.attr in RUNS and call.args:
            said = text(look.values.resolved(call.args[0]))
            if said is not None and OFFSET.search(said):
                holder = look.value(call.func.value)
                sure = Confidence.SURE if holder is not None else Confidence.LIKELY
                yield Found(call, MESSAGE, Confidence.MAYBE if BEHIND.search(said) else sure)
    for part in look.module.of(ast.Subscript):
        if (
            isinstance(part.slice, ast.Slice)
            and part.slice.lower is not None
            and not isinstance(part.slice.lower, ast.Constant)
            and _moves(look, part)
        ):
            holder = look.value(part.value)
            if holder is not None and holder.kind in {"django.queryset", "sa.query"}:
                yield Found(part, MESSAGE, holder.confidence)


def _is_of_rows(look: Look, paginator: Value) -> bool:
    """Whether a paginator of Django cuts a query, and no list."""
    made = paginator.call
    given = look.value(made.args[0]) if made is not None and made.args else None
    return given is not None and given.kind in {"django.queryset", "django.manager"}


def _moves(look: Look, node: ast.AST) -> bool:
    """Whether it stands in a loop that goes on through pages: `while`, or over a range of offsets."""
    for loop in look.module.loops_of(node):
        if isinstance(loop, ast.While):
            return True
        over = loop.iter if isinstance(loop, ast.For | ast.AsyncFor) else None
        if isinstance(over, ast.Attribute) and over.attr == "page_range":
            return True
        if isinstance(over, ast.Call) and look.origin(over.func) in {"range", "itertools.count"}:
            return True
    return False


RULE = Rule("FW105", "offset-paging", "A table is read page by page with an offset that grows.", _check)
