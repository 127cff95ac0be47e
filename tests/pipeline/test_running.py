"""One run: its bytes, its time, its end, whatever ends it."""

from __future__ import annotations

import contextlib
import gc
import subprocess
import sys
import weakref
from itertools import count, islice

import pytest

import flatwater as fw
from flatwater import errors, limits
from flatwater.pipeline.flow import Flow
from flatwater.pipeline.sinks.files import Part
from flatwater.source import records


@pytest.mark.parametrize("ending", ["exhausted", "break", "close", "drop", "error in a stage", "error in the consumer"])
def test_whatever_ends_it_closes_the_source(ending):
    """At once, and the bytes go back to the budget."""
    closed = []

    def source():
        try:
            yield from range(5000)
        finally:
            closed.append(ending)

    def picky(n):
        if ending == "error in a stage" and n == 2000:
            raise ValueError(n)
        return n

    def consume(turns):
        for n in turns:
            if n == 1000 and ending == "break":
                break
            if n == 1000 and ending == "error in the consumer":
                raise ValueError(n)
            if n == 1000 and ending == "close":
                turns.close()

    with fw.Budget("16 MiB") as budget:
        turns = iter(Flow(source).map(picky).filter(lambda _n: True).batch(rows=10).flat_map(list))
        try:
            consume(turns)
        except ValueError:
            assert ending.startswith("error")
        del turns
        gc.collect()
        assert (closed, budget.held) == ([ending], 0)


def test_time_is_each_stages_own():
    """What waits in a source is the source's time, and not that of the stages behind it."""

    def slow(n):
        return sum(range(20_000)) + n

    reports = [Flow(range(300)).map(slow).map(str).run() for _ in range(5)]
    source, first, second = (
        min(each.busy_s for each in of) for of in zip(*[each.stages for each in reports], strict=True)
    )
    assert first > 10 * max(source, second)  # the least of several: a busy machine stops a process where it likes
    assert all(sum(each.busy_s for each in report.stages) <= report.wall_s for report in reports)


def test_a_gate_that_stays_closed(monkeypatch):
    """After a while it is an error, with the reason of who closed it."""
    monkeypatch.setattr(limits, "GATE_WAIT_S", 0.05)
    with fw.Budget("16 MiB") as budget:
        budget.gate.pause("memory is critical")
        with pytest.raises(errors.LimitReached, match="memory is critical"):
            Flow(range(3)).run()
        assert budget.held == 0
        budget.gate.resume()
        assert Flow(range(3)).run().items == 3


def test_a_run_that_was_stopped_says_so():
    """It does not look like one that came to its end."""
    run = Flow(range(100), batch_rows=1)._run()
    batches = run.batches()
    next(batches)
    run.stop()
    with pytest.raises(errors.ClosedError, match="stopped"):
        list(batches)


class Keeping:
    """A stage that refers to what it has handed on."""

    name = "keeping"

    def __init__(self):
        self.kept = []

    def bytes_max(self, batch_bytes):
        return 0

    def over(self, batches, place):
        for batch in batches:
            self.kept.append(batch)
            yield batch


def test_a_stage_that_keeps_its_batches_is_named(tmp_path):
    """Each of ours hands a batch on and lets it go; one that does not is told by its name."""
    flow = Flow(range(5000)).map(int).filter(lambda _n: True).each(int).tap(int).flat_map(lambda n: [n]).pipe(iter)
    flow = flow.batch(rows=10).flat_map(list).window(2).map(list).pmap(tuple, workers=2).map(list)
    flow = flow.to(tmp_path / "out.jsonl").map(dict.fromkeys).map(lambda row: {"n": min(row)}).to(tmp_path / "out.csv")
    report = flow.to(tmp_path / "out.parquet").to(lambda _row: None).run()
    assert [each.name for each in report.stages if each.batches_kept] == []
    report = Flow(range(5000)).map(int)._with(Keeping()).map(str).run()
    assert [each.name for each in report.stages if each.batches_kept] == ["2 keeping"]
    assert "2 keeping kept" in str(report)


KEEPS = """
import flatwater as fw

kept = []

def remember(row):
    kept.append(row)
    return row

flow = fw.Flow(range(300)).map(lambda n: {"n": n}).map(remember)
print(fw.find_leaks(flow.run, rounds=5))
"""


