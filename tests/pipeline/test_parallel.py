"""pmap: the same as map, from several threads, with a bound on what is under way and what waits."""

from __future__ import annotations

import asyncio
import gc
import threading
import time

import pytest

import flatwater as fw
from flatwater import errors, limits
from flatwater.pipeline.flow import Flow
from flatwater.pipeline.parallel import Parallel


def slow_at(*slow):
    def function(n):
        if n in slow:
            time.sleep(0.05)
        return n * n

    return function


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("size", [1, "10 KiB", "8 MiB"])
def test_it_is_a_map(workers, size):
    """In the order of the items, whatever takes long; or all of them in any order."""
    expected = [n * n for n in range(2000)]
    flow = Flow(range(2000), batch_rows=100)
    assert list(flow.pmap(slow_at(0, 500, 1999), workers=workers, bytes=size)) == expected
    assert sorted(flow.pmap(slow_at(0, 500, 1999), workers=workers, bytes=size, ordered=False)) == expected
    assert list(Flow([]).pmap(str, workers=workers)) == []


def test_several_are_called_at_once():
    """As many as there are workers: they wait for each other."""
    barrier = threading.Barrier(3, timeout=10)
    assert list(Flow(range(3), batch_rows=1).pmap(lambda n: (barrier.wait(), n)[1], workers=3)) == [0, 1, 2]


@pytest.mark.parametrize("grown", [1, 10])
def test_what_waits_behind_a_slow_head_is_bounded(grown):
    """While the first item takes long, no more is taken in than fits, with results that are larger than their items, too."""
    taken, release = [], threading.Event()

    def source():
        for n in range(1000):
            taken.append(n)
            yield b"x" * 10_000

    first = threading.Lock()

    def function(data):
        if first.acquire(blocking=False):
            release.wait(10)
        return data * grown

    turns = iter(Flow(source, batch_rows=4).pmap(function, workers=2, bytes=400_000))
    threading.Timer(0.5, release.set).start()
    assert next(turns) == b"x" * 10_000 * grown
    assert 4 < len(taken) <= 400_000 / 10_000 / (1 if grown == 1 else 5) + 4 + 2
    turns.close()


def test_small_items_with_large_results_do_not_rush_in():
    """Before it is seen what results weigh, there are no more parts than workers; then as many as fit."""
    made = []

    def function(n):
        made.append(n)
        return bytes(100_000)

    turns = iter(Flow(range(1000)).pmap(function, workers=2, bytes=500_000))
    next(turns)
    for _ in range(100):
        time.sleep(0.001)
    assert len(made) <= 500_000 / 100_000 + 2
    turns.close()


def test_a_few_large_results_among_small_ones_are_seen():
    """Each result is weighed, so that what waits behind a slow head stays within bytes, whichever of them are large."""
    made, behind = [], []

    def function(n):
        if n == 1000:
            before = sum(made)
            time.sleep(0.5)
            behind.append(sum(made) - before)
        made.append(200_000 if n % 20 == 10 else 10)
        return bytearray(made[-1])

    assert Flow(range(4000)).pmap(function, workers=2, bytes=2_000_000).run().items == 4000
    assert 200_000 <= behind[0] <= 2_000_000 * 1.5


@pytest.mark.parametrize("ordered", [True, False])
def test_a_failure_is_the_items_own(ordered):
    """It is raised with its number, or told; the others come."""

    def picky(n):
        if n % 300 == 7:
            raise ValueError(n)
        return n

    flow = Flow(range(1000)).pmap(picky, workers=3, ordered=ordered)
    with pytest.raises(ValueError, match="7") as caught:
        flow.run()
    assert "pmap(picky, 3 threads), item " in caught.value.__notes__[0]
    report = flow.run(on_error="skip")
    assert (report.items, report.skipped) == (996, 4)
    assert sorted(failure.number for failure in report.failures) == [8, 308, 608, 908]


