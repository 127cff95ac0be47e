"""Listings of local trees, against what os.walk finds."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flatwater import limits
from flatwater.budget.budget import Budget
from flatwater.sync.remotes.directory import Directory


def listed(root, after=b"", before=b""):
    return [entry.path for batch in Directory(root).batches(after, before) for entry in batch]


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


PARTS = st.sampled_from([b"a", b"a.b", b"a-", b"a b", b"b", b"\xff", b"\n", b"A", b"ab", b"0"])
PATHS = st.lists(st.lists(PARTS, min_size=1, max_size=4).map(b"/".join), max_size=25)


@pytest.mark.parametrize("fits", [True, False])
@settings(max_examples=60, deadline=None)
@given(paths=PATHS, ends=st.tuples(*[st.lists(PARTS, max_size=3).map(b"/".join)] * 2))
def test_byte_order_between_any_two_paths(tmp_path_factory, fits, paths, ends):
    """All files, in the order of their whole paths; from behind any path on and up to any, whether they are there or not."""
    root = tmp_path_factory.mktemp("tree")
    made(root, paths)
    with pytest.MonkeyPatch.context() as patch:
        if not fits:
            patch.setattr(limits, "SYNC_NAMES_BYTES", 500)
            patch.setattr(limits, "SYNC_BATCH", 2)
        assert listed(root) == walked(root)
        after, before = ends
        assert listed(root, after, before) == [
            path for path in walked(root) if path > after and (not before or path < before)
        ]


def test_a_sort_on_disk_is_part_of_what_a_listing_holds(tmp_path, monkeypatch):
    """The budget that its bytes were taken from need not have them twice, however many large folders are in one another."""
    monkeypatch.setattr(limits, "SYNC_NAMES_BYTES", 10_000)
    made(tmp_path, [b"m/" * depth + b"%04d" % number for depth in range(5) for number in range(300)])
    with Budget("32 MiB") as budget, budget.reserve(budget.free, "sync"):
        assert listed(tmp_path) == walked(tmp_path)


def test_batches_of_long_paths_are_small(tmp_path, monkeypatch):
    """A batch has so many bytes at most, with its paths."""
    monkeypatch.setattr(limits, "SYNC_BATCH_BYTES", 20_000)
    folder = b"/".join([b"d" * 200] * 5) + b"/"
    made(tmp_path, [folder + b"%03d" % number for number in range(100)] + [b"%03d" % number for number in range(100)])
    sizes = [[len(entry.path) for entry in batch] for batch in Directory(tmp_path).batches()]
    assert sum(map(len, sizes)) == 200
    assert max(map(sum, sizes)) <= 20_000
