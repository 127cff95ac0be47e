"""The programs of docs/documents.md run, and do what the page says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.documents import making

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"


def run(name, *words):
    command = [sys.executable, EXAMPLES / name, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_machines_documents(write, tmp_path):
    """It reads what it is given, counts by kind, and says how much it grew."""
    write("docs/a.md", "# words")
    write("docs/b.html", "<p>more words")
    making.make_pdf(tmp_path / "docs" / "c.pdf", 3, 100)
    told = run("documents_machine.py", 20, tmp_path)
    assert "md               7 characters" in told
    assert "3 documents, 5 pieces; 0 skipped" in told


def test_it_goes_on_where_it_stopped(write, tmp_path):
    """Half a line at the end is cut off, and what was there is not read again."""
    for name in "abc":
        write(f"docs/{name}.txt", f"words of {name}")
    log = tmp_path / "pieces.jsonl"
    run("documents_resume.py", tmp_path / "docs", log)
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0] + lines[1][:20])
    assert "2 pieces" in run("documents_resume.py", tmp_path / "docs", log)
    assert log.read_bytes().splitlines(keepends=True) == lines
    assert [json.loads(line)["piece"]["text"] for line in lines] == ["words of a", "words of b", "words of c"]
