"""Any remote to any remote: what a sync does between them, and what it does when connections are cut in the middle."""

from __future__ import annotations

import logging
import os
import shutil
import traceback

import pytest
from cutting import cutting
from ftp_server import PASSWORD, FtpServer
from object_servers import SECRET
from ssh_server import options_for

import flatwater as fw
from flatwater import errors, limits
from flatwater.sync.entry import Attributes
from flatwater.sync.remote import Remote
from flatwater.sync.remotes.directory import Directory
from flatwater.sync.remotes.ftp import Ftp
from flatwater.sync.remotes.objects import ObjectStore
from flatwater.sync.remotes.sftp import Sftp

KINDS = ("directory", "ftp", "sftp", "s3")
MTIME = 1_700_000_001_000_000_000
FILES = {b"a": b"one", b"b/c.d": b"", b"b/c/e": b"x" * 300_000, b"z \xc3\xbc": b"last"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Tries follow each other at once."""
    monkeypatch.setattr(limits, "SYNC_RETRY_S", 0.01)
    monkeypatch.setattr(limits, "SYNC_RETRY_S_MAX", 0.05)


@pytest.fixture
def place(request, tmp_path):
    """A function that makes an empty remote of a kind; `port` is of a proxy in front of its server."""
    opened: list[Remote] = []
    ended = []

    def make(kind, port=0, server=None):
        folder = tmp_path / f"place-{len(opened)}-{len(ended)}"
        folder.mkdir()
        if kind == "directory":
            remote: Remote = Directory(folder)
        elif kind == "ftp":
            server = server or FtpServer(folder)
            ended.append(server.stop)
            remote = Ftp.from_url(
                server.url().replace(f":{server.port}", f":{port or server.port}"), {"timeout_s": "5"}
            )
        elif kind == "sftp":
            server = request.getfixturevalue("sshd")
            at = port or server.port
            remote = Sftp.from_url(f"sftp://127.0.0.1:{at}{folder}", options_for(server.keys, at))
        else:
            server = request.getfixturevalue("rclone")
            remote = ObjectStore.from_url(f"s3://{server.bucket()}/deep/down", server.options(port))
        opened.append(remote)
        return remote

    yield make
    for remote in opened:
        remote.close()
    for end in ended:
        end()


def put(remote, files, mtime=MTIME):
    """Files at a remote."""
    for path, data in files.items():
        writing = remote.write(path, len(data), Attributes(mtime))
        writing.write(data)
        writing.publish()


def files_of(remote):
    """Paths and contents."""
    found = {}
    for batch in remote.batches():
        for entry in batch:
            with remote.read(entry.path) as reading:
                found[entry.path] = b"".join(bytes(part) for part in iter(lambda: bytes(reading.read(100_000)), b""))
    return found


@pytest.mark.parametrize("destination", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_every_pair(place, tmp_path, source, destination):
    """Copied, not copied again, changed, deleted, repaired: the same between all of them."""
    there, here = place(source), place(destination)
    put(there, FILES)
    sync = fw.Sync(there, here, state=tmp_path / "state", workers=2)
    assert sync.plan().new == 4
    report = sync.apply()
    assert (report.copied, report.failed, report.is_complete) == (4, 0, True), str(report)
    assert files_of(here) == FILES
    again = sync.apply()
    assert (again.files, again.copied, again.deleted, again.changed) == (4, 0, 0, 0)
    assert sync.audit().is_fine
    put(there, {b"a": b"other!"}, MTIME + 5_000_000_000)
    assert there.delete([b"b/c/e"]) == [None]
    plan = sync.plan()
    assert (plan.new, plan.changed, plan.delete) == (0, 1, 1)
    report = sync.apply()
    assert (report.copied, report.deleted) == (1, 1), str(report)
    wanted = {b"a": b"other!", b"b/c.d": b"", b"z \xc3\xbc": b"last"}
    assert files_of(here) == wanted
    here.delete([b"a"])
    assert sync.audit().missing == 1
    repaired = fw.Sync(there, here, state=tmp_path / "state", check_destination=True).apply()
    assert (repaired.repaired, repaired.copied) == (1, 1)
    assert files_of(here) == wanted
    if here.keeps_mtime and there.keeps_mtime:
        assert here.find(b"b/c.d").mtime_ns == MTIME


@pytest.mark.parametrize("kind", ["directory", "s3"])
def test_what_is_there_already_is_adopted(place, tmp_path, kind):
    """A mirror that another tool made is not copied again, where both tell that it is the same."""
    there, here = place("directory"), place(kind)
    put(there, FILES)
    put(here, FILES | {b"a": b"two", b"other": b"of nobody"})
    report = fw.Sync(there, here, state=tmp_path / "state", check_destination=True).apply()
    assert (report.adopted, report.copied) == ((4, 0) if kind == "directory" else (3, 1)), str(report)
    assert files_of(here)[b"other"] == b"of nobody"


def test_paths_that_a_destination_cannot_have(place, tmp_path, moto):
    """Hostile keys of a bucket are failures that are named, nothing is written outside of the root, and all else is copied."""
    client = moto.client()
    client.create_bucket(Bucket="hostile")
    for key in ("good/one", "../up", "/absolute", "a//b", "a/./b", "folder/", "x" * 300, "good/two"):
        client.put_object(Bucket="hostile", Key=key, Body=b"" if key.endswith("/") else b"data")
    source = ObjectStore.from_url("s3://hostile", moto.options())
    root = tmp_path / "deep" / "root"
    root.mkdir(parents=True)
    report = fw.Sync(source, root, state=tmp_path / "state").apply()
    assert (report.copied, report.failed) == (2, 5), str(report)
    assert {path for path, _reason in report.failures} == {b"../up", b"/absolute", b"a//b", b"a/./b", b"x" * 300}
    assert "'..' is no name of a file or folder" in str(report)
    assert [path.name for path in sorted((tmp_path / "deep").rglob("*")) if path.is_file()] == ["one", "two"]
    source.close()


def test_a_file_that_became_a_folder_and_back(place, tmp_path):
    """What is in the way at the destination goes first, in the same run."""
    there, here = place("directory"), place("ftp")
    put(there, {b"x": b"file", b"y/1": b"in folder"})
    sync = fw.Sync(there, here, state=tmp_path / "state", max_delete=10)
    sync.apply()
    there.delete([b"x", b"y/1"])
    put(there, {b"x/deep": b"folder now", b"y": b"file now"})
    report = sync.apply()
    assert (report.copied, report.failed, report.deleted) == (2, 0, 2), str(report)
    assert files_of(here) == {b"x/deep": b"folder now", b"y": b"file now"}


def _cut_run(place, tmp_path, request, source, destination, proxied, cut_at, cut_after):
    """A sync through a proxy that cuts at a request; the proxy, and what the destination has at the end."""
    folder = tmp_path / f"run-{cut_at}"
    folder.mkdir()
    with_server = source if proxied == "source" else destination
    if with_server == "ftp":
        (folder / "served").mkdir()
        server = FtpServer(folder / "served")
    else:
        server = request.getfixturevalue({"sftp": "sshd", "s3": "rclone"}[with_server])
    with cutting(server.port) as proxy:
        there = place(source, *((proxy.port, server) if proxied == "source" else ()))
        here = place(destination, *((proxy.port, server) if proxied == "destination" else ()))
        put(there, FILES)
        proxy.turns, proxy.cut_at, proxy.cut_after = 0, cut_at, cut_after
        report = fw.Sync(there, here, state=folder / "state", workers=1, list_workers=1).apply()
        turns, proxy.cut_at = proxy.turns, 0
        assert report.is_complete, str(report)
        assert files_of(here) == FILES
        assert fw.Sync(there, here, state=folder / "state").plan().is_empty
        there.close()
        here.close()
        if with_server == "ftp":
            server.stop()
        return turns, proxy.cuts


@pytest.mark.parametrize(
    ("source", "destination", "proxied"),
    [("s3", "directory", "source"), ("directory", "s3", "destination"), ("directory", "sftp", "destination"),
     ("sftp", "directory", "source"), ("s3", "ftp", "source"), ("s3", "ftp", "destination")],
)  # fmt: skip
@pytest.mark.parametrize("cut_after", [-1, 20])
@pytest.mark.slow
def test_the_connection_is_cut_at_each_request(place, tmp_path, request, source, destination, proxied, cut_after):
    """In turn: before the request arrives, or in the middle of its answer: the sync ends well each time."""
    turns, _cuts = _cut_run(place, tmp_path, request, source, destination, proxied, 0, cut_after)
    assert turns > 3
    step = 7 if "sftp" in {source, destination} else 3 if "ftp" in {source, destination} else 1  # these ask more often
    total = 0
    for cut_at in range(1, turns + 1, step):
        _seen, cuts = _cut_run(place, tmp_path, request, source, destination, proxied, cut_at, cut_after)
        assert cuts <= 1
        total += cuts
    assert total >= turns // step // 2  # an answer may be over before it is cut, and runs differ in their last requests


def test_a_cut_connection(place, tmp_path, request):
    """One cut for the quick tests: in the middle of an answer of S3, and of SFTP."""
    for pair in (("s3", "directory", "source"), ("directory", "sftp", "destination")):
        _turns, cuts = _cut_run(place, tmp_path, request, *pair, 4, 20)
        assert cuts == 1
        shutil.rmtree(tmp_path / "run-4")


def test_nothing_private_is_shown(place, tmp_path, caplog):
    """Neither in the state, the report, logs, nor in errors when the server is gone."""
    here, there = place("directory"), place("s3")
    ftp = place("ftp")
    caplog.set_level(logging.DEBUG)
    put(here, FILES)
    secrets = [PASSWORD, SECRET, "Signature="]
    said = []
    for destination in (there, ftp):
        sync = fw.Sync(here, destination, state=tmp_path / f"state-{destination.kind}")
        said += [str(sync.plan()), str(sync.apply()), repr(sync), str(sync.audit().to_dict())]
    gone = Ftp.from_url(f"ftp://user:{PASSWORD}@127.0.0.1:9/x", {"timeout_s": "1"})
    with pytest.raises(errors.BrokenError) as failed:
        fw.Sync(gone, tmp_path / "copy", state=tmp_path / "state-gone", tries=2).apply()
    said += ["".join(traceback.format_exception(failed.value)), caplog.text]
    for folder, _below, names in os.walk(tmp_path):
        for name in names:
            if "state-" in folder:
                with open(os.path.join(folder, name), "rb") as file:
                    content = file.read()
                said.append(content.decode("latin-1"))
    for secret in secrets:
        assert not [text for text in said if secret in text]
