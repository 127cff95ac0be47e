"""Record the memory of real programs for the watcher's replays: sawtooth, plateau, spike, and leaks that must alarm.

Each program below runs in its own process and is sampled every 10 ms from outside for some seconds. What is stored, in
pages of 4 KiB as differences, is what the operating system said, nothing is drawn by hand; replays repeat it for an hour
with a seeded jitter (`tests/watch/test_replay.py`).

    python -m benchmarks.watch.record_traces [NAME ...]
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
from pathlib import Path

from flatwater.meter import Probe, Timeline

DIRECTORY = Path(__file__).parents[2] / "tests" / "watch" / "traces"
RECORD_S = 8.0
PAGE_BYTES = 4096
SAMPLES_MAX = 1 << 14  # more than a recording has: no two samples are merged

# Name: (shape, program). Sawtooth, plateau and spike must never alarm; a leak must, with or without teeth.
PROGRAMS = {
    "sawtooth_batches": (
        "sawtooth",
        """
while True:
    batch = []
    for i in range(60_000):
        batch.append({"id": i, "name": f"row {i}", "tags": [i]})
        if i % 1000 == 0: time.sleep(0.008)
    del batch
    time.sleep(0.05)
""",
    ),
    "sawtooth_cycles": (
        "sawtooth",
        """
import gc
gc.set_threshold(4_000, 1, 1)
class Node: pass
while True:
    for i in range(400):
        a, b = Node(), Node()
        a.other, b.other = b, a
        # Blocks beyond glibc's largest mmap threshold (32 MiB) go back to the system; smaller ones it would keep.
        if i == 0: a.load = bytearray(b"x") * (34 << 20)
    time.sleep(0.15)
""",
    ),
    "sawtooth_native": (
        "sawtooth",
        """
while True:
    parts = []
    for i in range(50):
        parts.append(bytearray(1 << 20))
        time.sleep(0.012)
    parts.clear()
""",
    ),
    "plateau_lru": (
        "plateau",
        """
import functools
@functools.lru_cache(30_000)
def load(key): return bytes(1500)
import random
pick = random.Random(3)
while True:
    for _ in range(400): load(pick.randrange(60_000))
    time.sleep(0.01)
""",
    ),
    "plateau_window": (
        "plateau",
        """
import collections
window = collections.deque(maxlen=40_000)
n = 0
while True:
    for _ in range(300):
        n += 1
        window.append({"n": n, "text": str(n) * 20})
    time.sleep(0.01)
""",
    ),
    "spike_json": (
        "spike",
        """
import json
text = json.dumps([{"id": i, "name": f"row {i}"} for i in range(60_000)])
live = [bytes(1000) for _ in range(20_000)]
while True:
    time.sleep(0.7)
    total = len(json.loads(text))
""",
    ),
    "spike_copy": (
        "spike",
        """
data = bytearray(b"x") * (40 << 20)
while True:
    time.sleep(0.4)
    copy = bytes(data)
    time.sleep(0.03)
    del copy
""",
    ),
    "leak_list": (
        "leak",
        """
kept = []
while True:
    kept.extend({"n": n} for n in range(500))
    time.sleep(0.01)
""",
    ),
    "leak_sawtooth": (
        "leak with teeth",
        """
import mmap
kept = []
while True:
    batch = mmap.mmap(-1, 30 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for i in range(30):
        batch.write(b"x" * (1 << 20))
        time.sleep(0.008)
    kept.append(b"x" * (4 << 20))
    batch.close()
""",
    ),
    "leak_late": (
        "leak",
        """
kept = [bytearray(20 << 20)]
time.sleep(4)
while True:
    kept.append(bytearray(1 << 20))
    time.sleep(0.02)
""",
    ),
}


def record(program: str) -> list[int]:
    """Anonymous pages of `program` at each sample, in its own process."""
    process = subprocess.Popen([sys.executable, "-c", f"import time\n{program}"])
    timeline = Timeline(points_max=SAMPLES_MAX, probe=Probe(process.pid))
    try:
        timeline.start()
        threading.Event().wait(RECORD_S)
        timeline.stop()
        assert process.poll() is None, "the program ended while it was recorded"
    finally:
        process.kill()
        process.wait()
    return [point.anon_max // PAGE_BYTES for point in timeline.points()]


def check(shape: str, pages: list[int]) -> None:
    """Refuse a recording that is not of its shape: an allocator that keeps memory turns teeth and spikes into a plateau.

    Raises:
        SystemExit: it is not, with its figures.
    """
    settled = pages[len(pages) // 4 :]
    low, high = min(settled), max(settled)
    swing = (high - low) / high
    falls = falls_of(settled, at_least=(high - low) / 4)
    small_falls = falls_of(settled, at_least=(high - low) / 8)  # a leak's range is more than its teeth
    seldom = sum(page > low + (high - low) / 2 for page in settled) / len(settled)
    quarter = len(pages) // 4
    grows = max(pages[-quarter:]) > 1.3 * max(pages[quarter : 2 * quarter])
    holds = {
        "sawtooth": swing > 0.3 and falls >= 4 and not grows,
        "spike": swing > 0.25 and falls >= 4 and seldom < 0.3,
        "plateau": swing < 0.1,
        "leak": grows and small_falls == 0,
        "leak with teeth": grows and small_falls >= 8,
    }
    if not holds[shape]:
        said = (
            f"swing {swing:.2f}, {falls} falls ({small_falls} small), {seldom:.2f} of the time up high, grows: {grows}"
        )
        raise SystemExit(f"not a {shape}: {said}")


def falls_of(pages: list[int], *, at_least: float) -> int:
    """How often the curve comes down by `at_least` within five samples; one fall is counted once."""
    falls = index = 0
    while index + 5 < len(pages):
        fell = pages[index] - pages[index + 5] > at_least
        falls += fell
        index += 6 if fell else 1
    return falls


def main(names: list[str]) -> None:
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for name in names or PROGRAMS:
        shape, program = PROGRAMS[name]
        pages = record(program)
        check(shape, pages)
        differences = [later - earlier for earlier, later in zip([0, *pages], pages, strict=False)]
        trace = {
            "name": name,
            "kind": shape.split()[0],
            "period_s": 0.01,
            "page_bytes": PAGE_BYTES,
            "differences": differences,
        }
        path = DIRECTORY / f"{name}.json.gz"
        path.write_bytes(gzip.compress(json.dumps(trace, separators=(",", ":")).encode(), mtime=0))
        mib = max(pages) * PAGE_BYTES / (1 << 20)
        print(f"{name}: {len(pages)} samples, up to {mib:.0f} MiB, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
