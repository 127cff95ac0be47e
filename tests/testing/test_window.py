"""testing.window: what the kernel saw between two moments. Each in a process of its own, as it is used."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

WINDOW = """
import json, multiprocessing, os, subprocess, sys, threading
from flatwater.testing.window import Window
before = {before}
window = Window()
{work}
figures, trouble = window.close()
print(json.dumps([window.began, figures, trouble]))
sys.stdout.flush()
os._exit(0)
"""


def looked(work, before="None"):
    code = WINDOW.format(work=work, before=before)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the mark can only be reset there")
def test_the_peak_is_that_of_the_window():
    """What was taken and freed before is not in it; what is taken and freed inside is."""
    began, ended, trouble = looked("b'1' * (24 << 20)", before="len(b'1' * (90 << 20))")
    assert 23 << 20 <= ended["peak"] - began["rss"] <= 27 << 20
    assert ended["cpu_s"] >= 0
    assert ended["wall_s"] > 0
    assert trouble is None


@pytest.mark.skipif(sys.platform != "linux", reason="the allocator's figures are told there")
def test_room_that_was_freed_before_is_told():
    """Arenas that survivors pin are reusable, and said to be."""
    began, _, _ = looked("", before="[str(number) * 3 for number in range(200_000)][::200]")
    assert began["reusable"] > 6 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="shared memory is told there")
def test_shared_memory_cannot_be_taken_back():
    """It is in no anonymous size, and in `anon` all the same."""
    began, ended, _ = looked(
        "import mmap; shared = mmap.mmap(-1, 8 << 20); shared.write(bytes(range(256)) * (1 << 15))"
    )
    assert 8 << 20 <= ended["anon"] - began["anon"] <= 9 << 20


@pytest.mark.parametrize(
    ("work", "stage"),
    [
        ("subprocess.run([sys.executable, '-S', '-c', ''], check=True)", "forked"),
        ("child = subprocess.Popen([sys.executable, '-S', '-c', 'input()'], stdin=subprocess.PIPE)", "children"),
        ("threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=True).start()", "undone"),
    ],
)
def test_work_that_is_elsewhere(work, stage):
    """A process that was waited for, one that was left, and a thread that works on are told."""
    assert looked(work)[2][0] == stage


def test_what_was_there_before_is_no_trouble():
    """Threads and processes of a set-up may stay."""
    before = (
        "[subprocess.Popen([sys.executable, '-S', '-c', 'input()'], stdin=subprocess.PIPE), "
        "threading.Thread(target=threading.Event().wait, daemon=True).start()]"
    )
    assert looked("", before=before)[2] is None
