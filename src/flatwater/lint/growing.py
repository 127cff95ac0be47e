"""What makes a collection larger, and what makes it smaller again.

Covers:     `x.append(…)`, `x[k] = …`, `x += […]` and their siblings; removals, new bindings, checks of its length.
Not here:   whether what it is filled from is long (`lint.values`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

ADDING = frozenset(
    {"append", "extend", "add", "update", "setdefault", "appendleft", "insert", "extendleft", "write", "union_update"}
)
REMOVING = frozenset(
    {
        "pop",
        "popitem",
        "popleft",
        "clear",
        "remove",
        "discard",
        "difference_update",
        "truncate",
        "move_to_end",
        "get_nowait",
        "intersection_update",
        "cache_clear",
    }
)


class Added(NamedTuple):
    """A place where something is put into a collection: the collection, the key or what is put, and the call's name ("[]" and "+=" too)."""

    node: ast.AST
    target: ast.expr
    what: ast.expr | None
    how: str


def added(node: ast.AST) -> Added | None:
    """What a node puts where, if it does."""
    match node:
        case ast.Call(func=ast.Attribute(value=target, attr=name)) if name in ADDING and (node.args or node.keywords):
            return Added(node, target, node.args[0] if node.args else None, name)
        case ast.Assign(targets=[ast.Subscript(value=target, slice=key)]) if not isinstance(key, ast.Slice):
            return Added(node, target, key, "[]")
        case ast.Assign(targets=[ast.Name(), ast.Subscript(value=target, slice=key)]) if not isinstance(key, ast.Slice):
            return Added(node, target, key, "[]")
        case ast.AugAssign(target=ast.Name() | ast.Attribute() as target, op=ast.Add() | ast.BitOr(), value=value):
            return Added(node, target, value, "+=")
        case ast.AugAssign(target=ast.Subscript(value=target, slice=key), op=ast.Add()):
            return Added(node, target, key, "[]+=")
    return None


def is_same(one: ast.AST, other: ast.AST) -> bool:
    """Whether two expressions are the same name, or the same attribute of the same name."""
    if isinstance(one, ast.Name) and isinstance(other, ast.Name):
        return one.id == other.id
    if isinstance(one, ast.Attribute) and isinstance(other, ast.Attribute):
        return one.attr == other.attr and is_same(one.value, other.value)
    return False


def is_shrunk(nodes: Iterable[ast.AST], target: ast.expr) -> bool:
    """Whether any of these takes something out of it, binds it anew, or looks at how long it has become."""
    return any(is_same(each, target) for node in nodes for each in shrunk(node))


def shrunk(node: ast.AST) -> list[ast.expr]:
    """What a node takes something out of, binds anew, or looks at the length of; a method that is handed on takes something later."""
    match node:
        case ast.Call(func=func, args=args):
            found = [each.value for each in args if isinstance(each, ast.Attribute) and each.attr in REMOVING]
            if isinstance(func, ast.Attribute) and func.attr in REMOVING:
                found.append(func.value)
            elif isinstance(func, ast.Name) and func.id == "len" and len(args) == 1:
                found.append(args[0])
            return found
        case ast.Delete(targets=targets):
            return [each.value if isinstance(each, ast.Subscript) else each for each in targets]
        case ast.Assign(targets=targets):
            bound = [each for one in targets for each in (one.elts if isinstance(one, ast.Tuple) else [one])]
            return [
                each.value if isinstance(each, ast.Subscript) else each
                for each in bound
                if not isinstance(each, ast.Subscript) or isinstance(each.slice, ast.Slice)
            ]
        case ast.AugAssign(target=held, op=ast.Sub() | ast.BitAnd()):
            return [held]
    return []


def names_in(node: ast.AST) -> Iterator[str]:
    """The names that an expression reads."""
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield each.id


def is_empty(node: ast.expr | None) -> bool:
    """A new, empty list, dict, set, text, or a call of one of their types without anything in it."""
    match node:
        case ast.List(elts=[]) | ast.Dict(keys=[]):
            return True
        case ast.Constant(value="" | b""):
            return True
        case ast.Call(
            func=ast.Name(id="list" | "dict" | "set" | "bytearray" | "OrderedDict" | "deque"), args=[], keywords=[]
        ):
            return True
        case ast.Call(
            func=ast.Name(id="defaultdict" | "Counter")
            | ast.Attribute(attr="defaultdict" | "Counter" | "OrderedDict" | "deque" | "WeakSet")
        ):
            return not any(each.arg == "maxlen" for each in node.keywords) and len(node.args) <= 1
    return False
