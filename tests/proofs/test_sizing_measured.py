"""What sizing charges beside what the operating system sees, over many shapes of rows, each in a fresh process."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("sizing_shapes.py")
QUICK = ("dict_wide", "page", "tuple_of_floats", "deque")
HELD_OUT = tuple(f"generated_{seed}" for seed in range(200, 208))  # random schemas that nothing was tuned on


def shapes():
    """The names of the shapes, without running anything."""
    spec = importlib.util.spec_from_file_location("sizing_shapes", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return tuple(module.SHAPES)


def measure(shape):
    """One fresh process that holds rows of `shape`: charged / seen for each way of charging."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), shape], capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr
    reading = json.loads(done.stdout)
    assert reading["seen"] >= 8 << 20
    return reading


@pytest.mark.skipif(sys.platform != "linux", reason="RssAnon is read from /proc")
@pytest.mark.timeout(600)  # the longest takes ten seconds of a processor, and may have to share one with many
@pytest.mark.parametrize("shape", [
    pytest.param(shape, marks=[] if shape in QUICK else [pytest.mark.slow]) for shape in (*shapes(), *HELD_OUT)
])  # fmt: skip
def test_charged_is_what_is_seen(shape):
    """Bytes charged are 0.8 to 1.25 of the growth in anonymous memory, row by row, as a batch and as a column."""
    reading = measure(shape)
    for way in ("row", "batch", "column"):
        assert 0.8 <= reading[way] <= 1.25, reading


def test_there_are_shapes_enough():
    """At least 20 shapes and 6 held-out ones are measured."""
    assert len(shapes()) >= 20
    assert len(HELD_OUT) >= 6
