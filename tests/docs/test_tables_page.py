"""The page of tables: its program prints what the page shows, and its refusal is the real one."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import flatwater as fw

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "tables.md").read_text("utf-8")


def test_the_program_of_the_page():
    """Row by row costs a few megabytes, all at once many times that; pages and changes are as shown."""
    done = subprocess.run(
        [sys.executable, DOCS / "examples" / "tables_orders.py", "60000"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    flat, hungry = (float(re.search(r"([\d.]+) MiB", line)[1]) for line in done.stdout.splitlines()[:2])
    assert flat * 3 < hungry
    assert done.stdout.splitlines()[2] in PAGE
    assert "written back  60 of 60000 rows" in done.stdout


def test_the_refusal_of_the_page(tmp_path):
    """An order without an index is refused in the words of the page."""
    path = str(tmp_path / "shop.db")
    sqlite3.connect(path).execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, cents INTEGER NOT NULL)")
    with pytest.raises(fw.errors.UsageError) as refused:
        fw.Table(path, "orders").find_each(order_by="cents")
    assert str(refused.value) in " ".join(PAGE.split())


@pytest.mark.parametrize("name", ["tables_sqlalchemy.py", "tables_django.py"])
def test_the_programs_over_an_orm(name):
    """They run under the budget that they name."""
    done = subprocess.run(
        [sys.executable, DOCS / "examples" / name], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_row_that_the_page_shows_as_refused(tmp_path, monkeypatch):
    """A row that is refused is told in the words of the page."""
    monkeypatch.chdir(tmp_path)
    sqlite3.connect("shop.db").execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT, cents INT)")
    rows = [(at, f"name {at}", at) for at in range(1, 40)]
    rows[32] = (5, "again", 1)
    with pytest.raises(fw.source.NotCreated) as refused:
        fw.Table("shop.db", "orders").create_many(rows, batch_rows=10)
    assert str(refused.value) in " ".join(PAGE.split())


def test_the_writer_of_the_page(tmp_path):
    """The page's program writes every batch once, though it breaks in the middle and begins again."""
    path = str(tmp_path / "shop.db")
    sqlite3.connect(path).execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
    table = fw.Table(path, "orders")
    code = re.search(r"```python\n(with table\.writer.*?)```", PAGE, re.DOTALL)[1]
    breaks = [30]

    def batches_from(at):
        for begin in range(at, 100, 10):
            if begin in breaks:
                breaks.clear()
                raise RuntimeError("in the middle")
            yield [{"id": number} for number in range(begin, begin + 10)]

    names = {"table": table, "batches_from": batches_from}
    with pytest.raises(RuntimeError, match="in the middle"):
        exec(code, names)
    exec(code, names)
    assert list(table.pluck("id")) == list(range(100))
    with table.writer() as writer:
        assert writer.state_of("load") is None
