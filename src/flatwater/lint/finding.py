"""A finding: where, which rule, what, and how sure it is.

Covers:     its order, its form for other programs, a fingerprint that survives moved lines.
Not here:   how it is printed (`cli.reports.lint_text` and its siblings), rules (`lint.rules`).
Holds:      a few hundred bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import final


@final
class Confidence(IntEnum):
    """How much reason there is to believe a finding."""

    MAYBE = 1  # a name or a habit speaks for it
    LIKELY = 2  # the type is known by how it is used, or a bound cannot be seen but may be elsewhere
    SURE = 3  # the type comes from an import, an annotation or a base class, and no bound is there

    def __str__(self) -> str:
        return self.name.lower()


@final
@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One place of a program's text whose memory grows with its data.

    Attributes:
        path: as it was given, with "/" between its parts.
        line: from 1 on; in a notebook, of its cell.
        column: of the first character, from 1 on.
        code: of the rule, such as "FW101".
        message: what is held, and what to do in place of it.
        confidence: how much reason there is to believe it.
        end_line, end_column: behind the last character.
        source: the line, or as much of a very long one as its bound allows.
        nth: which one it is of those that are the same in its file, from 0 on.
        cell: of a notebook, from 1 on; 0 in any other file.
        body_end: the last line of what allocates for it, where that goes on behind it; else 0.
    """

    path: str
    line: int
    column: int
    code: str
    message: str
    confidence: Confidence
    end_line: int
    end_column: int
    source: str
    nth: int = 0
    cell: int = 0
    body_end: int = 0

    @property
    def fingerprint(self) -> str:
        """Of the file, the rule and the line's text: lines above may come and go."""
        return self.fingerprint_as(self.path)

    def fingerprint_as(self, path: str) -> str:
        """The same, with the file called `path`: as a baseline in another folder calls it."""
        said = f"{path}\0{self.code}\0{' '.join(self.source.split())}\0{self.nth}"
        return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        said: dict[str, object] = {
            "path": self.path, "line": self.line, "column": self.column, "end_line": self.end_line, "end_column": self.end_column,
            "code": self.code, "message": self.message, "confidence": str(self.confidence), "fingerprint": self.fingerprint,
        }  # fmt: skip
        return {**said, "cell": self.cell} if self.cell else said
