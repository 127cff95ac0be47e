"""What an experiment is: programs that do the same work in different ways, what was known of them, and what must hold.

Covers:     the description; whoever brings experiments writes these.
Not here:   running them (`tour.lab.running`), what came out (`tour.lab.finding`), the programs (`tour.lab.programs`).
Holds:      text and a few numbers.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal

from flatwater import limits, units

Figure = Literal["peak", "resident", "traced", "each", "count"]


class Input(enum.Enum):
    """An argument that is made for the run: how many items, the path of a file, of a table, of a store, of an empty folder."""

    SIZE = "size"
    FILE = "file"
    TABLE = "table"
    STORE = "store"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class SeedFigure:
    """A figure of the write-up that the experiment repeats.

    Attributes:
        words: as it stands there. What the Python write-ups call MB is 1,048,576 bytes.
        bytes: the same as a number; -1 if it is none, or of something else than the other figures.
        moment: at which moment of the program; empty for its peak.
    """

    words: str
    bytes: float
    moment: str = ""

    @classmethod
    def mib(cls, words: str, count: float, moment: str = "") -> SeedFigure:
        """One given in MiB.

        >>> SeedFigure.mib("381.46 MB", 381.46).bytes
        399989800.96
        """
        return cls(words, count * units.MIB, moment)


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to do the work.

    Attributes:
        label: what a reader calls it.
        program: "module:function"; what the function may be is said in `tour.lab.programs`.
        args: plain values, and `Input`s, which are filled in.
        seed_figures: what the write-up saw.
    """

    label: str
    program: str
    args: tuple[Input | int | str, ...] = (Input.SIZE,)
    seed_figures: tuple[SeedFigure, ...] = ()


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a figure is read.

    Attributes:
        variant: by its place.
        moment: of the program; empty for the whole run.
        is_seed: what the write-up has there, not what was measured.
    """

    variant: int
    moment: str = ""
    is_seed: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """That one figure is so many times less than another; an experiment fails if it is not.

    Attributes:
        figure: "peak" (resident, above the start), "resident" (at a moment, above the start), "traced" (tracemalloc's),
            "each" (tracemalloc's between the first moment and the last, an item) or "count" (what a program counted).
        larger: of what grows.
        smaller: of what stays bounded.
        times: at least so many times less; in a small run, where constants weigh more, less at all is enough.
    """

    figure: Figure
    larger: Spot
    smaller: Spot
    times: int


@dataclass(frozen=True, slots=True)
class Experiment:
    """Several programs, measured in fresh processes and set side by side.

    Attributes:
        name: for `--only`, and of the chart's file.
        title: one line.
        seed: the write-up it repeats, and what that measured with.
        size: items.
        item: what they are.
        variants: the programs; the first is what the others are compared with.
        claims: what must hold.
        what_it_shows: what to take from it, a sentence or two.
        needs_bytes: memory that must be available before it is tried, and the limit of each process.
        why_different: why our figures differ from the write-up's; `{each}` becomes the bytes an item where the first
            claim has its larger figure, and `{costs}` the CPU time an item of each variant.
        traced: also runs each program under tracemalloc, in a process of its own: it takes memory and time itself.
        traced_until: in that run, stop at this moment; empty for the end.
        small_part: a small run takes this part of the size.
        small_needs_bytes: as `needs_bytes`, of a small run.
        by_moment: a row for each moment, not for each variant.
        rates_chart: draw what is done in a second against traced memory.
        log_chart: draw on a logarithmic axis: small figures are what it is about.
        parts: at each moment also read why memory is still resident.
        needs_extra: `(extra, module)` without which it is skipped; None for what comes with the package.
    """

    name: str
    title: str
    seed: str
    size: int
    item: str
    variants: tuple[Variant, ...]
    claims: tuple[Claim, ...]
    what_it_shows: str
    needs_bytes: int
    why_different: str = ""
    traced: bool = True
    traced_until: str = ""
    small_part: int = 100
    small_needs_bytes: int = limits.LAB_SMALL_NEEDS_BYTES
    by_moment: bool = False
    parts: bool = False
    log_chart: bool = False
    rates_chart: bool = False
    needs_extra: tuple[str, str] | None = None
