"""Object stores as remotes: S3 by rclone and by moto, and a store in memory as those that are not S3."""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from pathlib import Path

import pytest
from contract import MTIME, Contract, content, paths, written

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "servers"))

from cutting import cutting
from object_servers import KEY, SECRET, failing, moto, moto_server, rclone  # noqa: F401 - fixtures

from flatwater import limits
from flatwater.sync.entry import UNKNOWN, Attributes
from flatwater.sync.failures import (
    ChangedFailure,
    Failure,
    GoneFailure,
    RefusedFailure,
    RemoteFailure,
    TemporaryFailure,
)
from flatwater.sync.remotes import s3_keys
from flatwater.sync.remotes.object_options import Place
from flatwater.sync.remotes.objects import ObjectStore

ODD = ["new\nline", "a//b", "/leading", "dir/", "x/./y", "../up", "tab\t", "\x01", "//", ".", "plus+ %2F", "a\ufffeb"]


def opened(server, port=0, prefix="in/side", bucket="", **more):
    """A remote of a new bucket."""
    url = f"s3://{bucket or server.bucket()}/{prefix}"
    return ObjectStore.from_url(url, server.options(port, **more))


def bucket_of(remote):
    return remote._where.keys.bucket


def backdoor(bucket):
    """Moto's own objects: its HTTP server refuses a line feed in a path."""
    from moto.s3.models import s3_backends

    return s3_backends["123456789012"]["aws"], bucket


def filled(remote, keys, prefix="in/side/"):
    backend, bucket = backdoor(bucket_of(remote))
    for key in keys:
        backend.put_object(bucket, prefix + key, b"odd" if not key.endswith("dir/") else b"")


@pytest.fixture
def remote(moto):  # noqa: F811
    with opened(moto) as remote:
        yield remote


class TestMoto(Contract):
    """What every remote does."""


class TestRclone(Contract):
    """What every remote does."""

    @pytest.fixture
    def remote(self, rclone):  # noqa: F811
        with opened(rclone) as remote:
            yield remote

    def test_deleting(self, remote):
        """What is not there is deleted already; this server deletes the file "e" for "e/below", so that is not asked."""
        for path in (b"a/b/c", b"a/d", b"e"):
            written(remote, path)
        assert remote.delete([b"a/b/c", b"a/b/none", b"none/none"]) == [None] * 3
        assert paths(remote) == [b"a/d", b"e"]
        assert remote.delete([b"a/d", b"e"]) == [None, None]
        assert paths(remote) == []


class TestMemory(Contract):
    """What every remote does, by obstore alone: the part that Google's and Azure's stores use."""

    @pytest.fixture
    def remote(self):
        from obstore.store import MemoryStore

        store = MemoryStore()
        place = Place("memory://", "in/side/", (id(store),), None, lambda seconds: store, has_md5=False, is_sorted=True)
        with ObjectStore(place) as remote:
            yield remote

    def test_odd_keys_are_refused(self, remote):
        """There is no way to them."""
        for path in (b"a//b", b"dir/", b"a/../b", b"new\nline", b"\xff", b"", b"n" * 1020):
            assert remote.refusal(path)
            assert remote.find(path) is None
            assert remote.delete([path]) == [None]

    def test_names_that_azure_alters(self):
        """They are refused before they are written, and elsewhere they are names like others."""
        azure, google = ObjectStore.from_url("az://container", {}), ObjectStore.from_url("gs://bucket", {})
        for path in (b"back\\slash", b"dot.", b"folder./file"):
            assert "Azure" in azure.refusal(path)
            assert google.refusal(path) == ""
        assert azure.refusal(b".hidden/a.b") == ""

    def test_a_copy_inside(self, remote):
        """With what goes with it."""
        told = written(remote, b"from", b"data")
        assert remote.copy_inside(remote, told, b"to").size == 4
        assert content(remote, b"to")[2].mtime_ns == MTIME


