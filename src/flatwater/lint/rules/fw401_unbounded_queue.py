"""FW401: a queue without a bound holds all that its reader has not taken yet.

Covers:     `Queue()`, `asyncio.Queue()`, `SimpleQueue()` and `deque()` that are filled in a loop or by a method.
Not here:   queues with a `maxsize`, deques with a `maxlen`, deques that their own function empties.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import growing, known, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.rule import Found, Look, Rule

RECEIVES = frozenset(
    {
        "message",
        "messages",
        "msg",
        "event",
        "events",
        "item",
        "items",
        "record",
        "records",
        "row",
        "rows",
        "line",
        "lines",
    }
)
PUTS = frozenset({"put", "put_nowait", "append", "appendleft", "extend"})


EVENTS = (
    "on_",
    "handle",
    "emit",
    "receive",
    "push",
    "publish",
    "log",
    "record",
    "notify",
    "send",
    "put",
    "enqueue",
    "feed",
    "report",
    "observe",
)


def _check(look: Look) -> Iterator[Found]:
    told: set[tuple[ast.AST | None, str]] = set()  # a queue that is made again is the same one
    for call in look.module.of(ast.Call):
        value = look.value(call)
        if (
            value is None
            or value.call is not call
            or value.kind not in {"queue", "deque"}
            or not look.origin(call.func)
        ):
            continue
        if _is_bounded(call, value.kind):
            continue
        target = _target(look, call)
        if target is None:
            continue
        if isinstance(target, ast.Attribute):
            place = look.module.class_of(call), ast.unparse(target)
            if place in told:
                continue
            told.add(place)
        name = look.origin(call.func).rpartition(".")[2]
        bound = "maxlen" if value.kind == "deque" else "maxsize"
        cure = "use a `Queue` with a `maxsize`" if name == "SimpleQueue" else f"give it a `{bound}`"
        yield Found(
            call,
            f"`{name}` holds all that is put and not taken yet; {cure}.",
            _confidence(look, call, target, value.kind),
        )


def _is_bounded(call: ast.Call, kind: str) -> bool:
    wanted, place = ("maxlen", 1) if kind == "deque" else ("maxsize", 0)
    sizes = [each.value for each in call.keywords if each.arg in {wanted, None}] or call.args[place : place + 1]
    if not sizes:
        return False
    size = sizes[0]
    if isinstance(size, ast.Constant):
        return bool(size.value) and not (isinstance(size.value, int) and size.value < 0)
    return not isinstance(size, ast.UnaryOp)


def _target(look: Look, call: ast.Call) -> ast.expr | None:
    above = look.module.above.get(call)
    if (
        isinstance(above, ast.Assign)
        and len(above.targets) == 1
        and isinstance(above.targets[0], ast.Name | ast.Attribute)
    ):
        return above.targets[0]
    if isinstance(above, ast.AnnAssign) and isinstance(above.target, ast.Name | ast.Attribute):
        return above.target
    return None


def _confidence(look: Look, call: ast.Call, target: ast.expr, kind: str) -> Confidence:
    """Likely where it is put into again and again, and, of a deque, nothing takes from it."""
    where = (
        look.module.class_of(call) if isinstance(target, ast.Attribute) else look.module.function_of(call)
    ) or look.module.tree
    nodes = list(ast.walk(where))
    puts = [
        each for each in nodes
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in PUTS and growing.is_same(each.func.value, target)
        and not (each.args and isinstance(each.args[0], ast.Constant | ast.List))
    ]  # fmt: skip
    if wording.is_of_results(target.attr if isinstance(target, ast.Attribute) else ast.unparse(target)):
        return Confidence.MAYBE  # one for each thing that was begun, or of those that wait for work
    if any(
        isinstance(each, ast.Attribute) and each.attr in {"qsize", "full"} and growing.is_same(each.value, target)
        for each in nodes
    ):
        return Confidence.MAYBE  # somebody looks at how long it is
    if kind == "deque":
        if growing.is_shrunk([each for each in nodes if each is not look.module.above.get(call)], target):
            return Confidence.MAYBE
        if any(isinstance(each, ast.Assign) and growing.is_same(each.value, target) for each in nodes):
            return Confidence.MAYBE  # by another name it may be taken from
        owner = look.module.class_of(call)
        if owner is not None and (owner.name.startswith(("Base", "Abstract")) or owner.name.endswith("Base")):
            return Confidence.MAYBE  # a subclass may take from it
        is_filled = isinstance(target, ast.Attribute) and any(
            _is_given(look, each) and _is_event(look, each) for each in puts
        )
        return Confidence.LIKELY if is_filled else Confidence.MAYBE
    if "testing" in look.module.path.split("/"):
        return Confidence.MAYBE  # of a session that a test begins and ends
    if look.origin(call.func).endswith(("PriorityQueue", "LifoQueue")):
        return Confidence.MAYBE  # the order of a search, more often than a line of work
    if any(isinstance(each, ast.Call) and look.origin(each.func).endswith("Semaphore") for each in nodes):
        return Confidence.MAYBE
    if isinstance(target, ast.Name) and look.module.function_of(call) is None:
        return Confidence.MAYBE  # of a script, which ends
    if isinstance(target, ast.Name) and (
        _is_searched(nodes, target) or (puts and all(_is_of_what_is_there(look, each) for each in puts))
    ):
        return Confidence.MAYBE
    is_handed_on = any(
        isinstance(each, ast.Call) and any(growing.is_same(part, target) for given in [*each.args, *[k.value for k in each.keywords]] for part in (given.elts if isinstance(given, ast.Tuple) else [given]))
        and (look.origin(each.func).endswith((".Thread", ".Process", ".create_task")) or _is_task(look, each))
        for each in nodes
    )  # fmt: skip
    is_streamed = any(isinstance(loop, ast.AsyncFor) for each in puts for loop in look.module.loops_of(each))
    if isinstance(target, ast.Name) and not is_handed_on and not is_streamed and not _is_shared(look, nodes, target):
        return Confidence.MAYBE  # nobody else sees it
    again = any(_goes_on(look, each) for each in puts) or (
        isinstance(target, ast.Attribute)
        and any(
            look.module.function_of(each) is not look.module.function_of(call) and _is_received(look, each)
            for each in puts
        )
    )
    if again:
        return Confidence.LIKELY
    answers = any(
        isinstance(each, ast.Attribute)
        and each.attr in {"get", "get_nowait"}
        and growing.is_same(each.value, target)
        and not look.module.loops_of(each)
        for each in nodes
    )  # one answer of one worker
    is_filled = any(_is_of_the_caller(look, each) for each in puts)  # and nobody asks how much that is
    return (
        Confidence.LIKELY
        if is_handed_on and is_filled and not answers and not isinstance(target, ast.Attribute)
        else Confidence.MAYBE
    )


def _is_shared(look: Look, nodes: list[ast.AST], target: ast.Name) -> bool:
    """Whether a function inside of this one uses it, or it is given to a call or kept."""
    own = look.module.function_of(target)
    return any(
        isinstance(each, ast.Name) and each.id == target.id and isinstance(each.ctx, ast.Load)
        and (look.module.function_of(each) is not own or not isinstance(look.module.above.get(each), ast.Attribute))
        for each in nodes
    )  # fmt: skip


def _is_searched(nodes: list[ast.AST], target: ast.Name) -> bool:
    """Whether one loop takes from it and puts into it: a search, breadth first."""
    return any(
        isinstance(loop, ast.While) and {"get", "put"} <= {
            each.func.attr.removesuffix("_nowait") for each in ast.walk(loop)
            if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and growing.is_same(each.func.value, target)
        }
        for loop in nodes
    )  # fmt: skip


def _is_of_what_is_there(look: Look, put: ast.Call) -> bool:
    """Whether it is filled from what somebody holds already: the values of a dict."""
    return any(
        isinstance(loop, ast.For) and isinstance(loop.iter, ast.Call) and isinstance(loop.iter.func, ast.Attribute)
        and loop.iter.func.attr in {"items", "keys", "values"}
        for loop in look.module.loops_of(put)
    )  # fmt: skip


def _is_of_the_caller(look: Look, put: ast.Call) -> bool:
    """Whether it is filled by a loop over what the caller gave."""
    return any(
        isinstance(loop, ast.For) and isinstance(loop.iter, ast.Name)
        and all(each.how == "param" for each in look.module.scope_of(loop.iter).lookup(loop.iter.id))
        and not _is_counted(look, loop.iter)
        for loop in look.module.loops_of(put)
    )  # fmt: skip


def _is_counted(look: Look, name: ast.Name) -> bool:
    """Whether its function asks how many there are: then they are in memory already."""
    return any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "len"
        and any(growing.is_same(part, name) for part in each.args)
        for each in ast.walk(look.module.function_of(name) or look.module.tree)
    )  # fmt: skip


def _is_received(look: Look, put: ast.Call) -> bool:
    """Whether a method puts what it was handed, and calls it what there is more and more of."""
    function = look.module.function_of(put)
    if function is None or not put.args:
        return False
    given = {each.arg for each in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]}
    names = {each.id for each in ast.walk(put.args[0]) if isinstance(each, ast.Name)} & given
    return any(part.lower() in RECEIVES for name in names for part in wording.PARTS.findall(name))


def _goes_on(look: Look, put: ast.Call) -> bool:
    """Whether it stands in a loop that has no end of its own, or goes over what a stream gives."""
    for loop in look.module.loops_of(put):
        if isinstance(loop, ast.While | ast.AsyncFor):
            return True
        over = loop.iter if isinstance(loop, ast.For) else None
        value = look.value(over)
        if value is not None and value.kind in known.STREAMS:
            return True
    return False


def _is_event(look: Look, put: ast.Call) -> bool:
    """Whether the method that puts is called as those are that things happen to."""
    name = getattr(look.module.function_of(put), "name", "").strip("_")
    return name.startswith(EVENTS)


def _is_given(look: Look, put: ast.Call) -> bool:
    """Whether what is put was handed to the method that puts it."""
    function = look.module.function_of(put)
    if function is None:
        return False
    given = {each.arg for each in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]}
    return any(isinstance(each, ast.Name) and each.id in given for part in put.args for each in ast.walk(part))


def _is_task(look: Look, call: ast.Call) -> bool:
    return any(
        isinstance(each, ast.Call) and look.origin(each.func).endswith((".create_task", ".ensure_future"))
        for each in look.module.parents(call)
    )


RULE = Rule("FW401", "unbounded-queue", "A queue without a bound holds all that is not taken yet.", _check)
