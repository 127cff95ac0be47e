"""The second step of the tour: the words of all text there is, counted in bounded memory.

Covers:     what it promises, reading file after file until the end or until its time is over, what it found.
Not here:   finding files (`tour.inputs`), reading (`tour.text`), counting (`tour.table`).
Holds:      the table of words, and one piece of one file: see `Words.bytes_max`.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import final

from flatwater import errors, limits
from flatwater.budget import Budget
from flatwater.tour import inputs as files_of
from flatwater.tour import text
from flatwater.tour.step import Inputs, StepResult
from flatwater.tour.table import TABLE_BYTES_MIN, WordTable

TABLE_BYTES_MAX = limits.TOUR_TABLE_BYTES_MAX
TOP_WORDS = 10


@final
class Words:
    """Counts words. For one use, in one thread."""

    name = "words"
    naive = "flatwater.tour.naive.words"

    @property
    def bytes_least(self) -> int:
        """With the smallest table."""
        return self._reading_bytes() + TABLE_BYTES_MIN

    def bytes_max(self, room: int) -> int:
        """All of `room`, up to the largest table."""
        total = 0
        total += self._reading_bytes()  # one piece of one file on its way
        total += min(room - total, TABLE_BYTES_MAX)  # the table of words
        return total

    def run(self, budget: Budget, inputs: Inputs) -> StepResult:
        """Count the words in all files of `inputs`.

        Raises:
            UsageError: there is no text in them.
        """
        table_bytes = budget.free - self._reading_bytes()
        with budget.reserve(self._reading_bytes(), "words.reading"), budget.reserve(table_bytes, "words.table"):
            table = WordTable(table_bytes)
            assert table.bytes_max() <= budget.limit, "a table takes more than was promised for it"
            reader = _Reader(table, time.monotonic() + inputs.seconds)
            complete = reader.read(inputs)
            if not reader.files:
                passed = f" Passed over: {_listed(reader.passed_over)}." if reader.passed_over else ""
                where = ", ".join(repr(root.path) for root in inputs.roots[:3]) or "no place at all"
                raise errors.UsageError(f"there is no text to read in {where}.{passed}", hint="Name other directories.")
            return reader.result(complete=complete)

    @staticmethod
    def _reading_bytes() -> int:
        total = 0
        total += files_of.bytes_max()  # open directories
        total += text.bytes_max()  # an open file
        total += WordTable.fixed_bytes()  # the words of one piece
        return total


class _Reader:
    """The counts of one run."""

    def __init__(self, table: WordTable, deadline_s: float) -> None:
        self.table = table
        self.deadline_s = deadline_s
        self.files = self.lines = self.bytes = 0
        self.passed_over: Counter[str] = Counter()

    def read(self, inputs: Inputs) -> bool:
        """Read all files; False if the time was over before the end."""
        found = files_of.files(inputs.roots, self.passed_over)
        try:
            return all(self._file(path) for path in found)
        finally:
            found.close()  # with it, the directories that are open

    def _file(self, path: str) -> bool:
        """Count one file; False if the time was over."""
        last = b""
        try:
            for piece in text.pieces(path):
                self.bytes += len(piece)
                self.lines += piece.count(b"\n")
                last = piece[-1:]
                self.table.add(piece)
                if time.monotonic() >= self.deadline_s:
                    return False
        except text.NotTextError as reason:
            self.passed_over[str(reason)] += 1
        finally:
            if last:
                self.table.end_file()
                self.files += 1
                self.lines += last != b"\n"
        return time.monotonic() < self.deadline_s

    def result(self, *, complete: bool) -> StepResult:
        table = self.table
        top = table.top(TOP_WORDS)
        exact = table.off_by == 0
        kept = f"{len(table):,} different words, counted exactly"
        if not exact:
            kept = (
                f"{len(table):,} words kept of more, so a count is an estimate: up to {table.off_by:,} too low "
                f"(the table was full {table.thinned:,} times)"
            )
        notes = [
            f"{self.files:,} files, {self.lines:,} lines; {kept}",
            f"most frequent: {', '.join(f'{word} {count:,}' for word, count in top)}",
        ]
        if self.passed_over:
            notes.append(f"passed over: {_listed(self.passed_over)}")
        details = {
            "files": self.files,
            "lines": self.lines,
            "words_kept": len(table),
            "exact": exact,
            "off_by_max": table.off_by,
            "thinned": table.thinned,
            "long_runs": table.long_runs,
            "passed_over": dict(self.passed_over),
            "top": [{"word": word, "count": count} for word, count in top],
        }
        return StepResult(table.words, self.bytes, "words", complete=complete, notes=tuple(notes), details=details)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.most_common())
