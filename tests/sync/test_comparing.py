"""Whether a file is the version that was copied."""

from __future__ import annotations

import pytest
from fakes import Fake

from flatwater import errors
from flatwater.sync.comparing import Comparison
from flatwater.sync.entry import Entry
from flatwater.sync.failures import GoneFailure, RefusedFailure, RemoteFailure
from flatwater.sync.record import Record
from flatwater.sync.status import Status

KNOWN = Entry(b"p", 5, 100, b"e1")
RECORD = Record(Status.SYNCED, True, 1, 5, 100, b"e1", md5=b"m" * 16)


def comparison(name, *, tells_etag=True, content_md5=lambda _entry: b"m" * 16):
    return Comparison(name, Fake(tells_etag=tells_etag), content_md5)


@pytest.mark.parametrize(
    ("name", "changes", "is_same"),
    [
        ("etag", {}, True), ("etag", {"etag": b"e2"}, False), ("etag", {"mtime_ns": 1}, True), ("etag", {"size": 6}, False),
        ("etag", {"etag": b""}, True), ("etag", {"etag": b"", "mtime_ns": 1}, False),
        ("mtime", {"etag": b"e2"}, True), ("mtime", {"mtime_ns": 101}, False), ("mtime", {"size": 4}, False),
        ("size", {"mtime_ns": 1, "etag": b"e2"}, True), ("size", {"size": 4}, False),
    ],
)  # fmt: skip
def test_one_way_and_its_quick_form(name, changes, is_same):
    """Both say the same of a synced file; the quick one never of another."""
    entry = KNOWN._replace(**changes)
    each = comparison(name)
    assert each.is_same(entry, RECORD) is is_same
    assert each.same(entry, RECORD.packed()) is is_same
    for status in set(Status) - {Status.SYNCED}:
        assert not each.same(entry, RECORD._replace(status=status).packed())


def test_which_way_is_taken():
    """Etags where there are some; what was chosen is said."""
    assert comparison("auto").name == "etag"
    assert comparison("auto", tells_etag=False).name == "mtime"
    assert "time" in comparison("mtime").said
    with pytest.raises(errors.UsageError, match="tells no etags"):
        comparison("etag", tells_etag=False)
    with pytest.raises(errors.UsageError, match="not known"):
        comparison("colour")


def test_by_content():
    """Times do not matter; each file is looked at, and one without a known sum is another one."""
    each = comparison("checksum")
    assert not each.same(KNOWN, RECORD.packed())
    assert each.is_same(KNOWN._replace(mtime_ns=5), RECORD)
    assert not each.is_same(KNOWN, RECORD._replace(md5=b"x" * 16))
    assert not each.is_same(KNOWN, RECORD._replace(md5=b""))


def test_by_content_of_a_file_that_cannot_be_read():
    """It is not the same: copying it says why; but a remote that does not work ends the scan."""

    def failing(failure):
        def content_md5(_entry):
            raise failure

        return comparison("checksum", content_md5=content_md5)

    assert not failing(GoneFailure("gone")).is_same(KNOWN, RECORD)
    assert not failing(RefusedFailure("no")).is_same(KNOWN, RECORD)
    with pytest.raises(RemoteFailure):
        failing(RemoteFailure("down")).is_same(KNOWN, RECORD)
