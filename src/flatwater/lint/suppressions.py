"""What the author of a file allows: `# noqa`, `# noqa: FW101` and `# flatwater: allow FW101 — reason`.

Covers:     comments behind a line, on a line of their own above it, and for a whole file.
Not here:   what a project leaves out (`lint.config`), what is known already (`lint.baseline`).
Holds:      the codes for each line of one file that has such a comment.
"""

from __future__ import annotations

import contextlib
import io
import re
import tokenize
from typing import final

NOQA = re.compile(r"#\s*noqa(?P<codes>\s*:\s*[A-Z]+[0-9]+(?:[\s,]+[A-Z]+[0-9]+)*)?(?![^\s,;#-])", re.IGNORECASE)
ALLOW = re.compile(r"#\s*flatwater:\s*allow(?P<file>-file)?\s+(?P<codes>FW[0-9x]+(?:\s*,\s*FW[0-9x]+)*)", re.IGNORECASE)
CODE = re.compile(r"[A-Z]+[0-9x]+", re.IGNORECASE)
EVERYTHING = ("FW",)
_ANY = re.compile(r"noqa|flatwater:", re.IGNORECASE)
_NO_CODE = frozenset(
    {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}
)


@final
class Suppressions:
    """The comments of one file. Of a text that cannot be cut into tokens, those before the place count."""

    def __init__(self, text: str) -> None:
        self._by_line: dict[int, tuple[str, ...]] = {}
        self._file: tuple[str, ...] = ()
        if not _ANY.search(text):
            return
        for line, comment, is_alone in _comments(text):
            if allowed := ALLOW.search(comment):
                codes = tuple(each.upper().rstrip("X") for each in CODE.findall(allowed["codes"]))
                if allowed["file"]:
                    self._file += codes
                else:
                    self._by_line[line] = self._by_line.get(line, ()) + codes
            elif not is_alone and (said := NOQA.search(comment)):
                codes = tuple(each.upper() for each in CODE.findall(said["codes"])) if said["codes"] else EVERYTHING
                self._by_line[line] = self._by_line.get(line, ()) + codes

    def allows(self, code: str, first: int, last: int) -> bool:
        """Whether a finding of this rule on these lines is left out: a comment on its first or last line says so."""
        if self._file and code.startswith(self._file):
            return True
        return any(code.startswith(self._by_line[line]) for line in {first, last} if line in self._by_line)


def _comments(text: str) -> list[tuple[int, str, bool]]:
    """Comments with the lines that they are about: their own, or the next with code for one that stands alone, which is said."""
    found: list[tuple[int, str, bool]] = []
    alone: list[str] = []
    with contextlib.suppress(tokenize.TokenError, SyntaxError):  # what came before it counts
        for each in tokenize.generate_tokens(io.StringIO(text).readline):
            if each.type == tokenize.COMMENT:
                if each.line[: each.start[1]].strip():
                    found.append((each.start[0], each.string, False))
                else:
                    alone.append(each.string)
            elif alone and each.type not in _NO_CODE:
                found += ((each.start[0], comment, True) for comment in alone)
                alone.clear()
    return found + [(0, comment, True) for comment in alone]
