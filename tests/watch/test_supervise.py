"""watch.supervise: `Run` with short real commands. What a user types is in tests/cli/test_run.py."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from flatwater import errors
from flatwater.budget.detect import physical_bytes
from flatwater.meter.tree import Tree
from flatwater.watch import supervise
from flatwater.watch.result import KILLED_EXIT_CODE
from flatwater.watch.supervise import Run
from flatwater.worker.command import CommandNotStarted

pytestmark = pytest.mark.skipif(not hasattr(signal, "sigtimedwait"), reason="signals are events on Linux only")

MIB = 1 << 20
DEADLINE_S = 30.0
# Programs that wait for a file, which the test makes once it has seen what it must see: no sleep is long enough for that.
WAIT = "import os, time\nend = time.monotonic() + 30\nwhile not os.path.exists({go!r}) and time.monotonic() < end:\n    time.sleep(0.01)\n"
HOLD = "held = bytearray(b'x') * ({mib} << 20)\n" + WAIT
FORKS = "import os\nis_child = any(not os.fork() for _ in range({count}))\n"
WAITED = "while not is_child:\n    try:\n        os.wait()\n    except ChildProcessError:\n        break\n"
GROW = (
    "rows = [bytearray(b'x') * (1 << 20) for _ in range(40)]\n"
    + WAIT
    + "while True:\n    rows.append(bytearray(b'x') * (1 << 20))\n"
)


def python(code, **words):
    filled = code.format(**{name: str(word) for name, word in words.items()}) if words else code
    return [sys.executable, "-I", "-S", "-c", filled]


def run(argv, **options):
    options.setdefault("suspects", False)
    options.setdefault("linger_s", 0.2)
    return Run(argv, **options).run()


def until(condition):
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


class Releases:
    """An `on_tick` that lets the program go on once what was seen of it is enough: `go` is the file that it waits for."""

    def __init__(self, go, is_enough, *, more_s=0.0):
        self.go = go
        self.is_enough = is_enough
        self.more_s = more_s  # of the run, after that
        self.enough_s = None

    def __call__(self, of):
        now_s = time.monotonic()
        if self.enough_s is None and self.is_enough(of):
            self.enough_s = now_s
        if self.enough_s is not None and now_s >= self.enough_s + self.more_s:
            self.go.mkdir(exist_ok=True)  # which takes no descriptor: there may be none left


def held(mib):
    return lambda of: of.timeline.peak_anon >= mib * MIB


def stood(mib):
    """Whether it has held so much for three times as long as it took to get there."""

    def is_enough(of):
        points = of.timeline.points()
        there_s = next((point.t_s for point in points if point.anon_max >= mib * MIB), None)
        return there_s is not None and points[-1].t_s >= max(0.3, 4 * there_s)

    return is_enough


@pytest.fixture
def go(tmp_path):
    """The file for which programs wait."""
    return tmp_path / "go"


@pytest.fixture
def trees(monkeypatch):
    """The trees that runs sample, for the tests' own looks."""
    made = []

    def make(*args, **options):
        made.append(Tree(*args, **options))
        return made[-1]

    monkeypatch.setattr(supervise, "Tree", make)
    return made


class SignalsWhenReady:
    """An `on_tick` that sends this process signals, one a tick, once the program has made its file."""

    def __init__(self, path, *numbers):
        self.path = path
        self.numbers = list(numbers)

    def __call__(self, _run):
        if self.numbers and self.path.exists():
            # To the thread that waits for them: no other thread of the test run may be ended by it.
            signal.pthread_kill(threading.main_thread().ident, self.numbers.pop(0))


@pytest.mark.parametrize(
    ("script", "exit_code", "number"),
    [("exit 0", 0, 0), ("exit 7", 7, 0), ("exit 255", 255, 0), ("kill -9 $$", 137, 9), ("kill -TERM $$", 143, 15)],
)
def test_the_exit_is_passed_on(script, exit_code, number):
    """The program's own code, or 128 and the signal that ended it; a kill of its own is not the limit's."""
    result = run(["sh", "-c", script])
    assert (result.exit_code, result.signal) == (exit_code, number)
    assert (result.killed, result.refused, result.holds) == (False, False, True)
    assert result.limit_kind == "none"
    assert result.forecast is None


