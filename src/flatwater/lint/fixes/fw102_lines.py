"""FW102: `for line in file.readlines()` becomes `for line in file`.

Covers:     loops and comprehensions over the lines of a file that the same function opens, also within `enumerate`.
Not here:   `read()` and `read_text()`: what they are taken apart by is not always a line's end (`splitlines` knows ten of them).
Holds:      nothing.

A file gives the same lines as its `readlines`. It is another thing when the loop is seen before the file has ended (it writes, prints,
yields, breaks off, or calls what is not known), or when the file is used in it or behind it. Then nothing is changed.
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

OPENS = frozenset(
    {"open", "gzip.open", "bz2.open", "lzma.open"}
)  # `io.open` and other names of `open` are the same to the linter


def propose(look: Look) -> Iterator[Change]:
    """The changes of a file."""
    for call, func in look.method_calls("readlines"):
        if call.args or call.keywords or not isinstance(func.value, ast.Name):
            continue
        place = listing.place_of(look, call)
        if place is None or not is_opened_here(look, func.value, place):
            continue
        if effects.is_unseen(look, place, "data", func.value.id):
            yield Change(call, call, _file_of)


def is_opened_here(look: Look, name: ast.Name, place: ast.For | effects.Listed) -> bool:
    """Whether `with open(…) as name` is all that binds it, and all else that it is used for comes before, at once."""
    function = look.module.function_of(place) or look.module.tree
    scope = look.module.scope_of(name).holding(name.id)
    if scope is None or scope.node is not function or len(scope.names[name.id]) != 1:
        return False
    made = scope.names[name.id][0]
    if (
        made.how != "enters"
        or not isinstance(made.value, ast.Call)
        or not listing.is_from(look, made.value, OPENS, ("open",))
    ):
        return False
    holder = look.module.above.get(made.node)
    if not isinstance(holder, ast.With) or listing.loop_between(look, place, holder):
        return False
    return listing.is_done_before(look, name, holder, place, {"readline", "read", "seek", "tell", "fileno"})


def _file_of(node: libcst.BaseExpression) -> libcst.BaseExpression | None:
    import libcst

    if not isinstance(node, libcst.Call) or not isinstance(node.func, libcst.Attribute):
        return None
    return listing.bare(node, node.func.value)
