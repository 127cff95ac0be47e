"""FW203: everything is sorted for the first few.

Covers:     `sorted(x)[:k]`, `sorted(x)[0]`, and a sorted list of which only a slice is used; `x.sort()` of a list that was collected for it.
Not here:   sorting for all of it.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import growing, known, lengths, uses, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.fixed import is_fixed
from flatwater.lint.nodes import own_nodes
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
        if source is not None and source.kind.endswith(".some"):
            continue  # a bound is there already
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

    yield from _sorted_in_place(look)


READERS = ("file", "reader", "dataset", "open")


def _sorted_in_place(look: Look) -> Iterator[Found]:
    """`events.sort()` of a list that was made of a stream, or of what the caller gave, and is only cut then: `events[:100]`."""
    for call, func in look.method_calls("sort"):
        if not isinstance(func.value, ast.Name):
            continue
        name = func.value
        function = look.module.function_of(call) or look.module.tree
        first, filling = _filled_from(look, name, function)
        if first is None or is_fixed(look, first):
            continue
        source = look.value(first)
        if source is not None and source.kind in known.STREAMS:
            sure = min(source.confidence, Confidence.LIKELY) if lengths.is_long(look, source) else Confidence.MAYBE
        elif source is None and (_is_of_data(look, first) or _is_read(look, first)):
            sure = Confidence.LIKELY
        else:
            continue
        used = [
            each
            for each in own_nodes(function)
            if isinstance(each, ast.Name)
            and each.id == name.id
            and isinstance(each.ctx, ast.Load)
            and each is not name
            and each is not filling
        ]
        if used and all(_kind(look, each) == "slice" and each.lineno >= call.lineno for each in used):
            yield Found(call, "`sort` holds everything for a few of it; `heapq.nsmallest` holds only those.", sure)


def _filled_from(look: Look, name: ast.Name, function: ast.AST) -> tuple[ast.expr | None, ast.Name | None]:
    """What a list was made from: of a comprehension or `list(…)`, or of a loop that appends; with the name it appends to."""
    made = look.values.resolved(name)
    if not growing.is_empty(made):
        return _gone_over(look, made), None
    filled = [
        (found, look.module.loops_of(each))
        for each in own_nodes(function)
        if (found := growing.added(each)) is not None and growing.is_same(found.target, name)
    ]
    if len(filled) == 1 and filled[0][0].how == "append" and len(filled[0][1]) == 1:
        target, loop = filled[0][0].target, filled[0][1][0]
        if isinstance(target, ast.Name) and isinstance(loop, ast.For | ast.AsyncFor):
            return loop.iter, target
    return None, None


def _is_read(look: Look, over: ast.expr) -> bool:
    """Whether it is a method of a reader that a `with` has opened: `alignment.pileup(…)` of an `AlignmentFile(path)`."""
    if not (
        isinstance(over, ast.Call) and isinstance(over.func, ast.Attribute) and isinstance(over.func.value, ast.Name)
    ):
        return False
    bindings = look.module.scope_of(over).lookup(over.func.value.id)
    if len(bindings) != 1 or bindings[0].how != "enters" or not isinstance(bindings[0].value, ast.Call):
        return False
    origin = look.origin(bindings[0].value.func)
    return "." in origin and origin.lower().endswith(READERS) and bool(bindings[0].value.args)


def _gone_over(look: Look, made: ast.expr | None) -> ast.expr | None:
    """What a comprehension or `list(…)` goes over."""
    match made:
        case ast.ListComp(generators=[first, *_]):
            return first.iter
        case ast.Call(func=func, args=[only]) if look.origin(func) == "list":
            return only
    return None


def _is_of_data(look: Look, node: ast.expr) -> bool:
    """Whether the caller gave it, or it counts or weighs what was seen, and its name says that there is more of it with more data."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"items", "keys", "values"}
    ):
        node = node.func.value
        return wording.is_of_counts(ast.unparse(node))
    if not isinstance(node, ast.Name) or wording.is_of_counts(node.id):
        return False
    is_given = all(each.how == "param" for each in look.module.scope_of(node).lookup(node.id))
    return wording.is_of_counts(node.id) or (is_given and wording.is_of_data(node.id))


def _kind(look: Look, place: ast.AST) -> str:
    above = look.module.above.get(place)
    if not isinstance(above, ast.Subscript) or above.value is not place:
        return ""
    match above.slice:
        case ast.Slice(lower=None | ast.Constant(value=0), upper=upper, step=None) if upper is not None:
            return "" if isinstance(upper, ast.UnaryOp) else "slice"
        case ast.Slice(lower=ast.UnaryOp(op=ast.USub()), upper=None):
            return "slice"
        case ast.Constant(value=0) | ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)):
            return "one"
    return ""


RULE = Rule("FW203", "sorted-for-few", "Everything is sorted for the first few.", _check, ("sort",))
