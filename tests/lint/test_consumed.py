"""Names that stand for messages."""

from __future__ import annotations

import ast

import pytest

from flatwater.lint import consumed
from flatwater.lint.module import Module
from flatwater.lint.rule import Look

HEAD = "import json\nimport socket\nfrom kafka import KafkaConsumer\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(topic):\n    for message in KafkaConsumer(topic): print(message)", {"message"}),
        ("def f(topic):\n    c = KafkaConsumer(topic)\n    for each in c:\n        event = json.loads(each.value)\n        print(event)", {"each", "event"}),
        ("async def f(ws):\n    async for text in ws.iter_text(): print(text)", {"text"}),
        ("def f(port):\n    s = socket.socket(port)\n    while True:\n        data, peer = s.recvfrom(9)\n        print(data)", {"data", "peer"}),
        ("def f(port):\n    s = socket.socket(port)\n    data = s.recv(9)\n    print(data)", set()),
        ("def f(rows):\n    for row in rows: print(row)", set()),
        ("def f(pipe):\n    while True:\n        data = pipe.recv()\n        print(data)", set()),
    ],
)  # fmt: skip
def test_names_of_messages(text, names):
    """Of a loop over a consumer, or an endless one that takes from it; of somebody's loop none."""
    module = Module(HEAD + text, "a.py")
    (call,) = (
        each
        for each in ast.walk(module.tree)
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "print"
    )
    assert consumed.names(Look(module), call, module.function_of(call)) == names


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("def f(s):\n    x, peer = s.accept()\n    print(x)", True), ("def f(s):\n    x = s.open()\n    print(x)", False)],
)
def test_accepted(text, is_one):
    """A connection is what a socket has taken."""
    module = Module(text, "a.py")
    (call,) = (each for each in ast.walk(module.tree) if isinstance(each, ast.Call) and isinstance(each.func, ast.Name))
    assert consumed.is_accepted(Look(module), call.args) is is_one
