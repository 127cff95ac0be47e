"""A step of the tour: the documents of this machine, as pieces of text.

Covers:     which files are taken, what the step promises, reading until the end or until its time is over, what it found.
Not here:   reading documents (`source.documents`).
Holds:      one reader of documents, and the process in which it reads PDF, HTML and DOCX: see `ReadDocuments.bytes_max`.
"""

from __future__ import annotations

import glob
import os
import time
from collections import Counter
from collections.abc import Sequence
from typing import final

from flatwater import limits
from flatwater.budget import Budget
from flatwater.source.documents import reader
from flatwater.source.documents.report import Report
from flatwater.tour.inputs import DOCUMENTATION, Root
from flatwater.tour.step import Inputs, StepResult, is_installed, trouble_without
from flatwater.tour.steps import pages
from flatwater.units import MIB

PAGE_TIMEOUT_S = 10.0  # a page that takes longer is left out
# PDF and Word first: they are few, and the time may be over before all others are read. What else a pattern matches is told by
# its content.
_NAMES = ("*.[pd][do][fc]*", "*.[hmrt][tdsx]*")
_NEEDED = (("files", "pypdfium2"), ("files", "lxml"))
_SUFFIXES_SHOWN = 6


@final
class ReadDocuments:
    """Reads documents. For one use, in one thread.

    Attributes:
        trouble: why it cannot run; empty if it can.
    """

    name = "documents"
    naive = "flatwater.tour.naive.documents"

    def __init__(self) -> None:
        self.trouble = trouble_without(_NEEDED)
        self._page = ""

    @property
    def bytes_least(self) -> int:
        """All of it: a reader takes what it takes."""
        total = 0
        total += opened([]).bytes_max()  # the reader, and the other process
        total += MIB  # counts by kind; the thread that reads the other process's errors
        return total

    def bytes_max(self, room: int) -> int:
        """The same for any room."""
        del room
        return self.bytes_least

    def prepare(self, inputs: Inputs) -> None:
        """Make the page that is read first, where there is a library and a place for it."""
        if not self.trouble and is_installed("apsw"):
            self._page = pages.make(inputs)

    def run(self, budget: Budget, inputs: Inputs) -> StepResult:
        """Read the page, and all documents in the roots of `inputs`."""
        del budget  # the reader takes what it needs from the ambient one
        until_s = time.monotonic() + inputs.seconds
        patterns = patterns_of(inputs.roots, self._page)
        characters: Counter[str] = Counter()
        size = 0
        complete = True
        with opened(patterns, min(PAGE_TIMEOUT_S, inputs.seconds)) as documents:
            for piece in documents:
                characters[os.path.splitext(piece.source)[1].lower()[1:8] or "no suffix"] += len(piece.text)
                size += len(piece.text.encode("utf-8", "surrogatepass"))
                if time.monotonic() >= until_s:
                    complete = False
                    break
        report = documents.report
        unmatched = sum(problem.source in patterns for problem in report.problems)
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in characters.most_common(_SUFFIXES_SHOWN))
        notes = [
            f"{report.pieces:,} pieces; characters by kind: {kinds or 'none'}",
            _problems(report, unmatched),
        ]
        details = {
            "pieces": report.pieces,
            "skipped": report.skipped - unmatched,
            "cut": report.cut,
            "guessed": report.guessed,
            "characters": dict(characters),
        }
        return StepResult(report.documents, size, "documents", complete=complete, notes=tuple(notes), details=details)


def opened(patterns: Sequence[str], page_timeout_s: float = PAGE_TIMEOUT_S) -> reader.Documents:
    """A reader of the files that these patterns match."""
    return reader.documents(patterns, worker_limit=limits.TOUR_WORKER_BYTES, page_timeout_s=page_timeout_s)


def _problems(report: Report, unmatched: int) -> str:
    return (
        f"{report.skipped - unmatched:,} skipped, {report.cut:,} cut, {report.guessed:,} of a guessed encoding, "
        f"{report.pages_empty:,} pages without text"
    )


def patterns_of(roots: Sequence[Root], page: str = "") -> list[str]:
    """The page, then the documentation, where it is one of the roots: most of a machine's documents are there."""
    ordered = sorted(roots, key=lambda root: root.path != os.path.realpath(DOCUMENTATION))
    files = [page] * bool(page) + [root.path for root in ordered if not os.path.isdir(root.path)]
    folders = [glob.escape(root.path) for root in ordered if os.path.isdir(root.path)]
    return files + [os.path.join(folder, "**", names) for names in _NAMES for folder in folders]
