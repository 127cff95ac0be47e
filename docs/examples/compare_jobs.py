"""The job of docs/compare.md: mark every file of a cache before a scan, all in one go and batch by batch.

flatwater compare collect=docs/examples/compare_jobs.py::collect batches=docs/examples/compare_jobs.py::batches \
    --setup docs/examples/compare_jobs.py::make_cache --sizes 10k..160k

A sync tool keeps what it knows of each file in a table. Before a scan all entries become "unseen"; those that the scan
does not find again were deleted. Reading and writing at one time would lock each other out, so the first version read
everything before it wrote anything.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing

BATCH_ROWS = 1_000
UPDATE = "UPDATE files SET status = ?, size = ?, etag = ? WHERE path = ?"

Entry = dict[str, object]


def make_cache(n: int) -> str:
    """A table of n files that are in step; returns its path. Runs before each measurement, in a process of its own."""
    with tempfile.NamedTemporaryFile(suffix=".db", delete=False) as file:
        path = file.name
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE files (path TEXT PRIMARY KEY, size INT, etag TEXT, status TEXT) WITHOUT ROWID")
        names = (
            (f"/media/{i // 1000:05}/recording-{i:09}.wav", i * 37, f"{i * 2_654_435_761:032x}", "synced")
            for i in range(n)
        )
        connection.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", names)
    return path


def collect(n: int, path: str) -> None:
    """As it was: every update is held until the reading is over, and written in one transaction."""
    with closing(sqlite3.connect(path)) as connection:
        updates: dict[str, Entry] = {}
        for entry in entries(connection, "SELECT path, size, etag FROM files WHERE status = 'synced'"):
            updates[str(entry["path"])] = {**entry, "status": "unseen"}
        assert write(connection, list(updates.values())) == n


def batches(n: int, path: str) -> None:
    """As it is: read a batch after the last key seen, end the reading, write the batch, go on."""
    after, done = "", 0
    with closing(sqlite3.connect(path)) as connection:
        while True:
            sql = f"SELECT path, size, etag FROM files WHERE path > ? ORDER BY path LIMIT {BATCH_ROWS}"  # noqa: S608 - a number
            batch = [{**entry, "status": "unseen"} for entry in entries(connection, sql, after)]
            if not batch:
                break
            done += write(connection, batch)
            after = str(batch[-1]["path"])
    assert done == n


def entries(connection: sqlite3.Connection, sql: str, *values: object) -> Iterator[Entry]:
    """Rows as dicts."""
    for path, size, etag in connection.execute(sql, values):
        yield {"path": path, "size": size, "etag": etag}


def write(connection: sqlite3.Connection, batch: list[Entry]) -> int:
    """One transaction; how many entries were changed."""
    with connection:
        rows = ((entry["status"], entry["size"], entry["etag"], entry["path"]) for entry in batch)
        return connection.executemany(UPDATE, rows).rowcount
