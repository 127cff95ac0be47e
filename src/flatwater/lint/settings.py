"""What a project asks of the linter.

Covers:     which rules, which files, how sure; the codes that are left out for some files.
Not here:   reading it from pyproject.toml (`lint.config`), from options (`cli.lint`).
Holds:      a few short texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from flatwater.lint import globs
from flatwater.lint.finding import Confidence, Finding

NOT_LOOKED_AT = "FW000"


@final
@dataclass(frozen=True, slots=True)
class Settings:
    """What is looked at, and what is told.

    Attributes:
        select: codes, or how they begin.
        ignore: the same, of those that are left out.
        exclude: patterns of paths and names that are not looked at.
        confidence: the least that is told.
        per_file_ignores: patterns of paths, and the codes that are left out there.
        include_tests: whether tests are looked at.
        baseline: a file with findings that are known; "" for none.
        root: the folder that patterns are relative to.
        source: the file that said so; "" for none.
    """

    select: tuple[str, ...] = ("FW",)
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    confidence: Confidence = Confidence.LIKELY
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    include_tests: bool = False
    baseline: str = ""
    root: str = "."
    source: str = ""

    def chooses(self, code: str) -> bool:
        """Whether a rule's findings are told."""
        if code == NOT_LOOKED_AT:
            return code not in self.ignore
        return code.startswith(self.select) and not (self.ignore and code.startswith(self.ignore))

    def ignored_in(self, path: str) -> tuple[str, ...]:
        """The codes that are left out for a file; its path is relative to the project's folder."""
        on_the_way = globs.above(path)
        return tuple(
            code
            for text, codes in self.per_file_ignores
            if any(globs.fits(pattern, each) for pattern in [globs.compiled(text, self.root)] for each in on_the_way)
            for code in codes
        )

    def tells(self, finding: Finding) -> bool:
        """Whether a finding is told, by its code and how sure it is."""
        return finding.confidence >= self.confidence and self.chooses(finding.code)
