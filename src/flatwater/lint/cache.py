"""What was found in a file's bytes, kept for the next run.

Covers:     one SQLite file in the project, its bound, several processes at once, files that are damaged or cannot be written.
Not here:   looking (`lint.linter`), what a project knows already (`lint.baseline`).
Holds:      findings of the files that wait to be written, and SQLite's pages, up to their bounds.

The key is a digest of the file's bytes, of the linter's own code and bounds, and of the Python that parses; of its name it
has what rules ask of it. Sizes and times of files are no part of it: those can be the same when the bytes are not (a
checkout, `touch -r`, two saves in one tick), and reading a tree takes far less than parsing it. Settings are no part of it
either: they choose among what was found.

Whatever happens to the file, the worst is that files are looked at again: it is written in transactions without waiting
for the disk, and one that is damaged is removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, final

import msgspec

from flatwater import limits
from flatwater.limits import lint as bounds
from flatwater.lint.finding import Finding

if TYPE_CHECKING:
    import sqlite3

FOLDER = ".flatwater_cache"
NAME = "lint.sqlite"
PAGE_BYTES = 4096
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Results of flatwater lint. It can be removed at any time.\n"
_MAKE = (
    "CREATE TABLE IF NOT EXISTS looked (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, found BLOB NOT NULL) STRICT"
)
_HALVE = "DELETE FROM looked WHERE id <= (SELECT id FROM looked ORDER BY id LIMIT 1 OFFSET (SELECT count(*) / 2 FROM looked))"


@final
class Cache:
    """Findings by what files hold. Close it, or use it in a `with` statement. Not thread-safe.

    Args:
        folder: where its file is; it is made where it is missing. One that cannot be made or written is a cache that is empty.
    """

    def __init__(self, folder: str) -> None:
        self.hits = self.misses = 0
        self._path = os.path.join(folder, NAME)
        self._pending: list[tuple[bytes, bytes]] = []
        self._decode = msgspec.msgpack.Decoder(list[Finding]).decode
        self._digest = _code_digest()
        self._connection = self._opened(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether it has a file; else nothing is kept."""
        return self._connection is not None

    def key(self, data: bytes, *, is_notebook: bool, is_testing: bool = False) -> bytes:
        """What stands for these bytes, in a file of this kind."""
        kind = (b"ipynb" if is_notebook else b"py") + (b" testing" if is_testing else b"")
        return hashlib.blake2b(data, digest_size=20, key=self._digest, person=kind).digest()

    def get(self, key: bytes) -> list[Finding] | None:
        """What was found, without the file's name; None where it is not known."""
        import sqlite3

        row = None
        if self._connection is not None:
            try:
                row = self._connection.execute("SELECT found FROM looked WHERE key = ?", (key,)).fetchone()
            except sqlite3.DatabaseError as error:
                self._failed(error)
        if row is not None:
            try:
                found = self._decode(row[0]) if row[0] else []
            except (msgspec.MsgspecError, TypeError):
                pass  # it is looked at again, and what is there stays as it is
            else:
                self.hits += 1
                return found
        self.misses += 1
        return None

    def put(self, key: bytes, found: list[Finding]) -> None:
        """Keep what was found; the file's name is no part of it."""
        if self._connection is not None:
            try:
                text = msgspec.msgpack.encode([replace(each, path="") for each in found]) if found else b""
            except UnicodeEncodeError:  # a text with half a letter, as some encodings allow it
                return
            self._pending.append((key, text))
            if len(self._pending) >= limits.LINT_CACHE_PENDING_MAX:
                self._write()

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        self._write()
        self._let_go()

    def _opened(self, folder: str) -> sqlite3.Connection | None:
        try:
            import sqlite3
        except ImportError:  # a Python that was built without it
            return None
        try:
            _make(folder)
        except OSError:
            return None
        for _attempt in range(2):  # the second time without what was damaged
            try:
                return self._connected()
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    return None
                self._remove()
        return None

    def _connected(self) -> sqlite3.Connection:
        import sqlite3

        connection = sqlite3.connect(self._path, timeout=limits.LINT_CACHE_WAIT_S, isolation_level=None)
        try:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute(f"PRAGMA max_page_count = {limits.LINT_CACHE_BYTES_MAX // PAGE_BYTES}")
            connection.execute(f"PRAGMA cache_size = -{limits.LINT_CACHE_PAGES_BYTES // 1024}")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(_MAKE)
            connection.execute("SELECT found FROM looked WHERE key = ''").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection

    def _write(self) -> None:
        import sqlite3

        pending, self._pending = self._pending, []
        if self._connection is None or not pending:
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
            (free,) = self._connection.execute("PRAGMA freelist_count").fetchone()
            if (pages - free) * PAGE_BYTES > limits.LINT_CACHE_BYTES_MAX * 3 // 4:
                self._connection.execute(_HALVE)
            self._connection.executemany("INSERT OR REPLACE INTO looked (key, found) VALUES (?, ?)", pending)
            self._connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            self._failed(error)

    def _failed(self, error: sqlite3.DatabaseError) -> None:
        """Go on without it; one that is damaged or full goes."""
        self._let_go()
        if _is_damage(error):
            self._remove()

    def _let_go(self) -> None:
        import sqlite3

        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _remove(self) -> None:
        for path in (self._path, f"{self._path}-journal"):
            with contextlib.suppress(OSError):
                os.unlink(path)


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether the file is no use any more: it is no database, has other tables, or is full. Else it is locked, or read-only."""
    import sqlite3

    name = getattr(error, "sqlite_errorname", "") or ""
    return name in {"SQLITE_ERROR", "SQLITE_FULL"} or not isinstance(error, sqlite3.OperationalError)


def _make(folder: str) -> None:
    """The folder, with what tells git and backups to leave it out."""
    if os.path.isdir(folder):
        return
    os.makedirs(folder, exist_ok=True)
    for name, text in ((".gitignore", "*\n"), ("CACHEDIR.TAG", _TAG)):
        with contextlib.suppress(OSError):
            Path(folder, name).write_text(text, "utf-8")


def _code_digest() -> bytes:
    """Of the linter's own files and bounds, and of the Python that parses."""
    digest = hashlib.blake2b(repr((sys.implementation.name, sys.version_info)).encode(), digest_size=32)
    here = Path(__file__).parent
    for path in sorted([*here.glob("*.py"), *here.glob("rules/*.py"), Path(bounds.__file__)]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.digest()
