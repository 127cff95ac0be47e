"""Entries under a name: what was written is there, in order, all or nothing; what cannot be is refused and changes nothing."""

from __future__ import annotations

from collections import OrderedDict
from types import MappingProxyType

import pytest

from flatwater import errors, limits
from flatwater.store.partition import Partition, Range

A, B, C = ("a",), ("b",), ("c", 1)


def entries(partition, **options):
    return [pair for batch in partition.batches(**options) for pair in batch]


# --- one entry --------------------------------------------------------------------------------------------------------


def test_what_was_put_is_there(store):
    """get gives what put wrote last, and None or the default where nothing is."""
    assert store.get(A) is None
    store.put(A, b"1")
    store.put(A, b"2")
    store.put(B, b"")
    assert (store.get(A), store.get(B), store.get(C), store.get(C, b"no")) == (b"2", b"", None, b"no")
    assert A in store
    assert B in store
    assert C not in store


def test_what_was_deleted_is_gone(store):
    """delete takes one entry away; where none is, nothing happens."""
    store.delete(A)
    store.put(A, b"1")
    store.delete(B)
    store.delete(A)
    store.delete(A)
    assert (store.get(A), store.count_estimate(), entries(store)) == (None, 0, [])


def test_kinds_of_keys_are_apart(store):
    """1, 1.0, True and "1" are four keys; 0.0 and -0.0 are one."""
    keys = [(True,), (1,), (1.0,), ("1",), (b"1",), (None,)]
    for at, key in enumerate(keys):
        store.put(key, b"%d" % at)
    assert [store.get(key) for key in keys] == [b"%d" % at for at in range(len(keys))]
    store.put((0.0,), b"zero")
    assert store.get((-0.0,)) == b"zero"
    assert [type(key[0]) for key, _value in entries(store)] == [type(None), bool, int, float, float, str, bytes]


@pytest.mark.parametrize("size", [0, 1, 2000, 2047, 2048, 5000, 300_000], ids=str)
def test_values_of_any_size_come_back(store, size):
    """Values from nothing to hundreds of pages are what they were, by get, get_many and a walk."""
    value = bytes(at % 251 for at in range(size))
    store.write([(A, value), (B, b"neighbour")])
    assert store.get(A) == value
    assert store.get_many([B, A]) == [b"neighbour", value]
    assert entries(store) == [(A, value), (B, b"neighbour")]


@pytest.mark.parametrize("size", [400, 476, 477, 480, 481, 500, 511, 512, 1000, 5000, 60_000], ids=str)
def test_keys_of_any_length_are_keys(store, size):
    """Keys are found, walked over in their order, and deleted, however long they are."""
    keys = [("x" * size,), ("x" * size, 1), ("x" * (size - 1) + "y",), ("x" * (size + 1),), ("x",), ("y",)]
    store.write([(key, b"%d" % at) for at, key in enumerate(keys)])
    assert store.get_many(keys) == [b"%d" % at for at in range(len(keys))]
    assert [key for key, _value in entries(store)] == sorted(keys)
    assert [key for key, _value in entries(store, reverse=True, rows=1)] == sorted(keys, reverse=True)
    assert [key for key, _value in entries(store, prefix=keys[0])] == keys[:2]
    store.delete(keys[0])
    assert store.get(keys[0]) is None
    assert store.get(keys[1]) == b"1"
    assert store.count_estimate() == 5


# --- several ----------------------------------------------------------------------------------------------------------


def test_get_many_keeps_the_order_of_its_keys(store):
    """Values come in the order asked for, None for those that are not there, twice for those asked for twice."""
    store.write([(A, b"1"), (B, b"2")])
    assert store.get_many([B, C, A, B]) == [b"2", None, b"1", b"2"]
    assert store.get_many([]) == []
    assert store.get_many((A,)) == [b"1"]
    assert store.get_many(key for key in (A, B)) == [b"1", b"2"]
    assert store.get_many({A: 0, B: 0}) == [b"1", b"2"]
    assert store.partition("unknown").get_many([A, B]) == [None, None]


