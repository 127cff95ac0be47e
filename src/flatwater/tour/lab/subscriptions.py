"""Experiment `subscriptions`: what a live query takes, by what is kept of it.

Covers:     what it is, what was known, what must hold.
Not here:   the programs (`programs.subscriptions`), the places of a database's (`live.subscriptions`).
Holds:      text.
"""

from __future__ import annotations

from flatwater import units
from flatwater.tour.lab.experiment import Claim, Experiment, Input, SeedFigure, Spot, Variant

_PROGRAMS = "flatwater.tour.lab.programs.subscriptions"
QUERIES = 10_000

EXPERIMENTS = (
    Experiment(
        name="subscriptions",
        title="Ten thousand live queries, of which 42 in 100 are distinct",
        seed="KalamDB (a server in Rust), its summary of memory optimisations, and ADR-017, three weeks later, by arithmetic",
        size=QUERIES,
        item="live queries",
        variants=(
            Variant(
                "a dict and its text",
                f"{_PROGRAMS}:dicts",
                seed_figures=(SeedFigure("500 B each; 1,600 by ADR-017", 1_600 * QUERIES),),
            ),
            Variant(
                "an object, no text",
                f"{_PROGRAMS}:objects",
                seed_figures=(SeedFigure("50 B each; 248 by ADR-017", 248 * QUERIES),),
            ),
            Variant("db.subscribe", f"{_PROGRAMS}:database", (Input.FOLDER, Input.SIZE)),
        ),
        claims=(
            Claim("each", Spot(0), Spot(1), 2),
            Claim("each", Spot(0, is_seed=True), Spot(2), 2),
        ),
        what_it_shows="Without its text a live query is smaller, but an object of five fields, with its values, is not 50 bytes. "
        "A subscription of a database has its text on disk, its place in arrays, and its condition once for all that ask "
        "the same; what is counted has the conditions in it, and the object by which it is read.",
        needs_bytes=512 * units.MIB,
        small_part=10,
        traced_until="all there",
        needs_extra=("live", "sqlglot"),
        why_different="By the later document the 50 bytes are a handle beside a state of 200, in which its parsed condition of 200 to 500 cannot be. "
        "Here a live query takes, in bytes by tracemalloc and CPU of the whole program: {costs}.",
    ),
)
