"""ingest.filters: conditions on the documents that a search may find."""

from __future__ import annotations

import pytest
from truth import Counting

import flatwater as fw
from flatwater import errors, limits

NAMES = [
    "a",
    "a.b",
    'a"b',
    "a'b",
    "a\\b",
    "$",
    "[0]",
    "ä",
    "z\0",
    "\ud800",
    " ",
    "#",
    "😀",
    '"',
    "$.a",
    "a[0]",
    "); --",
]
VALUES = ["text", "", "\0", "\ud800", "'; DROP TABLE", 0, 1, -7, 2**53, 2**70, 1.5, True, False, None]


@pytest.fixture
def corpus(tmp_path):
    """Without documents."""
    with fw.Corpus(tmp_path / "corpus", embedder=Counting()) as corpus:
        yield corpus


def found(corpus, where, by="both"):
    return {result.source for result in corpus.search("word", 100, where=where, by=by)}


def test_names_may_be_anything(corpus):
    """Whatever characters a name of metadata has, it finds its document and no other."""
    for at, name in enumerate(NAMES):
        corpus.ingest([(at, f"word {at}")], name=f"s{at}", metadata={name: "here"})
    for at, name in enumerate(NAMES):
        for by in ("words", "vectors"):
            assert found(corpus, {name: "here"}, by) == {f"s{at}/{at}"}, name


def test_values_are_compared_with_their_kind(corpus):
    """1 is not "1" nor True; null is found as None; integers of any size are; a list stands for any of its values."""
    rows = [{"id": at, "text": f"word {at}", "m": value} for at, value in enumerate(VALUES)]
    corpus.ingest(rows, name="r", metadata=["m"])
    for at, value in enumerate(VALUES):
        assert found(corpus, {"m": value}) == {f"r/{at}"}, value
    assert found(corpus, {"m": [0, "text"]}) == {"r/0", "r/5"}
    assert found(corpus, {"m": "1"}) == found(corpus, {"n": None}) == found(corpus, {"m": 10**400}) == set()
    assert found(corpus, {"m": "text", "source": "r/*"}) == {"r/0"}
    assert found(corpus, {"m": "text", "source": "s/*"}) == set()


def test_sources_are_patterns(tmp_path, folder, corpus):
    """As the shell has them, with the name as it was listed; a pattern that is none finds nothing."""
    for name in ("a.md", "b.md", "c.txt", "[x].md", "new\nline.txt"):
        (folder / name).write_text(f"word of {name}")
    corpus.ingest(folder)
    place = str(folder)
    assert found(corpus, {"source": "*.md"}) == {f"{place}/a.md", f"{place}/b.md", f"{place}/[x].md"}
    assert found(corpus, {"source": "*/[!ab].txt"}) == {f"{place}/c.txt"}
    assert found(corpus, {"source": "*new\nline*"}) == {f"{place}/new\nline.txt"}
    for pattern in ("[", "[^", "\0", "\ud800", "*" * 40 + "z"):
        assert found(corpus, {"source": pattern}) == set()


@pytest.mark.parametrize(
    "where",
    [
        7, {"": "x"}, {1: "x"}, {"a": []}, {"a": [[]]}, {"a": {"b": 1}}, {"a": b"x"}, {"source": 7}, {"source": "*" * 5_000},
        {"a": list(range(limits.INGEST_CONDITIONS_MAX + 1))}, {str(at): at for at in range(limits.INGEST_CONDITIONS_MAX + 1)},
    ],
)  # fmt: skip
def test_conditions_that_make_no_sense_are_refused(corpus, where):
    """As a wrong use, before anything is searched."""
    corpus.ingest([(1, "word")], name="r")
    with pytest.raises(errors.UsageError, match="where"):
        corpus.search("word", where=where)


def test_as_many_values_as_are_promised_are_taken(corpus):
    """SQLite takes that many."""
    corpus.ingest([(1, "word")], name="r", metadata={"m": 3})
    assert found(corpus, {"m": list(range(limits.INGEST_CONDITIONS_MAX))}) == {"r/1"}
    assert found(corpus, {"source": [f"r/{at}" for at in range(limits.INGEST_CONDITIONS_MAX)]}) == {"r/1"}
