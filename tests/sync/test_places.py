"""From what a user wrote to a remote."""

from __future__ import annotations

import os

import pytest
from fakes import Fake

from flatwater import errors
from flatwater.sync.places import refuse_pair, remote_of, state_path
from flatwater.sync.remotes.directory import Directory

FILE = "file:" + "//"


@pytest.mark.parametrize("place", ["some/where", FILE + "/some/where", "file://localhost/some/where", "C:x", "a://b/c"])
def test_paths(place):
    """What has no scheme, or that of a file, is a directory."""
    remote = remote_of(place)
    assert isinstance(remote, Directory)
    assert os.path.isabs(remote.root)


def test_names_in_urls_are_unquoted():
    """As in any URL; a path is taken as it stands."""
    assert remote_of(FILE + "/a%20b%2Fc").root == b"/a b/c"
    assert remote_of("/a%20b").root == b"/a%20b"


@pytest.mark.parametrize(
    ("place", "options", "says"),
    [
        ("gopher://x", {}, "no kind of remote"), ("", {}, "empty"), ("file://host/path", {}, "no path of this machine"),
        (None, {}, "NoneType is none"), (b"/a", {}, "os.fsdecode"), (5, {}, "int is none"), ("a\x00b", {}, "zero byte"),
        (FILE + "/a%00b", {}, "zero byte"),
        ("/a", {"endpoint": "x"}, "no option 'endpoint'"), (Fake(), {"endpoint": "x"}, "has its own|go with a path"),
    ],
)  # fmt: skip
def test_what_is_none(place, options, says):
    """It is said, with what there is."""
    with pytest.raises(errors.UsageError, match=says):
        remote_of(place, options)


def test_a_remote_is_one():
    """It is taken as it is."""
    remote = Fake()
    assert remote_of(remote) is remote


def test_pairs_that_cannot_be_one(tmp_path):
    """One in the other, by any name; a state inside of one of them."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    os.symlink(tmp_path / "a", tmp_path / "link")
    refused = [("a", "a"), ("a", "a/b"), ("a/b", "a"), ("a", "link/b"), ("link", "a"), ("a", "a/../a/none/yet")]
    for source, destination in refused:
        with pytest.raises(errors.UsageError):
            refuse_pair(Directory(tmp_path / source), Directory(tmp_path / destination), str(tmp_path / "state"))
    refuse_pair(Directory(tmp_path / "a"), Directory(tmp_path / "ab"), str(tmp_path / "state"))
    for state in ("a/state", "ab/below/state", "link/state"):
        with pytest.raises(errors.UsageError, match="would be synced, too"):
            refuse_pair(Directory(tmp_path / "a"), Directory(tmp_path / "ab"), str(tmp_path / state))
    for urls in (("s3://b/x", "s3://b/x/y"), ("s3://b/x/", "s3://b/x"), ("s3://b", "s3://b")):
        with pytest.raises(errors.UsageError):
            refuse_pair(Fake(urls[0]), Fake(urls[1]), str(tmp_path / "state"))
    refuse_pair(Fake("s3://b/x"), Fake("s3://b/xy"), str(tmp_path / "state"))


def test_where_states_are(monkeypatch, tmp_path):
    """One for each pair and direction, the same each time, in the user's own folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    one, two = Fake("fake://one"), Fake("fake://two")
    assert state_path(one, two) == state_path(one, two) != state_path(two, one)
    assert state_path(one, two).startswith(str(tmp_path / "flatwater" / "sync"))
    assert state_path(Directory(b"/\xff"), one)
