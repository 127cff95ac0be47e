import os
import pickle

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


def test_an_idle_worker_that_was_killed_is_replaced():
    """A death between calls costs the next one nothing but the start."""
    with Worker() as process:
        pid = process.run(os.getpid).value
        os.kill(pid, 9)
        process._process.wait()
        assert process.run(os.getpid).value != pid


def test_each_call_has_its_own_peak():
    """The high-water mark starts over with each call."""
    with Worker() as process:
        large = process.run(lambda: bool(bytearray(64 << 20)))
        small = process.run(lambda: None)
    if large.peak_rss >= 0 and os.path.exists("/proc/self/clear_refs"):
        assert large.peak_rss - small.peak_rss > 50 << 20


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


def test_interrupting_from_another_thread():
    """The thread that waits gets the death, not a hang."""
    import threading

    with Worker() as process:
        process.run(int)
        timer = threading.Timer(0.2, process.interrupt)
        timer.start()
        with pytest.raises(worker.WorkerDied, match="SIGKILL"):
            process.run(lambda: __import__("time").sleep(60))
        timer.join()
