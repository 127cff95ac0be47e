"""Listings of local trees, against what os.walk finds."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flatwater import errors, limits
from flatwater.sync.tree import Tree


def listed(root, after=b""):
    return [entry.path for batch in Tree(root).batches(after) for entry in batch]


def walked(root):
    root = os.fsencode(root)
    paths = []
    for folder, _folders, names in os.walk(root):
        paths += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return sorted(paths)


def made(root, paths):
    for path in paths:
        place = os.path.join(os.fsencode(root), path)
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "xb") as file:
                file.write(path)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            continue


@pytest.fixture
def few_names(monkeypatch):
    """Folders of more than three names are sorted on disk."""
    monkeypatch.setattr(limits, "SYNC_NAMES", 3)
    monkeypatch.setattr(limits, "SYNC_BATCH", 2)


PARTS = st.sampled_from([b"a", b"a.b", b"a-", b"a b", b"b", b"\xff", b"\n", b"A", b"ab", b"0"])
PATHS = st.lists(st.lists(PARTS, min_size=1, max_size=4).map(b"/".join), max_size=25)


@pytest.mark.parametrize("fits", [True, False])
@settings(max_examples=60, deadline=None)
@given(paths=PATHS, after=st.lists(PARTS, max_size=3).map(b"/".join))
def test_byte_order_from_any_path_on(tmp_path_factory, fits, paths, after):
    """All files, in the order of their whole paths; from behind any path on, whether it is there or not."""
    root = tmp_path_factory.mktemp("tree")
    made(root, paths)
    with pytest.MonkeyPatch.context() as patch:
        if not fits:
            patch.setattr(limits, "SYNC_NAMES", 2)
            patch.setattr(limits, "SYNC_BATCH", 2)
        assert listed(root) == walked(root)
        assert listed(root, after) == [path for path in walked(root) if path > after]


def test_what_is_told(tmp_path):
    """Size and time of the file itself."""
    (tmp_path / "one").write_bytes(b"123")
    os.utime(tmp_path / "one", ns=(5, 7_000_000_001))
    ((entry,),) = Tree(tmp_path).batches()
    assert (entry.path, entry.size, entry.mtime_ns, entry.etag) == (b"one", 3, 7_000_000_001, b"")


def test_links_and_pipes_are_no_files(tmp_path):
    """They are not followed: a link upwards would have no end."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "up").symlink_to(".")
    os.mkfifo(tmp_path / "pipe")
    assert listed(tmp_path) == [b"file"]


def test_a_root_that_is_not_there(tmp_path):
    """Is no empty tree: a disk may not be mounted."""
    with pytest.raises(errors.BrokenError, match="cannot be listed"):
        listed(tmp_path / "none")
    (tmp_path / "file").write_text("x")
    with pytest.raises(errors.BrokenError, match="it is no directory"):
        listed(tmp_path / "file")


def test_what_goes_while_it_is_listed(tmp_path, few_names):
    """A file and a folder that are gone by then are passed over; the others come."""
    made(tmp_path, [b"a", b"b/c", b"b/d", b"e/f", b"g", b"h"])
    turns = Tree(tmp_path).batches()
    first = next(turns)
    assert [entry.path for entry in first] == [b"a", b"b/c"]
    os.remove(tmp_path / "g")
    os.remove(tmp_path / "e" / "f")
    os.rmdir(tmp_path / "e")
    assert [entry.path for batch in turns for entry in batch] == [b"b/d", b"h"]


def test_nothing_stays_open(tmp_path, few_names):
    """Where a listing is left early."""
    made(tmp_path, [b"d/%d" % number for number in range(50)])
    before = set(os.listdir("/proc/self/fd"))
    turns = Tree(tmp_path).batches()
    next(turns)
    turns.close()
    assert set(os.listdir("/proc/self/fd")) == before
