"""What becomes of a file that is listed, passed over, or decided."""

from __future__ import annotations

import pytest

from flatwater.sync.state import WORK_OF, Work
from flatwater.sync.status import Status, finalized, missing, seen


@pytest.mark.parametrize(
    ("before", "is_same", "after"),
    [
        (None, False, Status.NEW),
        (Status.NEW, True, Status.NEW),
        (Status.NEW, False, Status.NEW),
        (Status.SYNCED, True, Status.SYNCED),
        (Status.SYNCED, False, Status.NEW),
        (Status.TEMP_DELETED, True, Status.SYNCED),
        (Status.TEMP_DELETED, False, Status.NEW),
        (Status.DELETED_ON_SOURCE, True, Status.NEW),
        (Status.DELETED_ON_SOURCE, False, Status.NEW),
        (Status.ERROR, True, Status.ERROR),
        (Status.ERROR, False, Status.ERROR),
    ],
)
def test_a_file_that_is_listed(before, is_same, after):
    """Only what was copied, and is the same, is synced; what failed stays failed until it is copied."""
    assert seen(before, is_same=is_same) is after


def test_a_file_that_is_passed_over():
    """Nothing follows yet; what an earlier complete listing decided stays decided."""
    assert {each: missing(each) for each in Status} == {
        each: Status.DELETED_ON_SOURCE if each is Status.DELETED_ON_SOURCE else Status.TEMP_DELETED for each in Status
    }


def test_after_a_complete_listing():
    """What has a copy is to be deleted, what has none is forgotten, all else stays."""
    assert finalized(Status.TEMP_DELETED, has_copy=True) is Status.DELETED_ON_SOURCE
    assert finalized(Status.TEMP_DELETED, has_copy=False) is None
    for each in set(Status) - {Status.TEMP_DELETED}:
        assert finalized(each, has_copy=True) is finalized(each, has_copy=False) is each


def test_numbers_on_disk():
    """They are in states that exist, and every status has its work."""
    assert [each.name for each in sorted(Status)] == ["NEW", "SYNCED", "DELETED_ON_SOURCE", "TEMP_DELETED", "ERROR"]
    assert [(each.name, int(each)) for each in Work] == [("COPY", 1), ("DELETE", 2), ("DECIDE", 3)]
    assert set(WORK_OF) == set(Status)
