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
    "forgotten when done": "class A:\n    def __init__(self): self.tasks = []\n    async def watch(self, source):\n        while True:\n            self.tasks = [each for each in self.tasks if not each.done()]\n            self.tasks.append(asyncio.create_task(await source.get()))",
    "a few threads": "import threading\nclass A:\n    def __init__(self): self.threads = []\n    def spread(self, work, count):\n        while len(self.threads) < count: self.threads.append(threading.Thread(target=work))",
    "a number of them": "import threading\nclass A:\n    def __init__(self): self.threads = []\n    def spread(self, work, n):\n        while n > 0:\n            self.threads.append(threading.Thread(target=work))\n            n -= 1",
    "of a loop that ends": "import threading\ndef f(jobs):\n    threads = []\n    while True:\n        job = jobs.get()\n        if job is None: break\n        threads.append(threading.Thread(target=job))\n    for each in threads: each.join()",
    "of a loop that is left": "import threading\ndef f(jobs):\n    threads = []\n    while True:\n        job = jobs.get()\n        if job is None: return threads\n        threads.append(threading.Thread(target=job))",
    "of a loop that asks how far it is": "import threading\ndef f(jobs):\n    threads, done = [], False\n    while not done:\n        threads.append(threading.Thread(target=jobs.get()))\n        done = jobs.empty()",
    "of each round": "import threading\ndef f(jobs):\n    while True:\n        threads = []\n        for job in jobs.get(): threads.append(threading.Thread(target=job))\n        for each in threads: each.join()",
    "of those that still run": "import threading\ndef f(server):\n    threads = []\n    while True:\n        threads = [each for each in threads if each.is_alive()]\n        threads.append(threading.Thread(target=print, args=server.accept()))",
    "of those that were dropped": "async def f(inbox, work):\n    tasks = set()\n    while True:\n        task = asyncio.create_task(work(await inbox.get()))\n        tasks.add(task)\n        task.add_done_callback(tasks.discard)",
    "a group's": "class A:\n    def __init__(self): self.tasks = []\n    def on(self, group, x): self.tasks.append(group.create_task(x))",
    "the last ones": "class A:\n    def __init__(self): self.tasks = []\n    def on(self, x):\n        self.tasks.append(asyncio.create_task(x))\n        del self.tasks[:-9]",
    "at the end, of a program": "def handle_signals(folder):\n    atexit.register(print, folder)",
    "at the end, something of the module": "def handle(request):\n    atexit.register(print)",
    "something else": "class A:\n    def __init__(self): self.names = set()\n    def on(self, name): self.names.add(name)",
    "at the end, once": "atexit.register(print)",
    "a few": "for name in ('a', 'b'): atexit.register(print, name)",
}

FOUND = {
    "a set of tasks": (
        "class A:\n    def __init__(self): self.tasks = set()\n    def on(self, x): self.tasks.add(asyncio.create_task(x))",
        "likely",
    ),
    "without an end": (
        "class A:\n    def __init__(self): self.tasks = []\n    async def run(self, source):\n        while True:\n            for each in await source.get(): self.tasks.append(asyncio.create_task(each))",
        "likely",
    ),
    "of a class": (
        "class A:\n    tasks = []\n    def on(self, x): A.tasks.append(asyncio.ensure_future(x))",
        "likely",
    ),
    "of a loop of events": (
        "class A:\n    def __init__(self, loop):\n        self.loop = loop\n        self.tasks = []\n    def on(self, x):\n        task = self.loop.create_task(x)\n        self.tasks.append(task)",
        "likely",
    ),
    "processes": (
        "import multiprocessing\nclass A:\n    def __init__(self): self.children = []\n    def watch(self, inbox):\n        while not self.stopped:\n            child = multiprocessing.Process(target=print, args=(inbox.get(),))\n            child.start()\n            self.children.append(child)",
        "likely",
    ),
    "of an endless loop": (
        "import threading\ndef serve(server):\n    clients = []\n    while True:\n        thread = threading.Thread(target=print, args=server.accept())\n        thread.start()\n        clients.append(thread)",
        "likely",
    ),
    "until a user stops it": (
        "import threading\ndef serve(server):\n    clients = []\n    while True:\n        try:\n            conn, peer = server.accept()\n        except KeyboardInterrupt:\n            break\n        clients.append(threading.Thread(target=print, args=(conn,)))",
        "likely",
    ),
    "tasks of an endless loop": (
        "async def f(inbox, work, stopped):\n    tasks = set()\n    while not stopped.is_set():\n        task = asyncio.create_task(work(await inbox.get()))\n        tasks.add(task)",
        "likely",
    ),
    "for the end, by a handler": (
        "import shutil, tempfile\ndef handle_upload(request):\n    folder = tempfile.mkdtemp()\n    atexit.register(shutil.rmtree, folder)",
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
