"""Experiment `pipeline`: read, clean and embed a file of 100 MB, with lists and with generators.

Covers:     what it is, what was known, what must hold.
Not here:   the programs (`programs.pipeline`), the file (`tour.lab.inputs`).
Holds:      text.
"""

from __future__ import annotations

from flatwater import units
from flatwater.tour.lab.experiment import Claim, Experiment, Input, SeedFigure, Spot, Variant

_PROGRAMS = "flatwater.tour.lab.programs.pipeline"
CHUNK_BYTES = 1024

EXPERIMENTS = (
    Experiment(
        name="pipeline",
        title="Read, clean, embed a file: a list for each step, generators, or a flow",
        seed="Python lab 1.4, by tracemalloc",
        size=100_000_000,
        item="bytes",
        variants=(
            Variant(
                "naive: a list a step",
                f"{_PROGRAMS}:with_lists",
                (Input.FILE, CHUNK_BYTES),
                (SeedFigure.mib("196.39 MB", 196.39),),
            ),
            Variant(
                "generators over FileChunks",
                f"{_PROGRAMS}:with_generators",
                (Input.FILE, CHUNK_BYTES),
                (SeedFigure("45.35 KB", 45.35 * units.KIB),),
            ),
            Variant(
                "the same generators in a fw.Flow",
                f"{_PROGRAMS}:with_a_flow",
                (Input.FILE, CHUNK_BYTES),
                (SeedFigure("45.35 KB", 45.35 * units.KIB),),
            ),
        ),
        claims=(Claim("peak", Spot(0), Spot(1), 50), Claim("peak", Spot(0), Spot(2), 50)),
        what_it_shows="What was read and the list of what was cleaned are each as large as the file, and both are there at "
        "once; a chain of generators takes one chunk through all the steps before it reads the next, for about the same CPU. A flow "
        "of the same generators hands on batches of bounded bytes, which it has taken from the budget.",
        needs_bytes=640 * units.MIB,
        why_different="Both embeddings are stand-ins; ours is a checksum of each chunk and takes 32 bytes, so the lists differ "
        "by a few bytes a chunk and the generators by what the write-up's stand-in keeps.",
    ),
)
