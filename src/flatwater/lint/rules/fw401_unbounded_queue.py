"""FW401: a queue without a bound holds all that its reader has not taken yet.

Covers:     `Queue()`, `asyncio.Queue()`, `SimpleQueue()` and `deque()` that are filled in a loop or by a method.
Not here:   queues with a `maxsize`, deques with a `maxlen`, deques that their own function empties.
Holds:      nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from flatwater.lint import growing, known, putting, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.module import is_testing
from flatwater.lint.rule import Found, Look, Rule

PUTS = frozenset({"put", "put_nowait", "append", "appendleft", "extend"})


FIELDS = frozenset({"dataclasses.field", "attr.ib", "attrs.field", "attr.field", "pydantic.Field"})
HELD_BACK = re.compile(r"prefetch|in_?flight|receive_?maximum", re.IGNORECASE)
STEPS_MAX = 2  # of functions that hand it on
ASIDE = (".Thread", ".Process", ".Timer")


class Use(NamedTuple):
    """Nodes in which a queue is used, and the name that it has there."""

    nodes: list[ast.AST]
    target: ast.expr


def _check(look: Look) -> Iterator[Found]:
    told: set[tuple[ast.AST | None, str]] = set()  # a queue that is made again is the same one
    for call in look.module.of(ast.Call):
        if look.origin(call.func) in FIELDS:
            yield from _of_field(look, call)
            continue
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
        name = look.origin(call.func)
        yield Found(call, _message(name, value.kind), _confidence(look, call, name, target, value.kind))


def _message(name: str, kind: str) -> str:
    name = name.rpartition(".")[2]
    bound = "maxlen" if kind == "deque" else "maxsize"
    cure = "use a `Queue` with a `maxsize`" if name == "SimpleQueue" else f"give it a `{bound}`"
    return f"`{name}` holds all that is put and not taken yet; {cure}."


def _of_field(look: Look, call: ast.Call) -> Iterator[Found]:
    """A queue that each object of a dataclass gets: `field(default_factory=Queue)`, also by a lambda."""
    for each in call.keywords:
        if each.arg not in {"default_factory", "factory"}:
            continue
        factory = each.value
        made = factory.body if isinstance(factory, ast.Lambda) else None
        if isinstance(made, ast.Call) and made.args + made.keywords:
            continue
        name = look.origin(made.func if isinstance(made, ast.Call) else factory)
        kind = known.MADE.get(name, "")
        above = look.module.above.get(call)
        if kind in {"queue", "deque"} and isinstance(above, ast.AnnAssign) and isinstance(above.target, ast.Name):
            target = ast.Attribute(ast.Name("self"), above.target.id)
            yield Found(call, _message(name, kind), _confidence(look, call, name, target, kind))


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


def _confidence(look: Look, call: ast.Call, name: str, target: ast.expr, kind: str) -> Confidence:
    """Likely where it is put into again and again, and, of a deque, nothing takes from it."""
    where = (
        look.module.class_of(call) if isinstance(target, ast.Attribute) else look.module.function_of(call)
    ) or look.module.tree
    nodes = list(ast.walk(where))
    if wording.is_of_results(target.attr if isinstance(target, ast.Attribute) else ast.unparse(target)):
        return Confidence.MAYBE  # one for each thing that was begun, or of those that wait for work
    uses = [Use(nodes, target), *_handed(look, nodes, target), *_of_others(look, call, target)]
    if any(
        isinstance(each, ast.Attribute) and each.attr in {"qsize", "full"} and growing.is_same(each.value, use.target)
        for use in uses
        for each in use.nodes
    ):
        return Confidence.MAYBE  # somebody looks at how long it is
    if kind == "deque":
        return _of_deque(look, call, target, nodes)
    if is_testing(look.module.path):
        return Confidence.MAYBE  # of a session that a test begins and ends
    if any(HELD_BACK.search(_word(each)) for each in nodes):
        return Confidence.MAYBE  # who sends stops until some are confirmed
    if name.endswith(("PriorityQueue", "LifoQueue")):
        return Confidence.MAYBE  # the order of a search, more often than a line of work
    if any(isinstance(each, ast.Call) and look.origin(each.func).endswith("Semaphore") for each in nodes):
        return Confidence.MAYBE
    puts = _puts(nodes, target)
    is_of_module = isinstance(target, ast.Name) and look.module.function_of(call) is None
    if isinstance(target, ast.Name) and (
        putting.is_searched(nodes, target) or (puts and all(putting.is_of_what_is_there(look, each) for each in puts))
    ):
        return Confidence.MAYBE
    elsewhere = [each for use in uses[1:] for each in _puts(use.nodes, use.target)]
    if any(putting.goes_on(look, each) and not _is_passed_on(look, each) for each in elsewhere):
        return Confidence.LIKELY  # in a function of its own
    if _is_of_a_subscriber(look, nodes, target):
        return Confidence.LIKELY
    if is_of_module:
        return _of_module(look, nodes, target, puts)
    is_handed_on = any(
        isinstance(each, ast.Call) and any(growing.is_same(part, target) for given in [*each.args, *[k.value for k in each.keywords]] for part in (given.elts if isinstance(given, ast.Tuple) else [given]))
        and (look.origin(each.func).endswith((".Thread", ".Process", ".create_task")) or putting.is_task(look, each))
        for each in nodes
    )  # fmt: skip
    is_streamed = any(isinstance(loop, ast.AsyncFor) for each in puts for loop in look.module.loops_of(each))
    if (
        isinstance(target, ast.Name)
        and not is_handed_on
        and not is_streamed
        and not putting.is_shared(look, nodes, target)
    ):
        return Confidence.MAYBE  # nobody else sees it
    again = any(putting.goes_on(look, each) for each in puts) or (
        isinstance(target, ast.Attribute)
        and any(
            look.module.function_of(each) is not look.module.function_of(call) and putting.is_received(look, each)
            for each in [*puts, *elsewhere]
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
    is_filled = any(putting.is_of_the_caller(look, each) for each in puts)  # and nobody asks how much that is
    return (
        Confidence.LIKELY
        if is_handed_on and is_filled and not answers and not isinstance(target, ast.Attribute)
        else Confidence.MAYBE
    )


def _word(node: ast.AST) -> str:
    """What a node names: a name, an attribute, an argument, a text."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)) | ast.keyword(arg=str(name)):
            return name
    return ""


