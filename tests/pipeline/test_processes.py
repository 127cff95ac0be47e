"""pmap in processes: the same as map, whatever becomes of a worker, in bounded bytes, and nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import pickle
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flatwater as fw
from flatwater import errors, limits, worker
from flatwater.pipeline.flow import Flow
from flatwater.pipeline.pieces import Piece
from flatwater.pipeline.processes import Processes, made

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers need POSIX")
IS_LINUX = sys.platform == "linux"


def parallel(items, function, **options):
    """In two processes, unless told otherwise."""
    return Flow(items).pmap(function, kind="process", **({"workers": 2} | options))


def once_at(path, *, deed):
    """A function that does a deed for the item 50, the first time only."""

    def function(n):
        if n == 50 and not os.path.exists(path):
            open(path, "w").close()
            deed()
        return n

    return function


def always_at(*which, deed):
    def function(n):
        if n in which:
            deed()
        return n

    return function


def deed_of(name):
    """What a function does: sent by value, so that a worker needs not import this module."""
    deeds = {
        "killed": lambda: os.kill(os.getpid(), 9),
        "exits": lambda: sys.exit(3),
        "crashes": os.abort,
        "hangs": lambda: time.sleep(60),
        "too much memory": lambda: bytearray(500 << 20),
    }
    return deeds[name]


ENDINGS = {
    "killed": worker.WorkerDied,
    "exits": worker.WorkerDied,
    "crashes": worker.WorkerDied,
    "hangs": worker.WorkerTimeout,
    "too much memory": worker.WorkerOverLimit,
}


@settings(max_examples=15)
@given(
    sizes=st.lists(st.one_of(st.integers(0, 50), st.integers(3_000, 9_000), st.integers(60_000, 300_000)), max_size=40),
    kind=st.sampled_from([bytes, bytearray]),
    window=st.sampled_from([1, 100_000, 8 << 20]),
    grown=st.sampled_from([0, 1, 30]),
)
def test_it_is_a_map(sizes, kind, window, grown):
    """Of small items and large ones, with results that are smaller or larger than the shared memory, in their order."""
    items = [kind(b"%d" % n * (size // 2 + 1))[:size] for n, size in enumerate(sizes)]

    def function(data):
        return (type(data) is kind, len(data), data[:10] * 1000 * grown, data)

    assert list(parallel(items, function, bytes=window)) == [function(item) for item in items]


@pytest.mark.parametrize("ordered", [True, False])
def test_order(ordered):
    """Results come in the order of their items, or as they come; the first ones take long."""

    def function(n):
        if n < 2:
            time.sleep(0.2)
        return n

    found = list(parallel(range(3000), function, ordered=ordered))
    assert sorted(found) == list(range(3000))
    assert (found == list(range(3000))) is ordered


def test_what_items_may_be():
    """Buffers come as what they are, views as bytes, objects with arrays in them as they were, those of a class by value too."""
    numpy = pytest.importorskip("numpy")

    class Own:
        def __init__(self, n):
            self.n = n

    array = numpy.arange(100_000.0)
    items = [
        b"x" * 10**6,
        bytearray(10**5),
        memoryview(b"y" * 10**5),
        memoryview(bytearray(3)),
        {"a": [array]},
        None,
        Own(7),
    ]

    def function(item):
        if type(item) is dict:
            item["a"][0][0] = 5.0  # it may be changed
        return (type(item).__name__, item)

    found = list(parallel(items, function))
    assert [name for name, _item in found] == ["bytes", "bytearray", "bytes", "bytearray", "dict", "NoneType", "Own"]
    assert [found[at][1] for at in (0, 1, 2, 3, 5)] == [items[at] for at in (0, 1, 2, 3, 5)]
    assert found[4][1]["a"][0].tolist()[:2] == [5.0, 1.0]
    assert array[0] == 0.0
    assert type(found[6][1]) is Own
    assert found[6][1].n == 7


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_item_that_ends_a_worker_is_found(ending):
    """It is raised with its number, or told; all others of its part come."""
    function = (
        always_at(50, 51, 700, deed=deed_of(ending)) if ending != "hangs" else always_at(50, deed=deed_of(ending))
    )
    options = {"timeout": 0.5} if ending == "hangs" else {}
    flow = parallel(range(1000), function, **options)
    with pytest.raises(ENDINGS[ending]) as caught:
        flow.run()
    assert "1 pmap(function, 2 processes), item 51 (50)" in caught.value.__notes__[-1]
    found = []
    report = flow.each(found.append).run(on_error="skip")
    bad = [50] if ending == "hangs" else [50, 51, 700]
    assert found == [n for n in range(1000) if n not in bad]
    assert sorted(failure.number for failure in report.failures) == [n + 1 for n in bad]
    assert ENDINGS[ending].__name__ in report.failures[0].error


def test_the_limit_and_the_time_are_named():
    """Errors say how much it was, and what to change."""
    with pytest.raises(
        worker.WorkerOverLimit, match=r"<lambda> needed more than its worker's limit of 80.0 MiB.*memory="
    ):
        parallel([1], lambda n: bytearray(100 << 20), memory="80 MiB").run()
    with pytest.raises(worker.WorkerTimeout, match=r"in 300 ms.*timeout="):
        parallel([1], lambda n: time.sleep(60), timeout=0.3).run()


@pytest.mark.parametrize("ending", ["killed", "too much memory"])
def test_what_ends_a_worker_once_is_done_again(ending, tmp_path):
    """Nothing failed, nothing is lost; each item is called at most twice."""
    function = once_at(str(tmp_path / "done"), deed=deed_of(ending))
    assert list(parallel(range(1000), function)) == list(range(1000))


def test_a_worker_that_is_killed_from_outside_is_replaced(tmp_path):
    """Whether it works or waits."""
    pids = str(tmp_path / "pids")

    def function(n):
        with open(pids, "a") as file:
            file.write(f"{os.getpid()}\n")
        return n

    found = []
    for n in parallel(range(400), function, workers=1, bytes=2000):
        if n in {20, 70, 120, 170}:  # there is work behind each
            with open(pids) as file, contextlib.suppress(ProcessLookupError):
                os.kill(int(file.read().split()[-1]), signal.SIGKILL)
        found.append(n)
    assert found == list(range(400))
    with open(pids) as file:
        assert len(set(file.read().split())) == 5


def test_what_the_function_raises():
    """It is raised as it is, with the worker's traceback as a note; or told."""

    def picky(n):
        if n % 300 == 7:
            raise ValueError(n)
        return n

    flow = parallel(range(1000), picky)
    with pytest.raises(ValueError, match="7") as caught:
        flow.run()
    first, last = caught.value.__notes__
    assert "In a worker process:" in first
    assert "in picky" in first
    assert "pmap(picky, 2 processes), item 8 (7)" in last
    report = flow.run(on_error="skip")
    assert (report.items, report.skipped) == (996, 4)
    assert sorted(failure.number for failure in report.failures) == [8, 308, 608, 908]


