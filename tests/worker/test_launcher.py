"""worker.launcher: the small process above a command: it starts it, reaps everything, obeys one byte, and tells the truth."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flatwater.worker import launcher as module

MIB = 1 << 20
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the launcher is Linux's")
WAIT_S = 20


class Started:
    """A launcher with its pipes."""

    def __init__(self, *command, procs_file="", data_limit=0, ignored="", **options):
        control, self.control = os.pipe()
        self.report, report = os.pipe()
        words = [control, report, ignored, procs_file, data_limit, *command]
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", module.__file__, *map(str, words)],
            pass_fds=(control, report), stdout=subprocess.PIPE, **options,
        )  # fmt: skip
        os.close(control)
        os.close(report)
        self.text = b""

    def until(self, word):
        """Read report lines until one begins with `word`; all of them so far, by their first word."""
        deadline = time.monotonic() + WAIT_S
        while not any(line.startswith(word) for line in self.text.decode().splitlines()):
            assert select.select([self.report], [], [], max(0, deadline - time.monotonic()))[0], self.text
            chunk = os.read(self.report, 4096)
            assert chunk, f"it ended before {word!r}: {self.text!r}"
            self.text += chunk
        return {line.split()[0]: line.split()[1:] for line in self.text.decode().splitlines()}

    def order(self, *bytes_):
        os.write(self.control, bytes(bytes_))

    def close(self):
        for descriptor in (self.control, self.report):
            if descriptor >= 0:
                os.close(descriptor)
        self.control = self.report = -1
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


@pytest.fixture
def start():
    started = []

    def begin(*command, **options):
        started.append(Started(*command, **options))
        return started[-1]

    yield begin
    for one in started:
        one.close()


def gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_it_stays_small():
    """It imports nothing of ours and nothing large, so that a command's peak starts near nothing."""
    code = (
        f"import sys; exec(open({module.__file__!r}).read(), {{'__name__': 'launcher'}}); print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert not {"flatwater", "subprocess", "re", "typing", "json", "threading"} & set(done.stdout.split())


def test_the_report_of_a_plain_command(start):
    """floor, started, exited with status and peak, empty: in this order, and then the end."""
    one = start("sh", "-c", "exit 7")
    lines = one.until("empty")
    assert [line.split()[0] for line in one.text.decode().splitlines()] == ["floor", "started", "exited", "empty"]
    status, maxrss_kib, user_s, system_s, had_children = lines["exited"]
    assert os.waitstatus_to_exitcode(int(status)) == 7
    assert 0 < int(maxrss_kib) < 64 * 1024
    assert 2048 < int(lines["floor"][0]) < 32 * 1024
    assert min(float(user_s), float(system_s)) >= 0
    assert had_children == "0"
    assert one.process.wait(WAIT_S) == 0


@pytest.mark.parametrize(
    ("command", "step", "number"),
    [("no-such-command-anywhere", "exec", 2), ("/", "exec", 13), (__file__, "exec", 13)],
)
def test_what_cannot_be_started_is_told(start, command, step, number):
    """The step that failed and the system's number; nothing is left running."""
    one = start(command)
    assert one.until("empty")["failed"] == [step, str(number)]
    assert one.process.wait(WAIT_S) == 0


def test_a_limit_that_cannot_be_joined_is_told(start):
    """A cgroup that is gone is a failed limit, and the command does not run without it."""
    one = start("echo", "ran", procs_file="/no/such/cgroup/cgroup.procs")
    assert one.until("empty")["failed"] == ["limit", "2"]
    assert one.process.communicate()[0] == b""


def test_the_command_is_in_its_group_before_it_runs(start, tmp_path):
    """It writes 0 into the group's file between fork and exec."""
    procs = tmp_path / "cgroup.procs"
    procs.write_text("")
    one = start("cat", str(procs), procs_file=str(procs))
    one.until("exited")
    assert one.process.communicate()[0] == b"0"


def test_rlimit_data_is_put_on(start):
    """The command has the limit that was asked for, and its children inherit it."""
    one = start("sh", "-c", "ulimit -d; sh -c 'ulimit -d; ulimit -Hd'", data_limit=64 * MIB)
    one.until("empty")
    assert one.process.communicate()[0].split() == [b"65536"] * 3


def test_a_lower_hard_limit_stays(start):
    """Where the user may have less than the budget, the command still runs, under what the user may have."""

    def lower():
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (32 * MIB, 32 * MIB))

    one = start("sh", "-c", "ulimit -Hd; exit 5", data_limit=64 * MIB, preexec_fn=lower)
    lines = one.until("empty")
    assert os.waitstatus_to_exitcode(int(lines["exited"][0])) == 5
    assert one.process.communicate()[0] == b"32768\n"


