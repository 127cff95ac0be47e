"""tour.steps.pages: the page that documents steps read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flatwater import limits
from flatwater.tour import Inputs
from flatwater.tour.steps import pages

pytest.importorskip("apsw")


@pytest.fixture(autouse=True)
def few_rows(monkeypatch):
    monkeypatch.setattr(limits, "TOUR_ROWS", 20_000)
    monkeypatch.setattr(limits, "TOUR_PAGE_ROWS", 10)


def test_it_has_rows_of_the_table(tmp_path):
    """As many as are wanted; it is made once."""
    inputs = Inputs((), 30.0, "", str(tmp_path))
    path = pages.make(inputs)
    text = Path(path).read_text()
    assert text.count("<tr>") == 10
    assert "<td>10</td><td>user10@example.org</td><td>User Number 10</td><td>0.10</td>" in text
    os.utime(path, (1, 1))
    assert pages.make(inputs) == path
    assert os.stat(path).st_mtime == 1


def test_without_a_place_there_is_none(tmp_path):
    """Neither where the tour has none, nor where it cannot be written."""
    assert pages.make(Inputs((), 30.0, str(tmp_path))) == ""
    assert pages.make(Inputs((), 30.0, "", str(tmp_path / "none"))) == ""
