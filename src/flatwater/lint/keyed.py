"""What the key of a collection is made of.

Covers:     names that are bound once, tuples, texts that are put together, `str(…)`, `.lower()`, digests, `event["user_id"]`.
Not here:   what the names say (`lint.wording`).
Holds:      nothing.
"""

from __future__ import annotations

import ast

from flatwater.lint.rule import Look

STEPS_MAX = 6  # of names that are followed
AROUND = frozenset({"str", "int", "hash", "tuple", "frozenset", "repr", "bytes", "sorted"})
SAME = frozenset(
    {"lower", "upper", "strip", "casefold", "encode", "decode", "hexdigest", "digest", "join", "format", "isoformat"}
)


CLASSES = frozenset({"type", "issubclass", "isinstance"})


def parts(look: Look, node: ast.expr | None, steps: int = STEPS_MAX) -> list[ast.expr]:
    """The names, attributes and calls that a key is made of, without what only changes their form."""
    match node:
        case None | ast.Constant():
            return []
        case ast.Name() if steps > 0:
            bindings = look.module.scope_of(node).lookup(node.id)
            if len(bindings) == 1 and bindings[0].how == "is" and isinstance(
                bindings[0].value, ast.Tuple | ast.JoinedStr | ast.Call | ast.BinOp | ast.Attribute | ast.Subscript | ast.Name
            ):  # fmt: skip
                return parts(look, bindings[0].value, steps - 1)
        case ast.Tuple(elts=each) | ast.JoinedStr(values=each):
            return [one for inner in each for one in parts(look, inner, steps - 1)]
        case ast.FormattedValue(value=inner) | ast.Starred(value=inner):
            return parts(look, inner, steps)
        case ast.BinOp(left=left, op=ast.Add() | ast.Mod(), right=right):
            return [*parts(look, left, steps - 1), *parts(look, right, steps - 1)]
        case ast.Call(func=func, args=args):
            origin = look.origin(func)
            if origin in AROUND or origin.startswith(("hashlib.", "uuid.UUID")):
                return [one for inner in args for one in parts(look, inner, steps - 1)]
            if isinstance(func, ast.Attribute) and func.attr in SAME and not origin:
                return [one for inner in (func.value, *args) for one in parts(look, inner, steps - 1)]
            if isinstance(func, ast.Attribute) and func.attr == "get" and args and isinstance(args[0], ast.Constant):
                return [node]
    return [node] if node is not None else []


def names(node: ast.expr) -> list[str]:
    """What a part is called: `event.user.id` and `event["id"]` by all of their words; what a call gives has no name."""
    if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Attribute) and node.func.attr == "get"):
        return ["unknown", *names(node.func), *(one for each in node.args for one in names(each))]
    found = []
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            found.append(each.id)
        elif isinstance(each, ast.Attribute):
            found.append(each.attr)
        elif isinstance(each, ast.Constant) and isinstance(each.value, str):
            found.append(each.value)
    return [each for each in found if each not in {"self", "get"}]


def roots(nodes: list[ast.expr]) -> set[str]:
    """The names that parts begin with."""
    return {each.id for node in nodes for each in ast.walk(node) if isinstance(each, ast.Name)}


def is_of_a_class(look: Look, key: ast.expr | None) -> bool:
    """Whether its keys are classes or modules, of which a program has as many as it was written with."""
    for each in ast.walk(key) if key is not None else ():
        if isinstance(each, ast.Attribute) and each.attr in {"__class__", "__name__", "__qualname__", "__module__"}:
            return True
        if isinstance(each, ast.Call) and look.origin(each.func) in CLASSES:
            return True
        if isinstance(each, ast.Name) and each.id in {"cls", "klass", "class_", "type_"}:
            return True
    return False