@pytest.mark.parametrize("form", [list, tuple, iter, dict, OrderedDict, lambda pairs: MappingProxyType(dict(pairs))])
def test_write_takes_lists_generators_and_mappings(store, form):
    """Pairs may come in any form that has them."""
    store.put(B, b"old")
    store.write(form([(A, b"1"), (B, None), (C, b"3")]))
    assert entries(store) == [(A, b"1"), (C, b"3")]


def test_write_to_takes_what_write_takes(store):
    """Each partition's pairs may be a list, a generator or a mapping."""
    one, two, three = (store.partition(name) for name in "abc")
    store.write_to({one: {A: b"1"}, two: [(B, b"2")], three: (pair for pair in [(C, b"3")])})
    assert [entries(each) for each in (one, two, three)] == [[(A, b"1")], [(B, b"2")], [(C, b"3")]]


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ([(A, b"1"), (A, b"2")], b"2"), ([(A, b"1"), (A, None)], None), ([(A, None), (A, b"2")], b"2"),
        ([(A, None), (A, b"2"), (A, None)], None), ([(A, b"1"), (A, None), (B, b"x"), (A, b"3")], b"3"),
        ([(A, None), (A, None)], None), ([(A, b"old")], b"old"),
    ],
)  # fmt: skip
def test_the_last_of_several_for_one_key_holds(store, written, left):
    """Puts and deletes of one key in one write count in their order."""
    store.put(A, b"old")
    store.write(written)
    assert store.get(A) == left
    assert store.count_estimate() == len(entries(store))


@pytest.mark.parametrize(
    "bad",
    [
        [(A, b"1"), (B, "text")], [(A, b"1"), ("b", b"2")], [(A, b"1"), ((), b"2")], [(A, b"1"), (B,)],
        [(A, b"1"), (B, b"2", b"3")], [(A, b"1"), None], [(A, b"1"), 5], [A], "ab", {"a": b"1"}, [(A, b"1"), (["b"], b"2")],
        [(A, b"1"), ((float("nan"),), b"2")], 5, None, [((object(),), None)],
    ],
    ids=lambda bad: str(bad).partition(" at 0x")[0],
)  # fmt: skip
def test_a_write_with_something_wrong_in_it_writes_nothing(store, bad):
    """One bad key, value or pair refuses the whole, in words, and the store is as it was."""
    store.put(B, b"old")
    with pytest.raises(errors.UsageError):
        store.write(bad)
    assert entries(store) == [(B, b"old")]
    with pytest.raises(errors.UsageError):
        store.partition("new").write(bad)
    assert store.partitions() == ["main"]


def test_an_error_of_the_caller_s_generator_comes_through(store):
    """What a generator raises is raised, and nothing was written."""

    def pairs():
        yield A, b"1"
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        store.write(pairs())
    assert entries(store) == []


def test_a_write_is_bounded(store, monkeypatch):
    """More bytes than one transaction may have are refused before anything is written; half of it is fine."""
    monkeypatch.setattr(limits, "STORE_WRITE_BYTES_MAX", 100_000)
    pairs = [((at,), b"x" * 1000) for at in range(100)]
    with pytest.raises(errors.UsageError, match="more than 100000 B in one write") as refused:
        store.write(pairs)
    assert "several parts" in refused.value.hint
    assert entries(store) == []
    store.write(pairs[:50])
    assert store.count_estimate() == 50
    with pytest.raises(errors.UsageError, match="in one write"):
        store.write_to({store: pairs[50:], store.partition("p"): pairs[:50]})
    assert store.count_estimate() == 50
    assert store.partition("p").count_estimate() == 0


def test_nothing_to_write_is_nothing(store):
    """Empty writes make no partition and no error."""
    store.write([])
    store.write({})
    store.write_to({})
    store.partition("p").write([])
    store.write_to({store.partition("p"): []})
    assert store.partitions() == []


