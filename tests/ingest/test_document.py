"""ingest.document: the record of a document, its names and its metadata."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from flatwater import errors, limits
from flatwater.ingest.document import Document, Part, metadata_text, shown, whole
from flatwater.ingest.splitting import Splitter
from flatwater.ingest.stages import Splitting


def document():
    return Document(b"key", "name", source=1, stages=1, metadata="{}", stamp=b"s", digest=b"d")


def test_notes_are_kept_up_to_a_bound():
    """The first ones, as text that can be stored, whatever is in them."""
    made = document()
    made.add_note("half \ud800")
    for number in range(200):
        made.add_note(f"note {number}")
    assert made.note.startswith(r"half \ud800; note 0; note 1")
    assert len(made.note) <= limits.INGEST_NOTE_CHARS_MAX + 10
    made.note.encode()


def test_a_document_to_be_redone_has_no_version():
    """Neither stamp nor digest stands for it any more."""
    made = document()
    made.redo()
    assert (made.stamp, made.digest) == (None, None)


@pytest.mark.parametrize(
    ("name", "told"),
    [("plain", "plain"), ("schön", "schön"), ("caf\udce9", r"caf\xe9"), ("\ud800", r"\ud800"), ("a\nb", "a\nb")],
)
def test_names_are_shown_as_text(name, told):
    """Bytes that are no UTF-8, and halves of characters, become escapes; nothing else changes."""
    assert shown(name) == told


def test_metadata_are_json_of_one_form():
    """Names are sorted; dates are texts; half a character is a question mark."""
    said = metadata_text({"b": dt.date(2020, 2, 3), "a": "x\ud800"})
    assert said == '{"a": "x?", "b": "2020-02-03"}'
    assert json.loads(said)["a"] == whole("x\ud800")
    assert metadata_text(None) == "{}"


def test_metadata_that_are_no_json_are_refused():
    """With what they are."""
    circle = {}
    circle["self"] = circle
    for metadata in ({(1, 2): 3}, circle):
        with pytest.raises(errors.UsageError, match="is no JSON"):
            metadata_text(metadata)


def test_what_passes_says_what_it_weighs():
    """A part weighs its text; a cut what whoever made it counted, as the splitting stage does."""
    text = "one word and another. " * 500
    part = Part(document(), 0, 0, text)
    assert part.heap_bytes > len(text)
    cuts = list(Splitting(Splitter(300))(iter([part, Part(part.document, 0, 0, None)])))
    assert sum(cut.heap_bytes for cut in cuts) > len(text) + sum(100 for cut in cuts for _text in cut.texts)
