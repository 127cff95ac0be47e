"""What a corpus has: documents, chunks, and where each chunk stands, in one SQLite file.

Covers:     the tables, opening them to write and to read, one method for each question and each change.
Not here:   when something is changed (`writing`), vectors (`vectors`), which slots are live (`live`), searching (`searching`).
Holds:      SQLite's page cache and what its full-text index gathers; see `bytes_max`.

A document is of state 0 until all its chunks are there, then 1, whole, and 2, gone, when another version of it, or nothing, took
its place; what is gone is cleared away in short steps. Only whole ones are seen by a search. A chunk is its text: the same text
in two documents is one chunk with two places. Numbers of documents and chunks only grow, and are never used again.
"""

from __future__ import annotations

import contextlib
import os
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from flatwater import errors, limits
from flatwater.ingest import folder
from flatwater.ingest.manifest_errors import HINT, Errors

if TYPE_CHECKING:
    import apsw

SCHEMA_VERSION: Final = 1
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE sources (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE stages (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE documents (
  id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL, name TEXT NOT NULL, source INTEGER NOT NULL, state INTEGER NOT NULL,
  stamp BLOB, hash BLOB, stages INTEGER NOT NULL, metadata TEXT NOT NULL, note TEXT NOT NULL, chunks INTEGER NOT NULL
);
CREATE UNIQUE INDEX documents_key ON documents (key) WHERE state = 1;
CREATE INDEX documents_unfinished ON documents (state) WHERE state <> 1;
CREATE INDEX documents_source ON documents (source) WHERE state = 1;
CREATE TABLE chunks (id INTEGER PRIMARY KEY, hash BLOB NOT NULL, text TEXT NOT NULL);
CREATE UNIQUE INDEX chunks_hash ON chunks (hash);
CREATE TABLE places (
  document INTEGER NOT NULL, number INTEGER NOT NULL, chunk INTEGER NOT NULL, page INTEGER NOT NULL, start INTEGER NOT NULL,
  stop INTEGER NOT NULL, PRIMARY KEY (document, number)
) WITHOUT ROWID;
CREATE INDEX places_chunk ON places (chunk);
CREATE TABLE live (block INTEGER PRIMARY KEY, bits BLOB NOT NULL);
"""
_WORDS = """
CREATE VIRTUAL TABLE words USING fts5(
  text, content='chunks', content_rowid='id', tokenize="unicode61 remove_diacritics 2"
);
"""
_ADD_DOCUMENT = """
INSERT INTO documents (key, name, source, state, stages, metadata, note, chunks) VALUES (?, ?, ?, 0, ?, ?, '', 0)
RETURNING id
"""
_END_DOCUMENT = """
UPDATE documents SET state = 1, stamp = ?, hash = ?, note = ?, chunks = ? WHERE id = ?
"""
_COUNT_AGAIN = """
UPDATE documents SET stamp = NULL, hash = NULL, chunks = (SELECT count(*) FROM places WHERE document = id) WHERE id = ?
"""


class Known(NamedTuple):
    """A document that is there.

    Attributes:
        id: of this version of it.
        source: the number of what listed it last.
        stamp: what told its version without reading it; None where it has to be read again.
        hash: of its bytes.
        stages: the number of the versions of all that was done to it.
        note: what was wrong with it.
    """

    id: int
    source: int
    stamp: bytes | None
    hash: bytes | None
    stages: int
    note: str


class Place(NamedTuple):
    """Where a chunk stands."""

    name: str
    page: int
    start: int
    stop: int
    metadata: str


def bytes_max() -> int:
    """The most that one open manifest holds, in bytes."""
    total = 0
    total += limits.INGEST_CACHE_BYTES  # pages of the file
    total += limits.INGEST_SQLITE_BYTES  # statements, the full-text index's terms that are not written yet, a sorter
    return total


@final
class Manifest:
    """An open manifest. For one thread at a time.

    Args:
        path: of the corpus.
        read_only: nothing is changed.
        makes: whether the tables are made: then `full_text` says whether there is an index of words.

    Raises:
        MissingExtra: apsw is not installed.
        CorruptError: it cannot be read.
        BrokenError: the system does not let us, or it is of a newer version.
    """

    def __init__(self, path: str, *, read_only: bool, makes: bool = False, full_text: bool = True) -> None:
        try:
            import apsw
        except ImportError:
            raise errors.MissingExtra("ingest", "apsw") from None
        self._apsw = apsw
        self._path = path if path == ":memory:" else os.path.join(path, folder.MANIFEST)
        self._settled_at: tuple[int, ...] | None = None
        self.connection = self._opened(read_only=read_only)
        try:
            with self.errors():
                if makes:
                    self._make(full_text=full_text)
                self._check_version()
                self.has_words = bool(self.one("SELECT count(*) FROM sqlite_schema WHERE name = 'words'"))
                self.run("CREATE TEMP TABLE seen (id INTEGER PRIMARY KEY)")
                self.run("CREATE TEMP TABLE seen_new (key BLOB PRIMARY KEY) WITHOUT ROWID")
        except BaseException:
            self.connection.close()
            raise

    def _opened(self, *, read_only: bool) -> apsw.Connection:
        import apsw

        with self.errors():
            if not read_only:
                connection = apsw.Connection(self._path)
            else:
                quoted = urllib.parse.quote(self._path)
                version = _version(self._path)
                settled = not _version(f"{self._path}-wal")[:1] > (0,)  # nobody writes: then not even a lock is taken
                self._settled_at = version if settled else None
                flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
                connection = apsw.Connection(f"file:{quoted}?{'immutable=1' if settled else 'mode=ro'}", flags=flags)
            try:
                connection.set_busy_timeout(int(limits.INGEST_BUSY_S * 1000))
                connection.execute(f"PRAGMA cache_size = -{limits.INGEST_CACHE_BYTES >> 10}")
                connection.execute("PRAGMA temp_store = FILE")
                connection.execute("PRAGMA trusted_schema = OFF")
                if not read_only:
                    connection.execute("PRAGMA journal_mode = WAL")
                    connection.execute("PRAGMA synchronous = NORMAL")
                    connection.execute(f"PRAGMA journal_size_limit = {limits.INGEST_COMMIT_BYTES}")
            except BaseException:
                connection.close()
                raise
            return connection

    def _make(self, *, full_text: bool) -> None:
        if self.one("PRAGMA user_version"):
            return  # one that was killed had come so far
        with self.connection:
            self.connection.execute(_SCHEMA + (_WORDS if full_text else ""))
            self.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _check_version(self) -> None:
        version = self.one("PRAGMA user_version")
        if not version:
            raise errors.CorruptError(f"{self._path} has no tables.", hint=HINT)
        if version != SCHEMA_VERSION:
            raise errors.BrokenError(
                f"{self._path} has tables of version {version}, and this version of flatwater knows {SCHEMA_VERSION}.",
                hint="Upgrade flatwater, or ingest into another directory.",
            )

    def close(self) -> None:
        """Give its memory back; what was not committed is dropped."""
        self.connection.close()

    def errors(self, *, reads: bool = False) -> Errors:
        """SQLite's errors as ours, in a `with`; where it `reads` and nothing else, values that cannot be are damage."""
        return Errors(self._apsw, self._path, reads=reads)

    @property
    def is_stale(self) -> bool:
        """Whether it was read without a lock, and has been written to since."""
        return self._settled_at is not None and _version(self._path) != self._settled_at

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements in it, or none; durable when it ends, so that files may be removed that are not spoken of any more."""
        self.run("PRAGMA synchronous = FULL")
        try:
            self.run("BEGIN IMMEDIATE")
            yield
            self.run("COMMIT")
        finally:
            if self.is_changing:
                self.run("ROLLBACK")
            self.run("PRAGMA synchronous = NORMAL")

    # --- statements ---------------------------------------------------------------------------------------------------

    def run(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """A statement; its rows, as they come."""
        return self.connection.execute(sql, values)

    def one(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """The first value of the first row; None where there is none."""
        row = self.connection.execute(sql, values).fetchone()
        return None if row is None else row[0]

    @property
    def is_changing(self) -> bool:
        """Whether a transaction is open."""
        return bool(self.connection.in_transaction)

    # --- figures ------------------------------------------------------------------------------------------------------

    def meta(self, name: str, default: Any = None) -> Any:
        """A figure or a text of the corpus as a whole."""
        found = self.one("SELECT value FROM meta WHERE name = ?", (name,))
        return default if found is None else found

    def set_meta(self, **values: Any) -> None:
        """Write some of them."""
        self.connection.executemany(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            list(values.items()),
        )

    def number_of(self, table: str, name: str) -> int:
        """The number of a source, or of versions of stages, that is new or not."""
        assert table in {"sources", "stages"}
        found = self.one(f"SELECT id FROM {table} WHERE name = ?", (name,))  # noqa: S608 - one of two words
        if found is None:
            found = self.one(f"INSERT INTO {table} (name) VALUES (?) RETURNING id", (name,))  # noqa: S608 - the same
        return int(found)

    # --- documents ----------------------------------------------------------------------------------------------------

    def find(self, key: bytes) -> Known | None:
        """The whole document of that key."""
        row = self.connection.execute(
            "SELECT id, source, stamp, hash, stages, note FROM documents WHERE key = ? AND state = 1", (key,)
        ).fetchone()
        return None if row is None else Known(*row)

    def add_document(self, key: bytes, name: str, source: int, stages: int, metadata: str) -> int:
        """A new version of a document, which nobody sees yet; its number."""
        return int(self.one(_ADD_DOCUMENT, (key, name, source, stages, metadata)))

    def end_document(
        self, document: int, key: bytes, stamp: bytes | None, digest: bytes | None, note: str, chunks: int
    ) -> None:
        """From now on this is the document of that key, and the one that it was is not."""
        self.run("UPDATE documents SET state = 2 WHERE key = ? AND state = 1", (key,))
        self.run(_END_DOCUMENT, (stamp, digest, note, chunks, document))

    def drop_document(self, document: int) -> None:
        """Nobody sees it any more; its chunks are cleared away later."""
        self.run("UPDATE documents SET state = 2 WHERE id = ?", (document,))

    def touch(self, document: int, *, source: int, name: str, stamp: bytes | None) -> None:
        """The same text under another stamp, or listed by another source."""
        self.run("UPDATE documents SET stamp = ?, source = ?, name = ? WHERE id = ?", (stamp, source, name, document))

    def take_out(self, chunk: int) -> None:
        """A chunk out of all documents that have it; they are read again."""
        documents = [row[0] for row in self.run("SELECT DISTINCT document FROM places WHERE chunk = ?", (chunk,))]
        self.run("DELETE FROM places WHERE chunk = ?", (chunk,))
        for document in documents:
            self.run(_COUNT_AGAIN, (document,))
        self.remove_chunks([chunk])

    def see(self, document: int) -> bool:
        """Note that it was listed in this run; whether it was not before."""
        self.run("INSERT OR IGNORE INTO temp.seen VALUES (?)", (document,))
        return bool(self.connection.changes())

    def see_new(self, key: bytes) -> bool:
        """The same of a document that was not there before this run."""
        self.run("INSERT OR IGNORE INTO temp.seen_new VALUES (?)", (key,))
        return bool(self.connection.changes())

    def unseen(self, source: int, below: bytes = b"") -> Iterator[tuple[int, bytes, int]]:
        """Whole documents that were not listed in this run: `(id, key, source)`.

        Args:
            source: that listed them the last time;
            below: or those whose keys begin so, whoever did.
        """
        after = 0
        where = "source = ?1" if not below else "(source = ?1 OR (key > ?3 AND key < ?4))"
        last = below[:-1] + bytes([below[-1] + 1]) if below else b""
        while True:
            # flatwater: allow FW101 — the statement has a LIMIT
            rows = self.run(
                "SELECT id, key, source FROM documents d WHERE state = 1 AND id > ?2 AND "  # noqa: S608 - our own words
                f"{where} AND NOT EXISTS (SELECT 1 FROM temp.seen s WHERE s.id = d.id) ORDER BY id LIMIT 500",
                (source, after, below, last) if below else (source, after),
            ).fetchall()
            if not rows:
                return
            yield from rows
            after = rows[-1][0]

    def unfinished(self) -> list[int]:
        """Some documents that are no longer, or not yet, whole."""
        return [row[0] for row in self.run("SELECT id FROM documents WHERE state <> 1 LIMIT 1000")]

    # --- chunks -------------------------------------------------------------------------------------------------------

    def known(self, digests: Iterable[bytes]) -> dict[bytes, int]:
        """Those of the digests that there are chunks of, with the chunks' numbers."""
        asked = tuple(digests)
        if not asked:
            return {}
        rows = self.connection.execute(
            "SELECT hash, id FROM chunks WHERE hash IN carray(?)", (self._apsw.carray(asked),)
        )
        return dict(rows)

    def add_chunks(self, ids: Sequence[int], digests: Sequence[bytes], texts: Sequence[str]) -> None:
        """New chunks."""
        self.connection.executemany("INSERT INTO chunks VALUES (?, ?, ?)", zip(ids, digests, texts, strict=True))
        if self.has_words:
            self.connection.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", zip(ids, texts, strict=True))

    def add_places(self, rows: Iterable[tuple[int, int, int, int, int, int]]) -> None:
        """Where chunks stand: `(document, number, chunk, page, start, stop)`."""
        self.connection.executemany("INSERT INTO places VALUES (?, ?, ?, ?, ?, ?)", rows)

    def chunks_of(self, document: int) -> Iterator[list[int]]:
        """The chunks of a document, in lists, in the order of their places."""
        after = -1
        # flatwater: allow FW101 — the statement has a LIMIT
        while rows := self.run(
            "SELECT number, chunk FROM places WHERE document = ? AND number > ? ORDER BY number LIMIT ?",
            (document, after, limits.INGEST_STEP_ROWS),
        ).fetchall():
            yield [chunk for _number, chunk in rows]
            after = rows[-1][0]

    def clear_step(self, document: int) -> tuple[list[int], bool]:
        """Remove the first places of a document that is gone: chunks that no document has any more, and whether that is all.

        The document itself goes with the last of its places.
        """
        # flatwater: allow FW101 — the statement has a LIMIT
        rows = self.run(
            "SELECT number, chunk FROM places WHERE document = ? ORDER BY number LIMIT ?",
            (document, limits.INGEST_STEP_ROWS),
        ).fetchall()
        if rows:
            self.run("DELETE FROM places WHERE document = ? AND number <= ?", (document, rows[-1][0]))
        orphans = sorted(
            {
                chunk
                for _number, chunk in rows
                if self.one("SELECT 1 FROM places WHERE chunk = ? LIMIT 1", (chunk,)) is None
            }
        )
        self.remove_chunks(orphans)
        ended = len(rows) < limits.INGEST_STEP_ROWS
        if ended:
            self.run("DELETE FROM documents WHERE id = ?", (document,))
        return orphans, ended

    def remove_chunks(self, chunks: Sequence[int]) -> None:
        """Chunks, with their words."""
        for chunk in chunks:
            if self.has_words:
                self.run(
                    "INSERT INTO words (words, rowid, text) SELECT 'delete', id, text FROM chunks WHERE id = ?",
                    (chunk,),
                )
            self.run("DELETE FROM chunks WHERE id = ?", (chunk,))

    def texts(self, after: int, rows: int) -> list[tuple[int, str]]:
        """The next chunks in the order of their numbers."""
        return list(self.run("SELECT id, text FROM chunks WHERE id > ? ORDER BY id LIMIT ?", (after, rows)))

    def places(self, chunk: int, most: int, condition: str = "d.state = 1", values: Sequence[Any] = ()) -> list[Place]:
        """Where documents have it that meet a condition, the first ones."""
        rows = self.run(
            "SELECT d.name, p.page, p.start, p.stop, d.metadata FROM places p JOIN documents d ON d.id = p.document "  # noqa: S608 - our words; values are parameters
            f"WHERE p.chunk = ? AND {condition} ORDER BY p.document, p.number LIMIT ?",
            (chunk, *values, most),
        )
        return [Place(*row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Whole documents, those that have something wrong with them, chunks, places."""
        return {
            "documents": self.one("SELECT count(*) FROM documents WHERE state = 1"),
            "unreadable": self.one("SELECT count(*) FROM documents WHERE state = 1 AND note <> ''"),
            "chunks": self.one("SELECT count(*) FROM chunks"),
            "places": self.one("SELECT count(*) FROM places p JOIN documents d ON d.id = p.document WHERE d.state = 1"),
        }


def _version(path: str) -> tuple[int, ...]:
    """What tells that a file was written to; nothing where there is none."""
    try:
        state = os.stat(path)
    except OSError:
        return ()
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


def empty() -> Manifest:
    """One without anything, in memory: what a corpus is that is not there."""
    return Manifest(":memory:", read_only=False, makes=True)
