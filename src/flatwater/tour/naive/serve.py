"""The naive twin of `serve`: a queue for each connection, and each change made into JSON for each of them.

Covers:     a WebSocket server with asyncio, as tutorials write one: rows are read and changed between two turns of its loop; the same
            subscribers as those of the step.
Not here:   the same with one frame for all and no queue (`tour.steps.serve_rows`).
Holds:      all rows, and what each connection has not been sent yet.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import ServerConnection, serve

if TYPE_CHECKING:
    from flatwater.tour.twin import Task

PART_ROWS, CHANGED_EACH, GONE_EACH, CHANGE = 20, 3, 10, 1_000_000


class Feed:
    """The rows, and a queue for everybody who follows them."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, Any]] = {}
        self.queues: list[asyncio.Queue[str]] = []

    async def follow(self, connection: ServerConnection) -> None:
        """Send all rows, and then each change."""
        asked = json.loads(await connection.recv())
        queue: asyncio.Queue[str] = asyncio.Queue()
        for row in self.rows.values():
            queue.put_nowait(message("insert", row))
        self.queues.append(queue)
        await connection.send(json.dumps({"id": asked["id"], "op": "ready"}, separators=(",", ":")))
        while text := await queue.get():
            await connection.send(text)

    def change(self, op: str, row: dict[str, Any]) -> None:
        """Tell everybody."""
        for queue in self.queues:
            queue.put_nowait(message(op, row))


def message(op: str, row: dict[str, Any]) -> str:
    """A change, as it is sent."""
    return json.dumps({"channel": 1, "op": op, "row": row}, separators=(",", ":"))


def run(task: Task) -> int:
    """Serve as many rows as the step did to as many connections; how many changes were delivered."""
    return asyncio.run(served(task))


async def served(task: Task) -> int:
    """The same, in a loop."""
    feed = Feed()
    program = importlib.util.find_spec("flatwater.tour.steps.subscribers")
    assert program is not None
    assert program.origin is not None
    async with serve(feed.follow, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        words = (program.origin, str(port), str(task.count("connections")), "token", "SELECT * FROM accounts")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        assert process.stdout is not None
        try:
            await process.stdout.readline()  # all are ready
            with closing(sqlite3.connect(os.path.join(task.made, "table.db"))) as connection:
                connection.row_factory = sqlite3.Row
                found = connection.execute("SELECT id, name, cents FROM users WHERE id <= ?", (task.count("written"),))
                while rows := found.fetchmany(PART_ROWS):
                    write(feed, [dict(row) for row in rows])
            feed.change("insert", {"id": -1, "name": "the end", "cents": 0})
            told = json.loads(await process.stdout.readline())
        finally:
            for queue in feed.queues:
                queue.put_nowait("")
            if process.returncode is None:
                process.kill()
            await process.wait()
    return int(told["events"])


def write(feed: Feed, rows: list[dict[str, Any]]) -> None:
    """Add rows, change some, delete some."""
    for row in rows:
        feed.rows[row["id"]] = row
        feed.change("insert", row)
    for row in rows:
        if row["id"] % CHANGED_EACH == 0:
            row["cents"] += CHANGE
            feed.change("update", row)
    for row in rows:
        if row["id"] % GONE_EACH == 0:
            feed.change("delete", feed.rows.pop(row["id"]))
