"""Requests for pages; with servers, in test_objects.py, and where buckets are, in test_object_options.py."""

from __future__ import annotations

import pytest

from flatwater.sync.failures import Failure, TemporaryFailure
from flatwater.sync.pacing import FREE
from flatwater.sync.remotes.s3_keys import Keys, S3Keys


@pytest.fixture
def keys():
    return S3Keys(
        "bucket", endpoint="http://127.0.0.1:1", region="us-east-1", keys=Keys("name", "hidden"), anonymous=False,
        is_path_style=True, name="s3://bucket",
    )  # fmt: skip


def answering(monkeypatch, keys, bodies):
    """Pages that come, and what was asked for each."""
    asked = []

    def page(words):
        asked.append(dict(words))
        return f"<ListBucketResult>{bodies[len(asked) - 1]}</ListBucketResult>".encode()

    monkeypatch.setattr(keys, "_asked_page", page)
    return asked


def test_pages_follow_their_tokens(monkeypatch, keys):
    """Until there is no more; a server that says there is more and not where, or the same again, is not believed."""
    more = "<IsTruncated>true</IsTruncated><NextContinuationToken>{}</NextContinuationToken>"
    asked = answering(monkeypatch, keys, [more.format("1"), more.format("2"), ""])
    assert len(list(keys.pages(FREE, "a/", "a/b", "/", 7))) == 3
    assert asked[0] == {
        "encoding-type": "url", "list-type": "2", "max-keys": "7", "prefix": "a/", "start-after": "a/b", "delimiter": "/"
    }  # fmt: skip
    assert [each.get("continuation-token") for each in asked] == [None, "1", "2"]
    for pages in ([more.format("1"), more.format("1")], ["<IsTruncated>true</IsTruncated>"]):
        answering(monkeypatch, keys, pages)
        with pytest.raises(Failure, match="not where"):
            list(keys.pages(FREE, ""))


def test_pages_that_lead_in_a_circle(monkeypatch, keys):
    """Of any number of empty pages: the listing ends, and is not called complete."""
    more = "<IsTruncated>true</IsTruncated><NextContinuationToken>{}</NextContinuationToken>"
    for circle in (["1", "2"], ["1", "2", "3", "4", "5"]):
        asked = answering(monkeypatch, keys, [more.format("0"), *map(more.format, circle * 100)])
        with pytest.raises(Failure, match="not where"):
            list(keys.pages(FREE, ""))
        assert len(asked) < 20


def test_closing_what_was_not_opened(keys):
    """Does nothing, and opens nothing; after a use it can be used again."""
    keys.close()
    assert not {"_http", "_client", "_session"} & set(vars(keys))
    for _ in range(2):
        with pytest.raises(TemporaryFailure):
            list(keys.pages(FREE, ""))
        keys.close()
    assert not {"_client", "_session"} & set(vars(keys))
