"""Whether something is the same in each run: a literal, a file of the package itself, a range with its end.

Covers:     paths, iterables and texts that the program's author wrote down.
Not here:   bounds in SQL (`lint.statements`).
Holds:      nothing.
"""

from __future__ import annotations

import ast

from flatwater.lint.rule import Look

STEPS_MAX = 12
FEW_MAX = 1_000  # what is written down in a range, and is still few
OF_THE_SYSTEM = ("/proc/", "/sys/", "/etc/", "/dev/")
OF_THE_PACKAGE = ("importlib.resources.", "pkgutil.", "pkg_resources.", "sysconfig.", "sys.executable", "sys.prefix")


def is_fixed(look: Look, node: ast.expr | None, steps: int = STEPS_MAX) -> bool:
    """Whether the program's author, and not its data, says what it is."""
    if node is None or steps <= 0:
        return False
    match node:
        case ast.Constant():
            return True
        case ast.JoinedStr():
            first = node.values[0] if node.values else None
            if isinstance(first, ast.Constant) and str(first.value).startswith(OF_THE_SYSTEM):
                return True
            return all(is_fixed(look, each, steps - 1) for each in node.values)
        case ast.FormattedValue():
            return is_fixed(look, node.value, steps - 1)
        case ast.List() | ast.Tuple() | ast.Set():
            return all(not isinstance(each, ast.Starred) for each in node.elts)
        case ast.Dict():
            return all(each is not None for each in node.keys)
        case ast.Name(id="__file__" | "__name__" | "__path__"):
            return True
        case ast.Name():
            bindings = look.module.scope_of(node).lookup(node.id)
            return bool(bindings) and all(
                each.how == "is" and each.value is not None and is_fixed(look, each.value, steps - 1)
                for each in bindings
            )
        case ast.BinOp():
            if isinstance(node.op, ast.Div) and _begins_here(look, node, steps):
                return True
            return is_fixed(look, node.left, steps - 1) and is_fixed(look, node.right, steps - 1)
        case ast.Call():
            return _is_fixed_call(look, node, steps)
        case ast.Attribute():
            if node.attr == "__file__":
                return True
            origin = look.origin(node)
            if origin.startswith(OF_THE_PACKAGE):
                return True
            return node.attr in {"parent", "name", "stem"} and is_fixed(look, node.value, steps - 1)
        case ast.Subscript():
            return is_fixed(look, node.value, steps - 1)
    return False


def _is_fixed_call(look: Look, node: ast.Call, steps: int) -> bool:
    origin = look.origin(node.func)
    if origin.startswith(OF_THE_PACKAGE):
        return True
    if origin == "range":
        return all(
            isinstance(each, ast.Constant) and isinstance(each.value, int) and each.value <= FEW_MAX
            for each in node.args
        )
    if origin == "zip":
        return any(is_fixed(look, each, steps - 1) for each in node.args)  # it ends with the shortest
    if origin in {"enumerate", "reversed", "sorted", "list", "tuple", "set"} or (
        origin == "iter" and len(node.args) == 1
    ):
        return bool(node.args) and is_fixed(look, node.args[0], steps - 1)
    if _begins_here(look, node, steps):
        return True
    if isinstance(node.func, ast.Attribute) and node.func.attr in {
        "items",
        "keys",
        "values",
        "format",
        "split",
        "resolve",
        "absolute",
        "joinpath",
        "with_name",
    }:
        return is_fixed(look, node.func.value, steps - 1) and all(is_fixed(look, each, steps - 1) for each in node.args)
    return (
        origin.startswith(("os.path.", "pathlib.Path", "os.fspath", "str"))
        and bool(node.args)
        and all(is_fixed(look, each, steps - 1) for each in node.args)
    )


def _begins_here(look: Look, node: ast.expr, steps: int) -> bool:
    """Whether a path begins at the file of the module: what lies beside it was put there by its author."""
    if steps <= 0:
        return False
    match node:
        case ast.Name(id="__file__"):
            return True
        case ast.Name():
            bindings = look.module.scope_of(node).lookup(node.id)
            return bool(bindings) and all(
                each.how == "is" and each.value is not None and _begins_here(look, each.value, steps - 1)
                for each in bindings
            )
        case ast.BinOp():
            return _begins_here(look, node.left, steps - 1)
        case ast.Attribute() | ast.Subscript():
            return (isinstance(node, ast.Attribute) and node.attr == "__file__") or _begins_here(
                look, node.value, steps - 1
            )
        case ast.Call():
            if isinstance(node.func, ast.Attribute) and _begins_here(look, node.func.value, steps - 1):
                return True
            return bool(node.args) and _begins_here(look, node.args[0], steps - 1)
    return False