def test_the_peak_is_the_kernels(go):
    """Of one process it is exact: 40 MiB, an interpreter more, and not less than what was sampled."""
    is_enough = lambda of: of.timeline.samples >= 5 and held(40)(of)  # noqa: E731 - one condition
    result = run(python(HOLD, mib=40, go=go), on_tick=Releases(go, is_enough))
    assert result.peak_kind == "exact"
    assert 40 * MIB <= result.peak_anon <= result.peak_rss == result.peak_rss_upper <= 60 * MIB
    assert result.samples >= 5
    assert result.processes == 1
    assert 0 < result.wall_s <= DEADLINE_S
    assert result.cpu_s > 0


def test_a_tree_has_an_interval(go):
    """Two children of 30 MiB at once are 60 MiB or more, by an interval that says so."""
    child = python(HOLD, mib=30, go=go)
    code = f"import subprocess; [p.wait() for p in [subprocess.Popen({child!r}) for _ in 'ab']]"
    result = run(python(code), on_tick=Releases(go, held(61)))
    assert result.peak_kind == "interval"
    assert result.processes == 3
    assert 60 * MIB <= result.peak_rss <= result.peak_rss_upper <= 140 * MIB


def test_a_program_that_ends_at_once_has_no_lower_end():
    """Too short for a sample: the peak is no more than what the kernel says, and the pattern is undecided."""
    result = run(["true"])
    assert result.exit_code == 0
    assert result.peak_rss <= result.peak_rss_upper <= 30 * MIB
    assert result.pattern.name in {"undecided", "flat"}


@pytest.mark.parametrize("limit_kind", ["auto", "none"])
def test_a_hog_is_killed_by_its_limit(limit_kind, go):
    """It does not stay inside: killed, 137, with the growth until then; the kernel's limit or the watching does it."""
    result = run(python(GROW, go=go), budget_bytes=64 * MIB, limit_kind=limit_kind, on_tick=Releases(go, held(40)))
    assert not result.holds
    if result.limit_kind == "rlimit_data":  # where no control group may be made, memory is refused instead
        assert (result.refused, result.exit_code) == (True, 1)
        return
    assert (result.killed, result.exit_code) == (True, KILLED_EXIT_CODE)
    assert result.kills >= 1
    assert result.peak_anon >= 16 * MIB
    assert result.forecast.seconds == 0
    assert "the budget of 64.0 MiB was spent within" in result.forecast.words


def test_rlimit_data_refuses(go):
    """The program meets its own MemoryError: refused, not killed, and its code is its own."""
    result = run(python(GROW, go=go), budget_bytes=64 * MIB, limit_kind="rlimit_data", on_tick=Releases(go, held(40)))
    assert (result.limit_kind, result.killed, result.refused, result.holds) == ("rlimit_data", False, True, False)
    assert result.exit_code == 1
    assert result.peak_anon <= 64 * MIB


def test_an_error_far_below_the_limit_is_not_called_refused():
    """A program that fails by itself with little memory held its budget; the note says where else to look."""
    result = run(["sh", "-c", "sleep 0.1; exit 3"], budget_bytes=256 * MIB, limit_kind="rlimit_data")
    assert (result.refused, result.holds, result.exit_code) == (False, True, 3)
    assert any("look for its own error" in note for note in result.notes)


def test_a_child_that_the_limit_kills_is_not_hidden(go):
    """When a child is killed and the program goes on as if nothing were, the run still does not hold."""
    code = f"import subprocess; subprocess.run({python(GROW, go=go)!r}); print('fine')"
    result = run(python(code), budget_bytes=64 * MIB, limit_kind="none", on_tick=Releases(go, held(40)))
    assert (result.killed, result.exit_code) == (True, KILLED_EXIT_CODE)


def test_a_flat_program_holds(go):
    """Inside its budget nothing is killed, and the forecast knows no end."""
    result = run(python(HOLD, mib=10, go=go), budget_bytes=128 * MIB, on_tick=Releases(go, stood(10)))
    assert (result.holds, result.exit_code, result.kills) == (True, 0, 0)
    assert not result.forecast.finite


