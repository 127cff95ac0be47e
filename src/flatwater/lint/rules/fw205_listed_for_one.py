"""FW205: a list of something of each element is made for a sum, a maximum, a count or a call that takes an iterable.

Covers:     `sum([…])`, `max([…])`, `any([…])`, `len([…])`, `writelines([…])`, `executemany([…])`, over a stream.
Not here:   lists of what is short.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import known
from flatwater.lint.finding import Confidence
from flatwater.lint.fixed import is_fixed
from flatwater.lint.rule import Found, Look, Rule

REDUCERS = frozenset(
    {"sum", "max", "min", "any", "all", "len", "math.fsum", "collections.Counter", "heapq.nlargest", "heapq.nsmallest"}
)
TAKERS = frozenset({"writelines", "writerows", "executemany"})


def _check(look: Look) -> Iterator[Found]:
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


RULE = Rule("FW205", "listed-for-one", "A list is made for a sum, a count or a call that takes an iterable.", _check)
