"""What goes with an object; reading and writing are in test_objects.py."""

from __future__ import annotations

import pytest

from flatwater.sync.entry import UNKNOWN, Attributes
from flatwater.sync.remotes.object_streams import botocore_words, sent_headers, told_attributes


@pytest.mark.parametrize("time", [0, 1, 1_700_000_001_000_000_000, 1_700_000_001_123_456_789, 10**18 + 10])
def test_times_come_back(time):
    """To the nanosecond."""
    assert told_attributes(sent_headers(b"x", Attributes(time))).mtime_ns == time


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "-5", "1e99", "1e999999999"])
def test_times_that_are_none(text):
    """Are not known."""
    assert told_attributes({"mtime": text}).mtime_ns == UNKNOWN


def test_types_are_guessed():
    """By the name, unless one is given; of a packed file, that it is one of bytes."""
    assert sent_headers(b"a/b.html", Attributes())["Content-Type"] == "text/html"
    assert sent_headers(b"a/b.tar.gz", Attributes())["Content-Type"] == "application/octet-stream"
    assert sent_headers(b"a/b", Attributes(content_type="x/y"))["Content-Type"] == "x/y"
    assert sent_headers(b"data:text/html,x", Attributes())["Content-Type"] == "application/octet-stream"


def test_headers_and_metadata_are_told_apart():
    """In botocore's words."""
    headers = sent_headers(b"x", Attributes(metadata={"Cache-Control": "no-store", "mtime": "old", "a": "b"}))
    assert botocore_words(headers) == {
        "CacheControl": "no-store", "ContentType": "application/octet-stream", "Metadata": {"a": "b"}
    }  # fmt: skip
