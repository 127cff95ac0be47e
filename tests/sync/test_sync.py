"""The public class: plan, apply, audit."""

from __future__ import annotations

import os
import threading

import pytest
from fakes import Fake, faulty

import flatwater as fw
from flatwater import errors
from flatwater.sync.deleting import DeleteGuard
from flatwater.sync.failures import RefusedFailure
from flatwater.sync.sync import Sync

FILES = {b"%d/%03d" % (number % 4, number): b"%d" % number for number in range(300)}


@pytest.fixture
def two(tmp_path):
    """A function that makes a sync of a source with some files, and both of its ends."""
    source, destination = Fake("fake://source", FILES, batch=50), Fake("fake://destination", batch=50)

    def made(**options):
        return Sync(source, destination, tmp_path / "state", **{"durability": "off", **options})

    return made, source, destination


def everything(folder):
    """All bytes of a state."""
    return {
        name: open(os.path.join(where, name), "rb").read()
        for where, _folders, names in os.walk(folder)
        for name in names
        if "lock" not in name
    }


def test_a_plan_writes_nothing(two, tmp_path):
    """Neither a state where there is none, nor in one that is there."""
    made, source, destination = two
    plan = made().plan()
    assert (plan.files, plan.new, plan.copy_bytes) == (300, 300, sum(map(len, FILES.values())))
    assert not (tmp_path / "state").exists()
    made().apply()
    source.put(b"0/000", b"changed")
    before = everything(tmp_path / "state"), dict(destination.files)
    assert made().plan().changed == 1
    assert (everything(tmp_path / "state"), dict(destination.files)) == before
    assert destination.calls["delete"] == 0


@pytest.mark.parametrize(
    ("gone", "new", "allowed"),
    [(110, 0, None), (99, 0, None), (101, 110, None), (100, 0, "10%"), (8, 0, 7), (7, 0, 7), (300, 0, None)],
)
def test_a_plan_says_what_the_guard_will(two, gone, new, allowed):
    """The same refusal, word for word, or none."""
    made, source, _destination = two
    made().apply()
    for path in sorted(FILES)[:gone]:
        del source.files[path]
    for number in range(new):
        source.put(b"9/%d" % number)
    for path in sorted(FILES)[-3:]:
        if path in source.files:
            source.put(path, b"changed")
    plan = made(max_delete=allowed).plan()
    if not plan.guard:
        report = made(max_delete=allowed).apply()
        assert (plan.delete, plan.new + plan.changed) == (report.deleted, report.copied)
        return
    with pytest.raises(DeleteGuard) as caught:
        made(max_delete=allowed).apply()
    assert plan.guard in str(caught.value)
    assert plan.delete == gone


def test_a_plan_of_what_is_not_deleted(two):
    """Nothing is told to be deleted where nothing would be."""
    made, source, _destination = two
    made().apply()
    del source.files[b"0/000"]
    told = []
    plan = made(delete=False).plan(told.append)
    assert (plan.delete, plan.changes, told, plan.is_empty) == (0, [], [], True)
    source.unreadable = {b"1/"}
    plan = made().plan()
    assert (plan.delete, plan.changes, plan.unread) == (0, [], 1)
    assert made().apply().deleted == 0


def test_a_plan_tells_why(two):
    """What failed before with its reason, and what the destination cannot have."""
    made, source, destination = two
    source.faults = faulty("read", RefusedFailure("no right to read"), {b"0/000"}, 99)
    made().apply()
    destination.refused[b"x"] = "it is a device"
    source.put(b"x")
    plan = made().plan()
    assert [(each.action, each.path, each.reason) for each in plan.changes] == [
        ("retry", b"0/000", "no right to read"), ("refused", b"x", "it is a device"),
    ]  # fmt: skip


@pytest.mark.parametrize("mtime_ns", [2**63, 10**22, -(2**63) - 1, -(10**22), -5_000_000_000, 0])
def test_times_far_away(two, mtime_ns):
    """A file whose time does not fit into the state is copied once, and is fine; another time within 64 bits is a change."""
    made, source, _destination = two
    source.put(b"far", b"1", mtime_ns)
    assert made().apply().copied == 301
    assert made().plan().is_empty
    assert made().apply().copied == 0
    assert made().audit().fine == 301
    source.put(b"far", b"2", 2**62)
    assert made(check_destination=True).apply().copied == 1
    assert made().plan().is_empty


