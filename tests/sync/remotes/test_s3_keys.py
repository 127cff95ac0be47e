"""Pages of listings as S3 writes them; requests are in test_objects.py."""

from __future__ import annotations

import pytest

from flatwater.sync.failures import Failure, TemporaryFailure
from flatwater.sync.remotes.s3_keys import _Page

ROW = "<Contents><Key>{}</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified><ETag>&quot;e&quot;</ETag><Size>7</Size></Contents>"


def page(rows, space=' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"', more=""):
    return _Page(f"<ListBucketResult{space}>{more}{rows}</ListBucketResult>".encode(), "s3://bucket")


@pytest.mark.parametrize("space", ["", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'])
def test_what_a_page_tells(space):
    """With a namespace or without; whole seconds."""
    found = page(ROW.format("a+b%0A"), space)
    assert found.objects() == [("a+b%0A", 7, 1_767_323_045_000_000_000, '"e"')]
    assert not found.is_truncated
    quoted = page(ROW.format("a+b%0A%2B%C3%BC"), space, "<EncodingType>url</EncodingType>")
    assert quoted.objects()[0][0] == "a b\n+ü"


def test_pages_that_cannot_be_believed():
    """Are no listings: cut off, without sizes, with keys that are no UTF-8."""
    with pytest.raises(TemporaryFailure):
        _Page(b"<ListBucketResult><Contents>", "s3://bucket")
    with pytest.raises(TemporaryFailure):
        _Page(b"<html/>", "s3://bucket")
    with pytest.raises(Failure, match="lacks"):
        page("<Contents><Key>a</Key></Contents>").objects()
    with pytest.raises(Failure, match="not UTF-8"):
        page(ROW.format("%FF"), more="<EncodingType>url</EncodingType>").objects()
