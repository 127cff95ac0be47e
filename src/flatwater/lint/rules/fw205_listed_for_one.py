"""FW205: a list of something of each element is made for a sum, a maximum, a count or a call that takes an iterable.

Covers:     `sum([…])`, `max([…])`, `any([…])`, `len([…])`, `writelines([…])`, `executemany([…])`, over a stream.
Not here:   lists of what is short.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import known, lengths, uses
from flatwater.lint.finding import Confidence
from flatwater.lint.fixed import is_fixed
from flatwater.lint.rule import Found, Look, Rule

REDUCERS = frozenset(
    {"sum", "max", "min", "any", "all", "len", "math.fsum", "collections.Counter", "heapq.nlargest", "heapq.nsmallest"}
)
LISTS = frozenset({"list", "tuple", "sorted"})
NAMES = frozenset({"fs.entries", "fs.tree", "tar"})  # few, more often than not
TAKERS = frozenset({"writelines", "writerows", "executemany"})


def _check(look: Look) -> Iterator[Found]:
    yield from _counted(look)
    for node in look.module.of(ast.ListComp):
        call = look.module.above.get(node)
        if not isinstance(call, ast.Call) or node not in call.args:
            continue
        name = look.origin(call.func)
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if name not in REDUCERS and method not in TAKERS:
            continue
        starts = [*call.args[1:], *(each.value for each in call.keywords)]
        if name == "sum" and any(isinstance(each, ast.List | ast.Tuple) for each in starts):
            continue  # lists are joined: all of it is wanted
        first = node.generators[0].iter
        value = look.value(first)
        if is_fixed(look, first):
            continue
        confidence = (
            value.confidence
            if value is not None and value.kind in known.STREAMS - known.OPEN_ENDED
            else Confidence.MAYBE
        )
        cure = "add up 1 for each" if name == "len" else "leave the brackets out: it takes a generator"
        yield Found(node, f"a list of something of each element is made for `{name or method}`; {cure}.", confidence)


def _counted(look: Look) -> Iterator[Found]:
    """`len(list(stream))`, and a list of a stream of which nothing but its length is asked."""
    for call in look.module.of(ast.Call):
        if look.origin(call.func) == "len" and len(call.args) == 1:
            listed = call.args[0]
            if isinstance(listed, ast.Call) and look.origin(listed.func) in LISTS and len(listed.args) == 1:
                yield from _of_count(look, listed, listed.args[0])
    for node in look.module.of(ast.ListComp):
        if uses.name_of(look.module, node) is not None and _is_only_counted(look, node):
            yield from _of_count(look, node, node.generators[0].iter)


def _is_only_counted(look: Look, node: ast.ListComp) -> bool:
    used = list(uses.places(look.module, node))[1:]
    return bool(used) and all(
        isinstance(above := look.module.above.get(each), ast.Call) and look.origin(above.func) == "len" for each in used
    )


def _of_count(look: Look, node: ast.expr, stream: ast.expr) -> Iterator[Found]:
    value = look.value(stream)
    if value is None or value.kind not in known.STREAMS - known.OPEN_ENDED - NAMES or is_fixed(look, stream):
        return
    confidence = min(value.confidence, Confidence.LIKELY) if lengths.is_long(look, value) else Confidence.MAYBE
    yield Found(node, "a list of everything is made, only to count it; add up 1 for each.", confidence)


RULE = Rule("FW205", "listed-for-one", "A list is made for a sum, a count or a call that takes an iterable.", _check)
