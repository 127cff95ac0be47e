"""How large a value of a query can become, by what the query says and how wide the rows are that it reads.

Covers:     functions that make texts longer, one in another, through WITH and subqueries; literals and parameters.
Not here:   what is done about it (`live.engine`), which functions there are (`live.allowed`).
Holds:      nothing.

The engine counts what it keeps, not what it makes of a batch. So rows of a batch are as few as their values may be large, and a
query whose values may be larger than its pool is refused before it runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from flatwater import units

_GATHERED_BYTES: Final = 4 * units.MIB  # that a text made of many rows is taken to have; the engine counts it itself
_LONGER: Final = (
    exp.Replace, exp.RegexpReplace, exp.DPipe, exp.Concat, exp.ConcatWs, exp.GroupConcat, exp.ArrayAgg, exp.Translate, exp.Hex,
    exp.Anonymous, exp.TimeToStr, exp.ToChar,
)  # fmt: skip
_SMALL_BYTES: Final = 64  # of a number, a time, a sign as text


def grows(tree: Any) -> bool:
    """Whether a query can make values that are larger than the rows that it reads, and what it says itself."""
    return tree.find(*_LONGER) is not None


def largest(tree: Any, values: Sequence[Any], row_bytes: int) -> int:
    """Bytes of the largest row that a query makes, in between or at its end, of rows of so many bytes.

    Args:
        tree: the query.
        values: of its parameters.
        row_bytes: of a row that it reads, of all its tables together.
    """
    made: dict[int, int] = {}  # by the query in it: what is read by others comes in front of them
    size = row_bytes
    for scope in traverse_scope(tree):
        inner = [*scope.subquery_scopes, *scope.set_operation_scopes, *_sources(scope)]
        read = max(row_bytes, *(made.get(id(each.expression), 0) for each in inner), _SMALL_BYTES)
        if isinstance(scope.expression, exp.Select):
            read = _Sizes(values, read).selected(scope.expression)
        made[id(scope.expression)] = read
        size = max(size, read)
    return size


def _sources(scope: Any) -> Iterator[Any]:
    """Queries whose columns one sees: those that it reads, and those that the ones around it read."""
    while scope is not None:
        yield from (source for source in scope.sources.values() if not isinstance(source, exp.Table))
        scope = scope.parent


class _Sizes:
    """Bytes of values, at most.

    Args:
        values: of parameters.
        column: of a row that is read, and so of each of its columns.
    """

    def __init__(self, values: Sequence[Any], column: int) -> None:
        self._values = values
        self.column = column

    def of(self, node: Any) -> int:
        """Of what a node gives, or the largest in it."""
        match node:
            case exp.Column() | exp.Star() | exp.Query():  # a query in it was looked at before
                return self.column
            case exp.Literal():
                return len(node.this)
            case exp.Parameter():
                value = self._values[int(node.name) - 1]
                return len(value) if isinstance(value, str | bytes) else _SMALL_BYTES
        longer = self._longer(node) if isinstance(node, _LONGER) else self._largest(node)
        return max(longer, _SMALL_BYTES)

    def selected(self, node: Any) -> int:
        """A row of a SELECT: its columns as they were, and what is made of them."""
        made = [each for each in node.expressions if not isinstance(each.unalias(), exp.Column | exp.Star)]
        kept = self.column if len(made) < len(node.expressions) else 0
        return max(self._largest(node), kept + sum(map(self.of, made)))

    def _longer(self, node: Any) -> int:
        """Of a function that makes a text longer."""
        match node:
            case exp.Replace() | exp.RegexpReplace():
                return self._replaced(node)
            case exp.ConcatWs():
                separator, *parts = self._parts(node)
                return sum(parts) + separator * len(parts)
            case exp.DPipe() | exp.Concat():
                return sum(self._parts(node))
            case exp.GroupConcat() | exp.ArrayAgg():
                return max(_GATHERED_BYTES, sum(self._parts(node)))
            case exp.TimeToStr() | exp.ToChar():
                return 20 * self._largest(node)  # %c becomes twenty signs
        return 4 * sum(self._parts(node))

    def _parts(self, node: Any) -> list[int]:
        return [self.of(each) for each in node.iter_expressions()]

    def _largest(self, node: Any) -> int:
        return max(self._parts(node), default=0)

    def _replaced(self, node: Any) -> int:
        """Every sign may become the other text, where a mark may stand for the whole that was found."""
        text, other = self.of(node.this), node.args.get("replacement")
        times = 1 if other is None else self.of(other) + 1
        return (text + 1) * times * (1 if isinstance(node, exp.Replace) else 2)
