"""tour.twin: inside the process of a twin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from flatwater.tour.twin import Task

PROGRAM = """
import sys
from flatwater.tour.promise import Limit
from flatwater.tour.twin import Task, TwinErrand, twin
task = Task((), "", "", 7, 0, {"extra": 5})
twin(TwinErrand(sys.argv[2], "a", task, Limit("none", 16 << 20), sys.argv[1]))
"""


def run(notes, module):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, notes, module],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=60,
    )


def test_what_it_notes(tmp_path):
    """Baseline, limit and the time as it begins; items and what was seen when it is done."""
    assert run(tmp_path / "notes", "tour_twin_small").returncode == 0
    first, last = [json.loads(line) for line in (tmp_path / "notes").read_text().splitlines()]
    assert (first["running"], first["limit"]["kind"], first["began_s"] > 0) == ("a", "none", True)
    assert (last["running"], last["items"]) == ("", 12)
    assert 0 <= last["seen"] < 16 << 20


def test_what_it_raises_goes_as_text(tmp_path):
    """An error of a class that cannot be made again elsewhere."""
    assert "TwinFailedError: OddError: a plain bug" in run(tmp_path / "notes", "tour_twin_broken").stderr


def test_a_task_has_counts():
    """0 for what the step did not count."""
    assert Task((), "", "", 1, 2, {"rows": 3, "name": "x"}).count("rows") == 3
    assert Task((), "", "", 1, 2, {"name": "x"}).count("name") == 0