def test_exceptions_that_cannot_be_sent():
    """They are told by their text."""

    def function(n):
        class Odd(Exception):  # noqa: N818 - no name of an error
            def __init__(self, a, b):
                super().__init__("the odd one")

        raise Odd(1, 2)

    with pytest.raises(worker.CallFailed, match="Odd: the odd one"):
        parallel([1], function).run()

    def stop(n):
        raise StopIteration

    with pytest.raises(RuntimeError, match="raised StopIteration"):
        parallel([1], stop).run()


def test_results_that_cannot_be_sent():
    """The item has failed, and the others of its part have not."""

    def function(n):
        return threading.Lock() if n in {5, 400} else n

    flow = parallel(range(500), function)
    with pytest.raises(worker.ResultNotPicklable, match="what function returned cannot be sent back"):
        flow.run()
    report = flow.run(on_error="skip")
    assert (report.items, sorted(failure.number for failure in report.failures)) == (498, [6, 401])


def test_items_that_cannot_be_sent():
    """The item has failed, and the others of its part have not."""
    items = [threading.Lock() if n in {5, 400} else n for n in range(500)]
    flow = parallel(items, str)
    with pytest.raises(worker.CallNotPicklable, match="the item cannot be sent to another process"):
        flow.run()
    report = flow.run(on_error="skip")
    assert (report.items, sorted(failure.number for failure in report.failures)) == (498, [6, 401])


