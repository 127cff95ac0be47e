"""source.files.objects: what an object store has below a prefix."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "servers"))

import object_servers

from flatwater import errors
from flatwater.source.files.objects import listed

moto, moto_server, rclone = object_servers.moto, object_servers.moto_server, object_servers.rclone


def put(server, bucket, names):
    for name in names:
        server.client().put_object(Bucket=bucket, Key=name, Body=name.encode())


def names_of(server, url):
    return [found for found, _version in listed(url, server.options())]


@pytest.fixture(params=["rclone", "moto"])
def server(request):
    """Two S3 servers, one after the other."""
    return request.getfixturevalue(request.param)


def test_all_below_a_prefix_are_listed(server):
    """Names that begin with a dot, here or in a folder, are left out; a prefix without a slash is one object."""
    bucket = server.bucket()
    put(server, bucket, ["a.md", "docs/b.md", "docs/deep/c d.md", "docs/.hidden", "docs/.git/x", "docs2/e.md"])
    root = f"s3://{bucket}/"
    assert sorted(names_of(server, f"{root}docs/")) == [f"{root}docs/b.md", f"{root}docs/deep/c d.md"]
    assert sorted(names_of(server, root)) == [
        f"{root}{name}" for name in ("a.md", "docs/b.md", "docs/deep/c d.md", "docs2/e.md")
    ]
    assert names_of(server, f"{root}a.md") == [f"{root}a.md"]
    assert names_of(server, f"{root}none/") == []


def test_a_version_is_that_of_the_object(server):
    """It stays until other bytes are put there, whether one or all are listed."""
    bucket = server.bucket()
    put(server, bucket, ["a.md", "b.md"])
    url = f"s3://{bucket}/"
    first = dict(listed(url, server.options()))
    assert first == dict(listed(url, server.options()))
    server.client().put_object(Bucket=bucket, Key="a.md", Body=b"other")
    second = dict(listed(url, server.options()))
    assert second[f"{url}a.md"] != first[f"{url}a.md"]
    assert second[f"{url}b.md"] == first[f"{url}b.md"]


def test_what_cannot_be_listed_is_told_by_name(server):
    """An object or a bucket that is not there, and a server that is not there; no secret is in the message."""
    bucket = server.bucket()
    for url in (f"s3://{bucket}/none.md", "s3://no-such-bucket-here/"):
        with pytest.raises(errors.BrokenError, match=url.split("/")[2]) as caught:
            list(listed(url, server.options()))
        assert "flatwater-secret-key" not in str(caught.value)
