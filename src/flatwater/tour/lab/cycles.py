"""Experiment `cycles`: a million circular references, dropped, and then collected.

Covers:     what it is, what was known, what must hold.
Not here:   the programs (`programs.cycles`); finding cycles in a program of one's own (`proof`).
Holds:      text.
"""

from __future__ import annotations

from flatwater import units
from flatwater.tour.lab.experiment import Claim, Experiment, SeedFigure, Spot, Variant

_PROGRAMS = "flatwater.tour.lab.programs.cycles"

EXPERIMENTS = (
    Experiment(
        name="cycles",
        title="Drop circular references, with the collector off",
        seed="Python lab 1.2, by tracemalloc",
        size=1_000_000,
        item="objects in a ring",
        variants=(
            Variant(
                "ring",
                f"{_PROGRAMS}:ring",
                seed_figures=(
                    SeedFigure.mib("130.12 MB (peak)", 130.12, "built"),
                    SeedFigure.mib("122.07 MB", 122.07, "dropped"),
                    SeedFigure.mib("0.00 MB", 0.0, "collected"),
                ),
            ),
            Variant("ring cut open first", f"{_PROGRAMS}:cut_ring"),
        ),
        claims=(
            Claim("traced", Spot(0, "dropped"), Spot(0, "collected"), 1_000),
            Claim("traced", Spot(0, "dropped"), Spot(1, "dropped"), 1_000),
        ),
        what_it_shows="Dropping the last name frees nothing that refers to itself in a circle: only the collector does. "
        "Taking one reference out of the circle before it is dropped does the same without a collector.",
        needs_bytes=768 * units.MIB,
        by_moment=True,
        why_different="An object takes {each} bytes here, and 128 in the write-up: how large an object with one attribute is "
        "depends on the Python version, and the write-up does not name its own.",
    ),
)
