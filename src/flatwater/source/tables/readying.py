"""Rows made ready to be written, one by one: as tuples that the driver takes, weighed, each with its number.

Covers:     the number of a row in every message about it, what a call wrote (`Created`), rows that are refused (`NotCreated`).
Not here:   kinds of rows (`tables.given`), values (`tables.storing`), batches (`tables.creating`).
Holds:      nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from sys import getsizeof
from typing import Any

from flatwater import errors
from flatwater.sizing import heap_bytes
from flatwater.source.tables.given import Given, Plan
from flatwater.source.tables.inserting import Ready, RefusedError, shown, words_of

_new: Callable[[Any, Any], Ready] = tuple.__new__  # what the constructor of a named tuple does, in half the time


@dataclass(slots=True)
class Created:
    """What a call of `create_many` did.

    Attributes:
        written: rows that were inserted, or that took the place of one that was there.
        skipped: rows that were there already, with `on_conflict="skip"`.
        transactions: that were committed.
        wall_s: seconds it took, with the time that the rows took to come.
    """

    written: int = 0
    skipped: int = 0
    transactions: int = 0
    wall_s: float = 0.0


class NotCreated(errors.BrokenError):
    """The database, or its driver, refused a row.

    Attributes:
        row_number: of the row, from 1, among those of the call.
        created: what was committed before; None of a `Writer`, which commits when it is told to.
    """

    def __init__(self, message: str, *, row_number: int, created: Created | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.row_number = row_number
        self.created = created

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (self.args[0], self.row_number, self.created, self.hint)


def _again(message: str, row_number: int, created: Created | None, hint: str) -> NotCreated:
    return NotCreated(message, row_number=row_number, created=created, hint=hint)


class Readying:
    """Rows, made ready one by one; knows the number of the one at hand.

    Args:
        given: makes tuples of them.
        told: what was done before, for messages.
        created: the same in figures, for errors.
    """

    def __init__(self, given: Given, told: Callable[[], str], created: Created | None = None) -> None:
        self._take = given.take
        self._told = told
        self._created = created
        self.number = 0  # of rows that came

    def ready(self, row: Any) -> Ready:
        """A row as it waits for its batch.

        Raises:
            UsageError: it is no row of this table.
            NotCreated: a value is none that the driver takes.
        """
        self.number += 1
        plan: Plan | None = None
        values: tuple[Any, ...] = ()
        try:
            plan, values = self._take(row)
            made = plan.ready(values)
            size = sum(map(getsizeof if made is values else heap_bytes, made))
        except errors.UsageError as error:
            hint = " ".join(filter(None, (error.hint, self._told())))
            raise errors.UsageError(f"row {self.number:,}: {error.args[0]}", hint=hint) from error
        except Exception as error:
            which = shown(plan.names, values) if plan is not None else f"of type {type(row).__name__}"
            raise NotCreated(
                f"row {self.number:,} {which} cannot be written: {words_of(error)}.",
                row_number=self.number, created=self._created, hint=self._told(),
            ) from error  # fmt: skip
        return _new(Ready, (plan, made, size + plan.row_bytes))


def refused(error: RefusedError, batch: Sequence[Ready], before: int, created: Created | None, told: str) -> NotCreated:
    """The error for a row that the database refused; it stands in a batch that so many rows stand before."""
    row = batch[error.at]
    number = before + error.at + 1
    return NotCreated(
        f"row {number:,} {shown(row.plan.columns, row.values)} is refused: {words_of(error.cause)}.",
        row_number=number, created=created, hint=told,
    )  # fmt: skip


def check_rows(rows: object) -> None:
    """Refuse what is one row, or none.

    Raises:
        UsageError: as said.
    """
    if isinstance(rows, (str, bytes, Mapping)) or not hasattr(rows, "__iter__"):
        raise errors.UsageError(f"{type(rows).__name__} is no rows.", hint="Give an iterable of rows, such as a list.")
