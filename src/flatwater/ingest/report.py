"""What an ingestion did: documents, chunks, what was embedded, and what could not be read.

Covers:     counts, problems by document (counted in full, the first ones kept), a short table, a dict for JSON.
Not here:   deciding what a problem is (`sources`, `stages`).
Holds:      `limits.INGEST_PROBLEMS_KEPT_MAX` problems of a few hundred characters each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, final

from flatwater import limits, units
from flatwater.source.documents.report import shortened

_TRIED_AGAIN = frozenset({"kept", "failed", "listing"})


class Problem(NamedTuple):
    """One thing that went wrong.

    Attributes:
        source: the document, as it was listed; or what was to be listed.
        page: of a PDF, from 1; 0 where it is the whole document.
        reason: in words.
        kind: "skipped" (it is not in the corpus), "cut" (a part of it is not), "guessed" (its encoding was), "known" (nothing changed
            since it was told); and those that the next run tries again: "kept" (it could not be read now: what was there stays),
            "failed" (a part of it is not there), "listing" (not all could be listed).
    """

    source: str
    page: int
    reason: str
    kind: str


@final
@dataclass
class Report:
    """Of one ingestion. It grows while that is at work; one thread writes it.

    Attributes:
        documents: that the sources have.
        new: of these, that were not there before.
        changed: that were another version, or were done by other stages.
        unchanged: that cost no reading beyond a look at their bytes.
        kept: that could not be read now, and stay as they were.
        removed: that are gone from their sources.
        chunks: that were written, with those that were there already.
        embedded: texts that were embedded for them.
        reembedded: texts that were embedded anew because the embedder is another one.
        text_bytes: of the documents that were read, as UTF-8, about.
        skipped: documents and pages that are not in the corpus.
        failed: problems that the next run tries to mend.
        problems: the first `limits.INGEST_PROBLEMS_KEPT_MAX` things that went wrong.
        problem_count: all of them.
        is_dry: nothing was written.
        wall_s: seconds.
        promised_bytes: that were taken from the budget.
        seen_bytes: the most that the process grew, resident; -1 where that is not told.
    """

    documents: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    kept: int = 0
    removed: int = 0
    chunks: int = 0
    embedded: int = 0
    reembedded: int = 0
    text_bytes: int = 0
    skipped: int = 0
    failed: int = 0
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0
    is_dry: bool = False
    wall_s: float = 0.0
    promised_bytes: int = 0
    seen_bytes: int = -1

    def add(self, source: str, page: int, reason: str, kind: str) -> None:
        """Count a problem, and keep it if there is room."""
        self.problem_count += 1
        self.skipped += kind == "skipped"
        self.failed += kind in _TRIED_AGAIN
        if len(self.problems) < limits.INGEST_PROBLEMS_KEPT_MAX:
            name = source.encode("utf-8", "backslashreplace").decode()
            self.problems.append(Problem(name, page, shortened(reason), kind))

    @property
    def is_fine(self) -> bool:
        """Whether nothing went wrong."""
        return not self.problem_count

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**vars(self), "problems": [problem._asdict() for problem in self.problems]}

    def __str__(self) -> str:
        would = "would be " if self.is_dry else ""
        kinds = [
            (self.new, f"{would}new"), (self.changed, f"{would}changed" if not self.is_dry else "changed"), (self.unchanged, "unchanged"),
            (self.kept, "kept as they were"), (self.removed, f"{would}removed"),
        ]  # fmt: skip
        told = ", ".join(f"{count:,} {kind}" for count, kind in kinds if count) or "nothing to do"
        lines = [f"{self.documents:,} documents: {told}"]
        if self.is_dry and self.reembedded:
            lines.append(f"{self.reembedded:,} texts would be embedded anew, by another embedder")
        elif not self.is_dry:
            work = f"{self.chunks:,} chunks written, {self.embedded:,} texts embedded"
            again = f", {self.reembedded:,} embedded anew" if self.reembedded else ""
            lines.append(f"{work}{again}, {units.format_bytes(self.text_bytes)} of text in {self.wall_s:.1f} s")
        lines += [f"  {problem.kind:<7}  {printable(problem)}" for problem in self.problems]
        if self.problem_count > len(self.problems):
            lines.append(f"  ... and {self.problem_count - len(self.problems):,} more")
        return "\n".join(lines)


def printable(problem: Problem) -> str:
    """`path, page 7: reason`, on one line and without anything that a terminal would obey."""
    line = f"{problem.source}{f', page {problem.page}' if problem.page else ''}: {problem.reason}"
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in line)
