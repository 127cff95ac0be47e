"""Growing programs: buffers, native memory, tasks, SQLite; and those that grow with the square root or the logarithm of n."""

from __future__ import annotations

import array
import asyncio
import ctypes
import io
import logging
import logging.handlers
import math
import mmap
import queue
import sqlite3

from benchmarks.proof.programs.registry import grid, growing, heap, per_item, sqrt_of


@growing("linear", per_item(lambda typecode: array.array(typecode).itemsize), *grid(typecode=("H", "I", "d")))
def array_of_numbers(n: int, *, typecode: str) -> int:
    """A number of each item, as small as it goes."""
    numbers = array.array(typecode)
    for i in range(n):
        numbers.append(i & 255)
    return len(numbers)


@growing("linear", per_item(lambda width: width), *grid(width=(2, 4, 8, 16, 64, 200)))
def bytes_stream(n: int, *, width: int) -> int:
    """An answer built in memory instead of being sent."""
    stream = io.BytesIO()
    for _ in range(n):
        stream.write(b"x" * width)
    return stream.tell()


@growing("linear", per_item(lambda width, every: (heap(b"x" * width, 1 << 20, (1, 2)) + 8) / every), *grid(
    width=(8, 200), every=(1, 8, 40)
))  # fmt: skip
def fetchall(n: int, *, width: int, every: int) -> int:
    """A result read whole."""
    connection = sqlite3.connect(":memory:")
    rows = connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        "SELECT i + 1000, randomblob(?) FROM n WHERE i % ? = 0",
        (n, width, every),
    ).fetchall()
    connection.close()
    return len(rows)


@growing("linear", per_item(lambda width: width), *grid(width=(2, 4, 8, 16, 64, 200)))
def log_buffer(n: int, *, width: int) -> int:
    """Lines of a log in a buffer that nobody empties."""
    buffer = bytearray()
    line = b"x" * width
    for _ in range(n):
        buffer += line
    return len(buffer)


@growing("linear", per_item(lambda every: RECORD / every), *grid(every=(25, 60, 150, 280)))
def log_records(n: int, *, every: int) -> int:
    """Records that a handler keeps until an error comes."""
    handler = logging.handlers.MemoryHandler(1 << 30, flushLevel=logging.CRITICAL, flushOnClose=False)
    for i in range(n):
        if i % every == 0:
            handler.emit(logging.LogRecord("work", logging.INFO, "work.py", 1, "item %d done", (i,), None))
    kept = len(handler.buffer)
    handler.close()
    return kept


_RECORD = logging.LogRecord("work", logging.INFO, "work.py", 1, "item %d done", (1 << 20,), None)
RECORD = 8 + heap(_RECORD, vars(_RECORD), (1,), 1 << 20, *(1.5,) * 3, 1 << 40)  # times, thread, and its own arguments


@growing("linear", per_item(lambda block, items: block / items), *grid(block=(4_096, 65_536), items=(400, 1_500)))
def mappings_kept(n: int, *, block: int, items: int) -> int:
    """An anonymous mapping for every so many items, none of them given back."""
    kept: list[mmap.mmap] = []
    for i in range(n):
        if i % items == 0:
            mapping = mmap.mmap(-1, block)
            mapping[:] = b"x" * block
            kept.append(mapping)
    return len(kept)


@growing("linear", per_item(lambda width, every: (width + 8) / every), *grid(width=(56, 200, 1_000), every=(2, 10, 30)))
def native_malloc(n: int, *, width: int, every: int) -> int:
    """Native memory that is written and never freed."""
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    malloc, memset = library.malloc, ctypes.memset
    for i in range(n):
        if i % every == 0:
            memset(malloc(width), 1, width)
    return n


@growing(
    "linear",
    per_item(lambda chunk, every: (heap(1 << 20) + heap([0] * chunk) / chunk) / every),
    *grid(chunk=(10, 100), every=(1, 5, 20)),
)
def queue_unread(n: int, *, chunk: int, every: int) -> int:
    """A queue that is fed faster than it is read, here without a reader."""
    line: queue.Queue[list[int]] = queue.Queue()
    for start in range(0, n, chunk * every):
        line.put([start + 1_000 + i for i in range(chunk)])
    return line.qsize()


