"""What a comparison says: a row for each scenario, how many times less, and whether the claim holds.

Covers:     the figures at the largest size that all have, their JSON, their sentences, the chart's series.
Not here:   measuring (`proof.comparing`), one verdict (`proof.growth`), the table as text (`proof.sidebyside`).
Holds:      a dozen points a scenario.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from flatwater import errors, units
from flatwater.proof import charts, sidebyside
from flatwater.proof.points import Metric, Point
from flatwater.proof.ratio import Ratio, ratio
from flatwater.proof.result import Proof, per_item

Outcome = Literal["holds", "fails", "undecided", "failed"]


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario at the size at which all are compared; None is what is not known.

    Attributes:
        name: as the user calls it.
        scenario: what was run.
        point: its figures at that size; of one that failed before it, None.
        proof: its verdict; None if it failed.
        times: against the first; None for the first, and where one of the two failed.
        failure: why there is no verdict; empty if there is one.
    """

    name: str
    scenario: str
    point: Point | None
    proof: Proof | None
    times: Ratio | None
    failure: str = ""

    @property
    def above_start_bytes(self) -> int | None:
        """The peak less what a function's process held before; None for a command."""
        return self.point.grown_bytes if self.point is not None and self.point.base_bytes else None

    def to_dict(self) -> dict[str, Any]:
        """As in `flatwater compare --json`; bytes, seconds."""
        point, proof, times = self.point, self.proof, self.times
        return {
            "name": self.name,
            "scenario": self.scenario,
            "verdict": proof.verdict if proof is not None else "failed",
            "kind": proof.kind if proof is not None else None,
            "peak_bytes": point.peak_bytes if point is not None else None,
            "above_start_bytes": self.above_start_bytes,
            "bytes_per_item": round(proof.bytes_per_item, 3) if proof is not None else None,
            "resolution": round(proof.resolution, 3) if proof is not None else None,
            "cpu_s": round(point.cpu_s, 6) if point is not None else None,
            "wall_s": round(point.wall_s, 6) if point is not None else None,
            "times_less": float(f"{less:.3g}")
            if times is not None and (less := times.times_less) is not None
            else None,
            "times_are_at_least": times.at_least if times is not None else None,
            "projected_peak": proof.projected_peak if proof is not None else None,
            "projected_upper": proof.projected_upper if proof is not None else None,
            "fails_at": proof.fails_at if proof is not None else None,
            "failure": self.failure or None,
            "proof": proof.to_dict() if proof is not None else None,
        }


