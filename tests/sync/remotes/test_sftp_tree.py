"""The tree of an SFTP server: nothing outside is reached through a link."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from flatwater.sync.failures import (
    GoneFailure,
    InTheWayFailure,
)  # fmt: skip
from flatwater.sync.remote import unfinished_name

sys.path.insert(0, str(Path(__file__).parents[2] / "servers"))

import ssh_server
from contract import content, paths, written
from ssh_server import made

remote, root, sshd = ssh_server.remote, ssh_server.root, ssh_server.sshd


def test_links_and_pipes_are_no_files(remote, root):
    """They are neither listed nor followed; a pipe does not hold the connection up."""
    written(remote, b"file")
    os.symlink("file", root / "link")
    os.symlink(".", root / "up")
    os.mkfifo(root / "pipe")
    assert paths(remote) == [b"file"]
    assert remote.find(b"link") is None
    for name in (b"link", b"pipe", b"up"):
        with pytest.raises(GoneFailure):
            remote.read(name)
    assert content(remote, b"file")[0] == b"text"


def test_a_link_in_it_is_no_way_out(remote, root, tmp_path):
    """Neither for reading nor for writing, deleting, listing, nor as the unfinished file or the file's own place."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    os.symlink(outside, root / "out")
    with pytest.raises(GoneFailure):
        remote.read(b"out/secret")
    with pytest.raises(InTheWayFailure, match="no folder"):
        written(remote, b"out/new")
    with pytest.raises(InTheWayFailure, match="no folder"):
        written(remote, b"out/deep/new")
    assert remote.find(b"out/secret") is None
    assert remote.delete([b"out/secret"]) == [None]
    with pytest.raises(GoneFailure, match="no such folder"):
        list(remote._folder(b"out/"))
    os.symlink(outside / "secret", root / os.fsdecode(unfinished_name(b"x")))
    os.symlink(outside / "secret", root / "x")
    written(remote, b"x", b"new")
    assert not (root / "x").is_symlink()
    assert content(remote, b"x")[0] == b"new"
    assert (outside / "secret").read_text() == "secret"
    assert os.listdir(outside) == ["secret"]


def test_a_folder_that_goes_while_it_is_written(remote, root):
    """Is made again, though it was there a moment ago."""
    written(remote, b"a/b/one")
    shutil.rmtree(root / "a")
    written(remote, b"a/b/two")
    assert paths(remote) == [b"a/b/two"]


def test_a_root_that_is_not_there(sshd, tmp_path):
    """Is no empty one when it is listed; it is made when a file is written. It may be a link, for it was named."""
    (tmp_path / "file").write_text("x")
    for path in ("none/below", "file"):
        with made(sshd, tmp_path / path) as remote:
            for listing in (remote.batches, lambda remote=remote: remote.borders(1)):
                with pytest.raises(GoneFailure, match="no such folder"):
                    list(listing())
            assert remote.find(b"x") is None
            assert remote.delete([b"x"]) == [None]
    with made(sshd, tmp_path / "none" / "below") as remote:
        written(remote, b"a/b")
        assert paths(remote) == [b"a/b"]
        remote.settle()
    os.symlink(tmp_path / "none" / "below", tmp_path / "link")
    with made(sshd, tmp_path / "link") as remote:
        written(remote, b"c")
        assert paths(remote) == [b"a/b", b"c"]