class Unreadable:
    """It can be pickled, and not unpickled."""

    def __reduce__(self):
        return int, ("no number",)


def test_what_cannot_be_read_on_the_other_side():
    """An item, a result: it has failed, and no other one."""
    unreadable = Unreadable()
    report = parallel([1, unreadable, 2], str).run(on_error="skip")
    assert (report.items, report.failures[0].number) == (2, 2)
    assert "CallNotPicklable" in report.failures[0].error

    def function(n):
        class Unreadable:
            def __reduce__(self):
                return int, ("no number",)

        return Unreadable() if n == 1 else n

    report = parallel(range(5), function).run(on_error="skip")
    assert (report.items, report.failures[0].number) == (4, 2)
    assert "cannot be read back" in report.failures[0].error


def test_a_function_that_cannot_be_sent_is_refused_at_once():
    """Before the source is read."""
    taken, lock = [], threading.Lock()

    def source():
        taken.append(1)
        yield 1

    with pytest.raises(errors.UsageError, match=r'cannot be sent to another process.*kind="thread"'):
        parallel(source, lambda n: lock).run(on_error="skip")
    assert taken == []


def test_a_function_that_cannot_be_loaded_ends_the_run():
    """It is no item's fault, so no policy passes over it."""

    class Strange:
        def __call__(self, n):
            return n

        def __reduce__(self):
            return int, ("no number",)

    with pytest.raises(errors.UsageError, match="a worker cannot load Strange: ValueError"):
        parallel([1, 2], Strange()).run(on_error="skip")

    class Hungry(Strange):
        def __reduce__(self):
            return bytearray, (1 << 30,)

    with pytest.raises(worker.WorkerOverLimit, match="loading Hungry needed more"):
        parallel([1, 2], Hungry()).run(on_error="skip")


def test_what_waits_behind_a_slow_head_is_bounded(tmp_path):
    """While the first item takes long, no more is taken in than fits."""
    taken, flag = [], str(tmp_path / "go on")

    def source():
        for n in range(1000):
            taken.append(n)
            yield b"%9d" % n + b"x" * 10_000

    def function(data):
        while data.startswith(b"        0") and not os.path.exists(flag):
            time.sleep(0.01)
        return data

    turns = iter(Flow(source, batch_rows=4).pmap(function, kind="process", workers=2, bytes=400_000))
    threading.Timer(1.0, lambda: open(flag, "w").close()).start()
    assert len(next(turns)) == 10_009
    assert 4 < len(taken) <= 400_000 / 10_000 + 4 + 2
    turns.close()


def children():
    """Processes that any thread of this one started, and that are not gone."""
    found = set()
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError), open(f"/proc/self/task/{task}/children") as file:
            found.update(file.read().split())
    return found


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="needs /proc")
@pytest.mark.parametrize("ending", ["close", "error", "end"])
def test_the_end_of_a_run_is_the_end_of_its_workers(ending, open_files, tmp_path):
    """Whatever they do; no process, thread, descriptor or reserved byte is left, and it does not wait for a long call."""
    before, threads, files = children(), threading.active_count(), open_files()
    started = str(tmp_path / "started")

    def function(n):
        if n == 40 and ending != "end":
            if ending == "error":
                raise ValueError(n)
            open(started, "w").close()
            time.sleep(60)
        return n

    begun = time.monotonic()
    with fw.Budget("256 MiB") as budget:
        seen = set()
        turns = iter(parallel(range(80 if ending == "end" else 10**9), function, bytes=10_000, ordered=False))
        if ending == "close":
            for _ in turns:
                seen |= children()
                if os.path.exists(started):
                    break
            turns.close()
        elif ending == "error":
            with pytest.raises(ValueError, match="40"):
                list(turns)
        else:
            assert len(list(turns)) == 80
        assert budget.held == 0
    assert time.monotonic() - begun < 30
    assert children() <= before
    assert len(seen - before) == (2 if ending == "close" else 0)
    assert threading.active_count() <= threads
    gc.collect()
    assert open_files() <= files