def test_daemonised_children_are_measured_and_left_alone(tmp_path):
    """What leaves the session and outlives the program is followed for `linger_s`, named, and goes on."""
    pid_file, go_on = tmp_path / "pid", tmp_path / "go"
    script = (
        f"setsid sh -c 'echo $$ > {pid_file}; while [ ! -e {go_on} ]; do sleep 0.05; done' >/dev/null 2>&1 & "
        f"while [ ! -s {pid_file} ]; do sleep 0.01; done; exit 4"
    )
    begin = time.monotonic()
    result = run(["sh", "-c", f"{script}"], linger_s=0.5)
    took_s = time.monotonic() - begin
    daemon = int(pid_file.read_text())
    try:
        assert result.exit_code == 4
        assert took_s >= result.wall_s + 0.5
        assert daemon in result.left_behind
        assert any("left behind, and still running" in note for note in result.notes)
        assert not gone(daemon)
    finally:
        go_on.touch()
    assert until(lambda: gone(daemon))


def test_a_daemon_that_ends_in_time_is_waited_for(go):
    """Lingering ends with the last process of the tree, not with its time; the program's own has ended before."""
    script = f"setsid sh -c 'while [ ! -e {go} ]; do sleep 0.02; done' >/dev/null 2>&1 & exit 0"
    begin = time.monotonic()
    result = run(["sh", "-c", script], linger_s=DEADLINE_S, on_tick=Releases(go, lambda of: of.result.wall_s > 0))
    assert time.monotonic() - begin < DEADLINE_S
    assert result.left_behind == []
    assert go.exists()
    assert result.processes >= 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_for_the_program(tmp_path, number):
    """A signal to us reaches the program, which ends in its own way; ours are as before afterwards."""
    ready = tmp_path / "ready"
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    script = f"trap 'exit 33' INT TERM HUP USR1; : > {ready}; while :; do sleep 0.02; done"
    result = run(["sh", "-c", script], on_tick=SignalsWhenReady(ready, number))
    assert (result.exit_code, result.signal, result.killed) == (33, 0, False)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_the_second_ctrl_c_means_it(tmp_path):
    """A program that ignores Ctrl-C goes on after the first; after the second it has its grace, and is killed."""
    ready = tmp_path / "ready"
    script = f"trap '' INT; : > {ready}; while :; do sleep 0.02; done"
    result = run(["sh", "-c", script], grace_s=0.2, on_tick=SignalsWhenReady(ready, signal.SIGINT, signal.SIGINT))
    assert (result.exit_code, result.signal) == (137, signal.SIGKILL)
    assert result.killed is False
    assert "it did not end within 200 ms and was killed" in result.notes


def test_the_third_signal_waits_for_nothing(tmp_path):
    """Three SIGTERMs kill the tree at once, however long the grace."""
    ready = tmp_path / "ready"
    script = f"trap '' TERM; : > {ready}; while :; do sleep 0.02; done"
    result = run(["sh", "-c", script], grace_s=3600.0, on_tick=SignalsWhenReady(ready, *[signal.SIGTERM] * 3))
    assert result.signal == signal.SIGKILL
    assert result.wall_s < DEADLINE_S


def test_a_window_change_ends_nothing(tmp_path):
    """SIGWINCH and SIGUSR2 are passed on and count as no wish to end."""
    ready = tmp_path / "ready"
    script = f"trap 'exit 5' USR2; : > {ready}; while :; do sleep 0.02; done"
    result = run(["sh", "-c", script], on_tick=SignalsWhenReady(ready, *[signal.SIGWINCH] * 4, signal.SIGUSR2))
    assert (result.exit_code, result.signal) == (5, 0)


def test_stopped_and_continued_it_goes_on(tmp_path):
    """As after Ctrl-Z and `fg`: the waiting for signals wakes up without one, and the program's own end is passed on."""
    ready = tmp_path / "ready"
    code = f"from flatwater.watch.supervise import Run; import sys; sys.exit(Run(['sh', '-c', ': > {ready}; sleep 0.6; exit 9']).run().exit_code)"
    with subprocess.Popen([sys.executable, "-c", code]) as child:
        assert until(ready.exists)
        for number in (signal.SIGSTOP, signal.SIGCONT) * 2:
            child.send_signal(number)
            time.sleep(0.05)
        assert child.wait(DEADLINE_S) == 9


