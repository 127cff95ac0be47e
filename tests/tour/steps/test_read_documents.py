"""tour.steps.read_documents: documents of all kinds inside a share, and the process that reads some of them."""

from __future__ import annotations

import os
import sys

import pytest

from flatwater.budget import Budget
from flatwater.tour import Inputs, Root
from flatwater.tour.inputs import DOCUMENTATION
from flatwater.tour.steps import read_documents
from flatwater.tour.steps.read_documents import ReadDocuments

MIB = 1 << 20


def run(*paths, seconds=60.0):
    step = ReadDocuments()
    with Budget(128 * MIB) as budget, budget.share(step.name, step.bytes_max(budget.free)) as share:
        result = step.run(share, Inputs(tuple(Root(str(path)) for path in paths), seconds))
        assert share.peak <= step.bytes_max(0) == step.bytes_least
    assert budget.held == 0
    return result


def test_documents_of_all_kinds(tmp_path):
    """Text and what needs the other process; what is no document is skipped and counted; other files are not looked at."""
    below = tmp_path / "be[l]ow"
    below.mkdir()
    (below / "a.md").write_text("# Title")
    (below / "b.html").write_text("<html><body><p>One &amp; two</p></body></html>")
    (below / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    (below / "c.py").write_text("no document")
    result = run(tmp_path)
    assert (result.items, result.item_name, result.complete) == (3, "documents", True)
    assert result.details["characters"] == {"md": 7, "html": 9}
    assert (result.details["skipped"], result.bytes) == (1, 16)
    assert "1 skipped" in result.notes[1]


def test_a_single_file(tmp_path):
    """A root that is a file is read whatever its name is."""
    (tmp_path / "notes").write_text("text")
    result = run(tmp_path / "notes")
    assert (result.items, result.bytes, result.details["characters"]) == (1, 4, {"no suffix": 4})


def test_its_time_is_over(tmp_path):
    """It stops after the piece at hand, and says that there is more."""
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text("text")
    result = run(tmp_path, seconds=1e-6)
    assert (result.items, result.complete) == (1, False)


def test_documentation_comes_first():
    """What is most of a machine's documents is read before the time is over."""
    roots = [Root(os.path.dirname(os.__file__)), Root(os.path.realpath(DOCUMENTATION))]
    patterns = read_documents.patterns_of([root for root in roots if os.path.isdir(root.path)])
    if os.path.isdir(DOCUMENTATION):
        assert patterns[0].startswith(os.path.realpath(DOCUMENTATION))


@pytest.mark.parametrize("module", ["pypdfium2", "lxml"])
def test_without_its_libraries_it_is_left_out(monkeypatch, module):
    """The trouble is the line that installs them."""
    monkeypatch.setitem(sys.modules, module, None)
    trouble = ReadDocuments().trouble
    assert module in trouble
    assert "pip install 'flatwater[files]'" in trouble
