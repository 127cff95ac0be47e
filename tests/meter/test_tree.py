"""meter.tree: a tree's memory is the sum of its processes, and no process is forgotten when it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater.meter.tree import Member, Tree

MIB = 1 << 20
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the reference platform")

HOLDER = "import sys; held = bytearray(int(sys.argv[1])); print('ready', flush=True); sys.stdin.read()"
PARENT = f"""
import subprocess, sys
children = [subprocess.Popen([sys.executable, "-c", {HOLDER!r}, str(20 << 20)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(3)]
for child in children:
    child.stdout.readline()
print("ready", flush=True)
sys.stdin.readline()
for child in children:
    child.communicate()
print("alone", flush=True)
sys.stdin.read()
"""


def start(code, *args):
    child = subprocess.Popen(
        [sys.executable, "-c", code, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline().strip() == "ready"
    return child


def settled(tree):
    tree._discover_due = 0
    return tree.sample()


def test_a_tree_is_the_sum_of_its_processes():
    """Three children of 20 MiB each and their parent hold at least 60 MiB together, and at most that and interpreters."""
    child = start(PARENT)
    tree = Tree(child.pid, include_root=True)
    try:
        rss, anon = settled(tree)
        assert len(tree.members) == tree.seen == 4
        assert 60 * MIB <= anon <= rss <= 140 * MIB
        child.stdin.write("go on\n")
        child.stdin.flush()
        assert child.stdout.readline().strip() == "alone"
        rss, anon = settled(tree)
        assert len(tree.members) == 1
        assert anon < 30 * MIB
        assert tree.sum_peak >= 60 * MIB
        assert tree.peaks_sum >= tree.sum_peak
    finally:
        child.communicate()
        tree.sample()
        assert tree.members == {}
        tree.close()


def test_the_root_is_left_out_unless_asked_for():
    """The launcher above a command is not the command's memory."""
    child = start(HOLDER, str(20 * MIB))
    outer, own = Tree(os.getpid()), Tree(child.pid)
    try:
        assert settled(own) == (0, 0)
        rss, anon = settled(outer)
        assert child.pid in outer.members
        assert rss >= anon >= 20 * MIB
    finally:
        child.communicate()
        outer.close()


def test_an_ending_process_is_counted_once():
    """A process that has given its memory back but was not waited for is not found anew at every look."""
    child = start(HOLDER, str(64 * MIB))
    tree = Tree(child.pid, include_root=True)
    settled(tree)
    child.stdin.close()
    while Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        settled(tree)
        time.sleep(0)
    for _ in range(5):
        assert settled(tree) == (0, 0)
    assert tree.seen == 1
    child.stdout.close()
    child.wait()


def test_descriptors_are_given_back(open_files):
    """Neither the end of a process nor closing the tree leaks a descriptor."""
    before = open_files()
    for _ in range(3):
        child = start(HOLDER, "1")
        tree = Tree(os.getpid())
        settled(tree)
        tree.close()
        child.communicate()
    assert open_files() <= before


LIVES = st.lists(st.tuples(st.sampled_from(["start", "end", "retire"]), st.integers(0, 50)), max_size=60)


@given(LIVES)
def test_the_upper_end_is_that_of_processes_that_lived_together(steps):
    """Against a plain count over all moments: each start makes a set, and nobody leaves it before the next look."""
    tree, alive, sets = Tree(0), [], []
    for step, number in steps:
        if step == "start":
            member = Member(0, None, rss_peak=number)
            alive.append(member)
            tree._found.append(member)
            sets.append(list(tree._found))
        elif step == "end" and alive:
            tree._ended.append(alive.pop(number % len(alive)))
        else:
            tree._retire()
    expected = max((sum(member.rss_peak for member in together) for together in sets), default=0)
    assert tree.peaks_sum == expected
    tree._retire()
    assert tree.peaks_sum == expected


def test_children_one_after_the_other_do_not_add_up():
    """Fifty short children of 8 MiB are never more than two of them, their parent, and what it takes to start one."""
    script = "for i in $(seq 50); do head -c 8388608 /dev/zero | tail -c 8388608 >/dev/null; done"
    with subprocess.Popen(["sh", "-c", script]) as parent:
        tree = Tree(parent.pid, include_root=True)
        while parent.poll() is None:
            tree.sample(discover=True)  # at each look: by itself it looks the more seldom, the longer a look takes
            time.sleep(0.002)
    assert tree.seen > 3
    assert tree.sum_peak <= tree.peaks_sum <= 64 * MIB
    tree.close()


@pytest.mark.skipif(sys.platform != "linux", reason="flags of a process are Linux's")
def test_one_without_a_program_is_waited_for():
    """A forked process may have its parent's memory for a moment: where that is asked for, it counts from the second look on."""
    forked = "import os, sys\nif not os.fork(): os.write(1, b'.'); sys.stdin.read()\nelse: os.wait()"
    with subprocess.Popen(
        [sys.executable, "-S", "-c", forked], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        parent.stdout.read(1)
        at_once, waiting = Tree(parent.pid), Tree(parent.pid, wait_for_program=True)
        at_once.sample(discover=True)
        waiting.sample(discover=True)
        assert (at_once.seen, waiting.seen) == (1, 0)
        waiting.sample(discover=True)
        assert waiting.seen == 1
        own = Tree(os.getpid(), wait_for_program=True)
        own.sample(discover=True)
        assert parent.pid in own.members  # it has a program
        parent.stdin.close()
    for tree in (at_once, waiting, own):
        tree.close()
