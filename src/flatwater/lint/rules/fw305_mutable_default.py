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
from flatwater.lint.rule import Found, Look, Rule


def _check(look: Look) -> Iterator[Found]:
    for function in look.module.functions():
        if function.name == "__deepcopy__":
            continue  # its memo is given
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
                and not (each.how in {"[]", "[]+=", "setdefault"} and isinstance(each.what, ast.Constant))
            ]  # fmt: skip
            if places and not growing.is_shrunk(nodes, name):
                yield Found(
                    argument,
                    f"`{argument.arg}` is one object for all calls, and each call adds to it; let the default be None, and make a new one in the function.",
                    Confidence.MAYBE
                    if argument.arg.startswith("_") or wording.is_of_caches(argument.arg)
                    else Confidence.SURE,
                )


RULE = Rule("FW305", "mutable-default", "A default that is changed grows with each call.", _check)