def test_a_limit_too_small_to_start_is_told(start):
    """A command that does not fit its limit fails with a report or by itself, never as a success."""
    one = start("sh", "-c", "exit 0", data_limit=4096)
    lines = one.until("empty")
    assert "failed" in lines or lines["exited"][0] != "0"


def test_orphans_are_reaped_and_told(start):
    """What the command leaves behind comes to the launcher: an orphan line, and empty only after it."""
    one = start("sh", "-c", "exec 3<&0; (read line <&3; exit 0) & exit 3", stdin=subprocess.PIPE, preexec_fn=subreaper)
    lines = one.until("exited")
    assert os.waitstatus_to_exitcode(int(lines["exited"][0])) == 3
    assert "empty" not in lines
    one.process.stdin.close()
    assert "orphan" in one.until("empty")


def subreaper():
    import ctypes

    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def test_children_that_were_waited_for_are_known(start):
    """A command that waited for children of its own says so; one that had none too."""
    assert start("sh", "-c", "sleep 0; sleep 0").until("exited")["exited"][4] == "1"
    assert start("sleep", "0").until("exited")["exited"][4] == "0"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGKILL])
def test_a_byte_is_a_signal(start, number):
    """1 to 64 go to the command, which dies of it; the launcher does not."""
    one = start("sleep", "60")
    one.until("started")
    one.order(number)
    assert os.waitstatus_to_exitcode(int(one.until("empty")["exited"][0])) == -number
    assert one.process.wait(WAIT_S) == 0


def test_unknown_orders_are_ignored(start):
    """Bytes that mean nothing, and a signal after the end, change nothing."""
    one = start("sh", "-c", "read line; exit 4", stdin=subprocess.PIPE)
    one.until("started")
    one.order(0, 65, 100, 255)
    one.process.stdin.close()
    assert os.waitstatus_to_exitcode(int(one.until("empty")["exited"][0])) == 4


TREE = "trap '' TERM INT HUP; (setsid sh -c 'echo $$; trap \"\" TERM; while :; do sleep 1; done' &) ; while :; do sleep 1; done"


@pytest.mark.parametrize("how", ["K", "end of file"])
def test_the_tree_is_killed(start, how):
    """K, or the end of the control pipe, ends everything below, daemons that ignore signals included."""
    one = start("sh", "-c", TREE, preexec_fn=subreaper)
    daemon = int(one.process.stdout.readline())
    if how == "K":
        one.order(ord("K"))
    else:
        os.close(one.control)
        one.control = -1
    assert os.waitstatus_to_exitcode(int(one.until("empty")["exited"][0])) == -9
    assert gone(daemon)
    assert one.process.wait(WAIT_S) == 0


def test_a_detached_tree_outlives_the_end_of_the_pipe(start):
    """After D the end of the control pipe kills nobody; the launcher stays until the tree has ended."""
    one = start("sh", "-c", "(setsid sleep 60 >/dev/null 2>&1 & echo $!)", preexec_fn=subreaper)
    left = int(one.process.stdout.readline())
    one.until("exited")
    one.order(ord("D"))
    os.close(one.control)
    one.control = -1
    assert one.process.stdout.read() == b""  # it has let go of our output
    assert not gone(left)
    os.kill(left, signal.SIGKILL)
    one.until("empty")
    assert one.process.wait(WAIT_S) == 0


