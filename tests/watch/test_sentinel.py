"""watch.sentinel: how the second process judges, with a clock and memory of the test's own.

The real process is in test_separate.py. Here a sentinel looks at this test process, whose size is replaced.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from flatwater.watch import sentinel as module
from flatwater.watch.sentinel import HEART, Sentinel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

MIB = 1 << 20
PAGE_BYTES = mmap.PAGESIZE


class World:
    """A sentinel whose parent holds `mib`, beats when told to, and whose words are collected."""

    def __init__(self, tmp_path, monkeypatch, **changed):
        self.heart_fd = os.memfd_create("heart")
        os.ftruncate(self.heart_fd, mmap.PAGESIZE)
        settings = {
            "pid": os.getpid(), "period_s": 0.01, "limit_bytes": 100 * MIB, "critical_bytes": 95 * MIB,
            "critical_samples": 3, "silent_s": 0.25, "signal": 0, "signal_after_s": 1.0,
            "directory": str(tmp_path), "use_rss": False, "samples_max": 50, "heart_fd": self.heart_fd,
        }  # fmt: skip
        self.sentinel = Sentinel({**settings, **changed})
        self.mib = 10
        self.shared_mib = 0
        self.beats = 1
        self.other_bytes = self.goodbye = 0
        self.now = 1000.0
        self.said, self.sent = [], []
        self.state = b"S"
        real_pread, real_read = os.pread, module._read
        statm = self.sentinel.statm
        monkeypatch.setattr(os, "pread", lambda fd, *rest: self.statm() if fd == statm else real_pread(fd, *rest))
        monkeypatch.setattr(
            module, "_read", lambda path: self.stat() if path.endswith(f"{os.getpid()}/stat") else real_read(path)
        )
        monkeypatch.setattr(module, "_write", lambda to, line: self.said.append((to, line)))
        monkeypatch.setattr(signal, "pidfd_send_signal", lambda _process, number: self.sent.append(number))

    def statm(self):
        resident = (self.mib + self.shared_mib) * MIB // PAGE_BYTES
        return f"9999 {resident} {self.shared_mib * MIB // PAGE_BYTES} 1 0 9 0\n".encode()

    def stat(self):
        return b"1 (a) b) " + self.state + b" 1 1\n"

    def run(self, seconds, *, mib=None, beating=True):
        """Look each 10 ms; whether there is anything left to watch."""
        self.mib = self.mib if mib is None else mib
        for _ in range(round(seconds * 100)):
            self.now += 0.01
            self.beats += beating
            HEART.pack_into(self.sentinel.heart, 0, self.beats, self.other_bytes, self.goodbye)
            if not self.sentinel.look(self.now):
                return False
        return True

    @property
    def events(self):
        return [json.loads(line) for to, line in self.said if to == 1]

    @property
    def whats(self):
        return [event["what"] for event in self.events]


@pytest.fixture
def make(tmp_path, monkeypatch):
    worlds = []

    def made(**changed):
        worlds.append(World(tmp_path, monkeypatch, **changed))
        return worlds[-1]

    yield made
    monkeypatch.undo()
    for world in worlds:
        os.close(world.heart_fd)
        os.close(world.sentinel.statm)
        world.sentinel.heart.close()
        if world.sentinel.process >= 0:
            os.close(world.sentinel.process)


def test_who_beats_is_left_alone(make):
    """A process that answers acts for itself, however much it holds."""
    world = make()
    assert world.run(60, mib=99)
    assert world.said == []


def test_silence_with_little_memory_is_left_alone(make):
    """A long C call below critical is nobody's business."""
    world = make()
    assert world.run(60, mib=94, beating=False)
    assert world.said == []


def test_a_short_silence_is_no_alarm(make):
    """Silences of 0.2 seconds at critical are what any garbage collection makes."""
    world = make()
    for _ in range(20):
        world.run(0.2, mib=99, beating=False)
        world.run(0.05, beating=True)
    assert world.said == []


def test_stuck_and_answered(make, tmp_path):
    """A quarter second of silence at critical is an event with evidence; the next beat ends it."""
    world = make()
    world.run(1, mib=99)
    world.run(1, beating=False)
    world.run(0.1, beating=True)
    assert world.whats == ["stuck", "answered"]
    stuck = world.events[0]
    assert stuck["seen_bytes"] == 99 * MIB
    assert 0.25 <= stuck["silent_s"] < 0.3
    [file] = tmp_path.iterdir()
    assert stuck["evidence"] == str(file)
    found = json.loads(file.read_text())
    assert found["timeline"]["anon"] == [99 * MIB] * 50
    assert found["threads"][0]["name"]
    assert "holds 99.0 of 100.0 MiB and has not answered for" in world.said[1][1]


