"""A listing in ranges, that breaks and goes on."""

from __future__ import annotations

import threading

import pytest
from fakes import Fake

from flatwater import limits
from flatwater.sync.failures import Failure, GoneFailure, RefusedFailure, TemporaryFailure
from flatwater.sync.listing import Listing, bytes_max, ranges_of
from flatwater.sync.retrying import Retrying
from flatwater.sync.state import Range

FILES = {b"%s/%02d" % (folder, number): b"x" for folder in (b"a", b"b", b"c") for number in range(7)} | {b"z": b""}


def listed(remote, ranges=None, workers=1, tries=3, takes=None):
    ranges = ranges or [Range()]
    listing = Listing(remote, ranges, workers, Retrying(tries, 0.0001), takes)
    found, ended = [], []
    for part in listing.parts():
        found += [entry.path for entry in part.batch]
        ended += [part.number] * part.is_last
    assert sorted(ended) == [number for number, each in enumerate(ranges) if not each.is_done]
    return found, listing


@pytest.mark.parametrize("workers", [1, 2, 9])
def test_side_by_side(workers):
    """All ranges together are all files, each once, and each range is in order."""
    remote = Fake(files=FILES)
    ranges = ranges_of(remote, 1, Retrying())
    assert [each.after for each in ranges] == [b"", b"a/", b"b/", b"c/"]
    found, _listing = listed(remote, ranges, workers)
    assert sorted(found) == sorted(FILES)
    for folder in (b"a", b"b", b"c"):
        mine = [path for path in found if path.startswith(folder)]
        assert mine == sorted(mine)


def test_no_more_ranges_than_are_kept(monkeypatch):
    """Borders are thinned out, and nothing is lost by that."""
    monkeypatch.setattr(limits, "SYNC_RANGES_MAX", 4)
    remote = Fake(files={b"%03d/x" % number: b"" for number in range(50)})
    ranges = ranges_of(remote, 1, Retrying())
    assert len(ranges) <= 4
    assert sorted(listed(remote, ranges, 3)[0]) == sorted(remote.files)
    assert ranges_of(remote, 0, Retrying()) == [Range()]


@pytest.mark.parametrize("workers", [1, 3])
def test_it_goes_on_where_it_broke(workers):
    """Each file comes once however often it breaks, as long as there is progress; without any it is over."""
    remote = Fake(files=FILES)
    remote.breaks = {number: TemporaryFailure("cut") for number in range(12)}
    found, _listing = listed(remote, ranges_of(remote, 1, Retrying()), workers, tries=13)
    assert sorted(found) == sorted(FILES)
    remote.faults = lambda operation, _path: (
        (_ for _ in ()).throw(TemporaryFailure("down")) if operation == "list" else None
    )
    with pytest.raises(TemporaryFailure, match="down"):
        listed(remote, [Range(), Range(b"b", b"c")], workers)
    assert remote.calls["list"] >= 3


@pytest.mark.parametrize("failure", [RefusedFailure("no"), GoneFailure("gone"), Failure("bad")])
@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_no_accident_is_told(failure, workers):
    """It is not tried again, and no range is said to be over that is not."""
    remote = Fake(files=FILES)
    remote.breaks = {2: failure}
    ended = []
    parts = Listing(remote, [Range(b"", b"b"), Range(b"b", b"")], workers, Retrying(5, 0.0001)).parts()
    with pytest.raises(type(failure)):
        ended += (part.number for part in parts if part.is_last)
    assert len(ended) < 2


def test_a_wrong_order_is_refused():
    """Files would be taken for missing."""
    remote = Fake(files=FILES)
    remote.is_shuffled = True
    with pytest.raises(Failure, match="byte order"):
        listed(remote)


def test_folders_that_cannot_be_read():
    """They are told, and the others are listed."""
    remote = Fake(files=FILES)
    remote.unreadable = {b"b/"}
    found, listing = listed(remote)
    assert found == sorted(path for path in FILES if not path.startswith(b"b/"))
    assert (listing.unread_count, [folder for folder, _why in listing.unread]) == (1, [b"b/"])


def test_places_pass_over_what_is_left_out():
    """The last path of a part is the last that was looked at, taken or not."""
    remote = Fake(files=FILES)
    parts = list(Listing(remote, [Range()], 1, Retrying(), lambda entry: entry.path.endswith(b"0")).parts())
    assert [entry.path for part in parts for entry in part.batch] == [b"a/00", b"b/00", b"c/00"]
    assert parts[0].last == b"a/01"
    assert parts[-1] == (0, [], b"z", True)


def test_it_goes_on_behind_a_place():
    """Ranges that are done are not listed, others from behind their place."""
    remote = Fake(files=FILES)
    ranges = [Range(b"", b"b/", b"a/03"), Range(b"b/", b"c/", b"", True), Range(b"c/", b"", b"c/06")]
    assert sorted(listed(remote, ranges, 2)[0]) == [b"a/04", b"a/05", b"a/06", b"z"]


def test_nobody_is_left_when_it_is_given_up(monkeypatch):
    """Its threads end, also such as wait for room."""
    monkeypatch.setattr(limits, "SYNC_WAITING", 1)
    before = set(threading.enumerate())
    parts = Listing(Fake(files=FILES), [Range(b"", b"b"), Range(b"b", b"c"), Range(b"c", b"")], 3, Retrying()).parts()
    next(parts)
    parts.close()
    assert set(threading.enumerate()) == before


def test_who_gives_it_up_does_not_wait_for_a_server_that_hangs(monkeypatch):
    """Its thread is left behind."""
    monkeypatch.setattr(limits, "SYNC_LEAVE_S", 0.05)
    remote = Fake(files=FILES)
    hangs, answers = threading.Event(), threading.Event()
    batches = remote.batches

    def hung(after=b"", before=b"", unread=None):
        if after == b"a/":
            hangs.set()
            answers.wait(60)
        yield from batches(after, before, unread)

    ranges = ranges_of(remote, 1, Retrying())
    remote.batches = hung
    earlier = set(threading.enumerate())
    parts = Listing(remote, ranges, 4, Retrying()).parts()
    next(parts)
    hangs.wait(60)
    parts.close()
    left = set(threading.enumerate()) - earlier
    answers.set()
    assert left
    for thread in left:
        thread.join()


def test_the_end_of_a_run_ends_it():
    """Nothing is said to be over."""
    retrying = Retrying()
    parts = Listing(Fake(files=FILES), [Range(b"", b"b"), Range(b"b", b"")], 2, retrying).parts()
    retrying.stop.set()
    assert not any(part.is_last for part in parts)


def test_its_bound():
    """More listings hold more."""
    assert bytes_max(Fake(), 1) < bytes_max(Fake(), 4)
