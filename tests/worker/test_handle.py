import os
import subprocess
import sys
import threading

import pytest

from flatwater import errors
from flatwater.worker import handle, make_limit

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers need POSIX")


@pytest.fixture
def opened():
    made = handle.Handle(make_limit("256 MiB", kind="rlimit_data"))
    yield made
    made.close()


def test_no_descriptors_left():
    """However many are missing, the error is clear and has a hint, and nothing leaks; then calls work again."""
    program = """
import os, resource
from flatwater import errors, worker
worker.call(abs, (-1,))
held = set(os.listdir("/proc/self/fd"))
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
told = []
for free in range(14):
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(held) - 1 + free, hard))
    try:
        told.append(str(worker.call(abs, (-1,))))
    except errors.BrokenError as error:
        told.append(str(error))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert set(os.listdir("/proc/self/fd")) == held, (free, os.listdir("/proc/self/fd"), held)
print(*told, sep="\\n")
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert ended.stderr == ""
    told = ended.stdout.splitlines()
    assert told[0].startswith("a worker could not be started: [Errno 24] Too many open files")
    assert all(line == "1" or "ulimit -n" in line for line in told), told
    assert told[-1] == "1"


def test_no_thread_left(opened, monkeypatch, open_files):
    """The reader of its error output cannot start: a clear error, no process, no descriptor."""
    before = open_files()

    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(errors.BrokenError, match=r"can't start new thread.*ulimit -u"):
        opened.start()
    assert opened.process is None
    assert open_files() <= before


def test_no_program_to_start(opened, monkeypatch, open_files):
    """The interpreter is gone: named with a hint, and nothing is left open."""
    before = open_files()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(errors.BrokenError, match="Can /nowhere/python be run"):
        opened.start()
    monkeypatch.undo()
    opened.start()
    opened.kill()
    assert open_files() <= before


def test_an_interrupted_start_leaves_nothing(opened, monkeypatch, open_files):
    """Whatever is raised on the way."""
    before = open_files()

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", interrupt)
    with pytest.raises(KeyboardInterrupt):
        opened.start()
    assert open_files() <= before


def test_it_starts_interrupts_and_kills(opened):
    """Starting again replaces; killing and closing twice are fine."""
    opened.start()
    first = opened.process
    opened.start()
    assert first.returncode is not None
    assert opened.process.pid != first.pid
    opened.interrupt()
    assert opened.process.wait(20) == -9
    opened.kill()
    opened.kill()
    opened.close()
    assert (opened.process, opened.requests, opened.results) == (None, -1, -1)
    opened.interrupt()


def test_dropping_tells_once_what_was_held(opened):
    """The process by its number; nothing the second time."""
    opened.start()
    pid = opened.process.pid
    assert opened.drop() == f"process {pid}"
    assert opened.drop() == ""
    assert not opened._descriptors
    handle.reap(20)
    assert opened.process.returncode == -9


def test_the_end_of_the_error_output_is_kept(capfd):
    """A few KiB; copied only once it may be, and only where a child would write too."""
    read, write = os.pipe()
    tail = handle.Tail(read)
    os.write(write, b"early ")
    while tail._kept != b"early ":
        threading.Event().wait(0.001)
    tail.forwards = True
    os.write(write, b"x" * 9_000 + b"late")
    os.close(write)
    text = tail.text()
    tail.close()
    assert len(text) == 8192
    assert text.endswith("late")
    assert capfd.readouterr().err == "x" * 9_000 + "late"
    assert handle._is_inherited(2)
    assert not handle._is_inherited(read)


def test_an_interrupt_in_the_middle_of_a_look_does_not_hang_the_kill(opened, monkeypatch):
    """It can leave the lock of `subprocess` locked for good: the child is ended and reaped all the same."""
    monkeypatch.setattr(handle, "_REAP_S", 0.1)
    opened.start()
    process = opened.process
    process._waitpid_lock.acquire()
    opened.kill()
    assert opened.process is None
    assert process.returncode == -9
    with pytest.raises(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)
