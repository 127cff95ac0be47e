import contextlib
import gc
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


def test_submitting_blocks_while_too_many_wait(tmp_path):
    """A fast producer is held back until one of those before it has ended."""
    go = tmp_path / "go"

    def until_go():
        while not go.exists():
            time.sleep(0.01)

    with Pool(1) as pool:
        first = pool.submit(until_go)
        others = [pool.submit(int) for _ in range(2)]
        last = []
        thread = threading.Thread(target=lambda: last.append(pool.submit(int)))
        thread.start()
        thread.join(0.1)
        assert last == []
        go.touch()
        thread.join(60)
        assert [future.result() for future in (first, *others, *last)] == [None, 0, 0, 0]


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
    "bad", [{"workers": 0}, {"workers": True}, {"workers": 10**6}, {"calls_max": 0}, {"limit": "0"}, {"timeout": 0}]
)
def test_bounds_make_sense(bad):
    """Nothing means unbounded."""
    with pytest.raises(errors.UsageError):
        Pool(**{"workers": 1, **bad})


def test_its_bound_is_a_sum():
    """As many results as workers, twice each while they are read."""
    with Pool(3, result_bytes_max="1 MiB") as pool:
        assert pool.bytes_max() == 3 * (2 * (1 << 20) + 8192)


def test_a_forked_process_cannot_use_it():
    """Its threads are in the other process: an error, not a wait for ever, and closing there ends nothing here."""
    with Pool(1) as pool:
        pid = pool.call(os.getpid)
        waiting = pool.map(abs, [-1, -2])
        assert next(waiting) == 1
        forked = os.fork()
        if not forked:
            code = 1
            with contextlib.suppress(BaseException):
                for use in (pool.call, pool.submit, lambda _: list(pool.map(abs, [1])), lambda _: next(waiting)):
                    with pytest.raises(errors.ClosedError, match="Make one in this process"):
                        use(int)
                pool.close()
                code = 0
            os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]) == 0
        assert list(waiting) == [2]
        assert pool.call(os.getpid) == pid


def test_a_dropped_pool_ends_its_processes(open_files):
    """Unclosed and collected: a warning, and neither a thread, a process nor a descriptor is left."""
    before = open_files()
    threads = threading.active_count()
    pool = Pool(1)
    pid = pool.call(os.getpid)
    cycle = [pool]
    cycle.append(cycle)
    with pytest.warns(ResourceWarning, match=f"unclosed pool .processes .{pid}"):  # noqa: PT031 - from `del` on the collector may come by itself
        del cycle, pool
        gc.collect()
    deadline_s = time.monotonic() + 20
    while threading.active_count() > threads or os.path.exists(f"/proc/{pid}"):
        assert time.monotonic() < deadline_s
        time.sleep(0.005)
    assert open_files() <= before


def test_closing_ends_a_call_whose_worker_was_just_starting(monkeypatch):
    """There is no process yet when closing looks first."""
    pool = Pool(1)
    began, go_on = threading.Event(), threading.Event()
    start = type(pool._workers[0]._handle).start

    def start_slowly(handle):
        began.set()
        go_on.wait(10)
        start(handle)

    monkeypatch.setattr(type(pool._workers[0]._handle), "start", start_slowly)
    running = pool.submit(time.sleep, 600)
    began.wait(10)
    closing = threading.Thread(target=pool.close)
    closing.start()
    closing.join(0.1)
    go_on.set()
    closing.join(20)
    assert not closing.is_alive()
    assert running.exception() is not None


def test_no_thread_for_a_call(monkeypatch):
    """A clear error; the call that was refused is never made, and the pool works on."""

    def refuse(_):
        raise RuntimeError("can't start new thread")

    with Pool(1) as pool:
        monkeypatch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(errors.BrokenError, match=r"can't start.*ulimit"):
            pool.submit(os.getpid)
        monkeypatch.undo()
        assert pool.call(abs, -1) == 1
        assert pool._idle[0][1] == 1
