"""FW104: a cursor that buffers every row on this side of the connection is gone over, or read in parts.

Covers:     drivers whose default cursor takes the whole result when it is executed: psycopg, psycopg2, PyMySQL, MySQLdb, mysql.connector.
Not here:   `fetchall` (`fw101`); server-side cursors, `stream()`, `SSCursor`, which send rows as they are read.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import statements
from flatwater.lint.rule import Found, Look, Rule

MESSAGE = "this cursor has every row on this side before the first is read{also}; use a server-side cursor, or go by key with `fw.Table(…).find_each()`."
ALSO = ", and `fetchmany` only cuts what is there"


def _check(look: Look) -> Iterator[Found]:
    loops: list[ast.For | ast.AsyncFor | ast.comprehension] = [*look.module.fors(), *look.module.of(ast.comprehension)]
    for loop in loops:
        value = look.value(loop.iter)
        if value is None or value.kind != "db.client_cursor":
            continue
        asked = ast.Attribute(
            loop.iter, "fetchall", ast.Load(), lineno=loop.iter.lineno, col_offset=loop.iter.col_offset
        )
        look.module.above[asked] = loop.iter
        sure = statements.bound(look, asked, value)
        if sure is not None:
            yield Found(loop.iter, MESSAGE.format(also=""), min(sure, value.confidence))
    for call, func in look.method_calls("fetchmany"):
        value = look.value(func.value)
        if value is None or value.kind != "db.client_cursor" or not _is_repeated(look, call):
            continue
        sure = statements.bound(look, func, value)
        if sure is not None:
            yield Found(call, MESSAGE.format(also=ALSO), min(sure, value.confidence))


def _is_repeated(look: Look, call: ast.Call) -> bool:
    """In a loop, or handed to one: `while rows := cursor.fetchmany(n)`, `iter(partial(cursor.fetchmany, n), [])`."""
    return bool(look.module.loops_of(call)) or any(isinstance(above, ast.While) for above in look.module.parents(call))


RULE = Rule(
    "FW104", "client-side-cursor", "A default cursor holds the whole result before its first row is read.", _check, ("connect", "Connection", "cursor"),
)  # fmt: skip
