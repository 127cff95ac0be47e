"""Where growth leads: the peak at a target, its upper bound, and the n at which a budget is spent.

Covers:     carrying each kind of growth beyond the measured sizes, and back.
Not here:   the verdict (`proof.growth`), whether a claim holds (`proof.result`).
Holds:      a few numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

from flatwater import limits
from flatwater.proof.growth import SHAPES, Growth, Kind

_INVERSES: dict[Kind, Callable[[float], float]] = {
    "log": lambda value: math.exp(value) if value < 100 else math.inf,  # noqa: PLR2004 - e^100 is no number of items
    "sqrt": lambda value: value * value,
    "linear": float,
    "superlinear": math.sqrt,
}


@final
@dataclass(frozen=True, slots=True)
class Projection:
    """The way on from measured points.

    Attributes:
        growth: their verdict.
        sizes: that were measured.
        peaks: at each; absolute, bytes.
        uppers: the most each can have been.
    """

    growth: Growth
    sizes: Sequence[int]
    peaks: Sequence[int]
    uppers: Sequence[int]

    def peak_at(self, n: int) -> int:
        """The likely peak at `n` items, in bytes. Within the measured sizes: between the two points around it."""
        if n <= self.sizes[-1]:
            return round(_between(n, self.sizes, self.peaks))
        if self.growth.verdict != "grows":
            return max(self.peaks)
        kind = self._kind()
        forth = SHAPES[kind]
        return round(self.peaks[-1] + self._per_step(kind, 0.0) * (forth(n) - forth(self.sizes[-1])))

    def upper_at(self, n: int) -> int:
        """What the peak at `n` items does not pass, as far as the points can tell, in bytes.

        A constant may grow by just less than what would have been seen. Growth that gets less is taken not to get less
        any more, and the noise is taken to have hidden a part of the last step.
        """
        if n <= self.sizes[-1]:
            above = next(index for index, size in enumerate(self.sizes) if size >= n)
            return max(self.uppers[: above + 1])
        beyond = n - self.sizes[-1]
        if self.growth.verdict != "grows":
            return round(max(self.uppers) + self.growth.resolution * beyond)
        kind: Kind = "superlinear" if self._kind() == "superlinear" else "linear"
        forth = SHAPES[kind]
        step = self._per_step(kind, float(self.growth.noise_bytes))
        return round(max(self.uppers) + step * (forth(n) - forth(self.sizes[-1])))

    def fails_at(self, budget_bytes: int) -> int | None:
        """The n from which on the peak passes the budget; None if it does not grow, or not that far."""
        for index, (size, peak) in enumerate(zip(self.sizes, self.peaks, strict=True)):
            if peak > budget_bytes:
                if index == 0:
                    return size
                before, low = self.sizes[index - 1], self.peaks[index - 1]
                return round(before + (size - before) * (budget_bytes - low) / (peak - low))
        if self.growth.verdict != "grows":
            return None
        kind = self._kind()
        step = self._per_step(kind, 0.0)
        at = _INVERSES[kind](SHAPES[kind](self.sizes[-1]) + (budget_bytes - self.peaks[-1]) / step)
        return int(at) if at <= limits.PROOF_N_MAX else None

    def _kind(self) -> Kind:
        return self.growth.kind or "linear"

    def _per_step(self, kind: Kind, slack: float) -> float:
        """Bytes for each unit of the kind's shape, by the last step."""
        forth = SHAPES[kind]
        return (self.peaks[-1] - self.peaks[-2] + slack) / (forth(self.sizes[-1]) - forth(self.sizes[-2]))


def _between(n: int, sizes: Sequence[int], peaks: Sequence[int]) -> float:
    if n <= sizes[0]:
        return peaks[0]
    above = next(index for index, size in enumerate(sizes) if size >= n)
    share = (n - sizes[above - 1]) / (sizes[above] - sizes[above - 1])
    return peaks[above - 1] + share * (peaks[above] - peaks[above - 1])
