"""FW101: `for row in cursor.fetchall()` of sqlite3 becomes `for row in cursor`.

Covers:     loops and comprehensions over `execute(…).fetchall()`, of connections and cursors that `sqlite3.connect` gave.
Not here:   other drivers: most of their cursors hold all rows in any case. Querysets of Django: `.iterator()` leaves their cache out.
Holds:      nothing.

`fetchall` of sqlite3 is a list of what the cursor gives. Until the last row, the statement is open, and tables that it reads cannot be
dropped. So the loop must neither end early nor fail, and the cursor has no name that is used elsewhere.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flatwater.lint.fixes import effects, listing
from flatwater.lint.fixes.change import Change
from flatwater.lint.rule import Look

if TYPE_CHECKING:
    import libcst


def propose(look: Look) -> Iterator[Change]:
    """The changes of a file."""
    if "sqlite3" not in look.module.imports:
        return
    for call, func in look.method_calls("fetchall"):
        if call.args or call.keywords:
            continue
        made = func.value
        if not isinstance(made, ast.Call) or not isinstance(made.func, ast.Attribute) or made.func.attr != "execute":
            continue
        place = listing.place_of(look, call)
        if place is None or not _is_of_sqlite(look, made.func.value):
            continue
        if effects.is_unseen(look, place, "data", _name(made.func.value), never_fails=True):
            yield Change(call, call, _cursor_of)


def _is_of_sqlite(look: Look, node: ast.expr) -> bool:
    """Whether all that is known of it is `sqlite3.connect(…)`, or a cursor of that."""
    for _ in range(4):
        node = look.values.resolved(node) or node
        if isinstance(node, ast.Name):
            bindings = look.module.scope_of(node).lookup(node.id)
            if len(bindings) != 1 or bindings[0].how != "enters" or bindings[0].value is None:
                return False
            node = bindings[0].value
        if not isinstance(node, ast.Call):
            return False
        name = look.origin(node.func)
        if name == "sqlite3.connect":
            return not any(each.arg == "factory" or each.arg is None for each in node.keywords)
        if name == "contextlib.closing" and len(node.args) == 1:
            node = node.args[0]
        elif (
            isinstance(node.func, ast.Attribute) and node.func.attr == "cursor" and not node.args and not node.keywords
        ):
            node = node.func.value
        else:
            return False
    return False


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _cursor_of(node: libcst.BaseExpression) -> libcst.BaseExpression | None:
    import libcst

    if not isinstance(node, libcst.Call) or not isinstance(node.func, libcst.Attribute):
        return None
    return listing.bare(node, node.func.value)
