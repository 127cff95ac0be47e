"""What a reader of documents could not read, and what it read: a list with an end, and counts without one.

Covers:     problems by document and page, counted in full, the first ones kept; a short table.
Not here:   deciding what a problem is (`plain`, `remote`, `reader`).
Holds:      `limits.DOCUMENT_PROBLEMS_KEPT_MAX` problems of at most `limits.DOCUMENT_REASON_CHARS_MAX` characters and a path each.
"""

from __future__ import annotations

from typing import NamedTuple, final

from flatwater import limits

PROBLEM_BYTES_MAX = 4_096 + 4 * limits.DOCUMENT_REASON_CHARS_MAX + 300  # a path, a reason, and the record
SKIPPED, CUT, GUESSED, AGAIN = "skipped", "cut", "guessed", "again"


class Problem(NamedTuple):
    """One thing that went wrong.

    Attributes:
        source: the path of the document.
        page: of a PDF, from 1; 0 where it is the whole document.
        reason: in words.
        kind: "skipped" (the page or document is not in the pieces), "cut" (a part of it is not), "guessed" (all of it is,
            with an encoding that was guessed or characters that were replaced), "again" (it changed since a position in it
            was taken, and is read from its beginning).
    """

    source: str
    page: int
    reason: str
    kind: str


@final
class Report:
    """What was read and what was not. It grows while the reader reads; one thread writes it.

    Attributes:
        documents: that were opened and read, whole or in part.
        pieces: that were given out.
        pages_empty: pages of PDFs without any text, such as scanned ones. They give no piece.
        skipped: documents and pages that are not in the pieces.
        cut: documents and pages of which only a part is.
        guessed: documents that were decoded by guess.
        again: documents that changed since their position was taken.
        problems: the first `limits.DOCUMENT_PROBLEMS_KEPT_MAX` of them, in the order they were met.

    >>> report = Report()
    >>> _ = report.add("a.bin", 0, "it is no text", SKIPPED)
    >>> print(report)
    0 documents, 0 pieces; 1 skipped, 0 cut, 0 guessed
      skipped  a.bin: it is no text
    """

    def __init__(self) -> None:
        self.documents = 0
        self.pieces = 0
        self.pages_empty = 0
        self.skipped = 0
        self.cut = 0
        self.guessed = 0
        self.again = 0
        self.problems: list[Problem] = []

    @property
    def count(self) -> int:
        """All problems, also those that are not kept."""
        return self.skipped + self.cut + self.guessed + self.again

    def add(self, source: str, page: int, reason: str, kind: str) -> Problem:
        """Count a problem, and keep it if there is room."""
        setattr(self, kind, getattr(self, kind) + 1)
        problem = Problem(source, page, shortened(reason), kind)
        if len(self.problems) < limits.DOCUMENT_PROBLEMS_KEPT_MAX:
            self.problems.append(problem)
        return problem

    def __str__(self) -> str:
        read = f"{self.documents:,} documents, {self.pieces:,} pieces"
        empty = f"; {self.pages_empty:,} pages without text" if self.pages_empty else ""
        lines = [f"{read}; {self.skipped:,} skipped, {self.cut:,} cut, {self.guessed:,} guessed{empty}"]
        lines += [f"  {problem.kind:<7}  {printable(problem)}" for problem in self.problems]
        if self.count > len(self.problems):
            lines.append(f"  ... and {self.count - len(self.problems):,} more")
        return "\n".join(lines)


def printable(problem: Problem) -> str:
    """`path, page 7: reason`, also where a path is no valid text."""
    source = problem.source.encode("utf-8", "backslashreplace").decode("utf-8")
    return f"{source}{f', page {problem.page}' if problem.page else ''}: {problem.reason}"


def shortened(reason: str) -> str:
    """One line of at most `limits.DOCUMENT_REASON_CHARS_MAX` characters."""
    line = " ".join(reason.split()).encode("utf-8", "backslashreplace").decode("utf-8")
    return (
        line if len(line) <= limits.DOCUMENT_REASON_CHARS_MAX else f"{line[: limits.DOCUMENT_REASON_CHARS_MAX - 3]}..."
    )
