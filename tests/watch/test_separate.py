"""The separate watching process, with real processes that do not answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from flatwater.watch.separate import Separate

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

MIB = 1 << 20
DEADLINE_S = 30.0

# Grows to 62 of 64 MiB, then holds the interpreter in one C call for as long as it takes: PyDLL keeps the GIL.
STUCK = """
import ctypes, sys, time
from flatwater.watch import Watcher
action, directory = sys.argv[1], sys.argv[2]
number = 15 if action == "signal" else 0
with Watcher("64 MiB", critical=0.9, evidence_dir=directory, separate=True, stuck_signal=number, stuck_after_s=0.2) as watcher:
    print(watcher._separate.pid, flush=True)
    libc = ctypes.PyDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    ctypes.PyDLL(None).memset(ctypes.c_void_p(libc.malloc(62 << 20)), 1, 62 << 20)
    if action == "signal":
        libc.sleep(100)
    libc.system(f"while ! ls {directory} | grep -q -e -stuck-; do sleep 0.05; done".encode())  # until evidence is there
    while not any(event.what == "separate" for event in watcher.events):
        time.sleep(0.01)
    print([event.words for event in watcher.events if event.what == "separate"][0], flush=True)
"""


def gone(pid):
    """Whether the process has ended (or is a zombie whose reaper is somebody else)."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def until(condition):
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False


def stuck(action, directory):
    return subprocess.Popen(
        [sys.executable, "-c", STUCK, action, str(directory)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_stuck_process_at_critical_is_written_down_from_outside(tmp_path):
    """While a C call holds the interpreter, evidence is written; afterwards the process learns of it."""
    process = stuck("tell", tmp_path)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "has not answered for" in err
    assert "'what': 'stuck'" in out
    [file] = [path for path in tmp_path.iterdir() if "-stuck-" in path.name]
    found = json.loads(file.read_text())
    assert found["pid"] == process.pid
    assert found["seen_bytes"] >= 57 * MIB
    assert found["timeline"]["anon"][-1] >= 57 * MIB
    assert found["threads"]
    assert any(line.startswith("State") for line in found["status"])


def test_a_process_that_stays_stuck_gets_the_signal(tmp_path):
    """At critical without an answer for stuck_after_s, the configured signal ends the process."""
    process = stuck("signal", tmp_path)
    sentinel = int(process.stdout.readline())
    _out, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    assert "signal 15 is sent" in err
    assert until(lambda: gone(sentinel))


def test_the_sentinel_dies_with_its_parent(tmp_path):
    """Kill -9 of the watched process leaves no process behind."""
    program = (
        "import time\nfrom flatwater.watch import Watcher\n"
        "with Watcher('8 GiB', separate=True) as watcher:\n    print(watcher._separate.pid, flush=True)\n    time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    sentinel = int(process.stdout.readline())
    assert not gone(sentinel)
    process.kill()
    process.wait()
    process.stdout.close()
    assert until(lambda: gone(sentinel))


def test_a_fork_neither_keeps_nor_ends_the_sentinel():
    """A forked child that leaves the with block does not end its parent's sentinel."""
    program = (
        "import os\nfrom flatwater.watch import Watcher\n"
        "watcher = Watcher('8 GiB', separate=True).start()\n"
        "pid = os.fork()\n"
        "if pid == 0:\n    watcher.stop()\n    os._exit(0)\n"
        "os.waitpid(pid, 0)\n"
        "print(watcher._separate.is_alive)\n"
        "sentinel = watcher._separate\nwatcher.stop()\nprint(sentinel.is_alive)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["True", "False"], done.stderr


def separate(tmp_path, **options):
    """One that takes this test process for critical at once."""
    settings = {
        "limit_bytes": 2 * MIB, "critical_bytes": MIB, "critical_samples": 3, "period_s": 0.002,
        "directory": str(tmp_path), "use_rss": False, "signal_number": 0, "signal_after_s": 0.01, "silent_s": 0.05,
    }  # fmt: skip
    return Separate(**{**settings, **options})


def test_silence_alone_or_memory_alone_is_no_alarm(tmp_path):
    """A silent process with little memory is left alone; the first beat after a silence ends the alarm."""
    small = separate(tmp_path, critical_bytes=1 << 50)
    assert small.start() == ""
    large = separate(tmp_path)
    assert large.start() == ""
    heard = []
    assert until(lambda: heard.extend(large.events()) or heard)
    assert heard[0]["what"] == "stuck"
    assert small.events() == []
    large.beat(0)
    assert until(lambda: heard.extend(large.events()) or len(heard) > 1)
    assert heard[1]["what"] == "answered"
    for process in (small, large):
        process.stop()
        process.stop()
        assert not process.is_alive


def test_bytes_of_children_count(tmp_path):
    """What the watched process says of its children is added to what is seen of itself."""
    process = separate(tmp_path, critical_bytes=1 << 40, limit_bytes=1 << 41)
    assert process.start() == ""
    process.beat(1 << 40)
    heard = []
    assert until(lambda: heard.extend(process.events()) or heard)
    assert heard[0]["seen_bytes"] > 1 << 40
    process.stop()


def test_where_evidence_cannot_be_written_the_rest_is_still_said():
    """A directory that does not exist is named in the event, and watching goes on."""
    process = separate("/nonexistent")
    assert process.start() == ""
    heard = []
    assert until(lambda: heard.extend(process.events()) or heard)
    assert heard[0]["evidence"].startswith("none (")
    assert process.is_alive
    process.stop()


@pytest.mark.slow
def test_a_stopped_process_is_not_taken_for_stuck(tmp_path):
    """Under job control or a debugger a critical process is silent, but nothing is written or sent."""
    program = (
        "import sys, time\nfrom flatwater.watch import Watcher\n"
        "watcher = Watcher('4 MiB', period_s=0.002, evidence_dir=sys.argv[1], separate=True, stuck_signal=9, stuck_after_s=0.01)\n"
        "with watcher:\n    while watcher.level != 'critical':\n        time.sleep(0.01)\n"
        "    print(watcher._separate.pid, flush=True)\n    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    sentinel = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGSTOP)
    before = _looks(sentinel)
    assert until(lambda: _looks(sentinel) >= before + 500)  # a second of looks: four times the silence allowed
    assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not [path for path in tmp_path.iterdir() if "-stuck-" in path.name]
    assert until(lambda: gone(sentinel))


def _looks(pid):
    """How often a process has slept: once a look."""
    with open(f"/proc/{pid}/status") as file:
        [line] = [line for line in file if line.startswith("voluntary_ctxt_switches")]
    return int(line.split()[1])
