"""The pages of live tables: their code runs, their lists are those of the code."""

import re
from pathlib import Path

import pytest

from flatwater import limits
from flatwater.live.allowed import FUNCTIONS
from flatwater.live.database import Database
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


def test_how_values_are_compared(tmp_path):
    """Where a condition of rows and one of the engine differ, they do as the page says; what is said to be the same is."""
    text = "SELECT k FROM t"
    with Database(tmp_path / "data", sync="off") as db:
        db.sql("CREATE TABLE one (o INT PRIMARY KEY)")
        db.sql("INSERT INTO one VALUES (1)")
        db.sql("CREATE TABLE t (k INT PRIMARY KEY, d DOUBLE, r REAL, n DECIMAL(10, 2), b BYTES, u UUID)")
        uuid = "aaaaaaaa-0000-0000-0000-00000000000a"
        db.sql("INSERT INTO t VALUES (1, 0.1, 0.1, 0.1, ?, ?)", [b"a", uuid])
        db.sql("INSERT INTO t (k, d) VALUES (2, 9007199254740992)")
        for condition, params, rows, joined in (
            ("d = 0.1", [], [1], [1]), ("d = 9007199254740993", [], [], [2]), ("r = 0.1", [], [], []),
            ("n = ?", [0.1], [1], [1]), ("b = 'YQ=='", [], [1], []), (f"u = '{uuid.upper()}'", [], [1], []),
            ("d = CAST(0.1 AS DOUBLE)", [], [1], [1]), ("d = ?", [0.1], [1], [1]), ("n = 0.1", [], [1], [1]),
            ("r = CAST(0.1 AS REAL)", [], [1], [1]), ("b = ?", [b"a"], [1], [1]), (f"u = '{uuid}'", [], [1], [1]),
        ):  # fmt: skip
            assert [row["k"] for row in db.sql(f"{text} WHERE {condition}", params)] == rows, condition
            found = db.sql(f"{text} JOIN one ON o = 1 WHERE {condition}", params)
            assert [row["k"] for row in found] == joined, condition
