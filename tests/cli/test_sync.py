"""cli.sync: `flatwater sync plan|apply|audit`, as a user types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from flatwater.cli import main
from flatwater.cli import sync as module


@pytest.fixture
def typed(capsys, tmp_path, monkeypatch):
    """How a command ends: exit code, stdout, stderr; in a folder with a small source."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src" / "deep").mkdir(parents=True)
    for name in ("one", "two", "deep/three"):
        (tmp_path / "src" / name).write_text(name)

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main.main(["sync", *map(str, words)])
        return ended.value.code, *capsys.readouterr()

    return run


def files_of(root):
    """Paths and contents below a folder."""
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_the_group_names_its_commands(typed):
    """Help has a line for each, whole, in the order people need them."""
    code, out, _err = typed("--help")
    listed = out.split("Commands:\n")[1].splitlines()
    assert code == 0
    assert [line.split()[0] for line in listed] == ["plan", "apply", "audit"]
    assert all(line.endswith(".") and not line.endswith("...") for line in listed)


@pytest.mark.parametrize("name", sorted(module.command.commands))
def test_every_command_has_help(typed, name):
    """It explains itself, with an example."""
    code, out, _err = typed(name, "--help")
    assert code == 0
    assert f"flatwater sync {name}" in out.split("Example")[1]


def test_plan_writes_nothing(typed, tmp_path):
    """A line for each file; neither a state nor a destination is made."""
    code, out, err = typed("plan", "src", "dst", "--state", "st")
    assert (code, err) == (main.HOLDS, "")
    assert out.splitlines()[:3] == ["+ deep/three  10 B", "+ one  3 B", "+ two  3 B"]
    assert "would copy 3 files" in out
    assert sorted(os.listdir(tmp_path)) == ["src"]


def test_plan_shows_some_and_lists_all(typed, tmp_path):
    """Twenty lines, and how many more there are, unless all are asked for."""
    for number in range(30):
        (tmp_path / "src" / f"{number:02}").write_text("")
    _code, out, _err = typed("plan", "src", "dst", "--state", "st")
    assert out.count("\n+ ") == 19
    assert "and 13 more; --list prints all of them" in out
    _code, out, _err = typed("plan", "src", "dst", "--state", "st", "--list")
    assert out.count("+ ") == 33


def test_apply_twice(typed, tmp_path):
    """The second run changes nothing; the plan behind it has nothing to do."""
    code, out, err = typed("apply", "src", "dst", "--state", "st")
    assert (code, err) == (main.HOLDS, "")
    assert "copied 3 files" in out
    assert files_of(tmp_path / "dst") == files_of(tmp_path / "src")
    code, out, _err = typed("apply", "src", "dst", "--state", "st")
    assert (code, "copied 0 files" in out) == (main.HOLDS, True)
    code, out, _err = typed("plan", "src", "dst", "--state", "st")
    assert (code, "nothing to do" in out) == (main.HOLDS, True)


def test_the_guard_trips(typed, tmp_path):
    """Exit code 1, said with the number to pass; all else is done, and nothing is deleted."""
    typed("apply", "src", "dst", "--state", "st")
    (tmp_path / "src" / "one").unlink()
    (tmp_path / "src" / "new").write_text("new")
    code, _out, err = typed("plan", "src", "dst", "--state", "st", "--max-delete", 0)
    assert code == main.DOES_NOT_HOLD
    code, _out, err = typed("apply", "src", "dst", "--state", "st", "--max-delete", 0)
    assert code == main.DOES_NOT_HOLD
    assert "max_delete=0 allows 0" in err
    assert "--max-delete 1" in err
    assert sorted(files_of(tmp_path / "dst")) == ["deep/three", "new", "one", "two"]
    code, _out, _err = typed("apply", "src", "dst", "--state", "st", "--max-delete", 1)
    assert code == main.HOLDS
    assert files_of(tmp_path / "dst") == files_of(tmp_path / "src")


