"""Live queries in the shell: a line of JSON for each event, or a table that is redrawn in place.

Covers:     following until Ctrl-C, rows as they are after each change, what is new, changed or gone.
Not here:   formats of results (`cli.sql_rows`), the protocol.
Holds:      as many rows as are drawn, bounded, and some events.
"""

from __future__ import annotations

import itertools
import os
import shutil
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, final

import msgspec
from rich import box
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from flatwater import limits
from flatwater.cli.sql_rows import Cell, console_for, json_line, safe

if TYPE_CHECKING:
    from flatwater.cli.sql_session import Session

_WAIT_S = 0.25  # for an event, before it is looked whether anybody still wants one
_AROUND = 5  # lines of the terminal around a table
_MARKS = {"new": ("+", "green"), "changed": ("~", "yellow"), "gone": ("-", "red strike"), "": (" ", "")}
_encode = msgspec.json.Encoder().encode


def follow(session: Session, text: str, params: Sequence[Any] = ()) -> None:
    """As it suits where the output goes."""
    if session.out.isatty() and os.environ.get("TERM") not in {None, "", "dumb"}:
        follow_as_table(session, text, params)
    else:
        follow_as_lines(session, text, params)


def follow_as_lines(session: Session, text: str, params: Sequence[Any] = ()) -> None:
    """A line for each event, until Ctrl-C.

    Raises:
        KeyboardInterrupt: that.
        FlatwaterError: the query cannot be followed, or no longer.
    """
    for events in _pages(session, text, params, last_rows=None):
        for op, seq, row, old in events:
            told = {"op": op, "seq": seq, "row": row} | ({} if op != "update" else {"old": old})
            session.out.write(json_line(told) + "\n")
        session.out.flush()


def follow_as_table(session: Session, text: str, params: Sequence[Any] = ()) -> None:
    """A table of the last rows, as they are now, until Ctrl-C; the same errors."""
    size = shutil.get_terminal_size()
    view = View(max(1, min(limits.SHELL_LIVE_ROWS, size.lines - _AROUND)))
    console = console_for(session.out, colours=session.colours, width=None, is_terminal=True)
    with Live(
        view.drawn(), console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False,
        vertical_overflow="crop",
    ) as live:  # fmt: skip
        drawn_s = 0.0
        for events in _pages(session, text, params, last_rows=view.rows_max, wait_s=limits.SHELL_DRAW_S):
            now = time.monotonic()
            for event in events:
                view.take(*event, now)
            if view.is_due(now) and now - drawn_s >= limits.SHELL_DRAW_S:
                drawn_s = now
                live.update(view.drawn(), refresh=True)


