"""ingest.corpus: documents kept searchable, in step with their sources."""

from __future__ import annotations

import asyncio
import os
import shutil
import time

import pytest
from truth import Counting, check, chunks_of, prose

import flatwater as fw
from flatwater import errors, limits
from flatwater.ingest.embedders import EmbedderFailed
from flatwater.ingest.splitting import Splitter


def write(folder, documents):
    for name, text in documents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


@pytest.fixture
def made(tmp_path, folder):
    """A corpus of 12 documents, and its embedder."""
    write(folder, {f"{number}.txt": prose(number) for number in range(12)})
    embedder = Counting()
    corpus = fw.Corpus(tmp_path / "corpus", embedder=embedder)
    report = corpus.ingest(folder)
    assert (report.documents, report.new, report.is_fine) == (12, 12, True)
    return corpus, embedder


def texts_below(folder):
    return {path: path.read_text("utf-8") for path in folder.rglob("*.txt")}


def test_documents_are_split_embedded_and_found(made, folder):
    """Each chunk is embedded once, its place is the bytes of the file, and its own text finds it."""
    corpus, embedder = made
    check(corpus.path, texts_below(folder))
    assert len(embedder.texts) == len(set(embedder.texts)) == corpus.stats()["chunks"]
    wanted = embedder.texts[7]
    found = corpus.search(wanted)[0]
    assert found.text == wanted
    assert cleaned_at(found) == wanted


def cleaned_at(result):
    from flatwater.ingest.stages import cleaned

    with open(result.source, "rb") as file:
        return cleaned(file.read()[result.start : result.stop].decode())


def test_what_is_unchanged_costs_a_look(made, folder):
    """A second run reads, splits and embeds nothing."""
    corpus, embedder = made
    embedder.texts.clear()
    report = corpus.ingest(folder)
    assert (report.documents, report.unchanged, report.chunks, report.text_bytes) == (12, 12, 0, 0)
    assert embedder.texts == []


def test_a_touched_document_is_compared_by_its_bytes(made, folder):
    """Another time of the file costs reading its bytes once, and no splitting."""
    corpus, _embedder = made
    os.utime(folder / "3.txt", (1, 1))
    assert corpus.ingest(folder).unchanged == 12
    check(corpus.path, texts_below(folder))


def test_only_new_chunks_of_a_changed_document_are_embedded(made, folder):
    """A sentence changed at the front costs three embeddings at most."""
    corpus, embedder = made
    long = prose("long", 60)
    (folder / "long.txt").write_text(long)
    corpus.ingest(folder)
    embedder.texts.clear()
    (folder / "long.txt").write_text("Quite another sentence stands here. " + long)
    report = corpus.ingest(folder)
    assert (report.changed, report.unchanged) == (1, 12)
    assert 1 <= len(embedder.texts) <= 3
    check(corpus.path, texts_below(folder))


def test_what_vanished_is_removed(made, folder):
    """Documents that are gone, and chunks that nobody has any more, are gone from the corpus."""
    corpus, embedder = made
    gone = embedder.texts[0]
    (folder / "0.txt").unlink()
    (folder / "1.txt").unlink()
    assert corpus.ingest(folder).removed == 2
    check(corpus.path, texts_below(folder))
    assert all(result.text != gone for result in corpus.search(gone, 50))


def test_a_text_in_two_documents_is_embedded_once(made, folder):
    """Copies and renamed files cost no embedding, and a result tells both places."""
    corpus, embedder = made
    embedder.texts.clear()
    shutil.copy(folder / "2.txt", folder / "copy.txt")
    os.rename(folder / "5.txt", folder / "renamed.txt")
    report = corpus.ingest(folder)
    assert (report.new, report.removed, report.embedded) == (2, 1, 0)
    check(corpus.path, texts_below(folder))
    text = texts_below(folder)[folder / "2.txt"]
    found = corpus.search(chunks_of(text)[0][2])[0]
    assert sorted([found.source, *(place[0] for place in found.also)]) == [
        str(folder / "2.txt"),
        str(folder / "copy.txt"),
    ]


def test_another_splitter_embeds_only_what_is_new(made, folder):
    """All documents are split anew; a text that both splitters make is not embedded again."""
    corpus, embedder = made
    (folder / "short.txt").write_text("One chunk whatever the size.")
    corpus.ingest(folder)
    embedder.texts.clear()
    other = fw.Corpus(corpus.path, embedder=embedder, size=400)
    report = other.ingest(folder)
    assert report.changed == 13
    assert "One chunk whatever the size." not in embedder.texts
    check(corpus.path, texts_below(folder), Splitter(400))


