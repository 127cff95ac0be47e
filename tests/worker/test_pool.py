import os
import threading
import time

import pytest

from flatwater import errors, worker
from flatwater.worker import Pool

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers need POSIX")


def test_results_come_in_order():
    """Whoever is faster, the order is the items'."""
    with Pool(2) as pool:
        assert list(pool.map(lambda n: time.sleep(0.05 * (n % 2 == 0)) or n, range(6))) == list(range(6))


def test_items_are_taken_only_as_needed():
    """A slow consumer holds the producer back: a bounded window, not a list."""
    taken = []

    def produce():
        for n in range(1000):
            taken.append(n)
            yield n

    with Pool(2) as pool:
        results = pool.map(abs, produce())
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        assert len(taken) <= 3 + 2 * (1 + 2) + 1
        results.close()


def test_one_failure_harms_no_other():
    """The call that killed its worker fails alone."""
    with Pool(2, limit="128 MiB") as pool:
        bad = [pool.submit(os._exit, 1), pool.submit(lambda: bytearray(500 << 20))]
        good = [pool.submit(pow, 2, n) for n in range(4)]
        assert [future.result() for future in good] == [1, 2, 4, 8]
        with pytest.raises(worker.WorkerDied):
            bad[0].result()
        with pytest.raises(worker.WorkerOverLimit):
            bad[1].result()
        assert pool.call(pow, 2, 10) == 1024


def test_a_worker_is_replaced_after_its_calls():
    """What a library leaks in a worker ends with it."""
    with Pool(1, calls_max=2) as pool:
        pids = [pool.call(os.getpid) for _ in range(6)]
    assert len(set(pids)) == 3


def test_submitting_blocks_while_too_many_wait():
    """A fast producer is held back."""
    with Pool(1) as pool:
        first = pool.submit(time.sleep, 0.5)
        others = [pool.submit(int) for _ in range(2)]
        began = time.monotonic()
        last = pool.submit(int)
        assert time.monotonic() - began > 0.1
        assert [future.result() for future in (first, *others, last)] == [None, 0, 0, 0]


def test_closing_kills_what_runs():
    """Leaving the block does not wait for a call that hangs."""
    pool = Pool(1)
    running = pool.submit(time.sleep, 600)
    waiting = pool.submit(int)
    while not pool._workers[0].pid or not running.running():
        threading.Event().wait(0.01)
    threading.Event().wait(0.3)
    began = time.monotonic()
    pool.close()
    pool.close()
    assert time.monotonic() - began < 30
    assert waiting.cancelled() or waiting.exception() is not None
    assert running.exception() is not None
    with pytest.raises(errors.ClosedError):
        pool.submit(int)


@pytest.mark.parametrize(
    "bad", [{"workers": 0}, {"workers": True}, {"workers": 10**6}, {"calls_max": 0}, {"limit": "0"}]
)
def test_bounds_make_sense(bad):
    """Nothing means unbounded."""
    with pytest.raises(errors.UsageError):
        Pool(**{"workers": 1, **bad})


def test_its_bound_is_a_sum():
    """As many results as workers, twice each while they are read."""
    with Pool(3, result_bytes_max="1 MiB") as pool:
        assert pool.bytes_max() == 3 * (2 * (1 << 20) + 8192)
