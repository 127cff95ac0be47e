"""A directory as a remote: below its root and nowhere else."""

from __future__ import annotations

import errno
import os
import stat

import pytest
from contract import MTIME, Contract, content, paths, written

from flatwater.sync.entry import Attributes
from flatwater.sync.failures import (
    Failure,
    GoneFailure,
    InTheWayFailure,
    RefusedFailure,
    RemoteFailure,
    TemporaryFailure,
)
from flatwater.sync.remotes.directory import Directory


@pytest.fixture
def remote(tmp_path):
    """Its root is there."""
    (tmp_path / "root").mkdir()
    return Directory(tmp_path / "root")


class TestDirectory(Contract):
    """What every remote does."""


def test_links_and_pipes_are_no_files(remote):
    """They are not followed: a link upwards would have no end."""
    written(remote, b"file")
    os.symlink("file", os.path.join(remote.root, b"link"))
    os.symlink(".", os.path.join(remote.root, b"up"))
    os.mkfifo(os.path.join(remote.root, b"pipe"))
    assert paths(remote) == [b"file"]
    assert remote.find(b"link") is None
    for name in (b"link", b"pipe", b"up"):
        with pytest.raises(GoneFailure):
            remote.read(name)


def test_a_root_that_is_not_there(tmp_path):
    """Is no empty one when it is listed: a disk may not be mounted. It is made when a file is written."""
    remote = Directory(tmp_path / "none" / "below")
    with pytest.raises(GoneFailure, match="no such folder"):
        paths(remote)
    assert remote.find(b"x") is None
    assert remote.delete([b"x"]) == [None]
    remote.settle()
    written(remote, b"a/b")
    assert paths(remote) == [b"a/b"]
    (tmp_path / "file").write_text("x")
    with pytest.raises(GoneFailure, match="no such folder"):
        paths(Directory(tmp_path / "file"))


