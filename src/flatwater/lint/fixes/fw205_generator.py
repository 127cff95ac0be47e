"""FW205: `sum([len(line) for line in file])` becomes `sum(len(line) for line in file)`; `min`, `max` and `Counter`, too.

Covers:     comprehensions that give numbers or texts, made by built-ins and methods of texts: adding and comparing them cannot fail.
Not here:   `any` and `all`: with a generator they stop early, and what comes behind is not read. `len` takes no generator. `writelines`
            and `executemany`, which would write a part before an error. Calls of the program: a `StopIteration` out of a generator is another error.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flatwater.lint.fixes import effects
from flatwater.lint.fixes.change import Change
from flatwater.lint.rule import Look

if TYPE_CHECKING:
    import libcst

NUMBERS = frozenset({"len", "int", "float", "abs", "ord", "bool"})
TEXTS = frozenset({"str", "repr", "ascii"})
NUMBER_METHODS = frozenset({"count", "find", "rfind"})
TEXT_METHODS = frozenset(
    {"strip", "lstrip", "rstrip", "lower", "upper", "casefold", "title", "removeprefix", "removesuffix"}
)
REDUCERS = {
    "sum": {"number"},
    "min": {"number", "text"},
    "max": {"number", "text"},
    "collections.Counter": {"number", "text"},
}


def propose(look: Look) -> Iterator[Change]:
    """The changes of a file."""
    for node in look.module.of(ast.ListComp):
        call = look.module.above.get(node)
        if not isinstance(call, ast.Call) or not call.args or call.args[0] is not node:
            continue
        name = look.origin(call.func)
        if name not in REDUCERS or not _is_plainly_called(call, name):
            continue
        value = look.value(node.generators[0].iter)
        element = "path" if value is not None and value.kind.startswith("fs.") else "data"
        if _type(look, node.elt, value.kind if value else "") in REDUCERS[name] and effects.is_unseen(
            look, node, element
        ):
            yield Change(node, call, _of_generator)


def _is_plainly_called(call: ast.Call, name: str) -> bool:
    if len(call.args) > (2 if name == "sum" else 1) or any(
        each.arg not in {"default", "start"} for each in call.keywords
    ):
        return False
    return all(
        isinstance(each, ast.Constant) and type(each.value) in {int, float, type(None)}
        for each in [*call.args[1:], *[one.value for one in call.keywords]]
    )


def _type(look: Look, node: ast.expr, kind: str) -> str:
    """Whether it is a number or a text, whatever the data are."""
    match node:
        case ast.Constant(value=value):
            return "number" if type(value) in {int, float} else ""
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.FloorDiv(), right=right):
            return "number" if {_type(look, left, kind), _type(look, right, kind)} == {"number"} else ""
        case ast.Call(func=func) if (name := look.origin(func)) in NUMBERS | TEXTS:
            return "number" if name in NUMBERS else "text"
        case ast.Call(func=ast.Attribute(value=ast.Name(), attr=method)) if kind == "file":
            return "number" if method in NUMBER_METHODS else "text" if method in TEXT_METHODS else ""
        case ast.Attribute(attr="st_size" | "st_mtime"):
            return "number"
    return ""


def _of_generator(node: libcst.BaseExpression) -> libcst.BaseExpression | None:
    import libcst

    if not isinstance(node, libcst.Call) or not isinstance(node.args[0].value, libcst.ListComp):
        return None
    first, made = node.args[0], node.args[0].value
    alone = len(node.args) == 1 and not isinstance(first.comma, libcst.Comma) and not made.lpar
    outer = (node.whitespace_before_args, first.whitespace_after_arg)
    inner = (made.lbracket.whitespace_after, made.rbracket.whitespace_before)
    if alone and (_is_nothing(*outer) or _is_nothing(*inner)):
        before, after = inner if _is_nothing(*outer) else outer
        bare = libcst.GeneratorExp(made.elt, made.for_in, lpar=(), rpar=())
        arg = first.with_changes(value=bare, whitespace_after_arg=after)
        return node.with_changes(args=[arg], whitespace_before_args=before)
    left = libcst.LeftParen(whitespace_after=made.lbracket.whitespace_after)
    right = libcst.RightParen(whitespace_before=made.rbracket.whitespace_before)
    round_one = libcst.GeneratorExp(made.elt, made.for_in, lpar=(*made.lpar, left), rpar=(right, *made.rpar))
    return node.with_changes(args=[first.with_changes(value=round_one), *node.args[1:]])


def _is_nothing(*spaces: libcst.BaseParenthesizableWhitespace) -> bool:
    return all(each.empty for each in spaces)
