"""tour.steps.flow_documents: documents through one flow into a store, inside a share."""

from __future__ import annotations

import sys

import pytest

from flatwater import errors
from flatwater.budget import Budget
from flatwater.tour import Inputs, Root
from flatwater.tour.steps import flow_documents
from flatwater.tour.steps.flow_documents import FlowDocuments, clean

pytest.importorskip("lmdb")
MIB = 1 << 20


def run(folder, *paths, seconds=60.0, budget_mib=128):
    step, inputs = FlowDocuments(), Inputs(tuple(Root(str(path)) for path in paths), seconds, str(folder))
    step.prepare(inputs)
    with Budget(budget_mib * MIB) as budget, budget.share(step.name, step.bytes_max(budget.free)) as share:
        result = step.run(share, inputs)
        assert share.peak <= step.bytes_max(budget_mib * MIB)
    assert budget.held == 0
    return result


def test_passages_are_stored(tmp_path):
    """Cleaned, without those that have no text, and they add up."""
    below = tmp_path / "documents"
    below.mkdir()
    (below / "a.md").write_text("# Title\n\n  some \t text")
    (below / "b.html").write_text("<html><body><p>One &amp; two</p></body></html>")
    (below / "empty.txt").write_text(" \n\n ")
    result = run(tmp_path, below)
    assert (result.items, result.item_name, result.complete) == (2, "passages", True)
    assert result.details == {
        "documents": 3,
        "passages": 2,
        "characters": len("# Title some text") + len("One & two"),
        "skipped": 0,
    }
    assert "and add up" in result.notes[0]


def test_its_time_is_over(tmp_path):
    """It stops after the piece at hand, and says that there is more."""
    below = tmp_path / "documents"
    below.mkdir()
    for number in range(3):
        (below / f"{number}.txt").write_text("text")
    result = run(tmp_path, below, seconds=1e-6)
    assert (result.items, result.complete) == (1, False)


def test_what_is_lost_is_told(tmp_path, monkeypatch):
    """A store that does not have what went into it is an error."""
    (tmp_path / "a.txt").write_text("text")
    turns = iter(range(100))
    monkeypatch.setattr(flow_documents, "clean", lambda piece: clean(piece)._replace(source="", start=next(turns) * 0))
    (tmp_path / "b.txt").write_text("other text")
    with pytest.raises(errors.BrokenError, match="went into it"):
        run(tmp_path, tmp_path / "a.txt", tmp_path / "b.txt")


@pytest.mark.parametrize("module", ["pypdfium2", "lxml", "lmdb"])
def test_without_its_libraries_it_is_left_out(monkeypatch, module):
    """The trouble is the line that installs them."""
    monkeypatch.setitem(sys.modules, module, None)
    trouble = FlowDocuments().trouble
    assert module in trouble
    assert "pip install 'flatwater[" in trouble
