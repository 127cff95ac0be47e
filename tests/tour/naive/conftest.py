"""What twins work on: a small table, a page of it, and a few documents."""

from __future__ import annotations

import pytest

from flatwater import limits
from flatwater.tour import Inputs, Root
from flatwater.tour.steps import pages
from flatwater.tour.twin import Task

ROWS = 3_000


@pytest.fixture
def task_of(tmp_path, monkeypatch):
    """A function that makes a task; the table has 3,000 rows, the page 100, and there are two documents below `texts`."""
    pytest.importorskip("apsw")
    monkeypatch.setattr(limits, "TOUR_ROWS", ROWS)
    monkeypatch.setattr(limits, "TOUR_PAGE_ROWS", 100)
    made, folder, texts = (tmp_path / name for name in ("made", "folder", "texts"))
    for path in (made, folder, texts):
        path.mkdir()
    (texts / "a.md").write_text("# Title\n\nmany words, many lines\n" * 100)
    (texts / "b.html").write_text("<html><body><p>One &amp; two</p></body></html>")
    assert pages.make(Inputs((), 30.0, str(folder), str(made)))

    def task(items=ROWS, size=1 << 30, **details):
        return Task((Root(str(texts)),), str(made), str(folder), items, size, details)

    return task
