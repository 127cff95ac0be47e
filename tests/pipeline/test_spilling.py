"""Temporary files without a name."""

from __future__ import annotations

import os
import resource
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater import errors
from flatwater.pipeline.spilling import SpillFile, packed, unpacked

PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary())
ANY = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner), max_leaves=4)


@given(st.lists(ANY, max_size=5), st.booleans())
def test_what_is_packed_comes_back(items, keyed):
    """Values and types; one list where there was one."""
    keys = list(reversed(items)) if keyed else items
    found_keys, found = unpacked(packed(keys, items))
    assert (found_keys, found) == (keys, items)
    assert [type(item) for item in found] == [type(item) for item in items]
    assert (found_keys is found) == (keys is items)


class Text(str):
    """A text with more to it."""

    __slots__ = ("more",)


def test_subclasses_stay_what_they_are():
    """The fast way is for exact types."""
    assert [type(each) for each in unpacked(packed([1], [Text("x")]))[1]] == [Text]


def test_blocks_come_back(tmp_path):
    """From their offsets, in any order; nothing of the file can be seen in its folder."""
    file = SpillFile(str(tmp_path), "sort()")
    offsets = []
    for number in range(3):
        offsets.append(file.size)
        file.write_block([number], [("item", number)])
    assert os.listdir(tmp_path) == []
    for number in (2, 0, 1):
        keys, items, behind = file.read_block(offsets[number])
        assert (keys, items) == ([number], [("item", number)])
        assert behind == (*offsets, file.size)[number + 1]
    file.clear()
    assert os.fstat(file.fileno()).st_size == file.size == 0
    file.close()


def test_what_cannot_be_pickled_is_named():
    """With what to do about it."""
    with pytest.raises(Exception, match="pickle") as found:
        packed([1, 2], [3, lambda: None])
    assert "<function" in found.value.__notes__[0]
    assert "cannot be pickled" in found.value.__notes__[0]


class OneArgumentError(Exception):
    """Is pickled with one argument, and made of two."""

    def __init__(self, one, _other):
        super().__init__(one)


def test_what_cannot_be_read_back_is_told():
    """That it is by what was written, and what to do about it."""
    with pytest.raises(TypeError) as found:
        unpacked(packed([1], [OneArgumentError(1, 2)]))
    assert "read back" in found.value.__notes__[0]


def test_a_folder_as_bytes(tmp_path):
    """As elsewhere."""
    SpillFile(os.fsencode(tmp_path), "sort()").close()


def test_a_folder_that_is_not_there(tmp_path):
    """Is a mistake; one that cannot be written is broken."""
    with pytest.raises(errors.UsageError, match="there is no folder"):
        SpillFile(str(tmp_path / "none"), "sort()")
    with pytest.raises(errors.BrokenError, match="could not be made"):
        SpillFile("/proc/self", "sort()")


def test_a_full_disk(tmp_path):
    """It says how much it had, and that another folder may help."""
    file = SpillFile(str(tmp_path), "sort(key)")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(errors.BrokenError, match=r"sort\(key\).*could not be written.*TMPDIR"):
            file.write(b"x" * 20_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    file.close()


def test_a_file_that_became_shorter(tmp_path):
    """What was written and is not there is an error, and not an end."""
    file = SpillFile(str(tmp_path), "sort()")
    file.write(b"x" * 100)
    os.ftruncate(file.fileno(), 50)
    with pytest.raises(errors.BrokenError, match="could not be read"):
        file.read(0, 100)
    file.close()
