"""Look at files, one after another, and say what grows with the data.

Covers:     parsing, running the rules, leaving out what is allowed; a file that cannot be looked at is a finding.
Not here:   rules (`lint.rules`), which files (`lint.files`), how it is told (`cli.lint`).
Holds:      the text and the tree of one file, and its findings.
"""

from __future__ import annotations

import ast
import os
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, final

from flatwater import limits
from flatwater.lint import files, rules
from flatwater.lint.finding import Confidence, Finding
from flatwater.lint.module import Module, is_testing
from flatwater.lint.rule import Found, Look, Rule
from flatwater.lint.settings import NOT_LOOKED_AT, Settings
from flatwater.lint.suppressions import Suppressions

if TYPE_CHECKING:
    from flatwater.lint.baseline import Baseline
    from flatwater.lint.cache import Cache

OF_DATA = ("FW1", "FW2")  # rules of what is in tables and files, and grows with it
WORD = re.compile(
    r"\w+|([^\w\s])\1*"
)  # a row of the same sign is one: a comment of dashes, or brackets that no parser takes


@final
class Linter:
    """Looks at files as a project asks for it. Not thread-safe.

    What is found in a file does not depend on what is told of it: rules all run, and the settings choose afterwards. So a
    cache serves all settings, and a fingerprint is the same under all of them.

    Attributes:
        files: how many were looked at.
        tests_left_out: how many files were not looked at because they are tests.
        excluded: how many files and folders a pattern left out.
    """

    def __init__(
        self, settings: Settings | None = None, cache: Cache | None = None, baseline: Baseline | None = None
    ) -> None:
        self.settings = settings or Settings()
        self.files = self.tests_left_out = self.excluded = 0
        self._cache = cache
        self._baseline = baseline

    def look(self, paths: Sequence[str]) -> Iterator[Finding]:
        """The findings of files and folders, file by file, in order of lines. Holds one file at a time.

        Raises:
            UsageError: a path is not there.
        """
        settings = self.settings
        walk = files.Walk(paths, settings.exclude, root=settings.root, tests=settings.include_tests)
        for path in walk:
            yield from self.not_looked_at(path, walk.why) if walk.why else self.file(path)
        self.tests_left_out, self.excluded = walk.tests_left_out, walk.excluded

    def file(self, path: str) -> list[Finding]:
        """The findings of one file."""
        try:
            data = files.read_bytes(path)
        except files.Unreadable as error:
            self.files += 1
            return self._told(path, [_not_looked_at(path, str(error))])
        return self.data(data, path)

    def not_looked_at(self, path: str, why: str) -> list[Finding]:
        """What is told of a folder whose files are not looked at."""
        return self._told(path, [_not_looked_at(path, why, what="folder")])

    def data(self, data: bytes, path: str) -> list[Finding]:
        """The findings of a file's bytes."""
        self.files += 1
        is_notebook = path.endswith(".ipynb")
        key = self._cache.key(data, is_notebook=is_notebook, is_testing=is_testing(path)) if self._cache else b""
        found = self._cache.get(key) if self._cache else None
        if found is None:
            found = self._found(data, path, is_notebook=is_notebook)
            if self._cache:
                self._cache.put(key, found)
        return self._told(path, found)

    def again(self, data: bytes, path: str) -> list[Finding]:
        """The findings of a file that was counted already, in another text of it."""
        files_before, known_before = self.files, self._baseline.known if self._baseline else 0
        found = self.data(data, path)
        self.files = files_before
        if self._baseline is not None:
            self._baseline.known = known_before
        return found

    @staticmethod
    def _found(data: bytes, path: str, *, is_notebook: bool) -> list[Finding]:
        if is_notebook:
            from flatwater.lint.notebooks import lint_notebook

            return lint_notebook(data, path)
        try:
            text = files.decoded(data)
        except files.Unreadable as error:
            return [_not_looked_at(path, str(error))]
        return lint_text(text, path, confidence=Confidence.MAYBE)

    def _told(self, path: str, found: list[Finding]) -> list[Finding]:
        path = path.replace(os.sep, "/")
        told = [each if each.path == path else replace(each, path=path) for each in found if self.settings.tells(each)]
        if told and self.settings.per_file_ignores:
            relative = os.path.relpath(os.path.abspath(path), os.path.abspath(self.settings.root)).replace(os.sep, "/")
            if ignored := self.settings.ignored_in(relative):
                told = [each for each in told if not each.code.startswith(ignored)]
        return self._baseline.new(path, told) if self._baseline is not None else told


