"""Queues and files that are followed as sources: items as they come, an end that somebody says, waiting that can be ended."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time

import pytest

import flatwater as fw
from flatwater import errors, limits
from flatwater.pipeline import streams
from flatwater.pipeline.checkpoint import _DIGEST_BYTES, _MAGIC
from flatwater.pipeline.flow import Flow
from flatwater.pipeline.sources import Source
from flatwater.pipeline.weighing import Weigher


def filled(made, items):
    """A queue with items in it."""
    for item in items:
        made.put(item)
    return made


def started(work):
    """A thread that does it; its result or error is in the box."""
    box = []

    def done():
        try:
            box.append(work())
        except BaseException as error:
            box.append(error)

    thread = threading.Thread(target=done, daemon=True)
    thread.start()
    return thread, box


KINDS = {
    "Queue": (queue.Queue, [0, 1, 2, None], None),
    "SimpleQueue": (queue.SimpleQueue, [0, 1, 2, None], None),
    "LifoQueue": (queue.LifoQueue, [None, 2, 1, 0], None),
    "PriorityQueue": (queue.PriorityQueue, [2, 9, 0, 1], 9),
    "multiprocessing": (multiprocessing.Queue, [0, 1, 2, None], None),
    "JoinableQueue": (multiprocessing.JoinableQueue, [0, 1, 2, None], None),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_queue_of_any_kind(kind):
    """Its items up to the one that ends it."""
    make, items, until = KINDS[kind]
    source = filled(make(), items)
    assert streams.is_stream(source)
    assert list(Flow(source, until=until)) == [0, 1, 2]
    assert source.empty()


def test_what_is_no_queue():
    """A class of queues, a dict with its get, a list: none of them waits."""
    assert not any(map(streams.is_stream, (queue.Queue, {}, [], range(3), "text", 3, None)))
    assert streams.batches_of([1], Weigher(100, 10)) is None


@pytest.mark.skipif(not hasattr(queue, "ShutDown"), reason="queues are shut down from Python 3.13 on")
def test_a_queue_that_is_shut_down():
    """What is in it still comes, and then the flow ends."""
    source = filled(queue.Queue(), range(5))
    source.shutdown()
    assert list(Flow(source)) == list(range(5))


def test_an_item_is_handed_on_when_no_other_is_there():
    """Each one comes out before the next is put, though batches may have a thousand."""
    source = queue.Queue()
    source.put(0)
    seen = []
    for item in Flow(source).map(lambda n: n + 1):
        seen.append(item)
        source.put(item if item < 50 else None)
    assert seen == list(range(1, 51))


def test_what_is_there_comes_together():
    """Full batches, within items and bytes."""
    source = filled(queue.Queue(), [bytes(1000)] * 500 + [None])
    sizes = [len(batch) for batch in streams.batches_of(source, Weigher(64 << 10, 40))]
    assert sum(sizes) == 500
    assert max(sizes) == 40
    assert len(sizes) < 20
    source = filled(queue.Queue(), [bytes(1000)] * 500 + [None])
    assert 40 < max(len(batch) for batch in streams.batches_of(source, Weigher(64 << 10, 1000))) <= 66


def test_the_end_can_be_any_item():
    """Then None is an item as others; a source that is no queue has no such end."""
    source = filled(queue.Queue(), [None, 0, "", ("stop", 1), 5])
    assert list(Flow(source, until=("stop", 1))) == [None, 0, ""]
    assert source.get_nowait() == 5
    with pytest.raises(errors.UsageError, match="until= is for queues"):
        Flow(range(3), until=2)


def test_items_are_done_when_the_next_batch_is_asked_for():
    """Then all stages have gone through them; at the end all are done, the last one too, so join() returns."""
    source = filled(queue.Queue(), [*range(30), None])
    left = []
    Flow(source, batch_rows=10).each(lambda n: left.append((n, source.unfinished_tasks))).run()
    assert [count for n, count in left if n < 10] == [31] * 10
    assert {count for n, count in left if n >= 20} == {11}
    source.join()


def test_items_of_a_run_that_failed_are_not_done():
    """Those of the batch that was under way: who waits for them is not told otherwise."""
    source = filled(queue.Queue(), [1, 2, 0, 4, None])
    with pytest.raises(ZeroDivisionError) as caught:
        Flow(source, batch_rows=2).map(lambda n: 1 / n).run()
    assert "item 3" in caught.value.__notes__[0]
    assert source.unfinished_tasks == 3


class Counted(queue.Queue):
    """A queue that tells when somebody waits for it."""

    def __init__(self):
        super().__init__()
        self.waits = threading.Semaphore(0)
        self.on_wait = lambda: None

    def get(self, block=True, timeout=None):  # noqa: FBT002 - as the queue's
        self.waits.release()
        self.on_wait()
        return super().get(block, timeout)


def test_a_run_that_waits_can_be_stopped():
    """From any thread; it says that it was stopped, and its bytes are given back."""
    source = Counted()
    with fw.Budget("16 MiB") as budget:
        run = Flow(source)._run()
        thread, box = started(run.drained)
        for _wait in range(3):
            assert source.waits.acquire(timeout=20)
        run.stop()
        thread.join(20)
        assert isinstance(box[0], errors.ClosedError)
        assert budget.held == 0


def test_nothing_is_taken_while_the_gate_is_closed():
    """A run that waits for items looks at the gate, too, and goes on when it is opened."""
    with fw.Budget("16 MiB") as budget:
        source, closed = Counted(), threading.Event()
        seen = []

        def waits():
            if not closed.is_set():
                budget.gate.pause("test")
                source.put("item")
                closed.set()
                raise queue.Empty
            seen.append(budget.gate.is_open)

        source.on_wait = waits
        thread, _box = started(lambda: (closed.wait(20), source.put(None), budget.gate.resume()))
        assert list(Flow(source)) == ["item"]
        thread.join(20)
        assert seen
        assert all(seen)


CHILD = """
import queue, sys
import flatwater as fw

