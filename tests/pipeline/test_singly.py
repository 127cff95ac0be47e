"""Large items go from stage to stage one by one: the same results, failures and figures as in batches."""

from __future__ import annotations

import gc
import weakref

import pytest

from flatwater import limits
from flatwater.pipeline.flow import Flow
from flatwater.pipeline.singly import leading
from flatwater.pipeline.stages import Each, FlatMap, Map


def test_which_stages_can():
    """Those that take one item and give one or none, from the first on."""
    assert leading([Map(str), Each(print), FlatMap(list), Map(str)]) == 2
    assert leading([FlatMap(list), Map(str)]) == 0


def pieces(count=200):
    for number in range(count):
        yield bytes([number]) * 50_000


def picky(piece):
    if piece[0] % 50 == 7:
        raise ValueError(piece[0])
    return piece


def first(piece):
    return piece[0]


def report_of(large, monkeypatch, seen):
    monkeypatch.setattr(limits, "FLOW_LARGE_BYTES", large)
    flow = (
        Flow(pieces)
        .map(picky)
        .filter(first)
        .each(lambda piece: seen.append(piece[0]))
        .map(first)
        .map(str)
        .to(seen.append)
    )
    return flow.run(on_error="skip")


def test_the_same_as_in_batches(monkeypatch):
    """Results in their order, each function called once, the same failures with their numbers, the same counts."""
    singly, batched = [], []
    one = report_of(16 << 10, monkeypatch, singly)
    other = report_of(1 << 40, monkeypatch, batched)
    assert [each for each in singly if isinstance(each, str)] == [each for each in batched if isinstance(each, str)]
    assert sorted(map(str, singly)) == sorted(map(str, batched))
    assert [(each.items_in, each.items_out, each.skipped) for each in one.stages] == [
        (each.items_in, each.items_out, each.skipped) for each in other.stages
    ]
    assert [(each.stage, each.number, each.item) for each in one.failures] == [
        (each.stage, each.number, each.item) for each in other.failures
    ]


def times(flow):
    """Of the source and the stages, each the least of five runs: a busy machine stops a process where it likes."""
    return [
        min(several) for several in zip(*[[each.busy_s for each in flow.run().stages] for _ in range(5)], strict=True)
    ]


def test_the_time_of_each():
    """What a slow one takes is its own."""

    def slow(piece):
        return sum(range(20_000)) + len(piece)

    _source, copied, slowed, named = times(Flow(pieces).map(bytes).map(slow).map(str))
    assert slowed > 5 * max(copied, named)


def test_the_time_of_the_source():
    """Is not that of the stages."""

    def slow_source():
        for piece in pieces():
            sum(range(100_000))
            yield piece

    source, *stages = times(Flow(slow_source).map(bytes).map(len))
    assert source > 3 * sum(stages)


class Piece(bytearray):
    """Something that can be looked for."""


def test_nothing_is_kept():
    """When an item is worked on, those before it are gone."""
    there = []

    def source():
        for _turn in range(50):
            piece = Piece(50_000)
            there.append(weakref.ref(piece))
            yield piece
            del piece

    def look(piece):
        gc.collect()
        assert sum(each() is not None for each in there) <= 2
        return len(piece)

    assert list(Flow(source).map(look)) == [50_000] * 50


def test_an_error_ends_it(monkeypatch):
    """With the note that says where, and the source closed."""
    closed = []

    def source():
        try:
            yield from pieces()
        finally:
            closed.append(True)

    with pytest.raises(ValueError, match="7") as caught:
        Flow(source).map(bytes).map(picky).run()
    assert "in stage 2 map(picky), item 8 (b'" in caught.value.__notes__[0]
    assert closed == [True]


def test_bytes_of_each_stage(monkeypatch):
    """What a stage hands on weighs the same as in batches, also where few items come."""
    for count in (5, 200):
        weights = []
        for large in (16 << 10, 1 << 40):
            monkeypatch.setattr(limits, "FLOW_LARGE_BYTES", large)
            flow = Flow(pieces, count).map(bytes.upper).filter(first).tap(id).map(lambda piece: piece[:25_000]).map(len)
            weights.append([stage.bytes_out for stage in flow.run().stages])
        assert weights[0] == pytest.approx(weights[1], rel=0.02)
        assert weights[0][1] == pytest.approx(count * 50_000, rel=0.01)