def test_audit(typed, tmp_path):
    """0 while all is there, 1 when something is not; --repair lets the next run put it right."""
    typed("apply", "src", "dst", "--state", "st")
    assert typed("audit", "src", "dst", "--state", "st")[0] == main.HOLDS
    (tmp_path / "dst" / "one").unlink()
    (tmp_path / "dst" / "two").write_text("altered")
    (tmp_path / "dst" / "other").write_text("of somebody else")
    code, out, _err = typed("audit", "src", "dst", "--state", "st")
    assert code == main.DOES_NOT_HOLD
    assert [line for line in out.splitlines() if line.startswith("  missing ")] == ["  missing  one"]
    assert [line for line in out.splitlines() if line.startswith("  altered ")] == ["  altered  two"]
    assert "unknown  other" in out
    assert typed("apply", "src", "dst", "--state", "st")[0] == main.HOLDS
    assert not (tmp_path / "dst" / "one").exists()
    typed("audit", "src", "dst", "--state", "st", "--repair")
    typed("apply", "src", "dst", "--state", "st")
    assert files_of(tmp_path / "dst") == {**files_of(tmp_path / "src"), "other": "of somebody else"}
    assert typed("audit", "src", "dst", "--state", "st")[0] == main.HOLDS


def test_events(typed, tmp_path):
    """A JSON object a line, the report last; on standard output the text goes to standard error."""
    code, out, err = typed("apply", "src", "dst", "--state", "st", "--json", "-")
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert {event["path"] for event in events if event["event"] == "copied"} == {"one", "two", "deep/three"}
    assert events[-1]["event"] == "report"
    assert events[-1]["is_complete"] is True
    assert events[-1]["counts"]["SYNCED"] == 3
    assert "copied 3 files" in err
    typed("plan", "src", "dst", "--state", "st", "--json", "events.jsonl")
    assert json.loads((tmp_path / "events.jsonl").read_text().splitlines()[-1])["is_empty"] is True


@pytest.mark.parametrize(("name", "phase"), [("plan", "scan"), ("audit", "check")])
def test_all_of_them_tell_their_phase(typed, name, phase):
    """A line on a terminal begins with it, so one that only looks would be silent without."""
    typed("apply", "src", "dst", "--state", "st", "-q")
    _code, out, _err = typed(name, "src", "dst", "--state", "st", "--json", "-")
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["event"] for event in events] == ["phase", "progress", "report"]
    assert events[0]["phase"] == phase


def test_failures_end_with_4(typed, tmp_path):
    """Single files that failed are named, the others are copied, and the next run tries again."""
    (tmp_path / "dst").mkdir()
    (tmp_path / "dst" / "deep").write_text("in the way")
    code, out, _err = typed("apply", "src", "dst", "--state", "st")
    assert code == main.FAILED
    assert "deep/three cannot be written: 'deep' on the way to it is no folder." in out
    assert sorted(files_of(tmp_path / "dst")) == ["deep", "one", "two"]
    code, out, _err = typed("plan", "src", "dst", "--state", "st")
    assert "! deep/three" in out
    code, _out, err = typed("apply", "src", "dst", "--state", "st", "-q")
    reason = "deep/three cannot be written: 'deep' on the way to it is no folder."
    assert (code, err) == (main.FAILED, f"flatwater: 1 file failed; the next run tries again:\n  {reason}\n")
    code, _out, err = typed("apply", "src", "dst", "--state", "st", "-q", "--alert-rss", "1MiB")
    assert (code, "flatwater: memory: " in err) == (main.FAILED, True)
    (tmp_path / "dst" / "deep").unlink()
    assert typed("apply", "src", "dst", "--state", "st")[0] == main.HOLDS


def test_alerts_end_with_1(typed):
    """Thresholds of the seed's monitoring, as options."""
    code, out, _err = typed("apply", "src", "dst", "--state", "st", "--alert-rss", "1MiB")
    assert code == main.DOES_NOT_HOLD
    assert "alert: memory: " in out


