"""Ten thousand live queries: a dict and its text for each, an object without it, a database's; then rows that some of them follow.

Covers:     the same queries, of which 42 in 100 are distinct, and the same changes.
Not here:   what was measured, and what it means (`tour.lab.subscriptions`).
Holds:      all queries at once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from typing import Any

from flatwater.live.database import Database

IMPORTS = ("flatwater.store.engines.lmdb", "sqlglot", "asyncio")
DISTINCT_OF_100 = 42
CHANGES = 20
LEVELS = 7
TEXT = (
    "SELECT id, thread, level, author, body, created_at, updated_at FROM chat.messages "
    "WHERE thread = '{thread}' AND level > {level} AND deleted_at IS NULL"
)


class Query:
    """A live query as an object, without its text."""

    __slots__ = ("cursor", "level", "number", "thread", "user")

    def __init__(self, number: int, user: str, thread: str, level: int, cursor: int) -> None:
        self.number, self.user, self.thread, self.level, self.cursor = number, user, thread, level, cursor


def wanted(number: int, queries: int) -> tuple[str, int]:
    """Thread and level that a query asks for."""
    distinct = number % max(1, queries * DISTINCT_OF_100 // 100)
    return f"thread-{distinct:06d}", distinct % LEVELS


def dicts(queries: int) -> Generator[str, None, int]:
    """A dict for each, with the text that was sent, and a counter."""
    kept: list[dict[str, Any]] = [{}] * queries
    yield "ready"
    for number in range(queries):
        thread, level = wanted(number, queries)
        text = TEXT.format(thread=thread, level=level)
        kept[number] = {
            "number": number, "user": f"user-{number}", "query": text, "thread": thread, "level": level, "changes": 0, "cursor": number,
        }  # fmt: skip
    yield "all there"
    return sum(one["thread"] == thread and level > one["level"] for thread, level in _changes(queries) for one in kept)


def objects(queries: int) -> Generator[str, None, int]:
    """An object for each, without text and counter."""
    kept: list[Query | None] = [None] * queries
    yield "ready"
    for number in range(queries):
        kept[number] = Query(number, f"user-{number}", *wanted(number, queries), number)
    yield "all there"
    return sum(one.thread == thread and level > one.level for thread, level in _changes(queries) for one in kept if one)


def database(path: str, queries: int) -> Generator[str, None, int]:
    """A database's subscriptions, each an object for who reads it; the conditions are kept once, the texts on disk."""
    with Database(tempfile.mkdtemp(dir=path), sync="off") as db:  # a new one each time
        db.sql("CREATE TABLE messages (id BIGINT PRIMARY KEY, thread TEXT, level INT, body TEXT)")
        text = "SELECT id, thread, level, body FROM messages WHERE thread = ? AND level > ?"
        db.subscribe(text, ["nobody's", 0], last_rows=0).close()  # what is made when the first one comes
        kept: list[Any] = [None] * queries
        yield "ready"
        for number in range(queries):
            kept[number] = db.subscribe(text, wanted(number, queries), last_rows=0)
        yield "all there"
        for number, (thread, level) in enumerate(_changes(queries)):
            db.sql("INSERT INTO messages VALUES (?, ?, ?, '')", [number, thread, level])
        answer = sum(1 for one in kept for _event in iter(one.poll, None))
        for one in kept:
            one.close()
        return answer


def _changes(queries: int) -> list[tuple[str, int]]:
    """Rows that come, half of them too low for those who follow their threads."""
    return [(thread, level + change % 2) for change in range(CHANGES) for thread, level in [wanted(change, queries)]]
