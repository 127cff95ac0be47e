"""Loops over a list of a stream: where they stand, what else the stream's name is used for, how the list is left out.

Covers:     what the fixes of FW101, FW102 and FW202 have in common.
Not here:   whether the loop's body allows it (`effects`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flatwater.lint import known
from flatwater.lint.fixes.effects import Listed
from flatwater.lint.rule import Look
from flatwater.lint.scopes import LOOPS

if TYPE_CHECKING:
    import libcst

WHOLE = frozenset({"sum", "min", "max", "sorted", "list", "tuple", "set", "frozenset", "dict", "collections.Counter"})


def place_of(look: Look, node: ast.expr) -> ast.For | Listed | None:
    """The loop or comprehension that goes over it, and over nothing else; also within `enumerate`."""
    above = look.module.above.get(node)
    if isinstance(above, ast.Call) and above.args and above.args[0] is node and look.origin(above.func) == "enumerate":
        node, above = above, look.module.above.get(above)
    if isinstance(above, ast.For) and above.iter is node:
        return above
    if isinstance(above, ast.comprehension) and above.iter is node and not above.is_async:
        made = look.module.above.get(above)
        if isinstance(made, ast.ListComp | ast.SetComp | ast.DictComp) and made.generators[0] is above:
            return made
        if isinstance(made, ast.GeneratorExp) and made.generators[0] is above and _is_used_up(look, made):
            return made
    return None


def _is_used_up(look: Look, node: ast.GeneratorExp) -> bool:
    """Whether what it is handed to goes over all of it at once, and does nothing else."""
    call = look.module.above.get(node)
    return isinstance(call, ast.Call) and call.args == [node] and not call.keywords and look.origin(call.func) in WHOLE


def is_from(look: Look, call: ast.Call, functions: frozenset[str], methods: tuple[str, ...] = ()) -> bool:
    """Whether a call goes to one of these functions as they are named in its file, or to such a method of a path."""
    name = look.origin(call.func)
    if name in functions:
        written = ast.unparse(call.func)
        return known.alias(written) == written or written in {"io.open", "builtins.open"}
    if isinstance(call.func, ast.Attribute) and call.func.attr in methods:
        holder = look.value(call.func.value)
        return holder is not None and holder.kind == "path"
    return False


def loop_between(look: Look, place: ast.AST, holder: ast.AST) -> bool:
    """Whether a loop runs the place several times for one stream."""
    for each in look.module.parents(place):
        if each is holder:
            return False
        if isinstance(each, LOOPS):
            return True
    return True


def is_done_before(look: Look, name: ast.Name, holder: ast.With, place: ast.For | Listed, methods: set[str]) -> bool:
    """Whether all other uses of a name are calls of these methods, in lines before the place."""
    function = look.module.function_of(place) or look.module.tree
    for each in ast.walk(function):
        if not isinstance(each, ast.Name) or each.id != name.id or each is name or not isinstance(each.ctx, ast.Load):
            continue
        func = look.module.above.get(each)
        call = look.module.above.get(func) if func is not None else None
        if not (
            isinstance(func, ast.Attribute)
            and func.attr in methods
            and isinstance(call, ast.Call)
            and call.func is func
        ):
            return False
        if (
            look.module.function_of(each) is not look.module.function_of(place)
            or not holder.lineno <= each.lineno < place.lineno
        ):
            return False
    return True


def bare(call: libcst.Call, inner: libcst.BaseExpression) -> libcst.BaseExpression | None:
    """What a call is made of, in its place; None where a comment would be lost."""
    import libcst

    module = libcst.Module([])
    around = module.code_for_node(call).replace(module.code_for_node(inner), "", 1)
    return None if "#" in around else inner