@pytest.mark.parametrize("argv", [[], [""], ["a\0b"]])
def test_no_command_is_refused(argv):
    """Nothing to run is a wrong use, before anything is started."""
    with pytest.raises(errors.UsageError):
        run(argv)


def test_what_cannot_be_started_leaves_nothing(tmp_path, open_files):
    """A command that does not exist is an error, and descriptors and signals are as before."""
    before, blocked = open_files(), signal.pthread_sigmask(signal.SIG_BLOCK, ())
    for _ in range(5):
        with pytest.raises(CommandNotStarted):
            run([str(tmp_path / "none")], budget_bytes=64 * MIB)
    assert open_files() <= before
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == blocked


@pytest.mark.slow
def test_runs_leave_no_descriptors(open_files):
    """Ten runs one after the other leave no descriptor open that was not before."""
    run(["true"])
    before = open_files()
    for _ in range(10):
        run(["true"], budget_bytes=64 * MIB)
    assert open_files() <= before


def test_a_failing_live_line_ends_the_program_too(tmp_path):
    """When our own side raises, the error is seen and the program does not stay behind."""
    pid_file = tmp_path / "pid"

    def on_tick(_run):
        if pid_file.exists() and pid_file.read_text().strip():
            raise OSError("terminal gone")

    with pytest.raises(OSError, match="terminal gone"):
        run(["sh", "-c", f"echo $$ > {pid_file}; exec sleep 60"], on_tick=on_tick)
    assert until(lambda: gone(int(pid_file.read_text())))


def test_a_budget_beyond_memory_is_said():
    """A budget larger than the machine is noted: the machine ends first."""
    memory = physical_bytes()
    assert memory > 64 * MIB
    result = run(["true"], budget_bytes=4 * memory, limit_kind="none")
    assert any("larger than this machine's memory" in note for note in result.notes)


def test_the_figures_are_json():
    """All of them, without infinity, with the documented keys."""
    result = run(["sh", "-c", "sleep 0.1"], budget_bytes=64 * MIB)
    found = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert found["command"] == ["sh", "-c", "sleep 0.1"]
    assert found["budget_bytes"] == 64 * MIB
    assert found["forecast"]["seconds"] is None
    for key in ("peak_rss_bytes", "peak_anon_bytes", "peak_kind", "pattern", "limit_kind", "killed", "exit_code",
                "wall_s", "cpu_s", "samples", "growth_bytes_per_s", "left_behind", "notes", "timeline"):  # fmt: skip
        assert key in found


def test_the_bound_is_a_sum():
    """What a run itself holds at most is known beforehand."""
    assert Run(["true"], suspects=False).bytes_max() < 16 * MIB


def test_a_signal_that_we_were_started_to_ignore_ends_nothing(tmp_path):
    """As below nohup: SIGHUP comes, is ignored by us as by the program, and no grace begins."""
    ready = tmp_path / "ready"
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        script = f": > {ready}; sleep 0.4; exit 6"
        result = run(["sh", "-c", script], grace_s=0.05, on_tick=SignalsWhenReady(ready, signal.SIGHUP, signal.SIGHUP))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (result.exit_code, result.signal, result.notes) == (6, 0, [])


def test_few_descriptors_are_raised_or_said(go, trees):
    """With a low soft limit the whole tree is sampled; with a low hard limit the note says that it was not."""
    import resource

    code = f"{FORKS.format(count=40)}{WAIT.format(go=str(go))}{WAITED}"
    own = len(os.listdir("/proc/self/fd"))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (own + 24, before[1]))
        whole = run(python(code), on_tick=Releases(go, lambda _of: trees[-1].seen == 41))
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (own + 24, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert whole.processes == 41
    assert whole.notes == []


def test_no_descriptors_left_is_a_note(monkeypatch, go, trees):
    """Where not even the hard limit allows one for each process, the figures are said to be too low."""
    import resource

    monkeypatch.setattr(supervise, "_DESCRIPTORS", len(os.listdir("/proc/self/fd")) + 30)
    code = f"{FORKS.format(count=60)}{WAIT.format(go=str(go))}{WAITED}"
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 24, before[1]))
        result = run(python(code), on_tick=Releases(go, lambda _of: trees[-1].unsampled))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert 1 <= result.processes < 61
    assert any("not the whole tree was sampled" in note and "ulimit -n" in note for note in result.notes)


