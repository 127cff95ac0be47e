"""Files of an SFTP server: what goes wrong with them, and that nothing is left behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import asyncssh
import pytest

from flatwater import limits
from flatwater.sync.entry import Attributes, Entry
from flatwater.sync.failures import (
    ChangedFailure,
    Failure,
    GoneFailure,
    InTheWayFailure,
    RefusedFailure,
    RemoteFailure,
    TemporaryFailure,
)  # fmt: skip

sys.path.insert(0, str(Path(__file__).parents[2] / "servers"))

import ssh_server
from contract import MTIME, content, paths, written
from ssh_server import made

bad, remote, root, sshd = ssh_server.bad, ssh_server.remote, ssh_server.root, ssh_server.sshd


def read_on(reading):
    """To the end."""
    while reading.read(100_000):
        continue


def test_times_and_rights_are_kept(remote, root):
    """To the second; set-user-ID is not handed on."""
    told = written(remote, b"x", b"1", Attributes(MTIME + 123_456_789, 0o4751))
    found = os.stat(root / "x")
    assert told.mtime_ns == found.st_mtime_ns == MTIME
    assert found.st_mode & 0o7777 == 0o751
    assert content(remote, b"x")[2] == Attributes(MTIME, 0o751)
    written(remote, b"y", b"1", Attributes(-1, -1))
    written(remote, b"z", b"1", Attributes(1 << 80, -1))


@pytest.mark.parametrize(
    ("operation", "error", "kind"),
    [
        ("open", asyncssh.SFTPPermissionDenied("no"), RefusedFailure),
        ("write", asyncssh.SFTPFailure("No space left on device"), RemoteFailure),
        ("write", asyncssh.SFTPFailure("Failure"), Failure),
        ("rename", asyncssh.SFTPPermissionDenied("no"), RefusedFailure),
    ],
)
@pytest.mark.parametrize("size", [10, 300_000])
def test_what_goes_wrong_with_writing(bad, root, operation, error, kind, size):
    """Each in its kind; nothing is left behind."""
    server, remote = bad
    server.refused = (operation, error)
    with pytest.raises(kind) as caught:
        written(remote, b"x", b"x" * size)
    assert type(caught.value) is kind
    server.refused = ()
    assert os.listdir(root) == []
    written(remote, b"x")


@pytest.mark.parametrize("size", [10, 300_000])
def test_a_full_disk_is_the_remotes_own_matter(bad, size):
    """Even where the server says no more than that it failed."""
    server, remote = bad
    server.refused, server.full = ("write", asyncssh.SFTPFailure("Failure")), True
    with pytest.raises(RemoteFailure, match="no space"):
        written(remote, b"x", b"x" * size)


def test_rights_that_a_server_does_not_keep(bad):
    """Are no failure: the entry says what came of it."""
    server, remote = bad
    server.refused = ("fsetstat", asyncssh.SFTPPermissionDenied("no"))
    assert written(remote, b"x").mtime_ns > MTIME


def test_a_server_that_gives_less_than_it_was_asked_for(bad):
    """Is asked for the rest; a file that became shorter is another one."""
    _server, remote = bad
    data = os.urandom(300_000)
    written(remote, b"x", data)
    assert content(remote, b"x")[0] == data
    with remote.read(b"x") as reading:
        reading.read(10)
        os.truncate(remote.tree.full(b"x"), 100_000)
        with pytest.raises(ChangedFailure):
            read_on(reading)


def test_a_server_without_posix_rename(bad, monkeypatch):
    """Removes the old file, and renames the new one; a folder stays in the way."""
    _server, remote = bad
    monkeypatch.setattr(
        asyncssh.sftp.SFTPServerHandler,
        "_extensions",
        [each for each in asyncssh.sftp.SFTPServerHandler._extensions if not each[0].startswith(b"posix-rename")],
    )
    for data in (b"one", b"two"):
        written(remote, b"x", data)
        assert content(remote, b"x")[0] == data
    written(remote, b"folder/x")
    with pytest.raises(InTheWayFailure):
        written(remote, b"folder")


def test_a_server_copies_by_itself(remote, sshd, root, monkeypatch):
    """Where it can, the file of the same user; not one that has changed."""
    monkeypatch.setattr(limits, "SYNC_SFTP_COPY_BYTES", 100_000)
    data = os.urandom(250_001)
    entry = written(remote, b"a/x", data)
    told = remote.copy_inside(remote, entry, b"b/y")
    if told is None:
        pytest.skip("this sshd has no copy-data")
    assert told == Entry(b"b/y", len(data), MTIME)
    assert content(remote, b"b/y")[0] == data
    with pytest.raises(ChangedFailure):
        remote.copy_inside(remote, entry._replace(size=3), b"b/z")
    with pytest.raises(GoneFailure):
        remote.copy_inside(remote, entry._replace(path=b"none"), b"b/z")
    with made(sshd, root, timeout_s="19") as stranger:
        assert remote.copy_inside(stranger, entry, b"b/z") is None
    assert paths(remote) == [b"a/x", b"b/y"]


def test_two_who_write_one_file_do_not_mix(sshd, root):
    """Who ends first does not publish what the other one has written of it by then."""
    body = bytes(range(250)) * 4_000
    with made(sshd, root) as first, made(sshd, root) as second:
        one, other = (remote.write(b"file", len(body), Attributes()) for remote in (first, second))
        one.write(body)
        other.write(body[: len(body) // 2])
        with pytest.raises(TemporaryFailure, match="somebody else is writing it"):
            one.publish()
        assert not (root / "file").exists()
        other.write(body[len(body) // 2 :])
        other.publish()
        assert (root / "file").read_bytes() == body
