"""What the author of a file allows: `# noqa`, `# noqa: FW101` and `# flatwater: allow FW101 — reason`.

Covers:     comments behind a line, on a line of their own above it, at a statement of several lines, and for a whole file.
Not here:   what a project leaves out (`lint.config`), what is known already (`lint.baseline`).
Holds:      the codes for each line, and each statement of several lines, of one file that has such a comment.
"""

from __future__ import annotations

import contextlib
import io
import re
import tokenize
from bisect import bisect_right
from typing import NamedTuple, final

NOQA = re.compile(r"#\s*noqa(?P<codes>\s*:\s*[A-Z]+[0-9]+(?:[\s,]+[A-Z]+[0-9]+)*)?(?![^\s,;#-])", re.IGNORECASE)
ALLOW = re.compile(r"#\s*flatwater:\s*allow(?P<file>-file)?\s+(?P<codes>FW[0-9x]+(?:\s*,\s*FW[0-9x]+)*)", re.IGNORECASE)
CODE = re.compile(r"[A-Z]+[0-9x]+", re.IGNORECASE)
EVERYTHING = ("FW",)
_ANY = re.compile(r"noqa|flatwater:", re.IGNORECASE)
_NO_CODE = frozenset(
    {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}
)


class Comment(NamedTuple):
    """A comment, and the lines that it is about; 0 where it is about none."""

    first: int
    last: int
    text: str
    is_alone: bool


@final
class Suppressions:
    """The comments of one file. Of a text that cannot be cut into tokens, those before the place count."""

    def __init__(self, text: str) -> None:
        self._by_line: dict[int, tuple[str, ...]] = {}
        self._statements: list[
            tuple[int, int, tuple[str, ...]]
        ] = []  # of several lines: the first, the last, and codes
        self._file: tuple[str, ...] = ()
        if not _ANY.search(text):
            return
        for comment in _comments(text):
            if allowed := ALLOW.search(comment.text):
                codes = tuple(each.upper().rstrip("X") for each in CODE.findall(allowed["codes"]))
                if allowed["file"]:
                    self._file += codes
                else:
                    self._add(comment, codes)
            elif not comment.is_alone and (said := NOQA.search(comment.text)):
                codes = tuple(each.upper() for each in CODE.findall(said["codes"])) if said["codes"] else EVERYTHING
                self._add(comment, codes)

    def allows(self, code: str, first: int, last: int) -> bool:
        """Whether a finding of this rule on these lines is left out: a comment on its or its statement's first or last line says so."""
        if self._file and code.startswith(self._file):
            return True
        if any(code.startswith(self._by_line[line]) for line in {first, last} if line in self._by_line):
            return True
        at = bisect_right(self._statements, first, key=lambda each: each[0]) - 1
        return at >= 0 and first <= self._statements[at][1] and code.startswith(self._statements[at][2])

    def _add(self, comment: Comment, codes: tuple[str, ...]) -> None:
        first, last = comment.first, comment.last
        if first == last:
            self._by_line[first] = self._by_line.get(first, ()) + codes
            return
        if self._statements and self._statements[-1][0] == first:
            codes += self._statements.pop()[2]
        self._statements.append((first, last, codes))


def _comments(text: str) -> list[Comment]:
    """Comments with the lines that they are about: their own, or the next with code for one that stands alone.

    One at the first or last line of a statement, or above it, is about all of its lines; of `for` and the like, of the head's.
    """
    found: list[Comment] = []
    alone: list[str] = []
    inside: list[Comment] = []  # the statement that is being read
    start = 0  # its first line
    with contextlib.suppress(tokenize.TokenError, SyntaxError):  # what came before it counts
        for each in tokenize.generate_tokens(io.StringIO(text).readline):
            line = each.start[0]
            if each.type == tokenize.COMMENT:
                if each.line[: each.start[1]].strip():
                    inside.append(Comment(line, line, each.string, is_alone=False))
                else:
                    alone.append(each.string)
            elif each.type == tokenize.NEWLINE:
                for one in inside:
                    is_whole = one.first == start or (one.first == line and not one.is_alone)
                    found.append(one._replace(first=start, last=line) if is_whole else one)
                inside, start = [], 0
            elif each.type not in _NO_CODE:
                start = start or line
                inside += (Comment(line, line, comment, is_alone=True) for comment in alone)
                alone.clear()
    return found + inside + [Comment(0, 0, comment, is_alone=True) for comment in alone]
