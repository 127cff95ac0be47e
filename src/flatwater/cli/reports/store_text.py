"""The words of `flatwater store`: what a check found, and text from stores without what a terminal would obey.

Covers:     findings, names of files and partitions.
Not here:   the figures (`store.stats`).
Holds:      one text.
"""

from __future__ import annotations

from collections.abc import Sequence

import click


def said_check(path: str, findings: Sequence[str]) -> str:
    """The verdict, then a line for each finding."""
    if not findings:
        return click.style(f"flatwater store check: {plain(path)} is sound", fg="green", bold=True) + "\n"
    count = f"{len(findings):,} finding{'' if len(findings) == 1 else 's'}"
    verdict = click.style(f"flatwater store check: {plain(path)} is damaged, {count}:", fg="red", bold=True)
    return "\n".join([verdict, *(f"  {plain(finding)}" for finding in findings)]) + "\n"


def plain(text: str) -> str:
    r"""Text without anything that a terminal would obey; ends of lines stay.

    >>> print(plain("a\x1b[31mb"))
    a\x1b[31mb
    """
    if text.isprintable():
        return text
    return "".join(
        letter
        if letter.isprintable() or letter == "\n"
        else letter.encode("unicode_escape", "backslashreplace").decode()
        for letter in text
    )
