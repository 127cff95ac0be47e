"""tour.guide: what is written down inside the tour's process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from flatwater.tour.guide import Errand, guide
from flatwater.tour.promise import Limit
from flatwater.tour.step import Inputs
guide(Errand(("tour_steps:Fine", "tour_steps:Fine"), Inputs((), 1.0), Limit("none", 16 << 20), sys.argv[1]))
"""


def test_each_step_is_noted_as_it_begins_and_as_it_ends(tmp_path):
    """Baseline and limit, then each step, then promised and seen: a line each, so that a kill loses at most one."""
    notes = tmp_path / "notes"
    environment = {"PYTHONPATH": str(Path(__file__).parent), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", PROGRAM, notes], check=True, env=environment, timeout=60)
    lines = [json.loads(line) for line in notes.read_text().splitlines()]
    assert [sorted(line) for line in lines] == [
        ["running"], ["baseline", "limit"], ["running"], ["row"], ["running"], ["row"], ["account", "running"],
    ]  # fmt: skip
    assert lines[1]["limit"]["kind"] == "none"
    assert [lines[n]["running"] for n in (0, 2, 4, 6)] == ["", "fine", "fine", ""]
    row, account = lines[3]["row"], lines[6]["account"]
    assert 1 << 20 <= row["seen"] <= row["promised"] == 16 << 20
    assert account["promised"]["peak_bytes"] == 16 << 20
    assert {holder["name"] for holder in account["promised"]["holders"]} == {"tour.rounding", "fine"}
