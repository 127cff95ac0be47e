"""A run from its beginning to its end, and behind one that was killed."""

from __future__ import annotations

import time

import pytest
from fakes import Fake, Killed, checked, faulty, statuses

from flatwater import limits
from flatwater.store.partition import Partition
from flatwater.sync import state as states
from flatwater.sync.deleting import DeleteGuard
from flatwater.sync.failures import Failure, GoneFailure, RefusedFailure, RemoteFailure, TemporaryFailure
from flatwater.sync.state import Pair, State
from flatwater.sync.sync import Sync

FILES = {b"%s/%d" % (folder, number): b"%d" % number for folder in (b"a", b"b", b"c") for number in range(6)}


class Two:
    """A source with some files, and an empty destination."""

    def __init__(self, folder):
        self.source = Fake("fake://source", FILES)
        self.destination = Fake("fake://destination")
        self.path = str(folder / "state")

    def apply(self, **options):
        return Sync(
            self.source, self.destination, self.path, **{"durability": "off", "workers": 2, "tries": 2, **options}
        ).apply()

    def state(self):
        return State(self.path, Pair(self.source.url, self.destination.url), read_only=True)

    def statuses(self):
        with self.state() as state:
            checked(state)
            return statuses(state)

    def is_same(self):
        return self.destination.contents() == self.source.contents()


@pytest.fixture
def two(tmp_path):
    """Nothing has run yet."""
    return Two(tmp_path)


# --- defects of the predecessor ---------------------------------------------------------------------------------------


def test_an_error_is_never_called_synced(two):
    """A file that fails in every run is an error after every run, and synced by the one that copies it."""
    two.source.faults = faulty("read", RefusedFailure("no right"), {b"a/1"}, 99)
    for _run in range(3):
        report = two.apply()
        assert (report.failed, two.statuses()[b"a/1"]) == (1, "ERROR")
        assert not report.is_complete
    two.source.faults = lambda *_: None
    assert two.apply().is_complete
    assert two.statuses()[b"a/1"] == "SYNCED"


def test_a_file_that_vanishes_before_it_is_copied_is_no_error_for_ever(two):
    """It is forgotten, also if it had failed before."""
    two.source.faults = lambda operation, path: (
        two.source.files.pop(path, None) if operation == "read" and path == b"a/1" else None
    )
    assert two.apply().gone == 1
    assert b"a/1" not in two.statuses()
    two.source.faults = faulty("read", RefusedFailure("no right"), {b"a/2"}, 99)
    two.source.put(b"a/2", b"other")
    two.apply()
    assert two.statuses()[b"a/2"] == "ERROR"
    del two.source.files[b"a/2"]
    two.apply()
    assert b"a/2" not in two.statuses()
    assert two.is_same()


@pytest.mark.parametrize("failure", [Failure("ends early"), RemoteFailure("down"), GoneFailure("gone")])
@pytest.mark.parametrize("at", [0, 1, 3])
@pytest.mark.parametrize("listers", [1, 3])
def test_nothing_is_deleted_after_a_listing_that_broke(two, failure, at, listers):
    """However the error comes, with files or behind the last one; the next complete one decides."""
    two.apply()
    two.source.breaks = {at: failure}
    del two.source.files[b"a/0"]
    with pytest.raises(type(failure)):
        two.apply(list_workers=listers, levels=0 if listers == 1 else 1)
    assert set(two.destination.files) == set(FILES)
    assert "DELETED_ON_SOURCE" not in two.statuses().values()
    assert two.apply().deleted == 1
    assert two.is_same()


def test_a_retry_reads_the_source_again(two):
    """Not the rest of what a broken try had read."""
    two.destination.faults = faulty("publish", TemporaryFailure("cut"))
    two.apply()
    assert two.is_same()
    assert two.source.calls["read"] == 2 * len(FILES)


