"""ingest.ingesting: the order of the steps, and the lineage that comes out of them."""

from __future__ import annotations

import pytest
from truth import Counting

import flatwater as fw
from flatwater.ingest.stages import cleaned

SENTENCES = "Grüße aus Köln.\r\nEin zweiter Satz \u2013 mit Strich.\r\n\r\nDritter Absatz: naïve Wörter, 5 €.\r\n"


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("utf-8", (SENTENCES * 40).encode()), ("utf-8", b"\xef\xbb\xbf" + (SENTENCES * 40).encode()),
        ("utf-16-le", b"\xff\xfe" + (SENTENCES * 40).encode("utf-16-le")), ("utf-16-be", b"\xfe\xff" + (SENTENCES * 40).encode("utf-16-be")),
        ("utf-16-le", b"\xff\xfe" + ("a😀 b " + SENTENCES * 40).encode("utf-16-le")),
        ("cp1252", (SENTENCES * 40).encode("cp1252")), ("utf-8", (SENTENCES * 40).replace("\r\n", "\r").encode()),
        ("utf-8", ("\n" * 3_000 + SENTENCES * 20 + "\x0c" * 900 + SENTENCES * 20).encode()), ("utf-8", (f"{'ü' * 200_000} end").encode()),
    ],
    ids=["utf-8", "bom", "utf-16-le", "utf-16-be", "surrogates", "cp1252", "cr", "holes", "one word"],
)  # fmt: skip
def test_a_place_is_the_bytes_of_the_file(tmp_path, folder, encoding, content):
    """The file from start to stop, decoded and cleaned, is the text of each result, and together they are all of it."""
    (folder / "a.txt").write_bytes(content)
    with fw.Corpus(tmp_path / "corpus", embedder=Counting()) as corpus:
        corpus.ingest(folder)
        places = set()
        for result in corpus.search("Satz", 1_000, by="vectors"):
            for start, stop in [(result.start, result.stop)] + [each[2:] for each in result.also]:
                assert cleaned(content[start:stop].decode(encoding)) == result.text
                places.add((start, stop))
    covered = bytearray(content)
    for start, stop in places:
        covered[start:stop] = bytes(stop - start)
    if len(places) < 20:  # of one text, a result tells the first places only
        assert cleaned(covered.replace(b"\0", b"").decode(encoding, "replace")).strip("\ufffd\ufeff") == ""


def test_bytes_that_are_no_utf_8_keep_their_places(tmp_path, folder):
    """Where UTF-8 is asked for, broken bytes are single characters that nobody sees, and what follows stays where it is."""
    content = b"".join(b"Good words %d \xff\xfe then more \xc3 and an end. " % at for at in range(300))
    (folder / "a.txt").write_bytes(content)
    with fw.Corpus(tmp_path / "corpus", embedder=Counting()) as corpus:
        corpus.ingest(folder, encoding="utf-8")
        found = corpus.search("words", 1_000)
        assert len(found) > 5
        for result in found:
            words = content[result.start : result.stop].decode("utf-8", "replace").replace("\ufffd", "").split()
            assert result.text.replace("\ufffd", "").split() == words


def test_pages_of_a_pdf_are_told(tmp_path, folder):
    """Each result has the page that its text is on."""
    from benchmarks.documents.making import make_pdf

    make_pdf(folder / "a.pdf", 3)
    with fw.Corpus(tmp_path / "corpus", embedder=Counting()) as corpus:
        corpus.ingest(folder)
        found = corpus.search("any", 1_000, by="vectors")
    assert {result.page for result in found} == {1, 2, 3}
    assert all(0 <= result.start < result.stop for result in found)


def test_the_corpus_may_stand_in_its_source(tmp_path, folder):
    """Its own files are no documents, however the source is spelled; the next run has nothing to do."""
    (folder / "a.txt").write_text("text")
    for number, source in enumerate([folder, f"{folder}/**/*", f"{folder}/.", [folder, folder]]):
        with fw.Corpus(folder / f"corpus{number}", embedder=Counting()) as corpus:
            corpus.ingest(source)
            first = corpus.ingest(source)
            assert not any(f"corpus{number}" in problem.source for problem in first.problems)
        import shutil

        shutil.rmtree(folder / f"corpus{number}")


def test_two_sources_that_overlap_are_one_corpus(tmp_path, folder):
    """A document that both have is there once, and stays as long as one of them has it."""
    for name in ("a.md", "b.md", "c.txt"):
        (folder / name).write_text(f"text of {name}")
    with fw.Corpus(tmp_path / "corpus", embedder=Counting()) as corpus:
        assert corpus.ingest([folder, f"{folder}/*.md", folder / "a.md"]).new == 3
        assert corpus.ingest(f"{folder}/*.md").removed == 0
        (folder / "b.md").unlink()
        assert corpus.ingest(f"{folder}/*.md").removed == 1
        assert corpus.stats()["documents"] == 2
