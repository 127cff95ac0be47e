"""ingest.choosing: which documents are read."""

from __future__ import annotations

import time

import pytest

from flatwater import limits
from flatwater.ingest import manifest
from flatwater.ingest.choosing import COMPARE, Choosing, stamp_of
from flatwater.ingest.report import Report


@pytest.fixture
def table():
    """A manifest in memory with one whole document."""
    table = manifest.empty()
    number = table.add_document(b"a", "a", 1, 1, "{}")
    table.end_document(number, b"a", b"stamp", b"hash", "", 0)
    yield table
    table.close()


def chosen(table, stamp=b"stamp", digest=b"hash", *, key=b"a", stages=1, again=False, dry=False):
    """The document or None, the report, and how often the bytes were looked at."""
    looked = []
    choosing = Choosing(table, Report(), stages, is_dry=dry, again=again)
    choosing.source = 1
    found = choosing.choose(key, "a", stamp, lambda: looked.append(1) or digest)
    return found, choosing._report, len(looked)


def test_the_same_stamp_costs_no_look_at_the_bytes(table):
    """It is counted as unchanged, and not read."""
    found, report, looked = chosen(table)
    assert (found, report.unchanged, looked) == (None, 1, 0)


def test_another_stamp_over_the_same_bytes_is_remembered(table):
    """The bytes are compared once; the next run goes by the new stamp."""
    found, report, looked = chosen(table, b"other")
    assert (found, report.unchanged, looked) == (None, 1, 1)
    assert table.find(b"a").stamp == b"other"


def test_other_bytes_or_other_stages_are_read(table):
    """They count as changed; a document that nobody knows, as new."""
    for arguments, kind in (
        ({"stamp": b"other", "digest": b"new"}, "changed"), ({"stages": 2}, "changed"), ({"key": b"b"}, "new"),
    ):  # fmt: skip
        table.run("DELETE FROM temp.seen")
        found, report, _looked = chosen(table, **arguments)
        assert found.stages == arguments.get("stages", 1)
        assert getattr(report, kind) == 1


def test_a_dry_run_chooses_and_writes_nothing(table):
    """The counts are those of a run, and no stamp changes."""
    found, report, _looked = chosen(table, b"other", b"new", dry=True)
    assert (found, report.changed) == (None, 1)
    table.run("DELETE FROM temp.seen")
    chosen(table, b"other", dry=True)
    assert table.find(b"a").stamp == b"stamp"


def test_what_something_was_wrong_with_is_told_and_read_again_where_that_is_asked(table):
    """The note stands in the report of each run; `again` reads the document."""
    table.run("UPDATE documents SET note = 'page 3: torn'")
    found, report, _looked = chosen(table)
    assert (found, report.problems[0].kind, report.problems[0].reason) == (None, "known", "unchanged: page 3: torn")
    table.run("DELETE FROM temp.seen")
    assert chosen(table, again=True)[0] is not None


def test_a_document_that_is_to_be_redone_is_read_whatever_its_bytes(table):
    """Without a hash no stamp and no comparison keeps it."""
    table.run("UPDATE documents SET hash = NULL")
    assert chosen(table)[0] is not None


@pytest.mark.parametrize("key", [b"a", b"new"])
def test_what_is_listed_twice_counts_once(table, key):
    """Known or new, the second time it is passed by; or told, where that is asked for."""
    report = Report()
    choosing = Choosing(table, report, 2, is_dry=False, again=False)
    assert choosing.choose(key, "a", b"", lambda: b"x") is not None
    assert choosing.choose(key, "a", b"", lambda: b"y") is None
    assert (report.documents, report.problem_count) == (1, 0)
    assert choosing.choose(key, "a", b"", lambda: b"y", twice="a second one") is None
    assert report.problems[0].reason == "a second one"


def test_a_file_written_just_now_is_compared_by_its_bytes():
    """Two writes within a tick of the clock leave one time; an old file is known by its numbers."""
    now = time.time_ns()
    assert stamp_of(1, now, now, 1) == COMPARE
    old = now - 10 * limits.INGEST_TIME_STEP_NS
    assert stamp_of(1, old, old, 1) == stamp_of(1, old, old, 1) != stamp_of(1, old, old, 2)
