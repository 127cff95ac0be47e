"""tour.children: what other processes held, seen from outside."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flatwater.meter.probe import usage
from flatwater.tour import children
from flatwater.tour.children import Children

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="high-water marks of others are Linux's")
MIB = 1 << 20


def run(code):
    subprocess.run([sys.executable, "-S", "-c", code], check=True)


def test_a_process_is_seen_as_it_is():
    """Its own size, though the process that starts it is larger."""
    ballast = bytearray(b"x") * (150 * MIB)
    with Children() as seen:
        run("import time; data = bytearray(b'x') * (20 << 20); time.sleep(0.3)")
    assert 20 * MIB < seen.settle(own_peak=usage().rss_peak) < 60 * MIB < len(ballast)


def test_processes_at_one_time_are_added_up():
    """Two of 20 MiB that live together have held 40."""
    code = "import time; data = bytearray(b'x') * (20 << 20); time.sleep(0.5)"
    with Children() as seen:
        both = [subprocess.Popen([sys.executable, "-S", "-c", code]) for _ in range(2)]
        assert [each.wait() for each in both] == [0, 0]
    assert seen.settle(own_peak=1 << 40) > 40 * MIB


def test_one_that_was_missed_is_told_by_the_kernel(monkeypatch):
    """The thread never looked: what children had at most stands for it."""
    monkeypatch.setattr(children, "_PERIOD_S", 60.0)
    with Children() as seen:
        run("pass")
    assert seen.settle(own_peak=0) > MIB


def test_without_processes_there_is_nothing():
    """Also where some ended before."""
    run("pass")
    with Children() as seen:
        pass
    assert seen.settle(own_peak=0) == 0
