"""ingest.snippets: some of a text around what was asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flatwater import limits
from flatwater.ingest.snippets import snippet_of


def marked(text, words):
    snippet, places = snippet_of(text, words)
    return [snippet[start:stop] for start, stop in places]


def test_words_are_found_whole_without_case_and_accents():
    """As the index of words compares them."""
    assert marked("Égal, ÉGALE and egal; legal", ["egal"]) == ["Égal", "egal"]
    assert marked("a page\n guard of pages", ["page guard"]) == ["page guard"]
    assert marked("C++ and c", ["c"]) == ["C", "c"]


def test_a_long_text_is_cut_around_the_words():
    """The window with most words is shown, with an ellipsis where something is left out."""
    text = "filler " * 100 + "needle in the hay needle " + "filler " * 100
    snippet, places = snippet_of(text, ["needle"])
    assert snippet.startswith("…")
    assert snippet.endswith("…")
    assert [snippet[start:stop] for start, stop in places] == ["needle", "needle"]


@given(st.text(max_size=600), st.lists(st.text(min_size=1, max_size=8), max_size=4))
def test_any_text_and_any_words_have_a_snippet(text, words):
    """One line of bounded length, with places inside of it, in order."""
    snippet, places = snippet_of(text, words)
    assert len(snippet) <= limits.INGEST_SNIPPET_CHARS
    assert "\n" not in snippet
    assert all(0 <= start < stop <= len(snippet) for start, stop in places)
    assert list(places) == sorted(places)
