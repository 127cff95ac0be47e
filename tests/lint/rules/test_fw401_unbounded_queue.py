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
    "what a broker holds back": "import queue\nclass A:\n    def __init__(self, channel):\n        channel.basic_qos(prefetch_count=25)\n        self.messages = queue.Queue()\n    def on_message(self, message): self.messages.put(message)",
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
    "a bound, handed to a function": "async def produce(reader, q):\n    while line := await reader.readline(): await q.put(line)\nasync def f(reader):\n    q = asyncio.Queue(100)\n    await asyncio.gather(produce(reader, q))",
    "an answer of a function": "def work(q):\n    q.put(1)\ndef f():\n    q = queue.Queue()\n    threading.Thread(target=work, args=(q,)).start()\n    return q.get()",
    "what a worker passes on": "def work(todo, q):\n    while True: q.put(todo.get())\ndef f(todo):\n    q = queue.Queue()\n    threading.Thread(target=work, args=(todo, q)).start()\n    while True: print(q.get())",
    "a deque that somebody measures": "class A(threading.Thread):\n    def __init__(self): self.waiting = collections.deque()\n    def emit(self, record):\n        if len(self.waiting) < 9: self.waiting.append(record)\n    def run(self):\n        while True: print(self.waiting.popleft())",
    "a deque that is emptied by who fills it": "class A(threading.Thread):\n    def __init__(self): self.waiting = collections.deque()\n    def emit(self, record):\n        self.waiting.append(record)\n        while self.waiting: print(self.waiting.popleft())",
    "of a script, without a loop that takes": "todo = queue.Queue()\ndef fill(items):\n    for item in items: todo.put(item)",
    "a bounded one of each object": "from dataclasses import dataclass, field\n@dataclass\nclass A:\n    inbox: asyncio.Queue = field(default_factory=lambda: asyncio.Queue(9))\n    def receive(self, message): self.inbox.put_nowait(message)",
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
    "what a function of the file puts": (
        "async def produce(reader, q):\n    while line := await reader.readline(): await q.put(line)\nasync def f(reader, use):\n    q = asyncio.Queue()\n    await asyncio.gather(produce(reader, q), use(q))",
        "likely",
    ),
    "what a process puts": (
        "import multiprocessing\ndef read(path, q):\n    with open(path) as file:\n        for line in file: q.put(line)\ndef f(path):\n    q = multiprocessing.Queue()\n    multiprocessing.Process(target=read, args=(path, q)).start()\n    return q",
        "likely",
    ),
    "what an object of the file puts": (
        "class Reader(threading.Thread):\n    def __init__(self, out): self.out = out\n    def run(self):\n        while True: self.out.put(input())\ndef f():\n    q = queue.Queue()\n    Reader(q).start()\n    return q",
        "likely",
    ),
    "of a module, with a thread that takes": (
        "jobs = queue.Queue()\ndef fill(items):\n    for item in items: jobs.put(item)\ndef work():\n    while True: print(jobs.get())",
        "likely",
    ),
    "a deque that a thread takes from": (
        "class A(threading.Thread):\n    def __init__(self): self.waiting = collections.deque()\n    def emit(self, record): self.waiting.append(record)\n    def run(self):\n        while True:\n            if self.waiting: print(self.waiting.popleft())",
        "likely",
    ),
    "one of each object": (
        "from dataclasses import dataclass, field\n@dataclass\nclass A:\n    inbox: asyncio.Queue = field(default_factory=asyncio.Queue)\ndef tell(everybody, message):\n    for one in everybody: one.inbox.put_nowait(message)",
        "likely",
    ),
    "of subscribers": (
        "class Hub:\n    def __init__(self): self.subscribers = set()\n    def publish(self, payload):\n        for q in self.subscribers: q.put_nowait(payload)\n    async def listen(self):\n        q = asyncio.Queue()\n        self.subscribers.add(q)\n        while True: yield await q.get()",
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
