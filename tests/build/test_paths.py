from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater import limits
from flatwater.build.paths import split, tree_of
from flatwater.errors import UsageError


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("id", ["id"]),
        ("user.name", ["user", "name"]),
        ("items[].price", ["items", None, "price"]),
        ("a.b[].c[].d", ["a", "b", None, "c", None, "d"]),
        ("[].id", [None, "id"]),
        ("[]", [None]),
        ("grid[][]", ["grid", None, None]),
        (r"a\.b", ["a.b"]),
        (r"a\[\]\\", ["a[]\\"]),
        ("with space.é.x'; import os", ["with space", "é", "x'; import os"]),
        ("__class__", ["__class__"]),
        ("line\nbreak", ["line\nbreak"]),
    ],
)
def test_what_paths_say(path, parts):
    """Names, lists, and escaped signs."""
    assert split(path) == parts


@pytest.mark.parametrize(
    "path",
    ["", ".", "a.", ".a", "a..b", "a[0]", "a[", "a]", "[]a", "a[]b", "a.[]", "\\", "a\\x", "a[].", 5, None, b"a", "x" * 20_000,
     ".".join("a" * (limits.BUILD_PATH_DEPTH_MAX + 1))],
)  # fmt: skip
def test_what_is_no_path(path):
    """It is refused, with how to write one."""
    with pytest.raises(UsageError, match=r"path|deep"):
        split(path)


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["user", "user.name"], "'user' takes all of it, and 'user.name' only a part"),
        (["user.name", "user"], "'user' takes all of it, and 'user.name' only a part"),
        (["items[]", "items[].price"], "takes all of it"),
        (["items[].price", "items.total"], "is a list in one path and has names in another"),
        (["items.total", "items[].price"], "is a list in one path and has names in another"),
        (["[].id", "id"], "is a list in one path"),
        ([], "nothing would ever pass"),
        ("id", "no list of paths"),
        (5, "no list of paths"),
        ([f"f{number}" for number in range(2_000)], "more than 1,000 paths"),
    ],
)
def test_contradictions(paths, words):
    """Two paths that cannot both be meant are named; so is a list that is none."""
    with pytest.raises(UsageError, match=words):
        tree_of(paths)


def test_the_same_path_twice():
    """It is no contradiction."""
    assert list(tree_of(["id", "id"]).parts) == ["id"]


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5))
def test_any_names_can_be_written(names):
    """Escaped, every name comes back, and the node knows how it was written."""
    path = ".".join("".join(f"\\{sign}" if sign in ".[]\\" else sign for sign in name) for name in names)
    assert split(path) == names
    node = tree_of([path])
    for name in names:
        node = node.parts[name]
    assert node.path == path
