"""The page of the shell says what its code knows."""

import re
from pathlib import Path

import pytest

from flatwater import limits, units
from flatwater.cli import sql, sql_names, sql_session, sql_targets

PAGE = (Path(__file__).parent.parent.parent / "docs" / "live-shell.md").read_text("utf-8")
REFERENCE = (PAGE, (Path(__file__).parent.parent.parent / "docs" / "reference.md").read_text("utf-8"))


def test_every_option_and_command_is_there():
    """Options, commands of the shell, formats and variables; and none that there is not."""
    options = {name for each in sql.command.params for name in each.opts if name.startswith("--")}
    for page in REFERENCE:
        known = {"--command": "-c", "--file": "-f", "--param": "-p"}
        assert [name for name in options if name not in page and known.get(name, name) not in page] == []
    assert set(re.findall(r"(?<![-\w])--[a-z][a-z-]+", PAGE)) <= options
    assert [name for name in sql_names.COMMANDS if f"`{name}" not in PAGE] == []
    assert [name for name in sql_session.FORMATS if name not in PAGE] == []
    variables = {sql_targets.PASSWORD, sql_targets.TOKEN, sql_targets.ONE_TIME}
    assert set(re.findall(r"FLATWATER_\w+", PAGE)) == variables


@pytest.mark.parametrize(
    ("text", "value"),
    [("1 MiB", limits.SHELL_HISTORY_BYTES), ("256 KiB", limits.SHELL_PAGE_CHARS)],
)
def test_figures_are_those_of_the_code(text, value):
    """Bounds that the page names are the limits."""
    assert units.parse_bytes(text) == value
    assert text in PAGE


def test_counts_are_those_of_the_code():
    """Rows of a page, letters of a value, seconds of a mark, statements that are left."""
    assert f"{limits.SHELL_PAGE_ROWS} rows" in PAGE
    assert f"{limits.SHELL_CELL_CHARS:,} letters" in PAGE
    assert (limits.SHELL_MARK_S, limits.SHELL_LEFT_MAX) == (3.0, 4)
    assert "three seconds" in PAGE
    assert "four of these" in PAGE