# --- partitions -------------------------------------------------------------------------------------------------------


def test_partitions_do_not_see_each_other(store):
    """The same keys under several names are several entries; walks, clears and counts stay inside."""
    names = ["", "a", "b", "a\x00", "ä"][1:]
    for name in names:
        store.partition(name).write([(A, name.encode()), (B, b"2")])
    assert store.partitions() == sorted(names)
    for name in names:
        assert entries(store.partition(name)) == [(A, name.encode()), (B, b"2")]
        assert entries(store.partition(name), reverse=True) == [(B, b"2"), (A, name.encode())]
    assert store.partition("a").clear() == 2
    assert [store.partition(name).count_estimate() for name in names] == [0, 2, 2, 2]
    assert entries(store.partition("a")) == []
    assert entries(store) == []


def test_a_partition_begins_with_its_first_write(store):
    """Whatever only reads, deletes or is refused makes none."""
    unknown = store.partition("unknown")
    assert unknown.get(A) is None
    assert entries(unknown) == entries(unknown, reverse=True) == []
    assert unknown.get_many([A]) == [None]
    assert (unknown.count_estimate(), unknown.count_estimate(A), unknown.clear()) == (0, 0, 0)
    assert unknown.ranges(4) == [Range(None, None)]
    assert unknown.update_each(lambda _key, value: value).seen == 0
    unknown.delete(A)
    unknown.write([(A, None)])
    for refused in (lambda: unknown.put("a", b""), lambda: unknown.put(A, "b"), lambda: unknown.put((), b"")):
        with pytest.raises(errors.UsageError):
            refused()
    assert store.partitions() == []
    unknown.put(A, b"1")
    assert store.partitions() == ["unknown"]
    assert entries(store.partition("unknown")) == [(A, b"1")]


def test_a_walk_that_begins_before_the_partition_does(store):
    """A walk looks for its partition when it starts, not when it is made."""
    walk = store.partition("p").batches()
    store.partition("p").put(A, b"1")
    assert list(walk) == [[(A, b"1")]]


def test_two_of_one_name_are_one(store):
    """Partitions of the same name share their entries; the store's own is called main."""
    store.partition("p").put(A, b"1")
    assert store.partition("p").get(A) == b"1"
    store.partition("main").put(B, b"2")
    assert store.get(B) == b"2"


# --- where walks go ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 7, 100], ids=str)
def test_ranges_are_the_whole(store, count):
    """Ranges, walked one after the other, have every key once; there are at most so many, and of about one size."""
    keys = [("k", at) for at in range(1000)]
    store.write([(key, b"") for key in keys])
    ranges = store.ranges(count)
    assert len(ranges) == count
    found = [[key for key, _value in entries(store, start=start, stop=stop)] for start, stop in ranges]
    assert [key for part in found for key in part] == keys
    assert (ranges[0].start, ranges[-1].stop) == (None, None)
    assert max(map(len, found)) <= 1.1 * len(keys) / count + 1
    within = [
        key for part in store.ranges(count, ("k",)) for key, _value in entries(store, prefix=("k",), **part._asdict())
    ]
    assert within == keys


def test_ranges_have_what_comes_later(store):
    """Keys before the first and behind the last one belong to a range, too."""
    store.write([((at,), b"") for at in range(100, 200)])
    ranges = store.ranges(4)
    store.write([((at,), b"") for at in (0, 99, 200, 10**6)])
    found = [key[0] for part in ranges for key, _value in entries(store, **part._asdict())]
    assert found == [0, 99, *range(100, 200), 200, 10**6]


def test_there_are_no_more_ranges_than_entries(store):
    """Fewer ranges come back where there are fewer entries."""
    store.write([((at,), b"") for at in range(3)])
    assert len(store.ranges(10)) == 3
    store.clear()
    assert store.ranges(10) == [Range(None, None)]