def _puts(nodes: list[ast.AST], target: ast.expr) -> list[ast.Call]:
    """Calls that put something into it, but for marks of an end."""
    return [
        each for each in nodes
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in PUTS and growing.is_same(each.func.value, target)
        and not (each.args and isinstance(each.args[0], ast.Constant | ast.List))
    ]  # fmt: skip


def _of_deque(look: Look, call: ast.Call, target: ast.expr, nodes: list[ast.AST]) -> Confidence:
    """Likely where events fill it, and nothing takes from it, or only a thread of its own, one by one."""
    puts = _puts(nodes, target)
    is_filled = isinstance(target, ast.Attribute) and any(
        putting.is_given(look, each) and putting.is_event(look, each) for each in puts
    )
    if not is_filled:
        return Confidence.MAYBE
    others = [each for each in nodes if each is not look.module.above.get(call)]
    if growing.is_shrunk(others, target):
        return Confidence.LIKELY if _is_drained_aside(look, others, target, puts) else Confidence.MAYBE
    if any(isinstance(each, ast.Assign) and growing.is_same(each.value, target) for each in nodes):
        return Confidence.MAYBE  # by another name it may be taken from
    owner = look.module.class_of(call)
    if owner is not None and (owner.name.startswith(("Base", "Abstract")) or owner.name.endswith("Base")):
        return Confidence.MAYBE  # a subclass may take from it
    return Confidence.LIKELY


