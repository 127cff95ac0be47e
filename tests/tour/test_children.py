"""tour.children: what other processes held, seen from outside."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flatwater.tour import children
from flatwater.tour.children import Children

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="high-water marks of others are Linux's")
MIB = 1 << 20


def run(code):
    subprocess.run([sys.executable, "-S", "-c", code], check=True)


def told(script):
    """What a process without other children prints: this one may have servers of other tests."""
    begun = "import subprocess, sys; from flatwater.tour.children import Children; from flatwater.meter.probe import usage\n"
    done = subprocess.run([sys.executable, "-c", begun + script], check=True, capture_output=True, text=True)
    return int(done.stdout)


def test_a_process_is_seen_as_it_is():
    """Its own size, though the process that starts it is larger."""
    seen = told("""
ballast = bytearray(b"x") * (150 << 20)
with Children() as seen:
    subprocess.run([sys.executable, "-S", "-c", "import time; data = bytearray(b'x') * (20 << 20); time.sleep(0.3)"], check=True)
print(seen.settle(own_peak=usage().rss_peak))
""")
    assert 20 * MIB < seen < 60 * MIB


def test_processes_at_one_time_are_added_up():
    """Two of 20 MiB that live together have held 40."""
    seen = told("""
code = "import time; data = bytearray(b'x') * (20 << 20); time.sleep(0.5)"
with Children() as seen:
    both = [subprocess.Popen([sys.executable, "-S", "-c", code]) for _ in range(2)]
    assert [each.wait() for each in both] == [0, 0]
print(seen.settle(own_peak=1 << 40))
""")
    assert seen > 40 * MIB


def test_one_that_was_missed_is_told_by_the_kernel(monkeypatch):
    """The thread never looked: what children had at most stands for it."""
    monkeypatch.setattr(children, "_PERIOD_S", 60.0)
    with Children() as seen:
        run("pass")
    assert seen.settle(own_peak=0) > MIB


def test_without_processes_there_is_nothing():
    """Also where some ended before."""
    assert (
        told("""
subprocess.run([sys.executable, "-S", "-c", "pass"], check=True)
with Children() as seen:
    pass
print(seen.settle(own_peak=0))
""")
        == 0
    )
