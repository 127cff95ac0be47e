"""meter.profile: who allocated the peak, in speedscope's format, and nothing of it reaches the program."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from flatwater import errors
from flatwater.meter import profile as module
from flatwater.meter.profile import Profile
from flatwater.meter.suspects import Suspects

MIB = 1 << 20
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the reference platform")
HOLDING = "rows = ['row %d' % i for i in range(24_000)]\n"


@pytest.fixture
def profile():
    recording = Profile()
    yield recording
    recording.close()


def record(profile, script, *, memray=False, **options):
    """Run a script with the recorder in it, as `flatwater run --profile` does."""
    suspects = Suspects()
    try:
        environ = profile.environment(suspects.environment(os.environ))
        if not memray:  # the program's Python has none
            (Path(script).parent / "without").mkdir(exist_ok=True)
            (Path(script).parent / "without" / "memray.py").write_text("raise ImportError")
            environ["PYTHONPATH"] += f"{os.pathsep}{Path(script).parent / 'without'}"
        return subprocess.run(
            [sys.executable, str(script)],
            env=environ,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            **options,
        )
    finally:
        suspects.close()


def checked(path):
    """A profile that holds what speedscope needs, with its frames resolved."""
    data = json.loads(Path(path).read_text("utf-8"))
    assert data["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    (recorded,) = data["profiles"]
    assert (recorded["type"], recorded["unit"], recorded["startValue"]) == ("sampled", "bytes", 0)
    assert len(recorded["samples"]) == len(recorded["weights"])
    assert recorded["endValue"] == sum(recorded["weights"])
    frames = data["shared"]["frames"]
    assert all(0 <= index < len(frames) for stack in recorded["samples"] for index in stack)
    return data["exporter"], [
        ([frames[i] for i in stack], w) for stack, w in zip(recorded["samples"], recorded["weights"], strict=True)
    ]


def test_the_line_that_holds_is_on_top(profile, tmp_path):
    """The heaviest stack ends in the line that made the rows, and weighs what they weigh within a quarter."""
    (tmp_path / "job.py").write_text("def load():\n    return ['row %d' % i for i in range(30_000)]\nrows = load()\n")
    done = record(profile, tmp_path / "job.py")
    assert (done.returncode, done.stderr) == (0, "")
    words = profile.collect(str(tmp_path / "out.json"))
    assert words == f"{tmp_path / 'out.json'}: open it in speedscope"
    exporter, stacks = checked(tmp_path / "out.json")
    assert exporter == "flatwater (tracemalloc)"
    frames, weight = max(stacks, key=lambda stack: stack[1])
    assert (Path(frames[-1]["file"]).name, frames[-1]["line"]) == ("job.py", 2)
    assert frames[0]["line"] == 3  # outermost first
    expected = sum(sys.getsizeof(f"row {i}") for i in range(30_000))
    assert 0.75 * expected <= weight <= 1.25 * expected


def test_a_small_program_has_no_profile(profile, tmp_path):
    """Below a MiB nothing is recorded; the words say why there is no file, and none is made."""
    (tmp_path / "job.py").write_text("print('small')\n")
    assert record(profile, tmp_path / "job.py").stdout == "small\n"
    assert "no profile was written" in profile.collect(str(tmp_path / "out.json"))
    assert not (tmp_path / "out.json").exists()


@pytest.mark.slow
def test_of_several_processes_the_largest_is_kept(profile, tmp_path):
    """Two Pythons record; the profile is of the one that held more, and the words count both."""
    (tmp_path / "child.py").write_text("held = ['row %d' % i for i in range(20_000)]\n")
    (tmp_path / "job.py").write_text(
        f"import subprocess, sys\n{HOLDING}subprocess.run([sys.executable, {str(tmp_path / 'child.py')!r}])\n"
    )
    assert record(profile, tmp_path / "job.py").returncode == 0
    assert "the largest of 2 Python processes" in profile.collect(str(tmp_path / "out.json"))
    frames, _weight = max(checked(tmp_path / "out.json")[1], key=lambda stack: stack[1])
    assert Path(frames[-1]["file"]).name == "job.py"


def test_a_fork_has_a_profile_of_its_own(profile, tmp_path):
    """A forked child that ends by itself does not overwrite its parent's recording."""
    (tmp_path / "job.py").write_text(
        f"import os\n{HOLDING}pid = os.fork()\nif pid == 0:\n    del rows\n    more = ['x%d' % i for i in range(20_000)]\nelse:\n    os.waitpid(pid, 0)\n"
    )
    assert record(profile, tmp_path / "job.py").returncode == 0
    assert "the largest of 2" in profile.collect(str(tmp_path / "out.json"))
    frames, _weight = max(checked(tmp_path / "out.json")[1], key=lambda stack: stack[1])
    assert frames[-1]["line"] == 2


