"""meter.probe: what the operating system says, and never a figure that it did not."""

from __future__ import annotations

import builtins
import mmap
import os
import subprocess
import sys
import threading

import pytest

from flatwater import errors
from flatwater.meter import probe
from flatwater.meter.probe import Probe, usage

MIB, GIB = 1 << 20, 1 << 30
PAGE = mmap.PAGESIZE
linux = pytest.mark.skipif(sys.platform != "linux", reason="the reference platform")

STATUS = """Name:\tpython
Umask:\t0022
State:\tS (sleeping)
Groups:\t{groups}
VmPeak:\t   99999 kB
VmHWM:\t   50000 kB
VmRSS:\t   40000 kB
RssAnon:\t   30000 kB
RssFile:\t    9000 kB
RssShmem:\t    1000 kB
VmData:\t   60000 kB
VmSwap:\t     500 kB
Threads:\t1
"""


@pytest.fixture
def fake_proc(tmp_path, monkeypatch):
    """A /proc of plain files; what is not in it does not exist."""
    root = tmp_path / "proc"
    (root / "self").mkdir(parents=True)

    def redirect(really):
        def opened(path, *rest, **options):
            if isinstance(path, str) and path.startswith("/proc/"):
                path = str(root) + path.removeprefix("/proc")
            return really(path, *rest, **options)

        return opened

    monkeypatch.setattr(os, "open", redirect(os.open))
    monkeypatch.setattr(builtins, "open", redirect(open))
    return root