def test_another_embedder_embeds_texts_and_reads_nothing(made, folder):
    """The texts in the corpus are embedded anew; no document is read."""
    corpus, _embedder = made
    other = Counting("other", width=48)
    again = fw.Corpus(corpus.path, embedder=other)
    report = again.ingest(folder)
    assert (report.unchanged, report.embedded) == (12, 0)
    assert report.reembedded == len(other.texts) == corpus.stats()["chunks"]
    check(corpus.path, texts_below(folder), embedder=other)
    assert again.search(other.texts[3])[0].text == other.texts[3]


def test_a_search_with_another_embedder_is_refused_by_name(made):
    """Vectors of two embedders cannot be compared: both are named."""
    corpus, _embedder = made
    with pytest.raises(errors.UsageError, match=r"'counting', not 'other'.*ingest"):
        fw.Corpus(corpus.path, embedder=Counting("other")).search("word")


def test_a_dry_run_writes_nothing(made, folder, tmp_path):
    """It tells what is new, changed and gone, and no byte and no time of a file changes."""
    corpus, embedder = made
    (folder / "0.txt").unlink()
    (folder / "1.txt").write_text("changed")
    (folder / "new.txt").write_text("new")
    before = {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in (tmp_path / "corpus").rglob("*")
        if path.is_file()
    }
    embedder.texts.clear()
    report = corpus.ingest(folder, dry_run=True)
    assert (report.new, report.changed, report.removed, report.unchanged) == (1, 1, 1, 10)
    after = {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in (tmp_path / "corpus").rglob("*")
        if path.is_file()
    }
    assert before == after
    assert embedder.texts == []


def test_a_dry_run_makes_no_corpus(tmp_path, folder):
    """Where there is none, all is new, and nothing is made."""
    write(folder, {"a.txt": "text"})
    report = fw.Corpus(tmp_path / "corpus").ingest(folder, dry_run=True)
    assert report.new == 1
    assert not (tmp_path / "corpus").exists()


def test_dead_vectors_are_left_out_in_time(made, folder):
    """Where more than a quarter of the vectors is dead, they are written anew without them."""
    corpus, _embedder = made
    before = corpus.stats()
    for number in range(8):
        (folder / f"{number}.txt").unlink()
    corpus.ingest(folder)
    after = corpus.stats()
    assert after["vectors"] == after["alive"] == after["chunks"] < before["chunks"]
    check(corpus.path, texts_below(folder))


def test_a_missing_source_removes_nothing(made, folder):
    """A directory that is not there, as one that is not mounted, is an error."""
    corpus, _embedder = made
    os.rename(folder, folder.with_name("away"))
    with pytest.raises(errors.BrokenError, match="there is no file"):
        corpus.ingest(folder)
    assert corpus.stats()["documents"] == 12


def test_one_of_several_sources_that_is_missing_removes_nothing(made, folder, tmp_path):
    """The others are ingested, and the missing one is told by name."""
    corpus, _embedder = made
    os.rename(folder, folder.with_name("away"))
    (tmp_path / "b.txt").write_text("another")
    report = corpus.ingest([folder, tmp_path / "b.txt"])
    assert (report.new, report.removed, report.failed) == (1, 0, 1)
    assert report.problems[0].kind == "listing"
    assert corpus.stats()["documents"] == 13


def test_rows_are_documents(tmp_path):
    """Rows of an iterable are known by their ids: only changed ones are embedded, those that are gone are removed."""
    embedder = Counting()
    corpus = fw.Corpus(tmp_path / "corpus", embedder=embedder)
    rows = [{"id": number, "text": prose(number, 1), "language": "en" if number % 2 else "de"} for number in range(6)]
    assert corpus.ingest(rows, name="articles", metadata=["language"]).new == 6
    rows[0]["text"] += " And more."
    rows[1]["language"] = "fr"
    report = corpus.ingest(rows[:5], name="articles", metadata=["language"])
    assert (report.changed, report.unchanged, report.removed, report.embedded) == (2, 3, 1, 1)
    found = corpus.search(rows[2]["text"][:80], where={"language": "de"})
    assert {result.metadata["language"] for result in found} == {"de"}
    assert found[0].source == "articles/2"