def test_a_link_in_it_is_no_way_out(remote, tmp_path):
    """Neither for reading nor for writing, deleting, nor as the unfinished file."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    os.symlink(tmp_path / "outside", os.path.join(remote.root, b"out"))
    with pytest.raises(GoneFailure):
        remote.read(b"out/secret")
    with pytest.raises(InTheWayFailure, match="no folder"):
        written(remote, b"out/new")
    assert remote.delete([b"out/secret"]) == [None]
    assert sorted(os.listdir(tmp_path / "outside")) == ["secret"]
    writing = remote.write(b"x", 1, Attributes())
    unfinished = os.listdir(remote.root)
    writing.abandon()
    unfinished = next(name for name in unfinished if name.startswith(b".flatwater"))
    os.symlink(tmp_path / "outside" / "secret", os.path.join(remote.root, unfinished))
    written(remote, b"x", b"new")
    assert (tmp_path / "outside" / "secret").read_text() == "secret"
    assert content(remote, b"x")[0] == b"new"


def test_a_link_at_the_files_own_place_is_replaced(remote, tmp_path):
    """What it leads to stays."""
    (tmp_path / "outside").write_text("secret")
    os.symlink(tmp_path / "outside", os.path.join(remote.root, b"x"))
    written(remote, b"x", b"new")
    assert (tmp_path / "outside").read_text() == "secret"
    assert content(remote, b"x")[0] == b"new"


def test_times_and_rights_are_kept(remote):
    """To the nanosecond; set-user-ID is not handed on."""
    written(remote, b"x", b"1", Attributes(MTIME + 123_456_789, 0o4751))
    found = os.stat(os.path.join(remote.root, b"x"))
    assert (found.st_mtime_ns, stat.S_IMODE(found.st_mode)) == (MTIME + 123_456_789, 0o751)
    assert content(remote, b"x")[2] == Attributes(MTIME + 123_456_789, 0o751)


@pytest.mark.parametrize("mtime_ns", [0, -1_500_000_000, -(2**31) * 10**9])
def test_times_before_1970_are_kept(remote, mtime_ns):
    """They are times as others: photographs have some."""
    written(remote, b"x", b"1", Attributes(mtime_ns))
    assert os.stat(os.path.join(remote.root, b"x")).st_mtime_ns == mtime_ns


@pytest.mark.parametrize("path", [b"bytes \xff\xfe", b"new\nline", b"tab\t", b"\x01", b"n" * 255])
def test_any_bytes_are_names(remote, path):
    """But for "/" and the zero byte."""
    written(remote, path)
    assert paths(remote) == [path]
    assert content(remote, path)[0] == b"text"


def test_a_folder_that_cannot_be_listed(remote, monkeypatch):
    """Ends the listing, or is told, and the others come."""
    for path in (b"a/1", b"b/2", b"c/3"):
        written(remote, path)
    real = os.scandir

    def refusing(path):
        if os.readlink(f"/proc/self/fd/{path}").endswith("/b"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(RefusedFailure, match="b/ cannot be listed: permission denied"):
        paths(remote)
    told = []
    assert paths(remote, unread=lambda folder, error: told.append((folder, str(error)))) == [b"a/1", b"c/3"]
    assert told == [(b"b/", "b/ cannot be listed: permission denied.")]


def test_a_full_disk_is_the_remotes_own_matter(remote, monkeypatch):
    """It ends the run, and nothing is left behind."""

    def full(number, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    writing = remote.write(b"x", 1, Attributes())
    with pytest.raises(RemoteFailure, match="no space left"):
        writing.write(b"1")
    writing.abandon()
    monkeypatch.undo()
    assert os.listdir(remote.root) == []


def test_what_goes_while_it_is_listed(remote):
    """A file and a folder that are gone by then are passed over; the others come."""
    from flatwater import limits

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "SYNC_BATCH", 2)
        for path in (b"a", b"b/c", b"b/d", b"e/f", b"g", b"h"):
            written(remote, path)
        turns = remote.batches()
        assert [entry.path for entry in next(turns)] == [b"a", b"b/c", b"b/d"]
        remote.delete([b"g", b"e/f"])
        assert [entry.path for batch in turns for entry in batch] == [b"h"]


def test_nothing_stays_open(remote):
    """After each kind of end."""
    before = set(os.listdir("/proc/self/fd"))
    for number in range(50):
        written(remote, b"d/%d" % number)
    turns = remote.batches()
    next(turns)
    turns.close()
    for verb in (
        lambda: written(remote, b"d/1/x"),
        lambda: written(remote, b"d"),
        lambda: remote.read(b"d/none/x"),
        lambda: remote.read(b"d"),
    ):
        with pytest.raises(Failure):
            verb()
    remote.write(b"e/x", 1, Attributes()).abandon()
    remote.find(b"d/1")
    remote.find(b"q/1")
    assert set(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("at", [1, 2])
def test_a_root_that_becomes_another_one(tmp_path, monkeypatch, at):
    """A listing, or the next one, does not take files for gone whose disk was unmounted meanwhile."""
    from flatwater import limits

    monkeypatch.setattr(limits, "SYNC_BATCH", 2)
    remote = Directory(tmp_path / "root")
    for name in (b"a/1", b"a/2", b"b/1", b"b/2"):
        written(remote, name)
    listing = remote.batches()
    for _batch in range(at):
        next(listing)
    os.rename(tmp_path / "root", tmp_path / "away")
    with pytest.raises(GoneFailure):
        list(listing)
    (tmp_path / "root").mkdir()
    with pytest.raises(RemoteFailure, match="another directory"):
        paths(remote)
    remote.close()
    assert paths(remote) == []


def test_a_root_that_becomes_another_one_before_the_first_file(tmp_path, monkeypatch):
    """Also where its disk is unmounted between its names and the first look at its files."""
    remote = Directory(tmp_path / "root")
    written(remote, b"1")
    entries = remote._entries

    def unmounted(prefix, items):
        if (tmp_path / "root" / "1").exists():
            os.rename(tmp_path / "root", tmp_path / "away")
            (tmp_path / "root").mkdir()
        return entries(prefix, items)

    monkeypatch.setattr(remote, "_entries", unmounted)
    with pytest.raises(RemoteFailure, match="another directory"):
        paths(remote)


@pytest.mark.parametrize("at", [b"a/b/", b"a/b/c/"])
def test_a_folder_that_becomes_a_link_while_it_is_listed(remote, tmp_path, monkeypatch, at):
    """What is behind it is not listed, wherever on the way the link is."""
    written(remote, b"a/b/c/mine")
    (tmp_path / "outside" / "b" / "c").mkdir(parents=True)
    (tmp_path / "outside" / "b" / "c" / "secret").write_text("secret")
    folder = remote._folder

    def swapping(path):
        if path == at:
            os.rename(remote.root + b"/a", remote.root + b"/was")
            os.symlink(tmp_path / "outside", remote.root + b"/a")
        return folder(path)

    monkeypatch.setattr(remote, "_folder", swapping)
    assert paths(remote, before=b"b") == []


def test_paths_longer_than_the_system_takes_at_once(remote):
    """They are listed, read, written and deleted as others: each folder is opened below the one before."""
    path = b"/".join([b"d" * 200] * 30) + b"/file"
    written(remote, path, b"deep")
    assert paths(remote) == [path]
    assert content(remote, path)[0] == b"deep"
    assert remote.delete([path]) == [None]
    assert os.listdir(remote.root) == []


def test_two_who_write_one_file(remote):
    """Neither publishes what the other one has not ended; who comes to it later is told to try again."""
    first, second = remote.write(b"a/x", 6, Attributes()), remote.write(b"a/x", 6, Attributes())
    first.write(b"first!")
    second.write(b"sec")
    with pytest.raises(TemporaryFailure, match="somebody else"):
        first.publish()
    second.write(b"ond")
    second.publish()
    assert content(remote, b"a/x")[0] == b"second"
    third, fourth = remote.write(b"a/x", 6, Attributes()), remote.write(b"a/x", 6, Attributes())
    third.abandon()
    fourth.publish()
    fifth, sixth = remote.write(b"a/x", 6, Attributes()), remote.write(b"a/x", 6, Attributes())
    sixth.publish()
    with pytest.raises(TemporaryFailure, match="somebody else"):
        fifth.publish()
    assert os.listdir(remote.root + b"/a") == [b"x"]


def test_a_folder_whose_files_cannot_be_looked_at(remote, monkeypatch):
    """It may be listed and not entered: that is told, and the listing goes on behind it."""
    for name in (b"a/1", b"b/1", b"c"):
        written(remote, name)
    entries = remote._entries

    def refused(prefix, items):
        if prefix == b"a/":
            raise RefusedFailure("a/1 cannot be listed: permission denied.")
        return entries(prefix, items)

    monkeypatch.setattr(remote, "_entries", refused)
    told = []
    assert paths(remote, unread=lambda folder, _why: told.append(folder)) == [b"b/1", b"c"]
    assert told == [b"a/"]
    with pytest.raises(RefusedFailure):
        paths(remote)
