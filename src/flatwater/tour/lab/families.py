"""Experiment `families`: many tables in RocksDB, a column family for each or shared ones.

Covers:     what it is, what was known, what must hold.
Not here:   the programs (`programs.families`), predicting it (`store.explaining`).
Holds:      text.
"""

from __future__ import annotations

from flatwater import units
from flatwater.tour.lab.experiment import Claim, Experiment, Input, SeedFigure, Spot, Variant

_PROGRAMS = "flatwater.tour.lab.programs.families"

EXPERIMENTS = (
    Experiment(
        name="families",
        title="Fifty tables in RocksDB: a column family for each, three shared ones, a store's partitions",
        seed="KalamDB (a server in Rust), by arithmetic: 16 MB of write buffers a family",
        size=50,
        item="tables",
        variants=(
            Variant(
                "a family each, 8 MiB x 2",
                f"{_PROGRAMS}:family_each",
                (Input.FOLDER, Input.SIZE),
                (SeedFigure("16 GB at 1,000 families", 16e9),),
            ),
            Variant(
                "three families, 8 MiB x 2",
                f"{_PROGRAMS}:shared",
                (Input.FOLDER, Input.SIZE),
                (SeedFigure("48 MB for 1,000 tables", 48e6),),
            ),
            Variant("fw.Store, partitions", f"{_PROGRAMS}:partitions", (Input.FOLDER, Input.SIZE)),
        ),
        claims=(Claim("peak", Spot(0), Spot(1), 3), Claim("peak", Spot(0), Spot(2), 5)),
        what_it_shows="Each column family has write buffers of its own: what a table wrote stays in memory until they are full, and "
        "the tables add up. Three shared families have three sets of buffers, however many tables there are. A store has one set, "
        "whose size is taken from the budget, together with its cache.",
        needs_bytes=units.GIB,
        traced=False,
        small_part=10,
        log_chart=True,
        needs_extra=("store", "rocksdict"),
        why_different="The write-up's figures are what its families may take at most; here a table has 4 MB, which is what its "
        "buffers hold; RocksDB's defaults, three buffers of 64 MB and a cache of 8 MB a family, would take up to 10 GB at 50.",
    ),
)
