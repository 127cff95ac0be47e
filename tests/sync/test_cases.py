"""Names that differ only in case, at a destination that takes them for one."""

from __future__ import annotations

import pytest
from fakes import Fake

from flatwater import limits
from flatwater.sync.remotes.directory import Directory
from flatwater.sync.state import State
from flatwater.sync.sync import Sync


@pytest.fixture
def two(tmp_path):
    """A source, a destination without case, and their sync."""
    source, destination = Fake("fake://a"), Fake("fake://b", is_caseless=True)
    return source, destination, Sync(source, destination, tmp_path / "state", durability="off", max_delete=10)


def test_the_second_one_is_a_failure(two):
    """It says which file has its place; that one stays as it is, in later runs, too."""
    source, destination, sync = two
    source.put(b"Folder/File", b"one")
    source.put(b"folder/file", b"two")
    source.put(b"other", b"x")
    for _run in range(2):
        report = sync.apply()
        assert report.failed == 1
        assert "takes it and Folder/File for one" in str(report)
        assert destination.contents() == {b"Folder/File": b"one", b"other": b"x"}
    del source.files[b"Folder/File"]
    assert sync.apply().is_complete or sync.apply().is_complete
    assert destination.contents() == {b"folder/file": b"two", b"other": b"x"}


def test_one_that_was_renamed(two):
    """The old name is deleted first, in the same run."""
    source, destination, sync = two
    source.put(b"File", b"one")
    assert sync.apply().is_complete
    del source.files[b"File"]
    source.put(b"file", b"one")
    report = sync.apply()
    assert (report.copied, report.deleted, report.failed) == (1, 1, 0), str(report)
    assert destination.contents() == {b"file": b"one"}
    assert sync.apply().copied == 0


def test_many_of_them_are_written_down_as_they_are_found(two, monkeypatch):
    """No transaction has more rows than one may have, however many files clash."""
    monkeypatch.setattr(limits, "SYNC_COMMIT_ROWS", 10)
    source, destination, sync = two
    rows = []
    commit = State.commit
    monkeypatch.setattr(
        State, "commit", lambda state, changes=(), **more: (rows.append(len(changes)), commit(state, changes, **more))
    )
    for number in range(200):
        source.put(
            "".join(c.upper() if number >> place & 1 else c for place, c in enumerate("abcdefgh")).encode(), b"x"
        )
    report = sync.apply()
    assert (report.copied, report.failed) == (1, 199), str(report)
    assert len(destination.contents()) == 1
    assert max(rows) <= 10


def test_it_is_asked_once(tmp_path):
    """What tells case apart costs one question for each state, and leaves nothing there."""
    source, destination = Fake("fake://a", {b"A": b"1", b"a": b"2"}), Fake("fake://b")
    sync = Sync(source, destination, tmp_path / "state", durability="off")
    assert sync.apply().copied == 2
    assert destination.contents() == source.contents()
    source.put(b"b", b"3")
    assert sync.apply().copied == 1
    assert destination.calls["case"] == 1


def test_a_directory_is_asked_by_a_file(tmp_path):
    """Which is gone behind that."""
    assert Directory(tmp_path).takes_cases_for_one() is False
    assert list(tmp_path.iterdir()) == []
