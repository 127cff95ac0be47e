import contextlib
import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import pytest

from flatwater import errors, worker
from flatwater.worker import Worker

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers need POSIX")
STATE = []


def test_one_process_takes_many_calls():
    """The child lives on between calls, and keeps what it imported."""
    with Worker() as process:
        pids = {process.run(os.getpid).value for _ in range(5)}
        assert pids == {process.pid}
    assert process.pid == 0


def test_after_a_failure_the_next_call_starts_another():
    """Death, time-out and over-limit do not spoil the worker."""
    with Worker("100 MiB") as process:
        first = process.run(os.getpid).value
        with pytest.raises(worker.WorkerDied):
            process.run(lambda: os._exit(1))
        with pytest.raises(worker.WorkerTimeout):
            process.run(lambda: __import__("time").sleep(60), timeout=0.2)
        with pytest.raises(worker.WorkerOverLimit):
            process.run(lambda: bytearray(500 << 20))
        with pytest.raises(ZeroDivisionError):
            process.run(lambda: 1 / 0)
        assert process.run(os.getpid).value != first


def test_an_error_that_only_the_child_can_import(tmp_path):
    """An exception of a module that is not importable here is told by its text, with the child's traceback."""
    (tmp_path / "errors_of_the_child.py").write_text("class Strange(Exception): pass\n")

    def load():
        sys.path.insert(0, str(tmp_path))
        raise __import__("errors_of_the_child").Strange("no such table")

    with Worker() as process, pytest.raises(worker.CallFailed, match="Strange: no such table") as caught:
        process.run(load)
    assert "in load" in str(caught.value.__cause__)


def test_an_idle_worker_that_was_killed_is_replaced():
    """A death between calls costs the next one nothing but the start."""
    with Worker() as process:
        pid = process.run(os.getpid).value
        os.kill(pid, 9)
        process._handle.process.wait()
        assert process.run(os.getpid).value != pid


def test_each_call_has_its_own_peak():
    """The high-water mark starts over with each call."""
    with Worker() as process:
        large = process.run(lambda: bool(bytearray(64 << 20)))
        small = process.run(lambda: None)
    if large.peak_rss >= 0 and os.path.exists("/proc/self/clear_refs"):
        assert large.peak_rss - small.peak_rss > 50 << 20


def test_a_worker_has_the_descriptors_it_was_given():
    """By the same numbers, after its replacement too; no other one has them."""
    read, write = os.pipe()
    with Worker(inherited=(write,)) as process, Worker() as other:
        process.run(lambda: os.write(write, b"1"))
        process.kill()
        process.run(lambda: os.write(write, b"2"))
        with pytest.raises(OSError, match="Bad file descriptor"):
            other.run(lambda: os.write(write, b"3"))
    assert os.read(read, 10) == b"12"
    os.close(read)
    os.close(write)


