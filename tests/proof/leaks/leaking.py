"""Small programs that leak in one way each, and their twins that do not; imported by fresh processes."""

from __future__ import annotations

import asyncio
import ctypes
import functools
import gc
import io
import itertools
import logging
import mmap
import os
import queue
import random
import re
import socket
import sqlite3
import struct
import threading
import weakref
from collections import OrderedDict, deque
from xml.etree import ElementTree as ET


class Node:
    def __init__(self, parent=None):
        self.parent = parent
        self.children = []


class Slim:
    __slots__ = ("following",)


class Registry:
    items = []  # noqa: RUF012 - the mistake that is looked for


class House:
    """Everything the actions keep, in one place that is emptied after each test."""

    def __init__(self):
        self.rows = []
        self.table = {}
        self.buffer = bytearray()
        self.stream = io.BytesIO()
        self.text = ""
        self.head = None
        self.seen = set()


HOUSE = House()
LIBC = ctypes.CDLL(None)
LIBC.malloc.restype = ctypes.c_void_p
LIBC.malloc.argtypes = (ctypes.c_size_t,)
LIBC.free.argtypes = (ctypes.c_void_p,)
STOP = threading.Event()


@functools.cache
def squares(number):
    return [number]


@functools.lru_cache(maxsize=4)
def few_squares(number):
    return [number] * 10


@functools.lru_cache(maxsize=1000)
def many_squares(number):
    return [number]


def count():
    HOUSE.table["n"] = HOUSE.table.get("n", 10_000) + 1
    return HOUSE.table["n"]


def one_small_object():
    HOUSE.rows.append(object())


def dict_entry():
    number = count()
    HOUSE.table[number] = str(number) * 200


def class_attribute():
    Registry.items.append(Node())


def default_argument(acc=[]):  # noqa: B006 - the mistake that is looked for
    acc.append(Node())


def buffers():
    HOUSE.buffer += b"xx"


def streams():
    HOUSE.stream.write(b"0123456789")


def cached():
    squares(count())


def linked_list():
    node = Slim()
    node.following = HOUSE.head
    HOUSE.head = node


def string_that_grows():
    HOUSE.text += "x"


def native(size=65536, *, free=False):
    block = LIBC.malloc(size)
    ctypes.memset(block, 1, size)
    if free:
        LIBC.free(block)


def pages(*, close=False):
    mapped = mmap.mmap(-1, 65536)
    mapped.write(b"x" * 65536)
    if close:
        mapped.close()
    else:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(mapped))  # C code that never gives it back


def references_never_given_back():
    for _ in range(20):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(str(random.random())))


def thread_that_stays():
    threading.Thread(target=STOP.wait, daemon=True).start()


def thread_that_ends():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


async def waits_for_ever():
    await asyncio.Event().wait()


async def task_that_stays():
    HOUSE.seen.add(asyncio.create_task(waits_for_ever()))


async def task_that_ends():
    task = asyncio.create_task(asyncio.sleep(0))
    await task


def file_that_stays():
    HOUSE.rows.append(open(__file__))  # noqa: SIM115 - the mistake that is looked for


def sockets_that_stay():
    HOUSE.rows += socket.socketpair()


def file_that_is_closed():
    with open(__file__) as file:
        file.read(10)


def tree():
    root = Node()
    root.children.append(Node(root))


def straight_tree():
    Node().children.append(Node())


class Noise:
    """A program that is busy and keeps a bounded amount."""

    def __init__(self):
        self.random = random.Random(7)
        self.lru = OrderedDict()
        self.recent = deque(maxlen=5)
        self.once = None
        for number in range(50):
            self.lru[number] = self._row()

    def _row(self):
        return {"text": "x" * self.random.randrange(2000), "list": [object()] * self.random.randrange(50)}

    def __call__(self):
        for _ in range(self.random.randrange(20)):
            self.lru[self.random.randrange(10**6)] = self._row()
            while len(self.lru) > 50:
                self.lru.popitem(last=False)
        self.recent.append([self._row() for _ in range(self.random.randrange(10))])
        if self.once is None:
            import wave  # an import on demand

            self.once = wave
        few_squares(self.random.randrange(100))
        re.compile(f"a{self.random.randrange(3)}").match("a1")
        logging.getLogger("noise").info("at %s", self.random.random())
        namespace = {}
        exec("class Row: pass\nrow = Row()", namespace)
        sum(self.random.random() for _ in range(100))
        try:
            raise ValueError("expected")  # noqa: TRY301 - its traceback is what is made
        except ValueError as error:
            self.last = error