def _is_drained_aside(look: Look, nodes: list[ast.AST], target: ast.expr, puts: list[ast.Call]) -> bool:
    """Whether all that takes from a deque takes one in each round of a thread's or a task's loop, and nobody looks at how long it is."""
    takes = [
        each for each in nodes
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in {"popleft", "pop"}
        and growing.is_same(each.func.value, target)
    ]  # fmt: skip
    if not takes or growing.is_shrunk([each for each in nodes if each not in takes], target):
        return False
    putting = {look.module.function_of(each) for each in puts}
    return all(
        look.module.function_of(each) not in putting
        and any(isinstance(loop, ast.While) for loop in look.module.loops_of(each))
        and _is_run_aside(look, each, nodes)
        for each in takes
    )


def _is_run_aside(look: Look, node: ast.AST, nodes: list[ast.AST]) -> bool:
    """Whether the method that a node stands in is what a thread or a task runs."""
    name = getattr(look.module.function_of(node), "name", "")
    owner = look.module.class_of(node)
    if name == "run" and owner is not None and any(look.origin(each).endswith(ASIDE) for each in owner.bases):
        return True
    return any(
        isinstance(each, ast.Attribute) and each.attr == name and _is_begun(look, each) for each in nodes
    )  # fmt: skip


def _is_begun(look: Look, method: ast.Attribute) -> bool:
    """Whether a method is handed to a thread, or its call to a loop of events."""
    return any(
        isinstance(each, ast.Call)
        and (look.origin(each.func).endswith(ASIDE) or putting.name_of(each.func) in putting.BEGINS)
        for _step, each in zip(range(3), look.module.parents(method), strict=False)
    )


def _of_module(look: Look, nodes: list[ast.AST], target: ast.expr, puts: list[ast.Call]) -> Confidence:
    """Likely where one function of the module fills it in a loop, and a loop of another takes from it; a script's own ends with it."""
    takes = {
        look.module.function_of(each) for each in nodes
        if isinstance(each, ast.Attribute) and each.attr in {"get", "get_nowait"} and growing.is_same(each.value, target)
        and any(isinstance(loop, ast.While) for loop in look.module.loops_of(each))
    } - {None}  # fmt: skip
    is_filled = any(
        (function := look.module.function_of(each)) is not None
        and takes - {function}
        and (putting.goes_on(look, each) or putting.is_of_the_caller(look, each) or (putting.is_received(look, each)))
        and not _is_passed_on(look, each)
        for each in puts
    )
    return Confidence.LIKELY if is_filled else Confidence.MAYBE


def _is_passed_on(look: Look, put: ast.Call) -> bool:
    """Whether the loop that puts takes from another queue: what comes out is as much as went in."""
    return any(
        isinstance(each, ast.Call) and putting.name_of(each.func) in {"get", "get_nowait"} and isinstance(each.func, ast.Attribute)
        and len(each.args) == 0
        for loop in look.module.loops_of(put) for each in ast.walk(loop)
    )  # fmt: skip


def _handed(look: Look, nodes: list[ast.AST], target: ast.expr, steps: int = STEPS_MAX) -> list[Use]:
    """Where functions and classes of this file, which are handed it, use it by a name of their own."""
    found: list[Use] = []
    if steps <= 0:
        return found
    for call in nodes:
        if not isinstance(call, ast.Call):
            continue
        for function, name in _parameters(look, call, target):
            inner: list[ast.AST] = list(ast.walk(function))
            owner = look.module.class_of(function)
            if function.name == "__init__" and owner is not None:
                kept = [
                    each.targets[0] for each in inner
                    if isinstance(each, ast.Assign) and isinstance(each.value, ast.Name) and each.value.id == name
                    and isinstance(each.targets[0], ast.Attribute)
                ]  # fmt: skip
                found.extend(Use(list(ast.walk(owner)), each) for each in kept)
                continue
            own = ast.Name(name)
            found.append(Use(inner, own))
            found.extend(_handed(look, inner, own, steps - 1))
    return found


