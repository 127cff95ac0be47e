"""Caches around functions, and whether what they are asked with is as much as users ask for.

Covers:     `functools`, `cachetools`, `async_lru`, `toolz`, `funcy`, also behind a name of the module; arguments by their names, types and calls.
Not here:   whose objects a cache of a method keeps (`fw301`), caches written by hand (`fw304`).
Holds:      nothing.
"""

from __future__ import annotations

import ast

from flatwater.lint import growing, served, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.fixed import is_fixed
from flatwater.lint.nodes import is_none
from flatwater.lint.rule import Look
from flatwater.lint.scopes import FUNCTIONS, Binding

CACHES = frozenset({"functools.cache", "functools.lru_cache", "cachetools.func.lru_cache", "async_lru.alru_cache"})
ENDLESS = frozenset({"functools.cache", "toolz.memoize", "toolz.functoolz.memoize", "cytoolz.memoize", "funcy.memoize"})
OF_A_DICT = frozenset({"cachetools.cached", "asyncache.cached", "cachetools_async.cached"})
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
ENUMS = frozenset({"enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag", "enum.IntFlag"})
FunctionDef = ast.FunctionDef | ast.AsyncFunctionDef


def made(look: Look, node: ast.expr) -> ast.expr:
    """The cache itself, where a name stands for it: `memo = lru_cache(maxsize=None)`."""
    if isinstance(node, ast.Name):
        bindings = look.module.scope_of(node).lookup(node.id)
        if len(bindings) == 1 and bindings[0].how == "is" and isinstance(bindings[0].value, ast.Call | ast.Attribute):
            return bindings[0].value
    return node


def is_cache(look: Look, node: ast.expr) -> bool:
    """Whether an expression is a cache of functions, or a call that makes one."""
    node = made(look, node)
    return look.origin(node.func if isinstance(node, ast.Call) else node) in CACHES or is_unbounded(look, node)


def is_unbounded(look: Look, node: ast.expr) -> bool:
    """Whether it is a cache that drops nothing."""
    node = made(look, node)
    if not isinstance(node, ast.Call):
        return look.origin(node) in ENDLESS
    origin = look.origin(node.func)
    if origin in ENDLESS:
        return True
    if origin in OF_A_DICT:
        kept = [each.value for each in node.keywords if each.arg == "cache"] or node.args[:1]
        return bool(kept) and (_is_dict(look, kept[0]) or _is_endless(look, kept[0]))
    if origin not in CACHES:
        return False
    sizes = [each.value for each in node.keywords if each.arg == "maxsize"] or node.args[:1]
    return bool(sizes) and is_none(sizes[0])


def _is_endless(look: Look, node: ast.expr) -> bool:
    """Whether a cache of `cachetools` is made with no end: `LRUCache(maxsize=math.inf)`."""
    cache = look.values.resolved(node)
    if not isinstance(cache, ast.Call) or not look.origin(cache.func).startswith("cachetools."):
        return False
    sizes = [each.value for each in cache.keywords if each.arg == "maxsize"] or cache.args[:1]
    return bool(sizes) and (
        look.origin(sizes[0]) == "math.inf"
        or (
            isinstance(sizes[0], ast.Call)
            and look.origin(sizes[0].func) == "float"
            and len(sizes[0].args) == 1
            and ast.unparse(sizes[0].args[0]).strip("'\"+").lower().startswith("inf")
        )
    )


def _is_dict(look: Look, node: ast.expr) -> bool:
    """Whether a cache is a plain dict, also by a name."""
    if isinstance(node, ast.Name):
        bindings = look.module.scope_of(node).lookup(node.id)
        return len(bindings) == 1 and bindings[0].how == "is" and _is_dict_made(bindings[0].value)
    return _is_dict_made(node)


def _is_dict_made(node: ast.expr | None) -> bool:
    return growing.is_empty(node) and (
        isinstance(node, ast.Dict) or (isinstance(node, ast.Call) and _called(node) == "dict")
    )


