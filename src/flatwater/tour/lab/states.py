"""Experiment `states`: mark every entry of a sync's state, in one long transaction or in short ones.

Covers:     what it is, what was known, what must hold.
Not here:   the programs (`programs.states`), the store (`tour.lab.inputs`).
Holds:      text.
"""

from __future__ import annotations

from flatwater import units
from flatwater.tour.lab.experiment import Claim, Experiment, Input, SeedFigure, Spot, Variant

_PROGRAMS = "flatwater.tour.lab.programs.states"
OLD = SeedFigure("600+ MB; 6.5 GB at 10 M", 600e6)
FIRST_ROUND, SECOND_ROUND = (10_000, 1_000), (1_000, 500)

EXPERIMENTS = (
    Experiment(
        name="states",
        title="Mark all entries of a store: one long transaction, or short ones",
        seed="yomins-sync (a Go program over bbolt), its test of 100,000 entries",
        size=100_000,
        item="entries",
        variants=(
            Variant("one transaction, collect", f"{_PROGRAMS}:collected", (Input.STORE, Input.SIZE), (OLD,)),
            Variant(
                "read 10,000, write 1,000",
                f"{_PROGRAMS}:marked",
                (Input.STORE, *FIRST_ROUND),
                (SeedFigure("10.69 MB, 92,000/s", 10.69e6),),
            ),
            Variant("read 5,000, write 1,000", f"{_PROGRAMS}:marked", (Input.STORE, 5_000, 1_000)),
            Variant(
                "read 1,000, write 500",
                f"{_PROGRAMS}:marked",
                (Input.STORE, *SECOND_ROUND),
                (SeedFigure("3.01 MB, 52,000/s", 3.01e6),),
            ),
            Variant("read 500, write 250", f"{_PROGRAMS}:marked", (Input.STORE, 500, 250)),
        ),
        claims=(Claim("traced", Spot(0), Spot(1), 5), Claim("traced", Spot(0), Spot(3), 40)),
        what_it_shows="A transaction that stays open while changes are collected holds a change for every entry, and grows with "
        "the state. Short transactions hold what is read at a time: the smaller batches take less and are about as fast. Resident "
        "memory shows the mapped file as well, in every program: the kernel takes those pages back when it needs them.",
        needs_bytes=512 * units.MIB,
        rates_chart=True,
        small_part=4,
        needs_extra=("store", "lmdb"),
        why_different="The write-up measures Go's maps and structs, about 460 bytes an entry, and bbolt's own transaction; here a "
        "change is a dict's slot, a tuple, a key and a value. Its throughput is of the same pass; ours is in the chart.",
    ),
)
