"""What a report of `flatwater lint` is: its beginning, each finding as it comes, and its end.

Covers:     the form that all of them have; the figures at the end.
Not here:   the forms (`lint_text`, `lint_json`, `lint_sarif`, `lint_github`).
Holds:      nothing of what was told.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, final

if TYPE_CHECKING:
    from flatwater.lint.baseline import Entry
    from flatwater.lint.finding import Finding
    from flatwater.lint.profile import Hot


@final
@dataclass(slots=True)
class Summary:
    """The figures at the end of a report.

    Attributes:
        files: how many were looked at.
        files_with: how many of them have findings.
        tests: how many files were left out because they are tests.
        excluded: how many files and folders were left out by patterns.
        known: findings that the baseline knows.
        stale: entries of the baseline whose finding is gone.
        counts: findings that were told, by code.
        hot: lines that allocated much and have no finding.
        run: what their bytes are, in words; "" where no run was given.
        total_bytes: of the run.
        unranked: findings that were too many to be put in order, with the fewest bytes.
    """

    files: int = 0
    files_with: int = 0
    tests: int = 0
    excluded: int = 0
    known: int = 0
    stale: list[Entry] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    hot: list[Hot] = field(default_factory=list)
    run: str = ""
    total_bytes: int = 0
    unranked: int = 0


class Report(Protocol):
    """A form of the report; each call gives the next piece of its text."""

    def begin(self) -> str:
        """What stands above the findings."""

    def finding(self, finding: Finding, allocated_bytes: int | None = None) -> str:
        """One finding, and what a run allocated at its lines, where there is one."""

    def end(self, summary: Summary) -> str:
        """What stands below the findings."""
