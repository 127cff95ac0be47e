"""ingest.searching: words and vectors in one snapshot."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile

import pytest
from truth import Counting, prose

import flatwater as fw
from flatwater import errors, limits
from flatwater.ingest.searching import words_of

QUERIES = [
    "AND", "OR NOT", "NEAR(a b)", "text:word", '"', '""', '"word', 'word"', "*", "^word", "word*", "{a b}:c", "'", "; DROP TABLE",
    "a\0b", '"wo\0rd"', '"\0"', "\ud800", '"\ud800"', "😀", "שלום", "\u202eabc", "-", "(", ")", "+", "%", "_", "\\", "-- /*",
    "x" * 1_000_000, "word " * 200_000, '"' + "y " * 500_000 + '"', "ﷺ" * 5_000,
]  # fmt: skip


class Plain(Counting):
    """It takes half characters, too."""

    def embed_query(self, text):
        return super().embed_query(text.encode("utf-8", "replace").decode())


@pytest.fixture
def corpus(tmp_path, folder):
    """Of 6 documents."""
    for number in range(6):
        (folder / f"{number}.txt").write_text(prose(number))
    (folder / "word.txt").write_text("a word, 😀 שלום AND NEAR")
    with fw.Corpus(tmp_path / "corpus", embedder=Plain()) as corpus:
        corpus.ingest(folder)
        yield corpus


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: repr(query[:12]))
def test_any_query_is_answered(corpus, query):
    """No query is a syntax error: it has results, by its vector at least, and none of its letters is a command."""
    assert corpus.search(query)
    assert isinstance(corpus.search(query, by="words"), list)


def test_words_are_found_whatever_stands_between_them(corpus):
    """Emoji and commands of the index's language do not hide the words beside them; phrases are found as such."""
    for query in ("NEAR(word)", "שלום", "😀 word", '"a \0 word"', '"a word"', "AND"):
        assert corpus.search(query, 1, by="words")[0].text.startswith("a word"), query
    assert corpus.search('"word a"', by="words") == []


def test_words_of_a_query_are_bounded():
    """So many of them, from so many first characters."""
    assert len(words_of(" ".join(f"w{at}" for at in range(5_000)))) == limits.INGEST_QUERY_WORDS_MAX
    assert sum(map(len, words_of("x" * 10**6))) <= limits.INGEST_QUERY_CHARS_MAX


def test_an_embedder_that_was_replaced_since_is_told(corpus, folder, monkeypatch):
    """A vector of the old one is not compared with those of the new one, even of the same width."""
    from flatwater.ingest import searching

    real = searching.vector_of

    def late(*arguments):
        found = real(*arguments)
        fw.Corpus(corpus.path, embedder=Counting("other")).ingest(folder)
        return found

    monkeypatch.setattr(searching, "vector_of", late)
    with pytest.raises(errors.UsageError, match="made with the embedder 'other', not 'counting'"):
        corpus.search("word")


def test_ranks_of_both_lists_are_summed(corpus):
    """The best of both has twice 1 / 61, and results come by their scores."""
    text = corpus.search("word", 1, by="words")[0].text
    found = corpus.search(text)
    assert found[0].score == pytest.approx(2 / 61)
    assert [result.score for result in found] == sorted((result.score for result in found), reverse=True)


def test_a_directory_that_cannot_be_written_is_searched(corpus):
    """Another user, without the right to write, finds the same; no file is made."""
    if os.geteuid():
        pytest.skip("NOT ROOT: another user's rights were not tried")
    code = (
        "import os, sys\nfrom flatwater import Corpus\ncorpus = Corpus(sys.argv[1])\n"
        "def look(): return corpus.search('word', by='words')[0].text[:6], corpus.check()\n"
        "first = look()\nos.setuid(65534)\nassert not os.access(corpus.path, os.W_OK)\nassert look() == first\nprint(first)\n"
    )
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        copy = shutil.copytree(corpus.path, os.path.join(place, "corpus"))
        before = sorted(os.listdir(copy))
        done = subprocess.run(
            [sys.executable, "-c", code, copy], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.stdout == "('a word', [])\n", done.stderr
        assert sorted(os.listdir(copy)) == before


def test_filters_leave_what_fits_best(corpus):
    """Among the documents that are meant, the order is that without the others."""
    chance = random.Random(1)
    query = prose(chance.randrange(6))[:60]
    alone = [result for result in corpus.search(query, 100, by="vectors") if result.source.endswith(("1.txt", "2.txt"))]
    meant = corpus.search(query, 100, by="vectors", where={"source": ["*1.txt", "*2.txt"]})
    assert [(each.source, each.start) for each in meant] == [(each.source, each.start) for each in alone]
