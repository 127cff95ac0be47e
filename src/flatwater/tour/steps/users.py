"""The table of users that steps of the tour read: made once, before the baseline is taken.

Covers:     making it within a part of a step's time, what its columns add up to.
Not here:   reading it (`tour.steps.find_each`, `tour.steps.keep_rows`).
Holds:      SQLite's cache while it is made.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass

from flatwater import limits
from flatwater.tour.lab.inputs import ROWS, ROWS_A_STEP
from flatwater.tour.step import Inputs
from flatwater.units import KIB

MAKING_SHARE = 0.5  # of a step's time that making the table may take; then it has fewer rows
FILE = "table.db"
_CENTS = 10_000  # row i has i % 10,000 cents


@dataclass(frozen=True, slots=True)
class Made:
    """The table.

    Attributes:
        path: of the database.
        rows: of its table `users`.
        trouble: why there is none; empty if there is.
    """

    path: str = ""
    rows: int = 0
    trouble: str = ""


def make(inputs: Inputs) -> Made:
    """The table in the tour's folder; one that another step has made is taken as it is."""
    import apsw

    folder = inputs.made or inputs.folder
    path = os.path.join(folder, FILE)
    until_s = time.monotonic() + MAKING_SHARE * inputs.seconds
    try:
        if os.path.exists(path):
            with contextlib.closing(apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)) as connection:
                ((rows,),) = connection.execute("SELECT count(*) FROM users").fetchall()
                return Made(path, int(str(rows)))
        rows = 0
        with contextlib.closing(apsw.Connection(path)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")  # nobody needs it after a crash
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(f"PRAGMA cache_size = -{limits.SQLITE_CACHE_BYTES // KIB}")
            connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, name TEXT, cents INTEGER)")
            for first in range(1, limits.TOUR_ROWS + 1, ROWS_A_STEP):
                rows = min(first + ROWS_A_STEP - 1, limits.TOUR_ROWS)
                connection.execute(ROWS, {"first": first, "last": rows})
                if time.monotonic() >= until_s:
                    break
    except (OSError, apsw.Error) as error:
        with contextlib.suppress(OSError):
            os.unlink(path)  # what is left of it may be all that the disk has
        return Made(trouble=f"the table could not be made in {folder!r}: {error}; TMPDIR names another place")
    return Made(path, rows)


def cents_of(rows: int) -> int:
    """What the cents of the first so many rows add up to.

    >>> cents_of(3), cents_of(10_000)
    (6, 49995000)
    """
    whole, rest = divmod(rows, _CENTS)
    return whole * (_CENTS * (_CENTS - 1) // 2) + rest * (rest + 1) // 2