class Told(queue.Queue):
    def get(self, block=True, timeout=None):
        print("waiting", flush=True)
        return super().get(block, timeout)

try:
    fw.Flow(Told()).run()
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_it_can_be_interrupted_while_it_waits():
    """Ctrl-C ends the waiting."""
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "waiting\n"
    child.send_signal(signal.SIGINT)
    said, _ = child.communicate(timeout=60)
    assert said.endswith("interrupted\n")


def test_what_a_queue_gave_is_gone(tmp_path):
    """So a checkpoint is refused, and a function that returns one, of which a checkpoint could not know."""
    with pytest.raises(errors.UsageError, match="cannot be taken again"):
        Flow(queue.Queue()).run(checkpoint=tmp_path / "c")
    with pytest.raises(errors.UsageError, match="returned a queue"):
        Flow(queue.Queue, 10).run()
    assert not Source(queue.Queue(), ()).can_go_on


# --- files that are followed ------------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch):
    """Looks follow each other at once."""
    monkeypatch.setattr(limits, "FILES_FOLLOW_POLL_S", 0.002)
    monkeypatch.setattr(limits, "FLOW_LOOK_S", 0.002)


def append(path, text):
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


@pytest.mark.parametrize("kind", ["lines", "FileChunks"])
def test_lines_come_as_they_are_written(tmp_path, quick, kind):
    """Each before the next is written, through a rotation; the event ends it."""
    path, stop = tmp_path / "log", threading.Event()
    path.write_text("0\n")
    source = (
        fw.lines(path, follow=True, stop=stop) if kind == "lines" else fw.FileChunks(path, 100, follow=True, stop=stop)
    )
    seen = []
    for item in Flow(source).map(int):
        seen.append(item)
        if item == 10:
            os.rename(path, tmp_path / "log.1")
            path.write_text("11\n")
        elif item < 20:
            append(path, f"{item + 1}\n")
        else:
            stop.set()
    assert seen == list(range(21))


def test_a_followed_file_can_be_stopped(tmp_path):
    """From another thread, while it waits; it says so, and the file is closed."""
    path = tmp_path / "log"
    path.write_text("one\n")
    came = threading.Event()
    reader = fw.lines(path, follow=True)
    with fw.Budget("64 MiB") as budget:
        run = Flow(reader).each(lambda _line: came.set())._run()
        thread, box = started(run.drained)
        assert came.wait(20)
        run.stop()
        thread.join(20)
        assert isinstance(box[0], errors.ClosedError)
        assert budget.held == 0


CHILD_OF_A_JOB = """
import sys
import flatwater as fw
from flatwater import limits

limits.FLOW_LOOK_S = limits.FILES_FOLLOW_POLL_S = 0.002
log, store, checkpoint = sys.argv[1:]

def key(line):
    return (int(line),), b""

with fw.Store(store, sync="off") as store:
    flow = fw.Flow(fw.lines(log, follow=True)).map(key).to(store)
    flow.run(checkpoint=checkpoint, checkpoint_s=0.005)
"""


def noted(path):
    """How many items the checkpoint says are done."""
    if not os.path.exists(path):
        return 0
    with open(path, "rb") as file:
        return pickle.loads(file.read()[len(_MAGIC) + _DIGEST_BYTES :])["position"][0]


def test_a_job_on_a_followed_file_goes_on(tmp_path, quick):
    """Killed while it waits, with the file rotated before and after: each line once, those of the time between, too."""
    pytest.importorskip("lmdb")
    log, store_path, checkpoint = (str(tmp_path / name) for name in ("log", "store", "checkpoint"))
    (tmp_path / "log").write_text("".join(f"{n}\n" for n in range(100)))
    with subprocess.Popen([sys.executable, "-c", CHILD_OF_A_JOB, log, store_path, checkpoint]) as child:
        deadline = time.monotonic() + 60
        for count in (100, 200, 250):
            while noted(checkpoint) < count:
                assert child.poll() is None
                assert time.monotonic() < deadline
            if count == 100:
                os.rename(log, log + ".1")
                (tmp_path / "log").write_text("".join(f"{n}\n" for n in range(100, 200)))
            if count == 200:
                append(log, "".join(f"{n}\n" for n in range(200, 250)))
        child.send_signal(signal.SIGKILL)
    append(log, "".join(f"{n}\n" for n in range(250, 300)))
    os.rename(log, log + ".2")
    (tmp_path / "log").write_text("".join(f"{n}\n" for n in range(300, 400)))
    stop, seen = threading.Event(), []

    def key(line):
        seen.append(int(line))
        if seen[-1] == 399:
            stop.set()
        return (int(line),), b""

    with fw.Store(store_path, sync="off") as store:
        Flow(fw.lines(log, follow=True, stop=stop)).map(key).to(store).run(checkpoint=checkpoint)
        assert [key for key, _value in Flow(store)] == [(n,) for n in range(400)]
    assert seen == list(range(250, 400))


def test_what_a_reader_raises_comes_out():
    """Its own error, of whatever kind, behind what it gave."""

    def broken():
        yield [1]
        raise TimeoutError("its own")

    stopped = []
    looked = streams.with_looks(broken(), lambda: stopped.append(1))
    assert next(each for each in looked if each) == [1]
    with pytest.raises(TimeoutError, match="its own"):
        for _none in looked:
            pass
    assert stopped == [1]
