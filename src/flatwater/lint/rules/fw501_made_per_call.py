"""FW501: an engine, a client, a session or a pool is made in a loop, or anew in each call.

Covers:     factories of SQLAlchemy, boto3, requests, httpx, aiohttp, Redis, MongoDB and the drivers' pools.
Not here:   what a function makes to give it back, and what an object makes once.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import handlers, uses, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.fixed import is_fixed
from flatwater.lint.nodes import own_nodes
from flatwater.lint.rule import Found, Look, Rule
from flatwater.lint.rules.fw301_cache_on_method import is_cache

HEAVY = frozenset(
    {"sa.engine", "db.pool", "boto", "mongo", "redis", "sa.maker", "http.session", "aio.session", "pg.pool", "client"}
)
LIGHT = frozenset({"sa.session"})
IN_A_LOOP = LIGHT | {"executor", "pool", "fw.builder"}  # in a loop only: a call may well have its own
KEPT_OPEN = frozenset({"sa.engine", "db.pool", "pg.pool"})  # what goes on holding connections until it is told to end
RETRIES = frozenset({"range", "itertools.count"})


def _check(look: Look) -> Iterator[Found]:
    for call in look.module.of(ast.Call):
        name = look.origin(call.func)
        value = look.value(call) if name else None
        if value is None or value.call is not call or value.kind not in HEAVY | IN_A_LOOP:
            continue
        function = look.module.function_of(call)
        loops = [each for each in look.module.loops_of(call) if not _is_short(look, each)]
        short = name.rpartition(".")[2]
        is_built_on = False
        if loops and not _leaves(look, call):
            yield Found(
                call,
                f"`{short}` is made in each round of the loop; make it once, before the loop.",
                Confidence.MAYBE if _differs(call, loops[0]) else _in_a_loop(look, value.kind, value.confidence),
            )
        elif (
            function is not None
            and value.kind in HEAVY
            and not isinstance(function, ast.Lambda)
            and (not _is_kept(look, call, function) or (is_built_on := _is_built_on(look, call, function)))
        ):
            yield Found(
                call,
                f"`{short}` is made anew in each call; make it once, and hand it in.",
                Confidence.LIKELY if is_built_on else _per_call(look, call, function, value.kind),
            )


def _is_built_on(look: Look, call: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function makes an engine to give back a session that is bound to it, and other functions call it for each session."""
    named = uses.name_of(look.module, call)
    if named is None or (value := look.value(call)) is None or value.kind != "sa.engine":
        return False
    if function.decorator_list or len(look.module.own_scope(function).names.get(named.id, [])) != 1:
        return False
    if "global" in look.module.own_scope(function).elsewhere.values():
        return False
    results = [each.value for each in own_nodes(function) if isinstance(each, ast.Return) and each.value is not None]
    if not results or not all(_is_session(look, each) for each in results):
        return False
    reads = [
        each for each in own_nodes(function) if isinstance(each, ast.Name) and each.id == named.id and each is not named
    ]
    if not reads or any(not _is_bound(look, each) for each in reads):
        return False
    callers = [
        look.module.function_of(each) for each in look.module.of(ast.Call) if look.values.function(each.func) is function
    ]  # fmt: skip
    return any(
        isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name not in {"main", "__init__", "setup", "setUp"}
        for each in callers
    )  # fmt: skip


def _is_session(look: Look, node: ast.expr) -> bool:
    """Whether it is a session: of the class, or of a maker that is called."""
    value = look.value(node)
    if value is not None:
        return value.kind == "sa.session"
    node = look.values.resolved(node) or node
    made = look.value(node.func) if isinstance(node, ast.Call) else None
    return made is not None and made.kind == "sa.maker"


def _is_bound(look: Look, read: ast.Name) -> bool:
    """Whether a session or its maker is bound to it there, or its tables are made."""
    above = look.module.above.get(read)
    if isinstance(above, ast.keyword):
        above = look.module.above.get(above)
    if not isinstance(above, ast.Call):
        return False
    value = look.value(above)
    return (value is not None and value.kind in {"sa.session", "sa.maker"}) or (
        isinstance(above.func, ast.Attribute) and above.func.attr == "create_all"
    )


def _executes(function: ast.AST) -> bool:
    """Whether it runs a statement itself: what only inspects, configures or hands on is called once for each database."""
    return any(
        isinstance(each, ast.Call)
        and (each.func.attr if isinstance(each.func, ast.Attribute) else getattr(each.func, "id", ""))
        in {"execute", "exec_driver_sql", "executemany", "read_sql", "read_sql_query", "to_sql", "scalars", "fetch"}
        for each in own_nodes(function)
    )


