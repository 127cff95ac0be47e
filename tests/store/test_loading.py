"""store.loading: a dump goes into a store batch by batch, and what is wrong with one is said by line."""

from __future__ import annotations

import pytest

import flatwater as fw
from flatwater import errors, limits
from flatwater.store import dumping, loading

HEAD = b'{"flatwater_dump":1}'


@pytest.fixture
def store(tmp_path):
    with fw.Store(tmp_path / "store", sync="off") as opened:
        yield opened


def entry(key, value='"value_text":"v"'):
    return f'{{"partition":"main","key":{key},{value}}}'.encode()


def keys_in(store):
    return [key for batch in store.batches() for key, _value in batch]


def end(count):
    return b'{"flatwater_dump_end":%d}' % count


def test_loading_again_does_no_harm(store, tmp_path):
    """The same dump twice is the same store; entries that it does not have stay."""
    store.write([((number,), b"old") for number in range(700)])
    lines = b"".join(dumping.dump(store)).splitlines()
    with fw.Store(tmp_path / "other", sync="off") as other:
        other.put(("mine",), b"mine")
        other.put((5,), b"new")
        for _turn in range(2):
            assert loading.Loading(other, lines).run() == 700
            assert other.get((5,)) == b"old"
            assert other.get(("mine",)) == b"mine"
            assert other.count_estimate() == 701


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"partition":"main","ke', "line 3 is broken"),
        (b"[]", "line 3 is broken"),
        (entry("[]"), "is no key"),
        (entry('"a"'), "has no key"),
        (entry("[[1]]"), "which no key can hold"),
        (entry('[{"float":"nan"}]'), "NaN has no place"),
        (entry('[{"uuid":"1"}]'), "which is no uuid"),
        (entry('[{"bytes":"?"}]'), "which is no bytes"),
        (entry('[{"datetime":"2026-13-01"}]'), "which is no datetime"),
        (entry('[{"complex":"1j"}]'), "one of the names"),
        (entry("[1e999]"), "line 3 is broken"),
        (entry("[" + "[" * 50_000 + "]" * 50_001), "line 3 is broken"),
        (entry("[1]", '"value_base64":"?"'), "line 3 is broken"),
        (entry("[1]", '"value":1,"value_text":""'), "several values"),
        (entry("[1]", '"valeu":1'), "unknown field"),
        (entry("[1]", '"value_msgpack":99999999999999999999'), "has a value that is none"),
        (b'{"partition":"main","key":[1],"value":"\xff"}', "has a value that is none"),
        (b'{"partition":"main","key":[1]}', "has no value"),
        (b'{"key":[1],"value":1}', "has no partition"),
        (b'{"partition":"","key":[1],"value":1}', "is no name of a partition"),
        (HEAD, "inside of another"),
    ],
    ids=range(21),
)
def test_a_broken_line_is_named(store, line, says):
    """It ends the load with its number; what stands in front of it is loaded, and nothing behind it."""
    work = loading.Loading(store, [HEAD, entry("[1]"), line, entry("[2]"), end(2)])
    with pytest.raises(loading.DumpBroken, match="line 3") as refused:
        work.run()
    assert says in str(refused.value)
    assert "Loaded: 1 entry in front of it" in refused.value.hint
    assert keys_in(store) == [(1,)]
    assert (work.entries, work.line) == (1, 3)


def test_a_name_in_the_dump_stays_harmless(store):
    """What a line calls its field does not reach a terminal as it is, nor at any length."""
    for name in ("\\u001b[2J", "x" * 100_000):
        line = f'{{"{name}":1}}'.encode()
        with pytest.raises(loading.DumpBroken) as refused:
            loading.Loading(store, [HEAD, line]).run()
        assert str(refused.value).isprintable()
        assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([HEAD, entry("[1]")], "line 2 is the last one"),
        ([HEAD, entry("[1]"), end(2)], "line 3 says that the dump had 2 entries, and 1 came"),
    ],
    ids=["cut off", "lines are missing"],
)
def test_a_dump_that_is_not_whole(store, lines, says):
    """One that was cut off at the end of a line, or lost lines, is told; what came is loaded; as a part it is good."""
    with pytest.raises(loading.DumpBroken, match=says) as refused:
        loading.Loading(store, lines).run()
    assert "is_part=True" in refused.value.hint
    assert keys_in(store) == [(1,)]
    assert loading.Loading(store, lines, is_part=True).run() == 1
    assert loading.Loading(store, lines[1:], is_part=True).run() == 1


