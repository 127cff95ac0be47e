"""Rows of a result as people and programs read them: tables, one value a line, JSON, CSV; page by page.

Covers:     the formats, values and names without what a terminal would obey, NULL that is seen, widths of the first page.
Not here:   asking for rows (`cli.sql_session`), following them (`cli.sql_live`).
Holds:      a page of rows as text.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol, TextIO, final

import msgspec
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flatwater import limits

_NARROWEST = 4  # columns of the terminal that a column has; rows that do not fit so are shown one value a line
_BETWEEN = 3  # columns of the terminal between two columns
_encode = msgspec.json.Encoder().encode


class Form(Protocol):
    """A way to show rows. `made` is called in another thread; what it gives has a length."""

    def made(self, columns: Sequence[str], row: Mapping[str, Any]) -> Any:
        """A row as it will be shown."""

    def page(self, columns: Sequence[str], rows: Sequence[Any], *, is_first: bool) -> None:
        """Write some."""


class Cell(NamedTuple):
    """A value as it is shown."""

    text: str
    is_null: bool = False
    is_number: bool = False

    @classmethod
    def of(cls, value: object) -> Cell:
        """Cut where it is very long."""
        if value is None:
            return cls("NULL", is_null=True)
        text, more = shown(value), ""
        if len(text) > limits.SHELL_CELL_CHARS:
            more = f"… ({len(text) - limits.SHELL_CELL_CHARS:,} more)"
            text = text[: limits.SHELL_CELL_CHARS]
        is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        return cls(safe(text) + more, is_number=is_number)


def shown(value: object) -> str:
    """A value as text, as in JSON: bytes in base64, times by RFC 3339; not yet safe.

    >>> shown({"a": [1, None]}), shown(True), shown("a")
    ('{"a":[1,null]}', 'true', 'a')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, float | Decimal):
        return str(value)
    text = _encode(value).decode()
    return msgspec.json.decode(text, type=str) if text.startswith('"') else text


def safe(text: str) -> str:
    r"""The same without what a terminal obeys, or what turns the order of letters: that is escaped.

    >>> print(safe("a\x1b[31m\n\u202eb"))
    a\x1b[31m\n\u202eb
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or unicodedata.category(letter) == "Zs" else _escaped(letter) for letter in text
    )


def json_line(value: object) -> str:
    r"""A value as one line of JSON that a terminal shows as it is.

    >>> print(json_line({"a": "\x9b1m\u202e"}))
    {"a":"\u009b1m\u202e"}
    """
    text = _encode(value).decode()
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _json_escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "backslashreplace").decode("ascii")


def _json_escaped(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


# --- formats ----------------------------------------------------------------------------------------------------------


@final
class Tables:
    """A table as wide as its first page, within the terminal.

    Where a later page needs more, and there is room, columns grow and their names stand there again. Longer values are folded.
    """

    def __init__(self, out: TextIO, *, colours: bool, width: int | None) -> None:
        self._out = out
        self._colours = colours
        self._width = width
        self._widths: list[int] = []
        self._right: list[bool] = []
        self._vertical = Vertical(out, colours=colours)

    def made(self, columns: Sequence[str], row: Mapping[str, Any]) -> list[Cell]:
        """Cells in the order of the columns."""
        return [Cell.of(row.get(name)) for name in columns]

    def page(self, columns: Sequence[str], rows: Sequence[Any], *, is_first: bool) -> None:
        """With names above the first one."""
        names = [safe(name)[: limits.SHELL_CELL_CHARS] for name in columns]
        before = self._widths
        if is_first:
            self._widths, self._right = [], [any(row[at].is_number for row in rows) for at in range(len(names))]
        if is_first or before:
            self._widths = self._measured(names, rows)
        if not self._widths:
            self._vertical.page(columns, rows, is_first=is_first)
            return
        table = Table(
            box=box.MINIMAL,
            show_header=is_first or self._widths != before,
            show_edge=False,
            pad_edge=False,
            header_style="bold",
        )
        for name, width, is_right in zip(names, self._widths, self._right, strict=True):
            table.add_column(Text(name), width=width, overflow="fold", justify="right" if is_right else "left")
        for row in rows:
            table.add_row(*(Text(cell.text, "dim italic" if cell.is_null else "") for cell in row))
        total = sum(self._widths) + _BETWEEN * len(self._widths)
        console_for(self._out, colours=self._colours, width=total).print(table)

    def _measured(self, names: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[int]:
        """Widths with which these rows fit, and those before; none where that is no table."""
        widths = self._widths or [max(1, cell_len(name)) for name in names]
        for row in rows:
            widths = [max(width, cell_len(cell.text)) for width, cell in zip(widths, row, strict=True)]
        if self._width is None:
            return [min(width, limits.SHELL_COLUMN_CHARS) for width in widths]
        room = self._width - _BETWEEN * (len(names) - 1)
        if not self._widths and room < sum(min(width, _NARROWEST) for width in widths):
            return []
        return narrowed(widths, room)


@final
class Vertical:
    """One value a line."""

    def __init__(self, out: TextIO, *, colours: bool) -> None:
        self._out = out
        self._colours = colours
        self._number = 0

    def made(self, columns: Sequence[str], row: Mapping[str, Any]) -> list[Cell]:
        """Cells in the order of the columns."""
        return [Cell.of(row.get(name)) for name in columns]

    def page(self, columns: Sequence[str], rows: Sequence[Any], *, is_first: bool) -> None:
        """Each row below its number."""
        if is_first:
            self._number = 0
        names = [safe(name)[: limits.SHELL_CELL_CHARS] for name in columns]
        widest = max(map(cell_len, names), default=0)
        console = console_for(self._out, colours=self._colours, width=1 << 20)
        rule, bar = ("--", "|") if console.options.ascii_only else ("──", "│")
        for row in rows:
            self._number += 1
            console.print(Text(f"{rule} {self._number} {rule}", "dim"))
            for name, cell in zip(names, row, strict=True):
                line = Text(name + " " * (widest - cell_len(name)), "bold")
                console.print(line, Text(bar, "dim"), Text(cell.text, "dim italic" if cell.is_null else ""))


@final
class Json:
    """A row a line."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def made(self, columns: Sequence[str], row: Mapping[str, Any]) -> str:  # noqa: ARG002 - as for tables
        """Its line."""
        return json_line(row)

    def page(self, columns: Sequence[str], rows: Sequence[Any], *, is_first: bool) -> None:  # noqa: ARG002 - the same
        """Lines."""
        for line in rows:
            self._out.write(line + "\n")


