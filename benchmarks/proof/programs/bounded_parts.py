"""Bounded programs: files, SQLite, threads, tasks, streams, and memory that no Python object owns."""

from __future__ import annotations

import asyncio
import collections
import concurrent.futures
import csv
import ctypes
import json
import mmap
import queue
import sqlite3
import tempfile
import threading
import zlib
from pathlib import Path

from benchmarks.proof.programs.registry import bounded, grid


@bounded(*grid(chunk=(50, 500, 5_000, 20_000), level=(1, 6)))
def compressed_stream(n: int, *, chunk: int, level: int) -> int:
    """Lines compressed in chunks, and what comes out thrown away."""
    packer = zlib.compressobj(level)
    size = 0
    for start in range(0, n, chunk):
        lines = b"".join(b"%d\n" % i for i in range(start, min(n, start + chunk)))
        size += len(packer.compress(lines))
    return size + len(packer.flush())


@bounded(
    *grid(
        columns=(2,), buffer_kib=(8, 256, 2_000, 4_000)
    ),  # it writes 5.5 MB in the range: a larger one would never be full
    *grid(columns=(5,), buffer_kib=(8, 256, 2_000, 6_000)),
)
def csv_to_file(n: int, *, columns: int, buffer_kib: int) -> int:
    """Rows written to a file and read back."""
    with tempfile.TemporaryFile("w+", buffering=buffer_kib << 10, newline="") as file:
        writer = csv.writer(file)
        writer.writerows([i] * columns for i in range(n))
        file.seek(0)
        return sum(1 for _ in csv.reader(file))


@bounded(*grid(rows=(10, 200, 4_000), width=(10, 100, 400)))
def json_batches(n: int, *, rows: int, width: int) -> int:
    """Small batches that are written as JSON and read again."""
    read = 0
    for start in range(0, n, rows):
        batch = {"start": start, "values": [start] * min(rows, n - start), "text": "x" * width * rows}
        read += len(json.loads(json.dumps(batch))["values"])
    return read


@bounded(*grid(block_kib=(64, 1_000, 4_000, 16_000), items=(500, 5_000)))
def mmap_blocks(n: int, *, block_kib: int, items: int) -> int:
    """An anonymous mapping for every so many items, written and given back."""
    size, mapped = block_kib << 10, 0
    for start in range(0, n, items):
        with mmap.mmap(-1, size) as block:
            for i in range(start, min(n, start + items)):
                block[i * 64 % size] = 1
            mapped += 1
    return mapped


@bounded(*grid(window=(10, 500, 5_000), width=(40, 500, 3_000)))
def native_freed(n: int, *, window: int, width: int) -> int:
    """The last so many blocks of native memory, written, the oldest freed."""
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    malloc, free, memset = library.malloc, library.free, ctypes.memset
    free.argtypes = [ctypes.c_void_p]
    held: collections.deque[int] = collections.deque()
    for _ in range(0, n, 2):
        block = malloc(width)
        memset(block, 1, width)
        held.append(block)
        if len(held) > window:
            free(held.popleft())
    total = len(held)
    while held:
        free(held.popleft())
    return total


@bounded(*grid(places=(2, 10, 50), chunk=(20, 100, 500)))
def queue_between_threads(n: int, *, places: int, chunk: int) -> int:
    """Chunks from one thread to another through a queue that refuses to grow."""
    line: queue.Queue[list[int]] = queue.Queue(maxsize=places)
    got = 0

    def consume() -> None:
        nonlocal got
        while part := line.get():
            got += len(part)

    consumer = threading.Thread(target=consume)
    consumer.start()
    for start in range(0, n, chunk):
        line.put([start + i for i in range(min(chunk, n - start))])
    line.put([])
    consumer.join()
    return got


@bounded(*grid(size=(10, 1_000, 10_000), width=(20, 200)))
def sqlite_fetchmany(n: int, *, size: int, width: int) -> int:
    """A result read in parts."""
    connection = sqlite3.connect(":memory:")
    cursor = connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        "SELECT i, printf('%*d', ?, i) FROM n",
        (n, width),
    )
    read = 0
    while rows := cursor.fetchmany(size):
        read += len(rows)
    connection.close()
    return read


@bounded(*grid(cache_kib=(100, 1_000, 2_000, 6_000), width=(20, 80, 300)))
def sqlite_page_cache(n: int, *, cache_kib: int, width: int) -> int:
    """A database file that outgrows the engine's page cache, one transaction for every 5,000 rows."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "rows.db", isolation_level=None)
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute(f"PRAGMA cache_size = -{cache_kib}")
        connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT)")
        text = "x" * width
        for start in range(0, n, 5_000):
            connection.execute("BEGIN")
            connection.executemany(
                "INSERT INTO rows VALUES (?, ?)", ((i, text) for i in range(start, min(n, start + 5_000)))
            )
            connection.execute("COMMIT")
        count: int = connection.execute("SELECT max(id) FROM rows").fetchone()[0]
        connection.close()
    return count


@bounded(*grid(window=(5, 100, 1_000), payload=(100, 2_000)))
def task_window(n: int, *, window: int, payload: int) -> int:
    """Tasks of twenty items each, a window of them at a time."""

    async def work(items: int) -> int:
        held = b"x" * payload
        await asyncio.sleep(0)
        return items * len(held) // payload

    async def everything() -> int:
        sizes = (min(20, n - start) for start in range(0, n, 20))
        done = 0
        while part := [work(size) for _, size in zip(range(window), sizes, strict=False)]:
            done += sum(await asyncio.gather(*part))
        return done

    return asyncio.run(everything())


@bounded(*grid(threads=(1, 3, 8), in_flight=(10, 60, 200)))
def thread_pool_window(n: int, *, threads: int, in_flight: int) -> int:
    """Jobs of 250 items each, so many handed in at a time."""

    def job(start: int) -> int:
        return len([b"%d" % i for i in range(start, min(n, start + 250))])

    done = 0
    waiting: collections.deque[concurrent.futures.Future[int]] = collections.deque()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for start in range(0, n, 250):
            waiting.append(pool.submit(job, start))
            if len(waiting) >= in_flight:
                done += waiting.popleft().result()
        return done + sum(each.result() for each in waiting)
