"""Stages on single items: results in order, the item that failed found, nothing kept that was handed on."""

from __future__ import annotations

import pickle
from functools import partial
from itertools import cycle, islice

import pytest

from flatwater import errors
from flatwater.pipeline.flow import Flow
from flatwater.pipeline.place import Place
from flatwater.pipeline.policy import Policy
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.stages import Each, Filter, FlatMap, Map, Pipe, called, name_of


def through(stage, items, *, sizes=(3, 1, 100), on_error="raise", bytes_max=1 << 20):
    """What a stage makes of `items`, in batches of several sizes; and its gauge and policy."""
    place, turns = Place(Gauge("1 stage"), Policy(on_error), bytes_max, 1000), iter(items)

    def batches():
        for size in cycle(sizes):
            batch = list(islice(turns, size))
            if not batch:
                return
            yield batch

    made = list(stage.over(batches(), place))
    assert all(made)  # no empty batches
    return [each for batch in made for each in batch], place.gauge, place.policy


def odd(number):
    return number % 2


def test_each_stage_does_what_it_says():
    """map, filter, each, flat_map and pipe, beside Python's own."""
    items, seen = range(500), []
    assert through(Map(str), items)[0] == [str(each) for each in items]
    assert through(Filter(odd), items)[0] == [each for each in items if each % 2]
    assert through(Each(seen.append), items)[0] == seen == list(items)
    assert through(FlatMap(range), range(20))[0] == [inner for each in range(20) for inner in range(each)]
    assert through(Pipe(lambda turns: (each + 1 for each in turns)), items)[0] == [each + 1 for each in items]


@pytest.mark.parametrize("bad", [[0], [999], [500, 501, 502], list(range(1000)), [998, 999]])
@pytest.mark.parametrize("raised", [ValueError("bad"), StopIteration("bad"), KeyError("bad")])
def test_failed_items_are_found_and_called_once(bad, raised):
    """Whatever is raised: each item is asked for once, the others come through, and the failures have their numbers."""
    calls = []

    def fails(item):
        calls.append(item)
        if item in bad:
            raise raised
        return -item

    items = list(range(1000))
    gauge, policy = Gauge("1 map(fails)"), Policy("skip")
    results, done = called(fails, items, gauge, policy)
    assert calls == items == list(range(1000))
    assert done == [each for each in items if each not in bad]
    assert results == [-each for each in done]
    assert (policy.count, gauge.skipped, gauge.items_in) == (len(bad), len(bad), 1000)
    assert [failure.number for failure in policy.kept] == [each + 1 for each in bad[:100]]


def test_the_first_failure_ends_a_run_that_raises():
    """The error itself comes, with a note that names stage and item."""
    with pytest.raises(ZeroDivisionError) as caught:
        called(lambda item: 1 // item, [3, 2, 1, 0, 7], Gauge("2 map(inverse)", items_in=1000), Policy("raise"))
    assert caught.value.__notes__ == [
        "flatwater: in stage 2 map(inverse), item 1,004 (0): ZeroDivisionError('integer division or modulo by zero')"
    ]


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_flat_map_takes_what_it_is_given_lazily(on_error):
    """An item may have results without end; None is refused with what to do; results in front of a failure come."""

    def results(item):
        yield item
        if item == 3:
            raise ValueError("in the middle")
        yield -item

    if on_error == "raise":
        with pytest.raises(ValueError, match="in the middle"):
            through(FlatMap(results), range(1, 6), sizes=(100,))
        with pytest.raises(errors.UsageError, match="returned None"):
            through(FlatMap(lambda _item: None), range(5))
    else:
        found, gauge, policy = through(FlatMap(results), range(1, 6), sizes=(100,), on_error="skip")
        assert found == [1, -1, 2, -2, 3, 4, -4, 5, -5]
        assert (gauge.skipped, policy.kept[0].number) == (1, 3)


def test_results_that_are_larger_than_their_items_come_in_smaller_batches():
    """A map from numbers to 100 KB each: no list has more of them than fit."""
    made = Map(bytes).over(iter([[100_000] * 1000]), Place(Gauge("1 map"), Policy("raise"), 300_000, 1000))
    sizes = [len(batch) for batch in made]
    assert sum(sizes) == 1000
    assert max(sizes) <= 4


def test_a_pipe_that_gives_no_iterator():
    """A function of one item, or one that returns nothing, is told from a generator function."""
    with pytest.raises(errors.UsageError, match="returned NoneType"):
        through(Pipe(lambda _items: None), range(5))


def test_stages_are_picklable():
    """With functions that are."""
    for stage in (Map(str), Filter(odd), Each(odd), FlatMap(range), Pipe(enumerate)):
        assert pickle.loads(pickle.dumps(stage)) == stage


def test_names_are_those_of_functions():
    """A lambda, a partial, a class, an object with __call__."""

    class Caller:
        def __call__(self, item):
            return item

    assert [name_of(each) for each in (odd, str, partial(odd), Caller())] == ["odd", "str", "odd", "Caller"]
    assert name_of(lambda item: item) == "<lambda>"


def test_a_coroutine_is_no_result():
    """Nobody would await it; a function that is no coroutine function may return one, too."""

    async def wait(number):
        return number

    def returns(number):
        return wait(number)

    for verb in ("map", "filter", "each"):
        with (
            pytest.warns(RuntimeWarning, match="never awaited"),
            pytest.raises(errors.UsageError, match="returned a coroutine"),
        ):
            list(getattr(Flow([1, 2]), verb)(returns))


def test_a_filter_that_chooses_by_size_weighs_what_it_hands_on():
    """The report has the bytes of the items that are left, and not a share of those that came."""
    items = [b"x" * 20_000 if number % 5 == 0 else b"xy" for number in range(2000)]
    report = (
        Flow(items, batch_rows=100).batch(rows=1).map(lambda rows: rows[0]).filter(lambda item: len(item) < 100).run()
    )
    assert report.stages[3].bytes_out == pytest.approx(1600 * 43, rel=0.1)
