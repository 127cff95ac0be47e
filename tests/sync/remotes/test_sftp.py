"""A folder of an SFTP server: OpenSSH's, and another make."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import asyncssh
import pytest

from flatwater import limits
from flatwater.errors import UsageError
from flatwater.sync.failures import (
    GoneFailure,
    RefusedFailure,
)  # fmt: skip
from flatwater.sync.remotes.sftp import Sftp

sys.path.insert(0, str(Path(__file__).parents[2] / "servers"))

import ssh_server
from contract import Contract, content, paths, written
from ssh_server import made

bad, other, remote, root, sshd = ssh_server.bad, ssh_server.other, ssh_server.remote, ssh_server.root, ssh_server.sshd


class TestOpenSsh(Contract):
    """What every remote does."""


class TestOther(Contract):
    """The same with another make of server."""

    @pytest.fixture
    def remote(self, other, root):
        """Its root is there."""
        with made(other, root) as remote:
            yield remote


@pytest.mark.parametrize("path", [b"bytes \xff\xfe", b"new\nline", b"tab\t", b"\x01", b"n" * 255, b"\xff/\xfe/x"])
def test_any_bytes_are_names(remote, path):
    """But for "/" and the zero byte."""
    written(remote, path)
    assert paths(remote) == [path]
    assert content(remote, path)[0] == b"text"
    assert remote.delete([path]) == [None]


def test_borders_are_bounded(remote, root, monkeypatch):
    """However many folders there are, they divide the whole."""
    monkeypatch.setattr(limits, "SYNC_RANGES_MAX", 8)
    for number in range(100):
        (root / f"{number:03}" / "below").mkdir(parents=True)
        (root / f"{number:03}" / "file").touch()
    for levels in (1, 2):
        borders = remote.borders(levels)
        assert 4 <= len(borders) <= 8
        found = [
            path
            for after, before in zip([b"", *borders], [*borders, b""], strict=True)
            for path in paths(remote, after, before)
        ]
        assert found == [b"%03d/file" % number for number in range(100)]


def test_what_cannot_be_deleted(bad, root):
    """Is told for each; the others go."""
    server, remote = bad
    for path in (b"a", b"b/c"):
        written(remote, path)
    server.refused = ("remove", asyncssh.SFTPPermissionDenied("no"))
    first, second = remote.delete([b"a", b"b/c"])
    assert isinstance(first, RefusedFailure)
    assert isinstance(second, RefusedFailure)
    assert "b/c cannot be deleted: permission denied" in str(second)
    assert sorted(os.listdir(root)) == ["a", "b"]


def test_urls():
    """As they are typed, and as they are told."""
    for url, told, path in [
        ("sftp://h/a%20b/", "sftp://h/a%20b", b"/a b"),
        ("sftp://u@h:22/~/x/y", "sftp://u@h:22/~/x/y", b"x/y"),
        ("sftp://h/~", "sftp://h/~", b"."),
        ("sftp://[::1]:5/", "sftp://[::1]:5/", b"/"),
        ("sftp://u:secret@Host/x", "sftp://u@Host/x", b"/x"),
    ]:
        remote = Sftp.from_url(url, {})
        assert (remote.url, remote.tree.root) == (told, path)
        assert "secret" not in repr(vars(remote)) + repr(remote.connections.target)
    assert Sftp.from_url("sftp://u:a%40b@h/x", {}).connections.target.password == "a@b"


@pytest.mark.parametrize(
    ("url", "options"),
    [("sftp://u:secret@h", {}), ("sftp:///x", {}), ("http://u:secret@h/x", {}), ("sftp://u:secret@h:x/x", {}),
     ("sftp://u:secret@h:99999/x", {}), ("sftp://-oProxy/x", {}), ("sftp://h/x?a=secret", {}), ("sftp://h/%00", {}),
     ("sftp://h/x", {"user": "secret"}), ("sftp://h/x", {"timeout_s": "secret"}), ("sftp://h/x", {"timeout_s": "0"})],
)  # fmt: skip
def test_urls_that_are_none(url, options):
    """Are refused without what may be secret in them."""
    with pytest.raises(UsageError) as caught:
        Sftp.from_url(url, options)
    assert "secret" not in str(caught.value)


def test_a_home_directory(other, tmp_path):
    """A path that begins with ~ is one below it."""
    with made(other, "/~/no/such/folder") as remote, pytest.raises(GoneFailure):
        paths(remote)
