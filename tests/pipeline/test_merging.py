"""Several flows in one: sorted, or in turn."""

from __future__ import annotations

import asyncio
import heapq
import pickle
import queue
from itertools import count, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater import errors
from flatwater.budget.budget import Budget
from flatwater.pipeline.flow import Flow

LISTS = st.lists(st.lists(st.integers(0, 20)), min_size=2, max_size=5)


@given(LISTS, st.integers(1, 5), st.booleans(), st.booleans())
def test_sorted_flows_become_one(lists, rows, reverse, keyed):
    """As `heapq.merge` does it; of equal keys, first those of the first flow."""
    key = (lambda pair: pair[0] // 3) if keyed else None
    inputs = [
        sorted([(number, at) if keyed else number for number in numbers], key=key, reverse=reverse)
        for at, numbers in enumerate(lists)
    ]
    flows = [Flow(each, batch_rows=rows) for each in inputs]
    flow = flows[0].merge(*flows[1:], key=key, reverse=reverse)
    assert list(flow) == list(flow) == list(heapq.merge(*inputs, key=key, reverse=reverse))


@given(LISTS, st.integers(1, 5))
def test_in_turn(lists, rows):
    """All items of all flows, those of each in their order, a batch of each in turn."""
    flows = [Flow([(at, each) for each in numbers], batch_rows=rows) for at, numbers in enumerate(lists)]
    found = list(flows[0].merge(*flows[1:], ordered=False))
    assert sorted(found, key=lambda pair: pair[0]) == [
        (at, each) for at, numbers in enumerate(lists) for each in numbers
    ]


def test_one_that_does_not_end():
    """Others end; it goes on, merged and in turn."""
    assert list(islice(Flow(count, 0).merge(Flow([2, 5])), 6)) == [0, 1, 2, 2, 3, 4]
    found = list(islice(Flow([1]).merge(Flow(count, 100), Flow([2]), ordered=False), 5))
    assert set(found) > {1, 100}


def test_one_that_waits_is_ended_with_the_run():
    """A run that is stopped ends the flows that are a part of it, whatever they wait for."""

    async def main():
        async with asyncio.timeout(0.3):
            await Flow([1]).merge(Flow(queue.Queue())).arun()

    with pytest.raises(TimeoutError):
        asyncio.run(main())


@pytest.mark.parametrize("rows", [1, 2, 100])
@pytest.mark.parametrize(("items", "reverse"), [([1, 2, 5, 4, 6], False), ([6, 5, 1, 2, 0], True)])
def test_what_is_not_sorted_is_told(items, reverse, rows):
    """With the flow, the item and both keys, also where a batch ends."""
    with pytest.raises(errors.UsageError, match=r"flow 2 is not sorted: its item 4 has the key (4|2), behind (5|1)\."):
        list(Flow([], batch_rows=rows).merge(Flow(items, batch_rows=rows), reverse=reverse))


def test_keys_that_cannot_be_compared():
    """Inside of one flow, and between two: both are named."""
    for flow in (Flow([1, None]).merge(Flow([])), Flow([1, 2]).merge(Flow([None]))):
        with pytest.raises(TypeError) as found:
            list(flow)
        assert "None" in found.value.__notes__[0]


def closing(items, closed, name):
    """A source that tells when it is closed."""
    try:
        yield from items
    finally:
        closed.append(name)


@pytest.mark.parametrize("ordered", [True, False])
def test_all_sources_are_closed(ordered):
    """When the run ends early, and when one of them fails."""
    closed: list[str] = []
    one = Flow(closing, range(5_000), closed, "one")
    two = Flow(closing, range(5_000), closed, "two")
    items = iter(one.merge(two, ordered=ordered))
    assert len(list(islice(items, 1_500))) == 1_500
    items.close()
    assert sorted(closed) == ["one", "two"]
    closed.clear()
    with pytest.raises(ZeroDivisionError) as found:
        list(one.merge(two.map(lambda number: 1 // (number - 3)), ordered=ordered))
    assert sorted(closed) == ["one", "two"]
    assert "1 map(<lambda>), item 4 (3)" in found.value.__notes__[0]


def test_items_that_fail_in_another_flow(tmp_path):
    """Are passed over and told with the others; with a file of dead letters they end the run."""

    def half(number):
        if number == 4:
            raise ValueError("not this one")
        return number / 2

    flow = Flow(range(6)).map(half).merge(Flow(range(6)).map(half))
    report = flow.run(on_error="skip")
    assert (report.items, report.skipped, len(report.failures)) == (10, 2, 2)
    with pytest.raises(ValueError, match="not this one"):
        flow.run(dead_letters=tmp_path / "letters")


def test_a_key_that_raises():
    """Under both policies."""

    def key(item):
        if item == 3:
            raise ValueError("no key")
        return item

    flow = Flow(range(5)).merge(Flow(range(5)), key=key)
    with pytest.raises(ValueError, match="no key"):
        list(flow)
    report = flow.run(on_error="skip")
    assert (report.items, report.skipped) == (8, 2)


def test_the_others_write_their_files(tmp_path):
    """A flow with a sink of its own publishes it when all is through."""
    other = Flow(["b", "d"]).to(tmp_path / "other.txt")
    assert list(Flow(["a", "c"]).merge(other)) == ["a", "b", "c", "d"]
    assert (tmp_path / "other.txt").read_text() == "b\nd\n"


def test_it_is_in_the_sum():
    """With all that the others hold; they take nothing more from the budget."""
    other = Flow(range(10)).sort(bytes="1 MiB")
    flow = Flow(range(10)).merge(other)
    assert flow.bytes_max() > Flow([]).bytes_max() + other.bytes_max()
    assert "1 merge(2 flows)" in flow.explain()
    with Budget(flow.bytes_max()) as budget:
        assert len(list(flow)) == 20
        assert budget.peak <= flow.bytes_max()
    with Budget(flow.bytes_max() - 1), pytest.raises(errors.BudgetExceeded):
        list(flow)


def test_it_can_be_pickled():
    """With the other flows in it; and merged with itself."""
    flow = Flow([1, 3]).merge(Flow([2, 4]), key=abs)
    assert list(pickle.loads(pickle.dumps(flow))) == [1, 2, 3, 4]
    assert list(flow.merge(flow)) == [1, 1, 2, 2, 3, 3, 4, 4]


def test_wrong_arguments(tmp_path):
    """Are told when the flow is made; a checkpoint is refused when it runs."""
    flow = Flow([1])
    for others, options in (
        ((), {}), (([1, 2],), {}), ((flow,) * 64, {}), ((flow,), {"key": abs, "ordered": False}), ((flow,), {"key": 5}),
    ):  # fmt: skip
        with pytest.raises(errors.UsageError):
            flow.merge(*others, **options)
    with pytest.raises(errors.UsageError, match="whose places a checkpoint does not have"):
        flow.merge(flow).run(checkpoint=tmp_path / "job")
