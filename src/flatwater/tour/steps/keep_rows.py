"""A step of the tour: typed rows go from the table into a store, which is walked while it changes.

Covers:     what the step promises, writing until a part of its time is over, walking and writing at once, the check.
Not here:   making the table (`tour.steps.users`), stores (`store`).
Holds:      batches of rows on their way in, batches of entries on their way out, the store: see `KeepRows.bytes_max`.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import time
from itertools import islice
from typing import final

import msgspec

from flatwater import errors, limits
from flatwater.budget import Budget
from flatwater.source.tables.table import Table
from flatwater.store.store import Store
from flatwater.tour.step import Inputs, StepResult
from flatwater.tour.steps import users
from flatwater.units import KIB, MIB

FOLDER = "store"
WRITE_ROWS = 500
GONE_EACH, CHANGED_EACH = 10, 3  # every tenth entry is deleted during the walk, every third of the others is changed
CHANGE = 1_000_000  # cents that are added to it
_BATCH_BYTES = 512 * KIB
_ENTRY_BYTES = 160  # of the file, for each row


class User(msgspec.Struct):
    """A row, and the value of an entry."""

    id: int
    email: str
    name: str
    cents: int


@final
class KeepRows:
    """Writes rows into a store, then changes and deletes entries while it walks over them. For one use, in one thread.

    Attributes:
        trouble: why it cannot run; empty if it can.
    """

    name = "store"
    naive = "flatwater.tour.naive.store"

    def __init__(self) -> None:
        self.trouble = ""
        for extra, module in (("tables", "apsw.ext"), ("store", "lmdb")):
            try:
                importlib.import_module(module)
            except ImportError:
                self.trouble = str(errors.MissingExtra(extra, module.partition(".")[0]))
        self._path = ""
        self._rows = 0

    @property
    def bytes_least(self) -> int:
        """With few entries."""
        return self._working_bytes() + MIB

    def bytes_max(self, room: int) -> int:
        """As much as the store's file may have, up to a bound: its pages are resident as long as nobody needs the memory."""
        total = 0
        total += self._working_bytes()  # beside the file
        total += min(room - total, limits.TOUR_STORE_BYTES)  # pages of the store's file
        return total

    def prepare(self, inputs: Inputs) -> None:
        """Make the table, and use a store once: what the first use imports belongs to the baseline."""
        made = users.make(inputs)
        self.trouble = made.trouble
        if made.trouble:
            return
        self._path, self._rows = made.path, made.rows
        rows = list(islice(Table(self._path, "users").find_each(as_=User), 1))
        try:
            with self._store(inputs) as store:
                store.write([((row.id,), row) for row in rows])
                for batch in store.batches():
                    store.write([(key, None) for key, _row in batch])
        except (OSError, errors.BrokenError) as error:
            self.trouble = f"the store could not be made in {inputs.folder!r}: {error}; TMPDIR names another place"

    def run(self, budget: Budget, inputs: Inputs) -> StepResult:
        """Fill the store, walk over it, and check what is left.

        Raises:
            BrokenError: what is in the store is not what should be.
        """
        wanted = min(self._rows, (budget.free - self._working_bytes()) // _ENTRY_BYTES)
        half_s = time.monotonic() + inputs.seconds / 2
        with self._store(inputs) as store:
            written = self._fill(store, wanted, half_s)
            changed = gone = 0
            for batch in store.batches(bytes=_BATCH_BYTES):
                changes: list[tuple[tuple[int], User | None]] = []
                for key, row in batch:
                    if row.id % GONE_EACH == 0:
                        changes.append((key, None))
                        gone += 1
                    elif row.id % CHANGED_EACH == 0:
                        row.cents += CHANGE
                        changes.append((key, row))
                        changed += 1
                store.write(changes)  # in front of the walk and behind it, whatever it has read
            left = cents = 0
            for batch in store.batches(bytes=_BATCH_BYTES):
                left += len(batch)
                cents += sum(row.cents for _key, row in batch)
            size = store.stats().file_bytes
        kept = range(1, written + 1)
        expected = users.cents_of(written) - sum(number % 10_000 for number in kept if number % GONE_EACH == 0)
        expected += changed * CHANGE
        if (left, cents) != (written - gone, expected):
            raise errors.BrokenError(
                f"{left:,} entries have {cents:,} cents; {written - gone:,} were to have {expected:,}."
            )
        notes = [
            f"{written:,} rows written, {changed:,} changed and {gone:,} deleted during a walk; {left:,} are left, and add up"
        ]
        if written < self._rows:
            notes.append(f"of {self._rows:,} rows: more have no room in the promise, or in half of the step's time")
        details = {"rows": written, "changed": changed, "deleted": gone, "file_bytes": size}
        return StepResult(written, size, "entries", complete=written == wanted, notes=tuple(notes), details=details)

    def _fill(self, store: Store, wanted: int, until_s: float) -> int:
        """How many rows were written."""
        written = 0
        with contextlib.closing(Table(self._path, "users").find_each(as_=User, batch_bytes=_BATCH_BYTES)) as rows:
            while part := list(islice(rows, min(WRITE_ROWS, wanted - written))):
                store.write([((row.id,), row) for row in part])
                written += len(part)
                if time.monotonic() >= until_s:
                    break
        return written

    @staticmethod
    def _store(inputs: Inputs) -> Store:
        return Store(os.path.join(inputs.folder, FOLDER), backend="lmdb", sync="off", type=User)

    @staticmethod
    def _working_bytes() -> int:
        total = 0
        total += limits.STORE_LMDB_BYTES  # LMDB itself
        total += (
            limits.STORE_COMMIT_ROWS * 4 * KIB + limits.STORE_COMMIT_BYTES
        )  # one transaction, as `Store.bytes_max` counts
        total += 2 * _BATCH_BYTES  # the rows' batches
        total += 2 * _BATCH_BYTES  # the entries' batches
        total += 2 * limits.SQLITE_CACHE_BYTES + limits.DRIVER_BYTES  # the table, as `Table.bytes_max` counts
        total += MIB  # changes of a batch, generated code
        return total
