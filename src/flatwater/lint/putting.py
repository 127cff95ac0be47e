"""What is put into a queue: results, events, what is there already; whether somebody counts it.

Covers:     the calls of `put` and `append`, and what stands around them.
Not here:   which queue it is, and who takes from it (`lint.rules.fw401_unbounded_queue`).
Holds:      nothing.
"""

from __future__ import annotations

import ast

from flatwater.lint import growing, known, wording
from flatwater.lint.rule import Look

BEGINS = frozenset(
    {"create_task", "ensure_future", "start_soon", "run_coroutine_threadsafe", "submit", "run_in_executor", "to_thread"}
)

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


def is_shared(look: Look, nodes: list[ast.AST], target: ast.Name) -> bool:
    """Whether a function inside of this one uses it, or it is given to a call or kept."""
    own = look.module.function_of(target)
    return any(
        isinstance(each, ast.Name) and each.id == target.id and isinstance(each.ctx, ast.Load)
        and (look.module.function_of(each) is not own or not isinstance(look.module.above.get(each), ast.Attribute))
        for each in nodes
    )  # fmt: skip


def is_searched(nodes: list[ast.AST], target: ast.Name) -> bool:
    """Whether one loop takes from it and puts into it: a search, breadth first."""
    return any(
        isinstance(loop, ast.While) and {"get", "put"} <= {
            each.func.attr.removesuffix("_nowait") for each in ast.walk(loop)
            if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and growing.is_same(each.func.value, target)
        }
        for loop in nodes
    )  # fmt: skip


def is_of_what_is_there(look: Look, put: ast.Call) -> bool:
    """Whether it is filled from what somebody holds already: the values of a dict."""
    return any(
        isinstance(loop, ast.For) and isinstance(loop.iter, ast.Call) and isinstance(loop.iter.func, ast.Attribute)
        and loop.iter.func.attr in {"items", "keys", "values"}
        for loop in look.module.loops_of(put)
    )  # fmt: skip


def is_of_the_caller(look: Look, put: ast.Call) -> bool:
    """Whether it is filled by a loop over what the caller gave."""
    return any(
        isinstance(loop, ast.For) and isinstance(loop.iter, ast.Name)
        and all(each.how == "param" for each in look.module.scope_of(loop.iter).lookup(loop.iter.id))
        and not is_counted(look, loop.iter)
        for loop in look.module.loops_of(put)
    )  # fmt: skip


def is_counted(look: Look, name: ast.Name) -> bool:
    """Whether its function asks how many there are: then they are in memory already."""
    return any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "len"
        and any(growing.is_same(part, name) for part in each.args)
        for each in ast.walk(look.module.function_of(name) or look.module.tree)
    )  # fmt: skip


def is_received(look: Look, put: ast.Call) -> bool:
    """Whether a method puts what it was handed, and calls it what there is more and more of."""
    function = look.module.function_of(put)
    if function is None or not put.args:
        return False
    given = {each.arg for each in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]}
    names = {each.id for each in ast.walk(put.args[0]) if isinstance(each, ast.Name)} & given
    return any(part.lower() in RECEIVES for name in names for part in wording.PARTS.findall(name))


def goes_on(look: Look, put: ast.Call) -> bool:
    """Whether it stands in a loop that has no end of its own, or goes over what a stream gives."""
    for loop in look.module.loops_of(put):
        if isinstance(loop, ast.While | ast.AsyncFor):
            return True
        over = loop.iter if isinstance(loop, ast.For) else None
        value = look.value(over)
        if value is not None and value.kind in known.STREAMS:
            return True
    return False


def is_event(look: Look, put: ast.Call) -> bool:
    """Whether the method that puts is called as those are that things happen to."""
    name = getattr(look.module.function_of(put), "name", "").strip("_")
    return name.startswith(EVENTS)


def is_given(look: Look, put: ast.Call) -> bool:
    """Whether what is put was handed to the method that puts it."""
    function = look.module.function_of(put)
    if function is None:
        return False
    given = {each.arg for each in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]}
    return any(isinstance(each, ast.Name) and each.id in given for part in put.args for each in ast.walk(part))


def is_task(look: Look, call: ast.Call) -> bool:
    """Whether what is put is a task that was begun for it."""
    return any(
        isinstance(each, ast.Call) and (look.origin(each.func).endswith((".create_task", ".ensure_future", ".gather")) or name_of(each.func) in BEGINS)
        for each in look.module.parents(call)
    )  # fmt: skip


def name_of(func: ast.expr) -> str:
    """What a function or a method is called."""
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
