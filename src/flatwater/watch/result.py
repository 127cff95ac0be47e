"""How a supervised program went: every figure that its report, its JSON and its exit code are made of.

Covers:     the figures, and the dict they become.
Not here:   finding them (`watch.supervise`), words and pages (`cli.reports`).
Holds:      one timeline, and the suspect lines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flatwater.meter.pattern import Pattern
from flatwater.meter.suspects import Suspect
from flatwater.meter.timeline import Timeline

if TYPE_CHECKING:
    from flatwater.watch.forecasting import Forecast

KILLED_EXIT_CODE = 137  # 128 + SIGKILL, as a shell shows it


@dataclass(slots=True, eq=False, repr=False)  # each generated method adds milliseconds to the start of a command
class RunResult:
    """How a supervised program went. Sizes in bytes.

    Attributes:
        argv: the command.
        exit_code: the program's, as a shell shows it; 137 if the limit killed it or any process of its tree.
        signal: the signal that ended the program, or 0.
        killed: whether the limit killed the program or any process of its tree.
        kills: how many processes of the tree the limit killed.
        refused: whether the limit probably refused it memory (RLIMIT_DATA refuses rather than kills).
        limit_kind: "cgroup v2", "cgroup v1", "rlimit_data", "watched" or "none".
        limit_note: why that kind.
        budget_bytes: the budget, or 0.
        peak_rss: resident high-water mark of the tree; with `peak_kind` "interval" its lower end.
        peak_rss_upper: its upper end; equal to `peak_rss` when exact.
        peak_kind: "exact" or "interval".
        peak_anon: largest sampled anonymous size.
        processes: how many were seen.
        left_behind: processes that still ran when we left, by pid.
        wall_s: from start to the program's end.
        cpu_s: user and system, of everything that was waited for.
        samples: how many were taken.
        timeline: the history.
        pattern: its shape.
        growth_before_end: bytes per second on the last climb of a program that the limit ended or refused; else 0.
        forecast: when the budget is (or would have been) spent; None without a budget.
        suspects: lines of Python programs, by growth.
        suspects_growth: growth of Python processes in which suspects were looked for.
        profile: where the allocation profile is, or why there is none, in words; empty if none was asked for.
        profile_path: the file with it; empty if there is none.
        profile_trouble: why the file that was asked for could not be written; else empty.
        notes: sentences a user should read.
    """

    argv: list[str]
    budget_bytes: int = 0
    exit_code: int = 0
    signal: int = 0
    killed: bool = False
    kills: int = 0
    refused: bool = False
    limit_kind: str = "none"
    limit_note: str = ""
    peak_rss: int = 0
    peak_rss_upper: int = 0
    peak_kind: str = "exact"
    peak_anon: int = 0
    processes: int = 0
    left_behind: list[int] = field(default_factory=list)
    wall_s: float = 0.0
    cpu_s: float = 0.0
    samples: int = 0
    timeline: Timeline = field(default_factory=Timeline)
    pattern: Pattern = field(default_factory=lambda: Pattern("undecided", 0.0, 0, "undecided: nothing was sampled"))
    growth_before_end: float = 0.0
    forecast: Forecast | None = None
    suspects: list[Suspect] = field(default_factory=list)
    suspects_growth: int = 0
    profile: str = ""
    profile_path: str = ""
    profile_trouble: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether the program stayed inside: nothing was killed or refused for memory."""
        return not (self.killed or self.refused)

    def to_dict(self) -> dict[str, object]:
        """For JSON; sizes in bytes, times in seconds."""
        return {
            "command": self.argv,
            "budget_bytes": self.budget_bytes or None,
            "peak_rss_bytes": self.peak_rss,
            "peak_rss_upper_bytes": self.peak_rss_upper,
            "peak_anon_bytes": self.peak_anon,
            "peak_kind": self.peak_kind,
            "pattern": self.pattern.name,
            "pattern_words": self.pattern.words,
            "growth_bytes_per_s": round(self.pattern.growth_bytes_per_s, 1),
            "growth_before_end_bytes_per_s": round(self.growth_before_end, 1),
            "forecast": self.forecast.to_dict() if self.forecast else None,
            "limit_kind": self.limit_kind,
            "limit_note": self.limit_note,
            "killed": self.killed,
            "kills": self.kills,
            "refused": self.refused,
            "exit_code": self.exit_code,
            "signal": self.signal,
            "wall_s": round(self.wall_s, 4),
            "cpu_s": round(self.cpu_s, 4),
            "samples": self.samples,
            "processes": self.processes,
            "left_behind": self.left_behind,
            "suspects": [_suspect_dict(suspect, self.suspects_growth) for suspect in self.suspects],
            "profile": self.profile or None,
            "profile_path": self.profile_path or None,
            "notes": self.notes,
            "timeline": self.timeline.to_dict(),
        }


def _suspect_dict(suspect: Suspect, growth: int) -> dict[str, object]:
    frame, inner = suspect.frame, suspect.inner
    return {
        "file": frame.file,
        "line": frame.line,
        "function": frame.function,
        "source": frame.source,
        "in": "" if inner == frame else f"{inner.file}:{inner.line} {inner.function}",
        "growth_bytes": suspect.growth_bytes,
        "share": round(suspect.growth_bytes / growth, 4) if growth else 0.0,
        "stack": [f"{frame.file}:{frame.line} {frame.function}" for frame in suspect.stack],
    }