def test_holding_less_ends_an_alarm(make):
    """A process that is still silent, but gave memory back, is out of danger."""
    world = make()
    world.run(1, mib=99, beating=False)
    world.run(0.1, mib=91, beating=False)
    assert world.whats == ["stuck"]
    world.run(0.1, mib=90, beating=False)
    assert world.whats == ["stuck", "answered"]


def test_the_signal_is_sent_once_for_each_silence(make):
    """It comes after its time, once; a second silence gets its own."""
    world = make(signal=15)
    world.run(1, mib=99, beating=False)
    assert world.sent == []
    world.run(20, beating=False)
    assert world.sent == [15]
    world.run(1, beating=True)
    world.run(2, beating=False)
    assert world.sent == [15, 15]
    assert world.whats == ["stuck", "signalled", "answered", "stuck", "signalled"]
    assert [event["signal"] for event in world.events] == [0, 15, 0, 0, 15]


def test_no_signal_is_wished_for(make):
    """Without a signal in the settings none is sent, however long it lasts."""
    world = make(signal=0)
    world.run(60, mib=99, beating=False)
    assert (world.sent, world.whats) == ([], ["stuck"])


@pytest.mark.parametrize("state", [b"T", b"t"])
def test_a_stopped_process_is_not_stuck(make, state):
    """Under a debugger or job control (a name with parentheses in it is no trouble) there is no alarm and no signal."""
    world = make(signal=9)
    world.state = state
    world.run(10, mib=99, beating=False)
    assert (world.whats, world.sent) == ([], [])


def test_a_sentinel_that_slept_does_not_judge(make):
    """After a laptop's sleep of an hour the silence is its own: the process gets its quarter second."""
    world = make()
    world.run(1, mib=99)
    world.now += 3600
    world.run(0.2, beating=False)
    assert world.said == []


def test_resident_or_anonymous_and_what_else_counts(make):
    """Shared pages count only with use_rss; what the parent says of its children always does."""
    for use_rss, other_mib, stuck in ((False, 0, False), (True, 0, True), (False, 60, True)):
        world = make(use_rss=use_rss)
        world.shared_mib, world.other_bytes = 60, other_mib * MIB
        world.run(1, mib=40, beating=False)
        assert bool(world.whats) is stuck


def test_few_files_are_written(make, tmp_path):
    """Alarms each two seconds leave a file a minute, and eight in all."""
    world = make()
    for _ in range(400):
        world.run(0.3, mib=99, beating=False)
        world.now += 1.7  # shorter steps would only be slower
        world.run(0.02, beating=True)
    files = list(tmp_path.iterdir())
    assert 1 <= len(files) <= module.EVIDENCE_FILES_MAX
    assert any("enough was written" in event["evidence"] for event in world.events)
    assert world.sentinel.files == len(files)


def test_it_ends_with_goodbye_or_the_process(make, monkeypatch):
    """A goodbye in the heart ends the watching, and so do figures that cannot be read any more."""
    world = make()
    assert world.run(0.1)
    world.goodbye = 1
    assert not world.run(0.1)
    world.goodbye = 0
    for gone in (b"", b"garbage"):
        monkeypatch.setattr(world, "statm", lambda gone=gone: gone)
        assert not world.run(0.1)


def test_settings_of_a_process_that_is_gone_are_quiet():
    """Started for a parent that ended meanwhile it ends without a word on stderr."""
    done = subprocess.Popen(["true"])
    done.wait()
    settings = {
        "pid": done.pid, "period_s": 0.01, "limit_bytes": 1, "critical_bytes": 1, "critical_samples": 1, "silent_s": 1,
        "signal": 0, "signal_after_s": 1, "directory": "/", "use_rss": False, "samples_max": 5, "heart_fd": 0,
    }  # fmt: skip
    with open("/dev/zero", "rb") as zero:
        process = subprocess.run(
            [sys.executable, "-I", "-S", module.__file__, json.dumps(settings)],
            stdin=zero, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")


def test_threads_are_named(make):
    """Each thread of the process is listed with its state, up to a bound."""
    world = make()
    end = threading.Event()
    threads = [threading.Thread(target=end.wait, args=(60,)) for _ in range(module.THREADS_MAX + 10)]
    for thread in threads:
        thread.start()
    found = world.sentinel.threads()
    end.set()
    for thread in threads:
        thread.join()
    assert len(found) == module.THREADS_MAX
    assert {row["state"] for row in found} <= set("RSD")


def test_it_imports_nothing_of_flatwater():
    """Its memory is a bare interpreter's: the script has no import of the package."""
    text = Path(module.__file__).read_text("utf-8")
    assert "from flatwater" not in text
    assert "import flatwater" not in text
