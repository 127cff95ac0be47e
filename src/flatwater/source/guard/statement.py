"""Tell a query from a statement that changes something, and show it without its data.

Covers:     SQL as text, bytes or a driver's own object; comments, brackets, quotes; WITH and SELECT INTO, which may write.
Not here:   parsing SQL; the decision errs on the side of leaving a write alone.
Holds:      nothing.
"""

from __future__ import annotations

import re

from flatwater import limits

_LOOKED_AT_CHARS_MAX = 4_000  # of a statement, before literals are taken out for showing it

_QUERIES = frozenset(("SELECT", "WITH", "VALUES", "TABLE", "FETCH"))
_FIRST = re.compile(r"(?:[\s(;\ufeff]|--[^\n]*|#[^\n]*|/\*.*?\*/)*+([A-Za-z]+)", re.DOTALL)
_MAY_WRITE = re.compile(r"\b(?:INTO|INSERT|UPDATE|DELETE|MERGE)\b", re.IGNORECASE)
_QUIET = re.compile(r"'(?:[^'\\]|''|\\.)*+'|\"[^\"]*\"|`[^`]*`|--[^\n]*|/\*.*?\*/", re.DOTALL)
_WRITES = re.compile(r"\bINTO\b|[()]\s*(?:UPDATE|DELETE)\s+\w", re.IGNORECASE)  # INSERT and MERGE have an INTO, too
_LITERALS = re.compile(
    r"\$(\w*)\$.*?(?:\$\1\$|\Z)"  # PostgreSQL's dollar quotes
    r"|[eEbBxXnN]?'(?:[^'\\]|''|\\.)*+(?:'|\Z)"
    r"|--[^\n]*|/\*.*?(?:\*/|\Z)"  # comments may quote data, too
    r"|(?<![\w$:%?\"`])[0-9][\w.]*",
    re.DOTALL,
)
_DOUBLE_QUOTED = re.compile(r"\"[^\"]*(?:\"|\Z)")


def text_of(statement: object) -> str:
    """The SQL of whatever a driver takes for a statement; empty if it cannot be told.

    >>> text_of(b"SELECT 1")
    'SELECT 1'
    """
    if isinstance(statement, str):
        return statement
    if isinstance(statement, (bytes, bytearray)):
        return statement.decode("utf-8", "replace")
    as_string = getattr(statement, "as_string", None)  # psycopg's composed SQL
    if as_string is None:
        return ""
    try:
        return str(as_string(None))
    except Exception:  # noqa: BLE001 - whatever it misses, the driver says it better when it runs
        return ""


def is_query(text: str) -> bool:
    """Whether a statement reads only, as far as its text tells; what may write is never cut off.

    >>> is_query("  /* page */ (select * from things)"), is_query("UPDATE things SET a = 1 RETURNING *")
    (True, False)
    >>> is_query("WITH old AS (DELETE FROM things RETURNING *) SELECT * FROM old")
    False
    >>> is_query("WITH x AS (SELECT 'INSERT INTO') SELECT * FROM x FOR UPDATE")
    True
    """
    found = _FIRST.match(text)
    if found is None or found[1].upper() not in _QUERIES:
        return False
    if _MAY_WRITE.search(text) is None:
        return True
    return _WRITES.search(_QUIET.sub(" ", text)) is None


def short(statement: object, *, double_quotes_hide: bool = False) -> str:
    """A statement for people: one line, at most 120 characters, with `?` in the place of every literal.

    Args:
        statement: what the driver was given; parameters are no part of it, and are never shown.
        double_quotes_hide: take "text in double quotes" for a literal, as MariaDB does, rather than for a name.

    >>> short("SELECT *  FROM users WHERE mail = 'ann@example.org' AND id > 17 LIMIT %s")
    'SELECT * FROM users WHERE mail = ? AND id > ? LIMIT %s'
    """
    text = text_of(statement)
    if not text:
        return f"<{type(statement).__name__}>"
    text = text[:_LOOKED_AT_CHARS_MAX]
    text = _LITERALS.sub(lambda found: " " if found[0].startswith(("--", "/*")) else "?", text)
    if double_quotes_hide:
        text = _DOUBLE_QUOTED.sub("?", text)
    text = " ".join(text.split())
    return text if len(text) <= limits.GUARD_SHOWN_CHARS_MAX else f"{text[: limits.GUARD_SHOWN_CHARS_MAX - 3]}..."
