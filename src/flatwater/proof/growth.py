"""Does a peak grow with n: the rule, applied to points that are there already.

Covers:     constant, grows or undecided; the kind of growth; bytes per item; what would have been seen at least.
Not here:   measuring the points (`proof.points`), adding more of them (`proof.proving`), what follows at a target
            (`proof.projection`).
Holds:      a few numbers.

Growth goes on in the last steps, a plateau does not: what each doubling adds is compared with what the one before added. A
regression over all points takes a cache that fills, or a database's page cache, for growth. The constants were chosen on
programs that are not those on which the error rates in docs/benchmarks.md were measured (design note 0011).
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from flatwater.units import KIB

Verdict = Literal["constant", "grows", "undecided"]
Kind = Literal["linear", "sqrt", "log", "superlinear"]

NOISE_BYTES_MIN = 192 * KIB  # of one peak against another, on a quiet process: the kernel counts pages in batches
NOISE_SPREADS = 2.0  # times the median spread over repetitions
SETTLED_NOISES = 1.0  # a constant may move by this much noise over its last two doublings
SETTLED_NOISES_MAX = 2.0  # and by this much it is one still, if more sizes show no more
STEADY_SHARE = 0.75  # of the step before: what grows like log n adds as much with each doubling, what fills adds less
RECENT_SHARE = 0.5  # of the largest of the last four steps
BEND_SHARE = 0.95  # of the ratio of the two steps before: a line that bends may be about to end
STEEPER_RATIO = 1.4  # of the slope before, from which on growth is more than linear; n log n has less
JUMP_RATIO = 3.0  # to the step before: more is a jump, which a batch or a table makes once, and n squared each time
STEEPENS_RATIO = 1.15  # of a ratio of two steps to the one before, which are alike in growth of any kind
KIND_STEPS = 3  # the last ones, by which a kind is told: a cache that fills at the beginning bends the first ones

# What a peak is taken to be proportional to, for each kind; the exponents between are nearest to one of them.
SHAPES: dict[Kind, Callable[[float], float]] = {
    "log": math.log,
    "sqrt": math.sqrt,
    "linear": float,
    "superlinear": lambda n: float(n) ** 2,
}


@dataclass(frozen=True, slots=True)
class Growth:
    """What points say.

    Attributes:
        verdict: "constant", "grows" or "undecided".
        kind: how it grows; None if it does not.
        bytes_per_item: that the peak gains from one item to the next, at the largest sizes.
        resolution: bytes per item; growth above it would have been seen.
        noise_bytes: by which two peaks may differ without meaning anything.
        firm: False where more sizes may change it: growth that gets less and less may end in a plateau, and one step
            alone may be an accident.
        reason: the verdict's, in one sentence.
    """

    verdict: Verdict
    kind: Kind | None
    bytes_per_item: float
    resolution: float
    noise_bytes: int
    firm: bool
    reason: str


def judge(
    sizes: Sequence[int], peaks: Sequence[float], *, spread_bytes: float = 0.0, hidden_bytes: float = 0.0
) -> Growth:
    """The verdict on one peak for each size.

    Args:
        sizes: that rise; three or more, five for a verdict worth having.
        peaks: in bytes, from any base that is the same for all.
        spread_bytes: the median difference between repetitions of one size; 0 if there were none.
        hidden_bytes: that could be used without a peak rising, because they were free before.

    >>> mib = 1 << 20
    >>> judge([25_000, 50_000, 100_000, 200_000, 400_000], [3*mib, 6*mib, 12*mib, 24*mib, 48*mib]).kind
    'linear'
    >>> judge([25_000, 50_000, 100_000, 200_000, 400_000], [3*mib, 6*mib, 7*mib, 7*mib, 7*mib]).verdict
    'constant'
    """
    assert len(sizes) == len(peaks) >= 3, "a verdict is on three points or more"  # noqa: PLR2004 - two increments
    noise = max(NOISE_BYTES_MIN, NOISE_SPREADS * spread_bytes)
    slopes = slopes_of(sizes, peaks)
    steps = steps_of(sizes, peaks)
    last, before, first = steps[-1], steps[-2], steps[-3] if len(steps) > 2 else 0.0  # noqa: PLR2004 - there are three
    settled_from = settled_index(sizes)
    moved = peaks[-1] - min(peaks[settled_from:-1])
    items = sizes[-1] - sizes[settled_from]
    settled = peaks[settled_from:]
    hidden = noise + hidden_bytes
    resolution = (max(settled) - min(settled) + hidden) / items  # growth could hide in what goes up and down
    steady = last >= STEADY_SHARE * before and before > noise / 2 and last >= RECENT_SHARE * max(steps[-4:])
    if last > noise and steady:
        bends = first > noise / 2 and last / before < BEND_SHARE * min(2.0, before / first)
        jumps = last > JUMP_RATIO * before and not (first > noise / 2 and before > JUMP_RATIO * first)
        firm = not bends and not jumps and before >= STEADY_SHARE * first
        reason = f"the last step adds {last / KIB:,.0f} KiB, more than the noise of {noise / KIB:,.0f} KiB"
        return Growth(
            "grows", kind_of(sizes, peaks, noise), slopes[-1], hidden / items, round(noise), firm=firm, reason=reason
        )
    if last <= noise and moved <= SETTLED_NOISES_MAX * noise:
        firm = moved <= SETTLED_NOISES * noise
        reason = (
            f"from {sizes[settled_from]:,} to {sizes[-1]:,} items it moves by {moved / KIB:,.0f} KiB, within the noise"
        )
        return Growth("constant", None, max(moved, 0.0) / items, resolution, round(noise), firm=firm, reason=reason)
    reason = f"from {sizes[settled_from]:,} to {sizes[-1]:,} items it moves by {moved / KIB:,.0f} KiB, but not steadily"
    return Growth("undecided", None, max(moved, 0.0) / items, resolution, round(noise), firm=False, reason=reason)


def slopes_of(sizes: Sequence[int], peaks: Sequence[float]) -> list[float]:
    """Bytes per item between each size and the next."""
    return [(peaks[k + 1] - peaks[k]) / (sizes[k + 1] - sizes[k]) for k in range(len(sizes) - 1)]


def steps_of(sizes: Sequence[int], peaks: Sequence[float]) -> list[float]:
    """Bytes that each size adds to the one before, as if it were a doubling."""
    return [(peaks[k + 1] - peaks[k]) / math.log2(sizes[k + 1] / sizes[k]) for k in range(len(sizes) - 1)]


def settled_index(sizes: Sequence[int]) -> int:
    """Of the last size that is at least two doublings below the largest; the third from the end if none is."""
    below = [index for index, size in enumerate(sizes) if 4 * size <= sizes[-1]]
    return min(max(below, default=0), len(sizes) - 3)


def kind_of(sizes: Sequence[int], peaks: Sequence[float], noise: float) -> Kind:
    """The shape whose steps are nearest to those that rise above the noise; linear where one step is all there is.

    The first steps of a small growth hide in memory that the process had before, so they are left out.
    """
    increments = [after - before for before, after in itertools.pairwise(peaks)]
    first = len(increments)
    while first > 0 and increments[first - 1] > noise:
        first -= 1
    if len(increments) - first < 2:  # noqa: PLR2004 - a shape is a ratio of two steps
        return "linear"
    seen = increments[first:]
    # The first visible step may be partly hidden.
    if len(seen) > 2 and first > 0:  # noqa: PLR2004 - two must be left
        seen = seen[1:]
    seen = seen[-KIND_STEPS:]
    if len(seen) == KIND_STEPS and seen[-1] * seen[0] > STEEPENS_RATIO * seen[1] ** 2:
        seen = seen[1:]  # a cache has filled meanwhile
    grid = sizes[len(sizes) - len(seen) - 1 :]
    misfits: dict[Kind, float] = {}
    for kind, shape in SHAPES.items():
        steps = [shape(after) - shape(before) for before, after in itertools.pairwise(grid)]
        logs = [math.log(step / wanted) for step, wanted in zip(seen, steps, strict=True)]
        misfits[kind] = statistics.pvariance(logs)
    nearest = min(misfits, key=misfits.__getitem__)
    if nearest == "superlinear" and not _is_steeper(seen, grid):
        return "linear"
    return nearest


def _is_steeper(steps: Sequence[float], grid: Sequence[int]) -> bool:
    """Whether the last step, too, adds more for each item than the one before: earlier ones may be partly hidden."""
    last, before = steps[-1] / (grid[-1] - grid[-2]), steps[-2] / (grid[-2] - grid[-3])
    return last > STEEPER_RATIO * before
