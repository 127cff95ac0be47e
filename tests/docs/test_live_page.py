"""The pages of live tables: their code runs, their lists are those of the code."""

import re
from pathlib import Path

import pytest

from flatwater import limits
from flatwater.live.allowed import FUNCTIONS
from flatwater.live.types import _PYTHON

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE, SQL = ((DOCS / name).read_text("utf-8") for name in ("live.md", "live-sql.md"))


def test_the_code_of_the_page(tmp_path, monkeypatch, capsys):
    """Its block runs in an empty folder and prints what it says."""
    monkeypatch.chdir(tmp_path)
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "live.md", "exec"), {})
    assert capsys.readouterr().out.splitlines()[-1] == "{'body': 'more'}"


def test_lists_are_those_of_the_code():
    """Every function and type that is known is on the page, and no other function."""
    functions = SQL.split("## Functions of a SELECT")[1]
    assert set(re.findall(r"`(\w+)`", functions)) == set(FUNCTIONS)
    assert [name for name in _PYTHON if name not in SQL.split("## Types")[1]] == []


@pytest.mark.parametrize(
    ("text", "value"),
    [("64 MiB", limits.LIVE_LOG_BYTES), ("256 KiB", limits.LIVE_PAGE_BYTES), ("4 MiB", limits.LIVE_UNDO_BYTES)],
)
def test_figures_are_those_of_the_code(text, value):
    """Bounds that the page names are the limits."""
    from flatwater import units

    assert units.parse_bytes(text) == value
    assert text in PAGE
