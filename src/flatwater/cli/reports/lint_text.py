"""The words of `flatwater lint`: each finding with its line and a caret, figures by rule, and the last line.

Covers:     wide characters and tabs below the caret, lines that are longer than the terminal, what a terminal would obey.
Not here:   forms for other programs (`lint_json`, `lint_sarif`, `lint_github`).
Holds:      one finding's text.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, final

import click

from flatwater import units
from flatwater.cli.reports.run_text import plain, short

if TYPE_CHECKING:
    from flatwater.cli.reports.lint_report import Summary
    from flatwater.lint.finding import Finding

_COLOURS = {"sure": "red", "likely": "yellow", "maybe": "cyan"}
STALE_SHOWN = 10
WIDTH = 160  # where nobody says how wide it is
_LEAD_MAX = 24  # characters in front of the caret, of a line that is cut


@final
class TextReport:
    """For people.

    Args:
        width: characters of a line of source that are shown.
        wraps: whether messages are broken between words at that width; else they are one line, which other programs can read.
    """

    def __init__(self, width: int = WIDTH, *, wraps: bool = False) -> None:
        self._width = width
        self._wraps = wraps

    def begin(self) -> str:
        """Nothing stands above the findings."""
        return ""

    def finding(self, finding: Finding, allocated_bytes: int | None = None) -> str:
        """Where, which rule, what; the line, and a caret below it."""
        where = (
            f"{plain(finding.path)}:{f'cell {finding.cell}:' if finding.cell else ''}{finding.line}:{finding.column}"
        )
        sure = str(finding.confidence)
        front = ""
        if allocated_bytes is not None:
            front = f"{units.format_bytes(allocated_bytes) if allocated_bytes else 'nothing':>9}  "
        rest = f"{front}{where}: {finding.code} {plain(finding.message)} [{sure}]"
        if self._wraps:
            rest = textwrap.fill(
                rest,
                max(self._width, 20),
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
                drop_whitespace=True,
            )
        head = rest.replace(where, click.style(where, bold=True), 1).replace(
            finding.code, click.style(finding.code, fg=_COLOURS[sure]), 1
        )
        lines = shown(finding, self._width)
        return "\n".join([head, *(f"  {line}" for line in lines), ""]) + ("\n" if lines else "")

    def end(self, summary: Summary) -> str:
        """Hot lines without a finding, entries that are stale, and the figures in one line."""
        return _hot(summary) + _stale(summary) + closing(summary)


@final
class StatisticsReport:
    """For people: how often each rule found something, in place of the findings.

    Args:
        summaries: of the rules, by code.
    """

    def __init__(self, summaries: dict[str, str]) -> None:
        self._summaries = summaries

    def begin(self) -> str:
        """Nothing stands above."""
        return ""

    def finding(self, finding: Finding, allocated_bytes: int | None = None) -> str:  # noqa: ARG002 - the form of all reports
        """It is only counted."""
        return ""

    def end(self, summary: Summary) -> str:
        """The most frequent first."""
        wide = max((len(str(each)) for each in summary.counts.values()), default=1)
        lines = [
            f"{count:>{wide}}  {code}  {self._summaries.get(code, '')}".rstrip() + "\n"
            for code, count in sorted(summary.counts.items(), key=lambda each: (-each[1], each[0]))
        ]
        return "".join(lines) + closing(summary)


def shown(finding: Finding, width: int) -> list[str]:
    r"""The line of a finding and its caret; nothing where it has no line.

    >>> from flatwater.lint.finding import Confidence, Finding
    >>> here = Finding("a.py", 3, 8, "FW101", "", Confidence.SURE, 3, 20, "rows = c.fetchall()")
    >>> print(click.unstyle("\n".join(shown(here, 80))))
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
    room = max(width - len(number) - 7, 20)  # what stands in front of the line, and two signs for what is cut
    first = min(indent, start)
    if _cells(plain(source[first:stop])) > room and _cells(plain(source[first:start])) > _LEAD_MAX:
        first = start - _fitting(source[first:start][::-1], _LEAD_MAX)
    lead = "…" if first > indent else ""
    last = first + _fitting(source[first:], room)
    tail = "…" if len(source) > last else ""
    gap = " " * len(number)
    before, marked = plain(source[first:start]), plain(source[start : min(stop, last)])
    caret = " " * (len(lead) + _cells(before)) + "^" * max(_cells(marked), 1)
    return [
        f"{number} | {lead}{plain(source[first:last])}{tail}",
        f"{gap} | {click.style(caret, fg=_COLOURS[str(finding.confidence)])}",
    ]


def _fitting(text: str, room: int) -> int:
    """How many of its first characters fit into that many columns of a terminal.

    >>> _fitting("行行abc", 5), _fitting("abc", 5)
    (3, 3)
    """
    for count, character in enumerate(text):
        room -= _cells(plain(character))
        if room < 0:
            return count
    return len(text)


def closing(summary: Summary) -> str:
    """The last line: how much was found, and in how much."""
    found, files = summary.counts.total(), f"{summary.files:,} file{'s' * (summary.files != 1)}"
    if found:
        words = f"{found:,} finding{'s' * (found != 1)} in {summary.files_with:,} of {files}"
    else:
        words = f"nothing found in {files}"
    if summary.known:
        words += f"; {summary.known:,} known to the baseline"
    if summary.tests:
        words += f"; {summary.tests:,} test{'s' * (summary.tests != 1)} left out (--include-tests)"
    if summary.excluded and not summary.files:
        words += f"; {summary.excluded:,} left out by `exclude`"
    return words + ".\n"


def _hot(summary: Summary) -> str:
    if not summary.run:
        return ""
    lines = [f"{units.format_bytes(summary.total_bytes)} {summary.run}, in all."]
    if summary.unranked:
        lines.append(f"{summary.unranked:,} findings with the fewest bytes are not told.")
    if summary.hot:
        lines.append("Lines that allocated most and have no finding:")
        lines += [
            f"{units.format_bytes(each.own_bytes):>9}  {plain(short(each.path))}:{each.line} {plain(each.function)}".rstrip()
            for each in summary.hot
        ]
    return "\n".join([*lines, "", ""])


def _stale(summary: Summary) -> str:
    if not summary.stale:
        return ""
    lines = [f"  {plain(each.path)}: {each.code}, once in line {each.line}" for each in summary.stale[:STALE_SHOWN]]
    rest = len(summary.stale) - STALE_SHOWN
    if rest > 0:
        lines.append(f"  and {rest:,} more")
    one = len(summary.stale) == 1
    head = f"{len(summary.stale):,} entr{'y' if one else 'ies'} of the baseline {'is' if one else 'are'} stale; --write-baseline drops {'it' if one else 'them'}:"
    return "\n".join([head, *lines, "", ""])


def _cells(text: str) -> int:
    """Columns of a terminal that a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