def test_nothing_is_left_open():
    """Pipes and processes go with the worker."""
    before = set(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else set()
    for _ in range(3):
        with Worker() as process:
            process.run(int)
    process.close()
    after = set(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else set()
    assert len(after) <= len(before) + 1


def test_it_stays_in_its_process():
    """A worker cannot be pickled, and says what its bound is."""
    process = Worker("64 MiB", result_bytes_max="1 MiB")
    with pytest.raises(errors.UsageError, match="pickled"):
        pickle.dumps(process)
    assert process.bytes_max() == 2 * (1 << 20) + 8192
    assert process.limit_bytes == 64 << 20
    process.close()


def test_interrupting_from_another_thread(tmp_path):
    """The thread that waits gets the death, not a hang."""
    began = tmp_path / "began"

    def interrupt():
        wait_until(began.exists)
        process.interrupt()

    with Worker() as process:
        process.run(int)
        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(worker.WorkerDied, match="SIGKILL"):
            process.run(lambda: (began.touch(), __import__("time").sleep(600)))
        thread.join()


def test_a_grandchild_over_the_limit_is_no_death_of_the_worker():
    """The kernel killed what a call started: later deaths are told as what they are, and its own is over-limit."""
    with cgroup_worker() as process:
        code = process.run(
            lambda: subprocess.run([sys.executable, "-c", "bytearray(300 << 20)"], check=False).returncode
        )
        assert code.value == -signal.SIGKILL
        with pytest.raises(worker.WorkerDied, match="exit code 3"):
            process.run(os._exit, (3,))
        with pytest.raises(worker.WorkerDied, match="SIGSEGV"):
            process.run(lambda: os.kill(os.getpid(), signal.SIGSEGV))
        with pytest.raises(worker.WorkerDied, match="SIGKILL"):
            process.run(lambda: os.kill(os.getpid(), signal.SIGKILL))
        with pytest.raises(worker.WorkerOverLimit, match="cgroup v"):
            process.run(lambda: bytearray(500 << 20))
        with pytest.raises(worker.WorkerDied, match="exit code 4"):
            process.run(kill_a_grandchild_and_exit)


def test_a_forked_process_leaves_the_worker_alone():
    """There it is closed, with a hint; leaving its block ends nothing, and the group stays."""
    with Worker() as process:
        pid = process.run(os.getpid).value

        def misuse():
            with process:
                assert process.pid == 0
                with pytest.raises(errors.ClosedError, match="Make one in this process"):
                    process.run(int)
                process.kill()
                process.interrupt()
            assert not process._handle._descriptors
            with Worker() as own:
                assert own.run(abs, (-3,)).value == 3

        assert in_a_fork(misuse) == 0
        assert process.run(os.getpid).value == pid


def test_a_worker_dropped_in_a_forked_process_lives():
    """Nor does the collector of another process end it."""
    process = Worker()
    pid = process.run(os.getpid).value

    def drop():
        nonlocal process
        del process
        gc.collect()

    assert in_a_fork(drop) == 0
    assert process.run(os.getpid).value == pid
    process.close()


def test_a_dropped_worker_ends_its_child(open_files):
    """Unclosed and collected: a warning, and neither a process nor a descriptor is left."""
    before = open_files()
    process = Worker()
    pid = process.run(os.getpid).value
    cycle = [process]
    cycle.append(cycle)
    with pytest.warns(ResourceWarning, match=f"unclosed worker .process {pid}"):  # noqa: PT031 - from `del` on the collector may come by itself
        del cycle, process
        gc.collect()
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"))
    wait_until(lambda: open_files() <= before)


def test_a_dropped_worker_takes_its_group_along():
    """Started or not, its cgroup is removed."""
    for calls in (0, 1):
        process = cgroup_worker()
        path = process._group.path
        for _ in range(calls):
            process.run(int)
        with pytest.warns(ResourceWarning, match="unclosed worker"):
            del process
        wait_until(lambda path=path: not os.path.exists(path))


def test_what_holds_nothing_is_dropped_in_silence(recwarn):
    """A closed one, one that never started, one that could not be made."""
    gc.collect()  # what earlier tests dropped has its say before
    recwarn.clear()
    Worker()
    with pytest.raises(errors.UsageError):
        Worker("1 KiB")
    process = Worker()
    process.run(int)
    process.close()
    del process
    gc.collect()
    assert not recwarn.list


def test_a_program_may_end_without_closing():
    """The interpreter ends at once and in silence, and the child with it."""
    program = """
from flatwater.worker import Pool, Worker
import os, threading, time
cycle = [Worker(), Pool(1)]; cycle.append(cycle)
print(cycle[0].run(os.getpid).value, cycle[1].call(os.getpid), flush=True)
busy = Worker()
threading.Thread(target=lambda: busy.run(time.sleep, (600,)), daemon=True).start()
while not busy._is_calling: time.sleep(0.01)
"""
    began_s = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert time.monotonic() - began_s < 30
    assert ended.stderr == ""
    for pid in ended.stdout.split():
        wait_until(lambda pid=pid: not os.path.exists(f"/proc/{pid}"))


def test_one_thread_at_a_time(tmp_path):
    """A second thread gets a clear error, and the call of the first one goes on."""
    go = tmp_path / "go"

    def until_go():
        while not go.exists():
            time.sleep(0.01)

    with Worker() as process:
        process.run(int)
        first = []
        thread = threading.Thread(target=lambda: first.append(process.run(until_go).value))
        thread.start()
        wait_until(lambda: process._is_calling)
        with pytest.raises(errors.UsageError, match="Use a Pool"):
            process.run(int)
        go.touch()
        thread.join()
        assert first == [None]
        assert process.run(abs, (-1,)).value == 1


@pytest.mark.parametrize("end", [Worker.kill, Worker.close])
def test_ending_it_from_another_thread(end):
    """The call ends with a clear error, also where its child was only being started."""
    for has_started in (True, False):
        process = Worker()
        if has_started:
            process.run(int)
        caught = []

        def wait(process=process, caught=caught):
            try:
                process.run(time.sleep, (600,))
            except (worker.WorkerDied, errors.ClosedError) as error:
                caught.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        wait_until(lambda process=process: process._is_calling)
        end(process)
        thread.join(20)
        assert len(caught) == 1
        process.close()


def test_a_closed_worker_takes_no_calls():
    """Its group is gone: the error says so, not the child."""
    with Worker() as process:
        process.run(int)
    with pytest.raises(errors.ClosedError, match="closed"):
        process.run(int)


def test_a_signals_handler_may_kill_it(tmp_path):
    """In the middle of a call, in the same thread: a clear error, and the next call works. It may make no call."""
    process = Worker()
    process.run(int)
    began = tmp_path / "began"

    def in_the_call(do):
        """A handler of an alarm that rings again until the child is at it."""
        return lambda *_: do() if began.exists() else signal.setitimer(signal.ITIMER_REAL, 0.02)

    with handled(signal.SIGALRM, in_the_call(process.kill)):
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(worker.WorkerDied, match="handler"):
            process.run(lambda: (began.touch(), time.sleep(600)))
    assert process.run(abs, (-2,)).value == 2
    began.unlink()
    with handled(signal.SIGALRM, in_the_call(lambda: process.run(int))):
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(errors.UsageError, match="another call"):
            process.run(lambda: (began.touch(), time.sleep(600)))
    process.close()


def test_an_interrupt_while_it_is_killed(monkeypatch, open_files):
    """A second Ctrl-C leaves something to do, and the next call does it."""
    before = open_files()
    with Worker() as process:
        pid = process.run(os.getpid).value

        def interrupt(*_):
            monkeypatch.undo()
            raise KeyboardInterrupt

        monkeypatch.setattr(process._handle.process, "wait", interrupt)
        with pytest.raises(KeyboardInterrupt):
            process.kill()
        assert process.run(os.getpid).value != pid
    assert open_files() <= before


def kill_a_grandchild_and_exit():
    subprocess.run([sys.executable, "-c", "bytearray(300 << 20)"], check=False)
    os._exit(4)


def cgroup_worker():
    try:
        return Worker("100 MiB", limit_kind="cgroup")
    except errors.BrokenError as error:
        pytest.skip(f"LOUD: no memory cgroup can be made here: {error}")


def in_a_fork(function):
    """The exit code of a forked process that calls it: 0 if nothing was raised."""
    pid = os.fork()
    if not pid:
        code = 1
        with contextlib.suppress(BaseException):
            function()
            code = 0
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@contextlib.contextmanager
def handled(number, handler):
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def wait_until(holds):
    deadline_s = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)