@growing("linear", per_item(lambda width, every: (width + 10) / every), *grid(width=(10, 100, 400), every=(1, 5)))
def sqlite_memory(n: int, *, width: int, every: int) -> int:
    """Rows in a database that has no file."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT)")
    text = "x" * width
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO rows VALUES (?, ?)", ((i, text) for i in range(0, n, every)))
    connection.execute("COMMIT")
    count: int = connection.execute("SELECT max(id) FROM rows").fetchone()[0]
    connection.close()
    return count


@growing("linear", per_item(lambda width: width), *grid(width=(2, 4, 8, 16, 50)))
def string_joined(n: int, *, width: int) -> int:
    """A text that becomes longer with each item."""
    text = ""
    piece = "y" * width
    for _ in range(n):
        text += piece
    return len(text)


@growing("linear", per_item(lambda every: 1_150 / every), *grid(every=(25, 60, 150, 400)))
def tasks_pending(n: int, *, every: int) -> int:
    """Tasks that wait for something that never comes: the task, its coroutine, its handle and the future it waits for."""

    async def wait_for(future: asyncio.Future[None]) -> None:
        await future

    async def everything() -> int:
        loop = asyncio.get_running_loop()
        tasks = set()
        for i in range(n):
            if i % every == 0:
                tasks.add(asyncio.create_task(wait_for(loop.create_future())))
                if len(tasks) % 100 == 0:
                    await asyncio.sleep(0)  # lets them begin to wait
        await asyncio.sleep(0)
        kept = len(tasks)
        for task in tasks:
            task.cancel()
        return kept

    return asyncio.run(everything())


SQRT_BYTES = (
    2_000,
    3_000,
    5_000,
    10_000,
    20_000,
    40_000,
)  # times the root of n; 2,000 add 2.5 bytes per item in the range
LOG_BYTES = (
    200_000,
    250_000,
    300_000,
    500_000,
    1_000_000,
    2_000_000,
)  # at each doubling; 200,000 add 2.1 bytes per item in the range


def times_sqrt(n: int, *, size: int) -> float:
    return size * sqrt_of(n)


def times_log(n: int, *, size: int) -> float:
    return size * math.log2(max(1, n))


@growing("sqrt", times_sqrt, *grid(size=SQRT_BYTES))
def sqrt_buckets(n: int, *, size: int) -> int:
    """A summary for each of the root of n buckets."""
    width = max(1, math.isqrt(n))
    summaries: list[bytearray] = []
    for start in range(0, n, width):
        summary = bytearray(b"x" * size)
        for i in range(start, min(n, start + width)):
            summary[i % size] = i & 255
        summaries.append(summary)
    return len(summaries)


@growing("sqrt", times_sqrt, *grid(size=SQRT_BYTES))
def sqrt_checkpoints(n: int, *, size: int) -> int:
    """Checkpoints that become rarer: one at each square."""
    checkpoints: dict[int, bytes] = {}
    following = 1
    for i in range(1, n + 1):
        if i == following * following:
            checkpoints[i] = b"x" * size
            following += 1
    return len(checkpoints)


@growing("sqrt", times_sqrt, *grid(size=SQRT_BYTES))
def sqrt_index(n: int, *, size: int) -> int:
    """One array of which each square needs a little more."""
    index = array.array("d")
    following = 1
    for i in range(1, n + 1):
        if i == following * following:
            index.extend([float(i)] * (size // 8))
            following += 1
    return len(index)


@growing("sqrt", times_sqrt, *grid(size=SQRT_BYTES))
def sqrt_window(n: int, *, size: int) -> int:
    """A window as long as the root of what was seen."""
    window: list[bytes] = []
    for i in range(1, n + 1):
        if i % 50 == 0:
            while len(window) < math.isqrt(i):
                window.append(b"x" * size)
    return len(window)


@growing("log", times_log, *grid(size=LOG_BYTES))
def log_levels(n: int, *, size: int) -> int:
    """Levels that merge two into one: each has a buffer of its own."""
    levels: list[bytes] = []
    buffers: list[bytes] = []
    for i in range(1, n + 1):
        level = (i & -i).bit_length()  # how many merges this item sets off
        while len(buffers) < level:
            buffers.append(b"x" * size)
            levels.append(b"")
        levels[level - 1] = b"%d" % i
    return len(buffers)


@growing("log", times_log, *grid(size=LOG_BYTES))
def log_recursion(n: int, *, size: int) -> int:
    """Halves of halves, each call with a buffer of its own until it returns."""

    def work(first: int, last: int) -> int:
        buffer = b"x" * size if last - first > 1_000 or first == 0 else b"x"
        if last - first <= 1:
            return len(buffer) > 0
        middle = (first + last) // 2
        return work(first, middle) + sum(1 for _ in range(middle, last))

    return work(0, n)


@growing("log", times_log, *grid(size=LOG_BYTES))
def log_snapshots(n: int, *, size: int) -> int:
    """A snapshot whenever the count has doubled."""
    snapshots: list[bytes] = []
    following = 1
    for i in range(1, n + 1):
        if i >= following:
            snapshots.append(b"x" * size)
            following *= 2
    return len(snapshots)


@growing("log", times_log, *grid(size=LOG_BYTES))
def log_table(n: int, *, size: int) -> int:
    """One table that is sized after the logarithm of n."""
    table = b"x" * round(size * math.log2(max(2, n)))
    return sum(table[i % len(table)] for i in range(n))