def test_odd_keys_among_many(moto, monkeypatch):  # noqa: F811
    """Each of them is told, with its own bytes, in its place; others come before and behind, over several pages."""
    monkeypatch.setattr(s3_keys, "_PAGE_KEYS", 25)
    remote = opened(moto, prefix="")
    keys = [f"{letter}{number:04}" for letter in ".0an" for number in range(16)] + ODD
    filled(remote, keys, "")
    wanted = sorted(key.encode() for key in keys)
    assert paths(remote) == wanted
    for after in (b"new\nline", b"a\xff", b"\xff", b"\x01"):
        assert paths(remote, after) == [path for path in wanted if path > after], after
        assert paths(remote, b"0", after) == [path for path in wanted if b"0" < path < after], after
    assert {entry.path: entry.size for batch in remote.batches() for entry in batch}[b"dir/"] == 0


@pytest.mark.parametrize("key", [key for key in ODD if "\n" not in key])
def test_odd_keys_are_written_read_deleted(remote, key):
    """In one request or in parts; moto's HTTP server takes no line feed in a path."""
    path = key.encode()
    assert remote.refusal(path) == ""
    told = written(remote, path, b"data", Attributes(MTIME + 5, content_type="a/b", metadata={"who": "me"}))
    assert paths(remote) == [path]
    data, entry, attributes = content(remote, path)
    assert (data, entry.etag) == (b"data", told.etag)
    assert attributes == Attributes(MTIME + 5, UNKNOWN, "a/b", {"who": "me"})
    ((listed,),) = remote.batches()
    assert remote.find(path) == listed == entry
    assert remote.copy_inside(remote, listed, b"copy").etag == told.etag
    assert content(remote, b"copy")[0] == b"data"
    assert remote.delete([path, b"copy", path]) == [None] * 3
    assert paths(remote) == []
    with pytest.raises(GoneFailure):
        remote.read(path)


@pytest.mark.parametrize("path", [b"plain", b"odd//"])
def test_large_objects_go_in_parts(remote, path, monkeypatch):
    """What is sent in parts comes back, and an abandoned one leaves no upload."""
    monkeypatch.setattr(limits, "SYNC_PART_BYTES", 5 << 20)
    data = os.urandom(12_000_000)
    told = written(remote, path, data)
    assert told.etag.endswith(b"-3")
    assert content(remote, path, 100_000)[:2] == (data, remote.find(path))
    client = remote._where.keys._client
    writing = remote.write(path, len(data), Attributes())
    writing.write(data)
    for _ in range(2):
        writing.abandon()
    assert client.list_multipart_uploads(Bucket=bucket_of(remote)).get("Uploads", []) == []
    assert remote.find(path) == remote.find(path)
    assert content(remote, path, 100_000)[1].etag == told.etag


def test_uploads_of_killed_runs_are_discarded(remote):
    """Those of that very key that began before."""
    client = remote._where.keys._client
    for key in ("in/side/x", "in/side/xy"):
        client.create_multipart_upload(Bucket=bucket_of(remote), Key=key)
    later = ObjectStore(remote._where)
    from datetime import timedelta

    later._begun += timedelta(days=36_500)  # moto tells a time of its own
    later.discard(b"x")
    assert [found["Key"] for found in client.list_multipart_uploads(Bucket=bucket_of(remote))["Uploads"]] == [
        "in/side/xy"
    ]


def test_a_new_upload_ends_that_of_a_killed_run(remote, monkeypatch):
    """Of the same object, when it is sent in parts again: nothing is left at the store."""
    from datetime import timedelta

    monkeypatch.setattr(limits, "SYNC_PART_BYTES", 5 << 20)
    client = remote._where.keys._client
    for key in ("in/side/x", "in/side/xy"):
        client.create_multipart_upload(Bucket=bucket_of(remote), Key=key)
    remote._begun += timedelta(days=36_500)  # moto tells a time of its own
    written(remote, b"x", bytes(6 << 20))
    left = client.list_multipart_uploads(Bucket=bucket_of(remote))["Uploads"]
    assert [found["Key"] for found in left] == ["in/side/xy"]


