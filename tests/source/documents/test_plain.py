"""source.documents.plain: pieces of text files, with the bytes that they are."""

from __future__ import annotations

import codecs
import itertools
import random

import pytest

from flatwater import errors
from flatwater.source.documents import plain


def read(path, piece_bytes=64, offset=0, encoding="", *, is_lossless=False):
    notes = []
    with open(path, "rb", buffering=0) as file:
        found, mark_bytes = plain.encoding_of(file, encoding, None if offset else notes.append)
        pieces = plain.pieces(file, piece_bytes, max(offset, mark_bytes), found, notes.append, is_lossless=is_lossless)
        return list(pieces), notes


def text_of(size, seed=3):
    chance = random.Random(seed)
    return "".join(chance.choice(["word", " ", "\n", "\n\n", "ä€", "😀", "x" * 90]) for _ in range(size))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252", "shift_jis"])
@pytest.mark.parametrize("piece_bytes", [16, 100, 70_000])
def test_each_piece_is_its_bytes(write, encoding, piece_bytes):
    """`file[start:stop]` decodes to the text, the pieces lie side by side, and together they are the file."""
    text = text_of(3_000)
    text = text.encode(encoding.removesuffix("-sig"), "ignore").decode(encoding.removesuffix("-sig"))
    data = text.encode(encoding)
    wanted = "" if encoding.startswith("utf-8") or encoding in {"utf-16", "utf-32"} else encoding
    pieces, notes = read(write("a.txt", data), piece_bytes, encoding=wanted)
    plain_codec = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(encoding, encoding)
    assert "".join(piece for _, _, piece in pieces) == text
    assert all(data[start:stop].decode(plain_codec) == piece for start, stop, piece in pieces)
    assert all(before[1] == after[0] for before, after in itertools.pairwise(pieces))
    assert all(stop - start <= piece_bytes for start, stop, _ in pieces)
    assert notes == []


def test_it_goes_on_anywhere(write):
    """From the stop of any piece on, the pieces behind it come again."""
    path = write("a.txt", text_of(3_000))
    pieces, _ = read(path)
    for number in range(0, len(pieces), 17):
        assert read(path, offset=pieces[number][1])[0] == pieces[number + 1 :]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-be"])
@pytest.mark.parametrize("zeros", [511, 512, 5_000, 300_000, 1_000_001])
def test_runs_of_zeros_are_holes(write, encoding, zeros):
    """512 and more are in no piece, wherever they begin; fewer are text as all else."""
    words = "a word or two. " * 30
    unit = len("a".encode(encoding))
    data = words.encode(encoding) + bytes(zeros * unit) + words.encode(encoding) + bytes(700 * unit)
    pieces, _ = read(write("a.txt", data), 100, encoding=encoding)
    kept = "".join(piece for _, _, piece in pieces)
    assert kept.replace("\0", "") == words * 2
    assert kept.count("\0") == (511 if zeros * unit < 512 else 0)
    assert all(data[start:stop].decode(encoding) == piece for start, stop, piece in pieces)


def test_a_file_of_nothing_but_zeros(write):
    """It has no text."""
    assert read(write("a.txt", bytes(900_000)))[0] == []


def test_a_sparse_file_is_read_as_fast_as_its_data(tmp_path):
    """A hundred gigabytes of hole with some words in it: the words, and where they are."""
    path = tmp_path / "sparse.log"
    with open(path, "wb") as file:
        for place in (0, 40 << 30, (100 << 30) - 5):
            file.seek(place)
            file.write(b"words")
    pieces, _ = read(path)
    assert [(start, text) for start, _, text in pieces] == [
        (0, "words"),
        (40 << 30, "words"),
        ((100 << 30) - 5, "words"),
    ]


def test_a_file_without_a_newline(write):
    """It is cut at spaces, and where there are none between characters."""
    pieces, _ = read(write("a.txt", "ab " * 100 + "ä" * 500), 64)
    assert all(len(text.encode()) <= 64 for _, _, text in pieces)
    assert pieces[0][2].endswith(" ")


