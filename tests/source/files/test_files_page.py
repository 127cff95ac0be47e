from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import flatwater as fw
from flatwater import source

ROOT = Path(__file__).parent.parent.parent.parent
PAGE = (ROOT / "docs" / "files.md").read_text("utf-8")


def printed_by(name, *words):
    """What a program of the documentation prints."""
    command = [sys.executable, ROOT / "docs" / "examples" / name, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_messy_rows_are_as_on_the_page():
    """What the page shows is what its program prints."""
    shown = re.search(r"```\n(\[Visit.*?)```", PAGE, re.DOTALL)[1].splitlines()
    assert [line for line in printed_by("files_messy.py") if "promised" not in line] == shown


@pytest.mark.skipif(sys.platform != "linux", reason="the worker's limit is the kernel's")
def test_a_large_file_is_read_in_a_small_worker():
    """The chunks fit into the worker, and the whole file does not."""
    chunks, whole = printed_by("files_larger.py", "0.25")
    assert float(re.search(r"([\d.]+) MiB above", chunks)[1]) < 8
    assert "WorkerOverLimit" in whole


def test_the_first_programs_of_the_page_run(tmp_path, monkeypatch):
    """Both blocks at which a reader begins run as they stand, with names as the page has them."""
    monkeypatch.chdir(tmp_path)
    for name in ("FileChunks", "lines", "records"):
        monkeypatch.setattr(fw, name, getattr(source, name), raising=False)
    Path("backup.tar").write_bytes(b"x" * 1000)
    Path("visits.jsonl.gz").write_bytes(b'{"user": "ann", "bytes": 1}\n')
    stored = []
    blocks = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "import flatwater" in block]
    assert len(blocks) == 2
    for block in blocks:
        exec(block, {"store": stored.extend})
    assert [row.user for row in stored] == ["ann"]
