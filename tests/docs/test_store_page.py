"""The page of the store: its code runs, its programs print what the page shows, its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from flatwater import limits
from flatwater.store import keys

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "store.md").read_text("utf-8")


def printed(name, *words):
    done = subprocess.run(
        [sys.executable, DOCS / "examples" / name, *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_code_of_the_page(tmp_path, monkeypatch, capsys):
    """Its blocks run one after another, as a reader types them, and what they assert holds."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) > 7
    exec(compile("\n".join(blocks), "store.md", "exec"), {})
    assert "not compacted: only" in capsys.readouterr().out


def test_marking_in_short_transactions():
    """Short transactions take a few megabytes, a map of all changes many times that, and one write of all is refused."""
    short, hungry, refused = printed("store_states.py", "60000").splitlines()
    assert "60,000 changed" in short
    amounts = [re.search(r"([\d.]+) (KiB|MiB)", line).groups() for line in (short, hungry)]
    flat, whole = (float(size) * (1 if unit == "MiB" else 1 / 1024) for size, unit in amounts)
    assert flat * 3 < whole
    assert refused in PAGE


def test_going_on_after_a_kill():
    """The program is killed, called again, and prints what the page shows."""
    assert printed("store_resume.py") in PAGE


def test_a_dump_of_the_page(tmp_path):
    """The lines that the page shows are a dump."""
    lines = re.search(r'```\n(\{"flatwater_dump":1.*?)```', PAGE, re.DOTALL)[1]
    command = [sys.executable, "-m", "flatwater", "store"]
    done = subprocess.run([*command, "load", tmp_path / "new"], input=lines, text=True, timeout=60, check=False)
    assert done.returncode == 0
    again = subprocess.run(
        [*command, "dump", tmp_path / "new"], capture_output=True, text=True, timeout=60, check=False
    )
    assert again.stdout == lines


def test_the_arithmetic_of_the_page():
    """What the page shows of `explain` is what it says."""
    shown = re.search(r"```\n(\$ flatwater store explain.*?)```", PAGE, re.DOTALL)[1].splitlines()
    printed = ""
    for line in shown:
        if line.startswith("$ flatwater "):
            command = [sys.executable, "-m", "flatwater", *line.split()[2:]]
            printed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        elif line != "...":
            assert line in printed.splitlines()


def test_the_order_of_types(tmp_path):
    """Types sort as the page says."""
    tags = {
        "None": keys.NONE, "bool": keys.FALSE, "int": keys.HUGE_NEGATIVE, "float": keys.FLOAT, "str": keys.TEXT,
        "bytes": keys.BYTES, "naive datetime": keys.NAIVE, "aware datetime": keys.AWARE, "UUID": keys.UUID_,
    }  # fmt: skip
    assert sorted(tags, key=tags.get) == list(tags)
    assert ", ".join(tags) in " ".join(PAGE.split())


def test_its_limits():
    """The figures of the page are those of the code."""
    mib, kib = 1 << 20, 1 << 10
    for text in (
        f"{limits.STORE_KEY_BYTES_MAX // kib} KiB as bytes", f"{limits.STORE_WRITE_BYTES_MAX // mib} MiB of keys",
        f"{limits.STORE_NAME_BYTES_MAX} bytes of UTF-8", f"| {limits.STORE_PARTITIONS_MAX:,} |",
        f"| {limits.STORE_READERS_MAX:,} |", f"`write_rows` ({limits.STORE_COMMIT_ROWS})",
        f"`bytes=` heap bytes ({limits.STORE_BATCH_BYTES // mib} MiB) and `rows=` entries ({limits.STORE_BATCH_ROWS})",
    ):  # fmt: skip
        assert text in PAGE, text


@pytest.mark.parametrize(
    "target", sorted({*re.findall(r"\]\(([^)#:]+)\)", PAGE), *re.findall(r"examples/[a-z_]+\.py", PAGE)})
)
def test_links_lead_somewhere(target):
    """Every file that the page names is there."""
    assert (DOCS / target).exists()