def _parameters(
    look: Look, call: ast.Call, target: ast.expr
) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, str]]:
    """The functions of this file that a call hands it to, each with the name it has there; also by way of a thread, or of `submit`."""
    function = _called(look, call.func)
    if function is not None:
        yield from _named(function, call.args, call.keywords, target)
        return
    given = {each.arg: each.value for each in call.keywords}
    if (worker := _called(look, given.get("target"))) is not None:
        args = given.get("args")
        yield from _named(worker, args.elts if isinstance(args, ast.Tuple | ast.List) else [], [], target)
        return
    for place, each in enumerate(call.args[:2]):
        if isinstance(each, ast.Name | ast.Attribute) and (worker := look.values.function(each)) is not None:
            yield from _named(worker, call.args[place + 1 :], call.keywords, target)


def _called(look: Look, node: ast.expr | None) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The function of this file, or the `__init__` of its class."""
    if node is None:
        return None
    if (function := look.values.function(node)) is not None:
        return function
    if isinstance(node, ast.Name):
        for each in look.module.scope_of(node).lookup(node.id):
            if isinstance(each.node, ast.ClassDef):
                return next(
                    (one for one in each.node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"), None
                )
    return None


def _named(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    args: list[ast.expr],
    keywords: list[ast.keyword],
    target: ast.expr,
) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, str]]:
    names = [each.arg for each in [*function.args.posonlyargs, *function.args.args]]
    if names[:1] in (["self"], ["cls"]):
        names = names[1:]
    for name, each in zip(names, args, strict=False):
        if growing.is_same(each, target):
            yield function, name
    for keyword in keywords:
        if keyword.arg is not None and growing.is_same(keyword.value, target):
            yield function, keyword.arg


def _of_others(look: Look, call: ast.Call, target: ast.expr) -> list[Use]:
    """Where others put into a queue that is an attribute of an object: `subscriber.queue.put(…)`, if only one class has such a queue."""
    owner = look.module.class_of(call)
    if owner is None or not isinstance(target, ast.Attribute):
        return []
    name = target.attr
    if any(name in look.values.selves(each) for each in look.module.of(ast.ClassDef) if each is not owner):
        return []
    holders = {
        ast.dump(each.value): each for each in look.module.of(ast.Attribute)
        if each.attr == name and isinstance(each.value, ast.Name) and each.value.id not in {"self", "cls"}
    }  # fmt: skip
    nodes: list[ast.AST] = [*look.module.of(ast.Call), *look.module.of(ast.Attribute)]
    return [Use(nodes, each) for each in holders.values()]


def _is_of_a_subscriber(look: Look, nodes: list[ast.AST], target: ast.expr) -> bool:
    """Whether it is kept among others of its kind, and a loop over them puts into each what a function was handed."""
    kept = [
        *(found.target for each in nodes if (found := growing.added(each)) is not None and isinstance(each, ast.Call) and any(growing.is_same(one, target) for one in each.args)),
        *(one.value for each in nodes if isinstance(each, ast.Assign) and growing.is_same(each.value, target) for one in each.targets if isinstance(one, ast.Subscript)),
    ]  # fmt: skip
    names = {_last(each) for each in kept} - {""}
    if not names:
        return False
    for call in look.module.of(ast.Call):
        func = call.func
        if not (isinstance(func, ast.Attribute) and func.attr in PUTS - {"append", "extend", "appendleft"}):
            continue
        if isinstance(func.value, ast.Name) and putting.is_given(look, call):
            for loop in look.module.loops_of(call):
                if (
                    isinstance(loop, ast.For)
                    and func.value.id in growing.names_in(loop.target)
                    and names & {_last(each) for each in ast.walk(loop.iter) if isinstance(each, ast.expr)}
                ):
                    return True
    return False


def _last(node: ast.expr) -> str:
    """The last part of a name, below what it is taken from by a key."""
    while isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"setdefault", "get"}:
        node = node.func.value
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


RULE = Rule("FW401", "unbounded-queue", "A queue without a bound holds all that is not taken yet.", _check)
