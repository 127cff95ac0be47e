"""FW503: pools are cleared in normal operation, so that each round makes anew what was kept for it.

Covers:     `flatwater.clear_pools()`, `dispose()` of a module's engine and `clear()` of a pool of connections, in a loop, or in a function that is no
            end and no test.
Not here:   at the end of a program, behind the `yield` of a lifespan, in a shedder of a budget (`budget.on_pressure`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import growing, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.nodes import own_nodes
from flatwater.lint.rule import Found, Look, Rule

CLEARS = frozenset({"flatwater.clear_pools", "flatwater.build.clear_pools", "flatwater.build.pools.clear_pools"})
MESSAGE = "pools are bounded, and kept for the next object: clearing them here makes everything anew; leave them, or clear them under pressure (`budget.on_pressure`)."
ENDS = ("close", "stop", "shutdown", "teardown", "exit", "shed", "pressure", "reset", "cleanup", "__exit__", "main")


CONNECTED = "connections are kept for the next {what}: giving them up here opens new ones each time; leave them, and end them where the program ends."
FIXTURES = frozenset(
    {
        "setUp",
        "tearDown",
        "setUpClass",
        "tearDownClass",
        "setup_method",
        "teardown_method",
        "setup_class",
        "teardown_class",
    }
)
AROUND = ("contextmanager", "asynccontextmanager", "fixture")
VERBS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def _check(look: Look) -> Iterator[Found]:
    for call in look.module.of(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"dispose", "clear"}:
            what = _ends(look, call, call.func)
            if what:
                yield Found(call, CONNECTED.format(what=what), Confidence.LIKELY)
            continue
        if look.origin(call.func) not in CLEARS:
            continue
        if look.module.loops_of(call):
            yield Found(call, MESSAGE, Confidence.SURE)
            continue
        function = look.module.function_of(call)
        name = getattr(function, "name", "")
        if name in FIXTURES:
            continue  # around each test
        if (
            function is not None
            and name
            and not any(each in name.lower() for each in ENDS)
            and not _is_behind(call, function)
        ):
            yield Found(call, MESSAGE, Confidence.LIKELY)


def _is_behind(call: ast.Call, function: ast.AST) -> bool:
    """Whether it stands behind the `yield` of a context or a fixture, so that it runs when all that is inside has ended."""
    return any(
        ast.unparse(each.func if isinstance(each, ast.Call) else each).rpartition(".")[2] in AROUND
        for each in getattr(function, "decorator_list", [])
    ) and any(isinstance(each, ast.Yield) and each.lineno < call.lineno for each in own_nodes(function))


def _ends(look: Look, call: ast.Call, func: ast.Attribute) -> str:
    """What connections are given up right behind, in the function that made it: a statement or a request; "" if none."""
    function = look.module.function_of(call)
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or call.args:
        return ""
    name = function.name.lower()
    if (
        any(each in name for each in ENDS)
        or wording.is_of_set_up(name)
        or name in {"run", "start", "__init__", "__del__"}
    ):
        return ""
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    if not [each for each in arguments if each.arg not in {"self", "cls"}] or any(
        isinstance(each, ast.ExceptHandler | ast.If) for each in look.module.parents(call)
    ):
        return ""
    if isinstance(func.value, ast.Name) and any(
        each.how != "param" for each in look.module.own_scope(function).names.get(func.value.id, [])
    ):
        return ""  # the function's own, which ends with it
    if func.attr == "clear":
        return "request" if any(_asks(each, func.value) for each in own_nodes(function)) else ""
    if not isinstance(func.value, ast.Name):
        return ""
    value = look.value(func.value)
    scope = look.module.scope_of(func.value).holding(func.value.id)
    is_of_module = (
        value is not None and value.kind == "sa.engine" and scope is not None and scope.node is look.module.tree
    )
    is_used = any(
        isinstance(each, ast.Attribute) and each.attr in {"begin", "connect", "execute"} and growing.is_same(each.value, func.value)
        for each in own_nodes(function)
    )  # fmt: skip
    return "statement" if is_of_module and is_used else ""


def _asks(node: ast.AST, pool: ast.expr) -> bool:
    """Whether it sends a request by a pool: `pool.request("GET", url)`."""
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"request", "urlopen"}
        and growing.is_same(node.func.value, pool) and bool(node.args) and isinstance(node.args[0], ast.Constant) and node.args[0].value in VERBS
    )  # fmt: skip


RULE = Rule(
    "FW503", "pools-cleared", "Pools are cleared in normal operation.", _check, ("clear_pools", ".dispose()", ".clear()"),
)  # fmt: skip
