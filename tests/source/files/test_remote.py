from __future__ import annotations

import gzip
import http.server
import threading

import pytest

from flatwater import errors
from flatwater.source import FileChunks, lines, records
from flatwater.source.files.remote import Remote, failure, scrubbed, secrets_of


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


def test_all_that_came_before_a_cut_is_handed_out():
    """The byte that the error names is the one after the last that was given: going on from it loses none."""
    parts = iter([b"x" * 70, b"y" * 30])

    def take():
        for part in parts:
            return part
        raise OSError("reset by peer")

    remote = Remote("http://host/a", "http://host/a", take, lambda: None, 0)
    assert remote.read(1_000) == b"x" * 70 + b"y" * 30
    for _ in range(2):
        with pytest.raises(errors.BrokenError, match=r"broke at byte 100 .*reset by peer"):
            remote.read(1_000)


class Parts(http.server.BaseHTTPRequestHandler):
    """Sends parts that were not asked for, or none."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_words):
        pass

    def do_GET(self):
        data = bytes(range(200))
        asked = self.headers.get("Range")
        first, last = {"/earlier": (5, 199), "/shorter": (100, 149), "/later": (120, 199)}.get(self.path, (0, 199))
        if self.path == "/loop":
            self.send_response(302)
            self.send_header("Location", "/loop")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path == "/beyond" and asked:
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200 if self.path == "/beyond" else 206)
        self.send_header("Content-Range", f"bytes {first}-{last}/200")
        self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        self.wfile.write(data[first : last + 1])


@pytest.fixture
def parts():
    """Where `Parts` listens."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Parts)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_parts_that_were_not_asked_for(parts):
    """What a server sends is placed by what it says of it: an earlier part is passed over, any other is refused."""
    for path in ("earlier", "whole"):
        got = b"".join(FileChunks(f"{parts}/{path}", copy=True, offset=100, compression="none"))
        assert got == bytes(range(100, 200))
    for path, sent in (("shorter", "100 to 149 of 200"), ("later", "120 to 199 of 200")):
        with pytest.raises(errors.BrokenError, match=f"sent the bytes from {sent}, where those from 100 on"):
            list(FileChunks(f"{parts}/{path}", offset=100, compression="none"))
    with pytest.raises(errors.BrokenError, match="where those from 0 on"):
        list(FileChunks(f"{parts}/shorter"))


def test_an_offset_at_a_remote_end(parts):
    """At the end there is nothing more, and beyond it the size is told, as of a local file."""
    assert list(FileChunks(f"{parts}/beyond", offset=200, compression="none")) == []
    with pytest.raises(errors.BrokenError, match="ends at byte 200, before the offset 201"):
        list(FileChunks(f"{parts}/beyond", offset=201, compression="none"))


def test_a_server_that_leads_in_a_circle(parts):
    """It is said in words."""
    with pytest.raises(errors.BrokenError, match="from one address to the next, and to no end"):
        list(FileChunks(f"{parts}/loop"))


def test_offsets_at_the_end_of_an_object(store, noise):
    """At the end there is nothing more, and beyond it the size is told."""
    client, options = store
    client.put_object(Bucket="bucket", Key="end", Body=noise)
    url, size = "s3://bucket/end", len(noise)
    assert list(FileChunks(url, offset=size, compression="none", storage_options=options)) == []
    with pytest.raises(errors.BrokenError, match=f"ends at byte {size}, before the offset {size + 1}"):
        list(FileChunks(url, offset=size + 1, compression="none", storage_options=options))


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/", "s3://", "s3:///key"])
def test_a_bucket_is_no_object(store, url):
    """Its list of objects is not taken for the content of one."""
    with pytest.raises(errors.UsageError, match="names no object"):
        list(FileChunks(url, storage_options=store[1]))
