"""tour.text: pieces of bounded size from any file."""

from __future__ import annotations

import gzip
import os

import pytest

from flatwater.tour import text
from flatwater.tour.text import PIECE_BYTES, NotTextError, pieces


def reason(path):
    with pytest.raises(NotTextError) as caught:
        list(pieces(str(path)))
    return str(caught.value)


def test_a_file_in_pieces(tmp_path):
    """Nothing is lost between them, and none is larger than the bound, whatever the lines."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * (3 * PIECE_BYTES + 7) + b"\nend")
    given = list(pieces(str(path)))
    assert b"".join(given) == path.read_bytes()
    assert max(map(len, given)) == PIECE_BYTES


def test_gzip_is_unpacked(tmp_path):
    """In pieces, too, also where a small file holds a large text; several members are one text."""
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(b"a b " * (1 << 20)) + gzip.compress(b"end"))
    given = list(pieces(str(path)))
    assert sum(map(len, given)) == (4 << 20) + 3
    assert max(map(len, given)) <= PIECE_BYTES


def test_a_broken_archive_gives_what_it_can(tmp_path):
    """A cut one gives what stands before the cut; one that is none, nothing."""
    cut = tmp_path / "cut.gz"
    whole = gzip.compress(os.urandom(8 * PIECE_BYTES).replace(b"\0", b"x"))
    cut.write_bytes(whole[: len(whole) // 2])
    given = []
    with pytest.raises(NotTextError, match="broken archives"):
        given.extend(pieces(str(cut)))
    plain = tmp_path / "plain.gz"
    plain.write_text("not packed at all")
    assert reason(plain) == "broken archives"


def test_what_is_no_text_is_passed_over(tmp_path):
    """A zero byte at the beginning is a sign of anything but text."""
    path = tmp_path / "file"
    path.write_bytes(b"\x7fELF\0\0\0")
    assert reason(path) == "not text"
    path.write_bytes(b"")
    assert list(pieces(str(path))) == []


def test_a_pipe_is_not_waited_for(tmp_path):
    """What was a file when its directory was read may be a pipe now."""
    os.mkfifo(tmp_path / "pipe")
    assert reason(tmp_path / "pipe") == "special files"


def test_what_cannot_be_opened(tmp_path):
    """Gone, a link, or a directory: passed over."""
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "target").write_text("x")
    assert reason(tmp_path / "gone") == "unreadable"
    assert reason(tmp_path / "link") == "unreadable"
    assert reason(tmp_path) == "special files"
    assert reason("a\0b") == "unreadable"


def test_a_file_that_grows_has_an_end(tmp_path):
    """It is read as far as it went when it was opened; one that shrinks ends sooner."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * (2 * PIECE_BYTES))
    given = 0
    for piece in pieces(str(path)):
        given += len(piece)
        with path.open("ab") as more:
            more.write(b"y" * PIECE_BYTES)
    assert given == 2 * PIECE_BYTES
    reading = pieces(str(path))
    next(reading)
    os.truncate(path, 10)
    assert list(reading) == []


def test_the_bound_covers_a_piece():
    """The promise is larger than what is read at a time."""
    assert text.bytes_max() > PIECE_BYTES