@pytest.mark.parametrize("path", [b"plain", b"odd//"])
@pytest.mark.parametrize("ends", ["close", "discard"])
def test_uploads_that_could_not_be_aborted(moto, monkeypatch, path, ends):  # noqa: F811
    """Are aborted when the remote is closed, or told that the file will not be written; not those of others."""
    monkeypatch.setattr(limits, "SYNC_PART_BYTES", 5 << 20)
    remote = opened(moto)
    client = remote._where.keys._client
    client.create_multipart_upload(Bucket=bucket_of(remote), Key="in/side/other")
    moto.answers.append(failing(400, "Broken", lambda asked: asked["REQUEST_METHOD"] == "DELETE"))
    writing = remote.write(path, 11 << 20, Attributes())
    writing.write(bytes(11 << 20))
    writing.abandon()
    assert len(client.list_multipart_uploads(Bucket=bucket_of(remote))["Uploads"]) == 2
    remote.close()  # in vain
    moto.answers.clear()
    if ends == "close":
        remote.close()
    else:
        remote.discard(path)
    left = client.list_multipart_uploads(Bucket=bucket_of(remote))["Uploads"]
    assert [found["Key"] for found in left] == ["in/side/other"]
    assert not remote._left


def test_forgotten_uploads_end(remote, monkeypatch):
    """Their thread does not wait for ever."""
    monkeypatch.setattr(limits, "SYNC_PART_BYTES", 5 << 20)
    writing = remote.write(b"x", 20_000_000, Attributes())
    writing.write(bytes(6_000_000))
    thread = writing._upload._thread
    del writing
    thread.join(20)
    assert not thread.is_alive()
    assert remote._where.keys._client.list_multipart_uploads(Bucket=bucket_of(remote)).get("Uploads", []) == []


def test_time_type_and_metadata_come_back(remote):
    """The time as rclone writes it; the type guessed by the name; headers that say how to read it."""
    written(remote, b"a.txt", b"1", Attributes(MTIME + 123_456_789))
    assert content(remote, b"a.txt")[2] == Attributes(MTIME + 123_456_789, UNKNOWN, "text/plain", {})
    told = remote._where.keys._client.head_object(Bucket=bucket_of(remote), Key="in/side/a.txt")
    assert told["Metadata"] == {"mtime": "1700000001.123456789"}
    metadata = {"owner": "me", "Cache-Control": "no-store", "Content-Encoding": "gzip"}
    for path in (b"a", b"a//"):
        written(remote, path, b"1", Attributes(UNKNOWN, UNKNOWN, "text/csv", metadata))
        assert content(remote, path)[2]._replace(mtime_ns=UNKNOWN) == Attributes(UNKNOWN, UNKNOWN, "text/csv", metadata)
    written(remote, b"b", b"1", Attributes(metadata={"name": "Bärbel"}))
    assert content(remote, b"b")[2].metadata == {"name": "=?utf-8?q?B=C3=A4rbel?="}


@pytest.mark.parametrize("path", [b"a", b"b//c"])
def test_an_object_without_a_time_of_a_file_has_its_own(moto, path):  # noqa: F811
    """What was put there by other programs has the time at which that was."""
    remote = opened(moto)
    filled(remote, [path.decode()])
    with remote.read(path) as reading:
        assert reading.attributes.mtime_ns == reading.entry.mtime_ns > 0


def test_a_prefix_is_whole_folders(moto):  # noqa: F811
    """Nothing beside it is listed, found or deleted."""
    bucket = moto.bucket()
    outer = opened(moto, bucket=bucket, prefix="")
    for path in (b"a", b"a/", b"a/b", b"ab", b"a-b/c", b"b"):
        written(outer, path)
    for prefix in ("a", "a/"):
        inner = opened(moto, bucket=bucket, prefix=prefix)
        assert paths(inner) == [b"b"]
        assert inner.find(b"../b") is None
        assert inner.find(b"") is None
        assert inner.delete([b"b", b"", b"../b"]) == [None] * 3
        written(inner, b"b")
    assert paths(outer) == [b"a", b"a-b/c", b"a/", b"a/b", b"ab", b"b"]
    assert outer.borders(1) == [b"a-b.\xff", b"a.\xff"]
    assert inner.copy_inside(outer, outer.find(b"ab"), b"c").size == 4
    assert paths(inner) == [b"b", b"c"]


