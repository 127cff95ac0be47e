"""meter.scratch: a directory of one run, which is removed also if the run is killed, and nobody else's ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from flatwater import errors
from flatwater.meter import scratch as module
from flatwater.meter.scratch import Scratch, sweep

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no locks on directories")
PREFIX = "flatwater-trial-"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder for temporary files, empty."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left(folder, name="left", *, files=3, age_s=3600.0):
    """What a run that was killed leaves."""
    path = folder / f"{PREFIX}{name}"
    path.mkdir(mode=0o700)
    for number in range(files):
        (path / str(number)).write_text("Stack (most recent call first):\n")
    os.utime(path, (time.time() - age_s,) * 2)
    return path


def test_it_is_private_and_goes(folder):
    """The directory is the user's alone and is removed with all that stands in it; closing twice is fine."""
    scratch = Scratch(PREFIX)
    assert Path(scratch.path).parent == folder
    assert os.stat(scratch.path).st_mode & 0o777 == 0o700
    Path(scratch.path, "1").write_text("x")
    scratch.close()
    scratch.close()
    assert os.listdir(folder) == []
    assert scratch.trouble == ""


def test_ctrl_c_while_it_is_removed(folder, monkeypatch):
    """The rest is removed before it is heard, and the lock is given back."""
    scratch = Scratch(PREFIX)
    Path(scratch.path, "1").write_text("x")
    whole = module.shutil.rmtree

    def interrupted(path, **options):
        monkeypatch.setattr(module.shutil, "rmtree", whole)
        raise KeyboardInterrupt

    monkeypatch.setattr(module.shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        scratch.close()
    assert os.listdir(folder) == []
    assert scratch._lock == -1


def test_what_a_killed_run_left_is_removed(folder):
    """SIGKILL removes nothing; the next start does, files and all."""
    code = f"import tempfile, sys; tempfile.tempdir = {str(folder)!r}\nfrom flatwater.meter.scratch import Scratch\ns = Scratch({PREFIX!r})\nopen(s.path + '/1', 'w').close()\nprint(s.path, flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        path = child.stdout.readline().strip()
        os.utime(path, (1, 1))
        sweep(str(folder), PREFIX)
        assert os.path.exists(path)  # it lives
        child.send_signal(signal.SIGKILL)
    sweep(str(folder), PREFIX)
    assert os.listdir(folder) == []


def test_a_new_one_is_not_taken_for_a_left_one(folder):
    """Between being made and being locked a directory is nobody's: a young one stays."""
    path = left(folder, age_s=module.AGE_S_MIN / 2)
    sweep(str(folder), PREFIX)
    assert len(os.listdir(path)) == 3


@pytest.mark.parametrize("kind", ["link", "file", "other name", "other user", "many files", "many files below"])
def test_what_is_not_ours_stays(folder, tmp_path_factory, monkeypatch, kind):
    """Links are not followed; files, other names, other users' directories and large ones are not touched."""
    target = left(tmp_path_factory.mktemp("elsewhere"))
    if kind == "link":
        (folder / f"{PREFIX}link").symlink_to(target)
    elif kind == "file":
        (folder / f"{PREFIX}file").write_text("x")
        os.utime(folder / f"{PREFIX}file", (1, 1))
    elif kind == "other name":
        target = left(folder).rename(folder / "flatwater-other")
    else:
        target = left(folder)
    if kind == "many files below":
        (target / "inside").mkdir()
        (target / "inside" / "1").write_text("x")
        os.utime(target, (1, 1))
        monkeypatch.setattr(module, "FILES_MAX", 4)
    elif kind == "other user":
        monkeypatch.setattr(module.os, "geteuid", lambda: 4_000_000)
    elif kind == "many files":
        monkeypatch.setattr(module, "FILES_MAX", 2)
    before = sorted(str(path) for path in [*folder.rglob("*"), *target.rglob("*")])
    sweep(str(folder), PREFIX)
    assert sorted(str(path) for path in [*folder.rglob("*"), *target.rglob("*")]) == before


def test_folders_inside_go_and_what_they_point_to_stays(folder, tmp_path_factory):
    """What a killed program had made in its folder goes with it; a link in it is removed, not followed."""
    target, elsewhere = left(folder), left(tmp_path_factory.mktemp("elsewhere"))
    (target / "inside" / "deeper").mkdir(parents=True)
    (target / "inside" / "deeper" / "1").write_text("x")
    (target / "inside" / "link").symlink_to(elsewhere)
    (target / "link").symlink_to(elsewhere)
    os.utime(target, (1, 1))
    sweep(str(folder), PREFIX)
    assert os.listdir(folder) == []
    assert len(os.listdir(elsewhere)) == 3


def test_one_start_does_not_do_it_all(folder, monkeypatch):
    """The work of one start is bounded; the next goes on."""
    monkeypatch.setattr(module, "REMOVED_MAX", 2)
    for name in "abcde":
        left(folder, name)
    for rest in (3, 1, 0):
        sweep(str(folder), PREFIX)
        assert len(os.listdir(folder)) == rest
    monkeypatch.setattr(module, "ENTRIES_MAX", 0)
    left(folder)
    sweep(str(folder), PREFIX)
    assert len(os.listdir(folder)) == 1


@pytest.mark.parametrize("trouble", [FileNotFoundError(2, "No usable temporary directory found in ['/tmp']"), None])
def test_no_folder_is_no_error(monkeypatch, trouble):
    """Where nothing can be written there is no directory, and words that say why and what to do."""
    if trouble is None:
        monkeypatch.setattr(tempfile, "tempdir", "/proc/no")
    else:
        monkeypatch.setattr(tempfile, "gettempdir", lambda: (_ for _ in ()).throw(trouble))
    scratch = Scratch(PREFIX)
    scratch.close()
    assert scratch.path == ""
    assert "no temporary directory" in scratch.trouble
    assert "TMPDIR" in scratch.trouble


def test_a_file_system_without_locks(folder, monkeypatch):
    """Without locks the directory is made and removed as ever, and nothing is swept."""

    def refuse(_path):
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(module, "_locked", refuse)
    path = left(folder)
    scratch = Scratch(PREFIX)
    assert os.path.isdir(scratch.path)
    scratch.close()
    assert os.listdir(folder) == [path.name]


def test_where_there_is_no_going_on_without_one(folder, monkeypatch):
    """Who needs one is in the error, with the reason; else it is like any other."""
    scratch = module.needed(PREFIX, "a job needs a place")
    assert os.path.isdir(scratch.path)
    scratch.close()
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(folder / "none"))
    with pytest.raises(errors.BrokenError, match=r"a job needs a place: no temporary directory .*point TMPDIR"):
        module.needed(PREFIX, "a job needs a place")
