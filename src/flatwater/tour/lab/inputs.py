"""The file, the table and the store that experiments read: made when the first one asks, shared, and gone with the run.

Covers:     a file of any size, an SQLite table of any number of rows, a store of any number of entries, empty folders.
Not here:   reading them (`tour.lab.programs`).
Holds:      a megabyte of the file, SQLite's cache of 2 MiB.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from typing import Self

from flatwater import errors, units
from flatwater.meter import scratch
from flatwater.tour.lab.experiment import Input

BLOCK = bytes(range(256)) * 4096
ROWS_A_STEP = 20_000  # between two looks at whether the user wants to stop
STATES_A_STEP = 500
STATE_KEY = "bucket/prefix/{folder:06d}/" + "y" * 60 + "/{name:04d}-file.dat"
STATE_VALUE = bytes(60)
ROWS = """
    WITH RECURSIVE counted(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM counted WHERE i < :last)
    INSERT INTO users SELECT i, 'user' || i || '@example.org', 'User Number ' || i, i % 10000 FROM counted
"""


class Inputs:
    """What experiments read, in a temporary folder that ends with this object. For one thread.

    Use it as a context manager: the folder goes away however the block ends. What a killed run left is removed first.

    Raises:
        BrokenError: there is no place for temporary files.

    >>> with Inputs() as inputs:
    ...     path = inputs.file(2_000_000)
    ...     os.path.getsize(path)
    2000000
    >>> os.path.exists(path)
    False
    """

    def __init__(self) -> None:
        self._scratch = scratch.needed("flatwater-lab-", "the experiments need a place for their input")
        self._made: dict[str, str] = {}
        self._folders = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._scratch.close()

    def fill(self, args: Sequence[Input | int | str], size: int) -> tuple[int | str, ...]:
        """The arguments, with what they name made.

        Raises:
            BrokenError: it could not be made.
        """
        return tuple(self._filled(arg, size) if isinstance(arg, Input) else arg for arg in args)

    def _filled(self, arg: Input, size: int) -> int | str:
        match arg:
            case Input.SIZE:
                return size
            case Input.FILE:
                return self.file(size)
            case Input.TABLE:
                return self.table(size)
            case Input.STORE:
                return self.store(size)
            case Input.FOLDER:
                return self.folder()

    def file(self, size: int) -> str:
        """The path of a file of `size` bytes."""
        return self._make(f"file-{size}.bin", lambda path: _write_file(path, size))

    def table(self, rows: int) -> str:
        """The path of a database with a table `users` of so many rows; about 55 bytes each."""
        return self._make(f"table-{rows}.db", lambda path: _write_table(path, rows))

    def store(self, entries: int) -> str:
        """The path of a store with so many entries: keys of about 100 bytes, values of 60, the last byte a state."""
        return self._make(f"store-{entries}", lambda path: _write_store(path, entries))

    def folder(self) -> str:
        """The path of an empty folder, another one each time."""
        self._folders += 1
        return self._make(f"folder-{self._folders}", os.mkdir)

    def _make(self, name: str, write: Callable[[str], None]) -> str:
        if name not in self._made:
            path = os.path.join(self._scratch.path, name)
            try:
                write(path)
            except (OSError, sqlite3.Error) as error:
                with contextlib.suppress(OSError):
                    os.unlink(path)  # what is left of it may be all that the disk has
                reason = (getattr(error, "strerror", None) or str(error)).lower()
                raise errors.BrokenError(
                    f"the experiment's input could not be made in {os.path.dirname(self._scratch.path)!r}: {reason}.",
                    hint="It takes up to 200 MB; TMPDIR names another place.",
                ) from error
            self._made[name] = path
        return self._made[name]


def _write_file(path: str, size: int) -> None:
    with open(path, "wb") as file:
        file.writelines(BLOCK[: size - begin] for begin in range(0, size, len(BLOCK)))


def _write_store(path: str, entries: int) -> None:
    from flatwater.store.store import Store

    with Store(path, sync="off") as store:
        for first in range(0, entries, STATES_A_STEP):
            numbers = range(first, min(first + STATES_A_STEP, entries))
            store.write([((STATE_KEY.format(folder=i // 1000, name=i % 1000),), STATE_VALUE) for i in numbers])


def _write_table(path: str, rows: int) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")  # nobody needs it after a crash
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA cache_size = -{2 * units.MIB // units.KIB}")
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, name TEXT, cents INTEGER)")
        for first in range(1, rows + 1, ROWS_A_STEP):
            connection.execute(ROWS, {"first": first, "last": min(first + ROWS_A_STEP - 1, rows)})
            connection.commit()
