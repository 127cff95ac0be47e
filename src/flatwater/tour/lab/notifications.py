"""Experiment `notifications`: changes of a row that a hundred follow and nobody has read yet.

Covers:     what it is, what was known, what must hold.
Not here:   the programs (`programs.notifications`), following (`live.following`).
Holds:      text.
"""

from __future__ import annotations

from flatwater import units
from flatwater.tour.lab.experiment import Claim, Experiment, Input, SeedFigure, Spot, Variant

_PROGRAMS = "flatwater.tour.lab.programs.notifications"
_CHANGED = "all changed"

EXPERIMENTS = (
    Experiment(
        name="notifications",
        title="A row of 1 KB changes, and a hundred follow it: copies, shared bytes, places in a log",
        seed="KalamDB (a server in Rust), its summary of memory optimisations, by arithmetic",
        size=1_000,
        item="changes",
        variants=(
            Variant(
                "a row of his own each",
                f"{_PROGRAMS}:owned",
                seed_figures=(SeedFigure("100 KB each, 60 GB/hour", 100e6, _CHANGED),),
            ),
            Variant(
                "a dict copy each",
                f"{_PROGRAMS}:copied",
                seed_figures=(SeedFigure("1 KB + clones, <100 MB/hour", 1e6, _CHANGED),),
            ),
            Variant("bytes, encoded once", f"{_PROGRAMS}:encoded"),
            Variant("fw.Database", f"{_PROGRAMS}:database", (Input.FOLDER, Input.SIZE)),
        ),
        claims=(
            Claim("traced", Spot(0, _CHANGED), Spot(1, _CHANGED), 3),
            Claim("traced", Spot(0, _CHANGED), Spot(2, _CHANGED), 40),
            Claim("traced", Spot(0, _CHANGED), Spot(3, _CHANGED), 200),
            Claim("peak", Spot(0, _CHANGED), Spot(3, _CHANGED), 20),
        ),
        what_it_shows="What nobody has read yet adds up in queues: a row for each follower, or a dict whose texts are shared, or a "
        "place for bytes that are encoded once. A subscription is a place in the log on disk: changes that wait take no memory, "
        "whoever is slow.",
        needs_bytes=units.GIB,
        small_part=10,
        by_moment=True,
        needs_extra=("live", "sqlglot"),
        why_different="A change takes {each:,} bytes where each of a hundred has a row of his own: 1 KB of JSON is more as a dict of "
        "nine values. The write-up counts its clones as nothing; a dict without its texts is a fifth of the row.",
    ),
)
