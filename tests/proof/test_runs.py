"""proof.runs: one process tree, from its start to its end or to a bound."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from flatwater import errors, limits
from flatwater.proof.runs import Run, child_run, memory_bound
from flatwater.worker.command import CommandNotStarted
from flatwater.worker.limit import make_limit

MIB = 1 << 20
PYTHON = [sys.executable, "-S", "-c"]


def run_of(*argv, timeout_s=30, memory_bytes=1 << 40, group=None):
    return Run([*argv], timeout_s=timeout_s, memory_bytes=memory_bytes, group=group).run()


def test_a_command_to_its_end():
    """Exit, error output, times and peak of one that ends by itself."""
    seen = run_of(
        *PYTHON, f"import sys; data = bytearray({32 * MIB}); print('lost'); sys.stderr.write('kept'); sys.exit(3)"
    )
    assert (seen.exit.exit_code, seen.exit.signal, seen.stopped) == (3, 0, "")
    assert seen.tail == "kept"
    assert seen.exit.peak_rss > 32 * MIB
    assert (seen.said, seen.left_behind, seen.kills) == ({}, [], 0)
    assert 0 < seen.exit.cpu_s < 30 > seen.wall_s > 0


def test_a_tree_is_sampled():
    """Two processes at one time are two in the sum, and none of them is left."""
    seen = run_of("sh", "-c", "sleep 0.2 & sleep 0.2; wait")
    assert seen.processes >= 2
    assert seen.tree_upper >= seen.tree_lower > 0
    assert not seen.exit.single


@pytest.mark.parametrize("descriptor", [1, 2])
def test_output_is_read_and_thrown_away(monkeypatch, descriptor):
    """It is not held, beyond the end of the error output; more than the bound ends it."""
    script = f"import os\nfor _ in range(64): os.write({descriptor}, b'x' * {MIB})"
    seen = run_of(*PYTHON, script)
    assert (seen.stopped, seen.exit.exit_code) == ("", 0)
    assert len(seen.tail) == (limits.PROOF_TAIL_BYTES_MAX if descriptor == 2 else 0)
    monkeypatch.setattr(limits, "PROOF_OUTPUT_BYTES_MAX", 16 * MIB)
    assert run_of(*PYTHON, script).stopped == "output"


def test_time_is_bounded():
    """One that sleeps for ever is killed, with all that it started."""
    seen = run_of("sh", "-c", "sleep 1000 & sleep 1000", timeout_s=0.2)
    assert (seen.stopped, seen.exit) == ("timeout", None)


def test_memory_is_bounded():
    """One that takes more than it may is killed, before it has taken the machine."""
    seen = run_of(*PYTHON, "data = []\nwhile True: data.append(bytearray(1 << 20))", memory_bytes=64 * MIB)
    assert (seen.stopped, seen.exit) == ("memory", None)


def test_what_is_left_behind_is_found_and_killed():
    """A process that outlives its command is named, and is gone; one that ends soon is waited for."""
    seen = run_of("sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & exit 0")
    assert len(seen.left_behind) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(seen.left_behind[0], 0)
    assert run_of("sh", "-c", "sleep 0.03 & exit 0").left_behind == []


def test_it_has_no_input_and_no_descriptors_of_ours():
    """Standard input is at its end; only what any child of this process would inherit is inherited."""
    script = "import os, sys; print(sys.stdin.read(), *os.listdir('/proc/self/fd')[:-1], file=sys.stderr)"
    usual = subprocess.run(
        [*PYTHON, script], close_fds=False, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True
    )
    assert set(run_of(*PYTHON, script).tail.split()) == set(usual.stderr.decode().split())


def test_what_cannot_be_started():
    """A missing program is an error that says so, and no pipe stays open."""
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(CommandNotStarted, match="no such command"):
        run_of("no-such-command-anywhere")
    with pytest.raises(errors.UsageError, match="NUL"):
        run_of("echo", "\0")
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("kind", ["auto", "rlimit_data"])
def test_a_kernel_limit(kind):
    """Under a limit of the kernel the same program ends badly that ends well without."""
    script = f"data = bytearray({96 * MIB})"
    assert run_of(*PYTHON, script).exit.exit_code == 0
    with make_limit(48 * MIB, kind=kind, name="test") as group:
        seen = run_of(*PYTHON, script, group=group)
    assert seen.exit.exit_code != 0
    assert seen.kills == int(group.kind.startswith("cgroup"))


def test_two_at_the_same_time():
    """Threads run one each, and each sees its own."""
    seen = {}

    def one(code):
        seen[code] = run_of("sh", "-c", f"echo {code} >&2; sleep 0.1; exit {code}")

    threads = [threading.Thread(target=one, args=(code,)) for code in (3, 4, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {code: (run.exit.exit_code, run.tail.strip()) for code, run in seen.items()} == {
        3: (3, "3"),
        4: (4, "4"),
        5: (5, "5"),
    }


def test_an_interrupt_leaves_nothing(tmp_path, monkeypatch):
    """Ctrl-C ends the process and removes its folder."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pid_file = tmp_path / "pid"

    def interrupt():
        while not pid_file.exists() or not pid_file.read_text():
            time.sleep(0.01)
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt), child_run({}) as (_argv, folder):
        run_of("sh", "-c", f"echo $$ > {pid_file}; exec sleep 1000")
    thread.join()
    assert not os.path.exists(folder)
    deadline_s = time.monotonic() + 10  # an interrupt while it starts leaves its end to the process that started it
    while os.path.exists(f"/proc/{pid_file.read_text().strip()}"):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_killed_it_leaves_no_process(tmp_path, monkeypatch):
    """SIGKILL for the measuring process is the end of what it measures; its folder goes with the next run."""
    script = (
        "import sys\nfrom flatwater.proof.runs import Run, child_run\n"
        f"with child_run({{}}): Run(['sh', '-c', 'echo $$ > {tmp_path}/pid; exec sleep 1000'], timeout_s=60, memory_bytes=1 << 40).run()"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    pid_file = tmp_path / "pid"
    with subprocess.Popen([sys.executable, "-c", script], env=environment) as process:
        while not pid_file.exists() or not pid_file.read_text():
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    deadline_s = time.monotonic() + 10
    while os.path.exists(f"/proc/{pid_file.read_text().strip()}"):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    (left,) = tmp_path.glob("flatwater-proof-*")
    os.utime(left, (1, 1))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with child_run({}):
        assert not left.exists()


def test_without_a_place_for_files(monkeypatch):
    """Where no temporary folder can be written, that is said."""
    monkeypatch.setattr("tempfile.tempdir", "/nowhere/at/all")
    with pytest.raises(errors.BrokenError, match="TMPDIR"), child_run({}):
        pass


def test_the_memory_bound_is_of_this_machine():
    """It is below the memory there is, and above what a scenario takes."""
    assert 16 * MIB < memory_bound() < 1 << 50