def test_what_cannot_be_decoded_is_said_once(write):
    """A byte that is none: U+FFFD in its place, and the place of the first."""
    data = ("ä" * 100).encode() + b"\xff" + ("ö" * 100).encode() + b"\xfe"
    pieces, notes = read(write("a.txt", data))
    assert "".join(text for _, _, text in pieces) == "ä" * 100 + "\ufffd" + "ö" * 100 + "\ufffd"
    assert len(notes) == 1
    assert "byte 200 is not UTF-8" in notes[0]


def test_windows_text_is_known_by_its_bytes(write):
    """What has no valid UTF-8 beyond ASCII is read as Windows-1252, and that is said."""
    pieces, notes = read(write("a.txt", "grün für 5 €".encode("cp1252")))
    assert pieces[0][2] == "grün für 5 €"
    assert "Windows-1252" in notes[0]


def test_a_mark_beats_the_argument_only_for_its_own_kind(write):
    """A file that says UTF-16 is read as that where UTF-16 was asked for, whichever end comes first."""
    path = write("a.txt", codecs.BOM_UTF16_BE + "word".encode("utf-16-be"))
    assert read(path, encoding="utf-16-le")[0] == [(2, 10, "word")]


@pytest.mark.parametrize("encoding", ["nonsense", "utf-7", "hz", "iso2022_jp", "rot13", "base64", "idna", ""])
def test_encodings_that_cannot_be_cut_are_refused(encoding):
    """Those whose characters depend on what came before, and those that are none."""
    with pytest.raises(errors.UsageError, match="encoding"):
        plain.checked_encoding(encoding)


def test_the_bound_is_a_sum():
    """Larger pieces cost more, and the least is below a few megabytes."""
    assert plain.bytes_max(64) < plain.bytes_max(1 << 20)
    assert plain.bytes_max(64 << 10) < 2 << 20


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("漢字。".encode("utf-16") * 500, ""),
        ("naïve é ".encode("cp1252") * 500, ""),
        ("€".encode("cp1252") * 1_500, "cp1252"),
        (b"some words " + b"\xff" * 1_500 + b" and more", "utf-8"),
        ("漢字 ".encode("gb18030") * 500, "gb18030"),
    ],
)
@pytest.mark.parametrize("piece_bytes", [16, 100, 1_000])
def test_a_piece_is_bounded_as_utf8(write, data, encoding, piece_bytes):
    """Whatever the file is encoded in and however much of it is replaced, no piece has more bytes as UTF-8; all of it comes."""
    path = write("a.txt", data)
    pieces, _ = read(path, piece_bytes, encoding=encoding)
    assert max(len(text.encode()) for _, _, text in pieces) <= piece_bytes
    assert [start for start, _, _ in pieces[1:]] == [stop for _, stop, _ in pieces[:-1]]
    assert pieces[-1][1] == len(data)
    middle = pieces[len(pieces) // 2]
    assert read(path, piece_bytes, offset=middle[1], encoding=encoding)[0] == pieces[len(pieces) // 2 + 1 :]


@pytest.mark.parametrize("encoding", ["", "shift_jis", "cp1252"])
def test_what_cannot_be_decoded_is_kept_where_that_is_asked_for(write, encoding):
    """Read without loss, each piece has as many bytes as it has in the file, broken ones too."""
    data = "ab äöü\n".encode() * 90 + b"x\xff\xfey \x81\n" * 20
    pieces, notes = read(write("a.txt", data), encoding=encoding, is_lossless=True)
    assert b"".join(text.encode(encoding or "utf-8", "surrogateescape") for _, _, text in pieces) == data
    assert all(len(text.encode(encoding or "utf-8", "surrogateescape")) == stop - start for start, stop, text in pieces)
    assert len(notes) == 1
