"""The page of this floor: its programs run, its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "build.md").read_text("utf-8")


def lines_of(name, *words):
    """What a program of the documentation prints."""
    command = [sys.executable, ROOT / "docs" / "examples" / name, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_each_row_is_in_the_page():
    """The table of the page has the ways that its program prints, and objects weigh what it says."""
    rows = {re.split(r"  +", line)[0]: float(line.split()[-1]) for line in lines_of("build_modes.py", 500)[1:]}
    assert [name for name in rows if f"| {name} |" not in PAGE] == []
    assert rows["Struct, fresh builder"] < 60
    assert rows["dataclass with slots, fresh builder"] < 80
    assert rows["Struct, validated, fresh builder"] < 120


def test_the_whole_program():
    """It refuses what is broken, says why, and hands over all the rest."""
    lines = lines_of("build_batches.py", 5_000)
    assert "4,995 rows in 1 batches" in lines
    assert any("id: Expected `int`, got `str`; prices: Expected `float`, got `null`" in line for line in lines)


def test_links_and_tables():
    """Every file that the page names is there, and no table is cut."""
    for target in re.findall(r"\]\(([^)#:]+)\)", PAGE) + re.findall(r"docs/(examples/[a-z_]+\.py)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
    for table in re.findall(r"(?:^\|.*\n?)+", PAGE, re.MULTILINE):
        assert re.match(r"\|.*\n\|[-:| ]+\|\n", table), table
