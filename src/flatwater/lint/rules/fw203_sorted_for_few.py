"""FW203: everything is sorted for the first few.

Covers:     `sorted(x)[:k]`, `sorted(x)[0]`, and a sorted list of which only a slice is used.
Not here:   sorting for all of it.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import known, uses, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.fixed import is_fixed
from flatwater.lint.rule import Found, Look, Rule


def _check(look: Look) -> Iterator[Found]:
    for call in look.module.of(ast.Call):
        if look.origin(call.func) != "sorted" or not call.args or is_fixed(look, call.args[0]):
            continue
        places = list(uses.places(look.module, call))
        used = places if len(places) == 1 else places[1:]
        kinds = {_kind(look, each) for each in used}
        if not used or "" in kinds or (len(places) > 1 and len(used) > 1):
            continue
        source = look.value(call.args[0])
        is_stream = source is not None and source.kind in known.STREAMS
        confidence = Confidence.LIKELY if "slice" in kinds else Confidence.MAYBE
        if is_stream and source is not None:
            confidence = source.confidence
        elif not _is_of_data(look, call.args[0]) or any(
            isinstance(above, ast.FormattedValue)
            or (isinstance(above, ast.Call) and isinstance(above.func, ast.Attribute) and above.func.attr == "join")
            for above in look.module.parents(call)
        ):
            confidence = Confidence.MAYBE
        cure = "`heapq.nsmallest` holds only those" if "slice" in kinds else "`min` or `max` holds one"
        yield Found(call, f"`sorted` holds everything for a few of it; {cure}.", confidence)


def _is_of_data(look: Look, node: ast.expr) -> bool:
    """Whether the caller gave it, or it counts or weighs what was seen, and its name says that there is more of it with more data."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"items", "keys", "values"}
    ):
        node = node.func.value
        return wording.is_of_counts(ast.unparse(node))
    if not isinstance(node, ast.Name):
        return False
    is_given = all(each.how == "param" for each in look.module.scope_of(node).lookup(node.id))
    return wording.is_of_counts(node.id) or (is_given and wording.is_of_data(node.id))


def _kind(look: Look, place: ast.AST) -> str:
    above = look.module.above.get(place)
    if not isinstance(above, ast.Subscript) or above.value is not place:
        return ""
    match above.slice:
        case ast.Slice(lower=None, upper=upper, step=None) if upper is not None:
            return "" if isinstance(upper, ast.UnaryOp) else "slice"
        case ast.Slice(lower=ast.UnaryOp(op=ast.USub()), upper=None):
            return "slice"
        case ast.Constant(value=0) | ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)):
            return "one"
    return ""


RULE = Rule("FW203", "sorted-for-few", "Everything is sorted for the first few.", _check, ("sorted",))
