"""Findings that are known."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from flatwater import errors, limits
from flatwater.lint import baseline
from flatwater.lint.baseline import Baseline
from flatwater.lint.finding import Confidence, Finding
from flatwater.lint.settings import Settings

HERE = Finding("src/a.py", 3, 8, "FW101", "It holds all.", Confidence.SURE, 3, 20, "rows = c.fetchall()")


@pytest.fixture
def known(tmp_path, monkeypatch):
    """A baseline on disk that knows one finding, read back."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text("")
    made = Baseline("known.json")
    made.add(HERE)
    (tmp_path / "known.json").write_text(made.text(Settings()))
    return lambda: baseline.read("known.json")


def test_known_ones_are_not_told(known):
    """Not even when their line has moved; a second of the same is new."""
    found = known()
    second = replace(HERE, line=50, nth=1)
    assert found.new("src/a.py", [replace(HERE, line=40, end_line=40), second]) == [second]
    assert (found.known, found.stale(Settings())) == (1, [])


def test_from_another_folder(known, tmp_path, monkeypatch):
    """Paths are relative to the baseline, wherever the command runs."""
    monkeypatch.chdir(tmp_path / "src")
    found = baseline.read("../known.json")
    assert found.new("a.py", [replace(HERE, path="a.py")]) == []


def test_stale(known):
    """An entry whose finding is gone from a file that was looked at is stale, and is dropped when it is written again."""
    found = known()
    assert found.new("src/a.py", []) == []
    assert [each.code for each in found.stale(Settings())] == ["FW101"]
    assert json.loads(found.text(Settings()))["findings"] == []


def test_not_looked_at(known, tmp_path):
    """A file that was not looked at says nothing of its entries; one that was removed makes them stale."""
    found = known()
    assert found.stale(Settings()) == []
    assert len(json.loads(found.text(Settings()))["findings"]) == 1
    (tmp_path / "src/a.py").unlink()
    assert len(found.stale(Settings())) == 1


def test_a_file_that_cannot_be_parsed(known):
    """It says nothing of its entries: they are kept for when it is mended."""
    found = known()
    broken = replace(HERE, code="FW000", message="The file cannot be parsed.", source="")
    assert found.new("src/a.py", [broken]) == [broken]
    assert found.stale(Settings()) == []


def test_rules_that_did_not_look(known):
    """An entry of a rule that is not selected, or that is less sure than what is asked for, is not stale."""
    found = known()
    found.add(replace(HERE, code="FW302", confidence=Confidence.LIKELY))
    found = Baseline("known.json", found._entries.values())
    found.new("src/a.py", [])
    assert [each.code for each in found.stale(Settings(select=("FW2",)))] == []
    assert [each.code for each in found.stale(Settings(confidence=Confidence.SURE))] == ["FW101"]


def test_an_entry_a_line(known):
    """A change of one finding is a change of one line."""
    made = Baseline("known.json")
    for nth in range(3):
        made.add(replace(HERE, nth=nth, line=9 - nth))
    lines = made.text(Settings()).splitlines()
    assert len(lines) == 5
    assert [json.loads(each.rstrip(","))["line"] for each in lines[1:-1]] == [7, 8, 9]


def test_names_that_are_no_text(known, tmp_path):
    """A file may be called by bytes that are no UTF-8."""
    odd = replace(HERE, path="src/\udcff.py")
    made = Baseline("odd.json")
    made.add(odd)
    (tmp_path / "odd.json").write_text(made.text(Settings()))
    assert baseline.read("odd.json").new(odd.path, [odd]) == []


def test_its_bound(monkeypatch):
    """More than a baseline may have is refused, with what to do."""
    monkeypatch.setattr(limits, "LINT_BASELINE_ENTRIES_MAX", 2)
    made = Baseline("known.json")
    for nth in range(2):
        made.add(replace(HERE, nth=nth))
    with pytest.raises(errors.LimitReached, match="Begin with --confidence sure"):
        made.add(replace(HERE, nth=2))


BROKEN = {
    "no JSON": b"{",
    "nothing": b"",
    "no text": b'{"version": 1, "findings": [{"path": "\xff"}]}',
    "another version": b'{"version": 2, "findings": []}',
    "no list": b'{"version": 1, "findings": {}}',
    "an entry without its code": b'{"version": 1, "findings": [{"path": "a"}]}',
    "a confidence that is none": b'{"version":1,"findings":[{"path":"a","code":"FW1","line":1,"confidence":"x","fingerprint":"y"}]}',
    "deep": b"[" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_no_baseline(tmp_path, data):
    """It is refused, with what to do."""
    (tmp_path / "known.json").write_bytes(data)
    with pytest.raises(errors.UsageError, match=r"is no baseline.*Write it anew with --write-baseline"):
        baseline.read(str(tmp_path / "known.json"))


def test_what_cannot_be_read(tmp_path, monkeypatch):
    """A file that is not there, or is too large, is refused."""
    with pytest.raises(errors.UsageError, match="Write it with --write-baseline"):
        baseline.read(str(tmp_path / "gone.json"))
    monkeypatch.setattr(limits, "LINT_BASELINE_BYTES_MAX", 10)
    (tmp_path / "known.json").write_bytes(b" " * 11)
    with pytest.raises(errors.UsageError, match="has more than 10 bytes"):
        baseline.read(str(tmp_path / "known.json"))
