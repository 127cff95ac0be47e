"""testing.records: what pytest itself keeps is not taken for the test's memory."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings

import pytest

from flatwater.testing import records

LOG = logging.getLogger("flatwater.tests.records")


@pytest.fixture
def patched(monkeypatch):
    monkeypatch.setenv("FLATWATER_PATCHED", "by the fixture")
    return monkeypatch


def test_each_round_begins_as_the_first(request, record_property, patched, caplog):
    """Logs, warnings, properties and patches of a round are gone after it; what fixtures patched stays."""
    record_property("made", "before")
    path = list(sys.path)
    warned = records._warned()
    before = len(warned)
    for _ in range(3):
        with records.put_back(request.node):
            LOG.warning("logged")
            warnings.warn("warned", DeprecationWarning, stacklevel=1)
            record_property("made", "in the round")
            patched.setenv("FLATWATER_PATCHED", "in the round")
            patched.setattr(os, "altsep", "!")
            patched.syspath_prepend("/nowhere")
            assert caplog.messages == ["logged"]
            assert len(warned) == before + 1
        assert caplog.records == []
        assert len(warned) == before
        assert request.node.user_properties == [("made", "before")]
        assert os.environ["FLATWATER_PATCHED"] == "by the fixture"
        assert os.altsep is None
        assert sys.path == path
    patched.undo()
    assert "FLATWATER_PATCHED" not in os.environ


def test_a_round_that_raises_leaves_its_log(request, caplog):
    """The report of a failure has what was logged before it."""
    with contextlib.suppress(LookupError), records.put_back(request.node):
        LOG.warning("logged")
        raise LookupError
    assert caplog.messages == ["logged"]


def test_a_measured_call_keeps_the_latest_only(request):
    """Logs and warnings of many items take the room of a few; the latest are there afterwards."""
    handler = records._handlers(request.node)[0]
    kept, warned = handler.records, records._warned()
    before = len(warned)
    with records.bounded(request.node):
        for number in range(1000):
            LOG.warning("row %d", number)
            warnings.warn(f"row {number}", DeprecationWarning, stacklevel=1)
        assert len(handler.records) <= 2 * records.RECORDS_MAX
        assert len(warned) == before
    assert handler.records is kept
    assert kept[-1].getMessage() == "row 999"
    assert handler.stream.getvalue().endswith("row 999\n")
    assert records._warned() is warned
    assert str(warned[-1].message) == "row 999"
    assert before < len(warned) <= before + 2 * records.RECORDS_MAX
    del warned[before:]


def test_a_test_that_asks_for_them_has_them_all(request, caplog, recwarn):
    """With caplog and recwarn nothing is left out."""
    with records.bounded(request.node):
        for number in range(3 * records.RECORDS_MAX):
            LOG.warning("row %d", number)
            warnings.warn(f"row {number}", UserWarning, stacklevel=1)
    assert len(caplog.records) == len(recwarn) == 3 * records.RECORDS_MAX


def test_the_end_of_a_text_is_kept():
    """Of much text the end stays, of one long line too."""
    tail = records.Tail()
    for number in range(40):
        tail.write(f"{number}" * records.TEXT_CHARS_MAX)
    assert tail.getvalue() == ("39" * records.TEXT_CHARS_MAX)[-records.TEXT_CHARS_MAX :]


TESTS = """
import logging
import os
import warnings
import pytest

LOG = logging.getLogger("app")

@pytest.mark.mem_no_leaks(rounds=4)
def test_clean(monkeypatch, record_property, subtests):
    LOG.warning("logged")
    warnings.warn("warned", DeprecationWarning)
    monkeypatch.setattr(os, "altsep", "!")
    record_property("made", 1)
    with subtests.test(part=1):
        assert os.altsep == "!"

@pytest.mark.mem_constant(sizes="1k..16k")
def test_logs_each(n):
    for number in range(n):
        LOG.warning("row %d", number)
        warnings.warn("old", DeprecationWarning)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)  # sessions in processes of their own, on a busy machine too
@pytest.mark.skipif(pytest.version_tuple < (9,), reason="subtests came with pytest 9")
def test_pytests_own_records_do_not_count(session):
    """A clean test has no leaks, and one that logs and warns for each item does not grow."""
    seen = session(TESTS, "-n", "2")
    assert seen.outcome("test_clean") == "passed", seen.words("test_clean")
    assert "grows" not in seen.case("test_logs_each").text
    assert seen.cases["test_logs_each"].properties["mem_verdict"] != "grows"