def test_a_file_that_cannot_be_deleted_stays_to_be(two):
    """A refusal is no success."""
    two.apply()
    del two.source.files[b"a/0"], two.source.files[b"a/1"]
    two.destination.faults = faulty("delete one", RefusedFailure("550 no right"), {b"a/0"}, 1)
    report = two.apply()
    assert (report.deleted, report.not_deleted, report.is_complete) == (1, 1, False)
    assert two.statuses()[b"a/0"] == "DELETED_ON_SOURCE"
    assert two.apply().deleted == 1
    assert two.is_same()


# --- roots and guards -------------------------------------------------------------------------------------------------


def test_a_source_that_is_not_there_deletes_nothing(two):
    """It is no empty one: a disk may not be mounted."""
    two.apply()
    two.source.is_gone = True
    for levels in (0, 1):
        with pytest.raises(GoneFailure):
            two.apply(levels=levels)
    assert set(two.destination.files) == set(FILES)
    two.source.is_gone = False
    report = two.apply()
    assert (report.copied, report.deleted) == (0, 0)


def test_the_guard(two):
    """Everything else is done, nothing is deleted, and it is so again until it is allowed."""
    two.apply()
    for path in [b"a/0", b"a/1", b"a/2"]:
        del two.source.files[path]
    two.source.put(b"new")
    for _run in range(2):
        with pytest.raises(DeleteGuard) as caught:
            two.apply(max_delete=2)
        assert set(two.destination.files) == {*FILES, b"new"}
        assert caught.value.report.counts["DELETED_ON_SOURCE"] == 3
    two.source.put(b"a/0", b"back")
    assert two.apply(max_delete=2).deleted == 2
    assert two.is_same()


def test_without_deleting(two):
    """What is gone stays there, and goes when it may."""
    two.apply()
    two.source.files.clear()
    two.source.put(b"z")
    assert two.apply(delete=False).deleted == 0
    assert set(two.destination.files) == {*FILES, b"z"}
    assert two.apply().deleted == len(FILES)
    assert two.is_same()


def test_files_and_folders_that_change_places(two):
    """Both ways in one run: what is in the way is deleted first, then the other is copied."""
    two.source.put(b"x", b"file")
    two.apply()
    two.source.put(b"x/1", b"below")
    two.source.put(b"a", b"file")
    report = two.apply()
    assert (report.failed, report.deleted) == (0, 7)
    assert two.is_same()


def test_a_failure_counts_once(two):
    """Also in a run with a second turn, and in one behind a killed one."""
    two.source.faults = faulty("read", RefusedFailure("no right"), {b"b/1"}, 99)
    two.destination.put(b"a/1/mine", b"x")
    report = two.apply()
    assert (report.failed, sorted(path for path, _why in report.failures)) == (2, [b"a/1", b"b/1"])
    two.destination.faults = lambda operation, _path: (
        (_ for _ in ()).throw(RemoteFailure("down")) if operation == "settle" else None
    )
    two.source.put(b"c/1", b"newer")
    with pytest.raises(RemoteFailure):
        two.apply()
    two.destination.faults = lambda *_: None
    report = two.apply()
    assert report.resumed
    assert (report.failed, len(report.failures)) == (2, 2)


# --- behind a killed run ----------------------------------------------------------------------------------------------


def steps_of(two):
    """How many things a run asks of the remotes."""
    two.source.kill = two.destination.kill
    two.source.kill.at(0)
    two.apply()
    return two.source.kill.steps


