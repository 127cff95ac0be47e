from __future__ import annotations

import os
import threading

import pytest

from flatwater import errors, limits
from flatwater.source import FileChunks, lines


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Looks follow each other at once."""
    monkeypatch.setattr(limits, "FILES_FOLLOW_POLL_S", 0.002)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log"
    path.write_text("one\n")
    return path


def append(path, text):
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


def test_it_waits_for_more(log):
    """Lines come when they have their end, and close() ends the waiting."""
    with lines(log, follow=True) as tail:
        assert next(tail) == "one"
        append(log, "tw")
        timer = threading.Timer(0.02, append, (log, "o\n"))
        timer.start()
        assert next(tail) == "two"
        timer.join()
    assert tail.notes == []


def test_it_goes_on_through_a_rotation(log, tmp_path):
    """The old file is read to its end, with its last line, then the new one; and it is said."""
    with lines(log, follow=True) as tail:
        assert next(tail) == "one"
        append(log, "two\nlast words")
        os.rename(log, tmp_path / "log.1")
        log.write_text("new\n")
        assert [next(tail), next(tail), next(tail)] == ["two", "last words", "new"]
        assert len(tail.notes) == 1
        assert "rotated after byte 18" in tail.notes[0]


def test_it_goes_on_after_a_truncation(log):
    """A file that became shorter is read from its start, and it is said."""
    with lines(log, follow=True) as tail:
        assert next(tail) == "one"
        log.write_text("2\n")
        assert next(tail) == "2"
        assert "truncated after byte 4" in tail.notes[0]


def test_it_may_be_away_for_a_while(log):
    """A path without a file is waited for."""
    with FileChunks(log, follow=True, copy=True) as tail:
        assert next(tail) == b"one\n"
        log.unlink()
        timer = threading.Timer(0.02, log.write_text, ("new\n",))
        timer.start()
        assert next(tail) == b"new\n"
        timer.join()


@pytest.mark.parametrize("way", ["event", "close"])
def test_being_stopped(log, way):
    """An event of one's own, or close() from another thread, ends the iteration and closes the file."""
    stop = threading.Event()
    tail = FileChunks(log, follow=True, copy=True, stop=stop if way == "event" else None)
    assert next(tail) == b"one\n"
    threading.Timer(0.02, stop.set if way == "event" else tail.close).start()
    assert list(tail) == []
    assert "closed" in repr(tail)


def test_what_cannot_be_followed(tmp_path, log):
    """A missing file, a pipe, and an offset behind the end are told at once."""
    with pytest.raises(errors.BrokenError, match="does not exist"):
        next(FileChunks(tmp_path / "none", follow=True))
    with pytest.raises(errors.BrokenError, match="before the offset 5"):
        next(FileChunks(log, follow=True, offset=5))
    with pytest.raises(errors.UsageError, match="no regular file"):
        next(FileChunks("/dev/null", follow=True))
    with FileChunks(log, follow=True, offset=1) as tail:
        assert bytes(next(tail)) == b"ne\n"


def test_a_line_without_an_end_is_not_given(log):
    """Whoever writes it is not done: reading goes on from its beginning another time."""
    append(log, "hal")
    stop = threading.Event()
    stop.set()
    with lines(log, follow=True, stop=stop) as tail:
        assert list(tail) == ["one"]
        position = tail.position
    append(log, "f\n")
    with lines(log, follow=True, stop=stop, offset=position) as tail:
        assert list(tail) == ["half"]


def test_a_mark_names_the_file(log, tmp_path):
    """A reader that begins at a mark reads the file of then to its end, whatever name it has, and then the one in its place."""
    with lines(log, follow=True) as tail:
        assert next(tail) == "one"
        append(log, "two\n")
        assert next(tail) == "two"
        mark = tail.mark
    assert mark[0] == 4
    append(log, "three\nlast words")
    os.rename(log, tmp_path / "log.1")
    log.write_text("new\n")
    with lines(log, follow=True).since(mark) as tail:
        assert [next(tail) for _turn in range(4)] == ["two", "three", "last words", "new"]
    (tmp_path / "log.1").unlink()
    with pytest.raises(errors.BrokenError, match="is gone"), lines(log, follow=True).since(mark) as tail:
        next(tail)


@pytest.mark.parametrize("copy", [True, False])
def test_bytes_are_counted_in_the_file_of_now(log, tmp_path, copy):
    """After a rotation, and after a truncation, a position is one of the file that has the path."""
    with FileChunks(log, follow=True, copy=copy) as tail:
        assert bytes(next(tail)) == b"one\n"
        before = tail.mark
        os.rename(log, tmp_path / "log.1")
        log.write_text("new\n")
        assert bytes(next(tail)) == b"new\n"
        assert tail.position == 4
        assert tail.mark[1:] != before[1:]
        log.write_text("x\n")
        assert bytes(next(tail)) == b"x\n"
        assert tail.position == 2