def lint(paths: Sequence[str], settings: Settings | None = None) -> Iterator[Finding]:
    """The findings of files and folders, file by file, in order of lines. Holds one file at a time."""
    return Linter(settings).look(paths)


def lint_text(
    text: str, path: str = "<text>", chosen: Iterable[Rule] = (), confidence: Confidence = Confidence.LIKELY
) -> list[Finding]:
    """The findings of a text."""
    wanted = [each for each in chosen or rules.RULES if not each.needs or any(word in text for word in each.needs)]
    if not wanted:
        return []
    if len(text) > limits.LINT_WORDS_MAX and (words := sum(1 for _word in WORD.finditer(text))) > limits.LINT_WORDS_MAX:
        return [
            _not_looked_at(
                path, f"has {words} words and signs, more than {limits.LINT_WORDS_MAX}, and is not looked at"
            )
        ]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = Module(text, path)
    except SyntaxError as error:
        return [_not_looked_at(path, f"cannot be parsed: {error.msg}", error.lineno or 1, error.offset or 1)]
    except (ValueError, RecursionError, MemoryError) as error:
        return [_not_looked_at(path, f"cannot be parsed: {str(error) or 'too deep'}")]
    found: list[Finding] = []
    look = Look(module)
    for rule in wanted:
        try:
            for each in rule.check(look):
                if len(found) >= limits.LINT_FOUND_MAX:
                    break
                found.append(_finding(module, rule, each))
        except RecursionError:
            found.append(_not_looked_at(path, f"is too deep for {rule.code}"))
    if not found:
        return []
    more = "more than " if len(found) >= limits.LINT_FOUND_MAX else ""
    allowed = Suppressions(text)
    found = [each for each in _numbered(sorted(set(found))) if each.confidence >= confidence]
    found = [each for each in found if not allowed.allows(each.code, each.line, each.end_line)]
    if len(found) > limits.LINT_FINDINGS_MAX or more:
        surest = sorted(found, key=lambda each: -each.confidence)
        told, rest = surest[: limits.LINT_FINDINGS_MAX], surest[limits.LINT_FINDINGS_MAX :]
        notice = _not_looked_at(path, f"has {more}{len(found)} findings; the surest {len(told)} are told")
        # Who does not ask for doubts misses nothing where doubts are all that is left out.
        found = [*sorted(told), replace(notice, confidence=Confidence.SURE if more else rest[0].confidence)]
    return found


def _finding(module: Module, rule: Rule, found: Found) -> Finding:
    node = found.node
    confidence = found.confidence
    if module.is_migration and rule.code.startswith(OF_DATA):
        confidence = Confidence.MAYBE  # whoever runs it looks at it, once
    assert isinstance(node, ast.expr | ast.stmt | ast.arg | ast.excepthandler)
    line = module.lines[node.lineno - 1] if node.lineno <= len(module.lines) else ""
    column = len(line.encode()[: node.col_offset].decode("utf-8", "replace")) + 1
    last = module.lines[(node.end_lineno or node.lineno) - 1] if (node.end_lineno or 0) <= len(module.lines) else ""
    end = len(last.encode()[: node.end_col_offset or 0].decode("utf-8", "replace")) + 1
    return Finding(
        module.path,
        node.lineno,
        column,
        rule.code,
        found.message,
        confidence,
        node.end_lineno or node.lineno,
        end,
        line.rstrip()[: limits.LINT_SOURCE_CHARS_MAX],
        body_end=getattr(found.body, "end_lineno", 0) or 0,
    )


def _not_looked_at(path: str, why: str, line: int = 1, column: int = 1, what: str = "file") -> Finding:
    return Finding(path, line, column, NOT_LOOKED_AT, f"The {what} {why}.", Confidence.SURE, line, column, "")


def _numbered(found: list[Finding]) -> list[Finding]:
    """Of those that are the same but for their line, each with its number."""
    counts: Counter[tuple[str, str]] = Counter()
    numbered = []
    for each in found:
        key = (each.code, " ".join(each.source.split()))
        numbered.append(replace(each, nth=counts[key]) if counts[key] else each)
        counts[key] += 1
    return numbered
