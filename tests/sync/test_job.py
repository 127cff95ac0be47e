"""What a run takes, and gives back."""

from __future__ import annotations

import threading

import pytest
from fakes import Fake

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.sync.failures import RemoteFailure
from flatwater.sync.job import Job, Sizes, bytes_max
from flatwater.sync.options import Options
from flatwater.sync.pacing import FREE, Limited
from flatwater.sync.sync import Sync

MIB = 1 << 20


def job(folder, source=None, destination=None, **options):
    return Job(
        source or Fake("fake://a"), destination or Fake("fake://b"), str(folder / "state"), Options(**options), read_only=False,
        event=None,
    )  # fmt: skip


def test_a_sum_is_promised_and_given_back(tmp_path):
    """The budget holds it as long as the job is open."""
    with Budget("1 GiB") as budget:
        before = budget.held
        with job(tmp_path) as found:
            remotes = found.source, found.destination, found.options
            assert budget.held - before == bytes_max(*remotes, Sizes(limits.SYNC_WORKERS, limits.SYNC_LIST_WORKERS, 0))
            assert bytes_max(*remotes, Sizes(8, 4, MIB)) > bytes_max(*remotes, Sizes(4, 4, MIB))
            assert bytes_max(*remotes, Sizes(8, 4, MIB)) > bytes_max(*remotes, Sizes(8, 2, MIB))
            assert bytes_max(*remotes, Sizes(8, 4, 2 * MIB)) == bytes_max(*remotes, Sizes(8, 4, MIB)) + MIB
        assert budget.held == before


class Holds(Fake):
    """Of a large file, 8 MiB while it is copied."""

    def held_bytes(self, size):
        return min(size, 8 * MIB)


def test_a_small_budget_gets_less(tmp_path):
    """Fewer bytes under way first, then fewer listings at a time, then fewer workers; what was asked for is not lessened."""
    with job(tmp_path, Fake("fake://a"), Holds("fake://b")) as found:
        remotes = found.source, found.destination, found.options
        assert found.sizes == (8, 4, 32 * MIB)
    sizes = (8, 4, 8 * MIB), (8, 1, 8 * MIB), (1, 1, 8 * MIB)
    for size in sizes:
        with Budget(bytes_max(*remotes, Sizes(*size))), job(tmp_path, *remotes[:2]) as found:
            assert found.sizes == size
    with Budget(bytes_max(*remotes, Sizes(*sizes[-1]))) as budget:
        with budget.reserve(1, "other"), pytest.raises(errors.BudgetExceeded, match="this pair takes"):
            job(tmp_path, *remotes[:2])
        for asked, name in (
            ({"workers": 8}, "workers="),
            ({"list_workers": 4}, "list_workers="),
            ({"bytes": "1 GiB"}, "bytes="),
        ):
            with pytest.raises(errors.BudgetExceeded) as caught:
                job(tmp_path, *remotes[:2], **asked)
            assert f"lower {name}" in caught.value.hint


def test_fewer_bytes_than_one_file_takes_are_none(tmp_path):
    """What a part of a large file takes is promised whatever was asked for: it will be held."""
    with job(tmp_path, Fake("fake://a"), Holds("fake://b"), bytes=MIB) as found:
        assert found.window.limit == 8 * MIB


def test_a_plan_takes_no_room_for_copies(tmp_path):
    """It has none to make."""
    remotes = Fake("fake://a"), Holds("fake://b")
    sync = Sync(*remotes, tmp_path / "state", workers=64, bytes="1 GiB")
    with Budget("64 MiB") as budget:
        with sync._job(read_only=True, event=None):
            assert budget.held < bytes_max(*remotes, sync.options, Sizes(1, 4, 1))
        with pytest.raises(errors.BudgetExceeded):
            sync.apply()


def test_an_audit_takes_room_for_the_listing_that_it_makes(tmp_path):
    """The destination's, not the source's."""

    class Wide(Fake):
        def listing_bytes(self):
            return 100 * MIB

    one, wide = Fake("fake://a"), Wide("fake://b")
    wide.files[b"x"] = (b"", 0)
    with Budget("64 MiB"):
        assert Sync(one, wide, tmp_path / "one").apply().is_complete
        with pytest.raises(errors.BudgetExceeded):
            Sync(one, wide, tmp_path / "one").audit()
        assert Sync(wide, one, tmp_path / "two").audit().files == 0


def test_there_is_room_for_the_walks_of_the_state(tmp_path):
    """Whatever budget a run begins with, it gets to its end: nothing is refused in the middle."""
    begun = 0
    for size in range(16, 64, 4):
        source, destination = (
            Fake(f"fake://{size}", {b"%d/%d" % (at % 3, at): b"x" for at in range(60)}),
            Fake("fake://b"),
        )
        sync = Sync(source, destination, tmp_path / str(size), durability="off")
        with Budget(size * MIB):
            try:
                sync._job(read_only=False, event=None).close()
            except errors.BudgetExceeded:
                continue
            begun += 1
            assert sync.apply().is_complete
            assert sync.apply().copied == 0
    assert 4 <= begun < 12


def test_a_budget_that_is_too_small_leaves_nothing_open(tmp_path, open_files):
    """Neither bytes, nor files, nor the state's lock."""
    job(tmp_path).close()
    before = open_files()
    with Budget("9 MiB") as budget:
        held = budget.held
        with pytest.raises(errors.BudgetExceeded):
            job(tmp_path)
        assert budget.held == held
    assert open_files() - before == set()
    job(tmp_path).close()


def test_paces(tmp_path):
    """Of requests, to each remote; none where nobody asked for any."""
    one, two = Fake("fake://a"), Fake("fake://b")
    with job(tmp_path, one, two, requests_per_s=50):
        assert isinstance(one.pace, Limited)
        assert one.pace is not two.pace
    with job(tmp_path, one, two):
        assert one.pace is two.pace is FREE


@pytest.mark.parametrize(
    "operation", ["borders", "list", "batch", "read", "chunk", "write", "part", "publish", "settle", "delete"]
)
@pytest.mark.parametrize(
    "failure", [RemoteFailure("down"), KeyboardInterrupt(), ValueError("a defect")], ids=["failure", "ctrl-c", "defect"]
)
def test_nothing_is_left_whatever_ends_it(tmp_path, open_files, operation, failure):
    """No thread, no file, no byte of the budget, no lock; and the next run makes it good."""
    source = Fake("fake://a", {b"%d/%d" % (at % 5, at): b"text" for at in range(30)})
    destination = Fake("fake://b")
    Sync(source, destination, tmp_path / "state", list_workers=3).apply()
    for path in list(source.files)[:10]:
        del source.files[path]
    for path in list(source.files)[5:]:
        source.put(path, b"another")
    threads, files = set(threading.enumerate()), open_files()

    def fault(asked, _path):
        if asked == operation:
            raise failure

    with Budget("256 MiB") as budget:
        before = budget.held
        source.faults = destination.faults = fault
        with pytest.raises(type(failure)):
            Sync(source, destination, tmp_path / "state", list_workers=3, durability="off").apply()
        source.faults = destination.faults = lambda *_: None
        assert (set(threading.enumerate()), open_files() - files, budget.held) == (threads, set(), before)
        assert (source.open, destination.open, destination.unfinished) == (0, 0, set())
        Sync(source, destination, tmp_path / "state", durability="off").apply()
    assert destination.contents() == source.contents()
