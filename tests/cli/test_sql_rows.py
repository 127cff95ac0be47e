"""cli.sql_rows: rows as tables, JSON and CSV; nothing of them is obeyed by a terminal."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from rich.cells import cell_len

from flatwater import limits
from flatwater.cli import sql_rows

HOSTILE = [
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\u202eright",
    "\u2066x\u2069",
    "\r\n",
    "\x00",
    "\x7f",
    "\u2028",
    "\ud800",
]


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self):
        return True


def shown(name, pages, *, colours=False, width=None, out=None):
    out = io.StringIO() if out is None else out
    form = sql_rows.form_of(name, out, colours=colours, width=width)
    for number, rows in enumerate(pages):
        columns = tuple(pages[0][0])
        form.page(columns, [form.made(columns, row) for row in rows], is_first=not number)
    return out.getvalue()


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["table", "vertical"])
def test_values_and_names_are_escaped(text, name):
    """What a terminal obeys, and what turns the order of letters, is seen as an escape in values and names."""
    told = shown(name, [[{f"name{text}": f"a{text}b"}]], colours=False)
    assert all(letter.isprintable() for letter in told.replace("\n", ""))
    assert "\\" in told


@pytest.mark.parametrize("text", HOSTILE[:-1])
def test_json_is_escaped_and_the_same(text):
    """A parser reads what was there; a terminal has nothing to obey."""
    line = shown("json", [[{f"n{text}": [text]}]])
    assert line.removesuffix("\n").isprintable()
    assert json.loads(line) == {f"n{text}": [text]}


@pytest.mark.parametrize("text", HOSTILE[:-1])
def test_csv_is_escaped_on_a_terminal_only(text):
    """In a pipe it is exact."""
    told = shown("csv", [[{"n": text}]], out=Terminal())
    assert all(letter.isprintable() for letter in told.replace("\n", ""))
    piped = shown("csv", [[{"n": text}]])
    assert list(csv.reader(io.StringIO(piped, newline="")))[1] == [text]


def test_letters_of_people_stay():
    """Accents, wide letters, emoji and spaces that are wide are no controls."""
    text = "é\N{IDEOGRAPHIC SPACE}漢字 \N{GRINNING FACE}"
    assert sql_rows.safe(text) == text


def test_values_are_those_of_json():
    """NULL is seen; true, times, bytes and JSON are as a server sends them."""
    row = {"a": None, "b": True, "c": datetime(2026, 1, 31, tzinfo=UTC), "d": b"\x00", "e": Decimal("1.50"), "f": {"x": [1]}, "g": 2**62}  # fmt: skip
    cells = sql_rows.form_of("table", io.StringIO(), colours=False, width=None).made(tuple(row), row)
    assert [cell.text for cell in cells] == [
        "NULL", "true", "2026-01-31T00:00:00Z", "AA==", "1.50", '{"x":[1]}', "4611686018427387904",
    ]  # fmt: skip


def test_null_is_no_text():
    """Where there are colours it looks otherwise than the text of these letters."""
    told = shown("table", [[{"a": None}, {"a": "NULL"}]], colours=True)
    first, second = told.splitlines()[2:]
    assert first != second
    assert second.strip() == "NULL"


def test_pages_stand_below_each_other():
    """With the widths of the first page, and its names once."""
    lines = shown("table", [[{"id": 10, "b": "x" * 10}], [{"id": 2, "b": "y"}]]).splitlines()
    assert [line.rstrip() for line in lines] == ["id │ b", "───┼───────────", "10 │ xxxxxxxxxx", " 2 │ y"]


def test_a_page_that_needs_more_has_it():
    """Columns grow where there is room, below their names; what is still longer is folded."""
    pages = [[{"id": 1, "b": "x"}], [{"id": 200, "b": "y"}], [{"id": 3, "b": "z" * 12}], [{"id": 4, "b": "short"}]]
    lines = [line.rstrip() for line in shown("table", pages, width=14).splitlines()]
    assert lines == [
        "id │ b", "───┼──", " 1 │ x",
        " id │ b", "────┼──", "200 │ y",
        " id │ b", "────┼─────────", "  3 │ zzzzzzzz", "    │ zzzz",
        "  4 │ short",
    ]  # fmt: skip


def test_a_table_fits_into_the_terminal():
    """The widest columns give way, and no line is longer; wide letters count twice."""
    rows = [{"id": 1, "a": "漢" * 100, "b": "y" * 300, "c": "short"}]
    for width in (30, 80, 200):
        lines = shown("table", [rows], width=width).splitlines()
        assert max(map(cell_len, lines)) <= width
        assert sum(line.count("y") for line in lines) == 300
        assert sum(line.count("漢") for line in lines) == 100


def test_rows_that_do_not_fit_stand_one_value_a_line():
    """Forty columns on eighty letters are no table."""
    told = shown("table", [[{f"column{at}": at for at in range(40)}]], width=80)
    assert "column39 │ 39" in told.splitlines()


def test_a_long_value_is_cut_in_tables_alone():
    """And it is said by how much; JSON has all of it."""
    row = {"a": "x" * (limits.SHELL_CELL_CHARS + 1_234)}
    assert "… (1,234 more)" in shown("table", [[row]], width=1 << 14)
    assert json.loads(shown("json", [[row]])) == row


def test_what_looks_like_markup_is_text():
    """Neither rich's markup nor its emoji codes nor links."""
    told = shown("table", [[{"[b]n": "[red]x[/red] :smile: http://x"}]], colours=True)
    assert "[red]x[/red] :smile: http://x" in told
    assert "[b]n" in told


def test_numbers_of_rows_go_on_over_pages():
    """Of rows that stand one value a line."""
    told = shown("vertical", [[{"a": 1}, {"a": 2}], [{"a": 3}]])
    assert [line for line in told.splitlines() if line.startswith("─")] == ["── 1 ──", "── 2 ──", "── 3 ──"]


def test_csv_has_names_once():
    """A line of names, and NULL as an empty field."""
    assert shown("csv", [[{"a": 1, "b": None}], [{"a": 2, "b": 'x,"y'}]]) == 'a,b\n1,\n2,"x,""y"\n'