@linux
def test_memory_that_is_held_is_seen():
    """32 MiB more of touched memory raise rss and anon by about that, in both ways of reading."""
    # A mapping, not heap: malloc may still hold as much from earlier tests, resident and free.
    with Probe() as own, mmap.mmap(-1, 32 * MIB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as held:
        before, before_usage = own.read(), usage()
        page = os.urandom(PAGE)
        for _ in range(32 * MIB // PAGE):  # page by page: malloc may keep what is written from
            held.write(page)
        after, after_usage = own.read(), usage()
    assert 30 * MIB <= after[0] - before[0] <= 40 * MIB
    assert 30 * MIB <= after[1] - before[1] <= 40 * MIB
    assert 30 * MIB <= after_usage.anon - before_usage.anon <= 40 * MIB
    assert after_usage.doubt == ""


@linux
def test_a_mapped_file_is_no_anonymous_memory(tmp_path):
    """Pages of a mapped file count as resident and as file, not as anonymous."""
    path = tmp_path / "data"
    path.write_bytes(b"x" * (16 * MIB))
    with Probe() as own, open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        before, before_usage = own.read(), usage()
        assert sum(mapped[::PAGE]) > 0
        after, after_usage = own.read(), usage()
    assert after[0] - before[0] >= 14 * MIB
    assert after[1] - before[1] <= 4 * MIB
    assert after_usage.file - before_usage.file >= 14 * MIB


@linux
def test_another_process_can_be_read_until_it_has_ended():
    """A child's figures are read while it lives; afterwards they are zero, and a new probe says that it is gone."""
    with subprocess.Popen(["sleep", "60"]) as child:
        probe_of_it = Probe(child.pid)
        while probe_of_it.read()[0] == 0:
            pass
        assert usage(child.pid).rss > 0
        child.kill()
    assert probe_of_it.read() == (0, 0)
    probe_of_it.close()
    for read in (Probe, usage):
        with pytest.raises(errors.BrokenError, match=f"process {child.pid} cannot be read"):
            read(child.pid)


@linux
def test_a_zombie_holds_nothing():
    """A process that ended and was not waited for reads as zero, and is no error."""
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert (usage(child.pid).rss, usage(child.pid).anon) == (0, 0)
    with Probe(child.pid) as zombie:
        assert zombie.read() == (0, 0)
    child.wait()


@linux
@pytest.mark.parametrize("pid", [-1, 1 << 40, 4_194_305])
def test_a_process_that_never_was_is_an_error_of_ours(pid):
    """No traceback of the operating system's comes out."""
    with pytest.raises(errors.BrokenError, match="cannot be read"):
        Probe(pid)
    with pytest.raises(errors.BrokenError, match="cannot be read"):
        usage(pid)


@linux
def test_a_closed_probe_says_so():
    """Closing twice is fine; reading then is refused."""
    own = Probe()
    own.close()
    own.close()
    with pytest.raises(errors.ClosedError):
        own.read()


@linux
def test_no_descriptor_is_left(open_files):
    """Closed, collected and refused probes give their descriptors back."""
    before = open_files()
    for _ in range(5):
        Probe().close()
        Probe()
        usage()
        with pytest.raises(errors.BrokenError):
            Probe(-1)
    assert open_files() <= before


@linux
def test_threads_may_share_a_probe():
    """Many threads read one probe at once, each whole figures."""
    own, seen = Probe(), []
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=lambda: seen.extend(own.read() for _ in range(500))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
        own.close()
    assert len(seen) == 2000
    assert all(MIB < anon <= rss < 16 * GIB for rss, anon in seen)


@linux
def test_the_high_water_mark_can_be_reset():
    """After 48 MiB were given back, a reset brings the mark down to what is held; where that cannot be done it says so."""
    held = mmap.mmap(
        -1, 48 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    )  # an allocator may have pages left from other tests
    for start in range(0, len(held), PAGE):
        held[start] = 1
    probe.reset_peak_rss()
    high = probe.peak_rss()
    held.close()
    if not probe.reset_peak_rss():
        pytest.skip("NO /proc/self/clear_refs HERE: the mark cannot be reset")
    assert probe.peak_rss() <= high - 40 * MIB
    assert probe.peak_rss() >= usage().rss - MIB


@linux
def test_without_clear_refs_a_reset_is_refused(fake_proc):
    """A kernel without it, or a file that takes nothing, gives False and not an error."""
    assert probe.reset_peak_rss() is False
    (fake_proc / "self/clear_refs").symlink_to("/dev/full")
    assert probe.reset_peak_rss() is False
    (fake_proc / "self/clear_refs").unlink()
    (fake_proc / "self/clear_refs").write_text(" ")
    assert probe.reset_peak_rss() is True
    assert (fake_proc / "self/clear_refs").read_text() == "5"


@linux
def test_every_field_is_its_own(fake_proc):
    """Each figure is the line of its name, in bytes; nothing else of /proc is needed, smaps least of all."""
    (fake_proc / "self/status").write_text(STATUS.format(groups="0 1"))
    now = usage()
    seen = (now.rss, now.anon, now.file, now.shmem, now.swap, now.rss_peak, now.data)
    assert seen == tuple(kib * 1024 for kib in (40000, 30000, 9000, 1000, 500, 50000, 60000))


@linux
def test_sizes_beyond_32_bits_are_whole(fake_proc):
    """A process of 6 TiB is read as such, from status and from statm."""
    kib, pages = 6 << 30, (6 << 40) // PAGE
    (fake_proc / "self/status").write_text(STATUS.format(groups="").replace("   40000 kB", f" {kib} kB"))
    (fake_proc / "self/statm").write_text(f"{pages + 9} {pages} {MIB // PAGE} 1 0 {pages} 0\n")
    assert usage().rss == 6 << 40
    with Probe() as own:
        assert own.read() == (6 << 40, (6 << 40) - MIB)


@linux
def test_a_name_is_no_figure(fake_proc):
    """A process may call itself anything: its name is not taken for a size."""
    text = STATUS.format(groups="").replace("Name:\tpython", "Name:\tVmRSS: 1 kB")
    (fake_proc / "self/status").write_text(text)
    assert usage().rss == 40000 * 1024


@linux
def test_thousands_of_groups_hide_nothing(fake_proc):
    """The groups of a user stand before the sizes, and may take more than one read."""
    (fake_proc / "self/status").write_text(STATUS.format(groups=" ".join(map(str, range(100_000, 165_000)))))
    now = usage()
    assert (now.rss, now.anon, now.swap) == (40000 * 1024, 30000 * 1024, 500 * 1024)


@linux
def test_what_a_kernel_does_not_tell_is_unknown(fake_proc):
    """A kernel without the anonymous size or the mark gives -1 for them and says so, and not zero."""
    (fake_proc / "self/status").write_text("Name:\tx\nVmRSS:\t   40000 kB\nVmData:\t   60000 kB\nThreads:\t1\n")
    now = usage()
    assert (now.rss, now.data) == (40000 * 1024, 60000 * 1024)
    assert (now.anon, now.file, now.shmem, now.swap, now.rss_peak) == (-1, -1, -1, -1, -1)
    assert "does not tell" in now.doubt
    assert "anon" in now.doubt
    assert probe.peak_rss() == -1


@linux
def test_no_proc_at_all_is_an_error_of_ours(fake_proc):
    """In a root without /proc, reading says what could not be read."""
    for read in (Probe, usage):
        with pytest.raises(errors.BrokenError, match="cannot be read"):
            read()


def test_psutil_where_there_is_no_proc(monkeypatch):
    """Elsewhere the resident size comes from psutil, with its name; what it cannot tell is -1, with a doubt."""
    monkeypatch.setattr(probe, "IS_LINUX", False)
    now = usage()
    assert now.rss > MIB
    assert (now.file, now.shmem, now.swap, now.data) == (-1, -1, -1, -1)
    assert now.probe.startswith("psutil")
    assert "no resettable high-water mark" in now.doubt
    with Probe() as own:
        rss, anon = own.read()
        assert own.name.startswith("psutil")
    assert 0 < anon <= rss
    with pytest.raises(errors.ClosedError):
        own.read()
    for read in (Probe, usage):
        with pytest.raises(errors.BrokenError, match="cannot be read"):
            read(4_194_305)


def test_psutil_sees_a_process_end(monkeypatch):
    """Through psutil too a process that has ended reads as zero."""
    monkeypatch.setattr(probe, "IS_LINUX", False)
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as child:
        seen = Probe(child.pid)
        assert seen.read()[0] > 0
        child.stdin.close()
    assert seen.read() == (0, 0)
    seen.close()
