"""One run: its bytes, its time, its end, whatever ends it."""

from __future__ import annotations

import gc

import pytest

import flatwater as fw
from flatwater import errors, limits
from flatwater.pipeline.flow import Flow


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

    report = Flow(range(300)).map(slow).map(str).run()
    source, first, second = report.stages
    assert first.busy_s > 10 * max(source.busy_s, second.busy_s)
    assert sum(each.busy_s for each in report.stages) <= report.wall_s


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
