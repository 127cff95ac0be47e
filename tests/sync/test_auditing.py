"""A destination beside what was copied to it."""

from __future__ import annotations

import pytest
from fakes import Fake, checked, statuses

from flatwater.sync.auditing import adopting
from flatwater.sync.entry import Entry
from flatwater.sync.failures import GoneFailure, RemoteFailure
from flatwater.sync.record import Record
from flatwater.sync.state import Pair, State
from flatwater.sync.status import Status
from flatwater.sync.sync import Sync

FILES = {b"a": b"one", b"b/1": b"two", b"b/2": b"three", b"c": b"four"}


class Two:
    """A source and a destination that were synced once."""

    def __init__(self, folder, **options):
        self.source = Fake("fake://source", FILES)
        self.destination = Fake("fake://destination", **options)
        self.path = str(folder / "state")
        self.sync().apply()

    def sync(self, **options):
        return Sync(self.source, self.destination, self.path, durability="off", **options)

    def statuses(self):
        with State(self.path, Pair(self.source.url, self.destination.url), read_only=True) as state:
            checked(state)
            return statuses(state)


@pytest.fixture
def two(tmp_path):
    """Both of them, with a destination that keeps times."""
    return Two(tmp_path)


def test_what_differs(two):
    """Missing, altered, added; nothing is written, and each is told."""
    del two.destination.files[b"a"]
    two.destination.put(b"b/1", b"TWO")
    two.destination.put(b"mine")
    told = []
    audit = two.sync().audit(told.append)
    assert (audit.files, audit.fine, audit.missing, audit.altered, audit.unknown, audit.pending) == (4, 2, 1, 1, 1, 0)
    assert [(each.kind, each.path) for each in told] == [("missing", b"a"), ("altered", b"b/1"), ("unknown", b"mine")]
    assert audit.differences == told
    assert not audit.is_fine
    assert set(two.statuses().values()) == {"SYNCED"}


def test_repairing(two):
    """What is missing or altered is copied again; what somebody added stays."""
    del two.destination.files[b"a"]
    two.destination.put(b"c", b"FOUR!")
    two.destination.put(b"mine", b"m")
    assert two.sync().audit(repair=True).missing == 1
    assert two.statuses() == {**dict.fromkeys(FILES, "SYNCED"), b"a": "NEW", b"c": "NEW"}
    assert two.sync().apply().copied == 2
    assert two.destination.contents() == {**FILES, b"mine": b"m"}


def test_checking_while_applying(two):
    """One run looks, copies again what differs, and deletes what is gone."""
    del two.destination.files[b"b/2"], two.source.files[b"c"]
    report = two.sync(check_destination=True).apply()
    assert (report.repaired, report.copied, report.deleted) == (1, 1, 1)
    assert two.destination.contents() == two.source.contents()


def test_a_destination_that_keeps_no_times(tmp_path):
    """Sizes are compared, times that it makes up are not."""
    two = Two(tmp_path, keeps_mtime=False)
    for path, data in FILES.items():
        two.destination.put(path, data)
    assert two.sync().audit().is_fine
    two.destination.put(b"a", b"longer")
    assert two.sync().audit().altered == 1


def test_etags_of_copies(tmp_path):
    """Where it tells them, the content is compared, whatever the times are."""
    two = Two(tmp_path, tells_etag=True)
    two.destination.put(b"a", b"one")
    assert two.sync().audit().is_fine
    two.destination.put(b"a", b"ONE")
    assert two.sync().audit().altered == 1


def test_a_destination_that_is_not_there(two):
    """Everything is missing, and copied again when that is asked for."""
    two.destination.files.clear()
    two.destination.is_gone = True
    audit = two.sync().audit()
    assert (audit.files, audit.missing) == (0, 4)
    report = two.sync(check_destination=True).apply()
    assert report.copied == 4


@pytest.mark.parametrize("failure", [RemoteFailure("down"), GoneFailure("gone")])
def test_a_look_that_breaks(two, failure):
    """It is raised, and nothing that was not looked at is called missing."""
    two.destination.breaks = {1: failure}
    with pytest.raises(type(failure)):
        two.sync(levels=0).audit(repair=True)
    assert set(two.statuses().values()) == {"SYNCED"}


def test_folders_that_cannot_be_listed(two):
    """That is said, and all is not fine."""
    two.destination.unreadable = {b"b/"}
    audit = two.sync().audit()
    assert audit.unread == 1
    assert not audit.is_fine


def test_pending_ones(two):
    """Files that are not synced by now are neither fine nor unknown."""
    two.source.put(b"a", b"newer")
    two.source.put(b"d", b"new")
    two.destination.refused = {b"a": "no", b"d": "no"}
    two.sync().apply()
    audit = two.sync().audit()
    assert (audit.pending, audit.fine, audit.unknown) == (2, 3, 0)


def test_what_is_left_out(two):
    """It is not looked at."""
    del two.destination.files[b"a"], two.destination.files[b"c"]
    audit = two.sync(exclude=["/a"]).audit()
    assert (audit.missing, audit.files) == (1, 2)


@pytest.mark.parametrize(
    ("etags", "compared", "record", "entry", "adopts"),
    [
        ((False, False), "mtime", (3, 100, b""), (3, 100, b""), True),
        ((False, False), "mtime", (3, 100, b""), (3, 101, b""), False),
        ((False, False), "mtime", (3, 100, b""), (4, 100, b""), False),
        ((False, False), "size", (3, 100, b""), (3, 5, b""), True),
        ((False, False), "mtime", (3, -1, b""), (3, -1, b""), False),
        ((True, True), "etag", (3, 100, b"0" * 32), (3, 5, b"0" * 32), True),
        ((True, True), "etag", (3, 100, b"0" * 32), (3, 100, b"1" * 32), False),
        ((True, False), "etag", (3, 100, b"0" * 32), (3, 100, b""), False),
    ],
)
def test_what_was_there_before(etags, compared, record, entry, adopts):
    """It is taken for the source's version only where that can be told; what cannot be told is copied."""
    source, destination = Fake(tells_etag=etags[0]), Fake(tells_etag=etags[1])
    found = adopting(source, destination, compared, lambda _entry: pytest.fail("it was read"))
    assert found(Record(Status.NEW, False, 1, *record), Entry(b"p", *entry)) is adopts


def test_adopting(tmp_path):
    """A first run that looks does not copy what is there already, and copies the rest."""
    source, destination = Fake("fake://source", FILES), Fake("fake://destination")
    for path in (b"a", b"b/1"):
        destination.put(path, *source.files[path])
    destination.put(b"c", b"four")
    report = Sync(source, destination, tmp_path / "state", check_destination=True).apply()
    assert (report.adopted, report.copied) == (2, 2)
    assert destination.contents() == FILES
