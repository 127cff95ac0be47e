"""FW104: a cursor that buffers every row on this side of the connection is gone over, or read in parts.

Covers:     drivers whose default cursor takes the whole result when it is executed: psycopg, psycopg2, PyMySQL, MySQLdb, mysql.connector.
Not here:   `fetchall` (`fw101`); server-side cursors, `stream()`, `SSCursor`, which send rows as they are read.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import growing, statements
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
    for call, func in look.method_calls("fetchone"):
        value = look.value(func.value)
        if value is None or value.kind != "db.client_cursor" or not _is_each(look, call, func):
            continue
        sure = statements.bound(look, func, value)
        if sure is not None:
            yield Found(call, MESSAGE.format(also=""), min(sure, value.confidence))
    for call, func in look.method_calls("fetchmany"):
        value = look.value(func.value)
        if value is None or value.kind != "db.client_cursor" or not _is_repeated(look, call):
            continue
        asked = func
        above = look.module.above.get(call)
        if isinstance(above, ast.Lambda):  # statements are run around it
            asked = ast.Attribute(func.value, func.attr, ast.Load(), lineno=func.lineno, col_offset=func.col_offset)
            look.module.above[asked] = look.module.above[above]
        sure = statements.bound(look, asked, value)
        if sure is not None:
            yield Found(call, MESSAGE.format(also=ALSO), min(sure, value.confidence))


def _is_each(look: Look, call: ast.Call, func: ast.Attribute) -> bool:
    """In a `while` that takes row after row, and runs no statement of its own by that cursor."""
    loop = next(
        (
            each
            for each in look.module.parents(call)
            if isinstance(
                each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.For | ast.AsyncFor | ast.While
            )
        ),
        None,
    )
    return isinstance(loop, ast.While) and not any(
        isinstance(each, ast.Call)
        and isinstance(each.func, ast.Attribute)
        and each.func.attr in {"execute", "executemany", "nextset"}
        and growing.is_same(each.func.value, func.value)
        for each in ast.walk(loop)
    )


def _is_repeated(look: Look, call: ast.Call) -> bool:
    """In a loop, or handed to one: `while rows := cursor.fetchmany(n)`, `iter(lambda: cursor.fetchmany(n), [])`."""
    above = look.module.above.get(call)
    if isinstance(above, ast.Lambda) and above.body is call:
        handed = look.module.above.get(above)
        return isinstance(handed, ast.Call) and look.origin(handed.func) == "iter"
    return bool(look.module.loops_of(call)) or any(isinstance(each, ast.While) for each in look.module.parents(call))


RULE = Rule(
    "FW104", "client-side-cursor", "A default cursor holds the whole result before its first row is read.", _check, ("connect", "Connection", "cursor"),
)  # fmt: skip
