"""proof.leaks.census: everything that lives, counted once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def counted():
    """The figures of a small heap: pytest's own is twenty times larger, and takes seconds to go through."""
    script = Path(__file__).with_name("counting.py")
    done = subprocess.run([sys.executable, script], stdout=subprocess.PIPE, check=True, timeout=100)
    return json.loads(done.stdout)


def test_objects_by_type(counted):
    """Objects the collector tracks, and the strings and numbers in untracked dicts of theirs, are all counted."""
    found = counted["by_type"]
    assert (found["things"], found["strings"], found["complete"]) == (50, 200, True)
    assert found["string_bytes"] >= 200 * 50
    assert found["objects"] >= 450


def test_lengths_and_fills(counted):
    """Every container's length is there, also of subclasses and buffers, and every functools cache's fill."""
    found = counted["lengths_fills_and_broken_sizes"]
    assert found["lengths"] == [1, 1, 5, None, 7]
    assert found["length"] == 5
    assert found["fill"] == 2


def test_broken_sizes_do_not_stop_it(counted):
    """An object whose class fails to tell its size counts with none."""
    found = counted["lengths_fills_and_broken_sizes"]
    assert found["broken"] == 1
    assert found["broken_bytes"] == [0, 0]


def test_its_own_figures_are_no_objects(counted):
    """What the instrument keeps does not count: a census does not grow because of the one before."""
    found = counted["its_own_figures"]
    assert found["ints"] < found["containers"] / 100


def test_what_is_set_apart_is_found(counted):
    """Objects that gc.freeze took out of the collector's lists are counted through those that hold them."""
    assert counted["what_is_set_apart"] == {"things": 5, "length": 5}


def test_a_bound_is_said(counted):
    """Past the bound it stops, and says that this is not all."""
    found = counted["past_the_bound"]
    assert not found["complete"]
    assert found["objects"] <= 1000 + 10_000
