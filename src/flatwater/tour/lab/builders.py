"""Experiments `builders` and `pool`: objects of five fields by the way they are built, and used builders kept for later.

Covers:     what they are, what was known, what must hold.
Not here:   the programs (`programs.builders`), building (`build`).
Holds:      text.
"""

from __future__ import annotations

from flatwater import units
from flatwater.tour.lab.experiment import Claim, Experiment, SeedFigure, Spot, Variant

_PROGRAMS = "flatwater.tour.lab.programs.builders"
_SEED = "UltraFastBuilder's page on memory (another system: JavaScript on Node), by process.memoryUsage"
OBJECTS = 100_000
BUILDS = 10_000


def _each(bytes_each: int) -> tuple[SeedFigure, ...]:
    return (SeedFigure(f"~{bytes_each} B each (Node)", bytes_each * OBJECTS),)


EXPERIMENTS = (
    Experiment(
        name="builders",
        title="Build objects of five fields, in three modes and six ways",
        seed=_SEED,
        size=OBJECTS,
        item="objects",
        variants=(
            Variant("a class, by hand", f"{_PROGRAMS}:by_hand"),
            Variant("Struct, fresh", f"{_PROGRAMS}:struct_fresh", seed_figures=_each(60)),
            Variant("dataclass, fresh", f"{_PROGRAMS}:dataclass_fresh", seed_figures=_each(80)),
            Variant("validated, fresh", f"{_PROGRAMS}:validated_fresh", seed_figures=_each(120)),
            Variant("Struct, reused", f"{_PROGRAMS}:struct_reused"),
            Variant("Struct, pooled", f"{_PROGRAMS}:struct_pooled"),
            Variant("Struct, make", f"{_PROGRAMS}:struct_make"),
            Variant("BatchBuilder", f"{_PROGRAMS}:in_batches"),
        ),
        claims=(
            Claim("each", Spot(1, is_seed=True), Spot(1), 1),
            Claim("each", Spot(2, is_seed=True), Spot(2), 1),
            Claim("each", Spot(3, is_seed=True), Spot(3), 1),
            Claim("peak", Spot(1), Spot(7), 3),
        ),
        what_it_shows="An object is as small as its fields: validating leaves nothing behind. A reused builder saves making one "
        "for each object, and make saves the setters. A pool costs more than it saves: Python's allocator is one already. A "
        "BatchBuilder holds a batch, whatever the number of rows.",
        needs_bytes=512 * units.MIB,
        small_part=4,
        why_different="The write-up's modes are interface, class and Zod; ours are a Struct, a dataclass with slots, and a "
        "Struct that is validated. Figures are of the object without its values. An object takes, in bytes and, the least of several rounds, CPU: {costs}.",
    ),
    Experiment(
        name="pool",
        title="Ten thousand builds, fifty builders open at a time",
        seed=_SEED,
        size=BUILDS,
        item="builds",
        variants=(
            Variant(
                "a pool",
                f"{_PROGRAMS}:pooled",
                seed_figures=(
                    SeedFigure("0 builders", -1, "empty"),
                    SeedFigure("~50 builders", -1, "after 100"),
                    SeedFigure("~50 builders", -1, "after all"),
                ),
            ),
            Variant("a list of all", f"{_PROGRAMS}:all_kept"),
        ),
        claims=(
            Claim("count", Spot(1, "after all"), Spot(0, "after all"), 100),
            Claim("traced", Spot(1, "after all"), Spot(0, "after all"), 10),
        ),
        what_it_shows="A pool has as many builders as were open at a time, and stays there, bounded by 1,000 builders and 100 KB; a "
        "list of used builders grows with every build.",
        needs_bytes=256 * units.MIB,
        small_part=1,
        by_moment=True,
        why_different="The write-up says 4-6 KB for 100 builders, and names no way in which its figure of 50 came about: here fifty "
        "are open at a time.",
    ),
)
