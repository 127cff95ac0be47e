"""FW301: a cache on a method keeps each object that it was called on.

Covers:     `functools.cache` and `lru_cache` on methods, as decorators and as calls in a class body.
Not here:   static methods, and class methods (their class lives anyway); caches that belong to one object.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint.finding import Confidence
from flatwater.lint.nodes import is_none
from flatwater.lint.rule import Found, Look, Rule

CACHES = frozenset({"functools.cache", "functools.lru_cache", "cachetools.func.lru_cache"})
DATA = frozenset({"dataclasses.dataclass", "attr.s", "attrs.define", "attr.define", "attrs.frozen"})
ONE_FOR_A_RUN = ("Command", "Config", "Settings", "Mixin", "Dialect", "Singleton", "Plugin", "Application", "App")
STATIC = frozenset({"staticmethod", "classmethod"})


def is_cache(look: Look, node: ast.expr) -> bool:
    """Whether an expression is one of functools' caches, or a call that makes one."""
    return look.origin(node.func if isinstance(node, ast.Call) else node) in CACHES


def is_unbounded(look: Look, node: ast.expr) -> bool:
    """Whether it is a cache that drops nothing."""
    if not isinstance(node, ast.Call):
        return look.origin(node) == "functools.cache"
    if look.origin(node.func) == "functools.cache":
        return True
    if not is_cache(look, node):
        return False
    sizes = [each.value for each in node.keywords if each.arg == "maxsize"] or node.args[:1]
    return bool(sizes) and is_none(sizes[0])


def _check(look: Look) -> Iterator[Found]:
    for function in look.module.functions():
        owner = look.module.above.get(function)
        if not isinstance(owner, ast.ClassDef) or _is_single(look, owner) or function.name == "__new__":
            continue
        if any(look.origin(each) in STATIC for each in function.decorator_list) or _is_of_the_class(function, owner):
            continue
        for decorator in function.decorator_list:
            if is_cache(look, decorator):
                sure = _confidence(look, decorator, owner)
                is_said = "once" in function.name.lower()  # a warning, by an object that stays
                yield Found(decorator, _said(function.name), Confidence.MAYBE if is_said else sure)
    for call in look.module.of(ast.Call):
        if isinstance(call.func, ast.Call) and is_cache(look, call.func) and call.args:
            statement = look.module.above.get(call)
            owner = look.module.above.get(statement) if statement else None
            if (
                isinstance(statement, ast.Assign)
                and isinstance(owner, ast.ClassDef)
                and isinstance(call.args[0], ast.Name)
            ):
                yield Found(call, _said(call.args[0].id), _confidence(look, call.func, owner))


def _said(name: str) -> str:
    return f"the cache of `{name}` keeps each object that it is called on, for as long as the class lives; use `cached_property`, or a cache that belongs to the object."


def _confidence(look: Look, cache: ast.expr, owner: ast.ClassDef) -> Confidence:
    """Sure where it drops nothing, and objects are made again and again; a doubt where one object is made, or a bound keeps some only."""
    calls = [
        call
        for call in look.module.of(ast.Call)
        if isinstance(call.func, ast.Name) and call.func.id == owner.name and look.module.class_of(call) is not owner
    ]
    made = [look.module.function_of(call) is not None and not _is_factory(look, call) for call in calls]
    if made and not any(made):
        return Confidence.MAYBE  # at import, and never again
    if any(isinstance(each, ast.Name | ast.Attribute) and _last(each).endswith(ONE_FOR_A_RUN) for each in owner.bases):
        return Confidence.MAYBE
    is_many = any(look.module.loops_of(call) for call in calls) or any(
        look.origin(each.func if isinstance(each, ast.Call) else each) in DATA for each in owner.decorator_list
    )
    if is_many and is_unbounded(look, cache):
        return Confidence.SURE
    return Confidence.MAYBE  # nobody sees how many objects there are, or a bound keeps some only


def _is_factory(look: Look, call: ast.Call) -> bool:
    """Whether a function gives back an object made from nothing: there is one in a run, more often than not."""
    return not call.args and not call.keywords and isinstance(look.module.above.get(call), ast.Return)


def _is_of_the_class(function: ast.FunctionDef | ast.AsyncFunctionDef, owner: ast.ClassDef) -> bool:
    """Whether the class body makes a class method or a static method of it by hand."""
    first = next(iter([*function.args.posonlyargs, *function.args.args]), None)
    if first is not None and first.arg == "cls" and function.name != "__new__":
        return True
    return any(
        isinstance(each, ast.Assign)
        and isinstance(each.value, ast.Call)
        and isinstance(each.value.func, ast.Name)
        and each.value.func.id in STATIC
        and any(isinstance(part, ast.Name) and part.id == function.name for part in each.value.args)
        for each in owner.body
    )


def _last(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _is_single(look: Look, owner: ast.ClassDef) -> bool:
    """Whether the class's objects live as long as it does: an enum, or a metaclass."""
    return any(look.origin(each) in {"enum.Enum", "enum.IntEnum", "enum.StrEnum", "type"} for each in owner.bases)


RULE = Rule(
    "FW301", "cache-on-method", "A cache on a method keeps each object that it was called on.", _check, ("cache",)
)