def test_a_parent_that_never_waits_is_no_single_process():
    """With SIGCHLD ignored the kernel reaps the children and tells nobody: an interval, and no word of a reset mark."""
    code = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
held = bytearray(b"x") * (20 << 20)
if not os.fork():
    more = bytearray(b"x") * (8 << 20)
    os._exit(0)
time.sleep(0.2)
"""
    result = run(python(code))
    assert result.peak_kind == "interval"
    assert result.notes == []


@pytest.mark.parametrize("limit_kind", ["rlimit_data", "none"])
def test_shared_memory_counts(limit_kind):
    """60 MB that no file backs and nobody calls anonymous are 60 MB: beyond the budget the tree is ended, with a note."""
    code = """
import mmap, time
segment = mmap.mmap(-1, 60_000_000)
for _ in range(60):
    segment.write(b"x" * 1_000_000)
time.sleep(30)
"""
    result = run(python(code), budget_bytes=30 * MIB, limit_kind=limit_kind)
    assert (result.killed, result.exit_code) == (True, KILLED_EXIT_CODE)
    assert any("of shared memory came on top" in note for note in result.notes)


@pytest.mark.slow
def test_two_segments_are_not_one(go, trees):
    """Two processes with 24 MiB of their own segment each hold 48; two that map the same segment hold 24."""
    code = (
        """
import mmap, os, time
common = mmap.mmap(-1, 24 << 20) if {common} else None
is_child = any(not os.fork() for _ in range(2))
if is_child:
    segment = common or mmap.mmap(-1, 24 << 20)
    for _ in range(24):
        segment.write(b"x" * (1 << 20))
"""
        + WAIT
        + WAITED
    )
    assert run(python(code, common=0, go=go), budget_bytes=40 * MIB, limit_kind="none").killed
    written = Releases(
        go, lambda of: of.timeline.peak_rss >= 48 * MIB and trees[-1].shared_peak >= 24 * MIB, more_s=0.5
    )
    result = run(python(code, common=1, go=go), budget_bytes=40 * MIB, limit_kind="none", on_tick=written)
    assert result.holds
    assert any("at least 24.0 MiB of shared memory" in note for note in result.notes)


def test_the_launcher_killed_leaves_nothing_running(tmp_path, go, trees):
    """A program that kills what stands between it and us is ended with all that is known of it, and that is said."""
    pid_file = tmp_path / "pid"
    code = f"""
import os, signal, subprocess, time
child = subprocess.Popen(["sleep", "60"])
open({str(pid_file)!r}, "w").write(str(child.pid))
{WAIT.format(go=str(go))}
os.kill(os.getppid(), signal.SIGKILL)
time.sleep(60)
"""
    result = run(python(code), on_tick=Releases(go, lambda _of: len(trees[-1].members) == 2))
    assert (result.exit_code, result.signal) == (137, signal.SIGKILL)
    assert any("the launcher between" in note for note in result.notes)
    assert until(lambda: gone(int(pid_file.read_text())))


def test_a_flat_program_has_no_forecast(go):
    """The ramp of an interpreter's start is not taken for growth that goes on."""
    seen = Releases(go, lambda of: of.timeline.samples >= 30)
    result = run(python(WAIT, go=go), budget_bytes=64 * MIB, on_tick=seen)
    assert result.pattern.name == "flat"
    assert result.forecast.words == "no growth: the budget of 64.0 MiB lasts"


def test_the_locale_is_the_programs(tmp_path):
    """With LANG=C, Python adds LC_CTYPE for itself; the program does not see that."""
    out = tmp_path / "out"
    script = f"env > {out}"
    code = f"from flatwater.watch.supervise import Run; Run(['sh', '-c', {script!r}]).run()"
    environment = {"PATH": os.environ["PATH"], "LANG": "C"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=DEADLINE_S)
    assert "LC_CTYPE" not in out.read_text()
    subprocess.run([sys.executable, "-c", code], env={**environment, "LC_CTYPE": "C"}, check=True, timeout=DEADLINE_S)
    assert "LC_CTYPE=C\n" in out.read_text()