@pytest.mark.parametrize("rescan", [True, False])
def test_killed_at_every_step(tmp_path, rescan):
    """The next run makes it good, whatever changed meanwhile; nothing unfinished is left, nothing foreign is gone."""
    folders = iter(range(1000))

    def begun():
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        two = Two(folder)
        two.apply()
        for path in (b"a/0", b"b/0"):
            del two.source.files[path]
        two.source.put(b"c/0", b"other")
        two.source.put(b"a/00", b"new")
        two.destination.put(b"mine", b"m")
        return two

    for step in range(1, steps_of(begun()) + 1, 3):
        two = begun()
        two.source.kill = two.destination.kill
        two.source.kill.at(step)
        with pytest.raises(Killed):
            two.apply()
        two.source.kill.at(0)
        two.source.put(b"a/3", b"changed meanwhile")
        two.source.files.pop(b"c/0" if step % 2 else b"c/5")
        two.source.put(b"0")
        two.apply(rescan=rescan)
        if not rescan:
            two.apply()
        assert two.destination.contents() == {**two.source.contents(), b"mine": b"m"}
        assert (two.destination.unfinished, two.destination.foreign_deleted) == (set(), set())
        assert set(two.statuses().values()) == {"SYNCED"}


@pytest.mark.parametrize("is_after", [False, True])
def test_killed_at_every_write_of_the_state(tmp_path, monkeypatch, is_after):
    """Before or behind it: the next run makes it good."""
    monkeypatch.setattr(limits, "SYNC_COMMIT_ROWS", 3)
    for at in range(1, 40):
        folder = tmp_path / str(at)
        folder.mkdir()
        two = Two(folder)
        two.apply()
        two.source.put(b"c/0", b"other")
        del two.source.files[b"a/0"]
        kill = two.source.kill = two.destination.kill
        calls = iter(range(1, 1000))

        def dying(function, at=at, calls=calls, kill=kill):
            def write(*args, **options):
                is_mine = next(calls) == at
                if not kill.is_dead and (not is_mine or is_after):
                    function(*args, **options)
                kill.is_dead = kill.is_dead or is_mine
                if kill.is_dead:
                    raise Killed

            return write

        with monkeypatch.context() as patch:
            patch.setattr(states.Store, "write_to", dying(states.Store.write_to))
            patch.setattr(Partition, "write", dying(Partition.write))
            try:
                two.apply()
                is_over = True
            except Killed:
                is_over = False
        kill.at(0)
        two.apply()
        assert two.is_same()
        two.statuses()
        if is_over:
            break
    assert is_over


def killed_in_copying(two):
    two.destination.faults = lambda operation, _path: (
        (_ for _ in ()).throw(RemoteFailure("down")) if operation == "publish" else None
    )
    with pytest.raises(RemoteFailure):
        two.apply()
    two.destination.faults = lambda *_: None


def killed_at(two, operation, path):
    """`kill -9` where that is about to be done."""
    kill = two.source.kill = two.destination.kill

    def dying(asked, at):
        if (asked, at) == (operation, path):
            kill.is_dead = True
            raise Killed

    two.destination.faults = dying
    with pytest.raises(Killed):
        two.apply(workers=1)
    two.destination.faults = lambda *_: None
    kill.at(0)


@pytest.mark.parametrize("is_seen_newer", [False, True])
def test_what_somebody_else_put_where_a_killed_run_had_not_come_to(two, is_seen_newer):
    """It is not deleted when the source's file vanishes, though the killed run was about to write one there."""
    killed_at(two, "publish", b"a/3")
    two.destination.put(b"a/4", b"mine")
    if is_seen_newer:
        two.source.put(b"a/4", b"newer")
        two.destination.faults = faulty("write", RefusedFailure("no right"), {b"a/4"}, 99)
        assert two.apply(compare="size").failed == 1
        two.destination.faults = lambda *_: None
    del two.source.files[b"a/4"]
    report = two.apply()
    assert (report.deleted, report.not_deleted) == (0, 0)
    assert two.destination.contents() == {**two.source.contents(), b"a/4": b"mine"}
    assert b"a/4" not in two.statuses()
    assert two.destination.unfinished == set()


@pytest.mark.parametrize("keeps_mtime", [False, True])
def test_what_a_killed_run_had_published(two, keeps_mtime):
    """It is deleted when the source's file vanishes, though the state was not told of it."""
    two.destination.keeps_mtime = keeps_mtime
    killed_at(two, "publish", b"a/3")
    assert b"a/2" in two.destination.published
    assert two.statuses()[b"a/2"] == "NEW"
    del two.source.files[b"a/2"], two.source.files[b"a/3"]
    report = two.apply()
    assert report.deleted == 1
    assert two.is_same()
    assert two.destination.unfinished == set()