def test_nobody_listening_stops_nothing(start):
    """With the report pipe closed the command still runs to its end."""
    one = start("sh", "-c", "read line; echo done", stdin=subprocess.PIPE)
    one.until("started")
    os.close(one.report)
    one.report = -1
    out, _err = one.process.communicate(b"\n", timeout=WAIT_S)
    assert (out, one.process.returncode) == (b"done\n", 0)


def test_the_command_has_neither_pipe(start):
    """The command inherits neither the control nor the report pipe: it cannot give orders or forge a report."""
    one = start("sh", "-c", "ls -l /proc/self/fd")
    out, _err = one.process.communicate()
    assert b"pipe:" in out  # its standard output
    assert out.count(b"pipe:") == 1


def test_signal_dispositions_are_the_callers(start):
    """What the caller ignores stays ignored; all else is at its default, SIGPIPE included."""
    code = "import signal; print(*[int(n) for n in signal.valid_signals() if signal.getsignal(n) is signal.SIG_IGN])"
    one = start(
        sys.executable, "-S", "-c", code, ignored=f"{int(signal.SIGHUP)},{int(signal.SIGUSR2)}", preexec_fn=ignore
    )
    found = {int(word) for word in one.process.communicate()[0].split()}
    assert found - {signal.SIGPIPE, 25} == {signal.SIGHUP, signal.SIGUSR2}  # Python ignores SIGPIPE and SIGXFSZ itself


def ignore():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)


def test_many_short_children_are_all_reaped(start):
    """A thousand orphans leave no zombie, and the end is told once."""
    one = start("sh", "-c", "i=0; while [ $i -lt 300 ]; do (true &); i=$((i+1)); done; exit 6", preexec_fn=subreaper)
    lines = one.until("empty")
    assert os.waitstatus_to_exitcode(int(lines["exited"][0])) == 6
    assert one.text.count(b"empty") == 1


def test_an_abandoned_group_is_cleared_away(tmp_path):
    """The directory of a limit whose owner is gone is removed; with an owner it is left for the owner to read."""
    for abandoned in (True, False):
        group = tmp_path / f"group-{abandoned}"
        group.mkdir()
        launcher = module.Launcher(-1, -1, str(group / "cgroup.procs"))
        launcher.abandoned = abandoned
        launcher.clear_limit()
        assert group.exists() != abandoned


@pytest.mark.parametrize(
    ("how", "term", "written"),
    [
        ("end of file", "xterm", module.ALL_ROWS_SCROLL), ("end of file", "dumb", b""), ("end of file", None, b""),
        ("D and end of file", "xterm", b""), ("K", "xterm", b""),
    ],
)  # fmt: skip
def test_an_abandoned_terminal_scrolls_whole_again(start, how, term, written):
    """Who was killed may have left margins: the launcher takes them back, from a terminal that knows them, and then only."""
    screen, terminal = os.openpty()
    environ = {name: value for name, value in os.environ.items() if name != "TERM"}
    one = start("sleep", "60", stderr=terminal, env={**environ, "TERM": term} if term else environ)
    pid = int(one.until("started")["started"][0])
    if how != "end of file":
        one.order(*how[:1].encode())
    if how != "K":
        os.close(one.control)
        one.control = -1
    if how == "D and end of file":
        os.kill(pid, signal.SIGKILL)
    assert one.process.wait(WAIT_S) == 0
    os.set_blocking(screen, False)
    assert (os.read(screen, 100) if select.select([screen], [], [], 0)[0] else b"") == written
    os.close(terminal)
    os.close(screen)


def test_a_user_who_may_not_fork_is_told(monkeypatch):
    """As many processes as the user may have: the report says so, without a traceback."""
    read, write = os.pipe()

    def refuse():
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    assert module.Launcher(-1, write, "").start(["true"], 0, frozenset()) is False
    assert os.read(read, 100) == b"failed fork 11\n"
    os.close(read)
    os.close(write)
