"""What a tour found: a row for each step, the limit that held, and the verdict.

Covers:     the figures, the verdict in words and as an exit code, a dict for JSON.
Not here:   the table for people (`cli.reports.tour_text`).
Holds:      a few figures and lines for each step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flatwater import units
from flatwater.tour.curve import Curve
from flatwater.tour.trial import Trial

HOLDS, DOES_NOT_HOLD, FAILED = 0, 1, 4


@dataclass(frozen=True, slots=True)
class Row:
    """One step, done.

    Attributes:
        step: its name.
        items: how many it worked on.
        item_name: what they are.
        bytes: of its input.
        wall_s: seconds it took.
        promised: bytes reserved in the budget while it ran.
        seen: the high-water mark of the resident size while it ran, above the baseline; -1 where unknown.
        complete: whether it came to the end of its input.
        notes: lines for people.
        details: the same for JSON.
    """

    step: str
    items: int
    item_name: str
    bytes: int
    wall_s: float
    promised: int
    seen: int
    complete: bool = True
    notes: tuple[str, ...] = ()
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether no more was seen than promised; False where it is not known."""
        return 0 <= self.seen <= self.promised

    @property
    def items_per_s(self) -> float:
        """The rate."""
        return self.items / self.wall_s if self.wall_s > 0 else 0.0

    @property
    def bytes_per_s(self) -> float:
        """The rate, in bytes of input."""
        return self.bytes / self.wall_s if self.wall_s > 0 else 0.0

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "step": self.step,
            "items": self.items,
            "item_name": self.item_name,
            "bytes": self.bytes,
            "wall_s": round(self.wall_s, 3),
            "items_per_s": round(self.items_per_s, 1),
            "bytes_per_s": round(self.bytes_per_s, 1),
            "promised_bytes": self.promised,
            "seen_bytes": self.seen if self.seen >= 0 else None,
            "complete": self.complete,
            **self.details,
        }


@dataclass(slots=True)
class TourReport:
    """A tour, done or not.

    Attributes:
        budget_bytes: what it was given.
        promise_bytes: what it promised to hold above its baseline, and the limit it ran under.
        limit_kind: who kept the limit.
        limit_note: why not a better one.
        limit: the limit, as the process took it on.
        baseline: the process before the first step.
        rows: the steps that were done.
        running: the step in which it ended, if it did not come to the end.
        trouble: why it did not come to the end; empty if it did.
        killed: whether the limit ended it.
        traceback: of an error that nobody expected.
        account: promised and seen at the end, as `watch.account` has them.
        wall_s: seconds from start to end.
        seconds: that each step was given.
        curves: resident bytes above the baseline, by step.
        is_tried: each step was tried once more, alone.
        trials: what came of that, and of the naive twins, by step.
        kept: where what the steps made is kept; empty if it is gone.
    """

    budget_bytes: int
    promise_bytes: int
    limit_kind: str
    limit_note: str = ""
    limit: Mapping[str, object] = field(default_factory=dict)
    baseline: Mapping[str, object] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    running: str = ""
    trouble: str = ""
    killed: bool = False
    traceback: str = ""
    account: Mapping[str, object] = field(default_factory=dict)
    wall_s: float = 0.0
    seconds: float = 0.0
    curves: dict[str, Curve] = field(default_factory=dict)
    is_tried: bool = False
    trials: dict[str, Trial] = field(default_factory=dict)
    kept: str = ""

    @property
    def holds(self) -> bool:
        """Whether every step was done and held no more than promised, and once more where it was tried alone."""
        were_held = all(row.holds for row in self.rows) and all(trial.holds for trial in self.trials.values())
        return not self.trouble and bool(self.rows) and were_held

    @property
    def exit_code(self) -> int:
        """0 it holds, 1 it does not, 4 it died."""
        if self.trouble:
            return FAILED
        return HOLDS if self.holds else DOES_NOT_HOLD

    @property
    def verdict(self) -> str:
        """How it went, in one sentence."""
        promise = units.format_bytes(self.promise_bytes)
        held_by = {
            "none": "no kernel limit held it, so this is only what was seen",
            "rlimit_data": "RLIMIT_DATA refuses more",
        }.get(self.limit_kind, f"{self.limit_kind} kills at more")
        if self.trouble:
            where = f" in step {self.running!r}" if self.running else ""
            return f"the tour died{where}: {self.trouble}"
        broken = [row for row in self.rows if not row.holds]
        if broken:
            worst = max(broken, key=lambda row: row.seen - row.promised)
            if worst.seen < 0:
                return f"does not hold: nobody tells what step {worst.step!r} took"
            seen, promised = units.format_bytes(worst.seen), units.format_bytes(worst.promised)
            return f"does not hold: step {worst.step!r} promised {promised}, and {seen} were seen"
        for trial in self.trials.values():
            if not trial.holds:
                limit = units.format_bytes(trial.limit_bytes)
                why = trial.alone.words or f"{units.format_bytes(max(0, trial.alone.seen))} were seen"
                return f"does not hold: alone under a limit of the {limit} that it promised, step {trial.step!r}: {why}"
        seen = units.format_bytes(max(row.seen for row in self.rows))
        return f"holds: {seen} seen of {promise} promised above the baseline ({held_by})"

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "holds": self.holds,
            "exit_code": self.exit_code,
            "verdict": self.verdict,
            "budget_bytes": self.budget_bytes,
            "promise_bytes": self.promise_bytes,
            "limit_kind": self.limit_kind,
            "limit_note": self.limit_note,
            "limit": dict(self.limit),
            "baseline": dict(self.baseline),
            "steps": [self._step_dict(row) for row in self.rows],
            "running": self.running,
            "trouble": self.trouble,
            "killed": self.killed,
            "account": dict(self.account),
            "wall_s": round(self.wall_s, 3),
            "seconds": self.seconds,
            "kept": self.kept,
        }

    def _step_dict(self, row: Row) -> dict[str, object]:
        told = row.to_dict()
        if curve := self.curves.get(row.step):
            told["curve"] = curve.to_dict()
        if trial := self.trials.get(row.step):
            told["trial"] = trial.to_dict()
        return told
