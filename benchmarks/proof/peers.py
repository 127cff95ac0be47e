"""Other ways to tell growth, applied to the same points: peaks above what each process held before, one for each size.

Each is shown in the form that was right most often on the tune half; `python -m benchmarks.proof --stored --forms` shows
the others. There are more points than five where Flatwater asked for more.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MIB = 1 << 20

Peaks = Sequence[float]
Judge = Callable[[Sequence[int], Peaks, int], bool]  # of sizes, peaks, and what the process held before


@dataclass(frozen=True, slots=True)
class Peer:
    """A method: whether points grow.

    Attributes:
        name: as in the table.
        needs: a module; empty for none.
        grows: of sizes and peaks.
        in_table: whether it is the best form of its kind.
    """

    name: str
    needs: str
    grows: Judge
    in_table: bool = False

    def missing(self) -> str:
        """What is not installed, in words; empty if it can judge."""
        absent = self.needs and importlib.util.find_spec(self.needs) is None
        return f"{self.needs} is not installed" if absent else ""

    def verdict(self, sizes: Sequence[int], peaks: Peaks, base_bytes: int) -> str:
        """Grows, or constant; undecided where it breaks."""
        try:
            return "grows" if self.grows(sizes, peaks, base_bytes) else "constant"
        except (ArithmeticError, ValueError, IndexError, UnboundLocalError):
            return "undecided"


def big_o_grows(unit: float, *, all_classes: bool = False) -> Judge:
    """Whether big_O infers another class than constant, with its own simplicity bias, which depends on the unit."""

    def grows(sizes: Sequence[int], peaks: Peaks, _base_bytes: int) -> bool:
        import numpy as np
        from big_o import complexities
        from big_o.big_o import infer_big_o_class

        some = (complexities.Constant, complexities.Logarithmic, complexities.Linear, complexities.Linearithmic)
        classes = complexities.ALL_CLASSES if all_classes else some
        with np.errstate(all="raise"):
            best, _ = infer_big_o_class(np.array(sizes), np.array(peaks, dtype=float) / unit, classes=classes)
        return not isinstance(best, complexities.Constant)

    return grows


def slope_is_sure(t_min: float) -> Judge:
    """Whether the slope of the least-squares line is so many standard errors above zero."""

    def grows(sizes: Sequence[int], peaks: Peaks, _base_bytes: int) -> bool:
        count, mean_n, mean = len(sizes), sum(sizes) / len(sizes), sum(peaks) / len(peaks)
        spread = sum((n - mean_n) ** 2 for n in sizes)
        slope = sum((n - mean_n) * (peak - mean) for n, peak in zip(sizes, peaks, strict=True)) / spread
        misfit = sum((peak - mean - slope * (n - mean_n)) ** 2 for n, peak in zip(sizes, peaks, strict=True))
        error = math.sqrt(misfit / (count - 2) / spread)
        return slope > t_min * error

    return grows


def ratio_is_above(limit: float, *, whole: bool) -> Judge:
    """Whether the largest peak is so many times the smallest; of the whole process, or above what it held before."""

    def grows(_sizes: Sequence[int], peaks: Peaks, base_bytes: int) -> bool:
        base = base_bytes if whole else 0
        return max(peaks) + base > limit * max(min(peaks) + base, 1)

    return grows


def _big_o(mib: int, *, all_classes: bool = False, in_table: bool = False) -> Peer:
    which = ", all classes" if all_classes else ""
    return Peer(f"big_O, unit {mib} MiB{which}", "big_o", big_o_grows(mib * MIB, all_classes=all_classes), in_table)


def _least_squares(t_min: float, *, in_table: bool = False) -> Peer:
    return Peer(f"least squares, t > {t_min:g}", "", slope_is_sure(t_min), in_table)


def _ratio(limit: float, *, whole: bool, in_table: bool = False) -> Peer:
    base = "whole process" if whole else "above base"
    return Peer(f"largest / smallest > {limit:.2f}, {base}", "", ratio_is_above(limit, whole=whole), in_table)


PEERS = (
    _big_o(512, in_table=True),
    Peer("big_O, unit 1 byte", "big_o", big_o_grows(1), in_table=False),
    _big_o(64),
    _big_o(256),
    _big_o(1024),
    _big_o(512, all_classes=True),
    _least_squares(3, in_table=True),
    _least_squares(2.5),
    _least_squares(4),
    _ratio(1.03, whole=True, in_table=True),
    _ratio(1.05, whole=True),
    _ratio(1.10, whole=True),
    _ratio(1.10, whole=False),
    _ratio(1.50, whole=False),
)