def test_counts_are_exact_while_nothing_crashes(opened):
    """Puts, overwrites, deletes, clears and a reopening: the estimate is the number; with a prefix it always is."""
    store = opened()
    store.write([((at % 7, at), b"") for at in range(1000)])
    store.put((0, 0), b"again")
    store.delete((0, 7))
    store.delete((0, 7))
    store.partition("other").put(A, b"")
    assert (store.count_estimate(), store.count_estimate((1,))) == (999, 143)
    store.close()
    again = opened()
    assert (again.count_estimate(), again.count_estimate((0,)), again.count_estimate((9,))) == (999, 142, 0)
    assert again.clear() == 999
    assert again.count_estimate() == 0
    assert again.partition("other").count_estimate() == 1


# --- misuse -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["a", ["a"], b"a", 1, None, (), {"a"}, (["a"],), (float("nan"),)], ids=repr)
def test_what_is_no_key_is_refused_everywhere(store, key):
    """Every method that takes a key refuses what is none, on partitions that exist and on others."""
    for partition in (store, store.partition("unknown")):
        calls = [
            lambda it: it.get(key), lambda it: it.put(key, b""), lambda it: it.delete(key), lambda it: key in it,
            lambda it: it.get_many([key]), lambda it: it.write([(key, b"")]), lambda it: it.write([(key, None)]),
        ]  # fmt: skip
        if key != ():
            calls += [lambda it: it.batches(key), lambda it: it.ranges(2, key), lambda it: it.count_estimate(key)]
        if key not in ((), None):
            calls += [lambda it: it.batches(start=key), lambda it: it.batches(stop=key)]
        for call in calls:
            with pytest.raises(errors.UsageError, match=r"no key|no place"):
                call(partition)
        store.put(A, b"1")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rows": 0}, "rows=0"), ({"rows": -1}, "rows=-1"), ({"rows": 1.5}, "rows=1.5"), ({"rows": True}, "rows=True"),
        ({"rows": limits.STORE_BATCH_ROWS_MAX + 1}, "rows="), ({"rows": "5"}, "rows='5'"), ({"bytes": "x"}, "bytes"),
        ({"bytes": 0}, "bytes"), ({"bytes": -5}, "bytes"), ({"bytes": None}, "bytes"), ({"bytes": 1.5}, "bytes"),
    ],
    ids=str,
)  # fmt: skip
def test_a_bound_that_is_none_is_refused(store, options, said):
    """rows and bytes have to be positive numbers or sizes; the refusal comes before the walk."""
    for call in (store.batches, lambda **given: store.update_each(lambda _key, _value: None, **given)):
        with pytest.raises(errors.UsageError, match=said):
            call(**options)


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "4", None, limits.STORE_RANGES_MAX + 1], ids=str)
def test_a_number_of_ranges_that_is_none_is_refused(store, count):
    """ranges takes numbers from 1 to limits.STORE_RANGES_MAX."""
    with pytest.raises(errors.UsageError, match="count="):
        store.ranges(count)


def test_it_says_what_it_is(store):
    """The text of a partition names it, and its store's path."""
    partition = store.partition("p")
    assert repr(partition) == f"<Partition 'p' of {store.path!r}>"
    assert isinstance(store, Partition)
    assert repr(store) == f"<Store 'main' of {store.path!r}>"
    assert repr(Partition.DELETE) == "Store.DELETE"


@pytest.mark.parametrize("beyond", [0, 1])
def test_the_longest_key(store, beyond):
    """64 KiB as bytes, for put and write alike, before and after the partition was made; not one byte more."""
    key = ("k" * (limits.STORE_KEY_BYTES_MAX - 1 + beyond),)
    for _turn in range(2):
        if beyond:
            with pytest.raises(errors.UsageError, match="longer than"):
                store.put(key, b"1")
            with pytest.raises(errors.UsageError, match="longer than"):
                store.write([(key, b"2")])
            store.put(("other",), b"")
        else:
            store.put(key, b"1")
            store.write([(key, b"2")])
            assert store.get(key) == b"2"
