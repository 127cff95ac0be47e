"""What a proof says: the verdict on growth, where it leads, whether the claim holds, and the table.

Covers:     the figures of one scenario, their JSON, their text; raising where the claim does not hold.
Not here:   measuring (`proof.proving`), the rule (`proof.growth`), colours (`cli`).
Holds:      a dozen points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flatwater import errors, limits, units
from flatwater.proof.growth import Growth, Kind, Verdict
from flatwater.proof.points import Metric, Point, Survival
from flatwater.proof.projection import Projection

_FORECAST_FACTORS = (10, 100)  # times the largest size
Outcome = Literal["holds", "fails", "undecided"]


@dataclass(slots=True)
class Proof:
    """A verdict on how the memory of one scenario grows with n. Plain data: it can be pickled and shared.

    Attributes:
        scenario: its name.
        verdict: "constant", "grows" or "undecided".
        kind: how it grows: "linear", "sqrt", "log" or "superlinear"; None if it does not.
        metric: which peak: "rss" or "anon".
        bytes_per_item: what the peak gains for each item at the largest sizes, bytes.
        resolution: bytes per item; growth above it would have been seen.
        points: what was measured, one `Point` for each size.
        growth: the verdict with its noise and its reason.
        target: the n for which the claim is made; None for none.
        budget_bytes: which must not be passed; 0 for none.
        survival: how the largest size fared under a kernel limit of the budget; None if it was not tried.
        peak_kind: "exact", "interval" where a tree of processes was sampled, or "sampled" by the anonymous metric.
        outcome: whether the claim "holds", "fails" or is "undecided".
        because: of the outcome, in one sentence.
        notes: what else to know.
        whole: the verdict on the whole process, where what it held before the call grows as well; a budget is for that.
    """

    scenario: str
    growth: Growth
    points: list[Point]
    metric: Metric = "rss"
    target: int | None = None
    budget_bytes: int = 0
    survival: Survival | None = None
    peak_kind: str = "exact"
    outcome: Outcome = "undecided"
    because: str = ""
    notes: list[str] = field(default_factory=list)
    whole: Growth | None = None

    @property
    def verdict(self) -> Verdict:
        """Constant, grows, or undecided."""
        return self.growth.verdict

    @property
    def kind(self) -> Kind | None:
        """How it grows."""
        return self.growth.kind

    @property
    def bytes_per_item(self) -> float:
        """At the largest sizes."""
        return self.growth.bytes_per_item

    @property
    def resolution(self) -> float:
        """Bytes per item."""
        return self.growth.resolution

    @property
    def projection(self) -> Projection:
        """The way on from the points."""
        points = self.points
        peaks, uppers = [point.peak_bytes for point in points], [point.upper_bytes for point in points]
        return Projection(self.whole or self.growth, [point.n for point in points], peaks, uppers)

    @property
    def projected_peak(self) -> int | None:
        """The likely peak at the target, in bytes; None without a target."""
        return None if self.target is None else self.projection.peak_at(self.target)

    @property
    def projected_upper(self) -> int | None:
        """Which the peak at the target does not pass, in bytes; None without a target."""
        return None if self.target is None else self.projection.upper_at(self.target)

    @property
    def fails_at(self) -> int | None:
        """The n at which the budget is spent; None without a budget, or if it never is."""
        return self.projection.fails_at(self.budget_bytes) if self.budget_bytes else None

    @property
    def survived(self) -> bool | None:
        """Whether the largest size ran to its end under a kernel limit; None if that was not tried."""
        return None if self.survival is None else self.survival.survived

    @property
    def limit_kind(self) -> str | None:
        """What kept that limit."""
        return None if self.survival is None else self.survival.limit_kind

    @property
    def holds(self) -> bool:
        """Whether the claim holds; False also where that is undecided."""
        return self.outcome == "holds"

    def check(self) -> None:
        """Return if the claim holds.

        Raises:
            ProofFailed: it does not, or is undecided; with the table.
        """
        if not self.holds:
            raise errors.ProofFailed(f"{self.because}\n{self}")

    def to_dict(self) -> dict[str, Any]:
        """As in `flatwater prove --json`; bytes, seconds."""
        return {
            "scenario": self.scenario,
            "verdict": self.verdict,
            "kind": self.kind,
            "metric": self.metric,
            "bytes_per_item": round(self.bytes_per_item, 3),
            "resolution": round(self.resolution, 3),
            "noise_bytes": self.growth.noise_bytes,
            "peak_kind": self.peak_kind,
            "target": self.target,
            "budget_bytes": self.budget_bytes or None,
            "projected_peak": self.projected_peak,
            "projected_upper": self.projected_upper,
            "fails_at": self.fails_at,
            "survived": self.survived,
            "limit_kind": self.limit_kind,
            "limit_bytes": None if self.survival is None else self.survival.limit_bytes,
            "outcome": self.outcome,
            "because": self.because,
            "notes": list(self.notes),
            "points": [point.to_dict() for point in self.points],
        }

    def __str__(self) -> str:
        lines = [self.scenario, *table(self.points, self.metric)]
        lines += [f"  {name:<12}{text}" for name, text in self.rows()]
        return "\n".join(lines)

    def rows(self) -> list[tuple[str, str]]:
        """Label and text of each figure below the table."""
        is_said_below = self.verdict == "undecided" and self.because.startswith(self.growth.reason)
        found = [("verdict", self.verdict if is_said_below else self.verdict_words)]
        if self.target is not None:
            peak, upper = units.format_bytes(self.projected_peak or 0), units.format_bytes(self.projected_upper or 0)
            found.append(("at target", f"n={self.target:,}: {peak}, at most {upper}"))
        elif self.verdict == "grows":
            found.append(("forecast", self._forecast()))
        if self.budget_bytes:
            at = self.fails_at
            spent = f"spent at n={at:,}" if at is not None else "never spent by this growth"
            found.append(("budget", f"{units.format_bytes(self.budget_bytes)}, {spent}"))
        if self.survival is not None:
            did = "survived" if self.survival.survived else "did not survive"
            limit = f"{units.format_bytes(self.survival.limit_bytes)} ({self.survival.limit_kind})"
            found.append(("limit", f"{did} {limit}: {self.survival.words}"))
        found += [("note", note) for note in self.notes]
        found.append((self.outcome, self.because))
        return found

    def _forecast(self) -> str:
        """Where it leads, if nobody has said where to."""
        ahead = [self.points[-1].n * factor for factor in _FORECAST_FACTORS]
        words = [
            f"{units.format_bytes(self.projection.peak_at(n))} at n={n:,}" for n in ahead if n <= limits.PROOF_N_MAX
        ]
        return f"if it goes on so, {', '.join(words)}"

    @property
    def verdict_words(self) -> str:
        """The verdict with its figures."""
        growth = self.growth
        seen = f"growth above {per_item(growth.resolution)} would have been seen"
        if growth.verdict == "grows":
            return f"grows ({growth.kind}): {per_item(growth.bytes_per_item)} at the largest sizes"
        if growth.verdict == "constant":
            return f"constant: {seen}"
        return f"undecided: {growth.reason}"


def table(points: Sequence[Point], metric: Metric) -> list[str]:
    """A line for each point."""
    lines = [f"  {'n':>14}  {f'peak ({metric})':>12}  {'above start':>12}  {'CPU':>8}  {'wall':>8}"]
    for point in points:
        above = units.format_bytes(point.grown_bytes) if point.base_bytes else "-"
        lines.append(
            f"  {point.n:>14,}  {units.format_bytes(point.peak_bytes):>12}  {above:>12}  "
            f"{units.format_duration(point.cpu_s):>8}  {units.format_duration(point.wall_s):>8}"
        )
    return lines


def per_item(count: float) -> str:
    """Bytes per item for people.

    >>> per_item(0.66), per_item(62.5), per_item(4096)
    ('0.66 B per item', '62 B per item', '4.0 KiB per item')
    """
    if count < 10:  # noqa: PLR2004 - two figures
        return f"{count:.2g} B per item"
    return f"{units.format_bytes(count)} per item"
