"""Loops that draw one part of a stream after another: `for`, and `while` that asks for the next part itself.

Covers:     what is drawn in a round, and from what; `fetchmany`, `read(n)`, `recv`, `poll`, pages by their tokens.
Not here:   what is done with the parts (`lint.growing`, the rules).
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from flatwater.lint.finding import Confidence
from flatwater.lint.module import Module
from flatwater.lint.nodes import own_nodes
from flatwater.lint.rule import Look
from flatwater.lint.values import Value

TOKENS = frozenset(
    {
        "after", "continuation_token", "continuationtoken", "cursor", "exclusivestartkey", "marker", "next", "next_page_token", "next_token",
        "nexttoken", "page", "page_cursor", "page_number", "page_token", "pagetoken", "scroll_id", "start_after", "startafter", "starting_after",
    }
)  # fmt: skip
CHUNKS = {"read": "file", "readline": "file", "read1": "file", "recv": "socket", "recvfrom": "socket"}


class Round(NamedTuple):
    """A loop over a stream.

    Attributes:
        loop: the statement.
        over: the stream.
        drawn: names that are bound to what a round draws.
        source: the expression that gives it.
    """

    loop: ast.For | ast.AsyncFor | ast.While
    over: Value
    drawn: frozenset[str]
    source: ast.expr


def rounds(look: Look) -> Iterator[Round]:
    """The loops of a file whose stream is known."""
    for loop in look.module.fors():
        over = look.value(loop.iter)
        if over is not None:
            yield Round(loop, over, names_bound(loop.target), loop.iter)
    for ask in look.module.of(ast.While):
        if (found := of_while(look, ask)) is not None:
            yield found


def of_while(look: Look, loop: ast.While) -> Round | None:
    """What a `while` draws: in its question, or in its first statements, with a break where nothing comes."""
    for bound, call in _asks(loop):
        if (over := _stream(look, loop, call)) is not None:
            return Round(loop, over, names_bound(bound), call)
    return None


def inside(loop: ast.For | ast.AsyncFor | ast.While) -> Iterator[ast.AST]:
    """What runs in each round."""
    for statement in loop.body:
        yield statement
        yield from own_nodes(statement)


def names_bound(target: ast.expr) -> frozenset[str]:
    """The names in a target."""
    return frozenset(each.id for each in ast.walk(target) if isinstance(each, ast.Name))


def ends_with_stream(found: Round, node: ast.Break) -> bool:
    """Whether a break stands below a question whether something was drawn, and not below one of how much there is."""
    for statement in found.loop.body:
        if isinstance(statement, ast.If) and node in statement.body:
            parts = list(ast.walk(statement.test))
            is_of_size = any(isinstance(each, ast.Gt | ast.GtE) for each in parts)
            return not is_of_size and any(isinstance(each, ast.Name) and each.id in found.drawn for each in parts)
    return False


def is_last(module: Module, node: ast.AST, loop: ast.AST) -> bool:
    """Whether the loop is left as soon as this has run: a `break` or a `return` ends its block, or one around it."""
    inner: ast.AST = node
    is_of_loop = module.loops_of(node)[0] is loop
    leaves = (ast.Break, ast.Return) if is_of_loop else (ast.Return,)  # a break ends the nearest loop
    for above in module.parents(node):
        for _field, block in ast.iter_fields(above):
            if isinstance(block, list) and inner in block and isinstance(block[-1], leaves):
                behind = block[block.index(inner) + 1 :]
                return not any(isinstance(each, ast.Continue) for one in behind for each in ast.walk(one))
        if above is loop:
            break
        inner = above
    return False


def _asks(loop: ast.While) -> Iterator[tuple[ast.expr, ast.Call]]:
    """Names, and the calls that they are bound to anew in each round."""
    for each in ast.walk(loop.test):
        if isinstance(each, ast.NamedExpr) and (call := _call(each.value)) is not None:
            yield each.target, call
    for statement in loop.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            if (call := _call(statement.value)) is not None:
                yield statement.targets[0], call
        elif isinstance(statement, ast.Try):
            for inner in statement.body:
                if (
                    isinstance(inner, ast.Assign)
                    and len(inner.targets) == 1
                    and (call := _call(inner.value)) is not None
                ):
                    yield inner.targets[0], call


def _call(node: ast.expr) -> ast.Call | None:
    """The call in it: also awaited, or with something taken out of it at once."""
    while isinstance(node, ast.Await | ast.Attribute | ast.Subscript):
        node = node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"json", "get"}:
        inner = node.func.value.value if isinstance(node.func.value, ast.Await) else node.func.value
        if isinstance(inner, ast.Call):
            return inner
    return node if isinstance(node, ast.Call) else None


def _is_next_page(look: Look, loop: ast.While, call: ast.Call) -> bool:
    """Whether it asks by HTTP for an address that the loop takes from the answer: `while url: …; url = answer["next"]`."""
    asked = look.value(call)
    if asked is None or asked.kind not in {"http.answer", "http.stream", "aio.answer", "http.reading"}:
        return False
    given = {
        each.id
        for part in [*call.args, *(each.value for each in call.keywords)]
        for each in ast.walk(part)
        if isinstance(each, ast.Name)
    }
    return any(
        isinstance(each, ast.Assign)
        and not isinstance(each.value, ast.Constant)
        and given & {name for target in each.targets for name in names_bound(target)}
        and not given & {name.id for name in ast.walk(each.value) if isinstance(name, ast.Name)}
        for each in inside(loop)
    )


def _stream(look: Look, loop: ast.While, call: ast.Call) -> Value | None:
    func = call.func
    if _is_next_page(look, loop, call):
        return Value("batches", Confidence.LIKELY, call)
    if not isinstance(func, ast.Attribute):
        return Value("batches", Confidence.LIKELY, call) if _is_paged(loop, call) else None
    holder = look.value(func.value)
    kind = holder.kind if holder is not None else ""
    if holder is not None and func.attr in {"fetchmany", "fetch_many"} and kind.startswith(("db.", "sa.")):
        return Value("batches", holder.confidence, call)
    if func.attr in {"fetchmany", "fetchone"} and kind.startswith("db.") and holder is not None:
        return Value("db.server_cursor", holder.confidence, call)
    if holder is not None and func.attr in CHUNKS and kind == CHUNKS[func.attr]:
        return Value("http.reading" if kind == "socket" else "file", holder.confidence, holder.call)
    if holder is not None and kind == "records" and func.attr in {"poll", "consume", "getone", "getmany"}:
        return Value("records", holder.confidence, holder.call)
    if (func.attr in {"recv", "recvfrom"} and len(call.args) == 1) or func.attr == "read_chunk":
        return Value("http.reading", Confidence.LIKELY, call)
    return Value("batches", Confidence.LIKELY, call) if _is_paged(loop, call) else None


def _is_paged(loop: ast.While, call: ast.Call) -> bool:
    """Whether it is asked for the next page by a token that the loop binds anew: `client.list(cursor=cursor)`."""
    given = [(each.arg.lower(), each.value) for each in call.keywords if each.arg is not None]
    for each in call.keywords:
        if each.arg in {"params", "json", "data"}:
            given += [
                (str(key.value).lower(), value)
                for part in ast.walk(each.value)
                if isinstance(part, ast.Dict)
                for key, value in zip(part.keys, part.values, strict=True)
                if isinstance(key, ast.Constant)
            ]
    tokens = {value.id for name, value in given if name in TOKENS and isinstance(value, ast.Name)}
    return bool(tokens) and any(
        isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store) and each.id in tokens for each in inside(loop)
    )