@pytest.mark.parametrize("way", ["arun", "async for"])
def test_a_task_that_is_cancelled_does_not_wait_for_a_worker_that_hangs(way, caplog):
    """Its worker is ended at once, and nothing is logged."""

    async def main():
        flow = parallel(range(10), always_at(3, deed=deed_of("hangs")))
        async with asyncio.timeout(2):
            if way == "arun":
                await flow.arun()
            async for _n in flow:
                pass

    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(main())
    gc.collect()
    assert time.monotonic() - begun < 30
    assert caplog.records == []


PARENT = """
import os, sys, time
import flatwater as fw
def function(n):
    with open(sys.argv[1], "a") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(60)
if __name__ == "__main__":
    argv = sys.argv
    fw.Flow(range(10)).pmap(lambda n, argv=argv: (setattr(sys, "argv", argv), function(n)), kind="process", workers=2).run()
"""


@pytest.mark.skipif(not IS_LINUX, reason="elsewhere a thread waits for the end of a pipe")
@pytest.mark.parametrize("signal_name", ["SIGKILL", "SIGINT"])
def test_workers_die_with_their_parent(signal_name, tmp_path):
    """Also when it is killed with -9; and a Ctrl-C prints one traceback, the parent's own."""
    pids = tmp_path / "pids"
    (tmp_path / "program.py").write_text(textwrap.dedent(PARENT))
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py"), str(pids)], stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + 60
    while not (pids.exists() and len(pids.read_text().split()) == 2) and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(process.pid, getattr(signal, signal_name))
    _, told = process.communicate(timeout=60)
    found = [int(pid) for pid in pids.read_text().split()]
    assert len(found) == 2
    while any(is_alive(pid) for pid in found) and time.monotonic() < until:
        time.sleep(0.02)
    assert [pid for pid in found if is_alive(pid)] == []
    assert told.count("\nKeyboardInterrupt") == (signal_name == "SIGINT"), told


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "data.bin"
    path.write_bytes(os.urandom(1000) * 1500 + b"the end")
    return str(path)


def test_pieces_of_a_file_are_read_by_the_workers(file):
    """What comes is the same as of a map, for any range; the parent does not open the file."""
    for options in ({}, {"offset": 1234}, {"offset": 5, "length": 700_001}):
        flow = Flow(fw.FileChunks(file, 65_536, **options))
        assert list(flow.pmap(lambda data: data, kind="process", workers=2)) == list(flow.map(bytes))
    opened = parallel(fw.FileChunks(file, 65_536), lambda data: os.getpid())
    assert os.getpid() not in set(opened)
    assert "itself" not in parallel(fw.FileChunks(file, 65_536), len).explain()
    assert "itself" in Flow(fw.FileChunks(file, 65_536)).map(len).explain()
    assert parallel(fw.FileChunks(file, 65_536), len).run().stages[0].name == f"FileChunks {file}"


def test_a_compressed_file_is_read_by_the_parent(tmp_path):
    """Its pieces are no ranges."""
    import gzip

    path = str(tmp_path / "data.gz")
    with gzip.open(path, "wb") as file:
        file.write(b"0123456789" * 100_000)
    assert list(parallel(fw.FileChunks(path, 100_000), len)) == [100_000] * 10
    with pytest.raises(errors.BrokenError, match="does not exist"):
        parallel(fw.FileChunks(str(tmp_path / "nothing")), len).run()


def test_a_piece_that_fails_is_told_by_its_place(file, tmp_path):
    """With path and offset; a dead letter has its place, and can be run again without trust."""
    letters = str(tmp_path / "letters.jsonl")

    def function(data, flag=str(tmp_path / "now")):
        if data.endswith(b"the end") and not os.path.exists(flag):
            raise ValueError("not this one")
        return len(data)

    flow = parallel(fw.FileChunks(file, 500_000), function)
    report = flow.run(dead_letters=letters)
    assert (report.items, report.skipped) == (3, 1)
    assert f"Piece({file!r}"[:30] in report.failures[0].item
    assert "offset=1500000, length=7)" in report.failures[0].item
    (tmp_path / "now").touch()
    assert flow.replay(letters).items == 1


