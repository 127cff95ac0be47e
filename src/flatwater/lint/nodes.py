"""Small questions about a tree: what runs with a function, the words of a text, whether something is None.

Covers:     what several rules ask.
Not here:   what a value is (`lint.values`), what is done with it (`lint.uses`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint.scopes import FUNCTIONS


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """What runs when the function does: without the bodies of functions and classes inside it."""
    todo = list(ast.iter_child_nodes(function))
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            todo.extend(ast.iter_child_nodes(node))


def text(node: ast.expr | None) -> str | None:
    """The words of a literal text, "?" for what is filled in; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(each.value) if isinstance(each, ast.Constant) else "?" for each in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        left, right = text(node.left), text(node.right)
        if isinstance(node.op, ast.Mod):
            return left
        return None if left is None and right is None else f"{left or '?'}{right or '?'}"
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            return text(node.func.value)
        if node.args and not node.keywords and len(node.args) == 1:
            return text(node.args[0])  # sqlalchemy.text("…") and the like
    return None


def is_none(node: ast.AST | None) -> bool:
    """Whether it is nothing, or the word None."""
    return node is None or (isinstance(node, ast.Constant) and node.value is None)
