"""A change of a program's text: which expression, what it becomes, what must be imported for it.

Covers:     the form that fixes have; the place of a node in characters.
Not here:   which changes are safe (its siblings), making them (`lint.fixing`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from flatwater.lint.rule import Look

if TYPE_CHECKING:
    import libcst


class Span(NamedTuple):
    """Where an expression stands: lines from 1 on, columns in characters from 0 on, the end behind its last character."""

    line: int
    column: int
    end_line: int
    end_column: int


class Change(NamedTuple):
    """A change that leaves the behaviour as it is.

    Attributes:
        found: the node that the rule's finding is about.
        node: the expression that is written anew.
        rewrite: makes the new expression; None if the old one has another form than was thought.
        needs: a module that has to be imported for it, or "".
    """

    found: ast.expr
    node: ast.expr
    rewrite: Callable[[libcst.BaseExpression], libcst.BaseExpression | None]
    needs: str = ""


Propose = Callable[[Look], Iterator[Change]]


def span(lines: list[str], node: ast.expr) -> Span:
    """The place of a node; its own columns are in bytes."""
    end_line = node.end_lineno or node.lineno
    return Span(
        node.lineno,
        _characters(lines, node.lineno, node.col_offset),
        end_line,
        _characters(lines, end_line, node.end_col_offset or 0),
    )


def _characters(lines: list[str], line: int, offset: int) -> int:
    text = lines[line - 1] if line <= len(lines) else ""
    return offset if text.isascii() else len(text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "replace"))
