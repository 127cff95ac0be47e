"""FW303: the rows of a query are kept in an attribute, a cached property or a module's global.

Covers:     `cached_property` that returns rows, `self._x = self._x or query`, what is bound only where it is not there yet, globals.
Not here:   rows that a function uses and drops (`fw101`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flatwater.lint import known, statements, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.growing import is_same
from flatwater.lint.nodes import own_nodes, text
from flatwater.lint.rule import Found, Look, Rule
from flatwater.lint.values import Value

ASKS = frozenset({"execute", "fetch", "execute_fetchall", "scalars", "exec", "fetchall"})
SELECT = re.compile(r"\s*SELECT\b(?!.*\bSELECT\b)", re.IGNORECASE | re.DOTALL)
CONDITION = re.compile(r"\b(?:WHERE|HAVING|LIMIT|GROUP\s+BY|DISTINCT|FETCH|TOP|JOIN)\b|\?", re.IGNORECASE)
BOUNDING = statements.CONDITIONS | {"limit", "slice", "join", "one", "first"}


def _check(look: Look) -> Iterator[Found]:
    for function in look.module.functions():
        if any(_keeps(look, each) for each in function.decorator_list):
            for node in own_nodes(function):
                if (
                    isinstance(node, ast.Return)
                    and node.value is not None
                    and (sure := _rows(look, node.value)) is not None
                ):
                    yield Found(
                        node.value,
                        f"`{function.name}` keeps every row of the query for as long as its object lives; ask for what is needed, when it is.",
                        sure,
                    )
    for assign in look.module.of(ast.Assign):
        if len(assign.targets) != 1:
            continue
        target, value = assign.targets[0], assign.value
        if isinstance(value, ast.BoolOp) and isinstance(value.op, ast.Or) and is_same(value.values[0], target):
            value = value.values[-1]
            is_kept = True
        else:
            is_kept = _is_asked_for_first(look, assign, target)
        if isinstance(target, ast.Name):
            scope = look.module.scope_of(target).holding(target.id)
            is_kept = (
                scope is not None
                and scope.node is look.module.tree
                and (is_kept or look.module.function_of(assign) is None)
            )
        elif not (
            isinstance(target, ast.Attribute)
            and isinstance(target.value, ast.Name)
            and target.value.id in {"self", "cls"}
        ):
            continue
        if is_kept and (sure := _rows(look, value)) is not None:
            yield Found(
                value,
                f"`{ast.unparse(target)}` keeps every row of the query; ask for what is needed, when it is, or keep it in a `fw.Store`.",
                sure,
            )


def _keeps(look: Look, decorator: ast.expr) -> bool:
    name = look.origin(decorator.func if isinstance(decorator, ast.Call) else decorator)
    return name in {"functools.cached_property", "functools.cache", "functools.lru_cache"}


def _is_asked_for_first(look: Look, assign: ast.Assign, target: ast.expr) -> bool:
    """Whether it is only bound where it is not there yet: in an `if` that asks, after one that gives it back, where it was not found."""
    inner: ast.AST = assign
    for above in look.module.parents(assign):
        if isinstance(above, ast.If) and inner in above.body and _is_missing(look, above.test, target):
            return True
        if (
            isinstance(above, ast.Try) and isinstance(inner, ast.ExceptHandler) and look.origin(inner.type) == "AttributeError"
            and any(is_same(each, target) for one in above.body for each in ast.walk(one))
        ):  # fmt: skip
            return True
        if not isinstance(above, ast.If | ast.With | ast.AsyncWith | ast.Try | ast.ExceptHandler):
            return isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef) and any(
                _is_given_back(each, target) for each in above.body if each.lineno < assign.lineno
            )
        inner = above
    return False


def _is_given_back(node: ast.stmt, target: ast.expr) -> bool:
    """Whether it is `if rows is not None: return rows`, or `if rows: return rows`."""
    if not isinstance(node, ast.If) or not isinstance(node.body[-1], ast.Return):
        return False
    match node.test:
        case ast.Compare(left=left, ops=[ast.IsNot() | ast.NotEq()], comparators=[ast.Constant(value=None)]):
            return is_same(left, target)
    return is_same(node.test, target)


def _is_missing(look: Look, test: ast.expr, target: ast.expr) -> bool:
    match test:
        case ast.Compare(left=left, ops=[ast.Is() | ast.Eq()], comparators=[ast.Constant(value=None)]):
            return is_same(left, target)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return is_same(operand, target) or (
                isinstance(operand, ast.Call) and look.origin(operand.func) == "hasattr" and isinstance(target, ast.Attribute)
                and len(operand.args) > 1 and isinstance(operand.args[1], ast.Constant) and operand.args[1].value == target.attr
            )  # fmt: skip
    return False


def _rows(look: Look, node: ast.expr) -> Confidence | None:
    """How sure it is that it is every row; what is kept for a life is much with any table that nobody calls short."""
    value = look.value(node)
    if value is not None and value.kind == "rows.all":
        bare = node.value if isinstance(node, ast.Await) else node
        if isinstance(bare, ast.Call) and any(statements.is_bounded_sql(text(each) or "") for each in bare.args):
            return None
        if isinstance(bare, ast.Call) and isinstance(bare.func, ast.Attribute):
            bound = statements.bound(look, bare.func, value)
            if bound == Confidence.MAYBE and _is_everything(look, bare, bare.func, value):
                bound = Confidence.LIKELY
            return None if bound is None else min(bound, value.confidence)
        return min(value.confidence, Confidence.LIKELY)
    if isinstance(node, ast.Call) and look.origin(node.func) in {"list", "tuple"} and len(node.args) == 1:
        inner = look.value(node.args[0])
        if inner is not None and inner.kind in {"django.queryset", "sa.query"}:
            return Confidence.MAYBE if statements.is_filtered(look, node.args[0]) else inner.confidence
        if inner is None:
            return _of_parent(look, node.args[0])
    return None


def _is_everything(look: Look, call: ast.Call, func: ast.Attribute, value: Value) -> bool:
    """Whether it is a whole table, without a condition, and the table is not called as those are that people fill in."""
    if statements.is_of_short_table(look, func, value):
        return False
    function = look.module.function_of(call)
    asked = [
        each for each in (own_nodes(function) if function is not None else ())
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in ASKS and each.args
    ]  # fmt: skip
    said = [text(look.values.resolved(each.args[0])) for each in asked]
    if any(each is not None for each in said):
        return all(each is not None and SELECT.match(each) and not CONDITION.search(each) for each in said)
    chain = [call, *(look.values.resolved(each) for each in ast.walk(call) if isinstance(each, ast.Name))]
    return not any(
        isinstance(part, ast.Attribute) and part.attr in BOUNDING for each in chain if each is not None for part in ast.walk(each)
    )  # fmt: skip


def _of_parent(look: Look, query: ast.expr) -> Confidence | None:
    """Every row that belongs to an object of Django's: `self.movement_set.order_by("day")`, by the name that Django gives it."""
    node, how = query, ""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in known.DJANGO:
        if node.func.attr in {"filter", "exclude", "none", "distinct", "complex_filter"}:
            how = "filtered"
        node, how = node.func.value, how or "asked"
    if (
        not how
        or "django" not in look.module.imports
        or not isinstance(node, ast.Attribute)
        or not node.attr.endswith("_set")
        or not isinstance(node.value, ast.Name)
        or node.value.id != "self"
        or wording.is_of_few(node.attr.removesuffix("_set"))
    ):
        return None
    return Confidence.LIKELY if how == "asked" else Confidence.MAYBE


RULE = Rule("FW303", "memoised-rows", "The rows of a query are kept for later.", _check)