@pytest.mark.parametrize("keeps_mtime", [False, True])
def test_what_a_killed_run_had_published_in_another_version(two, keeps_mtime):
    """So is one that had changed when it was read, and one of which a later run found another version and came no further."""
    two.destination.keeps_mtime = keeps_mtime

    def changing(asked, at):
        if (asked, at) == ("read", b"a/2") and two.source.files[b"a/2"][0] != b"read later":
            two.source.put(b"a/2", b"read later")

    two.source.faults = changing
    killed_at(two, "publish", b"a/4")
    two.source.faults = lambda *_: None
    assert {b"a/2", b"a/3"} <= set(two.destination.published)
    two.source.put(b"a/3", b"a third one")
    two.destination.faults = faulty("write", RefusedFailure("no right"), {b"a/3"}, 99)
    two.source.faults = faulty("read", RefusedFailure("no right"), {b"a/2"}, 99)
    assert two.apply(compare="size").failed == 2
    two.source.faults = two.destination.faults = lambda *_: None
    del two.source.files[b"a/2"], two.source.files[b"a/3"]
    assert two.apply().deleted == 2
    assert two.is_same()


def test_what_a_killed_run_left_of_an_error(two):
    """An unfinished file goes also when its path was an error in between."""
    killed_at(two, "publish", b"a/3")
    assert two.destination.unfinished == {b"a/3"}
    two.source.faults = faulty("read", RefusedFailure("no right"), {b"a/3"}, 99)
    assert two.apply().failed == 1
    del two.source.files[b"a/3"]
    two.apply()
    assert two.destination.unfinished == set()
    assert two.is_same()


def test_when_it_does_not_go_on(two, monkeypatch):
    """Behind a long time, with a clock that went back, with other patterns, compared otherwise: it begins anew."""
    now = time.time()
    for clock in (now + limits.SYNC_RESUME_S + 60, now - 3600):
        killed_in_copying(two)
        with monkeypatch.context() as patch:
            patch.setattr("flatwater.sync.applying.time.time", lambda clock=clock: clock)
            report = two.apply()
        assert report.resumed == ""
        assert two.is_same()
        two.source.put(b"a/1", b"x")
    for options in ({"exclude": ["*.tmp"]}, {"compare": "size"}):
        killed_in_copying(two)
        assert two.apply(**options).resumed == ""
        assert two.is_same()
        two.source.put(b"a/1", b"x" * len(str(options)))
    killed_in_copying(two)
    assert "in its phase copy" in two.apply().resumed


def test_patterns_that_change(two):
    """What is left out now is neither copied nor deleted, whatever it was; when it is taken again, it goes on."""
    two.apply()
    del two.source.files[b"a/0"]
    two.source.put(b"a/1", b"newer")
    report = two.apply(exclude=["a/"])
    assert (report.copied, report.deleted) == (0, 0)
    assert set(two.statuses().values()) == {"SYNCED"}
    report = two.apply()
    assert (report.copied, report.deleted) == (1, 1)
    assert two.is_same()


def test_what_somebody_else_put_there(two):
    """A file whose copy failed is not deleted there when it vanishes: no sync put it there."""
    two.destination.put(b"a/1", b"mine")
    two.source.faults = faulty("read", RefusedFailure("no right"), {b"a/1"}, 99)
    two.apply()
    del two.source.files[b"a/1"]
    two.apply()
    assert two.destination.contents()[b"a/1"] == b"mine"


def test_the_second_run_does_nothing(two):
    """No file is read or written, no record, and no destination is asked."""
    two.apply()
    before = two.destination.calls.copy()
    report = two.apply()
    assert (report.files, report.copied, report.deleted) == (len(FILES), 0, 0)
    assert two.destination.calls == before
