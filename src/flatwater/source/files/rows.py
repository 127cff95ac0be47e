"""What becomes of a bad row: an error that names it, or a line in the report.

Covers:     the policy on bad rows.
Not here:   the report (`files.bad_rows`).
Holds:      nothing of its own.
"""

from __future__ import annotations

from typing import final

from flatwater import errors
from flatwater.source.files.bad_rows import BadRow, Report, short

ON_ERROR = ("raise", "skip")


@final
class Rejects:
    """Where bad rows go.

    Args:
        file: for people.
        on_error: "raise" or "skip".
        report: of those that are skipped.

    Raises:
        UsageError: the policy is not known.
    """

    def __init__(self, file: str, on_error: str, report: Report) -> None:
        if on_error not in ON_ERROR:
            raise errors.UsageError(
                f"on_error={on_error!r} is not known.", hint=f"Use {' or '.join(map(repr, ON_ERROR))}."
            )
        self.file = file
        self.skips = on_error == "skip"
        self.report = report

    @property
    def tells(self) -> bool:
        """Whether the next bad row will be shown to anybody, or only counted."""
        return not self.skips or self.report.count < self.report.kept_max

    def add(self, row: BadRow) -> None:
        """Reject a row.

        Raises:
            CorruptError: that is the policy.
        """
        if self.tells:
            row = row._replace(reason=short(row.reason))
        if not self.skips:
            raise errors.CorruptError(f"{row}.", hint="Mend the row, or pass on_error='skip' and look at .report.")
        self.report.add(row)
