"""FW302: a cache without a bound keeps an answer for each argument it was ever asked with.

Covers:     `functools.cache` and `lru_cache(maxsize=None)` on functions with arguments.
Not here:   methods (`fw301`); functions without arguments, which have one answer.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import wording
from flatwater.lint.finding import Confidence
from flatwater.lint.rule import Found, Look, Rule
from flatwater.lint.rules.fw301_cache_on_method import is_unbounded
from flatwater.lint.scopes import FUNCTIONS

FEW = frozenset(
    {
        "bool",
        "type",
        "typing.Type",
        "typing.Literal",
        "None",
        "types.ModuleType",
        "collections.abc.Callable",
        "typing.Callable",
        "inspect.Signature",
    }
)
MESSAGE = "the cache keeps an answer for each argument it is ever asked with; give it a `maxsize`."


def _check(look: Look) -> Iterator[Found]:
    for function in look.module.functions():
        if isinstance(look.module.above.get(function), ast.ClassDef) and not _is_static(look, function):
            continue
        for decorator in function.decorator_list:
            if is_unbounded(look, decorator) and (confidence := _confidence(look, function)) is not None:
                yield Found(decorator, MESSAGE, confidence)
    for call in look.module.of(ast.Call):
        if not isinstance(call.func, ast.Call) or not is_unbounded(look, call.func) or len(call.args) != 1:
            continue
        statement = look.module.above.get(call)
        if isinstance(statement, ast.Assign) and isinstance(look.module.above.get(statement), ast.ClassDef):
            continue
        made = look.values.function(call.args[0])
        confidence = _confidence(look, made) if made is not None else Confidence.MAYBE
        if confidence is not None:
            yield Found(call, MESSAGE, confidence)


def _is_static(look: Look, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(look.origin(each) in {"staticmethod", "classmethod"} for each in function.decorator_list)


def _confidence(look: Look, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Confidence | None:
    """None where there are no arguments; a doubt where they are classes, flags, or names that code writes down."""
    given = function.args
    arguments = [
        *given.posonlyargs,
        *given.args,
        *given.kwonlyargs,
        *[each for each in (given.vararg, given.kwarg) if each],
    ]
    if isinstance(look.module.above.get(function), ast.ClassDef) and any(
        look.origin(each) == "classmethod" for each in function.decorator_list
    ):
        arguments = arguments[1:]
    if not arguments:
        return None
    if "once" in function.name.lower() or arguments[0].arg == "self":
        return Confidence.MAYBE  # what is said once
    if wording.is_of_parts(function.name) or any(wording.is_of_parts(each.arg) for each in arguments):
        return Confidence.MAYBE  # patterns, clients, converters: as many as code writes down
    if (
        not given.vararg
        and not given.kwarg
        and len(given.defaults) + sum(map(bool, given.kw_defaults)) == len(arguments)
    ):
        return Confidence.MAYBE  # mostly asked without any
    if any(isinstance(each, FUNCTIONS) for each in look.module.parents(function)):
        return Confidence.MAYBE  # a cache of one call goes with it
    if all(_is_few(look, each.annotation) for each in arguments):
        return Confidence.MAYBE
    return (
        Confidence.LIKELY
        if all(wording.is_asked_for(each.arg) and wording.is_plain(each.arg) for each in arguments)
        else Confidence.MAYBE
    )


def _is_few(look: Look, annotation: ast.expr | None) -> bool:
    if annotation is None:
        return False
    match annotation:
        case ast.BinOp(op=ast.BitOr()):
            return _is_few(look, annotation.left) and _is_few(look, annotation.right)
        case ast.Constant(value=None):
            return True
        case ast.Subscript():
            return look.origin(annotation.value) in FEW
    return look.origin(annotation) in FEW


RULE = Rule(
    "FW302", "unbounded-cache", "A cache without a bound keeps an answer for each argument.", _check, ("cache",)
)
