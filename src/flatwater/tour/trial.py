"""What came of a step under a limit of just what it promised, and of its naive twin under the same limit.

Covers:     the figures, how the twin ended in words, a dict for JSON.
Not here:   running them (`tour.trying`), tables and pages (`cli.reports`).
Holds:      a few figures, and two curves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flatwater import units
from flatwater.tour.curve import Curve
from flatwater.tour.outing import Kind


@dataclass(frozen=True, slots=True)
class Run:
    """A step or a twin, alone in a process under the limit.

    Attributes:
        kind: how it ended, as of `outing.End`.
        after_s: seconds from the moment when the limit was there.
        seen: the high-water mark above its baseline where it came to its end, else the highest that was sampled.
        items: that it worked on, where it came to its end.
        limit: as the process took it on.
        baseline: before it began.
        words: why it did not come to its end; empty if it did.
        curve: resident bytes above the baseline.
    """

    kind: Kind
    after_s: float
    seen: int
    items: int = 0
    limit: Mapping[str, object] = field(default_factory=dict)
    baseline: Mapping[str, object] = field(default_factory=dict)
    words: str = ""
    curve: Curve = field(default_factory=Curve)

    @property
    def survived(self) -> bool:
        """Whether it came to its end."""
        return self.kind == "done"

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "end": self.kind,
            "after_s": round(self.after_s, 3),
            "seen_bytes": self.seen,
            "items": self.items,
            "limit": dict(self.limit),
            "baseline": dict(self.baseline),
            "words": self.words,
            "curve": self.curve.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Trial:
    """One step and its twin.

    Attributes:
        step: its name.
        limit_bytes: what the step promised; the limit of both, above the baseline of each.
        alone: the step.
        naive: its twin; None where there is none.
        twin: the module of the twin.
    """

    step: str
    limit_bytes: int
    alone: Run
    naive: Run | None = None
    twin: str = ""

    @property
    def holds(self) -> bool:
        """Whether the step came to its end with no more than it promised."""
        return self.alone.survived and 0 <= self.alone.seen <= self.limit_bytes

    @property
    def naive_words(self) -> str:
        """What became of the twin, in a few words."""
        naive = self.naive
        if naive is None:
            return "-"
        limit, after = units.format_bytes(self.limit_bytes), units.format_duration(naive.after_s)
        seen = units.format_bytes(naive.seen)
        match naive.kind:
            case "done":
                return f"finished within the limit ({seen}), {after}"
            case "killed":
                return f"killed at {limit}, {after}"
            case "refused":
                return f"MemoryError at {limit}, {after}"
            case "slow":
                return f"not done after {after}, at {seen}"
        return f"failed at {seen}, {after}"  # libraries have names of their own for a refusal: `words` has them

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "limit_bytes": self.limit_bytes,
            "holds": self.holds,
            "alone": self.alone.to_dict(),
            "naive": self.naive.to_dict() | {"module": self.twin, "result": self.naive_words} if self.naive else None,
        }
