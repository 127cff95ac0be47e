"""Whether a file or a table is one that grows: what is asked for, and how it is called.

Covers:     files by the names that they are opened with, tables by the names of their models; a general name says nothing against it.
Not here:   bounds in statements (`lint.statements`), what is the same in each run (`lint.fixed`).
Holds:      nothing.
"""

from __future__ import annotations

import ast

from flatwater.lint import wording
from flatwater.lint.fixed import is_fixed
from flatwater.lint.rule import Look
from flatwater.lint.values import Value

PACKED = frozenset(
    {"gzip.open", "gzip.GzipFile", "bz2.open", "bz2.BZ2File", "lzma.open", "lzma.LZMAFile", "zstandard.open"}
)  # which nobody does to a few lines
STEPS_MAX = 4  # of names and readers that are followed


def is_long_file(look: Look, opened: ast.expr | None) -> bool:
    """Whether a file may be long: its name says data, or nothing at all; a name of something else is a doubt."""
    if opened is None:
        return True
    said = ast.unparse(opened)
    if wording.is_of_settings(said):
        return False
    if wording.is_of_lines(said):
        return True
    made = _made(look, opened)
    if made is not None and made is not opened:
        said = f"{said} {ast.unparse(made)}"
        if wording.is_of_settings(said):
            return False
        if wording.is_of_lines(said):
            return True
    return wording.is_of_any_file(said)


def _made(look: Look, opened: ast.expr) -> ast.expr | None:
    """What a name was bound to last before it is opened."""
    from flatwater.lint.statements import bound_last

    if isinstance(opened, ast.Name):
        for each in look.module.scope_of(opened).lookup(opened.id):
            if each.how == "each" and each.value is not None:
                return each.value  # one of these
        return bound_last(look, opened)
    return look.values.resolved(opened)


def is_long(look: Look, value: Value, steps: int = STEPS_MAX) -> bool:
    """Whether a stream may be long: of a file, as `is_long_file` says, also behind a reader of its rows; of others, yes."""
    made = value.call
    if made is None or not made.args or steps <= 0:
        return True
    first = made.args[0]
    if isinstance(first, ast.Attribute) and first.attr in {"stdout", "stderr"}:
        return False  # what a program says
    if look.origin(made.func) in PACKED:
        return True
    inner = look.value(first)
    if inner is not None and inner.call is not None and inner.call is not made and inner.kind in {"file", "path"}:
        return is_long(look, inner, steps - 1)
    if value.kind != "file" and not look.origin(made.func).startswith(("csv.", "jsonlines.", "flatwater.", "ijson.")):
        return True
    return not is_fixed(look, first) and is_long_file(look, first)


def is_of_data(look: Look, value: Value) -> bool:
    """Whether a file says that there is much of it: it is packed, or its name is that of data."""
    made = value.call
    if made is None:
        return False
    return look.origin(made.func) in PACKED or any(wording.is_of_lines(ast.unparse(each)) for each in made.args[:1])


def is_long_table(*names: str) -> bool:
    """Whether one of some tables or models is called as those are that grow with use.

    >>> is_long_table("OrderLine"), is_long_table("shops")
    (True, False)
    """
    return any(wording.is_of_many(each) for each in names)
