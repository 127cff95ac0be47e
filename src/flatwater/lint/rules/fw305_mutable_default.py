"""FW305: a default that is changed is one object for all calls, and grows with each of them.

Covers:     `[]`, `{}`, `set()`, `list()`, `dict()` as defaults of parameters that the function adds to.
Not here:   defaults that are only read.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import growing, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.fixed import is_fixed
from flatwater.lint.rule import Found, Look, Rule


def _check(look: Look) -> Iterator[Found]:
    for function in look.module.functions():
        if function.name == "__deepcopy__" or look.module.function_of(function) is not None:
            continue  # its memo is given; one inside of another function has a new default in each call of that
        given = function.args
        pairs = [
            *zip(reversed([*given.posonlyargs, *given.args]), reversed(given.defaults), strict=False),
            *zip(given.kwonlyargs, given.kw_defaults, strict=True),
        ]
        for argument, default in pairs:
            if default is None or isinstance(default, ast.Constant) or not growing.is_empty(default):
                continue
            name = ast.Name(argument.arg)
            nodes = list(ast.walk(function))
            places = [
                each
                for each in map(growing.added, nodes)
                if each is not None and each.how not in {"write", "update"} and growing.is_same(each.target, name)
                and not (each.how in {"[]", "[]+=", "setdefault"} and _is_written_down(look, each.what, name))
            ]  # fmt: skip
            if places and not growing.is_shrunk(nodes, name):
                yield Found(
                    argument,
                    f"`{argument.arg}` is one object for all calls, and each call adds to it; let the default be None, and make a new one in the function.",
                    Confidence.MAYBE
                    if argument.arg.startswith("_")
                    or _is_of_options(argument.arg)
                    or wording.is_of_caches(argument.arg)
                    or _is_filled_once(nodes, name)
                    or _is_always_given(look, function, argument.arg)
                    else Confidence.SURE,
                )


def _is_filled_once(nodes: list[ast.AST], name: ast.Name) -> bool:
    """Whether it is only added to while it is empty: `if not names: names.update(…)`."""
    return any(
        isinstance(each, ast.UnaryOp) and isinstance(each.op, ast.Not) and growing.is_same(each.operand, name)
        for each in nodes
    )


def _is_always_given(look: Look, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    """Whether the file calls it, and each call brings its own."""
    calls = [call for call in look.module.of(ast.Call) if look.values.function(call.func) is function]
    names = [each.arg for each in [*function.args.posonlyargs, *function.args.args]]
    place = names.index(name) if name in names else len(names)
    place -= names[:1] in (["self"], ["cls"])
    return bool(calls) and all(
        len(call.args) > place or any(each.arg in {name, None} for each in call.keywords) for call in calls
    )


def _is_of_options(name: str) -> bool:
    """Whether an argument is called as those are whose keys code writes down."""
    return wording.is_of_settings(name) or name.endswith(("kwargs", "options", "opts", "params", "strategy"))


def _is_written_down(look: Look, key: ast.expr | None, held: ast.Name) -> bool:
    """Whether a key is a literal, one of some that the code names, or one that is there already."""
    if isinstance(key, ast.Constant):
        return True
    return isinstance(key, ast.Name) and any(
        each.id == key.id
        and (is_fixed(look, loop.iter) or any(isinstance(part, ast.Name) and part.id == held.id for part in ast.walk(loop.iter)))
        for loop in look.module.loops_of(key) if isinstance(loop, ast.For)
        for each in ast.walk(loop.target) if isinstance(each, ast.Name)
    )  # fmt: skip


RULE = Rule("FW305", "mutable-default", "A default that is changed grows with each call.", _check)