def test_a_state_that_is_new_has_not_grown(typed, tmp_path):
    """There is nothing that a first run could be held beside; later ones are."""
    words = ("apply", "src", "dst", "--state", "st", "--alert-growth", "20%", "--durability", "off")
    for number in range(1000):
        (tmp_path / "src" / f"{number}").write_text("")
    code, out, _err = typed(*words)
    assert (code, "alert" in out) == (main.HOLDS, False)
    for number in range(1000, 3000):
        (tmp_path / "src" / f"{number}").write_text("")
    code, out, _err = typed(*words)
    assert (code, "alert: growth" in out) == (main.DOES_NOT_HOLD, True)


def test_a_state_that_is_damaged(typed, tmp_path):
    """Says how to do without it: what was copied is found at the destination."""
    typed("apply", "src", "dst", "--state", "st")
    (tmp_path / "st" / "lmdb" / "data.mdb").write_bytes(b"x" * 5000)
    for name in ("plan", "apply", "audit"):
        code, _out, err = typed(name, "src", "dst", "--state", "st")
        assert code == main.FAILED
        assert "--check-destination" in err


def test_a_budget_that_is_too_small(typed):
    """Is refused before anything is done, with what to lower."""
    code, _out, err = typed("apply", "src", "dst", "--state", "st", "--budget", "4MiB")
    assert code == main.DOES_NOT_HOLD
    assert "refused" in err
    code, _out, _err = typed("apply", "src", "dst", "--state", "st", "--budget", "48MiB")
    assert code == main.HOLDS


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["apply"], "there is no SRC"),
        (["apply", "src"], "there is no DST"),
        (["apply", "src", "src"], "is source and destination"),
        (["apply", "src", "src/deep"], "one in the other"),
        (["apply", "src", "dst", "--state", "src/st"], "would be synced, too"),
        (["apply", "src", "dst", "--max-delete", "lots"], "no number of files"),
        (["apply", "src", "dst", "--max-delete", "-1"], "no number of files"),
        (["apply", "src", "dst", "--compare", "etag", "--state", "st"], "tells no etags"),
        (["apply", "src", "gopher://x/y"], "no kind of remote"),
        (["apply", "src", "dst", "--source-option", "endpoint"], "has no value"),
        (["apply", "src", "dst", "--source-option", "a=b"], "no option 'a'"),
        (["apply", "src", "dst", "--json", "none/x"], "none/x"),
    ],
)
def test_wrong_use(typed, tmp_path, words, said):
    """2, with what is wrong; nothing is made."""
    code, _out, err = typed(*words)
    assert code == main.WRONG_USE
    assert said in err
    assert sorted(os.listdir(tmp_path)) in (["src"], ["src", "st"])


def test_a_source_that_is_not_there(typed, tmp_path):
    """Is an error, and nothing is deleted: a disk may not be mounted."""
    typed("apply", "src", "dst", "--state", "st")
    os.rename(tmp_path / "src", tmp_path / "elsewhere")
    code, _out, err = typed("apply", "src", "dst", "--state", "st", "--max-delete", 100)
    assert code == main.FAILED
    assert "cannot be listed" in err
    assert len(files_of(tmp_path / "dst")) == 3


def test_two_at_once(tmp_path, typed):
    """A second one is told that the state is in use."""
    import flatwater as fw

    typed("apply", "src", "dst", "--state", "st")
    held = fw.Sync("src", "dst", state="st")._job(read_only=False, event=None)
    try:
        program = [sys.executable, "-m", "flatwater", "sync", "apply", "src", "dst", "--state", "st"]
        done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    finally:
        held.close()
    assert done.returncode == main.FAILED
    assert "another process" in done.stderr


def test_sigterm_ends_it(tmp_path, typed):
    """With 143, as shells say, and the next run goes on."""
    for number in range(3000):
        (tmp_path / "src" / f"{number}").write_text("x")
    program = [sys.executable, "-m", "flatwater", "sync", "apply", "src", "dst", "--state", "st", "--json", "-", "-q"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if '"copied"' in line:
                process.terminate()
                break
        process.stdout.read()
        assert process.wait(60) == 143
    code, out, _err = typed("apply", "src", "dst", "--state", "st")
    assert (code, "went on with" in out) == (main.HOLDS, True)
    assert files_of(tmp_path / "dst") == files_of(tmp_path / "src")
