"""The first item of each key."""

from __future__ import annotations

import pickle
from itertools import count, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater import errors
from flatwater.pipeline.distinct import Distinct
from flatwater.pipeline.flow import Flow


@given(st.lists(st.integers(0, 40)), st.sampled_from([1, 500, 5_000, 1 << 20]), st.integers(1, 9))
def test_the_first_of_each_key(numbers, size, rows):
    """In their order, as `dict.fromkeys` has them."""
    assert list(Flow(numbers, batch_rows=rows).distinct(bytes=size)) == list(dict.fromkeys(numbers))
    first: dict[int, tuple[int, int]] = {}
    pairs = list(enumerate(numbers))
    for pair in pairs:
        first.setdefault(pair[1] // 3, pair)
    found = list(Flow(pairs, batch_rows=rows).distinct(lambda pair: pair[1] // 3, bytes=size))
    assert found == list(first.values())


def test_more_keys_than_fit():
    """Thousands of keys in bytes for some ten."""
    numbers = [number * 7919 % 3_000 for number in range(9_000)]
    assert list(Flow(numbers).distinct(bytes="2 KiB")) == numbers[:3_000]


def test_a_source_without_an_end():
    """Items come as they are seen."""
    assert list(islice(Flow(count, 0).map(lambda number: number // 100).distinct(), 3)) == [0, 1, 2]


def test_keys_that_a_set_refuses():
    """Lists and dicts, by what they contain."""
    items = [{"a": [1, 2]}, {"a": [1, 2]}, {"a": [2, 1]}, [1], [1.0], None, None]
    assert list(Flow(items).distinct()) == [{"a": [1, 2]}, {"a": [2, 1]}, [1], None]


def test_a_key_that_raises_and_one_that_tells_nothing():
    """Under both policies."""
    flow = Flow([2, 0, 1, 2]).distinct(lambda number: 10 // number)
    with pytest.raises(ZeroDivisionError):
        list(flow)
    report = flow.run(on_error="skip")
    assert (report.items, report.skipped, report.stages[1].items_in) == (2, 1, 4)
    with pytest.raises(TypeError, match="equal only to themselves"):
        list(Flow([object()]).distinct())


def test_an_early_end_closes_all(open_files):
    """No file stays open."""
    before = open_files()
    items = iter(Flow(range(3_000)).distinct(bytes="2 KiB"))
    assert len(list(islice(items, 2_500))) == 2_500
    assert open_files() - before
    items.close()
    assert not open_files() - before


def test_it_is_a_stage_like_others(tmp_path):
    """Reusable, picklable, in the sum; no checkpoint; wrong arguments are told at once."""
    flow = Flow([3, -3, 1]).distinct(abs)
    assert list(flow) == list(pickle.loads(pickle.dumps(flow))) == list(flow) == [3, 1]
    assert (Distinct(None, 1 << 20).bytes_max(10) >> 20, Distinct(abs, 1).name) == (1, "distinct(abs)")
    with pytest.raises(errors.UsageError, match="remembers more keys"):
        flow.run(checkpoint=tmp_path / "job")
    for wrong in ({"bytes": 0}, {"key": 5}):
        with pytest.raises(errors.UsageError):
            Flow([]).distinct(**wrong)
    with pytest.raises(errors.UsageError, match="no folder"):
        list(Flow(range(1_000)).distinct(bytes=1, folder=tmp_path / "none"))
