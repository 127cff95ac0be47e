"""Findings that a project knows already, so that only new ones are told.

Covers:     a file of fingerprints that survive moved lines; entries whose finding is gone.
Not here:   comments that allow a finding (`lint.suppressions`), settings (`lint.config`).
Holds:      the file's entries, up to their bound.

An entry stands for one finding of one rule on a line of that text in that file. Two findings that are the same but for
their lines are two entries; where one of them is mended, one entry is stale.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Literal, final

import msgspec

from flatwater import errors, limits
from flatwater.lint.finding import Confidence, Finding
from flatwater.lint.settings import NOT_LOOKED_AT, Settings

DEFAULT = "flatwater-baseline.json"


@final
class Entry(msgspec.Struct, frozen=True, order=True):
    """A finding that is known: where it was, for people, and its fingerprint."""

    path: str
    code: str
    line: int
    confidence: Literal["sure", "likely", "maybe"]
    fingerprint: str


class _File(msgspec.Struct):
    version: Literal[1]
    findings: list[Entry]


@final
class Baseline:
    """The findings that a file knows. Paths in it are relative to its folder. Not thread-safe.

    Args:
        path: of the file.
        entries: what it knows.
    """

    def __init__(self, path: str, entries: Iterable[Entry] = ()) -> None:
        self.path = path
        self._folder = os.path.dirname(os.path.abspath(path))
        self._entries = {each.fingerprint: each for each in entries}
        self._unseen = dict.fromkeys(self._entries)
        self._files = {each.path for each in self._entries.values()}
        self._looked: set[str] = set()
        self.known = 0

    def __len__(self) -> int:
        return len(self._entries)

    def new(self, path: str, findings: list[Finding]) -> list[Finding]:
        """Those of a file that are not known; to be called for every file that is looked at."""
        relative = self._relative(path)
        if relative not in self._files:
            return findings
        if all(each.code != NOT_LOOKED_AT for each in findings):  # else what it had may still be there
            self._looked.add(relative)
        told = []
        for each in findings:
            fingerprint = each.fingerprint_as(relative)
            if fingerprint in self._entries:
                self._unseen.pop(fingerprint, None)
                self.known += 1
            else:
                told.append(each)
        return told

    def stale(self, settings: Settings) -> list[Entry]:
        """Entries whose finding is gone, of files that were looked at or are gone themselves."""
        return sorted(
            entry
            for entry in map(self._entries.__getitem__, self._unseen)
            if settings.chooses(entry.code)
            and Confidence[entry.confidence.upper()] >= settings.confidence
            and (entry.path in self._looked or not os.path.lexists(os.path.join(self._folder, entry.path)))
        )

    def text(self, settings: Settings) -> str:
        """The file, as it is written: an entry a line, sorted, without what is stale.

        Raises:
            LimitReached: there are more entries than a baseline may have.
        """
        gone = {each.fingerprint for each in self.stale(settings)}
        kept = sorted(each for each in self._entries.values() if each.fingerprint not in gone)
        lines = [msgspec.json.encode(each).decode() for each in kept]
        return '{"version": 1, "findings": [\n' + ",\n".join(lines) + "\n]}\n"

    def add(self, finding: Finding) -> None:
        """Know a finding from now on."""
        if len(self._entries) >= limits.LINT_BASELINE_ENTRIES_MAX:
            raise errors.LimitReached(
                f"{self.path!r} would have more than {limits.LINT_BASELINE_ENTRIES_MAX} entries.",
                what="LINT_BASELINE_ENTRIES_MAX", limit=limits.LINT_BASELINE_ENTRIES_MAX, hint="Begin with --confidence sure, or with one family of rules.",
            )  # fmt: skip
        relative = self._relative(finding.path)
        fingerprint = finding.fingerprint_as(relative)
        self._entries[fingerprint] = Entry(
            relative, finding.code, finding.line, str(finding.confidence), fingerprint  # type: ignore[arg-type]  # one of the three
        )  # fmt: skip
        self._unseen.pop(fingerprint, None)

    def _relative(self, path: str) -> str:
        said = os.path.relpath(os.path.abspath(path), self._folder).replace(os.sep, "/")
        return said.encode("utf-8", "backslashreplace").decode()  # names of files need not be valid text


def read(path: str) -> Baseline:
    """What a file knows.

    Raises:
        UsageError: it cannot be read, or is no baseline.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(limits.LINT_BASELINE_BYTES_MAX + 1)
    except OSError as error:
        hint = "Write it with --write-baseline." if isinstance(error, FileNotFoundError) else ""
        reason = (error.strerror or str(error)).lower()
        raise errors.UsageError(f"the baseline {path!r} cannot be read: {reason}.", hint=hint) from None
    if len(data) > limits.LINT_BASELINE_BYTES_MAX:
        raise errors.UsageError(f"the baseline {path!r} has more than {limits.LINT_BASELINE_BYTES_MAX} bytes.")
    try:
        found: Any = msgspec.json.decode(data, type=_File)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise errors.UsageError(
            f"{path!r} is no baseline: {error}.", hint="Write it anew with --write-baseline."
        ) from None
    return Baseline(path, found.findings[: limits.LINT_BASELINE_ENTRIES_MAX])
