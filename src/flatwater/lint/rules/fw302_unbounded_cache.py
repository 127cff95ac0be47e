"""FW302: a cache without a bound keeps an answer for each argument it was ever asked with.

Covers:     `functools.cache`, `lru_cache(maxsize=None)` and their siblings on functions with arguments; `memoize` with a dict, written by hand.
Not here:   methods (`fw301`); functions without arguments, which have one answer.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import growing, memos
from flatwater.lint.finding import Confidence
from flatwater.lint.memos import is_unbounded
from flatwater.lint.nodes import own_nodes
from flatwater.lint.rule import Found, Look, Rule

MESSAGE = "the cache keeps an answer for each argument it is ever asked with; give it a `maxsize`."
BY_HAND = "`{name}` keeps an answer for each argument it is ever asked with; use `functools.lru_cache(maxsize=…)`."


def _check(look: Look) -> Iterator[Found]:
    by_hand: dict[str, tuple[memos.FunctionDef, ast.AST]] = {}
    for function in look.module.functions():
        if (stored := _stores(function)) is not None:
            by_hand[function.name] = (function, stored)
        if isinstance(look.module.above.get(function), ast.ClassDef) and not _is_static(look, function):
            continue
        for decorator in function.decorator_list:
            if is_unbounded(look, decorator) and (confidence := _confidence(look, function)) is not None:
                yield Found(decorator, MESSAGE, confidence, function)
    for call in look.module.of(ast.Call):
        if len(call.args) != 1 or not is_unbounded(look, call.func):
            continue
        if not isinstance(call.func, ast.Call) and not isinstance(call.args[0], ast.Name | ast.Attribute):
            continue
        statement = look.module.above.get(call)
        if isinstance(statement, ast.Assign) and isinstance(look.module.above.get(statement), ast.ClassDef):
            continue
        made = look.values.function(call.args[0])
        confidence = _confidence(look, made, is_bound=True) if made is not None else Confidence.MAYBE
        if confidence is not None:
            yield Found(call, MESSAGE, Confidence.MAYBE if _is_of_one_call(look, call) else confidence)
    for name, (function, stored) in by_hand.items():
        asked = [each for one in _cached_by(look, name) if (each := _confidence(look, one)) is not None]
        if asked or not list(_cached_by(look, name)):
            yield Found(stored, BY_HAND.format(name=function.name), max(asked, default=Confidence.MAYBE))


def _is_of_one_call(look: Look, call: ast.Call) -> bool:
    """Whether it is bound to a name of a function, and goes with it."""
    statement = look.module.above.get(call)
    return (
        look.module.function_of(call) is not None
        and isinstance(statement, ast.Assign)
        and all(
            isinstance(each, ast.Name)
            and (scope := look.module.scope_of(each).holding(each.id)) is not None
            and scope.node is not look.module.tree
            for each in statement.targets
        )
    )


def _is_static(look: Look, function: memos.FunctionDef) -> bool:
    return any(look.origin(each) in {"staticmethod", "classmethod"} for each in function.decorator_list)


def _confidence(look: Look, function: memos.FunctionDef, *, is_bound: bool = False) -> Confidence | None:
    """None where there are no arguments; a doubt where they are classes, flags, or names that code writes down."""
    given = function.args
    arguments = [
        *given.posonlyargs,
        *given.args,
        *given.kwonlyargs,
        *[each for each in (given.vararg, given.kwarg) if each],
    ]
    is_method = isinstance(look.module.above.get(function), ast.ClassDef)
    said = {look.origin(each) for each in function.decorator_list}
    if is_method and "staticmethod" not in said and (is_bound or "classmethod" in said):
        arguments = arguments[1:]
    if arguments and arguments[0].arg == "self":
        return Confidence.MAYBE  # a function that is put into a class later
    return memos.asked(look, function, arguments)


def _stores(function: memos.FunctionDef) -> ast.AST | None:
    """Where a decorator written by hand puts an answer into a dict of its own, which nothing takes from; None in others."""
    arguments = {each.arg for each in [*function.args.posonlyargs, *function.args.args]}
    dicts = [
        each.targets[0]
        for each in function.body
        if isinstance(each, ast.Assign) and len(each.targets) == 1 and isinstance(each.targets[0], ast.Name)
        and isinstance(each.value, ast.Dict | ast.Call) and growing.is_empty(each.value)
    ]  # fmt: skip
    if not arguments or not dicts:
        return None
    for inner in function.body:
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        nodes = list(own_nodes(inner))
        own = {each.arg for each in ast.walk(inner.args) if isinstance(each, ast.arg)}
        is_around = any(
            isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id in arguments
            for each in nodes
        )
        is_given_back = any(
            isinstance(each, ast.Return) and isinstance(each.value, ast.Name) and each.value.id == inner.name
            for each in function.body
        )
        if not own or not is_around or not is_given_back:
            continue
        for kept in dicts:
            if growing.is_shrunk([each for each in ast.walk(function) if not _is_binding(each, kept)], kept):
                continue
            for each in nodes:
                found = growing.added(each)
                if found is not None and found.how in {"[]", "setdefault"} and growing.is_same(found.target, kept):
                    return each
    return None


def _is_binding(node: ast.AST, kept: ast.expr) -> bool:
    return isinstance(node, ast.Assign) and kept in node.targets


def _cached_by(look: Look, name: str) -> Iterator[memos.FunctionDef]:
    """Functions that a decorator of the file is put on."""
    for each in look.module.functions():
        if any(isinstance(one, ast.Name) and one.id == name for one in each.decorator_list):
            yield each
    for call in look.module.of(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id == name and len(call.args) == 1:
            made = look.values.function(call.args[0])
            if made is not None:
                yield made


RULE = Rule(
    "FW302", "unbounded-cache", "A cache without a bound keeps an answer for each argument.", _check, ("cache", "memo")
)