@final
class View:
    """The rows of a live query as they are now, the last ones of them."""

    def __init__(self, rows_max: int) -> None:
        self.rows_max = rows_max
        self._rows: OrderedDict[int, tuple[dict[str, Any], str, float]] = OrderedDict()  # row, its mark, until when
        self._numbers: dict[bytes, list[int]] = {}  # of rows that are alike
        self._next = itertools.count()
        self._is_changed = True
        self._seq = 0
        self._changes = self._hidden = 0

    def take(self, op: str, seq: int, row: dict[str, Any] | None, old: dict[str, Any] | None, now: float) -> None:
        """An event."""
        self._is_changed = True
        self._seq = max(self._seq, seq)
        if op == "reset":
            self._rows.clear()
            self._numbers.clear()
            self._hidden = 0
        if row is None:
            return
        if op != "snapshot":
            self._changes += 1
        until = now + limits.SHELL_MARK_S
        if op == "snapshot":
            self._add(row, "", 0.0)
        elif op == "insert":
            self._add(row, "new", until)
        elif op == "update":
            number = self._found(old)
            if number is None:
                self._add(row, "changed", until)
            else:
                self._set(number, row, "changed", until)
        else:
            number = self._found(row)
            if number is not None:
                self._rows[number] = (row, "gone", until)

    def is_due(self, now: float) -> bool:
        """Whether it looks otherwise than it was drawn."""
        if self._fade(now):
            self._is_changed = True
        return self._is_changed

    def drawn(self) -> Any:
        """What is to be seen."""
        self._is_changed = False
        rows = list(self._rows.values())
        columns = list(rows[-1][0]) if rows else []
        table = Table(box=box.MINIMAL, show_edge=False, pad_edge=False, header_style="bold")
        table.add_column("", width=1)
        for name in columns:
            table.add_column(Text(safe(name)), overflow="ellipsis", no_wrap=True)
        for row, mark, _until in rows:
            sign, style = _MARKS[mark]
            cells = [Cell.of(row.get(name)) for name in columns]
            table.add_row(
                Text(sign, style), *(Text(cell.text, style or ("dim italic" if cell.is_null else "")) for cell in cells)
            )
        above = f"{self._hidden:,} rows are not shown; " if self._hidden else ""
        last = Text(f"({above}{self._changes:,} changes; Ctrl-C ends it)", "dim", no_wrap=True, overflow="ellipsis")
        return Group(table, last) if columns else last

    def rows(self) -> Iterator[tuple[dict[str, Any], str]]:
        """Rows with their marks."""
        return ((row, mark) for row, mark, _until in self._rows.values())

    def _add(self, row: dict[str, Any], mark: str, until: float) -> None:
        number = next(self._next)
        self._rows[number] = (row, mark, until)
        self._numbers.setdefault(_encode(row), []).append(number)
        if len(self._rows) > self.rows_max:
            gone = next((each for each, (_row, mark, _until) in self._rows.items() if mark == "gone"), None)
            if gone is None:
                self._hidden += 1
                gone = next(iter(self._rows))
                self._forget(gone)
            del self._rows[gone]

    def _set(self, number: int, row: dict[str, Any], mark: str, until: float) -> None:
        self._rows[number] = (row, mark, until)
        self._numbers.setdefault(_encode(row), []).append(number)

    def _found(self, row: dict[str, Any] | None) -> int | None:
        """The number of a row that is drawn, which no longer counts as it is."""
        key = _encode(row)
        numbers = self._numbers.get(key)
        if not numbers:
            return None
        number = numbers.pop(0)
        if not numbers:
            del self._numbers[key]
        return number

    def _forget(self, number: int) -> None:
        key = _encode(self._rows[number][0])
        numbers = self._numbers.get(key, [])
        if number in numbers:
            numbers.remove(number)
        if not numbers:
            self._numbers.pop(key, None)

    def _fade(self, now: float) -> bool:
        """Marks that are over go, and so do rows that are gone; whether there were any."""
        over = [number for number, (_row, mark, until) in self._rows.items() if mark and until <= now]
        for number in over:
            row, mark, _until = self._rows[number]
            if mark == "gone":
                del self._rows[number]
            else:
                self._rows[number] = (row, "", 0.0)
        return bool(over)


_Told = tuple[str, int, dict[str, Any] | None, dict[str, Any] | None]


def _pages(
    session: Session, text: str, params: Sequence[Any], *, last_rows: int | None, wait_s: float = _WAIT_S
) -> Iterator[list[_Told]]:
    """Events as they come, some at a time; none after each wait in which there are none."""

    def some() -> list[_Told]:
        """Read in the thread, with their rows."""
        events: list[_Told] = []
        size = 0
        event = following.thing.poll(wait_s)
        while event is not None:
            events.append((event.op, event.seq, event.row, event.old))
            size += len(_encode(event.row))
            if len(events) >= limits.SHELL_LIVE_EVENTS or size >= limits.SHELL_PAGE_CHARS:
                break
            event = following.thing.poll(0)
        return events

    with session.work.open(partial(session.target.subscribe, text, params, last_rows=last_rows)) as following:
        while True:
            yield following.ask(some)
