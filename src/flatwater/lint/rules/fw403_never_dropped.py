"""FW403: tasks and callbacks are kept or registered again and again, and nothing drops them.

Covers:     tasks put into a collection of an object, a module or an endless loop that nothing takes from; `atexit.register`, handlers of `logging`, receivers of
            signals, in a loop or in a method that is called again and again.
Not here:   all tasks of one loop at once (`fw402`), dicts of a module (`fw304`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import growing
from flatwater.lint.finding import Confidence
from flatwater.lint.fixed import is_fixed
from flatwater.lint.memos import FunctionDef
from flatwater.lint.module import is_testing
from flatwater.lint.nodes import own_nodes
from flatwater.lint.rule import Found, Look, Rule
from flatwater.lint.scopes import FUNCTIONS

SPAWNS = frozenset(
    {
        "asyncio.create_task",
        "asyncio.ensure_future",
        "asyncio.run_coroutine_threadsafe",
        "threading.Thread",
        "threading.Timer",
        "multiprocessing.Process",
    }
)
STOPPED = frozenset({"KeyboardInterrupt", "SystemExit", "(KeyboardInterrupt, SystemExit)"})
LOOPS = frozenset({"asyncio.get_event_loop", "asyncio.get_running_loop", "asyncio.new_event_loop"})
HANDLERS = ("handle", "on_", "process_", "serve_", "do_GET", "do_POST")
REQUESTS = frozenset({"request", "req", "event", "message", "msg", "job"})
TASKS = "`{target}` keeps every task that was ever begun, with its result; let each drop itself: `task.add_done_callback({target}.discard)`."
REGISTERED = "{what} in each {where}, and nothing takes it back; register once, or take it back when its object ends."
BEGINS = (
    "init",
    "main",
    "setup",
    "start",
    "run",
    "configure",
    "install",
    "register",
    "ready",
    "launch",
    "open",
    "connect",
    "after_start",
    "spawn",
    "periodic",
    "begin",
)


def _check(look: Look) -> Iterator[Found]:
    yield from _tasks(look)
    for call in look.module.of(ast.Call):
        what = _registers(look, call)
        if what is None:
            continue
        loops = [each for each in look.module.loops_of(call) if not isinstance(each, ast.comprehension)]
        if loops and not _is_few(look, call, loops[0]):
            yield Found(call, REGISTERED.format(what=what, where="round of the loop"), _registered(look, call))
        elif not loops and look.origin(call.func) == "atexit.register" and _keeps_object(look, call):
            yield Found(call, REGISTERED.format(what=what, where="object's making"), _made_often(look, call))
        elif not loops and look.origin(call.func) == "atexit.register" and _is_of_a_request(look, call):
            yield Found(call, REGISTERED.format(what=what, where="call"), Confidence.LIKELY)


def _is_of_a_request(look: Look, call: ast.Call) -> bool:
    """Whether a function that handles requests registers something of its own for the end of the program."""
    function = look.module.function_of(call)
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or "unregister" in look.module.text:
        return False
    arguments = {each.arg for each in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]}
    if not function.name.strip("_").startswith(HANDLERS) or not arguments & REQUESTS:
        return False
    own = look.module.own_scope(function).names
    return any(
        isinstance(each, ast.Name) and each.id in own for given in [*call.args, *[k.value for k in call.keywords]] for each in ast.walk(given)
    )  # fmt: skip


def _is_few(look: Look, call: ast.Call, loop: ast.AST) -> bool:
    """Whether the loop ends with the first, or goes over what is written down, or over the handlers themselves."""
    node: ast.AST | None = call
    while node is not None and node is not loop:
        above = look.module.above.get(node)
        for name in ("body", "orelse", "handlers", "finalbody"):
            statements = getattr(above, name, None)
            if (
                isinstance(statements, list) and node in statements
                and any(isinstance(each, ast.Return | ast.Break | ast.Raise) for each in statements)
            ):  # fmt: skip
                return True
        node = above
    if not isinstance(loop, ast.For | ast.AsyncFor):
        return False
    names = {each.id for each in ast.walk(loop.target) if isinstance(each, ast.Name)}
    is_itself = any(isinstance(each, ast.Name) and each.id in names for each in call.args)
    return is_fixed(look, loop.iter) or (is_itself and look.origin(call.func) != "atexit.register")


def _registered(look: Look, call: ast.Call) -> Confidence:
    """A doubt at import, and in what runs once."""
    function = look.module.function_of(call)
    is_signal = (
        isinstance(call.func, ast.Attribute) and call.func.attr == "connect"
    )  # one for each model, more often than not
    is_of_one = any(
        isinstance(above, ast.If)
        and isinstance(above.test, ast.Compare)
        and (
            isinstance(above.test.ops[0], ast.NotIn)
            or (isinstance(above.test.ops[0], ast.Eq) and isinstance(above.test.comparators[0], ast.Constant))
        )
        for above in look.module.parents(call)
    )  # the round in which it is the one that is looked for, or each once
    return (
        Confidence.MAYBE
        if is_signal or is_of_one or function is None or getattr(function, "name", "").strip("_").startswith(BEGINS)
        else Confidence.LIKELY
    )


def _keeps_object(look: Look, call: ast.Call) -> bool:
    """Whether `__init__` hands a method of the object to the end of the program, and nothing in the file takes it back."""
    function = look.module.function_of(call)
    if getattr(function, "name", "") != "__init__" or not call.args or "unregister" in look.module.text:
        return False
    first = call.args[0]
    return isinstance(first, ast.Attribute) and isinstance(first.value, ast.Name) and first.value.id == "self"


def _made_often(look: Look, call: ast.Call) -> Confidence:
    """Likely where the file makes its objects in loops, or in functions with arguments."""
    owner = look.module.class_of(call)
    often = owner is not None and any(
        isinstance(each.func, ast.Name) and each.func.id == owner.name and look.module.loops_of(each)
        for each in look.module.of(ast.Call)
    )
    return Confidence.LIKELY if often else Confidence.MAYBE


def _tasks(look: Look) -> Iterator[Found]:
    told: set[tuple[str, ast.AST]] = set()
    for node in look.module.of(ast.Call):
        found = growing.added(node)
        if (
            found is None
            or found.how not in {"add", "append"}
            or not isinstance(found.target, ast.Attribute | ast.Name)
        ):
            continue
        if found.what is None or not _is_task(look, found.what):
            continue
        function = look.module.function_of(node)
        loops = look.module.loops_of(node)
        owner: ast.ClassDef | ast.Module | FunctionDef | None = _holder(look, found.target)
        if (
            owner is None
            and isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            and _is_local(look, found.target, function, loops)
        ):
            owner = function
        if owner is None or function is None:
            continue
        if loops:
            if not _has_no_end(loops[-1]):
                continue
        elif getattr(function, "name", "").strip("_").startswith(BEGINS):
            continue
        name = ast.unparse(found.target)
        key = (name, owner)
        if key in told or _is_dropped(owner, found.target) or _is_dropped_elsewhere(look, found.target):
            continue
        told.add(key)
        is_test = is_testing(look.module.path)
        yield Found(node, TASKS.format(target=name), Confidence.MAYBE if is_test else Confidence.LIKELY)


def _is_local(look: Look, target: ast.expr, function: ast.AST, loops: list[ast.AST]) -> bool:
    """Whether a list of the function is filled in a loop that only an exception leaves, and that it was made before."""
    if not isinstance(target, ast.Name) or not loops:
        return False
    loop = loops[-1]
    scope = look.module.scope_of(target).holding(target.id)
    if scope is None or scope.node is not function or not isinstance(loop, ast.While):
        return False
    bindings = scope.names[target.id]
    if len(bindings) != 1 or not growing.is_empty(bindings[0].value) or loop in look.module.loops_of(bindings[0].node):
        return False
    if isinstance(loop.test, ast.UnaryOp) and not isinstance(loop.test.operand, ast.Call | ast.Attribute):
        return False  # a flag of its own, which says how far it is
    return not any(isinstance(each, ast.Return) for each in own_nodes(loop))


def _has_no_end(loop: ast.AST) -> bool:
    """Whether it goes on as long as the program does: nothing in it counts, and nothing leaves it but an exception."""
    if not isinstance(loop, ast.While):
        return False
    is_open = isinstance(loop.test, ast.Constant | ast.Attribute) or (
        isinstance(loop.test, ast.UnaryOp) and not any(isinstance(each, ast.Compare) for each in ast.walk(loop.test))
    )
    return is_open and not any(
        isinstance(each, ast.Break) for statement in loop.body for each in _until_stopped(statement)
    )


def _until_stopped(node: ast.AST) -> Iterator[ast.AST]:
    """What is in a statement, but for what is done when a user stops the program."""
    if isinstance(node, ast.ExceptHandler) and node.type is not None and ast.unparse(node.type) in STOPPED:
        return
    yield node
    for each in ast.iter_child_nodes(node):
        yield from _until_stopped(each)


def _is_task(look: Look, node: ast.expr) -> bool:
    node = look.values.resolved(node) or node
    if not isinstance(node, ast.Call):
        return False
    if look.origin(node.func) in SPAWNS:
        return True
    if not (isinstance(node.func, ast.Attribute) and node.func.attr == "create_task"):
        return False
    holder = look.values.resolved(node.func.value) or node.func.value
    if isinstance(holder, ast.Call):
        return look.origin(holder.func) in LOOPS
    name = holder.attr if isinstance(holder, ast.Attribute) else holder.id if isinstance(holder, ast.Name) else ""
    return name.strip("_") in {"loop", "event_loop", "ioloop"}


def _holder(look: Look, target: ast.expr) -> ast.ClassDef | ast.Module | None:
    """The class of an attribute, or the module of a global."""
    if isinstance(target, ast.Attribute):
        owner = look.module.class_of(target)
        holder = target.value.id if isinstance(target.value, ast.Name) else ""
        return owner if owner is not None and holder in {"self", "cls", owner.name} else None
    scope = look.module.scope_of(target).holding(target.id) if isinstance(target, ast.Name) else None
    return look.module.tree if scope is not None and scope.node is look.module.tree else None


def _is_dropped(owner: ast.ClassDef | ast.Module | FunctionDef, target: ast.expr) -> bool:
    """Whether something takes from it: by a call, by binding it anew outside of `__init__`, or by a callback of each task."""
    for method in owner.body:
        for each in ast.walk(method):
            if (
                isinstance(each, ast.Attribute)
                and each.attr in {"discard", "remove", "pop", "popleft", "clear"}
                and growing.is_same(each.value, target)
            ):
                return True
            if (
                isinstance(each, ast.Delete) or (isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Subscript))
                or (isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "len")
            ) and growing.is_shrunk([each], target):  # fmt: skip
                return True
            if (
                isinstance(each, ast.Assign) and isinstance(method, (*FUNCTIONS, ast.ClassDef)) and getattr(method, "name", "") != "__init__"
                and any(growing.is_same(one, target) for one in each.targets)
            ):  # fmt: skip
                return True
            if (
                isinstance(each, ast.Call)
                and any(growing.is_same(given, target) for given in each.args)
                and growing.added(each) is None
            ):
                return True  # handed to somebody who may
    return False


def _is_dropped_elsewhere(look: Look, target: ast.expr) -> bool:
    """Whether something outside of the class takes from an attribute of that name: a callback of each task."""
    return isinstance(target, ast.Attribute) and any(
        each.attr in {"discard", "remove"} and isinstance(each.value, ast.Attribute) and each.value.attr == target.attr
        for each in look.module.of(ast.Attribute)
    )


def _registers(look: Look, call: ast.Call) -> str | None:
    """What a call registers for the life of the program; None for others."""
    origin = look.origin(call.func)
    if origin == "atexit.register":
        return "a function is registered for the end of the program"
    if isinstance(call.func, ast.Attribute) and call.func.attr == "addHandler":
        made = look.values.resolved(call.func.value)
        if isinstance(made, ast.Call) and look.origin(made.func) == "logging.getLogger" and not _differs(made):
            return "a handler is added to a logger"
    if (
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "connect"
        and look.origin(call.func.value).startswith("django.db.models.signals.")
    ):
        return "a receiver is connected to a signal"
    return None


def _differs(made: ast.Call) -> bool:
    """Whether the logger is another one in each round."""
    return bool(made.args) and not isinstance(made.args[0], ast.Constant)


RULE = Rule("FW403", "never-dropped", "Tasks or callbacks are kept again and again, and nothing drops them.", _check)