def test_marks_of_folders_are_in_one_range(moto):  # noqa: F811
    """Borders are where no key can be."""
    remote = opened(moto)
    wanted = [b"a.b", b"a.\xf4\x8f\xbf\xbf", b"a/", b"a/b", b"a/c/", b"a/c/d", b"c/"]
    for path in wanted:
        written(remote, path)
    for levels in (1, 2):
        borders = remote.borders(levels)
        assert len(borders) == levels + 1
        found = []
        for after, before in zip([b"", *borders], [*borders, b""], strict=True):
            found += paths(remote, after, before)
        assert found == wanted


def test_borders_are_thinned(moto, monkeypatch):  # noqa: F811
    """Evenly, from all folders."""
    monkeypatch.setattr(limits, "SYNC_RANGES_MAX", 4)
    remote = opened(moto)
    filled(remote, [f"{number:02}/x" for number in range(20)])
    assert remote.borders(2) == [b"00.\xff", b"05.\xff", b"10.\xff", b"15.\xff"]


def test_a_page_of_long_keys_is_asked_for_with_fewer(moto, monkeypatch):  # noqa: F811
    """No answer is read that is longer than a page may be; a server that takes no notice is refused."""
    remote = opened(moto)
    wanted = [f"{number:03}{'x' * 700}" for number in range(120)]
    filled(remote, wanted)
    monkeypatch.setattr(limits, "SYNC_S3_BODY_BYTES", 60_000)
    sizes = []
    page_of = s3_keys.page_of
    monkeypatch.setattr(
        s3_keys, "page_of", lambda body, *more, **facts: (sizes.append(len(body)), page_of(body, *more, **facts))[1]
    )
    assert paths(remote) == [path.encode() for path in wanted]
    assert len(sizes) == 3
    assert max(sizes) <= 60_000
    monkeypatch.setattr(limits, "SYNC_S3_BODY_BYTES", 500)
    with pytest.raises(Failure, match="more than 500 bytes"):
        paths(remote)


def test_copies_elsewhere_are_left_to_others(moto):  # noqa: F811
    """A bucket that is reached in another way, an object that is too large, a source that changed."""
    remote, other = opened(moto), opened(moto, session_token="another")
    assert not other.copies_inside(remote)
    entry = written(remote, b"x")
    assert other.copy_inside(remote, entry, b"y") is None
    assert remote.copy_inside(remote, entry._replace(size=limits.SYNC_COPY_BYTES_MAX + 1), b"y") is None
    assert remote.copy_inside(remote, entry, b"x") is None
    condition = f'"{entry.etag.decode()}"'
    moto.answers.append(
        failing(412, "PreconditionFailed", lambda asked: asked["HTTP_X_AMZ_COPY_SOURCE_IF_MATCH"] == condition, 1)
    )
    with pytest.raises(ChangedFailure):
        remote.copy_inside(remote, entry, b"y")
    with pytest.raises(GoneFailure):
        remote.copy_inside(remote, entry._replace(path=b"none", etag=b""), b"y")
    assert paths(remote) == [b"x"]


@pytest.mark.parametrize("path", [b"x", b"x//y"])
def test_a_copy_from_another_bucket_of_the_same_store(moto, path):  # noqa: F811
    """No byte of it comes by here; the path may be the same."""
    remote, other = opened(moto), opened(moto)
    entry = written(remote, path, b"data")
    asked = []
    moto.answers.append(lambda environ: asked.append((environ["REQUEST_METHOD"], "HTTP_X_AMZ_COPY_SOURCE" in environ)))
    assert other.copies_inside(remote)
    assert other.copy_inside(remote, entry, path).etag == entry.etag
    assert asked == [("PUT", True)]
    assert content(other, path)[0] == b"data"
    assert content(other, path)[2].mtime_ns == MTIME


def test_keys_have_1024_bytes(moto):  # noqa: F811
    """With their prefix; longer ones, and those that are no UTF-8, are refused."""
    remote = opened(moto)
    path = ("ä" * 508).encode()
    assert remote.refusal(path) == ""
    written(remote, path)
    assert paths(remote) == [path]
    assert paths(remote, path[:-2]) == [path]
    assert paths(remote, path + b"aaa") == []
    assert "1025 bytes" in remote.refusal(path + b"a")
    assert "UTF-8" in remote.refusal(b"\xff")
    assert remote.refusal(b"\x00")
    assert remote.refusal(b"")


