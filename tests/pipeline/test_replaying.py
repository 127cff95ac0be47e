"""Dead letters run again: each from the stage in which it failed, and no source is read."""

from __future__ import annotations

import pytest

from flatwater import errors
from flatwater.pipeline.flow import Flow


def test_each_from_its_stage(tmp_path):
    """What earlier stages did to it is not done again."""
    broken = {"first", "second"}
    calls = []

    def first(n):
        calls.append(("first", n))
        if "first" in broken and n == 3:
            raise ValueError(n)
        return n + 100

    def second(n):
        calls.append(("second", n))
        if "second" in broken and n in {104, 105}:
            raise ValueError(n)
        return n * 10

    def source():
        assert broken, "a replay does not read it"
        yield from range(8)

    flow = Flow(source).map(first).filter(lambda _n: True).map(second).to(tmp_path / "out.jsonl")
    assert flow.run(dead_letters=tmp_path / "dead.jsonl").skipped == 3
    broken.clear()
    calls.clear()
    report = flow.replay(tmp_path / "dead.jsonl")
    assert (report.items, report.skipped) == (3, 0)
    assert sorted(calls) == [("first", 3), ("second", 103), ("second", 104), ("second", 105)]
    assert sorted(map(int, (tmp_path / "out.jsonl").read_text().split())) == [1030, 1040, 1050]


def test_what_fails_again(tmp_path):
    """Goes to another file."""
    flow = Flow([0, 1, 2]).map(lambda n: 1 // n)
    flow.run(dead_letters=tmp_path / "dead.jsonl")
    with pytest.raises(errors.UsageError, match="cannot go to the file that is read"):
        flow.replay(tmp_path / "dead.jsonl", dead_letters=tmp_path / "dead.jsonl")
    assert flow.replay(tmp_path / "dead.jsonl", dead_letters=tmp_path / "again.jsonl").skipped == 1
    with pytest.raises(ZeroDivisionError):
        flow.replay(tmp_path / "again.jsonl")


def test_a_flow_that_would_replace_the_letters(tmp_path):
    """It is refused, and they stay as they are."""
    dead = tmp_path / "dead.jsonl"
    flow = Flow(["1", "x"]).map(int)
    flow.run(dead_letters=dead)
    before = dead.read_bytes()
    (tmp_path / "folder").symlink_to(tmp_path)
    with pytest.raises(errors.UsageError, match=r"to\(dead.jsonl\) would replace the file that is read"):
        flow.to(tmp_path / "folder" / "dead.jsonl").replay(dead, on_error="skip")
    assert dead.read_bytes() == before


def test_the_file_of_another_flow(tmp_path):
    """Its stage is named, and nothing is done."""
    Flow([0]).map(lambda n: 1 // n).run(dead_letters=tmp_path / "dead.jsonl")
    with pytest.raises(errors.UsageError, match=r"is of stage '1 map\(<lambda>\)', which this flow has not"):
        Flow([0]).filter(bool).replay(tmp_path / "dead.jsonl")


def test_policies_that_contradict_each_other(tmp_path):
    """Dead letters mean going on."""
    with pytest.raises(errors.UsageError, match="dead_letters= and on_error='raise'"):
        Flow([0]).run(on_error="raise", dead_letters=tmp_path / "dead.jsonl")
