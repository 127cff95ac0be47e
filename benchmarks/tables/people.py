"""The rows that the cases of tables read: made once for each size, in a folder outside of the tree, and kept.

Each row is about 290 bytes: id, name, email, created_at as text, attrs as 200 bytes of JSON text. Whoever reads them adds
up the years of the parsed dates and the lengths of the addresses, so that nobody leaves anything out.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import kept

WIDE_BYTES = 1_000_000
NARROW_BYTES = 100
KEPT_VERSION = 1  # of what is made here: another one makes the files anew
COLUMNS = "id, name, email, created_at, attrs"
_BEGIN = datetime(2001, 1, 1)  # noqa: DTZ001 - dates without a zone are the subject


@dataclass(slots=True)
class Person:
    """A row, as a user writes it."""

    id: int
    name: str
    email: str
    created_at: datetime
    attrs: str


class PersonStruct(msgspec.Struct):
    """The same, as msgspec wants it."""

    id: int
    name: str
    email: str
    created_at: datetime
    attrs: str


Row = tuple[int, str, str, str, str]


def rows(size: int) -> Iterator[Row]:
    """The same rows every time."""
    for number in range(1, size + 1):
        mixed = number * 2_654_435_761 % (1 << 32)
        name = f"Person {mixed:x} of {number % 977}"
        email = f"{mixed:08x}.{number}@mail{number % 89}.example.org"
        created_at = (_BEGIN + timedelta(seconds=number * 600 % 700_000_000)).isoformat(" ")
        attrs = json.dumps({"city": f"Town {mixed % 9973}", "score": mixed % 100, "note": "n" * (120 + mixed % 60)})
        yield number, name, email, created_at, attrs


def sums(size: int) -> dict[str, int]:
    """What adding up must come to."""
    total = {"rows": 0, "years": 0, "characters": 0}
    for row in rows(size):
        total["rows"] += 1
        total["years"] += int(row[3][:4])
        total["characters"] += len(row[2])
    return total


def folder() -> Path:
    """Where the files are kept."""
    return kept.folder("tables", KEPT_VERSION)


def expected(size: int) -> dict[str, int]:
    """`sums`, kept."""
    path = folder() / f"people-{size}.json"
    if not path.exists():
        _put(path, lambda part: part.write_text(json.dumps(sums(size)), "ascii"))
    found: dict[str, int] = json.loads(path.read_text("ascii"))
    return found


def database(size: int) -> str:
    """The path of a SQLite file with `size` rows in the table people, in the page cache."""
    path = folder() / f"people-{size}.db"
    if not path.exists():
        _put(path, lambda part: _fill(part, f"({_typed('INTEGER PRIMARY KEY')})", rows(size), columns=5))
    return _warm(path)


def wide_database(size: int) -> str:
    """`size` rows in the table documents; a hundredth of them, side by side in the middle, have 1 MB, the others 100 B."""
    path = folder() / f"documents-{size}.db"
    first = size // 2
    wide = range(first, first + max(size // 100, 1))
    made = ((number, ("w" * WIDE_BYTES if number in wide else "n" * NARROW_BYTES)) for number in range(1, size + 1))
    if not path.exists():
        _put(path, lambda part: _fill(part, "(id INTEGER PRIMARY KEY, body TEXT NOT NULL)", made, columns=2))
    return _warm(path)


def wide_characters(size: int) -> int:
    """Of all bodies together."""
    wide = max(size // 100, 1)
    return wide * WIDE_BYTES + (size - wide) * NARROW_BYTES


def _typed(key: str, moment: str = "TEXT") -> str:
    return f"id {key}, name TEXT NOT NULL, email TEXT NOT NULL, created_at {moment} NOT NULL, attrs TEXT NOT NULL"


def postgres_columns() -> str:
    """As PostgreSQL's CREATE TABLE wants them."""
    return _typed("BIGINT PRIMARY KEY", "TIMESTAMP")


def _fill(part: Path, columns_text: str, made: Iterable[tuple[Any, ...]], *, columns: int) -> None:
    name = "people" if columns == 5 else "documents"
    marks = ", ".join("?" * columns)
    with contextlib.closing(sqlite3.connect(part, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"CREATE TABLE {name} {columns_text}")
        connection.execute("BEGIN")
        connection.executemany(f"INSERT INTO {name} VALUES ({marks})", made)
        connection.execute("COMMIT")


def _put(path: Path, make: Callable[[Path], object]) -> None:
    """Make a file under another name first: what has the right name is whole."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        make(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _warm(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        buffer = bytearray(64 << 10)
        while file.readinto(buffer):
            pass
    return str(path)
