"""Partitions share one ordered space: each has a head of its own, for good, and a write fits into the budget."""

from __future__ import annotations

import pytest

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.store.engines import base
from flatwater.store.space import _given_head


def given(names):
    """The heads that a space gives to the first partitions of these names."""
    there = {}
    for name in names:
        for _head, pairs in _given_head(name, there.get):
            there.update(pairs)
    return [there[base.SYSTEM + b"\x02" + name.encode()] for name in names]


def test_heads_are_three_bytes_that_no_tuple_begins_with():
    """Thousands of partitions have as many heads, none of them the store's own, all from 02 to 7F, in their order."""
    heads = given([f"name {at}" for at in range(40_000)])
    assert len(set(heads)) == 40_000
    assert sorted(heads) == heads
    assert all(len(head) == base.HEAD_BYTES and min(head) >= 2 and max(head) <= 0x7F for head in heads)
    assert base.SYSTEM not in heads


def test_a_name_has_one_head():
    """A name that was given a head, by whomever, is not given another one."""
    assert _given_head("a", {base.SYSTEM + b"\x02a": b"\x02\x02\x03"}.get) == []


def test_the_number_of_partitions_is_bounded(monkeypatch):
    """LimitReached says so when there are limits.STORE_PARTITIONS_MAX of them."""
    monkeypatch.setattr(limits, "STORE_PARTITIONS_MAX", 2)
    with pytest.raises(errors.LimitReached, match="2 partitions at most") as refused:
        given(["a", "b", "c"])
    assert refused.value.limit == 2


def test_heads_last(opened):
    """After a reopening each name has its entries, and new names get new heads."""
    store = opened()
    for name in ("b", "a"):
        store.partition(name).put((name,), b"")
    heads = {name: store.partition(name)._find_head() for name in ("a", "b")}
    store.close()
    again = opened()
    assert {name: again.partition(name)._find_head() for name in ("a", "b")} == heads
    again.partition("c").put(("c",), b"")
    assert again.partition("c")._find_head() not in heads.values()
    assert again.partitions() == ["a", "b", "c"]


def test_hundreds_of_names_are_listed(store):
    """All names come, sorted as texts, however many pages they take."""
    names = [f"{at:05d}" for at in range(limits.STORE_BATCH_ROWS + 10)]
    engine = store._space.engine
    pairs = [(base.SYSTEM + b"\x02" + name.encode(), b"\x03\x03\x03") for name in reversed(names)]
    engine.write([(base.SYSTEM, pairs)])
    assert list(store._space.names()) == names


def test_a_large_write_is_charged(store):
    """A write of many entries is taken from the budget while it runs; what does not fit is refused and changes nothing."""
    pairs = [((at,), b"x" * 10) for at in range(8_000)]
    store.put((0,), b"old")
    store._space.budget = Budget("256 KiB")
    with pytest.raises(errors.BudgetExceeded, match=r"store\.write"):
        store.write(pairs)
    with pytest.raises(errors.BudgetExceeded):
        store.write_to({store: pairs[:4_000], store.partition("p"): pairs[4_000:]})
    assert [pair for batch in store.batches() for pair in batch] == [((0,), b"old")]
    assert store._space.budget.held == 0
    store._space.budget = Budget("256 MiB")
    store.write(pairs)
    assert store.count_estimate() == 8_000
    assert store._space.budget.held == 0
    assert store._space.budget.peak >= store._space.engine.write_bytes_max(8_000, 8_000 * 10)


def test_a_write_of_few_large_values_is_charged(store):
    """Bytes count, not entries: 40 values of 1 MB do not fit where 8 MiB are left."""
    store._space.budget = Budget("8 MiB")
    with pytest.raises(errors.BudgetExceeded, match=r"store\.write"):
        store.write([((at,), b"x" * 1_000_000) for at in range(40)])
    assert store.count_estimate() == 0
    assert store._space.budget.held == 0


def test_one_value_is_bounded_too(store, monkeypatch):
    """put refuses what is larger than a write may be, as write does."""
    monkeypatch.setattr(limits, "STORE_WRITE_BYTES_MAX", 100_000)
    for write in (lambda value: store.put((1,), value), lambda value: store.write([((1,), value)])):
        with pytest.raises(errors.UsageError, match="100000 B in one write"):
            write(b"x" * 100_001)
        write(b"x" * 50_000)
    assert store.get((1,)) == b"x" * 50_000
