"""Experiment `ranges`: ten million numbers in a list, and as a range.

Covers:     what it is, what was known, what must hold.
Not here:   the programs (`programs.ranges`).
Holds:      text.
"""

from __future__ import annotations

from flatwater import units
from flatwater.tour.lab.experiment import Claim, Experiment, SeedFigure, Spot, Variant

_PROGRAMS = "flatwater.tour.lab.programs.ranges"

EXPERIMENTS = (
    Experiment(
        name="ranges",
        title="Add up numbers: a list of them, or the range",
        seed="Python lab 1.1, by tracemalloc and sys.getsizeof",
        size=10_000_000,
        item="numbers",
        variants=(
            Variant(
                "list(range(n))",
                f"{_PROGRAMS}:as_list",
                seed_figures=(
                    SeedFigure.mib("381.46 MB", 381.46),
                    SeedFigure.mib("getsizeof 76.29", 76.29, "made"),
                ),
            ),
            Variant("range(n)", f"{_PROGRAMS}:as_range", seed_figures=(SeedFigure.mib("0.0001 MB", 0.0001),)),
        ),
        claims=(Claim("peak", Spot(0), Spot(1), 100),),
        what_it_shows="getsizeof counts the 8 bytes a place that the list itself takes, and not the numbers in it: it says "
        "a fifth of what is really held. tracemalloc and the operating system agree. A range holds three numbers.",
        needs_bytes=2 * units.GIB + 512 * units.MIB,  # 1.4 GiB under tracemalloc, which notes ten million blocks
        traced_until="made",
        why_different="A figure near nothing depends on what the tracing itself allocates. tracemalloc's run is not the one "
        "that resident memory and time come from: its notes on ten million blocks take a GiB more.",
    ),
)
