"""What bounds the rows of a query: a LIMIT, a count, a condition.

Covers:     the text of a statement where it is known, and chains of SQLAlchemy and Django; which statement a result is of.
Not here:   what is done with the rows (`lint.uses`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flatwater.lint import growing, lengths, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.nodes import own_nodes, text
from flatwater.lint.rule import Look
from flatwater.lint.values import Value

BOUNDED_SQL = re.compile(
    r"\bLIMIT\s+(?!-|ALL\b|\d{6})|\bTOP\s*\(?\s*\d|\bFETCH\s+(FIRST|NEXT)\b|\bROWNUM\b|\bRETURNING\b|^\s*(PRAGMA|SHOW|EXPLAIN|DESC|DESCRIBE|CALL|INSERT|UPDATE|DELETE)\b|"
    r"\b(information_schema|pg_catalog|pg_\w+|sqlite_master|sqlite_schema|sys\.|duckdb_\w+|mysql\.)",
    re.IGNORECASE,
)
OF_ONE = re.compile(
    r"^\s*SELECT\s+COALESCE\s*\(\s*(COUNT|MAX|MIN|SUM|AVG)\b|^\s*SELECT\s+(COUNT|MAX|MIN|SUM|AVG|EXISTS)\s*\((?![^)]*\)\s*,)",
    re.IGNORECASE,
)
OF_MORE = re.compile(r"\bGROUP\s+BY\b|\bOVER\s*\(", re.IGNORECASE)  # a figure for each of many
NOT_ASKED = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL
)  # comments and texts: what stands there bounds nothing
INNER = re.compile(r"\(\s*(?=SELECT\b)", re.IGNORECASE)
BRACKETS = re.compile(r"[()]")
INNER_MAX = 30  # statements in one: each costs a look at all that follows
NEAREST_CHARS = 200  # in front of a bracket: a name, and white space
NAMED = re.compile(r"(\w+)\s+AS\s*$", re.IGNORECASE)  # a part of WITH, in front of its statement
FROM_HERE = re.compile(r"\bFROM\s*$", re.IGNORECASE)
JOINED = re.compile(r"\bJOIN\b", re.IGNORECASE)
ROWS = frozenset(
    {"db.cursor", "db.client_cursor", "sa.result", "sa.scalars", "sa.query", "django.queryset", "peewee.query"}
)
FOLLOWED_MAX = 4  # names that stand for a query
FROM = re.compile(r"\b(?:FROM|JOIN)\s+[`\"\[]?(?:\w+\.)?(\w+)", re.IGNORECASE)
GROUPED = re.compile(r"\bGROUP\s+BY\b|\bDISTINCT\b", re.IGNORECASE)
BY_KEY = re.compile(r"\bWHERE\b.*?((?<![<>])=|\bIN\b|\bLIKE\b|\bIS\b|\w\()", re.IGNORECASE | re.DOTALL)
BY_RANGE = re.compile(r"\bWHERE\b.*?(>|<|\bBETWEEN\b)", re.IGNORECASE | re.DOTALL)


def bound(look: Look, func: ast.Attribute, value: Value, *, exported: bool = False) -> Confidence | None:
    """How sure it is that nothing bounds the rows; None if something does.

    Args:
        look: the file.
        func: the method that gives them.
        value: what it gives.
        exported: each row is handed on: they are data, if their table is not called as those are that people fill in.
    """
    statements = list(_statements(look, func, value))
    if not statements:
        is_doubtful = (
            is_filtered(look, func.value) or not is_of_long_table(look, func.value) or _is_run_elsewhere(look, func)
        )
        return Confidence.MAYBE if is_doubtful else Confidence.LIKELY
    sure = Confidence.SURE
    for statement in statements:
        node = look.values.resolved(statement)
        said = text(node)
        if said is not None:
            if node is not None and any(map(wording.is_of_conditions, growing.names_in(node))):
                sure = Confidence.MAYBE
            if is_bounded_sql(said):
                return None
            tables = FROM.findall(said)
            is_long = lengths.is_long_table(*tables) or (exported and not any(map(wording.is_of_few, tables)))
            if GROUPED.search(said) or _is_filtered_sql(said) or not is_long:
                sure = Confidence.MAYBE
            elif not lengths.is_long_table(*tables) or BY_RANGE.search(said):
                sure = min(sure, Confidence.LIKELY)
            continue
        made = look.value(node)
        if made is not None and made.kind.endswith(".some"):
            return None
        if made is None:
            sure = min(sure, Confidence.MAYBE)
        elif made.kind not in {"sa.select", "sa.query"} or is_filtered(look, node) or not is_of_long_table(look, node):
            sure = Confidence.MAYBE
    if is_filtered(look, func.value):
        sure = Confidence.MAYBE
    return sure


def is_of_all(look: Look, loop: ast.AST, value: Value, source: ast.expr | None = None) -> bool:
    """Whether a loop over the rows of a query has as many rounds as its table has rows, or a share of them."""
    over = source if source is not None else getattr(loop, "iter", None)
    if over is None:
        return False
    if value.kind in {"django.queryset", "peewee.query"}:
        return not is_filtered(look, value.call or over) and is_of_long_table(look, over, value.model)
    asked = ast.Attribute(over, "fetchall", ast.Load(), lineno=loop.lineno, col_offset=loop.col_offset)  # type: ignore[attr-defined]
    look.module.above[asked] = loop
    return (bound(look, asked, value) or Confidence.MAYBE) >= Confidence.LIKELY


def is_bounded_sql(said: str) -> bool:
    """Whether the text of a statement says how many rows it gives at most.

    >>> is_bounded_sql("SELECT a FROM t LIMIT 10"), is_bounded_sql("SELECT a FROM t -- LIMIT 10")
    (True, False)
    >>> is_bounded_sql("SELECT a FROM t WHERE b IN (SELECT b FROM u LIMIT 1)"), is_bounded_sql("SELECT max(a) FROM t GROUP BY b")
    (False, False)
    """
    outer, parts = _outer(NOT_ASKED.sub(" ", said))
    if BOUNDED_SQL.search(outer) or (OF_ONE.search(outer) and not OF_MORE.search(outer)):
        return True
    tables = FROM.findall(outer)
    return bool(tables) and any(is_bounded_sql(parts[each]) for each in tables if each in parts) and len(tables) == 1


def _outer(said: str) -> tuple[str, dict[str, str]]:
    """A statement without those in brackets, but for the one that it selects from alone; and those of its WITH, by their names."""
    parts: dict[str, str] = {}
    for _ in range(INNER_MAX):
        if (found := INNER.search(said)) is None:
            break
        depth, end = 0, len(said)
        for bracket in BRACKETS.finditer(said, found.start()):
            depth += 1 if bracket[0] == "(" else -1
            if depth == 0:
                end = bracket.start()
                break
        before, inner, after = said[: found.start()], said[found.end() : end], said[end + 1 :]
        nearest = before[-NEAREST_CHARS:]
        if (name := NAMED.search(nearest)) is not None:
            parts[name[1]] = inner
        is_source = FROM_HERE.search(nearest) is not None and JOINED.search(after) is None
        said = f"{before} {inner} {after}" if is_source else f"{before} ? {after}"
    return said, parts


def _is_run_elsewhere(look: Look, func: ast.Attribute) -> bool:
    """Whether a cursor was handed to a function that runs a statement on it, which is not followed."""
    return isinstance(func.value, ast.Name) and any(
        isinstance(each, ast.Call)
        and each.lineno <= func.lineno
        and any(growing.is_same(given, func.value) for given in each.args)
        for each in own_nodes(look.module.function_of(func) or look.module.tree)
    )


def is_of_long_table(look: Look, node: ast.expr | None, model: str = "") -> bool:
    """Whether what is asked for is called as tables are that grow with use; what nobody knows is not."""
    return lengths.is_long_table(*([model] if model else _asked(look, node)))


def is_of_short_table(look: Look, func: ast.Attribute, value: Value) -> bool:
    """Whether nobody knows what rows are asked for, or their table is called as those are that people fill in."""
    names = list(_asked(look, func.value))
    for statement in _statements(look, func, value):
        node = look.values.resolved(statement)
        names += FROM.findall(text(node) or "") or _asked(look, node)
    return not names or any(map(wording.is_of_few, names))


def _asked(look: Look, node: ast.AST | None, steps: int = FOLLOWED_MAX) -> Iterator[str]:
    """Names of tables and models in `select(…)` and `query(…)`, also where a name in between stands for the query."""
    for each in ast.walk(node) if node is not None and steps > 0 else ():
        if isinstance(each, ast.Call) and (
            each.func.attr if isinstance(each.func, ast.Attribute) else getattr(each.func, "id", "")
        ) in {"select", "query"}:
            for argument in each.args:
                for part in ast.walk(argument):
                    if isinstance(part, ast.Name):
                        yield part.id
                        yield from _table(look, part)
                    elif isinstance(part, ast.Attribute):
                        yield part.attr
        elif isinstance(each, ast.Attribute) and each.attr == "query" and isinstance(each.value, ast.Name):
            yield each.value.id  # Flask-SQLAlchemy's `Order.query`
        elif (
            isinstance(each, ast.Name)
            and isinstance(each.ctx, ast.Load)
            and (made := bound_last(look, each)) is not None
        ):
            yield from _asked(look, made, steps - 1)


def _table(look: Look, name: ast.Name) -> Iterator[str]:
    """What a table that is bound to a name is called in the database."""
    made = look.values.resolved(name)
    if isinstance(made, ast.Call) and made.args and (said := text(made.args[0])) is not None:
        yield said


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
            resolved = bound_last(look, node)
            if resolved is None:
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
        receiver = ast.dump(func.value if isinstance(func.value, ast.Attribute | ast.Name) else node)
        last: ast.Call | None = None
        for each in own_nodes(look.module.function_of(func) or look.module.tree):
            if (
                isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr == "execute" and each.args
                and each.lineno <= func.lineno and (last is None or each.lineno > last.lineno) and ast.dump(each.func.value) == receiver
            ):  # fmt: skip
                last = each
        if last is not None:
            yield last.args[0]


def _is_bounded(look: Look, node: ast.expr | None) -> bool:
    """Whether nobody knows what it is, or it is known to be a part."""
    value = look.value(node)
    return value is None or value.kind.endswith(".some")


def bound_last(look: Look, node: ast.Name) -> ast.expr | None:
    """What a name was bound to last before this place, in the order of the lines."""
    before = [
        each
        for each in look.module.scope_of(node).lookup(node.id)
        if each.how in {"is", "enters"} and each.value is not None and _line(each.node) <= node.lineno
        and not any(part is node for part in ast.walk(each.node))
    ]  # fmt: skip
    return max(before, key=lambda each: _line(each.node)).value if before else None


def _line(node: ast.AST) -> int:
    """Where a binding stands; of a `with`, what it enters."""
    return node.context_expr.lineno if isinstance(node, ast.withitem) else getattr(node, "lineno", 0)


CONDITIONS = frozenset(
    {"filter", "filter_by", "where", "exclude", "having", "annotate", "in_bulk", "distinct", "group_by", "get"}
)
STEPS_MAX = 12  # of names that are followed; a query is seldom put together in more


PARTING = frozenset({"filter", "filter_by", "where"})
STATE = re.compile(r"\b(\w+)\s*=\s*(?:'(\w+)'|TRUE\b|1\b|(FALSE\b|0\b))(?!\s*=)", re.IGNORECASE)
SHARE = re.compile(r"\b(\w+)\s*\)?\s*=\s*(?:\?|%\(?\w+\)?s?|:\w+|\$\d+|'[^']*'|\d+)", re.IGNORECASE)


def _is_of_state(call: ast.Call) -> bool:
    """Whether all that is asked is what state rows are in: `filter(is_active=True)`, `.where(Invoice.sent.is_(True))`."""
    if call.func.attr not in PARTING or not (call.args or call.keywords):  # type: ignore[attr-defined]
        return False
    return all(
        each.arg is not None and is_state(each.arg.removesuffix("__exact"), each.value) for each in call.keywords
    ) and all(map(_is_state_compared, call.args))


def _is_state_compared(node: ast.expr) -> bool:
    match node:
        case ast.Compare(left=ast.Attribute(attr=column), ops=[ast.Eq()], comparators=[value]):
            return is_state(column, value)
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=column), attr="is_"), args=[value]):
            return is_state(column, value)
        case ast.Attribute(attr=column):
            return is_state(column, ast.Constant(value=True))
    return False


def is_state(column: str, value: ast.expr) -> bool:
    """Whether a column has this value in a share of the rows, so that they grow with the table; work that waits is few."""
    if wording.is_of_shares(column) and not column.endswith("__in"):
        return True
    if (
        "__" in column
        or not isinstance(value, ast.Constant)
        or wording.is_of_keys(column)
        or wording.is_of_rare(column)
    ):
        return False
    if isinstance(value.value, str):
        return not wording.is_of_waiting(value.value)
    return value.value is True or (value.value is False and wording.is_of_gone(column))


def _is_filtered_sql(said: str) -> bool:
    """Whether a statement has a condition on a key, and not only on the state that rows are in, or on a year or a kind that is asked for.

    >>> _is_filtered_sql("SELECT a FROM t WHERE id = ?"), _is_filtered_sql("SELECT a FROM t WHERE year = ?")
    (True, False)
    """
    shared = SHARE.sub(lambda one: "?" if wording.is_of_shares(one[1]) else one[0], said)
    return bool(BY_KEY.search(STATE.sub(lambda one: one[0] if _is_key(one) else "?", shared)))


def _is_key(one: re.Match[str]) -> bool:
    if one[3] is not None and not wording.is_of_gone(one[1]):
        return True
    return (
        wording.is_of_keys(one[1])
        or wording.is_of_rare(one[1])
        or (one[2] is not None and wording.is_of_waiting(one[2]))
    )


def is_filtered(look: Look, node: ast.AST | None, steps: int = STEPS_MAX) -> bool:
    """Whether a query has a condition that may bound it: in its chain of calls, or in what a name in it was bound to before."""
    while node is not None:
        if isinstance(node, ast.Await):
            node = node.value
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                if node.func.attr in CONDITIONS and not _is_of_state(node):
                    return True
            elif look.value(node) is None:
                return True  # what a function of one's own makes of a query is not known
            own = look.values.function(node.func)
            if own is not None and steps > 0:
                return any(
                    is_filtered(look, each.value, steps - 4)
                    for each in own_nodes(own)
                    if isinstance(each, ast.Return) and each.value is not None
                )
            if any(isinstance(each, ast.Attribute) and each.attr == "c" for arg in node.args for each in ast.walk(arg)):
                return True  # columns of a subquery, which is not followed
            node = node.func
        elif isinstance(node, ast.Attribute):
            node = node.value
        elif isinstance(node, ast.Name) and steps > 0:
            bindings = look.module.scope_of(node).lookup(node.id)
            return any(
                each.how == "is"
                and (_is_bounded(look, each.value) or is_filtered(look, each.value, steps - len(bindings)))
                for each in bindings
            )
        else:
            break
    return False