@pytest.mark.slow
def test_a_function_that_keeps_its_items_is_named():
    """By the search for leaks, run by run, with whoever refers to them; in a process without the objects of other tests."""
    told = subprocess.run([sys.executable, "-c", KEEPS], capture_output=True, text=True, check=True, timeout=100)
    assert "kept" in told.stdout


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stage_that_wants_no_more_ends_the_run(workers, tmp_path):
    """The source is not asked again, stages behind it hand on all that they have, and sinks are published."""
    given = []

    def numbers():
        for number in count():
            given.append(number)
            yield number

    flow = Flow(numbers).pipe(lambda items: islice(items, 5))
    flow = flow.pmap(abs, workers=workers) if workers else flow.map(abs)
    assert list(islice(flow.batch(rows=2), 9)) == [[0, 1], [2, 3], [4]]
    assert list(islice(flow.window(4), 9)) == [(0, 1, 2, 3), (1, 2, 3, 4)]
    assert flow.to(tmp_path / "out.jsonl").run().items == 5
    assert (tmp_path / "out.jsonl").read_text().split() == list("01234")
    assert len(given) < 10_000
    assert list(islice(Flow(count).pipe(lambda _items: [1, 2]), 9)) == [1, 2]
    large = Flow(bytes(100_000) for _ in count())
    assert list(islice(large.map(len).pipe(lambda items: islice(items, 2)), 9)) == [100_000] * 2


def test_a_stage_that_wants_no_more_ends_a_job(tmp_path):
    """With a checkpoint, too: what it took is done."""
    flow = Flow(range(10**6)).pipe(lambda items: islice(items, 5)).batch(rows=2).to(tmp_path / "out.jsonl")
    assert flow.run(checkpoint=tmp_path / "job").items == 3
    assert (tmp_path / "out.jsonl").read_text().split() == ["[0,1]", "[2,3]", "[4]"]
    assert flow.run(checkpoint=tmp_path / "job").items == 0
    assert (tmp_path / "out.jsonl").read_text().split() == ["[0,1]", "[2,3]", "[4]"]


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_a_job_that_a_stage_ended_and_that_was_not_published(tmp_path, monkeypatch, name):
    """It is published when it is run again, and the stage takes nothing more: also of large items, which go one by one."""
    for at, source in enumerate((range(10**6), [bytes(100_000)] * 100)):
        flow = Flow(source).map(lambda item: {"n": str(item)[:9]}).pipe(lambda items: islice(items, 5))
        flow = flow.to(tmp_path / name)
        with monkeypatch.context() as patched:
            patched.setattr(Part, "publish", lambda _part: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                flow.run(checkpoint=tmp_path / f"job{at}")
        assert flow.run(checkpoint=tmp_path / f"job{at}").items == 0
        assert sum(1 for _row in records(tmp_path / name, dict)) == 5


class Numbers(list):
    """That can be referred to weakly."""


class Same:
    """A function that can be referred to weakly."""

    def __call__(self, item):
        return item


def through(source, function):
    return Flow(source).map(function).run()


def skipped(source, function):
    return Flow(source).map(function).map(lambda n: 1 // (n - 50)).run(on_error="skip")


def left(source, function):
    return next(iter(Flow(source).map(function)))


def ended(source, function):
    return Flow(source).map(function).map(lambda n: 1 // (n - 50)).run()


def ended_in_a_list(source, function):
    return Flow(source).map(function).flat_map(lambda n: [1 // (n - 50)]).run()


def ended_in_a_pipe(source, function):
    return Flow(source).pipe(lambda items: (1 // (function(n) - 50) for n in items)).run()


def ended_in_a_thread(source, function):
    return Flow(source).map(function).pmap(lambda n: 1 // (n - 50), workers=2).run()


def ended_by_a_large_item(source, function):
    return Flow(lambda: ([n, bytes(20_000)] for n in source)).map(function).each(lambda pair: 1 // (pair[0] - 50)).run()


WAYS = [through, skipped, left, ended, ended_in_a_list, ended_in_a_pipe, ended_in_a_thread, ended_by_a_large_item]


@pytest.mark.parametrize("way", WAYS)
def test_what_a_run_had_is_free_without_a_collection(way):
    """Source and functions: a run and its errors refer to nothing that refers back to them."""
    source, function = Numbers(range(5000)), Same()
    refs = [weakref.ref(source), weakref.ref(function)]
    was_on = gc.isenabled()
    gc.disable()
    try:
        with contextlib.suppress(ZeroDivisionError):
            way(source, function)
        del source, function
        assert [ref() is None for ref in refs] == [True, True]
    finally:
        if was_on:
            gc.enable()
