"""A task: some items of a source through some stages, as a worker does it; here in this process."""

from __future__ import annotations

import pickle
import threading

from flatwater import limits
from flatwater.pipeline import away
from flatwater.pipeline.away import Task
from flatwater.pipeline.flow import Flow
from flatwater.pipeline.reading import Position
from flatwater.source import lines


def done_of(flow, origin, start=None, *, on_error="raise", wants_items=False, batch_rows=10, pause=1 << 23):
    task = Task(away.dumped(origin, "it"), start or Position(), 1 << 18, batch_rows, on_error, wants_items, pause)
    return away.work(away.dumped(flow._stages, "they"), pickle.dumps(task))


def items_of(done):
    return [item for batch in done.batches for item in pickle.loads(batch)]


def test_which_stages_can():
    """Those of one item, up to the first that is not."""
    flow = Flow([]).map(str).filter(len).flat_map(list).each(print).tap(print).pmap(str)
    assert away.count_of_stages(flow._stages) == 6
    assert away.count_of_stages(flow.batch(rows=3).map(len)._stages) == 6
    assert away.count_of_stages(Flow([]).window(2).map(len)._stages) == 0
    assert away.worker_bytes_max(flow._stages, 1 << 18) > limits.FLOW_DASK_RESULT_BYTES_MAX


def test_a_task_that_is_done():
    """What came out, the figures of the stages, where the source is."""
    done = done_of(Flow([]).map(str).filter(lambda text: text != "3"), [1, 2, 3, 4])
    assert items_of(done) == ["1", "2", "4"]
    assert [each.items_out for each in done.gauges] == [4, 4, 3]
    assert (done.is_whole, done.position.count, done.error_text) == (True, 4, "")
    assert done.__sizeof__() > sum(map(len, done.batches))


def test_a_task_that_pauses():
    """When enough has come out it says where it is; from there another one goes on."""
    flow = Flow([]).map(str)
    found, start, pieces = [], Position(), 0
    while True:
        done = done_of(flow, list(range(95)), start, pause=1)
        found += items_of(done)
        pieces += 1
        if done.is_whole:
            break
        start = done.position
    assert found == [str(n) for n in range(95)]
    assert pieces > 5
    assert done.position.count == 95


def test_a_task_in_a_range_of_a_file(tmp_path):
    """A place in it is one of the whole file."""
    path = tmp_path / "lines"
    path.write_text("".join(f"{n}\n" for n in range(1_000)))
    first, second = lines(path).ranges(2)
    one, two = (done_of(Flow([]).map(int), each) for each in (first, second))
    assert items_of(one) + items_of(two) == list(range(1_000))
    assert items_of(done_of(Flow([]).map(int), first, Position(0, None, 7))) == items_of(one)[7:]


def test_more_is_skipped_than_there_is():
    """How many are left is told: they are in the next part."""
    done = done_of(Flow([]).map(str), [1, 2, 3], Position(0, None, 5))
    assert (items_of(done), done.to_skip) == ([], 2)


def test_failures_are_notes():
    """Without what was passed over, which is told, and sent back where it is wanted."""
    flow = Flow([]).map(lambda n: n + 1).map(lambda n: 1 // (n - 3))
    done = done_of(flow, [0, 1, 2, 3], on_error="skip", wants_items=True)
    (note,) = done.notes
    assert (note.at, note.number, note.item, pickle.loads(note.letter)) == (2, 3, "3", 3)
    assert "ZeroDivisionError" in note.error
    assert [each.skipped for each in done.gauges] == [0, 0, 1]
    assert len(items_of(done)) == 3
    assert done_of(flow, [0, 1, 2, 3], on_error="skip").notes[0].letter == b""


def test_many_failures_are_counted():
    """The first ones are told, if nobody wants the items."""
    done = done_of(Flow([]).map(lambda _n: 1 // 0), list(range(500)), on_error="skip")
    assert len(done.notes) == limits.FLOW_FAILURES_KEPT
    assert done.gauges[1].skipped == 500


def test_an_error_ends_it():
    """It comes back with its place and what came before it."""
    done = done_of(Flow([]).map(lambda n: 10 // (25 - n)), list(range(40)))
    assert type(pickle.loads(done.error)) is ZeroDivisionError
    assert (done.error_note.at, done.error_note.number, done.error_note.item) == (1, 26, "25")
    assert len(items_of(done)) == 20


def test_what_cannot_be_loaded_or_sent():
    """It is told as an error of the task: the worker goes on."""
    broken = away.work(b"nothing", pickle.dumps(Task(pickle.dumps([]), Position(), 100, 10, "raise", False, 1)))
    assert "cannot load the functions" in str(pickle.loads(broken.error))
    assert "cannot be sent" in str(pickle.loads(done_of(Flow([]).map(lambda _n: threading.Lock()), [1]).error))

    def failing(_n):
        raise OSError(threading.Lock())

    done = done_of(Flow([]).map(failing), [1])
    assert done.error == b""
    assert "failing" in done.error_text


def test_a_batch_that_becomes_too_much(monkeypatch):
    """A limit that is reached, and what to change."""
    monkeypatch.setattr(limits, "FLOW_DASK_RESULT_BYTES_MAX", 100_000)
    done = done_of(Flow([]).flat_map(lambda _n: (bytes(10_000) for _ in range(100))), [1])
    assert "batch_rows" in str(pickle.loads(done.error))
