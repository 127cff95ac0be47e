"""How much may be deleted, and deleting it."""

from __future__ import annotations

import threading

import pytest
from fakes import Fake, checked, statuses

from flatwater import errors
from flatwater.sync.deleting import DeleteGuard, Guard, count_to_delete, delete, recognizing
from flatwater.sync.entry import Entry
from flatwater.sync.failures import RefusedFailure, RemoteFailure, TemporaryFailure
from flatwater.sync.record import Record
from flatwater.sync.retrying import Retrying
from flatwater.sync.state import Change, Pair, State
from flatwater.sync.status import Status

GONE = Record(Status.DELETED_ON_SOURCE, True)
PATHS = [b"%02d" % number for number in range(10)]


@pytest.mark.parametrize(
    ("allowed", "copies", "most"),
    [
        (None, 0, 100), (None, 400, 100), (None, 1000, 250), ("10%", 5000, 500), ("10%", 50, 5), ("10%", 9, 0), ("0%", 1000, 0),
        (0, 1000, 0), (7, 10**7, 7), ("7", 1, 7), ("100%", 5000, 5000), ("29%", 100, 29), ("0.07%", 10_000, 7), ("25%", 4, 1),
    ],
)  # fmt: skip
def test_how_many(allowed, copies, most):
    """A number is one, and a share exactly that share; where nobody asked, a few may go in any case."""
    guard = Guard(allowed)
    assert guard.allowed(copies) == most
    assert guard.refusal(most, copies, "there") == ""
    assert guard.refusal(most + 1, copies, "there").startswith(f"{most + 1:,} file")


@pytest.mark.parametrize("allowed", [-1, "-5%", "x", "101%", True, 1.5, "nan%", "inf%", "", "%", "0.1%%", "1/0%"])
def test_what_is_no_number(allowed):
    """It is refused, rather than taken for everything or nothing."""
    with pytest.raises(errors.UsageError, match="max_delete"):
        Guard(allowed)


def test_what_the_refusal_says():
    """How many, of how many, where, and how they may go."""
    error = Guard("10%").error(900, 1000, "there", "report")
    assert isinstance(error, DeleteGuard)
    assert "900 files are gone from the source, and would be deleted at there" in str(error)
    assert "max_delete=10% of 1,000 files allows 100. None was deleted." in str(error)
    assert "--max-delete 900" in error.hint
    assert (error.exit_code, error.report, error.limit) == (1, "report", 100)
    assert "max_delete=2.5% of 1,000 files allows 25." in Guard("2.5%").refusal(900, 1000, "there")
    assert "max_delete=25% of 40 files, and at least 100, allows 100." in Guard(None).refusal(900, 40, "there")
    assert "max_delete=25% of 1,000 files allows 250." in Guard(None).refusal(900, 1000, "there")


@pytest.fixture
def state(tmp_path):
    """Ten files to delete, and one that is synced."""
    with State(str(tmp_path / "state"), Pair("a", "b"), durability="off") as state:
        state.commit([Change(path, None, GONE) for path in PATHS])
        state.commit([Change(b"stays", None, Record(Status.SYNCED, True))])
        yield state


def run(state, destination, **options):
    told = []
    given = {
        "workers": 3,
        "retrying": Retrying(3, 0.0001),
        "takes": None,
        "discards": False,
        "is_ours": None,
        **options,
    }
    delete(state, destination, report=lambda path, failure: told.append((path, failure)), **given)
    return told


def remote():
    destination = Fake(files={**dict.fromkeys(PATHS, b"x"), b"stays": b"x", b"mine": b"x"})
    destination.published = {*PATHS, b"stays"}
    destination.delete_files = 3
    return destination


def test_deleted_and_forgotten(state):
    """All that is to be, nothing else, also such as are not there any more; a hiccup does no harm."""
    destination = remote()
    del destination.files[b"03"]
    broken = iter([True])
    destination.faults = lambda operation, _path: (
        (_ for _ in ()).throw(TemporaryFailure("busy")) if operation == "delete" and next(broken, False) else None
    )
    assert run(state, destination) == [(path, None) for path in PATHS]
    assert set(destination.files) == {b"stays", b"mine"}
    assert statuses(state) == {b"stays": "SYNCED"}
    checked(state)
    assert destination.calls["discard"] == 0


def test_those_that_cannot_be(state):
    """They stay to be deleted, and are told with the reason."""
    destination = remote()
    refused = RefusedFailure("no")

    def fault(operation, path):
        if operation == "delete one" and path == b"05":
            raise refused

    destination.faults = fault
    told = run(state, destination)
    assert [found for found in told if found[1] is not None] == [(b"05", refused)]
    assert statuses(state) == {b"05": "DELETED_ON_SOURCE", b"stays": "SYNCED"}
    checked(state)


def test_a_remote_that_is_down(state):
    """It is raised; what is not deleted stays to be, and no thread is left."""
    destination = remote()
    before = set(threading.enumerate())
    calls = iter(range(100))

    def fault(operation, _path):
        if operation == "delete" and next(calls) >= 2:
            raise RemoteFailure("down")

    destination.faults = fault
    with pytest.raises(RemoteFailure):
        run(state, destination)
    assert set(threading.enumerate()) == before
    checked(state)
    left = {path for path, status in statuses(state).items() if status == "DELETED_ON_SOURCE"}
    assert set(destination.files) - {b"stays", b"mine"} <= left
    destination.faults = lambda *_: None
    run(state, destination)
    assert set(destination.files) == {b"stays", b"mine"}


def test_what_is_left_out_stays(state):
    """It is neither counted nor deleted."""
    destination = remote()
    assert count_to_delete(state, None) == 10
    assert count_to_delete(state, lambda path: path < b"04") == 4
    run(state, destination, takes=lambda path: path < b"04")
    assert count_to_delete(state, None) == 6
    assert set(destination.files) == {*PATHS[4:], b"stays", b"mine"}


def test_what_a_killed_run_left_goes_too(state):
    """Unfinished files of what is deleted."""
    destination = remote()
    destination.unfinished = {b"02", b"other"}
    run(state, destination, discards=True)
    assert destination.unfinished == {b"other"}


MD5 = b"0" * 32


@pytest.mark.parametrize(
    ("record", "entry", "is_ours"),
    [
        ((3, 5_000_000_007, b""), (3, 5_000_000_999, b""), True), ((3, 5_000_000_007, b""), (4, 5_000_000_007, b""), False),
        ((3, 5_000_000_007, b""), (3, 7_000_000_000, b""), False), ((3, -1, b""), (3, 7, b""), True),
        ((3, 7, MD5), (3, 8, MD5), True), ((3, 7, MD5), (3, 7, MD5[:-1] + b"1"), False), ((3, 7, MD5), (3, 7, b"v-2"), True),
    ],
)  # fmt: skip
def test_what_is_recognized(record, entry, is_ours):
    """By its size, by the MD5 where both tell one, else by the time as exactly as both have it."""
    source, destination = Fake(tells_etag=True), Fake(tells_etag=True)
    destination.mtime_step_ns = 1_000_000_000
    found = recognizing(source, destination)
    assert found(Record(Status.NEW, True, 1, *record, is_marked=True), Entry(b"p", *entry)) is is_ours
