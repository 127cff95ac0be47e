"""Pages of a SQLite file as whole columns: one statement that puts a page's values together, so that no row is made.

Covers:     the statement, a connection of its own that refuses a text longer than was said.
Not here:   what the columns become (`tables.columns`), rows (`sqlite_path`).
Holds:      one page as text, and up to three times as much in SQLite while it makes it.

SQLite joins a column's values much faster than it hands them over one by one. Where a value could be of another type than
said, the column's expression gives a separator in its place: the count of the parts then tells that this page is to be read
row by row.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, final

from flatwater import limits
from flatwater.source.tables import statements
from flatwater.source.tables.shape import SQLITE, PageQuery

if TYPE_CHECKING:
    from flatwater.source.tables.adapters.sqlite_path import SqlitePath

SEPARATOR = "\x1f"
NULL = f"\x1e{secrets.token_hex(8)}"  # stands for NULL; nobody can have written it, for nobody knows it

_TYPEOF = {"int64": "integer", "double": "real", "string": "text", "binary": "blob"}
_WRITTEN = {"int64": "{c}", "double": "printf('%!.17g', {c})", "string": "{c}", "binary": "hex({c})"}
KINDS = frozenset(_TYPEOF)


class Kind(NamedTuple):
    """What a column holds.

    Attributes:
        type: one of `KINDS`.
        is_sure: whether it holds nothing else: a text column, a row's number.
        is_nullable: whether NULL can stand in it.
    """

    type: str
    is_sure: bool
    is_nullable: bool


class Joined(NamedTuple):
    """A page: how many rows, and all values of the first column, then of the next, between separators."""

    rows: int
    text: str


def statement(query: PageQuery, kinds: Sequence[Kind]) -> statements.Statement:
    """The page's statement, put together: its columns are of these kinds."""
    sql, params = statements.page(query, SQLITE)
    columns = [
        f"group_concat({_expression(SQLITE.identifier(name), kind)}, '{SEPARATOR}')"
        for name, kind in zip(query.columns, kinds, strict=True)
    ]
    joined = f" || '{SEPARATOR}' || ".join(columns)
    return f"SELECT count(*), ifnull({joined}, '') FROM ({sql})", params


def _expression(quoted: str, kind: Kind) -> str:
    written = _WRITTEN[kind.type].format(c=quoted)
    if kind.is_sure:
        return f"ifnull({written}, '{NULL}')" if kind.is_nullable else written
    null = f"WHEN 'null' THEN '{NULL}'" if kind.is_nullable else ""
    return f"CASE typeof({quoted}) WHEN '{_TYPEOF[kind.type]}' THEN {written} {null} ELSE '{SEPARATOR}' END"


@final
class Joiner:
    """Reads pages as columns, over a connection that nobody else uses. Any thread may, one page at a time.

    Args:
        opened: opens the connection, or gives the one of a snapshot.
    """

    def __init__(self, opened: Callable[[], SqlitePath]) -> None:
        self._opened = opened
        self._own: SqlitePath | None = None
        self._lock = threading.Lock()

    def read(self, query: PageQuery, kinds: Sequence[Kind], text_bytes: int) -> Joined | None:
        """A page; None where it is longer than `text_bytes`, or its text is none."""
        import apsw

        sql, params = statement(query, kinds)
        with self._lock:
            if self._own is None:
                self._own = self._opened()
            try:
                with _limited(self._own.ready(), text_bytes):
                    (found,) = self._own.fetch((sql, params))
            except UnicodeDecodeError:
                return None
            except Exception as error:
                if isinstance(error.__cause__, apsw.TooBigError):
                    return None
                raise
        return Joined(*found)

    def close(self, *, but: SqlitePath) -> None:
        """Close the connection, unless it is that one."""
        own, self._own = self._own, None
        if own is not None and own is not but:
            own.close()


@contextlib.contextmanager
def _limited(connection: Any, length_bytes: int) -> Iterator[None]:
    import apsw

    before = connection.limit(apsw.SQLITE_LIMIT_LENGTH, max(length_bytes, limits.SQLITE_TEXT_BYTES_MIN))
    try:
        yield
    finally:
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, before)
