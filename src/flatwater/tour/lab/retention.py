"""Experiment `retention`: what stays resident after objects are freed, by the order in which they are.

Covers:     what it is, what was known, what must hold.
Not here:   the programs (`programs.retention`), the parts of resident memory (`meter.retention`).
Holds:      text.
"""

from __future__ import annotations

from flatwater import units
from flatwater.tour.lab.experiment import Claim, Experiment, SeedFigure, Spot, Variant

_PROGRAMS = "flatwater.tour.lab.programs.retention"
_STAYS = (SeedFigure("did not drop (Rails)", -1, "freed"),)

EXPERIMENTS = (
    Experiment(
        name="retention",
        title="Resident memory after objects are freed, in three orders",
        seed="Rails find_each (another system), by RSS after the collector ran",
        size=1_000_000,
        item="small objects, or a tenth as many larger ones",
        variants=(
            Variant("all freed, newest first", f"{_PROGRAMS}:all_freed"),
            Variant("1 small in 100 kept", f"{_PROGRAMS}:small_survivors", seed_figures=_STAYS),
            Variant("1 larger in 100 kept", f"{_PROGRAMS}:large_survivors", seed_figures=_STAYS),
        ),
        claims=(
            Claim("resident", Spot(1, "freed"), Spot(0, "freed"), 20),
            Claim("resident", Spot(2, "freed"), Spot(2, "trimmed"), 5),
        ),
        what_it_shows="Freed is not given back. A small object that lives on pins its whole arena, and no trim helps: such "
        "work belongs in a worker process. What malloc keeps between larger ones goes back with fw.trim().",
        needs_bytes=640 * units.MIB,
        traced=False,
        small_part=10,  # a hundredth is two arenas, in which one object of the interpreter's own decides
        by_moment=True,
        parts=True,
        why_different="The write-up names no figure: Ruby's heap kept the pages. CPython keeps them only where something in "
        "them lives on.",
    ),
)
