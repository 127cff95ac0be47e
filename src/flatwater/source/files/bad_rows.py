"""What was wrong with which rows: a few of them kept, all of them counted.

Covers:     where a row stands (file, line, byte), why it was refused, a report that stays bounded.
Not here:   who refuses it (`files.line_reader`, `files.record_reader`).
Holds:      at most so many bad rows as were asked for; see `Report.bytes_max`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, final

from flatwater import errors, limits

_BAD_ROW_BYTES = 4 * limits.FILES_REASON_CHARS_MAX + 400  # a reason of any letters, two numbers, the tuple


class BadRow(NamedTuple):
    """One row that was refused.

    Attributes:
        file: for people.
        line: counted from 1; of a row of several lines, its first. In a file that is read from an offset: from there.
        byte: where the row begins, in decoded bytes; -1 where that is not known (rows of Parquet, lines of
            UTF-16 and others that are read as UTF-8).
        reason: in words.
    """

    file: str
    line: int
    byte: int
    reason: str

    def __str__(self) -> str:
        at = f", byte {self.byte}" if self.byte >= 0 else ""
        return f"{self.file}, line {self.line}{at}: {self.reason}"


@final
class Report:
    """The rows that were passed over.

    Args:
        kept_max: how many are kept, the first ones; the others are only counted.

    Attributes:
        count: all of them.

    >>> report = Report(kept_max=1)
    >>> report.add(BadRow("a.jsonl", 3, 120, "no number"))
    >>> report.add(BadRow("a.jsonl", 9, 460, "no number"))
    >>> print(report)
    2 bad rows, of which the first 1:
      a.jsonl, line 3, byte 120: no number
    """

    __slots__ = ("_kept", "count", "kept_max")

    def __init__(self, kept_max: int = limits.FILES_BAD_ROWS_KEPT) -> None:
        most = limits.FILES_BAD_ROWS_KEPT_MAX
        if isinstance(kept_max, bool) or not isinstance(kept_max, int) or not 0 <= kept_max <= most:
            raise errors.UsageError(f"report_max={kept_max!r}: from 0 to {most} rows.")
        self.kept_max = kept_max
        self.count = 0
        self._kept: list[BadRow] = []

    def add(self, row: BadRow) -> None:
        """Count one, and keep it while there is room."""
        self.count += 1
        if len(self._kept) < self.kept_max:
            self._kept.append(row)

    @property
    def rows(self) -> list[BadRow]:
        """Those that were kept."""
        return list(self._kept)

    def bytes_max(self) -> int:
        """The most this report can hold, in bytes."""
        total = 0
        total += self.kept_max * _BAD_ROW_BYTES  # the rows that are kept
        return total

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"count": self.count, "rows": [row._asdict() for row in self._kept]}

    def __len__(self) -> int:
        return self.count

    def __bool__(self) -> bool:
        return self.count > 0

    def __iter__(self) -> Iterator[BadRow]:
        return iter(self._kept)

    def __str__(self) -> str:
        if not self.count:
            return "no bad rows"
        head = f"{self.count} bad rows" if self.count > 1 else "1 bad row"
        if len(self._kept) < self.count:
            head += f", of which the first {len(self._kept)}" if self._kept else ", of which none was kept"
            if not self._kept:
                return head
        return "\n".join([f"{head}:", *(f"  {row}" for row in self._kept)])


def short(reason: object) -> str:
    r"""A reason of bounded length, on one line.

    >>> short("one\ntwo")
    'one two'
    """
    text = " ".join(str(reason)[: 4 * limits.FILES_REASON_CHARS_MAX].split())
    return text if len(text) <= limits.FILES_REASON_CHARS_MAX else text[: limits.FILES_REASON_CHARS_MAX - 3] + "..."
