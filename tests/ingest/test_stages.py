"""ingest.stages: splitting, cleaning, gathering."""

from __future__ import annotations

import functools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater import errors, limits
from flatwater.ingest import manifest
from flatwater.ingest.document import Cut, Document, Part
from flatwater.ingest.splitting import Splitter
from flatwater.ingest.stages import Cleaning, Gathering, Splitting, cleaned


def document(key=b"k"):
    return Document(key, "name", source=1, stages=1, metadata="{}", stamp=b"", digest=b"")


def numbers(texts):
    """Pages, starts and stops of as many chunks."""
    return [0] * len(texts), [0] * len(texts), [1] * len(texts)


def upper(text):
    return text.upper()


def test_a_chunk_never_reaches_over_a_page_or_a_document():
    """Each page, and each document without pages, is split as one text; the last cut of each says so."""
    one, two = document(b"1"), document(b"2")
    parts = [
        Part(one, 1, 0, "first page, "), Part(one, 1, 12, "still"), Part(one, 2, 0, "second"), Part(one, 0, 0, None),
        Part(two, 0, 0, None),
    ]  # fmt: skip
    cuts = list(Splitting(Splitter(100))(iter(parts)))
    assert [(cut.pages, cut.starts, cut.stops, cut.texts) for cut in cuts] == [
        ([1], [0], [17], ["first page, still"]), ([2], [0], [6], ["second"]), ([], [], [], []),
    ]  # fmt: skip
    assert [(cut.document.key, cut.is_last) for cut in cuts] == [(b"1", False), (b"1", True), (b"2", True)]


def test_a_long_document_is_handed_on_in_cuts():
    """No more than a bounded text of it is held; only the last cut ends it."""
    text = "Some words of it. " * 60_000
    cuts = list(Splitting(Splitter(1_000))(iter([Part((one := document()), 0, 0, text), Part(one, 0, 0, None)])))
    assert len(cuts) > 5
    assert [cut.is_last for cut in cuts] == [False] * (len(cuts) - 1) + [True]
    assert max(cut.heap_bytes for cut in cuts) <= limits.INGEST_CUT_BYTES + 4_000


def test_short_and_long_documents_come_in_their_order(monkeypatch):
    """Short texts wait for one another; none comes behind one that came later, and each has its own chunks."""
    monkeypatch.setattr(limits, "INGEST_PIECE_BYTES", 500)
    monkeypatch.setattr(limits, "INGEST_TOGETHER_CHARACTERS", 700)
    splitter = Splitter(60)
    texts = ["One. Two words. " * count for count in (3, 0, 10, 90, 20, 5, 30, 31, 400, 1)]
    documents = [document(str(number).encode()) for number in range(len(texts))]
    parts = []
    for one, text in zip(documents, texts, strict=True):
        parts += [Part(one, 0, at, text[at : at + 500]) for at in range(0, len(text), 500)]
        parts.append(Part(one, 0, 0, None))
    cuts = list(Splitting(splitter)(iter(parts)))
    assert [cut.document for cut in cuts if cut.is_last] == documents
    assert [cut.document.key for cut in cuts] == sorted(cut.document.key for cut in cuts)
    for one, text in zip(documents, texts, strict=True):
        found = [
            row for cut in cuts if cut.document is one for row in zip(cut.starts, cut.stops, cut.texts, strict=True)
        ]
        assert found == list(splitter.split([(0, text)]))


@given(st.text())
def test_what_is_cleaned_is_clean(text):
    """Nobody finds a control or half a character in it, nor more than one empty line."""
    found = cleaned(text)
    found.encode()
    assert not {unicodedata.category(letter) for letter in found if letter not in "\t\n"} & {"Cc", "Cs"}
    assert "\n\n\n" not in found


def test_a_function_of_the_user_cleans_and_is_part_of_the_version():
    """What it leaves empty is no chunk; what it is called changes the version; what it returns must be text."""
    cut = Cut(document(), [0, 0], [0, 4], [4, 8], ["    ", "text"], [], is_last=True, heap_bytes=1_000)
    found = Cleaning(upper)(cut)
    assert (found.starts, found.stops, found.texts, len(found.digests)) == ([4], [8], ["TEXT"], 1)
    newer = functools.partial(upper)
    newer.version = "2"
    assert len({Cleaning().version, Cleaning(upper).version, Cleaning(newer).version}) == 3
    with pytest.raises(errors.UsageError, match="lambda"):
        Cleaning(lambda text: text)
    with pytest.raises(errors.UsageError, match="returned int"):
        Cleaning(len)(cut)


def test_a_text_is_looked_up_once_while_it_is_under_way():
    """The same text in two loads is embedded in the first; one that the corpus has, in none."""
    table = manifest.empty()
    table.add_chunks([1], [b"known"], ["known"])
    gathering = Gathering(table, lambda: 2)
    cuts = [
        Cut(document(), *numbers(texts), texts, [text.encode() for text in texts], is_last=True, heap_bytes=1_000)
        for texts in (["a", "known", "a"], ["b", "a"], ["a", "c"])
    ]
    assert [load.texts for load in gathering(iter(cuts))] == [["a", "b"], ["c"]]
    assert gathering.under_way == {b"a", b"b", b"c"}
    table.close()
