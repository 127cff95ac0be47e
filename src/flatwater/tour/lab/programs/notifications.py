"""Change a row a thousand times while a hundred follow it: copies in queues, bytes that all share, places in a log.

Covers:     the same changes for the same followers, who read them all once everything has changed.
Not here:   what was measured, and what it means (`tour.lab.notifications`).
Holds:      `owned` the row for each change and follower, `copied` a dict for each, `encoded` the bytes of each change, and a place
            in a queue for each; `database` what it promises.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Generator
from typing import Any

import msgspec

from flatwater.live.database import Database

IMPORTS = ("flatwater.store.engines.lmdb", "sqlglot", "asyncio")
FOLLOWERS = 100
Row = dict[str, Any]
_TEXTS = ("thread", "author", "title", "place", "client", "state")  # of 50 characters each
_TEXT_CHARS, _BODY_CHARS = 50, 625
_COLUMNS = ("id", *_TEXTS, "body", "version")


def row_of(version: int) -> Row:
    """The row behind a change: 1 KB of JSON, each of its texts another one than before."""
    texts = {name: f"{name} {version} ".ljust(_TEXT_CHARS, "x") for name in _TEXTS}
    return {"id": 1, **texts, "body": f"body {version} ".ljust(_BODY_CHARS, "x"), "version": version}


def owned(changes: int) -> Generator[str, None, int]:
    """A whole row for each follower, its texts, too, as a language copies it in which texts have an owner."""
    decode = msgspec.json.Decoder(Row).decode

    def give(row: Row, queues: list[deque[Row]]) -> None:
        data = msgspec.json.encode(row)
        for queue in queues:
            queue.append(decode(data))

    return _queued(changes, give, _itself)


def copied(changes: int) -> Generator[str, None, int]:
    """A dict for each follower; Python's copies share their texts."""

    def give(row: Row, queues: list[deque[Row]]) -> None:
        for queue in queues:
            queue.append(row.copy())

    return _queued(changes, give, _itself)


def encoded(changes: int) -> Generator[str, None, int]:
    """The row is encoded once, and all followers have the same bytes."""

    def give(row: Row, queues: list[deque[bytes]]) -> None:
        data = msgspec.json.encode(row)
        for queue in queues:
            queue.append(data)

    return _queued(changes, give, msgspec.json.Decoder(Row).decode)


def database(path: str, changes: int) -> Generator[str, None, int]:
    """Subscriptions of a database: each is a place in its log, and nobody has a queue."""
    with Database(tempfile.mkdtemp(dir=path), sync="off") as db:  # a new one each time
        db.sql("CREATE TABLE rows ({}, version BIGINT)".format(", ".join(["id BIGINT PRIMARY KEY", *_texts()])))
        names = ", ".join(f"{name} = ?" for name in _COLUMNS[1:])
        update = f"UPDATE rows SET {names} WHERE id = 1"  # noqa: S608 - names of this file
        db.sql(f"INSERT INTO rows VALUES ({', '.join('?' * len(_COLUMNS))})", [*row_of(-1).values()])  # noqa: S608
        followers = [db.subscribe("SELECT * FROM rows WHERE id = 1", last_rows=0) for _ in range(FOLLOWERS)]
        yield "ready"
        for version in range(changes):
            db.sql(update, [*row_of(version).values()][1:])
        yield "all changed"
        answer = 0
        for follower in followers:
            while (event := follower.poll()) is not None:
                assert event.row is not None
                answer += 1 + event.row["version"]
            follower.close()
        yield "all read"
        return answer


def _texts() -> list[str]:
    return [f"{name} TEXT" for name in (*_TEXTS, "body")]


def _itself(row: Row) -> Row:
    return row


def _queued(
    changes: int, give: Callable[[Row, list[deque[Any]]], None], read: Callable[[Any], Row]
) -> Generator[str, None, int]:
    queues: list[deque[Any]] = [deque() for _ in range(FOLLOWERS)]
    yield "ready"
    for version in range(changes):
        give(row_of(version), queues)
    yield "all changed"
    answer = 0
    for queue in queues:
        while queue:
            answer += 1 + read(queue.popleft())["version"]
    yield "all read"
    return answer