def asked(look: Look, function: FunctionDef, arguments: list[ast.arg]) -> Confidence | None:
    """Likely where users say what a cache is asked with; None where there are a few answers, by the types of all arguments."""
    if not arguments or all(is_few(look, each.annotation) for each in arguments):
        return None
    if "once" in function.name.lower():
        return Confidence.MAYBE  # what is said once
    if any(says(function.name) for says in (wording.is_of_parts, wording.is_of_connections, wording.is_of_wares)):
        return Confidence.MAYBE  # patterns, clients, converters: as many as code writes down
    given = function.args
    defaults = len(given.defaults) + sum(each is not None for each in given.kw_defaults)
    if not given.vararg and not given.kwarg and defaults >= len(arguments):
        return Confidence.MAYBE  # mostly asked without any
    calls = _calls(look, function)
    if any(served.is_of_request(look, each) for call in calls for each in given_to(call)):
        return Confidence.LIKELY
    if calls and all(_is_written_down(look, each) for call in calls for each in given_to(call)):
        return Confidence.MAYBE
    if any(isinstance(each, FUNCTIONS) for each in look.module.parents(function)):
        return Confidence.MAYBE  # a cache of one call goes with it
    return Confidence.LIKELY if _is_asked_for(look, function, arguments) else Confidence.MAYBE


def given_to(call: ast.Call) -> list[ast.expr]:
    """What a call is given, by place and by name."""
    return [*call.args, *(each.value for each in call.keywords)]


def _is_asked_for(look: Look, function: FunctionDef, arguments: list[ast.arg]) -> bool:
    """Whether one argument is what users ask for, and the others are no reason to doubt it."""
    wanted = [each for each in arguments if wording.is_asked_for(each.arg) and wording.is_plain(each.arg)]
    if any(wording.is_of_users(each.arg) for each in wanted):
        return True
    others = [each for each in arguments if each not in wanted]
    if any(wording.is_of_parts(each.arg) for each in wanted):
        return False
    return bool(wanted) and all(
        wording.is_of_manner(each.arg) or is_few(look, each.annotation) or _has_default(function, each)
        for each in others
    )


def _has_default(function: FunctionDef, argument: ast.arg) -> bool:
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    if argument in positional:
        return positional.index(argument) >= len(positional) - len(given.defaults)
    return argument in given.kwonlyargs and given.kw_defaults[given.kwonlyargs.index(argument)] is not None


def _calls(look: Look, function: FunctionDef) -> list[ast.Call]:
    """Calls of a function in its file, by its name, but for its own."""
    is_method = isinstance(look.module.above.get(function), ast.ClassDef)
    return [
        call
        for call in look.module.of(ast.Call)
        if (call.func.attr if is_method and isinstance(call.func, ast.Attribute) else "" if is_method else _called(call)) == function.name
        and look.module.function_of(call) is not function
        and (call.args or call.keywords)
    ]  # fmt: skip


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _is_written_down(look: Look, node: ast.expr) -> bool:
    """Whether code says what it is, also as the default of an argument."""
    if isinstance(node, ast.Name):
        bindings = look.module.scope_of(node).lookup(node.id)
        if len(bindings) == 1 and bindings[0].how == "param":
            return isinstance(bindings[0].value, ast.Constant) and bindings[0].value.value not in {None, ""}
    return is_fixed(look, node)


def is_few(look: Look, annotation: ast.expr | None) -> bool:
    """Whether a type has few values: flags, members of an enum, classes, functions."""
    if annotation is None:
        return False
    match annotation:
        case ast.BinOp(op=ast.BitOr()):
            return is_few(look, annotation.left) and is_few(look, annotation.right)
        case ast.Constant(value=None):
            return True
        case ast.Constant(value=str(name)):
            return name in FEW or _is_enum(look, look.module.scope.lookup(name))
        case ast.Subscript():
            if look.origin(annotation.value) == "typing.Optional":
                return is_few(look, annotation.slice)
            return look.origin(annotation.value) in FEW
        case ast.Name() if _is_enum(look, look.module.scope_of(annotation).lookup(annotation.id)):
            return True
    return look.origin(annotation) in FEW


def _is_enum(look: Look, bindings: list[Binding]) -> bool:
    return any(
        isinstance(each.node, ast.ClassDef) and any(look.origin(base) in ENUMS for base in each.node.bases)
        for each in bindings
        if each.how == "class"
    )
