"""tour.steps.ingest_documents: a folder ingested twice and searched, inside a share."""

from __future__ import annotations

import sys

import pytest

from flatwater import errors
from flatwater.budget import Budget
from flatwater.ingest.corpus import Corpus
from flatwater.tour import Inputs, Root
from flatwater.tour.steps.ingest_documents import IngestDocuments

for needed in ("apsw", "numkong", "pypdfium2", "lxml"):
    pytest.importorskip(needed)
MIB = 1 << 20


def run(folder, *roots, seconds=60.0):
    step, inputs = IngestDocuments(), Inputs(roots, seconds, str(folder))
    step.prepare(inputs)
    assert step.trouble == ""
    with Budget(160 * MIB) as budget, budget.share(step.name, step.bytes_max(budget.free)) as share, share:
        result = step.run(share, inputs)
        assert share.peak <= step.bytes_least
    assert budget.held == 0
    return result


@pytest.fixture
def documents(tmp_path):
    """Texts, one of them twice, and a page."""
    root = tmp_path / "documents"
    (root / "below").mkdir(parents=True)
    (root / "a.md").write_text("# Title\n\nHow it is installed: \u00e4 \u00f6 \u00fc.  \n\nEnd\n")
    (root / "below" / "b.txt").write_text("The same source code.")
    (root / "c.txt").write_text("The same source code.")
    (root / "page.md").write_text("<html><p>Who holds the copyright</p></html>")
    (root / "d.html").write_text("<html><p>source code</p></html>")
    (root / "program.py").write_text("print('source code')")
    (root / "link.md").symlink_to("a.md")
    (tmp_path / "work").mkdir()
    return root


def test_all_is_ingested_and_found(tmp_path, documents):
    """Documents, not programs; the same text once; each place of a text is looked up, and that of markup is not."""
    result = run(tmp_path / "work", Root(str(documents)))
    assert (result.items, result.item_name, result.complete) == (5, "documents", True)
    assert (result.details["chunks"], result.details["different"]) == (5, 4)
    assert 0 < result.details["places"] < result.details["found"]


def test_what_is_named_is_ingested(tmp_path, documents):
    """A single file, whatever its name is."""
    result = run(tmp_path / "work", Root(str(documents / "program.py")))
    assert (result.items, result.details["chunks"]) == (1, 1)


def test_its_time_is_over(tmp_path, documents):
    """It stops between two groups, and says that there is more."""
    result = run(tmp_path / "work", Root(str(documents)), seconds=-1.0)
    assert (result.items, result.complete) == (0, False)


def test_a_place_that_is_wrong_is_told(tmp_path, documents, monkeypatch):
    """A result that says another place than that of its text is an error."""
    real = Corpus.search

    def shifted(self, *words, **options):
        from dataclasses import replace

        return [replace(each, start=each.start + 1) for each in real(self, *words, **options)]

    monkeypatch.setattr(Corpus, "search", shifted)
    with pytest.raises(errors.BrokenError, match="has something else at"):
        run(tmp_path / "work", Root(str(documents)))


def test_a_second_run_that_embeds_is_told(tmp_path, documents, monkeypatch):
    """A corpus that does not know its documents any more is an error."""
    from flatwater.ingest import choosing

    calls = []
    real = choosing.Manifest.find

    def forgetting(self, key):
        calls.append(key)
        return None if len(calls) > 6 else real(self, key)

    monkeypatch.setattr(choosing.Manifest, "find", forgetting)
    with pytest.raises(errors.BrokenError, match="had something to do"):
        run(tmp_path / "work", Root(str(documents)))


@pytest.mark.parametrize("module", ["pypdfium2", "lxml", "apsw", "numkong"])
def test_without_its_libraries_it_is_left_out(monkeypatch, module):
    """The trouble is the line that installs them."""
    monkeypatch.setitem(sys.modules, module, None)
    trouble = IngestDocuments().trouble
    assert module in trouble
    assert "pip install 'flatwater[" in trouble
