"""Which conditions a changed row is in, was in, or is no longer in, without asking all of them.

Covers:     one entry for all who ask the same, equalities by value, comparisons by their bounds, the rest one by one.
Not here:   who is behind an entry (`live.subscriptions`), what a condition says (`live.conditions`).
Holds:      an entry for each condition, in `Groups.bytes_held`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, final

from sqlglot import exp

from flatwater.live.conditions import Form, Predicate
from flatwater.live.log import DELETE, INSERT, UPDATE
from flatwater.live.schema import Row

_GROUP_BYTES: Final = 560  # of a condition: its entry, its values, its places in the index
_VALUE_BYTES: Final = 160  # of one of several values: itself, its place in a set and in the index


@final
class Group:
    """Rows that somebody follows.

    Attributes:
        table: number of the table. It is looked up when it is read.
        scope: whose rows; empty for those of a SHARED table.
        predicate: of the rows; None for all.
        count: of those who follow them.
    """

    __slots__ = ("count", "predicate", "scope", "table")

    def __init__(self, table: int, scope: str, predicate: Predicate | None) -> None:
        self.table, self.scope, self.predicate = table, scope, predicate
        self.count = 0


@final
class Groups:
    """Conditions by table and user. Not thread-safe: the caller holds a lock.

    A group is all who follow the same rows: of one table and one user (or none, in a SHARED table), under one condition.
    """

    def __init__(self) -> None:
        self._groups: list[Group | None] = []
        self._free: list[int] = []
        self._numbers: dict[tuple[int, str, Predicate | None], int] = {}
        self._equal: dict[tuple[int, str, str, Any], int | list[int]] = {}
        self._bounds: dict[tuple[int, str, str, type], tuple[list[Any], list[int]]] = {}
        self._broad: dict[tuple[int, str], list[int]] = {}
        self._equal_columns: dict[int, Counter[str]] = {}  # by table: those that are looked up
        self._bound_columns: dict[int, Counter[tuple[str, type]]] = {}
        self._forms: Counter[Form] = Counter()
        self._held = 0

    def add(self, table: int, scope: str, predicate: Predicate | None) -> int:
        """The group of a condition, with one more in it.

        Args:
            table: its number.
            scope: whose rows; empty for those of a SHARED table.
            predicate: of the rows; None for all.
        """
        key = table, scope, predicate
        number = self._numbers.get(key)
        if number is None:
            group = Group(table, scope, predicate)
            if self._free:
                number = self._free.pop()
                self._groups[number] = group
            else:
                number = len(self._groups)
                self._groups.append(group)
            self._numbers[key] = number
            self._enter(number, group)
            self._weigh(predicate, 1)
        self.group(number).count += 1
        return number

    def group(self, number: int) -> Group:
        """One of them."""
        group = self._groups[number]
        assert group is not None
        return group

    def of_table(self, table: int) -> list[int]:
        """Those of a table."""
        return [number for number, group in enumerate(self._groups) if group is not None and group.table == table]

    def remove(self, number: int) -> bool:
        """One less in a group; whether it was the last one, and the group is gone."""
        group = self.group(number)
        group.count -= 1
        if group.count:
            return False
        self._leave(number, group)
        self._weigh(group.predicate, -1)
        del self._numbers[group.table, group.scope, group.predicate]
        self._groups[number] = None
        self._free.append(number)
        return True

    def match(self, table: int, scope: str, old: Row | None, new: Row | None) -> list[tuple[int, int]]:
        """Groups that a change concerns, each with INSERT, UPDATE or DELETE as it looks from there."""
        was = set() if old is None else set(self._of(table, scope, old))
        is_now = set() if new is None else set(self._of(table, scope, new))
        if was == is_now:
            return [(number, UPDATE) for number in is_now]
        return (
            [(number, UPDATE) for number in was & is_now]
            + [(number, INSERT) for number in is_now - was]
            + [(number, DELETE) for number in was - is_now]
        )

    def bytes_held(self) -> int:
        """What all entries take, or about, with their values and forms."""
        return self._held

    def __len__(self) -> int:
        return len(self._numbers)

    def _weigh(self, predicate: Predicate | None, sign: int) -> None:
        """Count a group that came (1) or went (-1)."""
        self._held += sign * _GROUP_BYTES
        if predicate is None:
            return
        form = predicate.form
        if sign < 0:
            self._forms[form] -= 1
        if not self._forms[form]:
            self._held += sign * form.cost
        if sign > 0:
            self._forms[form] += 1
        elif not self._forms[form]:
            del self._forms[form]
        self._held += sign * sum(map(_weight, predicate.values))

    # --- the index ----------------------------------------------------------------------------------------------------

    def _of(self, table: int, scope: str, row: Row) -> Iterator[int]:
        """Groups that a row is in; one may come twice."""
        groups = self._groups
        for number in self._candidates(table, scope, row):
            predicate = groups[number].predicate  # type: ignore[union-attr]
            if predicate.form.is_all or predicate.matches(row):  # type: ignore[union-attr]
                yield number
        for number in self._broad.get((table, scope), ()):
            predicate = groups[number].predicate  # type: ignore[union-attr]
            if predicate is None or predicate.form.evaluate(row, predicate.values) is True:
                yield number

    def _candidates(self, table: int, scope: str, row: Row) -> Iterator[int]:
        """Groups whose equality or comparison holds."""
        for column in self._equal_columns.get(table, ()):
            found = self._equal.get((table, scope, column, row[column]))
            if isinstance(found, int):
                yield found
            elif found is not None:
                yield from found
        for column, kind in self._bound_columns.get(table, ()):
            value = row[column]
            entry = None if value is None else self._bounds.get((table, scope, column, kind))
            if entry is not None:
                yield from _within(entry, kind, value)

    def _enter(self, number: int, group: Group) -> None:
        table, scope, predicate = group.table, group.scope, group.predicate
        form = None if predicate is None else predicate.form
        if form is not None and predicate is not None and form.equal is not None:
            column, at = form.equal
            self._equal_columns.setdefault(table, Counter())[column] += 1
            for value in _each(predicate.values[at]):
                key = table, scope, column, value
                found = self._equal.get(key)
                if found is None:
                    self._equal[key] = number
                elif isinstance(found, int):
                    self._equal[key] = [found, number]
                else:
                    found.append(number)
        elif form is not None and predicate is not None and form.bound is not None:
            column, kind, at = form.bound
            self._bound_columns.setdefault(table, Counter())[column, kind] += 1
            bound = predicate.values[at]
            if bound is not None:  # else it holds for no row
                bounds, numbers = self._bounds.setdefault((table, scope, column, kind), ([], []))
                place = bisect_right(bounds, bound)
                bounds.insert(place, bound)
                numbers.insert(place, number)
        else:
            insort(self._broad.setdefault((table, scope), []), number)

    def _leave(self, number: int, group: Group) -> None:
        table, scope, predicate = group.table, group.scope, group.predicate
        form = None if predicate is None else predicate.form
        if form is not None and predicate is not None and form.equal is not None:
            column, at = form.equal
            _less(self._equal_columns, table, column)
            for value in _each(predicate.values[at]):
                key = table, scope, column, value
                found = self._equal[key]
                if isinstance(found, int) or len(found) == 1:
                    del self._equal[key]
                else:
                    found.remove(number)
        elif form is not None and predicate is not None and form.bound is not None:
            column, kind, at = form.bound
            _less(self._bound_columns, table, (column, kind))
            bound = predicate.values[at]
            if bound is not None:
                bounds, numbers = self._bounds[table, scope, column, kind]
                place = numbers.index(number, bisect_left(bounds, bound))
                del bounds[place], numbers[place]
                if not bounds:
                    del self._bounds[table, scope, column, kind]
        else:
            found = self._broad[table, scope]
            found.remove(number)
            if not found:
                del self._broad[table, scope]


def _weight(value: Any) -> int:
    """Bytes of a value beyond those that each condition is taken to have."""
    if isinstance(value, frozenset):
        return sum(_VALUE_BYTES + _weight(each) for each in value)
    return len(value) if isinstance(value, str | bytes) else 0


def _each(value: Any) -> Iterator[Any]:
    """The values that a row may have for an equality: one, those of a set, none for NULL."""
    if isinstance(value, frozenset):
        yield from value
    elif value is not None:
        yield value


def _within(entry: tuple[list[Any], list[int]], kind: type, value: Any) -> list[int]:
    """Groups whose bound a value keeps to."""
    bounds, numbers = entry
    if kind is exp.GT:
        return numbers[: bisect_left(bounds, value)]
    if kind is exp.GTE:
        return numbers[: bisect_right(bounds, value)]
    return numbers[bisect_right(bounds, value) if kind is exp.LT else bisect_left(bounds, value) :]


def _less(columns: dict[int, Counter[Any]], table: int, column: Any) -> None:
    left = columns[table]
    left[column] -= 1
    if not left[column]:
        del left[column]
        if not left:
            del columns[table]
