"""Rows as a program has them, of any kind, as tuples of values for the columns of a table.

Covers:     dicts, dataclasses, Structs, named tuples, pydantic models, annotated classes, plain tuples and lists; which columns
            a row lacks, and which a table does not have.
Not here:   values (`tables.storing`), statements (`tables.inserting`).
Holds:      what it knows of at most TABLE_QUERIES_KEPT sets of columns and as many classes.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from flatwater import errors, limits
from flatwater.build import schemas
from flatwater.source.tables.order import check_columns

Values = tuple[Any, ...]
_ROW_BYTES = 200  # of a row that waits: two tuples, a place in a list
_PLACE_BYTES = 24  # of a value: a place in a tuple, what an allocator rounds up


class Fillable(NamedTuple):
    """A column that can be written: its name, and whether a row must have it: it is NOT NULL, and nothing fills it in."""

    name: str
    is_needed: bool


class Prepared(NamedTuple):
    """How the values of some columns go into the database.

    Attributes:
        columns: of the database; what an ORM fills in by itself comes last.
        ready: makes the values as the driver takes them of those that were given.
    """

    columns: tuple[str, ...]
    ready: Callable[[Values], Values]


class Plan:
    """Rows with the same columns.

    Attributes:
        names: as the program calls the columns, in the table's order.
        pick: takes the values of a row that has its columns by name.
        columns: of the database.
        ready: makes the values as the driver takes them.
        row_bytes: that a row takes while it waits, beside its values.
        copies: whether rows of this plan may be sent in the database's own bulk form; False once it refused one that
            a statement took.
    """

    __slots__ = ("columns", "copies", "names", "pick", "ready", "row_bytes")

    def __init__(self, names: tuple[str, ...], prepared: Prepared) -> None:
        self.names = names
        self.columns, self.ready = prepared
        self.row_bytes = _ROW_BYTES + _PLACE_BYTES * len(prepared.columns)
        self.pick = _picker(operator.itemgetter, names)
        self.copies = True


Taken = tuple[Plan, Values]


class Given:
    """Makes tuples of rows.

    Args:
        table: its name, for messages.
        columns: that can be written, in the table's order.
        key: columns that each row must have; empty for none.
        prepare: how values of these columns are written.
    """

    def __init__(
        self,
        table: str,
        columns: Sequence[Fillable],
        key: Sequence[str],
        prepare: Callable[[tuple[str, ...]], Prepared],
    ) -> None:
        self.table = table
        self.names = tuple(column.name for column in columns)
        self.needed = tuple(dict.fromkeys([*(column.name for column in columns if column.is_needed), *key]))
        self._prepare = prepare
        self._plans: dict[tuple[str, ...], Plan] = {}
        self._takers: dict[type, Callable[[Any], Taken]] = {}
        self._last: Plan | None = None  # of a dict: the next one has the same columns, mostly

    def take(self, row: Any) -> Taken:
        """The plan of a row, and its values, not yet as the driver takes them.

        Raises:
            UsageError: it is no row, lacks a column, or has one that the table does not have.
        """
        plan = self._last
        if type(row) is dict and plan is not None and len(row) == len(plan.names):
            try:
                return plan, plan.pick(row)
            except KeyError:  # it has as many columns, and others
                pass
        taker = self._takers.get(type(row))
        if taker is None:
            taker = self._taker(type(row))
            _kept(self._takers)[type(row)] = taker
        return taker(row)

    def _taker(self, cls: type) -> Callable[[Any], Taken]:
        if cls is dict:
            return self._from_dict
        if issubclass(cls, tuple) and hasattr(cls, "_fields"):
            return self._by_place(tuple(cls._fields))
        if issubclass(cls, (tuple, list)):
            return self._from_tuple
        if issubclass(cls, Mapping) or (hasattr(cls, "keys") and hasattr(cls, "__getitem__")):
            return lambda row: self._from_dict({name: row[name] for name in row.keys()})  # noqa: SIM118 - sqlite3.Row iterates values
        if issubclass(cls, msgspec.Struct):
            return self._by_attribute(cls.__struct_fields__, _struct_rest)
        names = _names_of(cls)
        if not names:
            raise errors.UsageError(
                f"{self.table}: {cls.__name__} is no row.",
                hint="Give dicts, dataclasses, Structs, named tuples, pydantic models, or tuples in the order "
                f"{', '.join(self.names)}.",
            )
        return self._by_attribute(names, _pydantic_rest if hasattr(cls, "model_fields") else None)

    def _from_dict(self, row: dict[str, Any]) -> Taken:
        plan = self._last = self._plan(tuple(row))
        return plan, plan.pick(row)

    def _from_tuple(self, row: Sequence[Any]) -> Taken:
        if len(row) != len(self.names):
            raise errors.UsageError(
                f"{self.table}: the row has {len(row)} values, and the table {len(self.names)} columns.",
                hint=f"They are {', '.join(self.names)}, in this order; or give dicts.",
            )
        return self._plan(self.names), tuple(row)

    def _by_place(self, names: tuple[str, ...]) -> Callable[[Any], Taken]:
        plan = self._plan(names)
        pick = _picker(operator.itemgetter, tuple(names.index(name) for name in plan.names))
        return lambda row: (plan, pick(row))

    def _by_attribute(
        self, names: Sequence[str], rest: Callable[[Any, Values], Mapping[str, Any] | None] | None
    ) -> Callable[[Any], Taken]:
        plan = None if rest is not None else self._plan(tuple(names))
        kept = plan.names if plan is not None else tuple(names)
        pick = _picker(operator.attrgetter, kept)

        def take(row: Any) -> Taken:
            nonlocal plan
            values = pick(row)
            if rest is not None:
                changed = rest(row, values)
                if changed is not None:
                    named = {
                        name: value for name, value in zip(kept, values, strict=True) if value is not msgspec.UNSET
                    }
                    return self._from_dict({**named, **changed})
                if plan is None:
                    return self._from_dict(dict(zip(kept, values, strict=True)))
            assert plan is not None
            return plan, values

        return take

    def _plan(self, names: tuple[str, ...]) -> Plan:
        plan = self._plans.get(names)
        if plan is not None:
            return plan
        check_columns(names, self.names, what=self.table)
        missing = [name for name in self.needed if name not in names]
        if missing or not names:
            what = f"lacks {', '.join(missing)}" if missing else "has no columns"
            raise errors.UsageError(
                f"{self.table}: the row {what}.",
                hint=f"It has {', '.join(names)}." if names else f"There are {', '.join(self.names)}.",
            )
        ordered = tuple(name for name in self.names if name in names)
        plan = self._plans.get(ordered) or Plan(ordered, self._prepare(ordered))
        _kept(self._plans)[ordered] = plan
        if names != ordered:
            _kept(self._plans)[names] = plan
        return plan


def _kept(known: dict[Any, Any]) -> dict[Any, Any]:
    """The same, with room for one more."""
    while len(known) >= limits.TABLE_QUERIES_KEPT:
        known.pop(next(iter(known)))
    return known


def _picker(getter: Any, places: Sequence[Any]) -> Callable[[Any], Values]:
    """What takes these parts of a row, as a tuple."""
    get = getter(*places)
    return get if len(places) > 1 else lambda row: (get(row),)


def _struct_rest(row: Any, values: Values) -> Mapping[str, Any] | None:
    """Nothing more, where a field is unset and is left out."""
    del row
    return {} if any(value is msgspec.UNSET for value in values) else None


def _pydantic_rest(row: Any, values: Values) -> Mapping[str, Any] | None:
    """What a model has beside its fields, where it allows that."""
    del values
    return getattr(row, "model_extra", None) or None


def _names_of(cls: type) -> tuple[str, ...]:
    """The attributes of a class's objects that are columns; empty where nothing says which they are."""
    if dataclasses.is_dataclass(cls):
        return tuple(field.name for field in dataclasses.fields(cls))
    if hasattr(cls, "model_fields"):
        return tuple(cls.model_fields)
    try:
        return schemas.read(cls).names
    except errors.UsageError:
        return ()
