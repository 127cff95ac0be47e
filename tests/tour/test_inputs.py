"""tour.inputs: finding real files, passing over what is none."""

from __future__ import annotations

import os
import socket
import sysconfig
from collections import Counter
from pathlib import Path

import pytest

from flatwater import errors
from flatwater.tour import inputs
from flatwater.tour.inputs import Root, files, own_roots, roots_of


def found(*roots):
    passed_over = Counter()
    return sorted(os.path.basename(path) for path in files(roots, passed_over)), dict(passed_over)


def test_all_files_below_a_root(tmp_path):
    """At any depth, each once."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("one.txt", "a/two", "a/b/three.py"):
        (tmp_path / name).write_text("x")
    assert found(Root(str(tmp_path))) == (["one.txt", "three.py", "two"], {})
    assert found(Root(str(tmp_path), (".py",))) == (["three.py"], {})
    assert found(Root(str(tmp_path / "one.txt"))) == (["one.txt"], {})


def test_links_are_not_followed(tmp_path):
    """A loop is not entered, and a file is not read twice."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_text("x")
    (tmp_path / "real" / "loop").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "real" / "file")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    assert found(Root(str(tmp_path))) == (["file"], {"links": 3})


def test_pipes_and_sockets_are_not_given_out(tmp_path):
    """Opening one might wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        assert found(Root(str(tmp_path))) == ([], {"special files": 2})


def test_a_tree_deeper_than_the_bound_is_cut(tmp_path):
    """What lies deeper than the promise covers is passed over, and counted."""
    path = tmp_path
    for _ in range(inputs.DEPTH_MAX + 5):
        path = path / "d"
        path.mkdir()
        (path / "file").write_text("x")
    names, passed_over = found(Root(str(tmp_path)))
    assert (len(names), passed_over) == (inputs.DEPTH_MAX - 1, {"too deep": 1})


def test_a_directory_that_vanishes_is_passed_over(tmp_path):
    """The walk goes on with the next."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "file").write_text("x")
    (tmp_path / "b" / "file").write_text("x")
    passed_over = Counter()
    walk = files([Root(str(tmp_path))], passed_over)
    first = Path(next(walk)).parent
    other = tmp_path / ({"a", "b"} - {first.name}).pop()
    (other / "file").unlink()
    other.rmdir()
    assert list(walk) == []
    assert passed_over["unreadable"] <= 1  # the directory may have been named before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_closed_directory_is_counted(tmp_path):
    """One that may not be read is passed over."""
    (tmp_path / "closed").mkdir(mode=0)
    assert found(Root(str(tmp_path))) == ([], {"unreadable": 1})


def test_a_root_inside_another_is_met_once(tmp_path):
    """Installed packages often lie inside the standard library's directory."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").write_text("x")
    assert found(Root(str(tmp_path)), Root(str(tmp_path / "inner"))) == (["file"], {})


def test_directories_are_closed_when_nobody_asks_on(tmp_path):
    """An abandoned walk leaves no descriptor open."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_text("x")
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    walk = files([Root(str(tmp_path))], Counter())
    next(walk)
    walk.close()
    assert (len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0) == before


def test_this_machine_has_text():
    """The standard library is always among the own roots."""
    paths = [root.path for root in own_roots()]
    assert os.path.realpath(sysconfig.get_paths()["stdlib"]) in paths
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize(
    ("name", "words"), [("gone", "no such file"), ("pipe", "neither a directory"), ("a\0b", "cannot be read")]
)
def test_what_the_user_names_must_be_there(tmp_path, name, words):
    """A clear error before anything starts."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(errors.UsageError, match=words):
        roots_of([f"{tmp_path}/{name}"])


def test_a_link_that_the_user_names_is_followed(tmp_path):
    """Naming it is asking for what it points to; twice is once."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    named = roots_of([str(tmp_path / "link"), str(tmp_path / "real")])
    assert named == (Root(os.path.realpath(tmp_path / "real")),)
