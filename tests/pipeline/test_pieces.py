"""Pieces of a file by their places: all of it, each once, read wherever they are wanted."""

from __future__ import annotations

import os
import pickle

import pytest

from flatwater import errors
from flatwater.pipeline.pieces import PIECES_AT_ONCE, Piece, PieceReader, Pieces


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(bytes(range(256)) * 100)
    return str(path)


@pytest.mark.parametrize(
    ("offset", "length", "size"), [(0, 25_600, 7), (0, 25_600, 25_600), (100, 5_001, 100), (3, 0, 9)]
)
def test_they_are_all_of_it(file, offset, length, size):
    """Piece by piece, as long as `size` but for the last, from any token on."""
    reader = PieceReader()
    walk = Pieces("data", file, offset, length, size).batches()
    found, tokens = [], []
    for batch in walk:
        assert len(batch) <= PIECES_AT_ONCE
        found += batch
        tokens.append((walk.token, len(found)))
    with open(file, "rb") as whole:
        whole.seek(offset)
        assert b"".join(map(reader.read, found)) == whole.read(length)
    assert all(piece.length == size for piece in found[:-1])
    for token, count in tokens:
        rest = [piece for batch in Pieces("data", file, offset, length, size).batches(after=token) for piece in batch]
        assert rest == found[count:]
    reader.close()
    reader.close()


def test_a_relative_path_is_one_of_now(file, monkeypatch):
    """Whatever the folder is where it is read."""
    monkeypatch.chdir(os.path.dirname(file))
    [[piece]] = Pieces("data", "data", 0, 10, 10).batches()
    assert piece.path == file


def test_what_it_looks_like(file):
    """Its place is in it, and nothing else that people want; it can be sent."""
    piece = Piece(file, 5, 10, 77)
    assert repr(piece) == f"Piece({file!r}, offset=5, length=10)"
    assert pickle.loads(pickle.dumps(piece)) == piece


def test_one_file_stays_open(file, tmp_path, open_files):
    """Until a piece of another one is read."""
    other = tmp_path / "other"
    other.write_bytes(b"other")
    before = open_files()
    reader = PieceReader()
    for _ in range(3):
        assert reader.read(Piece(file, 0, 2, os.stat(file).st_ino)) == b"\0\1"
        assert reader.read(Piece(str(other), 1, 4, os.stat(other).st_ino)) == b"ther"
        assert len(open_files() - before) == 1
    reader.close()
    assert open_files() <= before


def test_what_cannot_be_read(file, tmp_path):
    """A file that is not there, is another one, or became shorter: with path and byte."""
    reader, number = PieceReader(), os.stat(file).st_ino
    with pytest.raises(errors.BrokenError, match=r"nothing could not be read at byte 5 \(5 B\): No such file"):
        reader.read(Piece(str(tmp_path / "nothing"), 5, 1, 1))
    with pytest.raises(errors.BrokenError, match="another file by now"):
        reader.read(Piece(file, 0, 1, number + 1))
    with pytest.raises(errors.BrokenError, match=r"at byte 25000 .*shorter meanwhile, and has 25.0 KiB now"):
        reader.read(Piece(file, 25_000, 1_000, number))
    with pytest.raises(errors.BrokenError, match="No such file"):
        Pieces("data", str(tmp_path / "nothing"), 0, 10, 1).batches()
    assert reader.read(Piece(file, 255, 2, number)) == b"\xff\0"
    reader.close()