@dataclass(slots=True)
class Comparison:
    """Several scenarios, measured at the same sizes. Made by `compare`. Not thread-safe while it is being made.

    It holds if all of them ran to their end, and each after the first meets the claim by itself (with a target and a
    budget: its upper bound there is inside; with a budget alone: it is constant, and inside; else: it is constant) and
    takes no more than the first, at the largest size that all have, than noise and 5 % allow. What the first does is no
    part of the claim.

    Attributes:
        scenarios: each name, with what was run; the first is what the others are compared with.
        metric: which peak: "rss" or "anon".
        target: the n for which the claim is made; None for none.
        budget_bytes: which no peak after the first may pass; 0 for none.
        proofs: the verdict of each that did not fail.
        failures: the error of each that failed.
        before_failure: the points that those had, until then.
    """

    scenarios: dict[str, str]
    metric: Metric = "rss"
    target: int | None = None
    budget_bytes: int = 0
    proofs: dict[str, Proof] = field(default_factory=dict)
    failures: dict[str, errors.FlatwaterError] = field(default_factory=dict)
    before_failure: dict[str, list[Point]] = field(default_factory=dict)

    @property
    def first(self) -> str:
        """The name that the others are compared with."""
        return next(iter(self.scenarios))

    @property
    def n(self) -> int | None:
        """The largest size that all have that did not fail; None if all failed."""
        sizes = [{point.n for point in proof.points} for proof in self.proofs.values()]
        return max(set.intersection(*sizes), default=None) if sizes else None

    @property
    def is_whole(self) -> bool:
        """Whether whole peaks are compared, and not what is above the start: of a command no start is known."""
        return any(point.base_bytes == 0 for proof in self.proofs.values() for point in proof.points)

    def points(self, name: str) -> list[Point]:
        """Of one scenario, by rising n; of one that failed, those before it did."""
        return self.proofs[name].points if name in self.proofs else self.before_failure.get(name, [])

    def table(self) -> list[Row]:
        """A row for each scenario, in their order."""
        return [
            Row(
                name,
                scenario,
                self._point(name),
                self.proofs.get(name),
                self._times(name),
                str(self.failures.get(name, "")),
            )
            for name, scenario in self.scenarios.items()
        ]

    @property
    def holds(self) -> bool:
        """Whether the comparison holds; False also where that is undecided, or one failed."""
        return self.outcome == "holds"

    @property
    def outcome(self) -> Outcome:
        """Whether it "holds", "fails", is "undecided", or a scenario "failed"."""
        return self._judged()[0]

    @property
    def because(self) -> str:
        """Of the outcome, in one sentence."""
        return self._judged()[1]

    def check(self) -> None:
        """Return if the comparison holds.

        Raises:
            ProofFailed: it does not, or is undecided, or a scenario failed; with the table.
        """
        if not self.holds:
            raise errors.ProofFailed(f"{self.because}\n{self}")

    def chart(self, path: str) -> None:
        """Write the peaks over n as a PNG, a line for each scenario.

        Raises:
            MissingExtra: matplotlib is not installed.
            UsageError: the path does not end in .png, or no scenario has a point.
            BrokenError: the file cannot be written.
        """
        charts.check_name(path)
        series = {
            sidebyside.shortened(name) + " (failed)" * (name in self.failures): [
                (float(point.n), float(point.peak_bytes)) for point in self.points(name)
            ]
            for name in self.scenarios
        }
        title = f"Peak memory by number of items ({self.metric})"
        charts.lines(
            path, title, series, x_label="items", budget_bytes=self.budget_bytes or None, note=self._headline()
        )

    def to_dict(self) -> dict[str, Any]:
        """As in `flatwater compare --json`; bytes, seconds."""
        return {
            "outcome": self.outcome,
            "because": self.because,
            "first": self.first,
            "n": self.n,
            "metric": self.metric,
            "target": self.target,
            "budget_bytes": self.budget_bytes or None,
            "scenarios": [row.to_dict() for row in self.table()],
        }

    def __str__(self) -> str:
        return "\n".join(sidebyside.lines(self))

    def sentences(self) -> list[tuple[str, str]]:
        """What is to be said of each scenario: the first grows or not, each other one compared with it."""
        return [(row.name, self._sentence(row)) for row in self.table()]

    def _headline(self) -> str:
        words = [f"{row.name}: {row.times.figure}{self._less(row.times)}" for row in self.table() if row.times]
        return f"at n={self.n:,}, beside {self.first}: {'; '.join(words)}"[:110] if words else ""

    @staticmethod
    def _less(times: Ratio) -> str:
        return " less" if times.direction == "less" else ""

    def _point(self, name: str) -> Point | None:
        return next((point for point in self.points(name) if point.n == self.n), None)

    def _times(self, name: str) -> Ratio | None:
        if name == self.first or name not in self.proofs or self.first not in self.proofs:
            return None
        spans = [_span(point, is_whole=self.is_whole) for each in (self.first, name) if (point := self._point(each))]
        noise = max(self.proofs[each].growth.noise_bytes for each in (self.first, name))
        return ratio(spans[0], spans[1], noise)

    def _judged(self) -> tuple[Outcome, str]:
        if self.failures:
            return "failed", f"no comparison of all: {_listed(list(self.failures))} failed."
        others = [row for row in self.table() if row.times is not None and row.proof is not None]
        bad: list[str] = []
        open_ones: list[str] = []
        for row in others:
            assert row.proof is not None and row.times is not None, "those were left out"  # noqa: PT018 - one fact
            if row.proof.outcome == "fails":
                bad.append(f"{row.name}: {row.proof.because}")
            elif row.times.direction == "more":
                bad.append(f"{row.name} {row.times.words} {self.first}.")
            elif row.proof.outcome == "undecided":
                open_ones.append(f"{row.name}: {row.proof.because}")
            elif row.times.direction == "unknown":
                open_ones.append(f"{row.name} {row.times.words} {self.first}: their peaks were sampled, and overlap.")
        if bad:
            return "fails", " ".join(bad)
        if open_ones:
            return "undecided", " ".join(open_ones)
        return "holds", self._held([row.name for row in others])

    def _held(self, names: list[str]) -> str:
        does, takes = ("does", "takes") if len(names) == 1 else ("do", "take")
        if self.target is not None and self.budget_bytes:
            budget = units.format_bytes(self.budget_bytes)
            is_ = "is" if len(names) == 1 else "are"
            claim = f"{is_} inside {budget} at n={self.target:,}"
        else:
            claim = f"{does} not grow"
            if self.budget_bytes:
                claim += f", {'stays' if len(names) == 1 else 'stay'} inside {units.format_bytes(self.budget_bytes)}"
        return f"{_listed(names)} {claim}, and {takes} no more than {self.first}."

    def _sentence(self, row: Row) -> str:
        if row.proof is None:
            done = self.points(row.name)
            last = f" At n={done[-1].n:,} its peak was {units.format_bytes(done[-1].peak_bytes)}." if done else ""
            return f"{row.failure}{last}"
        growth = self._growth(row.proof)
        if row.times is None:
            return growth
        joined = "but" if row.times.direction == "less" and row.proof.verdict == "grows" else "and"
        return f"{row.times.words} {self.first} at n={self.n:,}, {joined} {growth}"

    def _growth(self, proof: Proof) -> str:
        size = units.format_bytes
        words = {
            "constant": "does not grow",
            "grows": f"grows by {per_item(proof.bytes_per_item)} ({proof.kind})",
            "undecided": f"may grow: {proof.growth.reason}",
        }[proof.verdict]
        peak, upper = proof.projected_peak, proof.projected_upper
        at = proof.fails_at
        if at is not None:
            words += f"; {size(self.budget_bytes)} are spent at n={at:,}"
        if self.target is not None and peak is not None and upper is not None:
            words += f"; {size(peak)} at n={self.target:,}, at most {size(upper)}"
        return words


def _span(point: Point, *, is_whole: bool) -> tuple[float, float]:
    """The least and the most that a peak can be."""
    base = 0 if is_whole else point.base_bytes
    return max(point.peak_bytes - base, 0), max(point.upper_bytes - base, 0)


def _listed(names: list[str]) -> str:
    """Names as a sentence has them.

    >>> _listed(["a"]), _listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
