"""Tasks and callbacks that stay."""

from __future__ import annotations

import pytest

HEAD = """
import asyncio
import atexit
"""

NOTHING = {
    "a callback of the module": "import asyncio\ndef done(task):\n    A.tasks.discard(task)\nclass A:\n    tasks = set()\n    def add(self, each):\n        task = asyncio.create_task(each)\n        self.tasks.add(task)\n        task.add_done_callback(done)",
    "each once": "def f(handlers, known):\n    for each in handlers:\n        handler = each.end\n        if handler not in known:\n            atexit.register(handler)\n            known.add(handler)",
    "the round of one": "def f(pairs, end):\n    for name, pid in pairs:\n        if name == 'PID':\n            atexit.register(end, pid)",
    "discarded when done": "class A:\n    def __init__(self): self.tasks = set()\n    def on(self, x):\n        task = asyncio.create_task(x)\n        self.tasks.add(task)\n        task.add_done_callback(self.tasks.discard)",
    "begun once": "class A:\n    def __init__(self): self.tasks = set()\n    def start(self, x): self.tasks.add(asyncio.create_task(x))",
    "something else": "class A:\n    def __init__(self): self.names = set()\n    def on(self, name): self.names.add(name)",
    "at the end, once": "atexit.register(print)",
    "a few": "for name in ('a', 'b'): atexit.register(print, name)",
}

FOUND = {
    "a set of tasks": (
        "class A:\n    def __init__(self): self.tasks = set()\n    def on(self, x): self.tasks.add(asyncio.create_task(x))",
        "likely",
    ),
    "for the end, in a loop": ("def f(paths):\n    for path in paths: atexit.register(print, path)", "likely"),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW403", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW403", HEAD + text)] == [confidence]