def test_a_table_is_a_source(tmp_path):
    """Rows of a fw.Table, by its id and text columns."""
    import sqlite3

    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("CREATE TABLE articles (id INTEGER PRIMARY KEY, body TEXT, tag TEXT)")
        database.executemany("INSERT INTO articles VALUES (?, ?, ?)", [(n, prose(n, 1), f"t{n % 2}") for n in range(9)])
    corpus = fw.Corpus(tmp_path / "corpus", embedder=Counting())
    with fw.Table(str(tmp_path / "a.db"), "articles") as table:
        report = corpus.ingest(table, text="body", metadata=["tag"])
        assert (report.new, corpus.ingest(table, text="body", metadata=["tag"]).unchanged) == (9, 9)
    assert corpus.search(prose(4, 1)[:60], 1, where={"tag": "t0"})[0].source.endswith("/4")


def test_a_source_is_removed_when_that_is_asked_for(made, folder):
    """One document, or all below a directory."""
    corpus, _embedder = made
    assert corpus.remove(folder / "3.txt") == 1
    assert corpus.remove(folder) == 11
    assert corpus.stats()["chunks"] == 0
    assert corpus.search("anything") == []


def test_two_cannot_write_at_once(made, folder):
    """Who comes second is told so; searching goes on."""
    from flatwater.ingest import folder as directory

    corpus, embedder = made
    with directory.writing(corpus.path):
        with pytest.raises(errors.BrokenError, match="somebody else writes"):
            corpus.ingest(folder)
        assert corpus.search(embedder.texts[0][:100])


def test_a_small_budget_is_refused_before_anything(tmp_path, folder):
    """The error says what is asked and held, and nothing is made."""
    write(folder, {"a.txt": "text"})
    with fw.Budget("4 MiB"), pytest.raises(errors.BudgetExceeded, match="ingest"):
        fw.Corpus(tmp_path / "corpus").ingest(folder)


def test_coroutines_ingest_and_search(tmp_path, folder):
    """The event loop goes on meanwhile."""
    write(folder, {"a.txt": "a budget of bytes"})

    async def both():
        corpus = fw.Corpus(tmp_path / "corpus")
        report = await corpus.aingest(folder)
        return report, await corpus.asearch("budget")

    report, found = asyncio.run(both())
    assert (report.new, len(found)) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((" ",), "query is empty"), ((3,), "query is empty"), (("a", 0), "k=0"), (("a", 10**6), "k=")],
)
def test_a_search_that_makes_no_sense_is_refused(made, arguments, message):
    """Errors say what is wrong."""
    corpus, _embedder = made
    with pytest.raises(errors.UsageError, match=message):
        corpus.search(*arguments)


def test_a_corpus_that_is_not_there_is_said_to_be_missing(tmp_path):
    """Searching makes nothing, and tells what to do."""
    with pytest.raises(errors.UsageError, match=r"there is no corpus.*flatwater ingest"):
        fw.Corpus(tmp_path / "none").search("word")
    assert not (tmp_path / "none").exists()


def test_something_else_is_no_corpus(tmp_path):
    """A file, and a directory with other files in it, are refused."""
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(errors.UsageError, match="has other files"):
        fw.Corpus(tmp_path)
    with pytest.raises(errors.UsageError, match="is a file"):
        fw.Corpus(tmp_path / "a.txt")


