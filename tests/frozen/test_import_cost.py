"""`import flatwater` costs at most 40 ms CPU and 5 MB above bare Python, measured in fresh processes.

Names are imported when they are first used; what the first ones cost is pinned beside it.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

IMPORT = ("import flatwater", 0.040, 5_000_000)
FIRST_USE = ("import flatwater as fw; fw.Budget('1 MiB').reserve(1, 'rows').release(); fw.measure", 0.150, 8_000_000)
ROUNDS = 5
HEAVY = ["asyncio", "cloudpickle", "jinja2", "multiprocessing", "numpy", "objsize", "psutil", "rich", "tracemalloc"]
MEASURE = """
import os, sys, time
before_s = time.process_time()
{work}
cpu_s = time.process_time() - before_s
resident = int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
print(cpu_s, resident)
"""


def cost(work, rounds=ROUNDS):
    """The least CPU seconds and resident bytes of fresh interpreters that do `work`: what else runs here only adds."""
    readings = []
    for _ in range(rounds):
        done = subprocess.run(
            [sys.executable, "-c", MEASURE.format(work=work)], capture_output=True, text=True, check=True
        )
        cpu_s, resident = done.stdout.split()
        readings.append((float(cpu_s), int(resident)))
    return min(r[0] for r in readings), min(r[1] for r in readings)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("work", "cpu_max_s", "bytes_max"), [IMPORT, FIRST_USE], ids=["import", "first use"])
def test_import_is_cheap(work, cpu_max_s, bytes_max):
    """The bare import, and the names a program uses first, stay within the pinned cost."""
    cost(work, rounds=1)  # the first run writes byte code
    bare_s, bare_bytes = cost("pass")
    cpu_s, resident = cost(work)
    assert cpu_s - bare_s <= cpu_max_s
    assert resident - bare_bytes <= bytes_max


def test_heavy_modules_wait_until_used():
    """Nothing large is imported by `import flatwater`."""
    code = "import sys, flatwater; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert sorted(set(loaded) & set(HEAVY)) == []
