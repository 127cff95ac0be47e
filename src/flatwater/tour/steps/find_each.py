"""The first step of the tour: a table of a million rows, read with `find_each`.

Covers:     what the step promises, reading until the end or until its time is over.
Not here:   making the table (`tour.steps.users`), tables (`source.tables`).
Holds:      two batches of rows, and SQLite's pages: see `FindEach.bytes_max`.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import time
from typing import final

from flatwater import errors, limits
from flatwater.budget import Budget
from flatwater.source.tables.table import Table
from flatwater.tour.step import Inputs, StepResult
from flatwater.tour.steps import users
from flatwater.units import KIB, MIB

BATCH_BYTES_MIN = 64 * KIB
ROWS_A_LOOK = 4_096  # between two looks at the clock


@final
class FindEach:
    """Adds up a column, row by row. For one use, in one thread.

    Attributes:
        trouble: why it cannot run; empty if it can.
    """

    name = "table"
    naive = "flatwater.tour.naive.table"

    def __init__(self) -> None:
        self.trouble = ""
        try:
            importlib.import_module("apsw.ext")
        except ImportError:
            self.trouble = str(errors.MissingExtra("tables", "apsw"))
        self._path = ""
        self._rows = 0

    @property
    def bytes_least(self) -> int:
        """With the smallest batches."""
        return self._reading_bytes() + 2 * BATCH_BYTES_MIN

    def bytes_max(self, room: int) -> int:
        """All of `room`, up to two batches of full size."""
        total = 0
        total += self._reading_bytes()  # beside the rows
        total += 2 * min((room - total) // 2, limits.TOUR_BATCH_BYTES)  # the batch at hand, and the one being built
        return total

    def prepare(self, inputs: Inputs) -> None:
        """Make the table, and read one row of it; what goes wrong is the step's `trouble`."""
        made = users.make(inputs)
        self.trouble = made.trouble
        if made.trouble:
            return
        next(
            iter(Table(made.path, "users").find_each(batch_rows=1))
        )  # what the first use imports belongs to the baseline
        self._path, self._rows = made.path, made.rows

    def run(self, budget: Budget, inputs: Inputs) -> StepResult:
        """Read the table.

        Raises:
            BrokenError: what was read is not what was written.
        """
        table = Table(self._path, "users")
        batch_bytes = (budget.free - self._reading_bytes()) // 2
        assert table.bytes_max(batch_bytes) <= budget.limit, "a table takes more than was promised for it"
        until_s = time.monotonic() + inputs.seconds
        count = cents = 0
        with contextlib.closing(
            table.find_each(batch_bytes=batch_bytes, batch_rows=limits.TABLE_BATCH_ROWS_MAX)
        ) as rows:
            for row in rows:
                count += 1
                cents += row["cents"]
                if not count % ROWS_A_LOOK and time.monotonic() >= until_s:
                    break
        expected = users.cents_of(count)
        if cents != expected:
            raise errors.BrokenError(f"the first {count:,} rows have {expected:,} cents, and {cents:,} were read.")
        notes = [
            f"{cents / 100:,.2f} in all, which is right for {count:,} rows; batches of {batch_bytes / MIB:.1f} MiB, in the order of the key"
        ]
        if self._rows < limits.TOUR_ROWS:
            notes.append(
                f"the table has {self._rows:,} rows, not {limits.TOUR_ROWS:,}: making it is given half of a step's time; "
                "--seconds gives it longer"
            )
        details = {"rows": self._rows, "batch_bytes": batch_bytes, "cents": cents}
        size = os.path.getsize(self._path) * count // max(1, self._rows)
        return StepResult(count, size, "rows", complete=count == self._rows, notes=tuple(notes), details=details)

    @staticmethod
    def _reading_bytes() -> int:
        total = 0
        total += 2 * limits.SQLITE_CACHE_BYTES  # pages, as `Table.bytes_max` counts them
        total += limits.DRIVER_BYTES  # statements, and the row at hand
        total += 512 * KIB  # the table's own objects and generated code
        return total