def test_a_newer_version_is_told_by_name(made):
    """A corpus of a later flatwater is not touched."""
    corpus, _embedder = made
    path = os.path.join(corpus.path, "corpus.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"format": 99, "corpus": "flatwater"}')
    with pytest.raises(errors.BrokenError, match=r"format 99.*[Uu]pgrade"):
        corpus.search("word")


def test_without_an_index_of_words_vectors_alone_are_searched(tmp_path, folder):
    """full_text=False is for all of the corpus's life."""
    write(folder, {"a.txt": prose(1), "b.txt": prose(2)})
    embedder = Counting()
    corpus = fw.Corpus(tmp_path / "corpus", embedder=embedder, full_text=False)
    corpus.ingest(folder)
    assert corpus.search(embedder.texts[1], 1)[0].text == embedder.texts[1]
    assert corpus.search("word", by="words") == []
    with pytest.raises(errors.UsageError, match="no index of words"):
        fw.Corpus(corpus.path, embedder=embedder, full_text=True).ingest(folder)


def test_the_size_of_chunks_is_that_of_the_corpus(tmp_path, folder):
    """Whoever does not say a size has the one that the corpus was made with; another one does all documents anew."""
    write(folder, {"a.txt": prose(1), "b.txt": prose(2)})
    embedder = Counting()
    path = tmp_path / "corpus"
    assert fw.Corpus(path, embedder=embedder, size=300, overlap=40).ingest(folder).new == 2
    assert fw.Corpus(path, embedder=embedder).ingest(folder).unchanged == 2
    assert fw.Corpus(path, embedder=embedder, size=300).ingest(folder, dry_run=True).unchanged == 2
    assert fw.Corpus(path, embedder=embedder, size=400).ingest(folder, dry_run=True).changed == 2
    assert fw.Corpus(path, embedder=embedder, size=300, overlap=0).ingest(folder).changed == 2
    check(path, texts_below(folder), Splitter(300))
    with pytest.raises(errors.UsageError, match="overlap"):
        fw.Corpus(path, size=100, overlap=90)


def test_an_embedder_that_was_passed_in_stays_open(tmp_path):
    """Two corpora may share one, and closing one of them ends what it made itself."""
    shared = Counting()
    document = tmp_path / "one.txt"
    document.write_text("One text.")
    for name in ("a", "b"):
        with fw.Corpus(tmp_path / name, embedder=shared) as corpus:
            corpus.ingest(document)
            assert corpus.search("text")
    assert not shared.closed


class Leaving(Counting):
    """One that is away for good behind some texts."""

    def __init__(self, most, workers=1):
        super().__init__(workers=workers)
        self.most = most

    def embed(self, texts):
        if len(self.texts) >= self.most:
            raise EmbedderFailed("the quota is used up.")
        return super().embed(texts)


@pytest.mark.parametrize("workers", [1, 3])
def test_what_was_embedded_is_kept_when_the_embedder_leaves(tmp_path, folder, workers):
    """In the middle of a load, too: no text is embedded twice, and the documents of the time before stay as they were."""
    write(folder, {f"{number:02}.txt": prose(number) for number in range(4)})
    corpus = fw.Corpus(tmp_path / "corpus", embedder=Counting())
    corpus.ingest(folder)
    write(folder, {f"{number:02}.txt": prose(number + 100, 60) for number in range(12)})
    leaving = Leaving(30, workers)
    with pytest.raises(EmbedderFailed, match="quota"):
        fw.Corpus(corpus.path, embedder=leaving).ingest(folder)
    assert {result.source for result in corpus.search(prose(2)[:300])} <= {str(path) for path in folder.iterdir()}
    assert corpus.stats()["documents"] >= 4
    rest = Counting()
    assert fw.Corpus(corpus.path, embedder=rest).ingest(folder).is_fine
    check(corpus.path, texts_below(folder))
    if workers == 1:
        assert not set(rest.texts) & set(leaving.texts)
        assert len(leaving.texts) >= 30


def test_a_slow_embedder_is_committed_often(tmp_path, folder, monkeypatch):
    """What a kill would cost is the calls of a commit's time, however many texts a load could have."""
    monkeypatch.setattr(limits, "INGEST_COMMIT_S", 0.2)
    monkeypatch.setattr(limits, "INGEST_LOAD_S", 0.1)
    behind = []

    class Slow(Counting):
        def embed(self, texts):
            behind.append(len(self.texts) - (corpus.stats()["chunks"] if self.texts else 0))
            time.sleep(0.05)
            return super().embed(texts)

    write(folder, {f"{number}.txt": prose(number, 60) for number in range(60)})
    corpus = fw.Corpus(tmp_path / "corpus", embedder=Slow())
    corpus.ingest(folder)
    assert len(behind) > 20
    assert max(behind) <= 12 * 16


def test_a_rehearsal_tells_of_another_embedder(made, folder):
    """Which is the dearest change of all."""
    corpus, embedder = made
    report = fw.Corpus(corpus.path, embedder=Counting("another")).ingest(folder, dry_run=True)
    assert (report.unchanged, report.reembedded) == (12, len(embedder.texts))
    assert f"{len(embedder.texts)} texts would be embedded anew" in str(report)


def test_rows_that_became_none_are_removed(tmp_path):
    """A list without rows is one, if it has a name."""
    corpus = fw.Corpus(tmp_path / "corpus", embedder=Counting())
    assert corpus.ingest([(1, "one"), (2, "two")], name="rows").new == 2
    assert corpus.ingest([], name="rows").removed == 2
    with pytest.raises(errors.UsageError, match="there is no source"):
        corpus.ingest([])
