"""Experiments `tables` and `order`: a million rows at once and in batches, alone and after each other in one process.

Covers:     what they are, what was known, what must hold.
Not here:   the programs (`programs.tables`), the table (`tour.lab.inputs`).
Holds:      text.
"""

from __future__ import annotations

from flatwater import units
from flatwater.tour.lab.experiment import Claim, Experiment, Input, SeedFigure, Spot, Variant

_PROGRAMS = "flatwater.tour.lab.programs.tables"
BATCH_ROWS = 1_000
RAILS_AT_ONCE, RAILS_IN_BATCHES = 1.6e9, 9e6

EXPERIMENTS = (
    Experiment(
        name="tables",
        title="Add up a column: all rows at once, or a thousand at a time",
        seed="Rails find_each (another system: Ruby objects from ActiveRecord), by RSS",
        size=1_000_000,
        item="rows",
        variants=(
            Variant(
                "fetchall",
                f"{_PROGRAMS}:at_once",
                (Input.TABLE,),
                (SeedFigure("~1.6 GB (Rails)", RAILS_AT_ONCE),),
            ),
            Variant(
                "Table.find_each",
                f"{_PROGRAMS}:find_each",
                (Input.TABLE, BATCH_ROWS),
                (SeedFigure("~9 MB (Rails)", RAILS_IN_BATCHES),),
            ),
            Variant("fetchmany, one cursor", f"{_PROGRAMS}:by_cursor", (Input.TABLE, BATCH_ROWS)),
        ),
        claims=(Claim("peak", Spot(0), Spot(1), 20), Claim("peak", Spot(0), Spot(2), 20)),
        what_it_shows="A batch holds its rows and SQLite's page cache, whatever the table's size. find_each asks for the rows "
        "behind its last key and keeps no transaction open between batches; one cursor does.",
        needs_bytes=units.GIB,
        traced=False,
        needs_extra=("tables", "apsw"),
        why_different="The write-up measures Ruby on Rails: an ActiveRecord object a row takes 1.6 KB, a tuple from sqlite3 "
        "{each} bytes. Its figures are RSS, so nothing is traced here.",
    ),
    Experiment(
        name="order",
        title="The same two after each other in one process, in both orders",
        seed="Rails find_each (another system), by RSS: reversing the script's order",
        size=1_000_000,
        item="rows",
        variants=(
            Variant(
                "large first",
                f"{_PROGRAMS}:at_once_then_find_each",
                (Input.TABLE, BATCH_ROWS),
                (SeedFigure("~1.6 GB, and stays (Rails)", RAILS_AT_ONCE, "at once"),),
            ),
            Variant(
                "small first",
                f"{_PROGRAMS}:find_each_then_at_once",
                (Input.TABLE, BATCH_ROWS),
                (
                    SeedFigure("flat at ~80MB (Rails)", -1, "in batches"),  # of the whole process: no bar beside growth
                    SeedFigure("~1.6 GB (Rails)", RAILS_AT_ONCE, "at once"),
                ),
            ),
        ),
        claims=(
            Claim("peak", Spot(1, "at once"), Spot(1, "in batches"), 20),
            Claim("peak", Spot(1, "in batches"), Spot(0, "in batches"), 2),
        ),
        what_it_shows="What runs second uses the memory that the first one freed, so its own growth cannot be seen: the same "
        "batches seem to take nothing. A figure that is to mean something comes from a fresh process.",
        needs_bytes=units.GIB,
        traced=False,
        by_moment=True,
        log_chart=True,
        why_different="The write-up's 80 MB are its whole process, Rails and all; ours "
        "are growth. Ruby's process stayed large after the rows were gone. CPython gives arenas back in which nothing lives "
        "any more, and here nothing does: the experiment retention shows where it cannot.",
    ),
)