def test_several_dumps_in_a_row(store):
    """Each has its own first and last line; an entry between them is refused."""
    first = [HEAD, entry("[1]"), b"", end(1)]
    assert loading.Loading(store, [*first, HEAD, entry("[2]"), entry("[3]"), end(2)]).run() == 3
    with pytest.raises(loading.DumpBroken, match="line 5 stands behind the end"):
        loading.Loading(store, [*first, entry("[2]")]).run()


@pytest.mark.parametrize(
    "lines", [[], [b""], [b"x"], [b"{}"], [entry("[1]")], [b'{"flatwater_dump":"1"}'], [b"\xff\xfe"]], ids=range(7)
)
def test_what_is_no_dump(store, lines):
    """It is refused before anything is written."""
    with pytest.raises(errors.UsageError, match="no dump"):
        loading.Loading(store, lines).run()
    assert store.partitions() == []


def test_a_newer_dump(store):
    """A version that is not known yet is refused with the way out."""
    with pytest.raises(errors.BrokenError, match="Upgrade flatwater"):
        loading.Loading(store, [b'{"flatwater_dump":2,"new":"field"}']).run()


def test_a_source_that_fails(store):
    """What came before its error is loaded."""

    def lines():
        yield from (HEAD, entry("[1]"))
        raise errors.BrokenError("the cable")

    work = loading.Loading(store, lines())
    with pytest.raises(errors.BrokenError, match="the cable"):
        work.run()
    assert (keys_in(store), work.entries) == ([(1,)], 1)


def test_batches_are_bounded(store, monkeypatch):
    """No write has more entries than asked for, or more bytes than a batch; a larger entry goes alone."""
    sizes = []

    def write(groups, *_more):
        sizes.append([len(value) for _head, pairs in groups for _key, value in pairs])

    monkeypatch.setattr(store._space, "write", write)
    large = dumping.BATCH_BYTES // 2
    values = [10] * 7 + [large] * 3 + [3 * large, 10]
    lines = [entry(f"[{number}]", f'"value_text":"{"x" * size}"') for number, size in enumerate(values)]
    loading.Loading(store, [HEAD, *lines, end(len(values))], rows=3).run()
    assert sizes == [[10] * 3, [10] * 3, [10, large], [large], [large], [3 * large], [10]]


def test_one_batch_of_several_partitions(store):
    """Lines of several partitions may be mixed; of several lines for one key, the last one holds."""
    lines = [
        f'{{"partition":"{name}","key":[1],"value_text":"{name}{turn}"}}'.encode() for turn in (1, 2) for name in "ab"
    ]
    loading.Loading(store, [HEAD, *lines, end(4)]).run()
    assert {name: store.partition(name).get((1,)) for name in store.partitions()} == {"a": b"a2", "b": b"b2"}


def test_its_bytes_are_the_budgets(store):
    """What it holds is reserved while it runs; where that does not fit, nothing is written."""
    with fw.Budget("100 KiB"), pytest.raises(errors.BudgetExceeded):
        loading.Loading(store, [HEAD, entry("[1]"), end(1)]).run()
    assert store.partitions() == []


def test_an_entry_that_this_store_does_not_take(store):
    """A key that is too long for it: its line is said, and what stands in front of it is loaded."""
    long = "k" * (limits.STORE_KEY_BYTES_MAX + 1)
    with pytest.raises(
        loading.DumpBroken, match=r"line 3 has a key of 65538 B, and 65536 is the most\. Loaded: 1 entry"
    ):
        loading.Loading(store, [HEAD, entry("[1]"), entry(f'["{long}"]'), end(2)]).run()
    assert keys_in(store) == [(1,)]


def test_a_part_of_a_dump_may_be_nothing(store):
    """A filter that found nothing leaves nothing to load, which is no error when a part was announced."""
    loading.Loading(store, [], is_part=True).run()
    assert keys_in(store) == []
    with pytest.raises(errors.UsageError, match="first line"):
        loading.Loading(store, []).run()
