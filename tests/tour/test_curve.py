"""tour.curve: what is seen of a process from outside."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from flatwater.tour.curve import Curve, Curves

MIB = 1 << 20
PROGRAM = """
import json, sys
notes = open(sys.argv[1], "a")
def note(**facts):
    print(json.dumps(facts), file=notes, flush=True)
note(running="a (being prepared)")
note(running="", baseline={"rss_bytes": 5 << 20})
note(running="a")
input()
held = bytearray(b"x") * (30 << 20)
input()
note(row={})
note(running="b")
input()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a tree is sampled on Linux")
def test_each_step_has_its_curve(tmp_path):
    """Above the baseline, from its beginning to its end, also if the process is killed; what is prepared has none."""
    notes = tmp_path / "notes"
    told = []
    with (
        subprocess.Popen([sys.executable, "-c", PROGRAM, notes], stdin=subprocess.PIPE, text=True) as process,
        Curves(lambda: process.pid, str(notes), told.append) as curves,
    ):

        def go_on():
            process.stdin.write("\n")
            process.stdin.flush()

        time_for(lambda: len(curves.of("a").t_s) > 1)
        go_on()
        time_for(lambda: curves.of("a").peak > 30 * MIB)
        go_on()
        time_for(lambda: len(curves.of("b").t_s) > 1)
        process.kill()
    a, b = curves.of("a"), curves.of("b")
    assert told == ["a (being prepared)", "a", "b"]
    assert a.bytes[0] < 30 * MIB < a.peak < 60 * MIB
    assert b.bytes[0] > 25 * MIB
    assert list(a.t_s) == sorted(a.t_s)
    assert curves.of("a (being prepared)") == curves.of("never") == Curve()


def time_for(condition):
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_notes_that_are_cut_are_passed_over(tmp_path):
    """A line that was not written to its end, or is none of ours, changes nothing."""
    notes = tmp_path / "notes"
    notes.write_text('no json\n{"running": "a"}\n{"runn')
    with Curves(lambda: 0, str(notes)) as curves:
        time_for(lambda: curves._read)
    assert curves.of("a") == Curve()


def test_a_curve_as_json():
    """Two columns."""
    assert json.dumps(Curve((0.5,), (7,)).to_dict()) == '{"t_s": [0.5], "bytes": [7]}'
    assert Curve().peak == 0
