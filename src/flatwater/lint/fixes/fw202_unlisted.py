"""FW202: `for each in list(stream)` becomes `for each in stream`.

Covers:     `list` and `tuple` of records of `csv`, of lines of a file, of `scandir`, `iglob`, `iterdir` and `rglob`, in a loop or comprehension.
Not here:   `os.walk`: a loop can tell it where not to go. Streams over a network. `set` and `sorted`, which are no lists.
Holds:      nothing.

The loop must not be seen before the stream has ended: who deletes what a folder lists needs the list.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flatwater.lint.fixes import effects, listing
from flatwater.lint.fixes.change import Change
from flatwater.lint.fixes.fw102_lines import is_opened_here
from flatwater.lint.rule import Look

if TYPE_CHECKING:
    import libcst

RECORDS = frozenset({"csv.reader", "csv.DictReader"})
FOLDERS = frozenset({"os.scandir", "glob.iglob"})
LISTINGS = frozenset({"iterdir", "glob", "rglob"})


def propose(look: Look) -> Iterator[Change]:
    """The changes of a file."""
    for call in look.module.of(ast.Call):
        if look.origin(call.func) not in {"list", "tuple"} or len(call.args) != 1 or call.keywords:
            continue
        place = listing.place_of(look, call)
        if place is None:
            continue
        element, name = _element(look, call.args[0], place)
        if element and effects.is_unseen(look, place, element, name):
            yield Change(call, call, _inside_of)


def _element(look: Look, node: ast.expr, place: ast.For | effects.Listed) -> tuple[str, str]:
    """What a stream gives, and the name of the file behind it."""
    if isinstance(node, ast.Name):
        return ("data", node.id) if is_opened_here(look, node, place) else ("", "")
    if not isinstance(node, ast.Call):
        return "", ""
    name = look.origin(node.func)
    if name in RECORDS and node.args and isinstance(node.args[0], ast.Name):
        fixed = all(isinstance(each.value, ast.Constant) for each in node.keywords) and len(node.args) == 1
        return ("data", node.args[0].id) if fixed and is_opened_here(look, node.args[0], place) else ("", "")
    if name in FOLDERS:
        return "path" if name == "os.scandir" else "data", ""
    if isinstance(node.func, ast.Attribute) and node.func.attr in LISTINGS:
        holder = look.value(node.func.value)
        if holder is not None and holder.kind == "path" and holder.confidence == holder.confidence.SURE:
            return "path", ""
    return "", ""


def _inside_of(node: libcst.BaseExpression) -> libcst.BaseExpression | None:
    import libcst

    if not isinstance(node, libcst.Call) or len(node.args) != 1:
        return None
    return listing.bare(node, node.args[0].value)
