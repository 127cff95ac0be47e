"""FW402: a task, a future or a coroutine is made for each element, all at once.

Covers:     `gather(*[…])`, `create_task` and `submit` for each element, `TaskGroup`, and `map` of an executor over a stream.
Not here:   a few written down; loops that wait for some before they make more.
Holds:      nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flatwater.lint import growing, known, lengths, statements, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.fixed import is_fixed
from flatwater.lint.nodes import own_nodes, text
from flatwater.lint.rounds import names_bound
from flatwater.lint.rule import Found, Look, Rule
from flatwater.lint.scopes import COMPREHENSIONS
from flatwater.lint.values import Value

SPAWNS = frozenset({"asyncio.create_task", "asyncio.ensure_future"})
FEW = frozenset(
    """
    agents backends callbacks checks clients components connections consumers coros coroutines devices executors fields handlers hooks
    hosts hubs listeners locations managers modules nodes platforms plugins pools processors providers servers services sources steps
    stages tasks threads tools transports workers backend
    """.split()  # noqa: SIM905 - what a program has a few of
)
WAITS = frozenset(
    {
        "asyncio.wait",
        "asyncio.gather",
        "asyncio.sleep",
        "concurrent.futures.wait",
        "concurrent.futures.as_completed",
        "asyncio.as_completed",
    }
)
PARTS = frozenset(
    {
        "batched",
        "chunked",
        "ichunked",
        "sliced",
        "grouper",
        "chunks",
        "batches",
        "in_batches",
        "in_chunks",
        "partition_all",
    }
)
QUERIES = frozenset({"queryset", "query", "qs"})
DATA = frozenset({"rows", "records", "lines"})
OPEN = re.compile(r"\bWHERE\s+(?:\w+\.)?(\w+)\s+IS\s+(?:NOT\s+)?NULL\s*(?:ORDER\s+BY\s[^()]*)?;?\s*\Z", re.IGNORECASE)
MESSAGE = "one for each element is made before any has ended; keep a few at work (`fw.Flow(…).map(workers=…)`, or a semaphore around the making)."


def _check(look: Look) -> Iterator[Found]:
    for call in look.module.of(ast.Call):
        if look.origin(call.func) in {"asyncio.gather", "asyncio.wait"} and call.args:
            first = call.args[0].value if isinstance(call.args[0], ast.Starred) else call.args[0]
            made = look.values.resolved(first)
            if isinstance(made, COMPREHENSIONS) and not _spawns_inside(look, made):
                yield from _made(look, made, made.generators[0].iter, None if made is first else call)
            elif isinstance(first, ast.Name) and growing.is_empty(made):
                yield from _gathered(look, call, first)
        elif _is_spawn(look, call):
            yield from _spawned(look, call)
        elif isinstance(call.func, ast.Attribute) and call.func.attr in {"map", "starmap"} and len(call.args) > 1:
            value = look.value(call.func.value)
            if value is not None and value.kind in {"executor", "pool"}:
                over = look.value(call.args[1])
                is_lazy = isinstance(call.args[1], ast.GeneratorExp)
                if (over is not None and over.kind in known.STREAMS) or is_lazy:
                    source = (
                        look.value(call.args[1].generators[0].iter)
                        if isinstance(call.args[1], ast.GeneratorExp)
                        else over
                    )
                    is_own = source is None or source.kind in known.OPEN_ENDED or source.kind not in known.STREAMS
                    is_own = is_own and not _reads_a_stream(look, call.args[1])
                    yield Found(
                        call,
                        f"`{call.func.attr}` takes everything from the iterable before it gives a result; hand it parts of bounded length, or use `fw.Flow(…).map(workers=…)`.",
                        Confidence.MAYBE if is_own else Confidence.LIKELY,
                    )


def _gathered(look: Look, call: ast.Call, name: ast.Name) -> Iterator[Found]:
    """Coroutines that a loop put into a list, which is then awaited as a whole."""
    function = look.module.function_of(call)
    if function is None or any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "len" and any(growing.is_same(one, name) for one in each.args)
        for each in own_nodes(function)
    ):  # fmt: skip
        return
    for each in own_nodes(function):
        found = growing.added(each)
        if found is None or found.how != "append" or not growing.is_same(found.target, name) or found.what is None:
            continue
        what = look.values.resolved(found.what) or found.what
        loops = look.module.loops_of(each)
        if (
            loops and isinstance(loops[0], ast.For | ast.AsyncFor) and isinstance(what, ast.Call) and not _is_spawn(look, what)
            and loops[0] not in look.module.loops_of(call)
        ):  # fmt: skip
            yield from _made(look, what, loops[0].iter, call)
            return


def _reads_a_stream(look: Look, node: ast.expr) -> bool:
    """Whether a generator of this file gives something for each element of a stream, such as the lines of a file."""
    function = look.values.function(node.func) if isinstance(node, ast.Call) else None
    if function is None:
        return False
    for each in own_nodes(function):
        if isinstance(each, ast.Yield) and (loops := look.module.loops_of(each)):
            loop = loops[-1]
            value = look.value(loop.iter) if isinstance(loop, ast.For | ast.AsyncFor) else None
            if (
                value is not None
                and value.kind in known.STREAMS - known.OPEN_ENDED - {"endless"}
                and lengths.is_long(look, value)
            ):
                return True
    return False


def _is_part(look: Look, over: ast.expr) -> bool:
    """Whether it is a part of bounded length: a slice with an end, or what a loop over parts gives."""
    if isinstance(over, ast.Subscript):
        return isinstance(over.slice, ast.Slice) and over.slice.upper is not None
    if isinstance(over, ast.Call):
        return look.origin(over.func) in {"itertools.islice", "heapq.nlargest", "heapq.nsmallest"}
    if not isinstance(over, ast.Name):
        return False
    bindings = look.module.scope_of(over).lookup(over.id)
    if len(bindings) != 1 or bindings[0].value is None:
        return False
    if bindings[0].how == "is":
        return not isinstance(bindings[0].value, ast.Name) and _is_part(look, bindings[0].value)
    source = bindings[0].value
    return (
        bindings[0].how == "each"
        and isinstance(source, ast.Call)
        and look.origin(source.func).rpartition(".")[2] in PARTS
    )


def _is_of_data(look: Look, over: ast.expr) -> bool:
    """Whether it is an argument that is called as data is which nobody counted, or a query's rows as they come."""
    if (
        isinstance(over, ast.Call)
        and isinstance(over.func, ast.Attribute)
        and over.func.attr in {"iterator", "aiterator"}
    ):
        return bool({each.lower() for each in wording.PARTS.findall(ast.unparse(over.func.value))} & QUERIES)
    if not isinstance(over, ast.Name) or over.id.lower() not in DATA:
        return False
    function = look.module.function_of(over)
    counted = function is not None and any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "len" and any(growing.is_same(one, over) for one in each.args)
        for each in own_nodes(function)
    )  # fmt: skip
    return not counted and all(each.how == "param" for each in look.module.scope_of(over).lookup(over.id))