def test_a_server_that_lists_in_another_order(moto, monkeypatch):  # noqa: F811
    """Is found out, and sorted if that is said."""
    bucket = moto.bucket()
    strict, sorting = (opened(moto, bucket=bucket, sorted=said) for said in ("true", "false"))
    wanted = [b"a-", b"a.b", b"a/b", b"a0"]
    rows = "".join(
        f"<Contents><Key>in/side/{key}</Key><Size>1</Size><LastModified>2026-01-02T03:04:05.6Z</LastModified></Contents>"
        for key in ("a-", "a/b", "a.b", "a0")
    )
    body = f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode()

    def disordered(_asked):
        return "200 OK", [("Content-Length", str(len(body)))], body

    moto.answers.append(disordered)
    with pytest.raises(RemoteFailure, match=r"not in the order of bytes\. Say sorted=false"):
        paths(strict)
    assert paths(sorting) == wanted
    assert paths(sorting, b"a-", b"a0") == wanted[1:3]
    monkeypatch.setattr(limits, "SYNC_BATCH", 2)
    assert [[entry.path for entry in batch] for batch in sorting.batches()] == [wanted[:2], wanted[2:]]
    assert sorting.borders(1) == []
    assert sorting.find(b"a.b").mtime_ns == 1_767_323_045_000_000_000


VERBS = {
    "list": paths,
    "find": lambda remote: remote.find(b"file"),
    "get": lambda remote: content(remote, b"file", 100_000),
    "get odd": lambda remote: content(remote, b"odd//", 100_000),
    "put": lambda remote: written(remote, b"new"),
    "put odd": lambda remote: written(remote, b"new//"),
    "parts": lambda remote: written(remote, b"large", bytes(11 << 20)),
    "parts odd": lambda remote: written(remote, b"large//", bytes(11 << 20)),
    "delete": lambda remote: remote.delete([b"new", b"new2"]),
    "delete odd": lambda remote: remote.delete([b"new//"]),
    "copy": lambda remote: remote.copy_inside(remote, remote.find(b"file"), b"new"),
}


LONG = {"parts", "parts odd"}  # eleven MiB each time
CUTS = [  # of each verb, one is quick: half of them cut the request, half the answer
    pytest.param(verb, after, marks=[] if (number % 2 == 0) == (after == -1) else pytest.mark.slow)
    for number, verb in enumerate(VERBS)
    for after in (-1, 100)
]


@pytest.mark.parametrize(("verb", "after"), CUTS)
def test_connections_that_are_cut(moto, monkeypatch, verb, after):  # noqa: F811
    """At each request, again and again: a failure that is temporary, then all is well; nothing is left behind."""
    monkeypatch.setattr(limits, "SYNC_PART_BYTES", 5 << 20)
    with cutting(moto.port) as proxy:
        remote = opened(moto, proxy.port)
        direct = opened(moto, bucket=bucket_of(remote))
        for path in (b"file", b"odd//"):
            written(direct, path, bytes(300_000))
        proxy.cut_after, proxy.again = after, True
        for turn in range(1, 5):
            proxy.turns, proxy.cut_at, proxy.cuts = 0, turn, 0
            try:
                VERBS[verb](remote)
            except TemporaryFailure:
                pass
            else:
                assert not proxy.cuts or proxy.turns >= turn
            proxy.cut_at = 0
            remote.close()
            VERBS[verb](remote)
            if proxy.cuts == 0:
                break
        remote.close()
        assert {b"file", b"odd//"} <= set(paths(direct))
        client = direct._where.keys._client
        assert client.list_multipart_uploads(Bucket=bucket_of(direct)).get("Uploads", []) == []


ANSWERS = [
    (500, "InternalError", TemporaryFailure), (503, "SlowDown", TemporaryFailure), (503, "", TemporaryFailure),
    (403, "AccessDenied", None), (403, "SignatureDoesNotMatch", RemoteFailure), (403, "InvalidAccessKeyId", RemoteFailure),
    (404, "NoSuchBucket", RemoteFailure), (409, "OperationAborted", TemporaryFailure), (429, "SlowDown", TemporaryFailure),
]  # fmt: skip
ERRORS = [  # each verb with one of them is quick, and each of them with a listing and an upload
    pytest.param(
        verb, *answer, marks=[] if verb in {"list", "put", "find"} or answer[1] == "AccessDenied" else pytest.mark.slow
    )
    for verb in VERBS
    for answer in ANSWERS
    if (verb != "find" or answer[0] == 500) and (verb not in LONG or answer[0] != 503)
]


