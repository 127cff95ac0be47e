"""The words of `flatwater leaks`: the verdict, then a few lines for each leak.

Covers:     what stands out on a terminal.
Not here:   the words themselves (`proof.leaks.report`).
Holds:      one text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from flatwater.proof.leaks.report import LeakReport

_CONTROL = {code: "?" for code in (*range(32), 127) if code != 10}  # noqa: PLR2004 - the end of a line stays


def render(report: LeakReport) -> str:
    """The table, its verdict in bold, and in green or red."""
    verdict, *rest = str(report).translate(_CONTROL).splitlines()
    lines = [click.style(f"flatwater leaks: {verdict}", fg="green" if report.holds else "red", bold=True)]
    lines += [click.style(line, bold=True) if _is_headline(line) else line for line in rest]
    return "\n".join(lines) + "\n"


def _is_headline(line: str) -> bool:
    return line.startswith("  ") and line[2:3].isdigit()
