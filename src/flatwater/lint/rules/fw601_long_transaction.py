"""FW601: a transaction is open while something slow is done for each row.

Covers:     `atomic`, `begin`, a connection's `with`, a cursor that is gone over, around what asks a network or sleeps for each row.
Not here:   loops that only write.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint.finding import Confidence
from flatwater.lint.nodes import own_nodes
from flatwater.lint.rule import Found, Look, Rule

SLOW = (
    "requests.",
    "httpx.",
    "urllib.request.urlopen",
    "time.sleep",
    "asyncio.sleep",
    "subprocess.",
    "smtplib.",
    "boto3.",
    "aiohttp.",
    "paramiko.",
    "ftplib.",
    "os.system",
)
SERVICES = (
    "stripe.",
    "twilio.",
    "sendgrid.",
    "mailgun.",
    "mailchimp_",
    "openai.",
    "anthropic.",
    "cohere.",
    "mistralai.",
    "slack_sdk.",
    "google.cloud.",
    "googleapiclient.",
    "azure.storage.",
    "botocore.",
    "elasticsearch.",
    "opensearchpy.",
    "telegram.",
    "firebase_admin.",
    "django.core.mail.",
    "geopy.geocoders.",
    "smtplib.",
    "imaplib.",
    "ftplib.",
    "paramiko.",
    "fabric.",
    "xmlrpc.client.",
    "http.client.",
)  # whose calls go to another machine
AT_HAND = frozenset({"bucket", "blob", "collection", "document", "close", "quit"})  # which ask nobody
STEPS_MAX = 4  # of names that are followed to the client
SLOW_KINDS = frozenset({"http.session", "aio.session", "boto", "mongo.collection", "redis"})
ATOMIC = frozenset({"django.db.transaction.atomic"})


def _check(look: Look) -> Iterator[Found]:
    told: set[ast.AST] = set()
    for block in look.module.withs():
        confidence = max(
            (_opens(look, each.context_expr) for each in block.items), default=None, key=lambda each: each or 0
        )
        if confidence:
            yield from _slow(look, block, confidence, told)
    for loop in look.module.fors():
        over = look.value(loop.iter)
        if over is not None and over.kind in {"db.cursor", "db.server_cursor"}:
            yield from _slow(look, loop, min(over.confidence, Confidence.LIKELY), told)
    for function in look.module.functions():
        if any(
            look.origin(each.func if isinstance(each, ast.Call) else each) in ATOMIC for each in function.decorator_list
        ):
            yield from _slow(look, function, Confidence.SURE, told)


def _opens(look: Look, node: ast.expr) -> Confidence | None:
    if look.origin(node.func if isinstance(node, ast.Call) else node) in ATOMIC:
        return Confidence.SURE
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"begin", "transaction", "begin_nested", "atomic"}
    ):
        holder = look.value(node.func.value)
        if holder is not None and holder.kind.startswith(("sa.", "db.", "pg.")):
            return holder.confidence
        return None
    value = look.value(node)
    if (
        value is not None
        and value.kind in {"db.connection", "db.client"}
        and isinstance(node, ast.Name | ast.Attribute)
    ):
        return min(value.confidence, Confidence.LIKELY)
    return None


def _slow(look: Look, block: ast.AST, confidence: Confidence, told: set[ast.AST]) -> Iterator[Found]:
    for call in own_nodes(block):
        if not isinstance(call, ast.Call) or call in told:
            continue
        loops = [
            each
            for each in look.module.loops_of(call)
            if each is block or any(above is block for above in look.module.parents(each))
        ]
        if not loops or not (_is_slow(look, call)):
            continue
        told.add(call)
        yield Found(
            call,
            "the transaction stays open, with all that it holds, while this is done for each row; do it before or after, or commit in batches.",
            confidence,
        )


def _is_slow(look: Look, call: ast.Call) -> bool:
    if look.origin(call.func).startswith(SLOW):
        is_turn = bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0
        return not is_turn  # `sleep(0)` lets others have their turn
    if isinstance(call.func, ast.Attribute):
        holder = look.value(call.func.value)
        if holder is not None and holder.kind in SLOW_KINDS:
            return True
    return _is_of_a_service(look, call)


def _is_of_a_service(look: Look, call: ast.Call) -> bool:
    """Whether it calls a function of a service's library, or a method of a client that is made with one."""
    origin = look.origin(call.func)
    last = origin.rpartition(".")[2] or (call.func.attr if isinstance(call.func, ast.Attribute) else "")
    if not last[:1].islower() or last in AT_HAND:
        return False  # what is made, or named, is not asked yet
    return origin.startswith(SERVICES) or (not origin and _client(look, call.func).startswith(SERVICES))


def _client(look: Look, node: ast.expr | None, steps: int = STEPS_MAX) -> str:
    """What a chain of attributes and calls begins with: the class of the client, by an import, a `with` or an annotation."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Await):
        if isinstance(node, ast.Call) and (origin := look.origin(node.func)):
            return origin
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            owner = look.module.class_of(node)
            bindings = look.values.selves(owner).get(node.attr, []) if owner is not None else []
            break
        node = node.func if isinstance(node, ast.Call) else node.value
    else:
        bindings = look.module.scope_of(node).lookup(node.id) if isinstance(node, ast.Name) else []
    if len(bindings) != 1 or steps <= 0:
        return ""
    if bindings[0].annotation is not None:
        return look.origin(bindings[0].annotation)
    return _client(look, bindings[0].value, steps - 1) if bindings[0].how in {"is", "enters"} else ""


RULE = Rule("FW601", "long-transaction", "A transaction is open while something slow is done for each row.", _check)
