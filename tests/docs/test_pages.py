"""The pages: what they say is what their programs find, links lead somewhere, tables are whole."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from flatwater.tour import walk

DOCS = Path(__file__).parent.parent.parent / "docs"
BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20}


def lines_of(name, *words):
    """What a program of the documentation prints, for a heap that is small enough to be quick."""
    command = [sys.executable, DOCS / "examples" / name, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_only_rings_wait_for_the_collector():
    """A chain and a ring with a weak link go at once; a ring stays whole until a collection.

    An object with attributes is two that the collector knows, and from Python 3.13 on one.
    """
    least = 9_000 if sys.version_info < (3, 13) else 4_500
    table = {line.split()[0]: line.replace(",", "").split()[1:] for line in lines_of("gc_cycles.py", 5_000)[2:5]}
    held, dropped, collected = (int(count) for count in table["ring"])
    assert held > least
    assert dropped >= held
    assert collected < 100
    for shape in ("chain", "weak_ring"):
        held, dropped, _collected = (int(count) for count in table[shape])
        assert held > least
        assert dropped < 100


def test_disabled_there_are_no_collections():
    """Collections of the young happen most, of the old least, and with the collector off there are none."""
    lines = lines_of("gc_pauses.py", 20_000)
    counts = {re.split(r"  +", line)[0]: [int(n) for n in re.findall(r"(\d+) in ", line)] for line in lines[2:6]}
    young, middle, old = counts["beside the live objects"]
    assert young > middle > old
    assert counts["the collector off"] == [0, 0, 0]


@pytest.mark.skipif(sys.platform != "linux", reason="smaps_rollup tells what a child copied")
def test_freezing_before_a_fork_spares_copies():
    """Without it a collection in the child copies the heap; with it, next to nothing."""
    figures = [re.search(r"([\d.]+) (B|KiB|MiB) copied", line) for line in lines_of("gc_fork.py", 100_000)[1:]]
    plain, frozen = (float(found[1]) * BYTES[found[2]] for found in figures)
    assert plain > 3 << 20
    assert frozen < plain / 5


def test_the_step_of_the_tours_page_holds(tmp_path, monkeypatch):
    """What docs/tour.md shows as a step of one's own can be run, and keeps its promise."""
    code = re.search(r"```python\n(.*?)```", (DOCS / "tour.md").read_text("utf-8"), re.DOTALL)[1]
    (tmp_path / "step_of_the_page.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    report = walk(steps=["step_of_the_page:Squares"])
    assert report.holds, report.verdict
    assert report.promise_bytes == 6 << 20


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_each_table_is_whole(page):
    """Each block of lines with bars begins with a header and a rule: none is the rest of a table that a blank line split."""
    text = re.sub(r"^```.*?^```$", "", (DOCS / page).read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for table in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        assert re.match(r"\|.*\n\|[-:| ]+\|\n", table), table


@pytest.mark.parametrize(
    "page",
    [
        "build.md",
        "documents.md",
        "files.md",
        "garbage-collection.md",
        "guard.md",
        "lab.md",
        "tables.md",
        "tour.md",
        "tutorial.md",
    ],
)
def test_links_lead_somewhere(page):
    """Every file that a page names is there."""
    text = (DOCS / page).read_text("utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (DOCS / target).exists(), target
    for target in re.findall(r"docs/examples/[a-z_]+\.py", text):
        assert (DOCS.parent / target).exists(), target


PAGES = sorted([*DOCS.parent.glob("*.md"), *DOCS.rglob("*.md")])


def without_code(page):
    return re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)


def anchors(page):
    """Headings, as links name them."""
    headings = re.findall(r"^#+ (.*)$", without_code(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS.parent)))
def test_links_between_pages(page):
    """Every page, and every heading of one, that any page names is there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page)):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        there = page.parent / name if name else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target
