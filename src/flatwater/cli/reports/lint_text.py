"""The words of `flatwater lint`: each finding with its line and a caret, figures by rule, and the last line.

Covers:     wide characters and tabs below the caret, lines that are longer than the terminal, what a terminal would obey.
Not here:   forms for other programs (`lint_json`, `lint_sarif`, `lint_github`).
Holds:      one finding's text.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, final

import click

from flatwater import units
from flatwater.cli.reports.run_text import plain

if TYPE_CHECKING:
    from flatwater.lint.finding import Finding

_COLOURS = {"sure": "red", "likely": "yellow", "maybe": "cyan"}
_LEAD_MAX = 24  # characters in front of the caret, of a line that is cut


@final
class TextReport:
    """For people.

    Args:
        width: characters of a line of source that are shown.
    """

    def __init__(self, width: int = 160) -> None:
        self._width = width

    def begin(self) -> str:
        """Nothing stands above the findings."""
        return ""

    def finding(self, finding: Finding, held_bytes: int | None = None) -> str:
        """Where, which rule, what; the line, and a caret below it."""
        where = (
            f"{plain(finding.path)}:{f'cell {finding.cell}:' if finding.cell else ''}{finding.line}:{finding.column}"
        )
        sure = str(finding.confidence)
        head = f"{click.style(where, bold=True)}: {click.style(finding.code, fg=_COLOURS[sure])} {plain(finding.message)} [{sure}]"
        if held_bytes is not None:
            words = (
                f"{units.format_bytes(held_bytes)} allocated here"
                if held_bytes
                else "nothing allocated here in that run"
            )
            head += f"\n  {click.style(words, bold=bool(held_bytes))}"
        lines = shown(finding, self._width)
        return "\n".join([head, *(f"  {line}" for line in lines), ""]) + ("\n" if lines else "")

    def end(self) -> str:
        """The last line is the command's."""
        return ""


def shown(finding: Finding, width: int) -> list[str]:
    """The line of a finding and its caret; nothing where it has no line.

    >>> from flatwater.lint.finding import Confidence, Finding
    >>> here = Finding("a.py", 3, 8, "FW101", "", Confidence.SURE, 3, 20, "rows = c.fetchall()")
    >>> print("\\n".join(shown(here, 80)))
    3 | rows = c.fetchall()
      |        ^^^^^^^^^^^^
    """
    start = finding.column - 1
    if not finding.source.strip() or start > len(finding.source):
        return []
    source = finding.source.expandtabs(1)
    indent = len(source) - len(source.lstrip())
    stop = finding.end_column - 1 if finding.end_line == finding.line else len(source)
    number = str(finding.line)
    room = max(width - len(number) - 5, 20)
    first = min(indent, start)
    if stop - first > room and start - first > _LEAD_MAX:
        first = start - _LEAD_MAX
    lead = "…" if first > indent else ""
    piece = source[first : first + room]
    tail = "…" if len(source) > first + room else ""
    marked = source[start : min(stop, first + room)]
    gap = " " * len(number)
    caret = " " * (len(lead) + _cells(plain(source[first:start]))) + "^" * max(_cells(plain(marked)), 1)
    return [
        f"{number} | {lead}{plain(piece)}{tail}",
        f"{gap} | {click.style(caret, fg=_COLOURS[str(finding.confidence)])}",
    ]


def statistics(counts: Counter[str], summaries: dict[str, str]) -> str:
    """How often each rule found something, the most frequent first."""
    wide = max((len(str(each)) for each in counts.values()), default=1)
    return "".join(
        f"{count:>{wide}}  {code}  {summaries.get(code, '')}".rstrip() + "\n"
        for code, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    )


def closing(*, found: int, files_with: int, files: int, tests: int, known: int) -> str:
    """The last line: how much was found, and in how much.

    >>> print(closing(found=2, files_with=1, files=40, tests=3, known=0), end="")
    2 findings in 1 of 40 files; 3 tests left out.
    """
    files_words = f"{files:,} file{'s' * (files != 1)}"
    if found:
        words = f"{found:,} finding{'s' * (found != 1)} in {files_with:,} of {files_words}"
    else:
        words = f"nothing found in {files_words}"
    if known:
        words += f"; {known:,} known to the baseline"
    if tests:
        words += f"; {tests:,} test{'s' * (tests != 1)} left out"
    return words + ".\n"


def _cells(text: str) -> int:
    """Columns of a terminal that a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
