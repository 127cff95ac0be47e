"""source.documents.borders: where texts are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater.source.documents.borders import ByteBorders, Cutter, text_border


def cut(text, piece_bytes, parts=1, skip=0):
    cutter = Cutter(piece_bytes, skip)
    size = max(1, len(text) // parts)
    found = [piece for at in range(0, len(text), size) for piece in cutter.feed(text[at : at + size])]
    return found + list(cutter.end())


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("one.\n\ntwo three\nfour five six", "one.\n\ntwo three\n"),
        ("aaaa bbbb cc\n\ndd eeee", "aaaa bbbb cc\n\n"),
        ("aaaa bbbb cc\r\n\r\ndd eeee", "aaaa bbbb cc\r\n\r\n"),
        ("aaaa bbbb cccc dddd", "aaaa bbbb cccc "),
        ("a" * 30, "a" * 16),
        ("ä" * 30, "ä" * 8),
        ("😀" * 30, "😀" * 4),
    ],
)
def test_the_best_border_wins(text, first):
    """A paragraph's end before a line's, that before a space, and else the last whole character."""
    assert text[: text_border(text, 0, 16)] == first


@given(st.text(alphabet="ab \n\r.ä€😀\ud800"), st.integers(16, 40), st.integers(1, 9))
def test_pieces_are_the_text_however_it_arrives(text, piece_bytes, parts):
    """Joined they are the text; each is small enough; parts of any size make the same pieces."""
    pieces = cut(text, piece_bytes, parts)
    assert "".join(piece for _, _, piece in pieces) == text
    assert all(piece == text[start:stop] for start, stop, piece in pieces)
    assert all(0 < len(piece.encode("utf-8", "surrogatepass")) <= piece_bytes for _, _, piece in pieces)
    assert pieces == cut(text, piece_bytes)


@given(st.text(alphabet="ab \nä€😀", max_size=300), st.integers(16, 40))
def test_a_cutter_goes_on_behind_any_piece(text, piece_bytes):
    """Begun at the stop of a piece, it gives the pieces that follow."""
    pieces = cut(text, piece_bytes)
    for number, piece in enumerate(pieces):
        assert cut(text, piece_bytes, 3, skip=piece[1]) == pieces[number + 1 :]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "shift_jis", "gb18030", "cp1252"])
@pytest.mark.parametrize("phase", [0, 4])
def test_no_character_is_cut(encoding, phase):
    """Bytes before a border decode by themselves, and so do those behind it."""
    text = "Ā あ漢字あ漢字あ漢字\n字あ漢字 あ漢字😀".replace("Ā", "A")
    if encoding in {"shift_jis", "cp1252"}:
        text = text.replace("😀", "").encode(encoding, "ignore").decode(encoding)
    data = bytearray(text.encode(encoding))
    borders = ByteBorders(encoding)
    for limit in range(borders.unit * 2, len(data) - 8):
        stop = borders.border(data, 0, limit, phase)
        assert 0 < stop <= limit
        if limit >= 8:
            assert data[:stop].decode(encoding) + data[stop:].decode(encoding) == text


def test_zeros_beside_a_line_end_are_no_line_end():
    """In UTF-16 a newline's bytes also lie across two characters: those are passed by."""
    data = bytearray("aaaaaaਊ਀bbbbbbbbb".encode("utf-16-be"))  # 0A 0A 0A 00: an odd 000A nowhere at even places
    stop = ByteBorders("utf-16-be").border(data, 0, 20, 0)
    assert stop % 2 == 0
    data[:stop].decode("utf-16-be")


def test_bytes_that_are_no_text_are_cut_at_the_limit():
    """Nothing to hold on to: progress is made all the same."""
    assert ByteBorders("utf-8").border(bytearray(b"\x80" * 64), 0, 32, 0) > 0
