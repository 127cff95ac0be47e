"""What is known of files, on disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fakes import checked, statuses

from flatwater import errors, limits
from flatwater.store.store import Store
from flatwater.sync.record import Record
from flatwater.sync.state import Change, Pair, Range, State, Work
from flatwater.sync.status import Status

PAIR = Pair("a", "b")
NEW = Record(Status.NEW, size=7)
SYNCED = Record(Status.SYNCED, True, size=7)


OTHER = """
import sys
from flatwater.sync.state import Pair, State
how = sys.argv[2]
state = State(sys.argv[1], Pair('a', 'b'), read_only=how != 'write', traceless=how == 'plan')
print(state.run.counts[0], len([1 for page in state.pages(b'', b'') for _ in page]))
"""


def other(path, how):
    """What another process says, which opens the same state."""
    return subprocess.run([sys.executable, "-c", OTHER, path, how], capture_output=True, text=True, check=False)


def files_of(path):
    """Bytes and times of all files of a state."""
    return {str(file): (file.read_bytes(), file.stat().st_mtime_ns) for file in Path(path).rglob("*") if file.is_file()}


@pytest.fixture
def path(tmp_path):
    """Where a state is made."""
    return str(tmp_path / "state")


def test_changes_work_and_counts_are_one(path):
    """Whatever changes, work and counts are what the records imply."""
    with State(path, PAIR) as state:
        state.commit([Change(b"a", None, NEW), Change(b"b", None, SYNCED), Change(b"c", None, SYNCED)])
        state.commit([Change(b"a", NEW, SYNCED), Change(b"b", SYNCED, SYNCED.forgotten(Status.TEMP_DELETED, 2))])
        state.commit([Change(b"c", SYNCED, NEW._replace(size=100))])
        checked(state)
        assert (state.count(Status.NEW), state.count(Status.NEW, Status.SYNCED), state.run.copy_bytes) == (1, 2, 100)
        state.commit([Change(b"c", NEW._replace(size=100), None)])
    with State(path, PAIR) as state:
        checked(state)
        assert statuses(state) == {b"a": "SYNCED", b"b": "TEMP_DELETED"}
        assert list(state.todo(Work.DECIDE)) == [[(b"b", 0)]]
        assert state.run.copy_bytes == 0


def test_a_reason_goes_with_its_error(path):
    """It is kept as long as the file is an error, shortened, and no longer."""
    failed = NEW._replace(status=Status.ERROR)
    with State(path, PAIR) as state:
        state.commit([Change(b"a", None, failed)], failures={b"a": "x" * 5000})
        assert state.failure(b"a") == "x" * limits.SYNC_FAILURE_BYTES
        assert state.failure(b"none") == ""
        state.commit([Change(b"a", failed, failed.forgotten(Status.TEMP_DELETED, 2))])
        assert state.failure(b"a") == ""
        checked(state)


def test_a_write_that_fails_changes_nothing(path, monkeypatch):
    """Neither on disk nor in the counts that are held."""
    with State(path, PAIR) as state:
        state.commit([Change(b"a", None, NEW)])

        def full(_pairs):
            raise errors.BrokenError("no room")

        with monkeypatch.context() as patch:
            patch.setattr(state._store, "write_to", full)
            with pytest.raises(errors.BrokenError, match="no room"):
                state.commit([Change(b"a", NEW, SYNCED), Change(b"b", None, NEW)])
        checked(state)
        assert statuses(state) == {b"a": "NEW"}


def test_pages_of_a_range(path, monkeypatch):
    """Behind one path and in front of another, in byte order, whatever is written meanwhile."""
    monkeypatch.setattr(limits, "SYNC_BATCH", 2)
    paths = sorted([b"a", b"a.b", b"a/b", b"a0", b"b", b"\x00", b"\xff" * 1024, b"c\n"])
    with State(path, PAIR) as state:
        state.commit(Change(each, None, NEW) for each in paths)

        def read(after, before):
            return [key[0] for page in state.pages(after, before) for key, _value in page]

        for after in [b"", *paths, b"a/", b"zz"]:
            for before in [b"", *paths]:
                assert read(after, before) == [each for each in paths if each > after and (not before or each < before)]
        assert [each for page in state.todo(Work.COPY) for each, _size in page] == paths
        walk = state.pages(b"", b"")
        next(walk)
        state.commit([Change(b"a.b", NEW, None), Change(b"a-", None, NEW), Change(b"bb", None, NEW)])
        assert [key[0] for page in walk for key, _value in page][-3:] == [b"bb", b"c\n", b"\xff" * 1024]


def test_ranges_are_replaced(path):
    """A new scan forgets those of the one before, however many there were."""
    with State(path, PAIR) as state:
        state.begin_scan([Range(b"", b"m"), Range(b"m", b"t"), Range(b"t", b"")])
        state.commit(ranges={1: Range(b"m", b"t", b"p")})
        assert [each.start for each in state.ranges()] == [b"", b"p", b"t"]
        state.begin_scan([Range(b"", b"k"), Range(b"k", b"")])
        assert state.ranges() == [Range(b"", b"k"), Range(b"k", b"")]


def test_it_is_of_one_pair(path, tmp_path):
    """Another pair is refused, and so is a store that is no state."""
    with State(path, PAIR) as state:
        state.commit([Change(b"a", None, NEW)])
    for read_only in (False, True):
        with pytest.raises(errors.UsageError, match="is the state of a and b, not of a and c"):
            State(path, Pair("a", "c"), read_only=read_only)
    with Store(tmp_path / "other") as store:
        store.put(("x",), b"1")
    with pytest.raises(errors.UsageError, match="no state of a sync"):
        State(str(tmp_path / "other"), PAIR)
    with State(path, PAIR) as state:
        assert statuses(state) == {b"a": "NEW"}


def test_one_that_is_not_there_is_empty_when_it_is_only_read(path, tmp_path):
    """Nothing is made."""
    with State(path, PAIR, read_only=True) as state:
        assert list(state.pages(b"", b"")) == list(state.todo(Work.COPY)) == []
        assert (state.records([b"a"]), state.failure(b"a"), state.file_bytes, state.count(*Status)) == (
            [None],
            "",
            0,
            0,
        )
        with pytest.raises(errors.ClosedError):
            state.commit()
    assert list(tmp_path.iterdir()) == []


def test_a_second_process_waits_its_turn(path):
    """It may read, also while the first one writes, and not write."""
    with State(path, PAIR) as state:
        state.commit([Change(b"a", None, NEW)])
        assert "another process works with the state" in other(path, "write").stderr
        for how in ("read", "plan"):
            assert other(path, how).stdout.split() == ["1", "1"]
        state.commit([Change(b"b", None, NEW)])
        assert other(path, "read").stdout.split() == ["2", "2"]
    assert other(path, "write").stdout.split() == ["2", "2"]


def test_a_plan_leaves_no_trace(path):
    """Not even LMDB's table of readers changes; other plans go on beside it, and a run does not begin."""
    with State(path, PAIR) as state:
        state.commit([Change(b"a", None, NEW)])
    before = files_of(path)
    with State(path, PAIR, read_only=True, traceless=True) as state:
        assert list(state.todo(Work.COPY)) == [[(b"a", 7)]]
        assert other(path, "plan").stdout.split() == ["1", "1"]
        refused = other(path, "write").stderr
        assert "another process works with the state" in refused
        assert "or plans with it" in refused
    assert files_of(path) == before
    assert other(path, "write").stdout.split() == ["1", "1"]


def test_nothing_stays_open(path, open_files):
    """Neither when it is closed nor when it is refused."""
    State(path, PAIR).close()
    before = open_files()
    state = State(path, PAIR)
    state.close()
    state.close()
    with pytest.raises(errors.UsageError):
        State(path, Pair("x", "y"))
    assert open_files() - before == set()
    with pytest.raises(errors.ClosedError):
        state.commit()
