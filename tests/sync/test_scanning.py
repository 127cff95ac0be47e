"""A scan: what changes in the state, and where it goes on."""

from __future__ import annotations

import pytest
from fakes import Fake, checked, statuses

from flatwater import errors, limits
from flatwater.sync import record as records
from flatwater.sync.comparing import Comparison
from flatwater.sync.failures import RemoteFailure
from flatwater.sync.listing import Listing
from flatwater.sync.retrying import Retrying
from flatwater.sync.scanning import Scan, finalize
from flatwater.sync.state import Pair, Range, State
from flatwater.sync.status import Status

PATHS = [b"%02d" % number for number in range(20)]


@pytest.fixture
def state(tmp_path):
    """An empty one."""
    with State(str(tmp_path / "state"), Pair("a", "b"), durability="off") as state:
        yield state


@pytest.fixture
def source():
    """Twenty files."""
    return Fake(files=dict.fromkeys(PATHS, b"text"))


def scan(state, source, *, ranges=None, takes=None, tell=None, begins=True):
    ranges = ranges or [Range()]
    if begins:
        state.run.generation += 1
        state.run.is_complete = True
        if not state.read_only:
            state.begin_scan(ranges)
    listing = Listing(source, ranges, 1, Retrying(1), None if takes is None else lambda entry: takes(entry.path))
    found = Scan(state, listing, ranges, Comparison("mtime", source, lambda _entry: b""), takes, tell)
    found.run(lambda: None)
    return found


def make_synced(state):
    for page in list(state.pages(b"", b"")):
        for (path,), value in page:
            before = records.unpacked(value)
            state.commit([(path, before, before._replace(status=Status.SYNCED, has_copy=True))])


def test_what_is_found(state, source):
    """New, changed, gone, back; what is unchanged is not written."""
    found = scan(state, source)
    assert (found.files, found.bytes, found.new, found.is_complete) == (20, 80, 20, True)
    make_synced(state)
    before = {key: value for page in state.pages(b"", b"") for key, value in page}
    source.put(b"05", b"text")
    del source.files[b"07"]
    found = scan(state, source)
    assert (found.new, found.changed, found.missing, found.back) == (0, 1, 1, 0)
    after = {key: value for page in state.pages(b"", b"") for key, value in page}
    assert {key[0] for key in before if before[key] != after[key]} == {b"05", b"07"}
    source.put(b"07", b"text", records.unpacked(before[(b"07",)]).mtime_ns)
    assert scan(state, source).back == 1
    assert statuses(state) == {**dict.fromkeys(PATHS, "SYNCED"), b"05": "NEW"}
    checked(state)


@pytest.mark.parametrize("batch", [1, 3, 7])
@pytest.mark.parametrize("stop", range(0, 17, 4))
def test_it_goes_on_where_it_broke(state, source, monkeypatch, batch, stop):
    """Every file is looked at once by both together; nothing between is lost, what came behind the place is found."""
    monkeypatch.setattr(limits, "SYNC_COMMIT_ROWS", 4)
    source.batch = batch

    def fault(operation, path):
        if operation == "batch" and path >= PATHS[stop]:
            raise RemoteFailure("down")

    source.faults = fault
    ranges = [Range(b"", b"10"), Range(b"1", b"")]
    with pytest.raises(RemoteFailure):
        scan(state, source, ranges=ranges)
    source.faults = lambda *_: None
    kept = state.ranges()
    for path in (b"00.b", b"19.b"):
        source.put(path)
    source.batch = 4
    first = sum(path <= kept[0].done or b"1" <= path <= kept[1].done for path in PATHS)
    found = scan(state, source, ranges=kept, begins=False)
    assert found.files in {20 - first + 1, 20 - first + 2}
    assert set(statuses(state)) >= {*PATHS, b"19.b"}
    assert all(each.is_done for each in state.ranges())
    checked(state)


@pytest.mark.parametrize("at", range(8))
def test_a_state_that_cannot_be_written_keeps_its_place(state, source, monkeypatch, at):
    """No place in the listing is written that is behind a change that was lost."""
    monkeypatch.setattr(limits, "SYNC_COMMIT_ROWS", 3)
    source.batch = 2
    write_to, calls = state._store.write_to, iter(range(100))

    def full(pairs):
        if next(calls) == at:
            raise errors.BrokenError("no room")
        return write_to(pairs)

    with monkeypatch.context() as patch:
        patch.setattr(state._store, "write_to", full)
        with pytest.raises(errors.BrokenError):
            scan(state, source)
    checked(state)
    (place,) = state.ranges()
    assert set(statuses(state)) >= {path for path in PATHS if path <= place.done}
    scan(state, source, ranges=[place], begins=False)
    assert set(statuses(state)) == set(PATHS)


def test_folders_that_could_not_be_listed(state, source):
    """What is below them is missing for now, and nothing is decided."""
    source.put(b"f/1")
    scan(state, source)
    make_synced(state)
    source.unreadable = {b"f/"}
    found = scan(state, source)
    assert not found.is_complete
    assert not state.run.is_complete
    assert statuses(state)[b"f/1"] == "TEMP_DELETED"
    source.unreadable = set()
    assert scan(state, source).is_complete
    assert statuses(state)[b"f/1"] == "SYNCED"


def test_deciding(state, source):
    """Files with a copy are to be deleted, others are forgotten, and what is left out is let be."""
    scan(state, source)
    make_synced(state)
    source.put(b"new")
    scan(state, source)
    for path in (b"new", b"03", b"04"):
        del source.files[path]
    scan(state, source)
    assert finalize(state, lambda path: path != b"04") == 2
    assert statuses(state)[b"03"] == "DELETED_ON_SOURCE"
    assert statuses(state)[b"04"] == "TEMP_DELETED"
    assert b"new" not in statuses(state)
    checked(state)
    assert finalize(state, None) == 1


def test_other_patterns(state, source):
    """Files that are left out now are neither missing nor changed; when they are taken again, they are as they were."""
    scan(state, source)
    make_synced(state)
    source.put(b"03")
    found = scan(state, source, takes=lambda path: path >= b"10")
    assert (found.files, found.missing, found.changed) == (10, 0, 0)
    assert set(statuses(state).values()) == {"SYNCED"}
    assert scan(state, source).changed == 1


def test_only_told(state, source, tmp_path):
    """A state that is only read is not changed, whatever is found."""
    scan(state, source)
    make_synced(state)
    state.close()
    source.put(b"05")
    source.put(b"55")
    del source.files[b"07"]
    told = []
    with State(str(tmp_path / "state"), Pair("a", "b"), read_only=True) as read:
        scan(read, source, tell=told.append)
        assert set(statuses(read).values()) == {"SYNCED"}
    assert [(each.action, each.path) for each in told] == [("changed", b"05"), ("delete", b"07"), ("new", b"55")]
