"""source.documents.layout: blanks folded, blocks set apart."""

from __future__ import annotations

from flatwater.source.documents.layout import NEXT_CELL, NEXT_LINE, NEXT_PARAGRAPH, Layout


def test_the_widest_gap_counts():
    """Cell, line, paragraph: the last in size, not in time; none at the beginning."""
    layout = Layout()
    layout.gap(NEXT_PARAGRAPH)
    layout.add("a")
    layout.gap(NEXT_PARAGRAPH)
    layout.gap(NEXT_LINE)
    layout.add("b")
    layout.gap(NEXT_CELL)
    layout.add("c")
    layout.gap(NEXT_PARAGRAPH)
    layout.replace_gap(NEXT_CELL)
    layout.add("d")
    assert layout.take() == "a\n\nb\tc\td"
    assert layout.take() == ""


def test_blanks_are_folded_across_parts():
    """However the text is divided: one blank between words, none at the ends of lines."""
    for parts in (["  one ", " two\n", "three  "], ["  one  two", "\n", " ", "three  "]):
        layout = Layout()
        for part in parts:
            layout.add(part)
        layout.gap(NEXT_LINE)
        layout.add(" four")
        assert layout.take() == "one two three\nfour"


def test_verbatim_is_verbatim():
    """Preformatted text keeps its blanks."""
    layout = Layout()
    layout.add("a ")
    layout.add("  b\n c ", verbatim=True)
    layout.add("d")
    assert layout.take() == "a   b\n c d"