@pytest.mark.parametrize(("verb", "status", "code", "kind"), ERRORS)
def test_answers_that_are_errors(moto, monkeypatch, verb, status, code, kind):  # noqa: F811
    """Their kind is that of the answer; a refusal is the file's own, but for a listing."""
    monkeypatch.setattr(limits, "SYNC_PART_BYTES", 5 << 20)
    remote = opened(moto)
    written(remote, b"file")
    if verb == "copy":
        entry = remote.find(b"file")
        remote.find = lambda path: entry
    moto.answers.append(failing(status, code))
    kind = kind or (RemoteFailure if verb == "list" else RefusedFailure)
    if verb.startswith("delete") and kind is RefusedFailure:
        assert all(isinstance(answer, RefusedFailure) for answer in VERBS[verb](remote))
        return
    with pytest.raises(Failure) as caught:
        VERBS[verb](remote)
    assert type(caught.value) is kind
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_one_of_many_cannot_be_deleted(moto):  # noqa: F811
    """The others go, and that one says why."""
    remote = opened(moto)
    for path in (b"a", b"b", b"c"):
        written(remote, path)
    body = b"<DeleteResult><Error><Key>in/side/b</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>"

    def refused(environ):
        if environ["REQUEST_METHOD"] == "POST" and b"in/side/b" in environ["wsgi.input"].read(
            int(environ["CONTENT_LENGTH"])
        ):
            environ["CONTENT_LENGTH"] = "0"
            return "200 OK", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body
        return None

    moto.answers.append(refused)
    answers = remote.delete([b"b"])
    assert [type(answer) for answer in answers] == [RefusedFailure]
    assert "AccessDenied" in str(answers[0])


def test_bodies_that_are_cut_off(moto):  # noqa: F811
    """Of a listing, of an object: never an end in silence."""
    remote = opened(moto)
    for number in range(30):
        written(remote, b"%02d" % number, b"x" * 1000)
    inside = []

    def short(environ):
        if environ["REQUEST_METHOD"] == "GET":
            inside.append(environ["PATH_INFO"])
            body = b"<?xml version='1.0'?><ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>in/side/00</Key>"
            return "200 OK", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body
        return None

    moto.answers.append(short)
    with pytest.raises(TemporaryFailure, match="cut off"):
        paths(remote)
    moto.answers[:] = [
        lambda environ: ("200 OK", [("Content-Type", "text/html"), ("Content-Length", "6")], b"<a></a"[:6])
    ]
    with pytest.raises(TemporaryFailure):
        paths(remote)
    moto.answers[:] = [lambda environ: ("200 OK", [("Content-Type", "text/html"), ("Content-Length", "4")], b"<a/>")]
    with pytest.raises(TemporaryFailure, match="no listing"):
        paths(remote)


@pytest.mark.parametrize("verb", ["list", "find", "get", "put", "delete"])
def test_wrong_credentials(rclone, verb):  # noqa: F811
    """End the run, and are in no text."""
    bucket = rclone.bucket()
    remote = opened(rclone, bucket=bucket, access_key_id="wrong-flatwater", secret_access_key="wrong-hidden")
    with pytest.raises(Failure) as caught:
        raise next(filter(None, VERBS[verb](remote)))
    assert type(caught.value) in ({RemoteFailure} if verb in {"list", "find"} else {RemoteFailure, RefusedFailure})
    told = "".join(traceback.format_exception(caught.value)) + repr(remote) + remote.url + repr(remote._where)
    assert "wrong-hidden" not in told
    assert "wrong-flatwater" not in told
    assert "Signature" not in told


def test_nobody_listens(moto):  # noqa: F811
    """Is temporary: a server that starts again."""
    from keeper import free_port

    remote = opened(moto, free_port(), bucket="bucket-1")
    for verb in ("list", "get", "put", "delete", "delete odd", "get odd", "put odd"):
        with pytest.raises(TemporaryFailure):
            VERBS[verb](remote)