@pytest.mark.parametrize("deed", ["shorter", "another"])
def test_a_file_that_changes_ends_the_run(file, deed):
    """One that became shorter, or is another one by now: no policy passes over it."""

    if deed == "shorter":
        turns = iter(parallel(fw.FileChunks(file, 1000), len, workers=1, bytes=1))
        next(turns)
        os.truncate(file, 700_000)
    else:
        os.rename(file, file + ".old")
        with open(file, "wb") as other:
            other.write(b"x" * 2_000_000)
        turns = parallel([Piece(file, 0, 10, os.stat(file + ".old").st_ino)], len).run
    with pytest.raises(errors.BrokenError, match="shorter meanwhile" if deed == "shorter" else "another file by now"):
        list(turns) if deed == "shorter" else turns(on_error="skip")


def test_workers_stay_through_checkpoints(file, tmp_path):
    """They are started once for a run, and a run that goes on reads what is left."""
    out = str(tmp_path / "out.txt")
    flow = parallel(fw.FileChunks(file, 10_000), lambda data: str(os.getpid())).to(out)
    flow.run(checkpoint=str(tmp_path / "job"), checkpoint_s=0.0001)
    with open(out) as file_:
        lines = file_.read().split()
    assert len(lines) == 151
    assert len(set(lines)) <= 2


def test_workers_end_with_a_run_that_ends_between_two_checkpoints(file, tmp_path):
    """What is kept from one segment to the next is not left behind."""
    folder = tmp_path / "gone"
    folder.mkdir()

    def vanish(item):
        if folder.exists():
            shutil.rmtree(folder)

    before = threading.active_count()
    flow = parallel(fw.FileChunks(file, 10_000), len).each(vanish)
    with pytest.raises((errors.BrokenError, OSError)):
        flow.run(checkpoint=str(folder / "job"), checkpoint_s=0.0001)
    assert threading.active_count() == before


@pytest.mark.skipif(not IS_LINUX, reason="needs /proc")
@pytest.mark.slow
def test_fifty_runs_leave_nothing(open_files):
    """Neither descriptors nor memory."""
    flow = parallel(range(3), str, workers=1)
    for _ in range(5):
        flow.run()
    files, before = open_files(), resident()
    for _ in range(50):
        flow.run()
    gc.collect()
    assert open_files() <= files
    assert resident() - before < 2 << 20


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_what_it_takes():
    """Window, batch, pickles, shared memory and workers; two workers fit into 256 MiB; wrong arguments are refused."""
    stage = Processes(str, 2, 1000, True, 1.0, 5 << 20)
    assert stage.bytes_max(10) == 1000 + 10 + 40 + 4 * limits.FLOW_ARENA_BYTES + (10 << 20)
    assert stage.name == "pmap(str, 2 processes)"
    assert pickle.loads(pickle.dumps(stage)) == stage
    assert made(str, 2, 1000, ordered=True, timeout="2 min", memory="64 MiB") == Processes(
        str, 2, 1000, True, 120.0, 64 << 20
    )
    with fw.Budget("256 MiB"):
        flow = parallel([1], str)
        assert flow.run().promised_bytes > 2 * limits.FLOW_WORKER_BYTES
    assert "its workers: 2 of 112 MiB" in flow.explain()
    with fw.Budget("200 MiB"), pytest.raises(errors.BudgetExceeded):
        parallel([1], str).run()
    for wrong in ({"workers": 0}, {"memory": 5}, {"timeout": 0}, {"timeout": "soon"}):
        with pytest.raises(errors.UsageError):
            parallel([], str, **wrong)
    for wrong in ({"memory": "64 MiB"}, {"timeout": 5}, {"kind": "magic"}):
        with pytest.raises(errors.UsageError, match='kind="process"'):
            Flow([]).pmap(str, **wrong)


def test_results_that_become_heavy_all_at_once():
    """A worker that has made enough leaves the rest of its part: no part brings many times the window."""
    largest = []

    def heavy(number):
        return bytes(500_000) + number.to_bytes(4, "big") if number >= 1000 else number

    run = fw.Flow(range(1200)).pmap(heavy, kind="process", workers=2, bytes="2 MiB")._run("raise", "", "", 5.0)
    numbers = []
    for batch in run.batches():
        largest.append(sum(map(sys.getsizeof, batch)))
        numbers += [int.from_bytes(item[-4:], "big") if isinstance(item, bytes) else item for item in batch]
    assert numbers == list(range(1200))
    assert max(largest) < 3 << 20
