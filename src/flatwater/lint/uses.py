"""What is done with a value: whether it is looped over, parsed, counted, sliced or handed on.

Covers:     the expression around a node, and the uses of the name that it is bound to in the same function.
Not here:   what it is (`lint.values`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint.module import Module
from flatwater.lint.nodes import own_nodes

THROUGH = (ast.Await, ast.Starred, ast.NamedExpr)


def around(module: Module, node: ast.AST) -> ast.AST:
    """The expression that a value ends up in: behind `await` and brackets."""
    above = module.above.get(node)
    while isinstance(above, THROUGH) and not isinstance(above, ast.NamedExpr):
        node, above = above, module.above.get(above)
    return node


def name_of(module: Module, node: ast.AST) -> ast.Name | None:
    """The name that a value is bound to, where it is bound to one."""
    node = around(module, node)
    above = module.above.get(node)
    if (
        isinstance(above, ast.Assign)
        and above.value is node
        and len(above.targets) == 1
        and isinstance(above.targets[0], ast.Name)
    ):
        return above.targets[0]
    if isinstance(above, ast.AnnAssign) and above.value is node and isinstance(above.target, ast.Name):
        return above.target
    if isinstance(above, ast.NamedExpr):
        return above.target
    return None


def places(module: Module, node: ast.AST) -> Iterator[ast.AST]:
    """The value itself, and each later use of the name it is bound to, in its function."""
    yield around(module, node)
    name = name_of(module, node)
    if name is None:
        return
    function = module.function_of(node) or module.tree
    again = min(
        (each.lineno for each in own_nodes(function) if isinstance(each, ast.Name) and each.id == name.id and isinstance(each.ctx, ast.Store) and each.lineno > name.lineno),
        default=None,
    )  # fmt: skip
    for each in own_nodes(function):
        if (
            isinstance(each, ast.Name)
            and each.id == name.id
            and isinstance(each.ctx, ast.Load)
            and name.lineno <= each.lineno <= (again or each.lineno)
        ):
            yield each


def is_iterated(module: Module, place: ast.AST) -> bool:
    """Whether a loop or a comprehension goes over it, here."""
    above = module.above.get(place)
    if isinstance(above, ast.Subscript) and isinstance(above.slice, ast.Slice) and above.slice.upper is None:
        return above.value is place and is_iterated(module, above)  # all but the first few
    if isinstance(above, ast.For | ast.AsyncFor | ast.comprehension):
        return above.iter is place
    if (
        isinstance(above, ast.Call)
        and isinstance(above.func, ast.Name)
        and above.func.id in {"enumerate", "iter", "map", "filter", "zip", "tqdm"}
    ):
        return is_iterated(module, above) or above.func.id in {"map", "filter"}
    return False


def is_of_memory(made: ast.expr | None) -> bool:
    """Whether it is a stream of bytes or of a text that are in memory already."""
    return isinstance(made, ast.Call) and ast.unparse(made.func).rpartition(".")[2] in {"BytesIO", "StringIO"}
