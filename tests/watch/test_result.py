"""watch.result: what a run's figures become in JSON."""

from __future__ import annotations

import json

from flatwater.meter.suspects import Frame, Suspect
from flatwater.watch.result import RunResult


def test_an_empty_result_is_json():
    """Nothing was measured: no budget is null rather than 0, and the pattern is undecided."""
    data = json.loads(json.dumps(RunResult(["job"]).to_dict()))
    assert data["command"] == ["job"]
    assert (data["budget_bytes"], data["profile"], data["forecast"]) == (None, None, None)
    assert (data["pattern"], data["samples"], data["exit_code"]) == ("undecided", 0, 0)


def test_whoever_was_killed_or_refused_does_not_hold():
    """Either is enough."""
    result = RunResult(["job"])
    assert result.holds
    result.refused = True
    assert not result.holds
    result.refused, result.killed = False, True
    assert not result.holds


def test_a_suspect_has_its_share_of_the_growth():
    """A quarter of the growth is 0.25, and without growth there is no share."""
    frame = Frame("a.py", 3, "load")
    result = RunResult(["job"], suspects=[Suspect(frame, frame, 25, stack=(frame,))], suspects_growth=100)
    (suspect,) = result.to_dict()["suspects"]
    assert (suspect["file"], suspect["line"], suspect["share"], suspect["in"]) == ("a.py", 3, 0.25, "")
    result.suspects_growth = 0
    assert result.to_dict()["suspects"][0]["share"] == 0.0
