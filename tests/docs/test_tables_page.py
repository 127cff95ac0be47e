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