def _differs(call: ast.Call, loop: ast.AST) -> bool:
    """Whether what it is made with is computed in the loop: another one is needed in each round."""
    bound = {each.id for each in ast.walk(loop) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    given = [*call.args, *(each.value for each in call.keywords)]
    return any(isinstance(each, ast.Name) and each.id in bound for part in given for each in ast.walk(part))


def _in_a_loop(look: Look, kind: str, sure: Confidence) -> Confidence:
    if "alembic" in look.module.imports:
        return Confidence.MAYBE  # a migration runs once
    if kind in {"executor", "pool"}:
        return Confidence.MAYBE  # its workers end with the round
    return Confidence.LIKELY if kind in IN_A_LOOP else sure


def _is_short(look: Look, loop: ast.AST) -> bool:
    """A loop over what is written down, or one that tries again."""
    if isinstance(loop, ast.While):
        return True
    over = loop.iter if isinstance(loop, ast.For | ast.AsyncFor) else loop.generators[0].iter  # type: ignore[attr-defined]
    return is_fixed(look, over) or (isinstance(over, ast.Call) and look.origin(over.func) in RETRIES)


def _leaves(look: Look, call: ast.Call) -> bool:
    """Whether what is made stays behind the loop on purpose: it is put somewhere, one for each key."""
    above = look.module.above.get(call)
    while isinstance(above, ast.Await | ast.Tuple | ast.Starred):
        above = look.module.above.get(above)
    if isinstance(above, ast.Assign):
        return any(isinstance(each, ast.Subscript | ast.Attribute) for each in above.targets)
    if isinstance(above, ast.DictComp) or (isinstance(above, ast.ListComp) and above.elt is call):
        return True
    return isinstance(above, ast.Return | ast.Yield) or (
        isinstance(above, ast.Call)
        and isinstance(above.func, ast.Attribute)
        and above.func.attr in {"append", "enter_context", "enter_async_context", "setdefault"}
    )


def _is_kept(look: Look, call: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the function gives it back, keeps it, or runs once."""
    if function.name in {
        "__init__",
        "__new__",
        "__enter__",
        "__aenter__",
        "setUp",
        "setup",
        "main",
        "__post_init__",
        "lifespan",
    }:
        return True
    if any(
        is_cache(look, each) or look.origin(each) in {"functools.cached_property", "property"}
        for each in function.decorator_list
    ):
        return True
    above: ast.AST | None = look.module.above.get(call)
    while isinstance(above, ast.Await | ast.BoolOp | ast.IfExp | ast.NamedExpr):
        above = look.module.above.get(above)
    if isinstance(above, ast.Return | ast.Yield):
        return True
    if isinstance(above, ast.Call):
        return True  # somebody else's now
    names = (
        {each.id for each in getattr(above, "targets", []) if isinstance(each, ast.Name)}
        if isinstance(above, ast.Assign)
        else set()
    )
    if isinstance(above, ast.AnnAssign) and isinstance(above.target, ast.Name):
        names = {above.target.id}
    if isinstance(above, ast.withitem) and isinstance(above.optional_vars, ast.Name):
        names = {above.optional_vars.id}
    if isinstance(above, ast.Assign) and any(not isinstance(each, ast.Name) for each in above.targets):
        return True
    own = look.module.own_scope(function)
    if any(own.elsewhere.get(each) for each in names):
        return True
    for each in own_nodes(function):
        if (
            isinstance(each, ast.Return | ast.Yield | ast.YieldFrom)
            and each.value is not None
            and names
            & {
                part.id
                for part in ast.walk(each.value)
                if isinstance(part, ast.Name) and not isinstance(look.module.above.get(part), ast.Attribute)
            }
        ):
            return True
        if (
            isinstance(each, ast.Assign)
            and isinstance(each.value, ast.Name)
            and each.value.id in names
            and not isinstance(each.targets[0], ast.Name)
        ):
            return True
    return False


def _per_call(look: Look, call: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef, kind: str) -> Confidence:
    """Likely where it holds connections until it is told to end, and is not, or where a request's handler makes it."""
    arguments = [
        each.arg
        for each in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        if each.arg not in {"self", "cls"}
    ]
    if kind in KEPT_OPEN and arguments:
        ends = any(
            isinstance(each, ast.Attribute) and each.attr in {"dispose", "close", "closeall"}
            for each in own_nodes(function)
        )
        is_needed = (
            ends
            or isinstance(look.module.above.get(call), ast.withitem)
            or "alembic" in look.module.text
            or "migrat" in ast.unparse(look.module.above.get(call) or call)
            or wording.is_of_set_up(function.name)
            or not _executes(function)
        )
        return Confidence.MAYBE if is_needed else Confidence.LIKELY
    is_again = handlers.is_handler(look, function) or _is_called_in_a_loop(look, function)
    return Confidence.LIKELY if is_again else Confidence.MAYBE


def _is_called_in_a_loop(look: Look, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the file calls it in each round of a loop that is not over what is written down."""
    return any(
        look.values.function(call.func) is function
        and any(not _is_short(look, each) for each in look.module.loops_of(call))
        for call in look.module.of(ast.Call)
    )


RULE = Rule("FW501", "made-per-call", "A client, a session, an engine or a pool is made again and again.", _check)
