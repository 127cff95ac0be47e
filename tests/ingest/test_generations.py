"""ingest.generations: other vectors in the place of those that a corpus has."""

from __future__ import annotations

import contextlib
import os

import pytest
from truth import Counting, check, prose

import flatwater as fw
from flatwater import errors
from flatwater.ingest import generations
from flatwater.ingest.manifest import Manifest


@pytest.fixture
def made(tmp_path, folder):
    """A corpus of 8 documents."""
    for number in range(8):
        (folder / f"{number}.txt").write_text(prose(number, 18))
    corpus = fw.Corpus(tmp_path / "corpus", embedder=Counting())
    corpus.ingest(folder)
    return corpus


def texts_below(folder):
    return {path: path.read_text() for path in folder.glob("*.txt")}


class Failing(Counting):
    """Another embedder, that fails for texts with a word, or gives up at a call."""

    def __init__(self, word="", calls=0, error=ValueError):
        super().__init__("other", width=48)
        self.word, self.calls, self.error = word, calls, error

    def embed(self, texts):
        self.calls -= 1
        if self.calls == 0 or (self.word and any(self.word in text for text in texts)):
            raise self.error("it fails")
        return super().embed(texts)


def test_a_new_generation_replaces_the_files_of_the_old_one(made, folder):
    """After another embedder there is one folder, with the new width."""
    fw.Corpus(made.path, embedder=Counting("other", width=48)).ingest(folder)
    assert os.listdir(os.path.join(made.path, "vectors")) == ["2"]
    assert "vectors-48.i8" in os.listdir(os.path.join(made.path, "vectors", "2"))
    check(made.path, texts_below(folder), embedder=Counting("other", width=48))


def test_embedding_anew_goes_on_where_it_was_stopped(made, folder):
    """What an interrupted run embedded is not embedded again, and searches use the old vectors until all are there."""
    with pytest.raises(KeyboardInterrupt):
        fw.Corpus(made.path, embedder=Failing(calls=3, error=KeyboardInterrupt)).ingest(folder)
    assert made.check() == []
    assert made.search(prose(1)[:50])
    other = Counting("other", width=48)
    report = fw.Corpus(made.path, embedder=other).ingest(folder)
    assert report.reembedded == len(other.texts) == made.stats()["chunks"] - 2 * other.batch_texts
    check(made.path, texts_below(folder), embedder=other)


def test_one_may_go_back_to_the_old_embedder_halfway(made, folder):
    """Documents may change meanwhile, too; nothing of the half generation is left, or wrong when it is gone on with."""
    with pytest.raises(KeyboardInterrupt):
        fw.Corpus(made.path, embedder=Failing(calls=3, error=KeyboardInterrupt)).ingest(folder)
    (folder / "0.txt").unlink()
    (folder / "1.txt").write_text(prose("new"))
    made.ingest(folder)
    check(made.path, texts_below(folder))
    other = Counting("other", width=48)
    fw.Corpus(made.path, embedder=other).ingest(folder)
    check(made.path, texts_below(folder), embedder=other)
    assert os.listdir(os.path.join(made.path, "vectors")) == ["2"]


def test_a_text_that_the_new_embedder_cannot_embed_is_taken_out_and_tried_again(made, folder, tmp_path):
    """The corpus agrees without it, though its document is of another source; the next run embeds it."""
    other = Failing(word=prose(3, 18)[:60])
    (tmp_path / "b.txt").write_text("another source")
    report = fw.Corpus(made.path, embedder=other).ingest(tmp_path / "b.txt")
    assert [(problem.kind, problem.source) for problem in report.problems] == [("failed", str(folder / "3.txt"))]
    assert made.check() == []
    other.word = ""
    fw.Corpus(made.path, embedder=other).ingest(folder)
    check(
        made.path, {**texts_below(folder), tmp_path / "b.txt": "another source"}, embedder=Counting("other", width=48)
    )


def test_an_interrupted_switch_changes_nothing(made, folder, monkeypatch):
    """An error between the bits of the new vectors and the number of their generation leaves the old ones."""
    for number in range(6):
        (folder / f"{number}.txt").unlink()
    real = Manifest.set_meta

    def interrupted(self, **values):
        if "generation" in values:
            raise KeyboardInterrupt
        real(self, **values)

    monkeypatch.setattr(Manifest, "set_meta", interrupted)
    with pytest.raises(KeyboardInterrupt):
        made.ingest(folder)
    monkeypatch.undo()
    assert made.check() == []
    made.ingest(folder)
    check(made.path, texts_below(folder))
    assert made.stats()["vectors"] == made.stats()["chunks"]


def test_a_snapshot_whose_vectors_are_gone_says_so(made, folder):
    """A reader that began before the switch looks again."""
    with contextlib.closing(Manifest(made.path, read_only=True)) as table:
        table.run("BEGIN")
        assert table.meta("generation") == 1
        fw.Corpus(made.path, embedder=Counting("other")).ingest(folder)
        with pytest.raises(errors.CorruptError, match="is not there"):
            generations.reading(table, made.path)
