"""watch.sight: the process, its children, and its control group as the operating system sees them."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from flatwater import limits
from flatwater.watch.sight import Group, Sight

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

MIB = 1 << 20
CHILD = f"import sys; held = bytearray(b'x') * {24 * MIB}; print('ready', flush=True); sys.stdin.read()"


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class FakeGroup:
    used, limit, reads = 10, 100, 0

    def read(self):
        self.reads += 1
        return self.used, self.limit


@pytest.fixture
def child():
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


def test_it_sees_this_process_grow():
    """32 MiB touched are 32 MiB more, anonymous and resident."""
    sight = Sight(children=False, clock=Clock())
    before = sight.read()
    held = bytearray(b"x") * (32 * MIB)
    after = sight.read()
    sight.close()
    for earlier, later in zip(before, after, strict=True):
        assert later - earlier == pytest.approx(len(held), rel=0.05)


def test_children_count_and_one_may_be_ignored(child):
    """A child of 24 MiB counts; the separate watching process does not; without children only this process does."""
    clock = Clock()
    own = Sight(children=False, clock=clock)
    whole = Sight(clock=clock)
    assert whole.read_now()[1] - own.read()[1] >= 23 * MIB
    assert whole.children_rss >= (all_of_them := whole.children_anon) >= 23 * MIB
    whole.ignored_pid = child.pid
    clock.now += 10
    whole.read()
    assert all_of_them - whole.children_anon >= 23 * MIB  # the test run may have other children
    whole.close()
    own.close()


def test_a_child_that_ends_is_gone(child):
    """After a child ended its bytes do not count any more."""
    sight = Sight(clock=Clock())
    assert sight.read_now()[1] >= 23 * MIB
    alone = sight.children_anon
    child.kill()
    child.wait()
    sight.read_now()
    assert sight.children_anon <= alone - 23 * MIB
    sight.close()


def test_slow_reads_are_seldom():
    """Children and the group are looked at ten times a second, however often samples are taken, or on request."""
    clock, group = Clock(), FakeGroup()
    sight = Sight(children=False, group=group, clock=clock)
    for _ in range(300):
        sight.read()
        clock.now += 0.01
    assert group.reads == pytest.approx(3 / limits.WATCH_SLOW_READ_PERIOD_S, abs=4)
    assert (sight.group_used, sight.group_limit) == (10, 100)
    group.used = 90
    sight.read_now()
    assert sight.group_used == 90
    reads = group.reads
    group.limit = -1
    sight.read_now()
    sight.read_now()
    assert group.reads == reads + 1
    sight.close()


def test_slow_reads_take_their_share_of_time():
    """A group whose read takes a second is not read again for 500 seconds."""
    clock, group = Clock(), FakeGroup()
    sight = Sight(children=False, group=group, clock=clock)
    group.read = lambda: (setattr(clock, "now", clock.now + 1), (1, 2))[1]
    sight.read()
    assert sight._slow_due_s == pytest.approx(0 + 1 / limits.WATCH_SLOW_READ_TIME_SHARE)
    sight.close()


def test_descriptors_are_given_back(child, open_files):
    """A hundred sights leave no descriptor open that was not before."""
    before = open_files()
    for _ in range(100):
        sight = Sight(clock=time.monotonic)
        sight.read()
        sight.close()
    assert open_files() <= before


def group_tree(tmp_path, *, version, limits_of, used, stat):
    """A control-group file system with the process in /app/job."""
    base = tmp_path / "cgroup" / ("memory" if version == 1 else "")
    job = base / "app" / "job"
    job.mkdir(parents=True)
    limit_file, usage_file = (
        ("memory.limit_in_bytes", "memory.usage_in_bytes") if version == 1 else ("memory.max", "memory.current")
    )
    for directory, text in zip((base, base / "app", job), limits_of, strict=True):
        if text:
            (directory / limit_file).write_text(f"{text}\n")
            (directory / usage_file).write_text(f"{used}\n")
            (directory / "memory.stat").write_text(stat)
    membership = tmp_path / "membership"
    membership.write_text("0::/app/job\n" if version == 2 else "5:cpu,memory:/app/job\n1:name=systemd:/\n")
    return Group.of_this_process(str(tmp_path / "cgroup"), str(membership))


def test_v2_page_cache_is_taken_off(tmp_path):
    """Near its limit a v2 group's file pages do not count, but shared memory, which is counted among them, does."""
    stat = "anon 1\nfile 40\nshmem 15\ninactive_file 25\n"
    group = group_tree(tmp_path, version=2, limits_of=("", "max", "100"), used=90, stat=stat)
    assert group.read() == (90 - 40 + 15, 100)


def test_v1_totals_are_used(tmp_path):
    """A v1 group counts its whole subtree: total_cache and total_shmem."""
    stat = "cache 999\nshmem 999\ntotal_cache 40\ntotal_shmem 15\n"
    group = group_tree(tmp_path, version=1, limits_of=("", str(1 << 62), "100"), used=90, stat=stat)
    assert group.read() == (65, 100)


def test_far_from_the_limit_the_cache_is_not_read(tmp_path):
    """Below half the limit the usage is taken as it is: memory.stat costs ten times as much."""
    group = group_tree(tmp_path, version=2, limits_of=("", "max", "100"), used=49, stat="file 40\n")
    assert group.read() == (49, 100)


def test_the_tightest_limit_on_the_way_up_counts(tmp_path):
    """A parent's limit below the group's own is the one that kills."""
    group = group_tree(tmp_path, version=2, limits_of=("", "50", "100"), used=10, stat="")
    assert group.limit_bytes == 50
    assert group.directory.endswith("/app")


@pytest.mark.parametrize("limits_of", [("", "", ""), ("", "max", "max"), ("", "", str(1 << 63)), ("", "", "nonsense")])
def test_no_limit_no_group(tmp_path, limits_of):
    """Where no group has a limit there is nothing to watch beside the budget."""
    assert group_tree(tmp_path, version=2, limits_of=limits_of, used=10, stat="") is None


def test_a_hostile_membership_does_not_leave_the_tree(tmp_path):
    """Dots in a path (a process outside of its namespace) do not climb out of the control-group file system."""
    (tmp_path / "memory.max").write_text("5")
    (tmp_path / "root").mkdir()
    membership = tmp_path / "membership"
    membership.write_bytes(b"0::/../..\nrubbish\n::\n\xff\xfe\n")
    assert Group.of_this_process(str(tmp_path / "root"), str(membership)) is None
    assert Group.of_this_process(str(tmp_path / "root"), str(tmp_path / "none")) is None


def test_a_group_that_vanishes_is_unknown(tmp_path):
    """Once its files are gone it says -1, not 0 bytes."""
    group = group_tree(tmp_path, version=2, limits_of=("", "max", "100"), used=60, stat="file 10\n")
    assert group.read() == (50, 100)
    os.unlink(os.path.join(group.directory, "memory.stat"))
    assert group.read() == (60, 100)
    os.unlink(os.path.join(group.directory, "memory.current"))
    assert group.read() == (-1, -1)
