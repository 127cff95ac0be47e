"""ingest.writing: loads into a corpus, whole steps at a time."""

from __future__ import annotations

import pytest
from truth import Counting, check, prose

import flatwater as fw
from flatwater import limits
from flatwater.ingest.manifest import Manifest


@pytest.mark.parametrize(
    "step", ["add_chunks", "add_places", "end_document", "clear_step", "remove_chunks", "set_meta"]
)
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("behind", [False, True])
def test_an_error_in_any_step_leaves_whole_steps(tmp_path, folder, monkeypatch, step, error, behind):
    """Raised before or behind any change of the manifest, the corpus agrees, and the next run makes it good."""
    monkeypatch.setattr(limits, "INGEST_LOAD_TEXT_BYTES", 3_000)
    corpus = fw.Corpus(tmp_path / "corpus", embedder=Counting())
    for number in range(10):
        (folder / f"{number}.txt").write_text(prose(number, 3))
    corpus.ingest(folder)
    for number in range(5):
        (folder / f"{number}.txt").write_text(prose(f"other {number}", 3))
    real, left = getattr(Manifest, step), [2]

    def failing(self, *args, **options):
        left[0] -= 1
        if left[0] == 0 and not behind:
            raise error
        found = real(self, *args, **options)
        if left[0] == 0:
            raise error
        return found

    monkeypatch.setattr(Manifest, step, failing)
    with pytest.raises(error):
        corpus.ingest(folder)
    monkeypatch.undo()
    assert all("live without a chunk of a whole document" in said for said in corpus.check())  # cleared by the next run
    corpus.ingest(folder)
    check(corpus.path, {path: path.read_text() for path in folder.glob("*.txt")})