def taken_back():
    HOUSE.rows.pop()


def native_freed():
    native(free=True)


def pages_closed():
    pages(close=True)


def whole_loop():
    asyncio.run(task_that_ends())


def loop_and_thread_that_end():
    whole_loop()
    thread_that_ends()


def caches_that_fill():
    bounded_cache()
    pattern()


def collector_off():
    gc.disable()
    tree()


def bounded_cache():
    many_squares(count())


def pattern():
    re.compile(f"pattern {count()}")


NOISE = Noise()


def noise():
    NOISE()


def leak_in_noise():
    NOISE()
    HOUSE.rows.append(object())


def closure():
    rows = []

    def append():
        rows.append(Node())

    return append


append_in_closure = closure()


async def three_kinds():
    one_small_object()
    native()
    await task_that_stays()


def all_that_python_holds():
    one_small_object()
    dict_entry()
    class_attribute()
    default_argument()
    append_in_closure()
    buffers()
    streams()
    cached()
    string_that_grows()


def other_kinds():
    thread_that_stays()
    file_that_stays()
    sockets_that_stay()
    collector_off()


async def twins():
    native_freed()
    pages_closed()
    await task_that_ends()
    file_that_is_closed()
    straight_tree()
    tree()


class Leak:
    def __init__(self):
        self.following = None


def lab():
    """Many objects in one circle, the collector off."""
    gc.disable()
    circle = [Leak() for _ in range(1_000_000)]
    for one, following in itertools.pairwise(circle):
        one.following = following
    circle[-1].following = circle[0]


class Service:
    """What bounded programs keep: each is full, or fills up to a bound that is known."""

    def __init__(self):
        self.recent = deque(maxlen=10)
        self.lines = deque(maxlen=12)
        self.by_worker = {}
        self.waiting = deque(maxlen=1000)
        self.connection = sqlite3.connect(":memory:")
        self.tree = ET.fromstring("<a><b/></a>")

    def __call__(self):
        number = next(NUMBERS)
        self.recent.append(f"request {number}")
        self.lines.append({"id": number, "line": f"GET /item/{number}"})
        self.by_worker[number % 9] = f"row {number}"
        self.waiting.append(number * 1000)
        self.connection.execute("select 1").fetchall()
        self.tree.findall(f"b[{number}]")
        struct.pack(f"{number}s", b"x")
        sixteen_lines(number)


@functools.lru_cache(maxsize=16)
def sixteen_lines(number):
    return f"value {number}"


NUMBERS = itertools.count(1)
SERVICE = Service()


def bounded():
    SERVICE()


class Stores:
    """What is made anew on each round, a little larger."""

    def __init__(self):
        self.mapping = {}
        self.members = frozenset()
        self.read_back = io.BytesIO()
        self.ordered = OrderedDict()
        self.queue = queue.SimpleQueue()
        self.handlers = []
        self.known_handlers = weakref.WeakSet()


STORES = Stores()


def made_anew():
    number = next(NUMBERS)
    STORES.mapping = {**STORES.mapping, number: None}
    STORES.members |= {number}


def one_row_each():
    """Four causes, of which each could be told twice."""
    STORES.ordered[next(NUMBERS)] = None
    STORES.queue.put(None)
    handler = Node()
    STORES.handlers.append(handler)
    STORES.known_handlers.add(handler)
    STORES.read_back.seek(0, io.SEEK_END)
    STORES.read_back.write(b"x" * 1000)
    STORES.read_back.seek(0)


def child_that_nobody_waits_for():
    if os.fork() == 0:
        os._exit(0)


def set_apart():
    HOUSE.rows.append(Node())
    gc.freeze()


def nothing_set_apart():
    gc.freeze()


def small_native():
    LIBC.malloc(64)


class Row:
    def __init__(self):
        self.number = 1


def many_rows():
    HOUSE.rows.append([Row() for _ in range(5_000)])
