"""A finding and its fingerprint."""

from __future__ import annotations

from dataclasses import replace

from flatwater.lint.finding import Confidence, Finding

HERE = Finding("src/a.py", 3, 8, "FW101", "It holds all.", Confidence.SURE, 3, 20, "rows = c.fetchall()")


def test_lines_may_move():
    """A fingerprint is of the file, the rule and the line's words: neither place, nor indentation, nor certainty change it."""
    moved = replace(
        HERE, line=90, end_line=90, column=12, source="    rows =  c.fetchall()", confidence=Confidence.LIKELY
    )
    assert moved.fingerprint == HERE.fingerprint


def test_what_changes_it():
    """Another file, rule, text or number of the same is another finding."""
    others = [
        replace(HERE, path="src/b.py"), replace(HERE, code="FW102"), replace(HERE, source="rows = d.fetchall()"), replace(HERE, nth=1),
    ]  # fmt: skip
    assert len({each.fingerprint for each in [HERE, *others]}) == 5


def test_names_that_are_no_text():
    """A file may be called by bytes that are no UTF-8."""
    assert len(replace(HERE, path="a\udcff.py").fingerprint) == 32


def test_for_json():
    """It has what the report promises; a cell only in a notebook."""
    assert {"path", "line", "column", "code", "message", "confidence"} <= HERE.as_dict().keys()
    assert HERE.as_dict()["confidence"] == "sure"
    assert "cell" not in HERE.as_dict()
    assert replace(HERE, cell=4).as_dict()["cell"] == 4


def test_order():
    """By file, line and column."""
    later = replace(HERE, line=4)
    assert sorted([replace(HERE, path="z.py"), later, HERE]) == [HERE, later, replace(HERE, path="z.py")]


def test_confidence_is_an_order():
    """Sure is more than likely, and that more than maybe."""
    assert Confidence.SURE > Confidence.LIKELY > Confidence.MAYBE
    assert str(Confidence.SURE) == "sure"
