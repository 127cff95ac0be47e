"""Experiment `files`: a file of 100 MB, whole and in chunks.

Covers:     what it is, what was known, what must hold.
Not here:   the programs (`programs.files`), the file (`tour.lab.inputs`).
Holds:      text.
"""

from __future__ import annotations

from flatwater import units
from flatwater.tour.lab.experiment import Claim, Experiment, Input, SeedFigure, Spot, Variant

_PROGRAMS = "flatwater.tour.lab.programs.files"
CHUNK_BYTES = 1024

EXPERIMENTS = (
    Experiment(
        name="files",
        title="The checksum of a file: read whole, or 1 KiB at a time",
        seed="Python lab 1.3, by tracemalloc",
        size=100_000_000,
        item="bytes",
        variants=(
            Variant(
                "whole",
                f"{_PROGRAMS}:whole",
                (Input.FILE,),
                (SeedFigure.mib("95.47 MB", 95.47),),
            ),
            Variant(
                "FileChunks of 1 KiB",
                f"{_PROGRAMS}:in_chunks",
                (Input.FILE, CHUNK_BYTES),
                (SeedFigure("7.4 KB", 7.4 * units.KIB),),
            ),
            Variant("1 KiB by hand", f"{_PROGRAMS}:by_hand", (Input.FILE, CHUNK_BYTES)),
        ),
        claims=(Claim("peak", Spot(0), Spot(1), 50), Claim("peak", Spot(0), Spot(2), 50)),
        what_it_shows="Reading in chunks holds a block of 64 KiB that the chunks are cut from, or by hand two chunks and the read "
        "buffer, for a file of any size. So small a chunk costs CPU: a turn of the loop each.",
        needs_bytes=384 * units.MIB,
        why_different="100 MB are 95.37 MiB. FileChunks reads 64 KiB at a time, however small its chunks are; by hand it is "
        "the read buffer, two chunks, and an open file, as in the write-up's iterator.",
    ),
)
