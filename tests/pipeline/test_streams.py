"""What has no end of its own: what is such a source, files that are followed, waiting that can be ended."""

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
from flatwater.pipeline.weighing import Weigher


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


def test_a_queue_without_time_limits_is_refused():
    """What would wait for ever, and could not be ended, is refused with what to take instead."""
    with pytest.raises(errors.UsageError, match="knows no time limits") as refusal:
        Flow(multiprocessing.SimpleQueue())
    assert "multiprocessing.Queue" in refusal.value.hint


def test_what_is_no_queue():
    """A class of queues, a dict with its get, a list: none of them waits."""
    assert not any(map(streams.is_stream, (queue.Queue, {}, [], range(3), "text", 3, None)))
    assert streams.batches_of([1], Weigher(100, 10)) is None


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


@pytest.mark.parametrize(
    "between",
    [
        lambda flow: flow,
        lambda flow: flow.map(int).filter(lambda number: True).each(int),
        lambda flow: flow.batch(rows=1).map(lambda items: items[0]),
        lambda flow: flow.distinct(),
        lambda flow: flow.flat_map(lambda number: [number]),
        lambda flow: flow.pmap(int, workers=2).map(int),
        lambda flow: flow.to(lambda number: None).window(1).map(lambda items: items[0]),
    ],
)
@pytest.mark.parametrize("ordered", [True, False])
def test_results_of_a_pmap_come_while_the_stream_waits(between, ordered):
    """Those of the last items, too: nobody waits for what comes next."""
    items, seen = queue.Queue(), []

    def asked():
        flow = between(fw.Flow(items, until=None)).pmap(lambda number: number * 2, workers=2, ordered=ordered)
        seen.extend(flow)
        return True

    thread, box = started(asked)
    for number in range(3):
        items.put(number)
        until = time.monotonic() + 5
        while len(seen) <= number and time.monotonic() < until:
            time.sleep(0.01)
        assert seen == [0, 2, 4][: number + 1]
    items.put(None)
    thread.join(5)
    assert box == [True]
