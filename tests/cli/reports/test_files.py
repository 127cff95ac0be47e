"""cli.reports.files: a report goes where the user said, or the run does not begin; nothing else is touched."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from flatwater import errors
from flatwater.cli.reports import files


def test_a_report_is_written_whole_and_leaves_nothing_else(tmp_path):
    """The new text replaces the old, the mode stays, and no temporary file is left."""
    path = tmp_path / "report.html"
    path.write_text("old")
    path.chmod(0o640)
    files.check({"--html": str(path)})
    files.write(str(path), "new \udcff é")
    assert path.read_text("utf-8") == "new \\udcff é"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_new_report_has_the_users_mode(tmp_path):
    """A new file is as readable as any file the user makes."""
    files.write(str(tmp_path / "a"), "x")
    (tmp_path / "b").write_text("x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_link_stays_a_link(tmp_path):
    """The file that a link points to is replaced, in its own folder, and not the link."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "latest.json"
    link.symlink_to("real/figures.json")
    files.check({"--json": str(link)})
    files.write(str(link), "1")
    assert link.is_symlink()
    assert (tmp_path / "real" / "figures.json").read_text() == "1"


def test_a_device_is_written_to_and_not_replaced(tmp_path):
    """/dev/null is still a device afterwards, and /dev/full is an error with its reason."""
    files.check({"--json": "/dev/null", "--html": "/dev/null"})
    files.write("/dev/null", "x")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(errors.BrokenError, match="'/dev/full' could not be written: no space left"):
        files.write("/dev/full", "x")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_pipe_is_written_to(tmp_path):
    """A named pipe, as a shell's process substitution makes one, gets the text; checking does not wait for a reader."""
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    files.check({"--json": path})
    seen = []
    reader = threading.Thread(target=lambda: seen.append(Path(path).read_text()))
    reader.start()
    files.write(path, "figures")
    reader.join()
    assert seen == ["figures"]


def test_an_open_file_is_appended_to(tmp_path):
    """Under /dev/fd a file that somebody has open keeps what stands in it."""
    with open(tmp_path / "out", "w+") as file:
        file.write("the program's own\n")
        file.flush()
        files.write(f"/dev/fd/{file.fileno()}", "figures\n")
        assert (tmp_path / "out").read_text() == "the program's own\nfigures\n"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("missing/report", "no such file"),
        ("folder", "directory"),
        ("", "no file name"),
        ("-", "belongs to the program"),
        ("plain/report", "not a directory"),
        ("x" * 300, "name too long"),
    ],
)
def test_what_cannot_work_is_refused_before_the_run(tmp_path, monkeypatch, path, says):
    """Missing folders, folders, files used as folders, and names too long are wrong use, with the option's name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").write_text("")
    with pytest.raises(errors.UsageError, match=f"--html: .* cannot be written: .*{says}"):
        files.check({"--html": path})
    assert sorted(os.listdir(tmp_path)) == ["folder", "plain"]


def test_a_read_only_file_is_refused(tmp_path, monkeypatch):
    """A file that may not be written is not replaced either, although its folder would allow it."""
    path = tmp_path / "kept.json"
    path.write_text("kept")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anything: the kernel's answer is put in
    with pytest.raises(errors.UsageError, match="read-only"):
        files.check({"--json": str(path)})


def test_two_reports_in_one_file_are_refused(tmp_path, monkeypatch):
    """The same file by two names would hold only the second report."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.UsageError, match="--json and --html both name"):
        files.check({"--json": "a", "--html": str(tmp_path / "." / "a")})
    files.check({"--json": "a", "--html": "b", "--profile": None})


def test_a_folder_that_was_removed_is_no_traceback(tmp_path, monkeypatch):
    """With the present directory gone, a relative name is refused with the reason."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(errors.UsageError, match="no such file or directory"):
        files.check({"--json": "a"})


def test_a_full_disk_keeps_the_old_report(tmp_path, monkeypatch):
    """A write that fails leaves the report that was there, and no half of the new one."""
    path = tmp_path / "report"
    path.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(errors.BrokenError, match="no space left"):
        files.write(str(path), "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report"]
