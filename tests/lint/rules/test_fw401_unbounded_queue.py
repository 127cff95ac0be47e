"""Queues without a bound."""

from __future__ import annotations

import pytest

HEAD = """
import asyncio
import collections
import queue
import threading
"""

NOTHING = {
    "somebody looks how long it is": "class A:\n    def __init__(self): self.inbox = queue.Queue()\n    def receive(self, message):\n        if self.inbox.qsize() < 10: self.inbox.put(message)",
    "a copy that nobody else sees": "def f(old):\n    new = queue.Queue()\n    while not old.empty(): new.put(old.get())\n    return [each for each in old]",
    "a search, breadth first": "def f(root):\n    todo = queue.Queue()\n    todo.put(root)\n    while not todo.empty():\n        for each in todo.get(): todo.put(each)",
    "what a dict holds": "def f(by_name, work):\n    todo = queue.Queue()\n    threading.Thread(target=work, args=(todo,)).start()\n    while by_name:\n        for each in by_name.values(): todo.put(each)",
    "a list that is there already": "import multiprocessing\ndef f(paths, work):\n    todo = multiprocessing.Queue()\n    for path in paths: todo.put(path)\n    multiprocessing.Process(target=work, args=(todo, len(paths))).start()",
    "a bound": "def f(items):\n    q = queue.Queue(maxsize=5)\n    for item in items: q.put(item)",
    "the last few": "class A:\n    def __init__(self): self.last = collections.deque(maxlen=5)\n    def on_event(self, event): self.last.append(event)",
    "a search": "def f(node):\n    todo = collections.deque([node])\n    while todo: todo.extend(todo.popleft())",
    "by priority": "def f(items):\n    q = queue.PriorityQueue()\n    for item in items: q.put(item)",
    "results": "def f(items):\n    results = queue.Queue()\n    for item in items: results.put(item)",
    "a few numbers": "def f():\n    q = queue.Queue()\n    for n in range(5): q.put(n)",
    "what there is already": "def f(items):\n    q = queue.Queue()\n    for item in items: q.put(item)",
    "one for each source": "class A:\n    def __init__(self): self.sources = queue.Queue()\n    def put(self, message): self.sources.put(message)",
    "somebody's queue": "from mine import Queue\ndef f(items):\n    q = Queue()\n    for item in items: q.put(item)",
}

FOUND = {
    "what a thread takes": (
        "def f(items, work):\n    q = queue.Queue()\n    threading.Thread(target=work, args=(q,)).start()\n    for item in items: q.put(item)",
        "likely",
    ),
    "messages": (
        "class A:\n    def __init__(self): self.inbox = queue.SimpleQueue()\n    def receive(self, message): self.inbox.put(message)",
        "likely",
    ),
    "a stream": (
        "async def f(source):\n    q = asyncio.Queue()\n    async for item in source: await q.put(item)",
        "likely",
    ),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW401", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW401", HEAD + text)] == [confidence]


def test_a_queue_that_nobody_is_seen_to_put_into(said):
    """It is a doubt, which is not told by default."""
    text = HEAD + "q = queue.Queue()"
    assert said("FW401", text) == []
    assert [how for _line, how in said("FW401", text, "maybe")] == ["maybe"]
