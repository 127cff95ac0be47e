"""A file is written anew whole, or not at all."""

from __future__ import annotations

import os
import stat

import pytest

from flatwater.lint import writing


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.py").write_bytes(b"old")
    return tmp_path / "in"


def test_the_mode_stays(folder):
    """What could be run can be run."""
    os.chmod(folder / "a.py", 0o750)
    writing.replace(str(folder / "a.py"), b"old", b"new", [str(folder)])
    assert (folder / "a.py").read_bytes() == b"new"
    assert stat.S_IMODE(os.stat(folder / "a.py").st_mode) == 0o750
    assert os.listdir(folder) == ["a.py"]


def test_a_link_stays_one(folder):
    """What it leads to is written, where that is below what was named."""
    os.symlink("a.py", folder / "b.py")
    writing.replace(str(folder / "b.py"), b"old", b"new", [str(folder)])
    assert (folder / "b.py").is_symlink()
    assert (folder / "a.py").read_bytes() == b"new"


def test_a_link_does_not_lead_out(folder):
    """A folder was named, and not what a link in it leads to; a link that was named is followed."""
    outside = folder.parent / "c.py"
    outside.write_bytes(b"old")
    os.symlink(outside, folder / "c.py")
    with pytest.raises(writing.Unwritable, match=r"c\.py.*outside of what was named"):
        writing.replace(str(folder / "c.py"), b"old", b"new", [str(folder)])
    assert outside.read_bytes() == b"old"
    writing.replace(str(folder / "c.py"), b"old", b"new", [str(folder / "c.py")])
    assert outside.read_bytes() == b"new"


def test_a_neighbour_that_is_called_alike_is_outside(folder):
    """`in` does not name `in2`."""
    (folder.parent / "in2").mkdir()
    other = folder.parent / "in2" / "a.py"
    other.write_bytes(b"old")
    os.symlink(other, folder / "d.py")
    with pytest.raises(writing.Unwritable, match="outside"):
        writing.replace(str(folder / "d.py"), b"old", b"new", [str(folder)])


def test_what_may_not_be_written_is_left(folder):
    """The error has its name, and nothing is left beside it, also for who may write everything."""
    os.chmod(folder / "a.py", 0o444)
    with pytest.raises(writing.Unwritable, match=r"a\.py.*may not be written"):
        writing.replace(str(folder / "a.py"), b"old", b"new", [str(folder)])
    assert os.listdir(folder) == ["a.py"]


def test_a_file_with_two_names_is_left(folder):
    """It would be another file under one of them."""
    os.link(folder / "a.py", folder / "e.py")
    with pytest.raises(writing.Unwritable, match="2 names"):
        writing.replace(str(folder / "a.py"), b"old", b"new", [str(folder)])


def test_what_somebody_else_changed_is_left(folder):
    """An editor that saved meanwhile is not overwritten."""
    with pytest.raises(writing.Unwritable, match="somebody else"):
        writing.replace(str(folder / "a.py"), b"older", b"new", [str(folder)])
    assert (folder / "a.py").read_bytes() == b"old"
    assert os.listdir(folder) == ["a.py"]


def test_a_file_that_went_away_is_said(folder):
    """With its name and the reason."""
    with pytest.raises(writing.Unwritable, match=r"f\.py.*cannot be written"):
        writing.replace(str(folder / "f.py"), b"old", b"new", [str(folder)])


def test_a_disk_that_is_full_leaves_the_old_one(folder, monkeypatch):
    """The new text is beside it until it is whole."""

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(writing.Unwritable, match="no space left"):
        writing.replace(str(folder / "a.py"), b"old", b"new", [str(folder)])
    assert (folder / "a.py").read_bytes() == b"old"
    assert os.listdir(folder) == ["a.py"]