def test_events(two):
    """Each file is told; who throws ends the run, and the next one goes on."""
    made, source, destination = two
    heard = []
    made().apply(event=heard.append)
    assert sorted(each["path"] for each in heard if each["event"] == "copied") == sorted(map(os.fsdecode, FILES))
    source.put(b"0/000", b"newer")

    def throwing(event):
        if event["event"] == "copied":
            raise ValueError("enough")

    before = set(threading.enumerate())
    with pytest.raises(ValueError, match="enough"):
        made().apply(event=throwing)
    assert set(threading.enumerate()) == before
    assert made().apply().resumed
    assert destination.contents() == source.contents()


def test_one_at_a_time(two):
    """A second run with the same state is refused while the first one is at work; a plan is as well, or is not wrong."""
    made, _source, _destination = two
    caught = []

    def second(_event):
        if not caught:
            try:
                made().apply()
            except errors.FlatwaterError as error:
                caught.append(error)

    made().apply(event=second)
    assert caught
    assert made().plan().is_empty


@pytest.mark.parametrize("state", ["", 5, b"st", "a\x00b"])
def test_a_state_that_is_no_path(tmp_path, state):
    """It is refused before anything is looked at, by a plan as by a run."""
    with pytest.raises(errors.UsageError, match="a state is the path of a directory"):
        Sync(tmp_path / "a", tmp_path / "b", state)


def test_what_is_left_out_is_not_missed(two):
    """Files that a killed run left NEW, and that are left out now, do not make a run incomplete: a plan has nothing to do."""
    made, _source, _destination = two

    def stop(event):
        if event == {**event, "event": "phase", "phase": "copy"}:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made().apply(event=stop)
    out = made(include=["0/*"])
    report = out.apply()
    assert report.counts["NEW"] > 0
    assert (report.left, report.is_complete, out.plan().is_empty) == (0, True, True)
    assert made().apply().is_complete


def test_an_empty_source(tmp_path):
    """A root that is there and has nothing: the guard looks at what would go."""
    source, destination = Fake("fake://source", FILES), Fake("fake://destination")
    Sync(source, destination, tmp_path / "state", durability="off").apply()
    source.files.clear()
    with pytest.raises(DeleteGuard, match="300 files are gone"):
        Sync(source, destination, tmp_path / "state", durability="off").apply()
    assert len(destination.files) == 300


def test_by_checksum(two):
    """What has another time and the same content is not copied; what has the same size and time and another content is."""
    made, source, destination = two
    made(compare="checksum").apply()
    source.put(b"0/000", FILES[b"0/000"])
    data, time_ns = source.files[b"1/001"]
    source.files[b"1/001"] = (data[::-1] + b"", time_ns) if data != data[::-1] else (b"9", time_ns)
    vanished = iter([True])
    source.faults = lambda operation, path: (
        source.files.pop(b"2/002", None) if operation == "read" and path == b"2/002" and next(vanished, False) else None
    )
    report = made(compare="checksum").apply()
    assert (report.copied, report.gone) == (1, 1)
    made(compare="checksum").apply()
    assert destination.contents() == source.contents()


def test_arguments(tmp_path):
    """What is no option is refused, with those that are."""
    with pytest.raises(errors.UsageError, match="colour= is no option"):
        fw.Sync(tmp_path / "a", tmp_path / "b", colour="red")
    with pytest.raises(errors.UsageError, match="max_delete"):
        fw.Sync(tmp_path / "a", tmp_path / "b", max_delete="many")
    assert "state" in repr(fw.Sync(tmp_path / "a", tmp_path / "b", state=tmp_path / "state"))


def test_names_of_any_bytes(tmp_path):
    """From a directory to a directory: line ends, no UTF-8, very long, hidden."""
    names = [
        b"a\nb",
        b"\xff\xfe",
        b"n" * 255,
        b".hidden",
        b"d" * 200 + b"/" + b"e" * 200 + b"/" + b"f" * 200,
        b"-",
        b"a b/c",
    ]
    for name in names:
        path = os.path.join(os.fsencode(tmp_path), b"from", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(name)
    os.symlink(b"loop", os.path.join(os.fsencode(tmp_path), b"from", b"loop"))
    sync = Sync(tmp_path / "from", tmp_path / "to", tmp_path / "state")
    assert sync.apply().copied == len(names)
    for name in names:
        with open(os.path.join(os.fsencode(tmp_path), b"to", name), "rb") as file:
            assert file.read() == name
    assert sync.plan().is_empty
    assert sync.audit().is_fine