def test_a_bucket_that_is_not_there(moto):  # noqa: F811
    """Ends the run."""
    remote = opened(moto, bucket="none-at-all")
    for verb in ("list", "put", "put odd", "delete", "parts", "parts odd"):
        with pytest.raises(RemoteFailure):
            VERBS[verb](remote)


def test_threads_share_one(remote):
    """Thirty-two write, read and delete at once."""
    failures = []

    def work(number):
        try:
            path = b"%02d" % number
            written(remote, path, path * 1000)
            assert content(remote, path)[0] == path * 1000
            if number % 2:
                assert remote.delete([path]) == [None]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert paths(remote) == [b"%02d" % number for number in range(0, 32, 2)]


def test_each_request_is_taken_from_the_pace(moto):  # noqa: F811
    """A listing, a read, a write, parts, a delete."""
    remote = opened(moto)
    taken = []

    class Counting:
        def take(self, count=1):
            taken.append(count)

    remote.pace = Counting()
    for verb, wanted in (("put", 1), ("list", 1), ("delete", 1), ("parts", 2), ("put odd", 1), ("parts odd", 4)):
        taken.clear()
        VERBS[verb](remote)
        assert len(taken) >= wanted, verb


@pytest.mark.parametrize("path", [b"a", b"b//c"])
def test_etags_of_encrypted_objects_are_no_md5(moto, path):  # noqa: F811
    """Although they look like one: the store says with each object how it is encrypted."""
    remote = opened(moto)
    client = remote._where.keys._client
    for encrypted, is_told in (
        ({}, True),
        ({"ServerSideEncryption": "AES256"}, True),
        ({"ServerSideEncryption": "aws:kms"}, False),
    ):
        client.put_object(Bucket=bucket_of(remote), Key=f"in/side/{path.decode()}", Body=b"x", **encrypted)
        assert remote.is_md5_told(path) is is_told
    with pytest.raises(GoneFailure):
        remote.is_md5_told(b"none")


def test_an_answer_that_is_not_of_an_object(moto):  # noqa: F811
    """A page of a proxy that is called 200 is no content of a file."""
    remote = opened(moto)
    for path in (b"a", b"b//c"):
        written(remote, path)
    moto.answers.append(lambda _environ: ("200 OK", [("Content-Length", "9")], b"<hello/>\n"))
    for path in (b"a", b"b//c"):
        with pytest.raises(TemporaryFailure):
            content(remote, path)


def test_a_page_of_any_size(moto):  # noqa: F811
    """A server that does not keep to the size of a page is refused, without holding what it sends."""
    remote = opened(moto)
    body = b"<ListBucketResult>" + b" " * (limits.SYNC_S3_BODY_BYTES + 1) + b"</ListBucketResult>"
    moto.answers.append(lambda _environ: ("200 OK", [("Content-Length", str(len(body)))], body))
    with pytest.raises(Failure, match="an answer has more than 786,432 bytes") as failed:
        paths(remote)
    assert not isinstance(failed.value, TemporaryFailure)
    assert "max-keys" in failed.value.hint


def test_libraries_log_no_secrets(moto, caplog):  # noqa: F811
    """At DEBUG, too, no log has a session token, a signature, or a URL that is signed; nor where botocore signs all of it."""
    asked = []
    moto.answers.append(
        lambda environ: asked.append(environ.get("HTTP_X_AMZ_SECURITY_TOKEN") or environ["QUERY_STRING"])
    )
    remote = opened(moto, session_token="a-session-token")
    caplog.set_level(logging.DEBUG)
    for path in (b"a", b"b//c"):
        written(remote, path)
        content(remote, path)
    assert paths(remote) == [b"a", b"b//c"]
    remote._where.keys.is_plain = False
    assert paths(remote) == [b"a", b"b//c"]
    assert "X-Amz-Signature=" in asked[-1]
    remote.delete([b"b//c"])
    for secret in ("a-session-token", SECRET, KEY, "Signature", "AWS4"):
        assert secret not in caplog.text, secret