@final
class Csv:
    """A row a line below a line of names; NULL is an empty field. What a terminal would obey is escaped on one only."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._plain = safe if out.isatty() else str

    def made(self, columns: Sequence[str], row: Mapping[str, Any]) -> str:
        """Its line."""
        return self._line("" if row.get(name) is None else self._plain(shown(row[name])) for name in columns)

    def page(self, columns: Sequence[str], rows: Sequence[Any], *, is_first: bool) -> None:
        """With the line of names above the first one."""
        if is_first:
            self._out.write(self._line(map(self._plain, columns)))
        for line in rows:
            self._out.write(line)

    def _line(self, fields: Iterable[str]) -> str:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(fields)
        return text.getvalue()


def form_of(name: str, out: TextIO, *, colours: bool, width: int | None) -> Form:
    """The format of a name."""
    if name == "json":
        return Json(out)
    if name == "csv":
        return Csv(out)
    if name == "vertical":
        return Vertical(out, colours=colours)
    return Tables(out, colours=colours, width=width)


def size_of(made: Any) -> int:
    """Characters of a row as it will be shown."""
    return len(made) if isinstance(made, str) else sum(len(cell.text) for cell in made)


def narrowed(widths: Sequence[int], room: int) -> list[int]:
    """Widths whose sum fits: the widest give way first.

    >>> narrowed([4, 50, 30], 40)
    [4, 18, 18]
    """
    most = max(widths, default=0)
    low, high = 1, most
    while low < high:  # the largest bound for one column with which all fit
        bound = (low + high + 1) // 2
        if sum(min(width, bound) for width in widths) <= room:
            low = bound
        else:
            high = bound - 1
    return [min(width, low) for width in widths]


def console_for(out: TextIO, *, colours: bool, width: int | None, is_terminal: bool = False) -> Console:
    """Where rich writes, as wide as the terminal if no width is given; without markup, links and emoji, and with colours only if they are wanted."""
    return Console(
        file=out, width=width, markup=False, emoji=False, highlight=False, soft_wrap=False,
        force_terminal=colours or is_terminal, color_system="standard" if colours else None, no_color=not colours, legacy_windows=False,
    )  # fmt: skip