def _is_of_all_rows(look: Look, value: Value | None) -> bool:
    """Whether it is every row of a table that grows with use: what `fw101` tells of the query itself."""
    if (
        value is None
        or value.kind != "rows.all"
        or value.call is None
        or not isinstance(value.call.func, ast.Attribute)
    ):
        return False
    bound = statements.bound(look, value.call.func, value)
    if bound == Confidence.MAYBE and _is_of_open_ones(look, value.call):
        bound = Confidence.LIKELY
    return bound is not None and min(bound, value.confidence) >= Confidence.LIKELY


def _is_of_open_ones(look: Look, call: ast.Call) -> bool:
    """Whether all that is asked is that something has not happened yet, or has: `WHERE paid_at IS NULL`, of a table that grows with use."""
    for each in ast.walk(call):
        said = text(look.values.resolved(each.args[0])) if isinstance(each, ast.Call) and each.args else None
        found = OPEN.search(said) if said is not None else None
        if said is not None and found is not None and not wording.is_of_keys(found[1]):
            return lengths.is_long_table(*statements.FROM.findall(said)) and not statements.GROUPED.search(said)
    return False


def _spawns_inside(look: Look, node: ast.expr) -> bool:
    return any(isinstance(each, ast.Call) and _is_spawn(look, each) for each in ast.walk(node))


def _is_spawn(look: Look, call: ast.Call) -> bool:
    if look.origin(call.func) in SPAWNS:
        return True
    if not isinstance(call.func, ast.Attribute):
        return False
    if call.func.attr in {"submit", "apply_async"}:
        value = look.value(call.func.value)
        return value is not None and value.kind in {"executor", "pool"}
    if call.func.attr in {"create_task", "start_soon"}:
        value = look.value(call.func.value)
        return value is not None and value.kind == "task.group"
    return False


