"""FW301: a cache on a method keeps each object that it was called on.

Covers:     `functools.cache` and `lru_cache` on methods, as decorators and as calls in a class body.
Not here:   static methods, and class methods (their class lives anyway); caches that belong to one object.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import wording
from flatwater.lint.finding import Confidence
from flatwater.lint.memos import ENUMS, FunctionDef, asked, is_cache, is_unbounded, made
from flatwater.lint.rule import Found, Look, Rule

__all__ = ["RULE", "is_cache"]  # others ask what a cache is
DATA = frozenset({"dataclasses.dataclass", "attr.s", "attrs.define", "attr.define", "attrs.frozen"})
ONE_FOR_A_RUN = ("Command", "Config", "Settings", "Mixin", "Dialect", "Singleton", "Plugin", "Application", "App")
ONE_OF_A_KIND = (
    "Service",
    "Client",
    "Manager",
    "Api",
    "API",
    "Loader",
    "Reader",
    "Writer",
    "Handler",
    "Provider",
    "Resolver",
    "Config",
    "Settings",
)
OF_ITS_OWN = 128  # what `lru_cache` keeps where nobody says how many
STATIC = frozenset({"staticmethod", "classmethod"})


def _check(look: Look) -> Iterator[Found]:
    for function in look.module.functions():
        owner = look.module.above.get(function)
        if not isinstance(owner, ast.ClassDef) or _is_single(look, owner) or function.name == "__new__":
            continue
        if any(look.origin(each) in STATIC for each in function.decorator_list) or _is_of_the_class(function, owner):
            continue
        for decorator in function.decorator_list:
            if is_cache(look, decorator):
                sure = _confidence(look, decorator, owner, function)
                is_said = "once" in function.name.lower()  # a warning, by an object that stays
                yield Found(decorator, _said(function.name), Confidence.MAYBE if is_said else sure, function)
    for call in look.module.of(ast.Call):
        if isinstance(call.func, ast.Call) and is_cache(look, call.func) and call.args:
            statement = look.module.above.get(call)
            owner = look.module.above.get(statement) if statement else None
            if (
                isinstance(statement, ast.Assign)
                and isinstance(owner, ast.ClassDef)
                and isinstance(call.args[0], ast.Name)
            ):
                method = look.values.function(call.args[0])
                yield Found(call, _said(call.args[0].id), _confidence(look, call.func, owner, method))


def _said(name: str) -> str:
    return f"the cache of `{name}` keeps each object that it is called on, for as long as the class lives; use `cached_property`, or a cache that belongs to the object."


def _confidence(look: Look, cache: ast.expr, owner: ast.ClassDef, method: FunctionDef | None) -> Confidence:
    """Sure where it drops nothing, and objects are made again and again; a doubt where one object is made, or a bound keeps some only."""
    calls = [
        call
        for call in look.module.of(ast.Call)
        if isinstance(call.func, ast.Name) and call.func.id == owner.name and look.module.class_of(call) is not owner
    ]
    are_later = [look.module.function_of(call) is not None and not _is_factory(look, call) for call in calls]
    if are_later and not any(are_later):
        return Confidence.MAYBE  # at import, and never again
    is_endless = is_unbounded(look, cache)
    if is_endless and method is not None:
        arguments = [*method.args.posonlyargs, *method.args.args][1:]
        arguments += [*method.args.kwonlyargs, *[each for each in (method.args.vararg, method.args.kwarg) if each]]
        if arguments and asked(look, method, arguments) == Confidence.LIKELY:
            return Confidence.LIKELY  # with one object, too, it has an answer for each
    if any(isinstance(each, ast.Name | ast.Attribute) and _last(each).endswith(ONE_FOR_A_RUN) for each in owner.bases):
        return Confidence.MAYBE
    if _has_data(owner) and _keeps_many(look, cache):
        return Confidence.LIKELY
    is_many = any(look.module.loops_of(call) for call in calls) or any(
        look.origin(each.func if isinstance(each, ast.Call) else each) in DATA for each in owner.decorator_list
    )
    if is_many and is_endless:
        return Confidence.SURE
    return Confidence.MAYBE  # nobody sees how many objects there are, or a bound keeps some only


def _has_data(owner: ast.ClassDef) -> bool:
    """Whether each object is made with data of its own, and keeps it: a document with its text."""
    if owner.name.endswith(ONE_OF_A_KIND):
        return False
    for method in owner.body:
        if not isinstance(method, ast.FunctionDef) or method.name != "__init__":
            continue
        given = {each.arg for each in [*method.args.posonlyargs, *method.args.args, *method.args.kwonlyargs]}
        return any(
            isinstance(each, ast.Assign)
            and isinstance(each.value, ast.Name)
            and each.value.id in given
            and wording.is_of_contents(each.value.id)
            and any(isinstance(one, ast.Attribute) for one in each.targets)
            for each in ast.walk(method)
        )
    return False


def _keeps_many(look: Look, cache: ast.expr) -> bool:
    """Whether a cache keeps as many as it was asked for, or more than a few."""
    cache = made(look, cache)
    sizes = []
    if isinstance(cache, ast.Call):
        sizes = [each.value for each in cache.keywords if each.arg == "maxsize"] or cache.args[:1]
    return not (
        sizes and isinstance(sizes[0], ast.Constant) and isinstance(sizes[0].value, int) and sizes[0].value < OF_ITS_OWN
    )


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
    return any(look.origin(each) in ENUMS | {"type"} for each in owner.bases)


RULE = Rule(
    "FW301", "cache-on-method", "A cache on a method keeps each object that it was called on.", _check, ("cache",)
)
