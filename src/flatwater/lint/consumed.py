"""Names that stand for what comes as long as a program runs: messages of a consumer, connections of a socket.

Covers:     loops over consumers of Kafka, channels of Redis, websockets; endless loops that poll one, or a socket; names that are computed from a message.
Not here:   functions that a server calls (`lint.handlers`), values of a request (`lint.served`).
Holds:      nothing.
"""

from __future__ import annotations

import ast

from flatwater.lint import growing
from flatwater.lint.nodes import own_nodes
from flatwater.lint.rule import Look

CONSUMERS = frozenset(
    """
    aiokafka.AIOKafkaConsumer confluent_kafka.Consumer confluent_kafka.DeserializingConsumer kafka.KafkaConsumer
    """.split()  # noqa: SIM905 - words are read as words
)
LISTENS = frozenset({"listen", "iter_text", "iter_json", "iter_bytes"})  # of Redis, of websockets
TAKES = frozenset(
    """
    consume getone poll receive recv recv_json recv_multipart recv_string recvfrom
    """.split()  # noqa: SIM905 - words are read as words
)
SOCKETS = ("socket.", "websocket.", "websockets.", "zmq.")


def names(look: Look, node: ast.AST, function: ast.AST) -> set[str]:
    """The names around a node that stand for a message, or were computed from one."""
    found: set[str] = set()
    for loop in look.module.loops_of(node):
        if isinstance(loop, ast.For | ast.AsyncFor) and _is_consumer(look, loop.iter):
            found |= _bound(loop.target)
        elif isinstance(loop, ast.While) and isinstance(loop.test, ast.Constant):
            for each in ast.walk(loop):
                if isinstance(each, ast.Assign) and _is_taken(look, each.value):
                    found |= {name for target in each.targets for name in _bound(target)}
    if not found:
        return found
    assigned = [each for each in own_nodes(function) if isinstance(each, ast.Assign)]
    for each in sorted(assigned, key=lambda one: one.lineno):
        if found & set(growing.names_in(each.value)):
            found |= {name for target in each.targets for name in _bound(target)}
    return found


def is_accepted(look: Look, made_of: list[ast.expr]) -> bool:
    """Whether it is a connection that a socket has just taken: `clients.append(server.accept()[0])`."""
    for each in made_of:
        if isinstance(each, ast.Name):
            for binding in look.module.scope_of(each).lookup(each.id):
                value = getattr(binding.node, "value", None)
                value = value.value if isinstance(value, ast.Await) else value
                if (
                    isinstance(value, ast.Call)
                    and isinstance(value.func, ast.Attribute)
                    and value.func.attr == "accept"
                ):
                    return True
    return False


def _bound(target: ast.expr) -> set[str]:
    return {each.id for each in ast.walk(target) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def _is_consumer(look: Look, over: ast.expr) -> bool:
    """Whether a loop over it goes on as long as the program runs."""
    made = look.values.resolved(over)
    if isinstance(made, ast.Call) and look.origin(made.func) in CONSUMERS:
        return True
    value = look.value(over)
    if value is not None and value.call is not None and look.origin(value.call.func) in CONSUMERS:
        return True
    return isinstance(over, ast.Call) and isinstance(over.func, ast.Attribute) and over.func.attr in LISTENS


def _is_taken(look: Look, node: ast.expr) -> bool:
    """Whether it is the next message of a consumer or a socket: `consumer.poll(1.0)`."""
    node = node.value if isinstance(node, ast.Await) else node
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TAKES):
        return False
    made = look.values.resolved(node.func.value)
    origin = look.origin(made.func) if isinstance(made, ast.Call) else ""
    return origin in CONSUMERS or origin.startswith(SOCKETS)
