"""worker.command: any command, its exit as a shell shows it, and nothing of its tree forgotten."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flatwater import errors
from flatwater.worker.command import Command, CommandNotStarted

MIB = 1 << 20
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the launcher is Linux's")


def finish(command, *, until_empty=True):
    while command.poll() is None or (until_empty and not command.empty):
        time.sleep(0.002)
    command.close()
    return command.exit


@pytest.mark.parametrize(
    ("argv", "exit_code", "number"),
    [
        (["true"], 0, 0),
        (["sh", "-c", "exit 7"], 7, 0),
        (["sh", "-c", "kill -9 $$"], 137, 9),
        (["sh", "-c", "kill -SEGV $$"], 139, 11),
        (["sh", "-c", "exec 1>&- 2>&-; exit 3"], 3, 0),
    ],
)
def test_exit_codes_are_a_shells(argv, exit_code, number):
    """Its own code, or 128 plus the signal."""
    ended = finish(Command(argv))
    assert (ended.exit_code, ended.signal) == (exit_code, number)


def test_the_peak_of_one_process_is_exact():
    """A single process that held 50 MiB reads between 50 and 70 MiB, above the launcher's floor."""
    ended = finish(Command([sys.executable, "-S", "-c", f"x = bytearray({50 * MIB})"]))
    assert ended.single
    assert 50 * MIB <= ended.peak_rss <= 70 * MIB
    assert ended.peak_rss > ended.floor_bytes


def test_a_large_caller_does_not_raise_the_peak():
    """The command's peak starts at the launcher's few MiB, whatever the calling process holds."""
    code = f"""
import time
from pathlib import Path
held = bytearray({300 * MIB})
from flatwater.worker.command import Command
command = Command(["sleep", "0.05"])
while command.poll() is None:
    time.sleep(0.01)
print(command.exit.peak_rss)
command.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 30 * MIB


def test_children_are_known():
    """A command that had children of its own is not called single."""
    assert not finish(Command(["sh", "-c", "sleep 0; sleep 0"])).single
    assert not finish(Command(["sh", "-c", "(sleep 0.05 &) ; exit 0"])).single


def test_what_is_left_behind_is_waited_for(tmp_path):
    """A double fork does not escape: the command has ended, its tree has not, until the orphan ends."""
    go = tmp_path / "go"
    command = Command(["sh", "-c", f"(sh -c 'while [ ! -e {go} ]; do sleep 0.01; done' &) ; exit 5"])
    while command.poll() is None:
        time.sleep(0.002)
    assert command.exit.exit_code == 5
    for _ in range(20):
        command.poll()
        assert not command.empty
        time.sleep(0.005)
    go.touch()
    while not command.empty:
        command.poll()
        time.sleep(0.005)
    command.close()


@pytest.mark.parametrize(
    ("argv", "exit_code", "says"),
    [
        (["no-such-command-anywhere"], 127, "no such command"),
        (["/etc/hostname"], 126, "cannot be run"),
        (["/"], 126, "cannot be run"),
    ],
)
def test_what_cannot_be_started_says_why(argv, exit_code, says):
    """Not found is 127, not executable 126, each with a sentence."""
    with pytest.raises(CommandNotStarted, match=says) as caught:
        Command(argv)
    assert caught.value.exit_code == exit_code


@pytest.mark.parametrize("argv", [[], [""], ["echo", "a\0b"]])
def test_what_is_no_command_is_wrong_use(argv):
    """Nothing to run, or a word no program can be given, is the caller's mistake."""
    with pytest.raises(errors.UsageError):
        Command(argv)


def test_signals_reach_the_command(tmp_path):
    """What is sent arrives; a trapped signal is the command's own business."""
    ready = tmp_path / "ready"
    command = Command(["sh", "-c", f"trap 'exit 9' TERM; : > {ready}; while :; do sleep 0.01; done"])
    while not ready.exists():
        time.sleep(0.005)
    command.send_signal(signal.SIGTERM)
    assert finish(command).exit_code == 9
    command.send_signal(signal.SIGTERM)  # after the end: nothing happens


def test_default_signals_are_restored():
    """The command starts with the dispositions its caller had: a broken pipe kills it, as in a shell."""
    code = "import signal; print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)"
    read, write = os.pipe()
    os.set_inheritable(write, True)
    command = Command(["bash", "-c", f"exec {sys.executable} -S -c '{code}' >&{write}"])
    os.close(write)
    finish(command)
    assert os.read(read, 100) == b"True\n"
    os.close(read)
    assert finish(Command(["bash", "-c", "yes | head -1 >/dev/null; exit ${PIPESTATUS[0]}"])).exit_code == 141


def test_killing_the_tree_leaves_nothing():
    """A tree that ignores SIGTERM and has daemons is gone after kill_tree."""
    marker = f"4711.{os.getpid()}"
    command = Command(["sh", "-c", f"trap '' TERM; (setsid sleep {marker} &) ; sleep {marker} & wait"])
    time.sleep(0.15)
    command.kill_tree()
    assert finish(command).exit_code == 137
    assert marker not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout


def test_the_tree_dies_with_its_caller():
    """kill -9 of the calling process leaves nothing running."""
    marker = f"4712.{os.getpid()}"
    code = f"""
import time
from pathlib import Path
from flatwater.worker.command import Command
command = Command(["sh", "-c", "(setsid sleep {marker} &) ; sleep {marker}"])
print("ready", flush=True)
time.sleep(60)
"""
    caller = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert caller.stdout.readline() == "ready\n"
    time.sleep(0.1)
    caller.kill()
    caller.wait()
    caller.stdout.close()
    deadline = time.monotonic() + 30
    while marker in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_detached_tree_lives_on():
    """After detach, closing leaves what still runs alone."""
    read, write = os.pipe()
    os.set_inheritable(write, True)
    command = Command(["bash", "-c", f"(sleep 0.3; echo alive >&{write}) & exit 0"])
    os.close(write)
    while command.poll() is None:
        time.sleep(0.002)
    command.detach()
    command.close()
    assert os.read(read, 100) == b"alive\n"
    os.close(read)


def children():
    return {pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


def test_nothing_leaks(open_files):
    """Neither descriptors nor zombies are left after commands that ran, failed or were killed."""
    before = open_files()
    children_before = children()
    for _ in range(3):
        finish(Command(["true"]))
        with pytest.raises(CommandNotStarted):
            Command(["no-such-command-anywhere"])
        Command(["sleep", "60"]).close()
    assert open_files() <= before
    assert children() <= children_before


def test_a_command_that_nobody_holds_is_killed():
    """What is dropped without `close`, as when an interrupt comes between its start and the `with`, ends all the same."""
    command = Command(["sleep", "1000"])
    pid = command.pid
    del command
    deadline_s = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)
