"""The merge of sorted inputs, block by block, and the scale that cuts lists."""

from __future__ import annotations

import heapq
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater.pipeline.blocks import Scale, merged, sort_by


def blocks_of(items, rows, key=None):
    """A sorted list as blocks."""
    for first in range(0, len(items), rows):
        part = items[first : first + rows]
        yield (part, part) if key is None else (list(map(key, part)), part)


@given(st.lists(st.lists(st.integers(0, 20)), max_size=6), st.integers(1, 5), st.booleans(), st.booleans())
def test_the_merge_is_that_of_heapq(lists, rows, reverse, keyed):
    """Same items, in the same order: of equal keys, first those of the first input; keys come with them."""
    key = (lambda pair: pair[0] // 3) if keyed else None
    inputs = [
        sorted([(number, at) if keyed else number for number in numbers], key=key, reverse=reverse)
        for at, numbers in enumerate(lists)
    ]
    found = list(merged([blocks_of(each, rows, key) for each in inputs], reverse=reverse, wants_keys=True))
    items = [item for _keys, part in found for item in part]
    assert items == list(heapq.merge(*inputs, key=key, reverse=reverse))
    assert [found for keys, _part in found for found in keys] == (list(map(key, items)) if keyed else items)


def test_one_block_of_each_input_at_a_time():
    """A block is asked for when the one before is used up."""
    asked = []

    def counted(number, blocks):
        for block in blocks:
            asked.append(number)
            yield block

    inputs = [counted(0, blocks_of(list(range(40)), 10)), counted(1, blocks_of(list(range(100, 140)), 10))]
    merge = merged(inputs, reverse=False, wants_keys=False)
    next(merge)
    assert asked == [0, 1]
    assert sum(len(items) for _keys, items in merge) == 70
    assert sorted(asked) == [0] * 4 + [1] * 4


@pytest.mark.parametrize("keyed", [False, True])
def test_keys_that_cannot_be_compared_are_named(keyed):
    """In one list, and between two inputs."""
    keys = [3, 1, None, 2]
    items = list("abcd") if keyed else keys
    with pytest.raises(TypeError) as found:
        sort_by(keys, items, reverse=False)
    assert "the keys" in found.value.__notes__[0]
    assert "None" in found.value.__notes__[0]
    with pytest.raises(TypeError) as found:
        list(merged([blocks_of([1, 2], 2), blocks_of(["x"], 1)], reverse=False, wants_keys=False))
    assert "'x'" in found.value.__notes__[0]


class Heavy:
    """An object that a weak reference can watch."""


def test_what_was_handed_on_is_not_held():
    """Neither by the merge nor by who cuts."""
    items = [Heavy() for _ in range(10)]
    held = [weakref.ref(item) for item in items]
    pieces = Scale().cut(items, items, 1, 1)
    for number in range(10):
        next(pieces)
        assert held[number]() is None
        assert all(one() is not None for one in held[number + 1 :])


@given(st.lists(st.integers(0, 3_000), max_size=60), st.booleans())
def test_cut_lists_stay_within_their_bytes(sizes, keyed):
    """All items come in their order; a list is too heavy only if it has one item."""
    items = [bytes(size) for size in sizes]
    keys = list(range(len(items))) if keyed else items
    expected = list(items)
    found = []
    for size, (part_keys, part) in Scale().cut(keys, items, 4_000, 7):
        assert len(part) == len(part_keys) <= 7
        assert len(part) == 1 or size <= 4_000
        assert size >= sum(map(len, part))
        found += part
    assert found == expected


def test_weights():
    """Text, bytes, numbers and what has a structure: about what the heap takes."""
    scale = Scale()
    for values, least in (
        (["x" * 100] * 10, 1_000), ([b"x" * 100] * 10, 1_000), ([1, "x" * 1_000, None], 1_000), ([None] * 10, 80),
        ([("x" * 100 + str(at), at) for at in range(10)], 1_500), ([b"", 5, "a"], 24),
    ):  # fmt: skip
        size = scale.weigh(values, values)
        assert least <= size <= 3 * least + 1_000
        assert scale.weigh([1] * len(values), values) > size