@pytest.mark.parametrize("ending", ["close", "error"])
def test_the_end_of_a_run_is_the_end_of_its_threads(ending):
    """None is left, nothing is called any more, and the bytes go back to the budget."""
    before = threading.active_count()
    calls = []

    def function(n):
        calls.append(n)
        if ending == "error" and n == 50:
            raise ValueError(n)
        return n

    with fw.Budget("32 MiB") as budget:
        turns = iter(Flow(range(10**9), batch_rows=10).pmap(function, workers=4))
        if ending == "error":
            with pytest.raises(ValueError, match="50"):
                list(turns)
        else:
            next(turns)
            turns.close()
        assert budget.held == 0
    count = len(calls)
    assert threading.active_count() == before
    time.sleep(0.02)
    assert len(calls) == count < 10_000


@pytest.mark.parametrize("way", ["arun", "async for"])
def test_a_task_that_is_cancelled_does_not_wait_for_what_has_not_begun(way, caplog):
    """The call that runs comes to its end, no other one is begun, and nothing is logged."""
    reached, release, calls = threading.Event(), threading.Event(), []

    def function(n):
        calls.append(n)
        if n == 100:
            reached.set()
            threading.Timer(0.3, release.set).start()
            release.wait(30)
        elif n > 100:
            release.wait(0.05)
        return n

    async def through():
        flow = Flow(range(10**6)).pmap(function, workers=1)
        if way == "arun":
            await flow.arun()
        async for _n in flow:
            pass

    async def main():
        task = asyncio.create_task(through())
        await asyncio.to_thread(reached.wait, 30)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    gc.collect()
    assert calls == list(range(101))
    assert caplog.records == []


def test_functions_see_the_budget_of_the_run():
    """What a function builds in a thread takes its bytes from the same budget."""
    with fw.Budget("32 MiB", name="around") as budget:
        assert set(Flow(range(50)).pmap(lambda _n: fw.Budget.current(), workers=3)) == {budget}


def test_what_it_takes():
    """Its window and one batch; wrong numbers are refused when the flow is made."""
    assert Parallel(str, 2, 1000, ordered=True).bytes_max(10) == 1010
    for wrong in ({"workers": 0}, {"workers": limits.FLOW_WORKERS_MAX + 1}, {"bytes": 0}):
        with pytest.raises(errors.UsageError):
            Flow([]).pmap(str, **wrong)


def test_waits_are_told():
    """A stage that holds back what is in front says so; one that has room does not."""

    def slow(number):
        time.sleep(0.01)
        return number

    report = Flow(range(100)).pmap(slow, workers=2).run()
    stage = report.stages[1]
    assert stage.waits > 10
    assert 0.2 < stage.waited_s <= report.wall_s
    assert "was full" in str(report)
    assert "was full" not in str(Flow(range(2)).pmap(slow, workers=2).run())


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("workers", [1, 2, 8])
@pytest.mark.parametrize("blocks", [0, 40])
def test_results_that_become_heavy_all_at_once(ordered, workers, blocks):
    """Parts that are under way end early: what waits stays within the window, but for an item of each worker."""
    window, size = 1 << 20, 200_000
    lock, state = threading.Lock(), {"made": 0, "taken": 0, "most": 0}

    def made(number):
        is_heavy = number // blocks % 2 if blocks else number >= 1000
        with lock:
            state["made"] += size if is_heavy else 0
            state["most"] = max(state["most"], state["made"] - state["taken"])
        return bytes(size) + number.to_bytes(4, "big") if is_heavy else number

    numbers = []
    for result in fw.Flow(range(1400)).pmap(made, workers=workers, bytes=window, ordered=ordered):
        state["taken"] += size if isinstance(result, bytes) else 0
        numbers.append(int.from_bytes(result[-4:], "big") if isinstance(result, bytes) else result)
    assert sorted(numbers) == list(range(1400))
    assert not ordered or numbers == list(range(1400))
    assert state["most"] <= 2 * window + 2 * workers * size


def test_what_a_part_leaves_keeps_its_numbers():
    """An item that fails behind such an end is told by its own number."""

    def picky(number):
        if number % 100 == 99:
            raise ValueError(number)
        return bytes(50_000) if number > 500 else number

    report = fw.Flow(range(1000)).pmap(picky, workers=3, bytes="256 KiB").run(on_error="skip")
    assert report.items == 990
    assert [(each.number, each.item) for each in report.failures] == [(n + 1, str(n)) for n in range(99, 1000, 100)]
