from __future__ import annotations

import gzip

import pytest

from flatwater import errors
from flatwater.source import FileChunks, lines, records
from flatwater.source.files.remote import failure, scrubbed, secrets_of

KEYS = {
    "access_key_id": "name",
    "secret_access_key": "word",
    "region": "us-east-1",
    "virtual_hosted_style_request": False,
}


@pytest.fixture(scope="module")
def store():
    """A real S3 server on a free loopback port, and what is needed to reach it."""
    server_module = pytest.importorskip("moto.server")
    import boto3

    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1",
        aws_access_key_id="name", aws_secret_access_key="word",
    )  # fmt: skip
    client.create_bucket(Bucket="bucket")
    yield client, {"endpoint": f"http://{host}:{port}", **KEYS}
    server.stop()


def test_an_object_store(store, noise):
    """An object of S3 is read as a stream, from an offset, compressed or not, as chunks, lines and rows."""
    client, options = store
    client.put_object(Bucket="bucket", Key="a/b.bin", Body=noise)
    client.put_object(Bucket="bucket", Key="rows.jsonl.gz", Body=gzip.compress(b'{"id": 1}\n{"id": 2}\n'))

    def chunks(**more):
        return b"".join(FileChunks("s3://bucket/a/b.bin", 10_000, copy=True, storage_options=options, **more))

    assert chunks() == noise
    assert chunks(offset=1_000, compression="none") == noise[1_000:]
    assert chunks(offset=1_000, length=5) == noise[1_000:1_005]
    assert list(lines("s3://bucket/rows.jsonl.gz", storage_options=options)) == ['{"id": 1}', '{"id": 2}']
    assert [row["id"] for row in records("s3://bucket/rows.jsonl.gz", storage_options=options)] == [1, 2]


@pytest.mark.parametrize("url", ["s3://bucket/none", "s3://nobucket/a"])
def test_a_missing_object(store, url):
    """It is said to be missing, by its name."""
    _, options = store
    with pytest.raises(errors.BrokenError, match=f"{url} does not exist"):
        list(FileChunks(url, storage_options=options))


@pytest.mark.parametrize("manner", ["", "no ranges", "no length"])
def test_the_web(web, noise, manner):
    """A server is read as a stream, whether it tells a length and knows ranges or not."""
    web.data, web.manner = noise, manner
    with FileChunks(f"{web.url}/a", 10_000, copy=True) as chunks:
        assert b"".join(chunks) == noise
        assert chunks.bytes_max() < 10 << 20
    part = b"".join(FileChunks(f"{web.url}/a", copy=True, offset=1_000, length=5_000, compression="none"))
    assert part == noise[1_000:6_000]
    assert len(web.asked) == 2
    assert web.asked[1][1]["Range"] == "bytes=1000-"


def test_compressed_on_the_web(web):
    """What is compressed is known by its content there, too."""
    web.data = gzip.compress(b"one\ntwo\n")
    assert list(lines(f"{web.url}/log")) == ["one", "two"]


def test_what_the_web_refuses(web, unused_port):
    """Missing, refused and unreachable are told apart, and no secret of the URL is shown, in no cause either."""
    host = web.url.removeprefix("http://")
    for url, what in (
        (f"http://ann:pass1@{host}/missing?key=hidden1", "does not exist"),
        (f"http://ann:pass1@{host}/secret?key=hidden1", "was refused"),
        (f"http://ann:pass1@127.0.0.1:{unused_port}/a?key=hidden1", "cannot be read"),
    ):
        with pytest.raises(errors.BrokenError, match=what) as caught:
            list(FileChunks(url))
        assert caught.value.__cause__ is None
        assert "pass1" not in str(caught.value)
        assert "hidden1" not in str(caught.value)
        assert "hidden1" not in repr(FileChunks(url))


@pytest.fixture
def unused_port():
    """A port of loopback at which nobody listens."""
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_an_offset_behind_a_remote_end(web):
    """A server without ranges is read up to the offset, and an end before it is told."""
    web.data, web.manner = b"12345", "no ranges"
    with pytest.raises(errors.BrokenError, match="ends at byte 5, before the offset 9"):
        list(FileChunks(f"{web.url}/a", offset=9, compression="none"))


def test_other_protocols(noise):
    """What fsspec knows is read through it, from an offset; what it does not know is refused by name."""
    import fsspec

    with fsspec.open("memory://folder/a", "wb") as file:
        file.write(noise)
    assert b"".join(FileChunks("memory://folder/a", copy=True, offset=7, compression="none")) == noise[7:]
    with pytest.raises(errors.BrokenError, match="does not exist"):
        list(FileChunks("memory://folder/none"))
    with pytest.raises(errors.UsageError, match="nothing reads nowhere://"):
        list(FileChunks("nowhere://a/b"))


def test_secrets():
    """User, password, query and each of its values are secrets, in whatever text."""
    url = "https://ann:pw@host/a?key=1234&b=5678"
    assert secrets_of(url) == {"ann:pw", "ann", "pw", "key=1234&b=5678", "1234", "5678"}
    assert "1234" not in scrubbed(url, "asked with key 1234")
    assert "status 500" in str(failure(url, "name", type("E", (Exception,), {"status": 500})(), 7))


def test_missing_libraries(monkeypatch):
    """Without a library the error says what to install."""
    import sys

    for name, url in (("obstore", "s3://a/b"), ("aiohttp", "http://a/b"), ("fsspec", "memory://a")):
        with monkeypatch.context() as patched:
            patched.setitem(sys.modules, name, None)
            with pytest.raises(errors.MissingExtra, match=r"flatwater\[files\]"):
                list(FileChunks(url))
