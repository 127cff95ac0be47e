"""Rewrite what the linter finds, where behaviour cannot change.

Covers:     joining findings and fixes, one round after another; encodings, line ends, marks of byte order; a diff of it.
Not here:   which fixes are safe (`lint.fixes`), putting a file in place (`lint.writing`).
Holds:      one file's text, its tree, and what was found in it.
"""

from __future__ import annotations

import ast
import difflib
import io
import os
import re
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from flatwater import errors, limits
from flatwater.lint import files, writing
from flatwater.lint.finding import Finding
from flatwater.lint.fixes import FIXES
from flatwater.lint.fixes.change import Change, Span, span
from flatwater.lint.module import Module
from flatwater.lint.rule import Look

if TYPE_CHECKING:
    from flatwater.lint.linter import Linter


@final
@dataclass(slots=True)
class Fixed:
    """What became of a file.

    Attributes:
        path: of the file.
        before, after: its bytes; the same where nothing was fixed.
        fixed: the findings that are gone, as they were found.
        left: those that are left, at their new places.
        why: why it was not looked through for fixes, or "".
    """

    path: str
    before: bytes = b""
    after: bytes = b""
    fixed: list[Finding] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)
    why: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether anything was fixed."""
        return self.before != self.after

    def diff(self) -> Iterator[bytes]:
        """The change as lines of a unified diff, in the bytes of the file: `patch` takes it."""
        name = "".join(each if each.isprintable() else "?" for each in self.path.replace(os.sep, "/").lstrip("/"))
        name += "\t" if " " in name else ""  # where a name with spaces ends
        before, after = LINES.findall(self.before), LINES.findall(self.after)  # as `patch` has them: \r ends none
        old, new = (f"{side}/{name}".encode("utf-8", "surrogateescape") for side in "ab")
        for line in difflib.diff_bytes(difflib.unified_diff, before, after, old, new):
            yield line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"


LINES = re.compile(rb"[^\n]*\n|[^\n]+")


@final
class Fixer:
    """Fixes files, one after another. Not thread-safe.

    Args:
        linter: looks for what is to be fixed, with its settings.

    Raises:
        MissingExtra: libcst is not installed.
    """

    def __init__(self, linter: Linter) -> None:
        try:
            import libcst  # noqa: F401 - whether it is there
        except ImportError:
            raise errors.MissingExtra("lint", "libcst") from None
        self._linter = linter

    def file(self, path: str) -> Fixed:
        """What the file would be. Nothing is written."""
        try:
            data = files.read_bytes(path)
        except files.Unreadable:
            return Fixed(path, left=self._linter.file(path))
        made = Fixed(path, data, data, left=self._linter.data(data, path))
        wanted = [each for each in made.left if each.code in FIXES]
        if not wanted:
            return made
        if path.endswith(".ipynb"):
            made.why = "is a notebook; its cells are not rewritten"
        else:
            try:
                self._fix(made)
            except _NotFixedError as error:
                made.after, made.fixed, made.why = data, [], str(error)
                made.left = self._linter.again(data, path)
        return made

    def write(self, made: Fixed, named: Sequence[str]) -> None:
        """Put it in place. Raises Unwritable.

        Args:
            made: what `file` gave.
            named: the paths that the user named: nothing outside of them is written.
        """
        if made.is_changed:
            writing.replace(made.path, made.before, made.after, named)

    def _fix(self, made: Fixed) -> None:
        import libcst

        from flatwater.lint.rewriting import rewritten

        encoding = _encoding(made.before)
        module = _parsed(_text(made.before, encoding))
        for _ in range(limits.LINT_FIX_ROUNDS_MAX):
            chosen = _chosen(module, made.left)
            if not chosen:
                return
            try:
                text, done = rewritten(module, [change for _finding, change in chosen])
                module = _parsed(text)
            except (
                SyntaxError,
                ValueError,
                RecursionError,
                libcst.ParserSyntaxError,
                libcst.CSTValidationError,
            ) as error:
                first = (str(error) or type(error).__name__).splitlines()[0]
                raise _NotFixedError(f"cannot be rewritten: {first}") from None
            if not done:
                return
            made.after = text.encode(encoding)
            made.fixed += [finding for finding, change in chosen if change in done]
            made.left = self._linter.again(made.after, made.path)


class _NotFixedError(Exception):
    """A file that stays as it is, and why."""


def _encoding(data: bytes) -> str:
    encoding, _lines = tokenize.detect_encoding(io.BytesIO(data).readline)
    if _text(data, encoding).encode(encoding) != data:
        raise _NotFixedError(f"is not the same after it was read as {encoding} and written, and is not rewritten")
    return encoding


def _text(data: bytes, encoding: str) -> str:
    return io.TextIOWrapper(io.BytesIO(data), encoding, newline="").read()


def _parsed(text: str) -> Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Module(text, "")


def _chosen(module: Module, found: list[Finding]) -> list[tuple[Finding, Change]]:
    """The findings that have a fix, with it; of those that overlap, the outer one."""
    look = Look(module)
    by_place: dict[tuple[str, int, int, int, int], Finding] = {}
    for finding in found:
        by_place[finding.code, finding.line, finding.column, finding.end_line, finding.end_column] = finding
    chosen: list[tuple[Span, Finding, Change]] = []
    for code in sorted({each.code for each in found} & set(FIXES)):
        for change in FIXES[code](look):
            if any(isinstance(each, ast.JoinedStr) for each in module.parents(change.node)):
                continue  # within an f-string, places are not exact
            here = span(module.lines, change.found)
            finding_or_none = by_place.get((code, here.line, here.column + 1, here.end_line, here.end_column + 1))
            if finding_or_none is not None:
                chosen.append((span(module.lines, change.node), finding_or_none, change))
    chosen.sort(key=lambda each: (each[0][:2], [-one for one in each[0][2:]]))
    kept: list[tuple[Finding, Change]] = []
    end = (0, 0)
    for place, finding, change in chosen:
        if place[:2] >= end:
            kept.append((finding, change))
            end = place[2:]
    return kept
