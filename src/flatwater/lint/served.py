"""Whether a value comes with a request.

Covers:     what is asked of `request`, where it is an argument, an attribute of `self`, or the framework's own.
Not here:   which functions are asked with it (`lint.memos`).
Holds:      nothing.
"""

from __future__ import annotations

import ast

from flatwater.lint.rule import Look

REQUESTS = frozenset({"flask.request", "quart.request", "bottle.request"})
FIXED = frozenset({"method", "app", "config", "endpoint", "scheme", "blueprint", "url_rule", "is_ajax", "is_secure"})


def is_of_request(look: Look, node: ast.AST) -> bool:
    """Whether an expression is, or holds, a part of a request: `request.args["q"]`, `self.request.user`."""
    for each in ast.walk(node):
        if not isinstance(each, ast.Attribute) or each.attr in FIXED:
            continue
        held = each.value
        if isinstance(held, ast.Name) and held.id in {"request", "req"}:
            bindings = look.module.scope_of(held).lookup(held.id)
            if any(one.how == "param" or one.origin in REQUESTS for one in bindings):
                return True
        if isinstance(held, ast.Attribute) and held.attr == "request" and isinstance(held.value, ast.Name):
            return True
    return False
