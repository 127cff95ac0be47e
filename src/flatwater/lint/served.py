"""Whether a value comes with a request.

Covers:     what is asked of `request`, where it is an argument, an attribute of `self`, or the framework's own; also behind a name: `body["id"]`
            where `body = request.get_json()`.
Not here:   which functions are asked with it (`lint.memos`).
Holds:      nothing.
"""

from __future__ import annotations

import ast

from flatwater.lint.rule import Look

REQUESTS = frozenset({"flask.request", "quart.request", "bottle.request"})
FIXED = frozenset({"method", "app", "config", "endpoint", "scheme", "blueprint", "url_rule", "is_ajax", "is_secure"})


STEPS_MAX = 3  # of names that are followed
PARSES = frozenset({"json.loads", "str", "int", "dict", "list"})


def is_of_request(look: Look, node: ast.AST) -> bool:
    """Whether an expression is, or holds, a part of a request: `request.args["q"]`, `self.request.user`."""
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load) and _is_bound_to_part(look, each):
            return True
        if not isinstance(each, ast.Attribute) or each.attr in FIXED:
            continue
        held = each.value
        if look.origin(held) in REQUESTS:
            return True
        if isinstance(held, ast.Name) and held.id in {"request", "req"}:
            bindings = look.module.scope_of(held).lookup(held.id)
            if any(one.how == "param" for one in bindings):
                return True
        if isinstance(held, ast.Attribute) and held.attr == "request" and isinstance(held.value, ast.Name):
            return True
    return False


def _is_bound_to_part(look: Look, name: ast.Name, steps: int = STEPS_MAX) -> bool:
    """Whether a name stands for the body of a request or a part of it; what was looked up by such a part is something else."""
    bindings = look.module.scope_of(name).lookup(name.id)
    if len(bindings) != 1 or bindings[0].how != "is" or steps <= 0:
        return False
    node = bindings[0].value
    while node is not None:
        match node:
            case ast.Attribute(value=held, attr=attr):
                if attr in FIXED:
                    return False
                if (isinstance(held, ast.Name) and held.id in {"request", "req"}) or look.origin(held) in REQUESTS:
                    return is_of_request(look, node)
                if isinstance(held, ast.Attribute) and held.attr == "request":
                    return is_of_request(look, node)
                node = held
            case ast.Await(value=held) | ast.Subscript(value=held):
                node = held
            case ast.BoolOp(values=[held, *_]):
                node = held
            case ast.Call(func=func, args=args):
                node = args[0] if look.origin(func) in PARSES and args else func
            case ast.Name():
                return _is_bound_to_part(look, node, steps - 1)
            case _:
                return False
    return False