def _spawned(look: Look, call: ast.Call) -> Iterator[Found]:
    loops = look.module.loops_of(call)
    if not loops:
        return
    loop = loops[0]
    if isinstance(loop, ast.While):
        return
    if isinstance(loop, ast.For | ast.AsyncFor):
        if _is_held_back(look, loop):
            return
        around = loops[1] if len(loops) > 1 else None
        if (
            isinstance(around, ast.For | ast.AsyncFor)
            and look.value(loop.iter) is None
            and names_bound(around.target) & set(growing.names_in(loop.iter))
            and not _is_held_back(look, around)
        ):
            loop = around  # of a page, of which there are many
        yield from _made(look, call, loop.iter)
    elif isinstance(loop, COMPREHENSIONS):
        yield from _made(look, call if isinstance(loop, ast.GeneratorExp) else loop, loop.generators[0].iter)


def _is_held_back(look: Look, loop: ast.For | ast.AsyncFor) -> bool:
    """Whether something in the loop waits for what was begun, or for a place."""
    for statement in loop.body:
        for each in [statement, *own_nodes(statement)]:
            if isinstance(each, ast.Await | ast.AsyncWith) and not isinstance(each, ast.AsyncFor):
                return True
            if isinstance(each, ast.Call) and (
                look.origin(each.func) in WAITS
                or (
                    isinstance(each.func, ast.Attribute)
                    and each.func.attr in {"acquire", "result", "get", "join", "wait"}
                    and not (each.func.attr == "get" and each.args)  # of a dict, and of no queue
                )
            ):
                return True
            if isinstance(each, ast.Break):
                return True
    return False


def _made(look: Look, node: ast.AST, over: ast.expr, at: ast.AST | None = None) -> Iterator[Found]:
    if is_fixed(look, over) or _is_part(look, over):
        return
    if isinstance(over, ast.Call) and look.origin(over.func) == "range":
        confidence = Confidence.MAYBE  # a number of workers, more often than not
    else:
        value = look.value(over)
        is_stream = value is not None and value.kind in known.STREAMS
        confidence = (
            value.confidence if value is not None and is_stream else Confidence.MAYBE
        )  # what is there already is there
        loop = look.module.above.get(over)
        if isinstance(loop, ast.AsyncFor) or (isinstance(loop, ast.comprehension) and loop.is_async):
            confidence = max(confidence, Confidence.LIKELY)
        if _is_of_data(look, over) or _is_of_all_rows(look, value):
            confidence = max(confidence, Confidence.LIKELY)
        if (
            (not is_stream and _is_held(look, node, over))
            or _is_limited(look, node)
            or (value is not None and value.kind in known.OPEN_ENDED)
        ):
            confidence = Confidence.MAYBE
    yield Found(at or node, MESSAGE, confidence)


def _is_limited(look: Look, node: ast.AST) -> bool:
    """Whether each task is handed a semaphore that its function made for them."""
    function = look.module.function_of(node)
    limits = {
        name
        for name, bindings in (look.module.own_scope(function).names if function else {}).items()
        for each in bindings
        if isinstance(each.value, ast.Call) and look.origin(each.value.func).endswith("Semaphore")
    }
    return bool(limits) and any(isinstance(each, ast.Name) and each.id in limits for each in ast.walk(node))


def _is_held(look: Look, node: ast.AST, over: ast.expr) -> bool:
    """Whether the elements are there already and do something themselves (`each.close()`), or are what an object has."""
    bare = (
        over.args[0]
        if isinstance(over, ast.Call) and look.origin(over.func) in {"list", "tuple", "set", "sorted"} and over.args
        else over
    )
    if (
        isinstance(bare, ast.Call)
        and isinstance(bare.func, ast.Attribute)
        and bare.func.attr in {"values", "items", "keys", "copy"}
    ):
        bare = bare.func.value
    if isinstance(bare, ast.Attribute):
        return True
    made = (
        node.elt
        if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp)
        else node.args[0]
        if isinstance(node, ast.Call) and node.args
        else None
    )
    while isinstance(made, ast.Call) and made.args and isinstance(made.args[0], ast.Call):
        made = made.args[0]
    return (
        isinstance(made, ast.Call)
        and isinstance(made.func, ast.Attribute)
        and isinstance(made.func.value, ast.Name)
        and made.func.value.id not in {"self", "cls"}
        and not made.args
    )


RULE = Rule("FW402", "all-at-once", "A task is made for each element, all at once.", _check)
