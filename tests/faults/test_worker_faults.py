"""Workers that are killed at any moment: the parent always gets an answer or a clear error, and nothing is left."""

import os
import random
import signal
import subprocess
import threading
import time

import pytest

from flatwater import errors
from flatwater.worker import Pool, Worker, WorkerDied

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="workers need POSIX")]


@pytest.mark.parametrize("seed", range(25))
def test_kill_9_at_any_moment(seed):
    """A kill while it starts, takes a call, computes, or answers: an answer or WorkerDied, and the next call works."""
    chance = random.Random(seed)
    payload = bytes(chance.randrange(2_000_000))
    with Worker("256 MiB") as worker:
        timer = threading.Timer(chance.random() * 0.3, worker.interrupt)
        timer.start()
        died = False
        for _ in range(6):
            try:
                assert worker.run(lambda data: data[::-1], (payload,)).value == payload
            except WorkerDied:
                died = True
        timer.join()
        # The kill may have struck while it was idle; then the call that came in the same moment tells it, at most one.
        answers = []
        for _ in range(2):
            try:
                answers.append(worker.run(len, (payload,)).value)
            except WorkerDied:
                assert not died
                died = True
        assert answers[-1] == len(payload)


def test_a_pool_under_fire():
    """Random kills of a pool's workers: every call is answered or fails clearly, and the pool works on."""
    chance = random.Random(7)
    stop = threading.Event()
    with Pool(2, limit="256 MiB") as pool:

        def shoot():
            while not stop.wait(0.2):
                chance.choice(pool._workers).interrupt()
                # The next shot comes after an answer: on a busy machine workers might only be starting otherwise.
                enough, deadline_s = answered + 1, time.monotonic() + 10
                while answered < enough and time.monotonic() < deadline_s and not stop.wait(0.005):
                    pass

        answered = failed = 0
        shooter = threading.Thread(target=shoot)
        shooter.start()
        for n in range(60):
            try:
                assert pool.call(lambda x: (time.sleep(0.02), x * 2)[1], n) == n * 2
                answered += 1
            except errors.BrokenError:
                failed += 1
        stop.set()
        shooter.join()
        assert answered + failed == 60
        assert answered > 5
        assert pool.call(abs, -1) == 1


def test_no_process_and_no_descriptor_is_left():
    """After a hundred calls, half of which die, the table of processes and descriptors is as before."""

    def children():
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
        )
        return set(listed.stdout.split())

    before, descriptors = children(), len(os.listdir("/proc/self/fd"))
    for n in range(40):
        with Worker("128 MiB") as worker:
            if n % 2:
                with pytest.raises(WorkerDied):
                    worker.run(os._exit, (3,))
            else:
                worker.run(int)
    assert len(children() - before) <= 1  # ps itself
    assert len(os.listdir("/proc/self/fd")) <= descriptors + 2


def test_an_interrupt_at_any_moment():
    """Ctrl-C while it starts, runs or is killed leaves neither a process nor a descriptor, and the next call works."""
    chance = random.Random(11)
    before = len(os.listdir("/proc/self/fd"))

    def interrupt(*_):
        raise KeyboardInterrupt

    usual = signal.signal(signal.SIGALRM, interrupt)
    interrupted = 0
    try:
        for _ in range(60):
            worker = Worker("128 MiB")
            try:
                signal.setitimer(signal.ITIMER_REAL, chance.random() * 0.06)
                worker.run(time.sleep, (0.02,))
                signal.setitimer(signal.ITIMER_REAL, 0)  # in here: it may ring just before
            except KeyboardInterrupt:
                interrupted += 1
            assert worker.run(abs, (-1,)).value == 1
            worker.close()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, usual)
    assert interrupted > 10
    assert len(os.listdir("/proc/self/fd")) <= before + 2
