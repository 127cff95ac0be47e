import re

import pytest

from flatwater import errors
from flatwater.ingest.plugged import splitter_of
from flatwater.ingest.splitting import Splitter

pytest.importorskip("numpy")
TEXT = "# A heading\n\n" + "".join(f"Sentence {n} of the text é. And another.\n\n" for n in range(400))


def chunks(splitter, text=TEXT, width=len):
    return list(splitter.split([(0, text)], width))


def langchain(size=200):
    made = pytest.importorskip("langchain_text_splitters")
    return made.RecursiveCharacterTextSplitter(chunk_size=size, chunk_overlap=20)


def chonkie(size=200):
    made = pytest.importorskip("chonkie")
    return made.RecursiveChunker(tokenizer="character", chunk_size=size)


def semantic(size=200):
    return pytest.importorskip("semantic_text_splitter").TextSplitter(size)


def by_lines(_size=0):
    return lambda text: text.split("\n")


@pytest.mark.parametrize("library", [langchain, chonkie, semantic, by_lines])
def test_a_plugged_splitter_says_where_its_chunks_stand(library, monkeypatch):
    """Each chunk is the text of its range, over many segments as in one, and no word is lost."""
    monkeypatch.setattr("flatwater.limits.INGEST_SEGMENT_CHARACTERS", 2_000)
    splitter = splitter_of(library())
    raw = TEXT.encode()
    made = chunks(splitter, TEXT, lambda text: len(text.encode()))
    assert all(raw[start:stop].decode() == piece for start, stop, piece in made)
    assert [start for start, *_rest in made] == sorted(start for start, *_rest in made)
    assert set(re.findall(r"Sentence \d+ of", TEXT)) <= set(
        re.findall(r"Sentence \d+ of", " ".join(p for *_r, p in made))
    )


@pytest.mark.parametrize("library", [langchain, chonkie, semantic])
def test_a_changed_parameter_is_another_version(library):
    """A splitter of another size has another version, one of the same size the same."""
    assert splitter_of(library()).version == splitter_of(library()).version != splitter_of(library(150)).version


def test_pieces_that_were_changed_have_a_range_around_them():
    """What a splitter normalises is given as it stands in the text, between the pieces that were found."""
    made = chunks(splitter_of(lambda text: [each.upper() for each in re.split(r"(?<=\.)", text)]), "one. two. three.")
    assert made == [(0, 16, "one. two. three.")]


def test_our_own_stays_and_none_is_ours():
    """A Splitter is taken as it is, and nothing told is one of 1,000 characters."""
    splitter = Splitter(50)
    assert splitter_of(splitter) is splitter
    assert splitter_of().version == Splitter().version


@pytest.mark.parametrize("value", [5, "text", str])
def test_what_is_no_splitter_is_refused(value):
    """Something that cannot split is refused with what can be passed."""
    with pytest.raises(errors.UsageError, match="splitter"):
        splitter_of(value)


def test_a_splitter_that_fails_is_named(tmp_path):
    """The error says at which document, and what came before it is kept; without that document the rest comes."""
    from flatwater.ingest.corpus import Corpus

    def broken(text):
        if "bad" in text:
            raise ValueError("no idea")
        return [text]

    folder = tmp_path / "documents"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.txt").write_text(f"{'bad' if name == 'b' else 'fine'} {name}")
    with Corpus(tmp_path / "corpus", splitter=broken) as corpus:
        with pytest.raises(errors.BrokenError, match=r"b\.txt: ValueError: no idea"):
            corpus.ingest(folder)
        (folder / "b.txt").write_text("fine b")
        assert corpus.ingest(folder).problems == []
        assert corpus.stats()["documents"] == 3