@pytest.mark.parametrize("trouble", ["folder gone", "folder unwritable", "no memory"])
def test_a_recorder_in_trouble_is_not_heard(profile, tmp_path, trouble):
    """No folder, no disk, no memory: a save that fails raises nothing in the program, which ends as it would."""
    code = f"import os, signal, tracemalloc\n{HOLDING}"
    if trouble == "folder gone":
        code += "import shutil; shutil.rmtree(os.environ['FLATWATER_PROFILE'])\n"
    elif trouble == "folder unwritable":
        code += "import resource; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    else:
        code += "def refuse(): raise MemoryError\ntracemalloc.take_snapshot = refuse\n"
    (tmp_path / "job.py").write_text(f"{code}os.kill(os.getpid(), signal.SIGURG)\nraise SystemExit(9)\n")
    done = record(profile, tmp_path / "job.py")
    assert (done.returncode, done.stderr) == (9, "")


def test_a_killed_program_leaves_its_last_save(profile, tmp_path):
    """What was saved when it was last asked is there after SIGKILL."""
    (tmp_path / "job.py").write_text(
        f"import os, signal\n{HOLDING}os.kill(os.getpid(), signal.SIGURG)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert record(profile, tmp_path / "job.py").returncode == -signal.SIGKILL
    profile.collect(str(tmp_path / "out.json"))
    assert checked(tmp_path / "out.json")[1]


def test_broken_recordings_do_not_win(profile, tmp_path):
    """Empty, truncated and foreign files in the folder count as nothing beside a real one."""
    for name, text in (("profile-1.json", ""), ("profile-2.json", '{"profiles": [{"endVal'), ("profile-3.json", "[]")):
        Path(profile.directory, name).write_text(text)
    (tmp_path / "job.py").write_text(HOLDING)
    record(profile, tmp_path / "job.py")
    profile.collect(str(tmp_path / "out.json"))
    assert checked(tmp_path / "out.json")[1]


def test_a_recording_that_cannot_be_read_is_said(profile, tmp_path):
    """A memray recording that breaks its own reader gives words with the reason; other recordings are still used."""
    Path(profile.directory, "profile-1.memray").write_bytes(b"no recording")
    Path(profile.directory, "profile-1.python").write_text(sys.executable)
    assert "could not be read" in profile.collect(str(tmp_path / "out.json"))
    Path(profile.directory, "profile-2.memray").write_bytes(b"its interpreter was never written")
    (tmp_path / "job.py").write_text(HOLDING)
    record(profile, tmp_path / "job.py")
    words = profile.collect(str(tmp_path / "out.json"))
    assert "open it in speedscope" in words
    assert checked(tmp_path / "out.json")[1]


def test_a_reader_that_hangs_is_ended(profile, tmp_path, monkeypatch):
    """Reading a recording has a time limit, whose end is a reason and no traceback."""
    Path(profile.directory, "profile-1.memray").write_bytes(b"")
    hang = tmp_path / "hang"
    hang.write_text("#!/bin/sh\nexec sleep 60\n")
    hang.chmod(0o755)
    Path(profile.directory, "profile-1.python").write_text(str(hang))
    monkeypatch.setattr(module.limits, "PROFILE_CONVERT_S", 0.2)
    assert "could not be read" in profile.collect(str(tmp_path / "out.json"))


def test_a_profile_that_cannot_be_written_is_said(profile, tmp_path):
    """A folder that is gone by then, or a full disk, is an error with its reason."""
    (tmp_path / "job.py").write_text(HOLDING)
    record(profile, tmp_path / "job.py")
    for path, says in ((tmp_path / "gone" / "out.json", "o such file"), ("/dev/full", "o space left")):
        with pytest.raises(errors.BrokenError, match=f"could not be written: .*{says}"):
            profile.collect(str(path))


def test_closing_removes_the_recordings(profile):
    """Nothing stays in the temporary folder; closing twice is fine."""
    profile.close()
    profile.close()
    assert not os.path.exists(profile.directory)


def test_without_a_place_for_recordings_there_is_no_profile(monkeypatch):
    """Where no temporary directory can be made the program runs unrecorded, and the words say what to do."""
    monkeypatch.setattr(tempfile, "tempdir", "/proc/no")
    profile = Profile()
    assert profile.environment({"X": "1"}) == {"X": "1"}
    assert "TMPDIR" in profile.collect("/nowhere/out.json")
    profile.close()


@pytest.mark.skipif(importlib.util.find_spec("memray") is None, reason="NO MEMRAY here: only tracemalloc is tested")
def test_memray_where_a_python_has_it(profile, tmp_path):
    """A Python with memray records through it, and reads its own recording."""
    (tmp_path / "job.py").write_text("def load():\n    return ['row %d' % i for i in range(60_000)]\nrows = load()\n")
    done = record(profile, tmp_path / "job.py", memray=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert profile.collect(str(tmp_path / "out.json")) == f"{tmp_path / 'out.json'}: open it in speedscope"
    exporter, stacks = checked(tmp_path / "out.json")
    assert exporter == "flatwater (memray)"
    frames, weight = max(stacks, key=lambda stack: stack[1])
    assert {Path(frame["file"]).name for frame in frames} == {"job.py"}
    assert frames[0]["name"].startswith("<module>")
    assert frames[-1]["line"] == 2
    assert weight > MIB
