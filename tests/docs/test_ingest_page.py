"""The pages of ingestion: their code runs, their programs print what they show, their figures are those of the code."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flatwater import limits

for needed in ("apsw", "numkong"):
    pytest.importorskip(needed)

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE, PDFS, FROM = (
    (DOCS / name).read_text("utf-8") for name in ("ingest.md", "ingest-pdfs.md", "ingest-coming-from.md")
)
PEERS = ("langchain_text_splitters", "langchain_core", "chonkie", "semantic_text_splitter")


def printed(name, *words):
    command = [sys.executable, DOCS / "examples" / name, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def without_figures(line):
    """What stays when the documentation grows."""
    return re.sub(r"[\d,.]+", "#", re.sub(r"^  docs/.*", "  a place", line))


@pytest.mark.parametrize("page", [PAGE, FROM], ids=["ingest", "coming-from"])
def test_the_code_of_the_pages(page, tmp_path, monkeypatch):
    """Its blocks run one after another in a folder with this documentation, as far as their libraries are installed."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(DOCS, "docs", ignore=shutil.ignore_patterns("examples", "design"))
    monkeypatch.setitem(sys.modules, "page", module := type(sys)("page"))
    ran = 0
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    for block in blocks:
        missing = [name for name in PEERS if f"from {name}" in block and importlib.util.find_spec(name) is None]
        if missing or (page is FROM and importlib.util.find_spec("langchain_core") is None):
            continue
        exec(compile(block, "page", "exec"), vars(module))
        ran += 1
    assert ran >= (5 if page is PAGE else 0)


def test_the_first_program():
    """Ingested, once more, changed, removed: what the page shows, but for how long the documentation is."""
    shown = re.search(r"```\n(first run: .*?)```", PAGE, re.DOTALL)[1].splitlines()
    lines = printed("ingest_docs.py")
    assert [*map(without_figures, lines)] == [*map(without_figures, shown)]
    for line in (
        "once more: 0 new, 0 changed, 0 removed; 0 embedded",
        "a sentence more: 0 new, 1 changed, 0 removed; 1 embedded",
    ):
        assert line in lines
        assert line in shown


def test_the_commands_of_the_page(tmp_path):
    """Each prints what the page shows below it, but for figures: new, unchanged, found, as a rehearsal, refused, skipped."""
    pytest.importorskip("pypdfium2")
    shutil.copytree(DOCS / "design", tmp_path / "docs" / "design")
    blocks = [block for block in re.findall(r"```\n(\$ flatwater .*?)```", PAGE, re.DOTALL) if "notes.corpus" in block]
    assert len(blocks) == 5
    for block in blocks:
        if "x.bin" in block:
            (tmp_path / "docs" / "design" / "x.bin").write_bytes(b"a\0\0\0\xff\xfe\x01")
            (tmp_path / "docs" / "design" / "y.pdf").write_bytes(b"%PDF-1.4 broken")
        for part in block.split("$ flatwater ")[1:]:
            words, *shown = part.splitlines()
            command = [sys.executable, "-m", "flatwater", *shlex.split(words)]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
            lines = [without_figures(line) for line in (done.stdout + done.stderr).splitlines()]
            assert lines == [without_figures(line) for line in shown]
    assert "results" in json.loads((tmp_path / "results.json").read_text("utf-8"))


def test_what_is_found_of_near_ones():
    """The nearest are found, and nearly all of them among near-duplicates: as the page shows, with fewer vectors."""
    found = {float(line.split()[0]): float(line.split()[1]) for line in printed("ingest_recall.py", 5_000)[1:]}
    shown = re.search(r"```\n(noise .*?)```", PAGE, re.DOTALL)[1].splitlines()
    assert [float(line.split()[0]) for line in shown[1:]] == list(found)
    assert min(found.values()) > 0.97


@pytest.mark.slow
def test_the_table_of_near_ones():
    """The figures of the page are what its program finds."""
    assert printed("ingest_recall.py") == re.search(r"```\n(noise .*?)```", PAGE, re.DOTALL)[1].splitlines()


def test_a_sample_of_pdfs(tmp_path):
    """The program tells of a folder what the page shows."""
    pytest.importorskip("pypdfium2")
    command = [sys.executable, "-m", "benchmarks.documents.making", tmp_path / "reports", "3", "2"]
    subprocess.run(command, check=True, cwd=DOCS.parent, timeout=60)
    lines = printed("ingest_pdfs.py", tmp_path / "reports", 1)
    shown = re.search(r"```\n\$ python docs/examples/ingest_pdfs.py.*?\n(.*?)```", PDFS, re.DOTALL)[1].splitlines()
    assert [*map(without_figures, lines)] == [*map(without_figures, shown)]


def test_figures_of_the_pages():
    """Bounds that the pages name are those of the code."""
    mib, kib = 1 << 20, 1 << 10
    for text in (
        f"{limits.INGEST_CHUNK_SIZE:,} characters by default", f"{limits.INGEST_CACHE_BYTES // mib} MiB of pages",
        f"{limits.INGEST_SQLITE_BYTES // mib} MiB of statements", f"segment of {limits.INGEST_SEGMENT_CHARACTERS // kib} Ki characters",
        f"| loads | {limits.INGEST_LOAD_BYTES // mib} MiB", f"`INGEST_HTTP_WORKERS` requests at a time ({limits.INGEST_HTTP_WORKERS})",
        f"{limits.INGEST_APPEND_BYTES // kib} KiB, four times", f"takes {limits.INGEST_MINILM_LIMIT_BYTES // mib} MiB of the budget",
        f"a piece of {limits.INGEST_SCAN_BYTES // kib} KiB", f"best {limits.INGEST_CANDIDATES_MIN} (",
        f"Up to {limits.INGEST_K_MAX:,} results", f"first {limits.INGEST_PROBLEMS_KEPT_MAX}:", f"every {limits.INGEST_COMMIT_BYTES // mib} MiB of new texts",
    ):  # fmt: skip
        assert text in PAGE, text


@pytest.mark.parametrize("page", [PAGE, PDFS, FROM], ids=["ingest", "pdfs", "coming-from"])
def test_links_lead_somewhere(page):
    """Every file that a page names is there, and so is every heading."""
    for target in re.findall(r"\]\(([^)#:]+)", page) + re.findall(r"docs/(examples/[a-z_]+\.py)", page):
        assert (DOCS / target).exists(), target
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).strip().replace(" ", "-")
        for line in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    }
    assert set(re.findall(r"ingest\.md#([a-z-]+)", PDFS + FROM)) <= headings
