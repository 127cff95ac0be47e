"""The watcher with the real budget in a real process that would die without it.

The programs run in child processes under RLIMIT_DATA, so that "stays alive" is the kernel's word: without the watcher the
same program ends with a MemoryError.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit that ends the twin is RLIMIT_DATA")

MIB = 1 << 20
FORMAT = """
import json, resource, sys, threading, time
import flatwater as fw
MIB = 1 << 20
watched, directory = sys.argv[1] == "watched", sys.argv[2]
base = fw.usage().anon

class Cache:
    # A cache as people write them: it counts nothing in the budget, so only the operating system sees it grow.
    def __init__(self):
        self.blocks, self.asked = [], []
        self.lock = threading.Lock()
    def add(self):
        with self.lock:
            self.blocks.append(bytearray(b"x") * MIB)
    def shed(self, wanted):
        with self.lock:
            count = min(len(self.blocks), -(-wanted // MIB) + KEEP_LESS)
            del self.blocks[:count]
            self.asked.append(wanted)
        return count * MIB

cache = Cache()
KEEP_LESS = 4
budget = fw.Budget("96 MiB", name="job")
data = fw.usage().data
resource.setrlimit(resource.RLIMIT_DATA, (data + 300 * MIB,) * 2)
"""
FILLS = """
handle = budget.on_pressure(cache.shed, name="cache")
levels, closed = [], threading.Event()
watcher = fw.Watcher(budget, baseline=base, evidence_dir=directory)
watcher.on_level(lambda level, _watcher: levels.append(level))
if watched:
    watcher.start()
for turn in range(700):
    cache.add()
    time.sleep(0.004)
deadline = time.monotonic() + 30
while watcher.level != "normal" and time.monotonic() < deadline:
    time.sleep(0.01)
watcher.stop()
steps = [event.words for event in watcher.events if event.what in ("step", "effect", "trouble")]
print(json.dumps({
    "peak": fw.usage().rss_peak, "base": base, "asked": len(cache.asked), "freed": handle.freed, "levels": levels,
    "steps": steps, "level": watcher.level, "gate_open": budget.gate.is_open,
}))
"""
# Rows that only a closed gate stops: a shedder that has nothing to give, a source that honours the gate.
FEEDS = """
rows, seen_closed, reopened = [], [], []
handle = budget.on_pressure(lambda wanted: 0, name="nothing to give")
with fw.Watcher(budget, baseline=base, evidence_dir=directory) as watcher:
    deadline = time.monotonic() + 60
    while not reopened and time.monotonic() < deadline:
        if not budget.gate.wait(0.05):
            seen_closed.append((len(rows), budget.gate.reason))
            rows.clear()  # the consumer finishes what is at hand
            reopened.append(budget.gate.wait(30))
        if len(rows) < 88:
            rows.append(bytearray(b"x") * MIB)
        time.sleep(0.002)
    level = watcher.level
    steps = [event.words for event in watcher.events if event.what in ("step", "effect", "trouble")]
print(json.dumps({"closed": seen_closed, "reopened": reopened, "steps": steps, "level": level, "gate_open": budget.gate.is_open}))
"""


def child(program, directory, mode="watched"):
    command = [sys.executable, "-c", FORMAT + program, mode, str(directory)]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)


@pytest.mark.slow
def test_a_cache_that_is_shed_keeps_the_process_alive(tmp_path):
    """700 MiB go through a cache nobody counts: the process lives, at most near its 96 MiB, and each step says its bytes."""
    done = child(FILLS, tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["asked"] >= 3
    assert found["freed"] >= 100 * MIB
    assert found["peak"] - found["base"] < 200 * MIB
    assert found["levels"][0] in {"high", "critical"}
    assert found["levels"][-1] == found["level"] == "normal"
    assert found["gate_open"] is True
    shed = [words for words in found["steps"] if words.startswith("shed: asked for")]
    assert shed
    assert all("shedders gave" in words and "the operating system saw" in words for words in shed)
    assert any("MiB less" in words for words in shed)
    assert not any("failed" in words for words in found["steps"])


@pytest.mark.slow
def test_without_the_watcher_the_same_program_dies(tmp_path):
    """The twin: the same growth without anybody who asks the cache ends in a MemoryError."""
    done = child(FILLS, tmp_path, "alone")
    assert done.returncode == 1
    assert "MemoryError" in done.stderr


def test_the_gate_closes_and_opens(tmp_path):
    """When shedding and collecting do not help, intake is paused with the numbers as its reason, and goes on afterwards."""
    done = child(FEEDS, tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    [[rows, reason]] = found["closed"]
    assert rows >= 76
    assert "memory is" in reason
    assert "of 96.0 MiB" in reason
    assert found["reopened"] == [True]
    assert found["gate_open"] is True
    names = [
        words.split(":")[0]
        for words in found["steps"]
        if "the operating system saw" in words and " after " not in words
    ]
    assert names[:3] == ["shed", "collect and trim", "close the gate"]
    assert any(words.startswith("shed: asked for") and "it did not help" in words for words in found["steps"])
