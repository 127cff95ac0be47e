"""One who asks: statements are done, rows shown page by page, errors told; Ctrl-C ends a statement.

Covers:     a statement from its text to its last row, what is said below it, errors with their hints.
Not here:   the prompt (`cli.sql_shell`), formats (`cli.sql_rows`), live queries (`cli.sql_live`).
Holds:      a page of rows as text.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, TextIO, final

import click

from flatwater import errors, limits
from flatwater.cli import main, sql_rows
from flatwater.cli.sql_targets import Target
from flatwater.cli.sql_work import Opened, Work

FORMATS = ("table", "json", "csv", "vertical")
_CHANGING = {"INSERT", "UPDATE", "DELETE"}
_READING = {"SELECT", "WITH", "VALUES"}


@final
class Session:
    """Asks a target, and shows what it says. For the main thread.

    Attributes:
        form: of rows: one of `FORMATS`.
        is_timed: whether it is said how long a statement took.
    """

    def __init__(self, target: Target, work: Work, *, form: str = "table", out: TextIO | None = None) -> None:
        self.target = target
        self.work = work
        self.form = form
        self.is_timed = False
        self.out = sys.stdout if out is None else out
        self.colours = self.out.isatty() and not os.environ.get("NO_COLOR")

    @property
    def width(self) -> int | None:
        """Of the terminal; None where there is none."""
        return shutil.get_terminal_size().columns if self.out.isatty() else None

    def greet(self) -> None:
        """Ask for something small: who may not ask, or asks nobody, is to know it before he types.

        Raises:
            FlatwaterError: what the database says.
        """
        with self.work.open(partial(self.target.sql, "SHOW NAMESPACES")):
            pass

    def do(self, text: str, params: Sequence[Any] = ()) -> None:
        """Do a statement and show all that it gives.

        Raises:
            FlatwaterError: what the database says; rows that came before were shown.
            KeyboardInterrupt: Ctrl-C.
        """
        began = time.monotonic()
        with self.work.open(partial(self.target.sql, text, params)) as result:
            count = self._show(result)
        self._tell(text, result.thing, count, time.monotonic() - began)
        self.out.flush()

    def _show(self, result: Opened) -> int:
        """Page by page; how many rows there were."""
        form = sql_rows.form_of(self.form, self.out, colours=self.colours, width=self.width)
        rows, count = iter(result.thing), 0
        while True:
            page, is_last = result.ask(partial(_page, result.thing, rows, form))
            columns = tuple(result.thing.columns)  # some are not known before the first row
            if columns and (page or not count):
                form.page(columns, page, is_first=not count)
                self.out.flush()
            count += len(page)
            if is_last:
                return count

    def _tell(self, text: str, result: Any, count: int, seconds: float) -> None:
        """What a table says below itself; JSON and CSV are rows alone."""
        if self.form in {"json", "csv"}:
            if self.is_timed:
                main.say(f"{seconds * 1_000:,.0f} ms")
            return
        word = text.split(None, 1)[0].upper()
        if result.columns or word in _READING:
            told = f"{count:,} row{'' if count == 1 else 's'}"
        elif word in _CHANGING or (result.count or 0) > 0:
            changed = max(0, result.count or 0)
            told = f"{changed:,} row{'' if changed == 1 else 's'} changed"
        else:
            told = "done"
        self.say(f"({told}{f', {seconds * 1_000:,.0f} ms' if self.is_timed else ''})")

    def say(self, text: str) -> None:
        """A line of the shell's own, below or between rows."""
        self.out.write((click.style(text, dim=True) if self.colours else text) + "\n")


def tell(error: BaseException) -> None:
    """An error and what to do about it, to stderr, without what a terminal would obey."""
    message = sql_rows.safe(str(Exception.__str__(error)))
    colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    main.say(click.style(f"flatwater: {message}", fg="red") if colours else f"flatwater: {message}")
    hint = getattr(error, "hint", "")
    if hint:
        main.say(f"  {sql_rows.safe(hint)}")


def told(error: errors.FlatwaterError) -> int:
    """Tell it; the exit code that it means."""
    tell(error)
    return main.exit_code_of(error)


def _page(result: Any, rows: Any, form: sql_rows.Form) -> tuple[list[Any], bool]:
    """Rows as they will be shown, and whether there are no more; called in a thread."""
    page: list[Any] = []
    size = 0
    for row in rows:
        page.append(form.made(tuple(result.columns), row))
        size += sql_rows.size_of(page[-1])
        if len(page) >= limits.SHELL_PAGE_ROWS or size >= limits.SHELL_PAGE_CHARS:
            return page, False
    return page, True
