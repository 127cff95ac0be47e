"""Queues as sources: items as they come, an end that somebody says, waiting that can be ended."""

from __future__ import annotations

import multiprocessing
import queue
import signal
import subprocess
import sys
import threading

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.pipeline import streams
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
