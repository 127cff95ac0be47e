"""store.engines.long_keys: keys that are cut in pieces behave as others do, in every way that an engine is used."""

from __future__ import annotations

import random

import pytest

from flatwater import errors, limits
from flatwater.store.engines import base
from flatwater.store.engines.lmdb import LmdbEngine
from flatwater.store.engines.long_keys import CUT, LongKeys
from flatwater.store.store import Store

HEAD = b"\x02\x02\x03"
END = HEAD + b"\xff"


@pytest.fixture
def engine(tmp_path):
    made = LongKeys(LmdbEngine(str(tmp_path), sync="off"))
    yield made
    made.close()


def everything(engine, low=HEAD, high=END, *, rows=1000, bytes_max=8 << 20, reverse=False):
    found = []
    while True:
        page = engine.page(low, high, rows=rows, bytes_max=bytes_max, reverse=reverse)
        assert len(page.entries) <= rows
        found += page.entries
        if page.is_last:
            return found
        assert page.entries
        last = page.entries[-1][0]
        low, high = (low, last) if reverse else (last + b"\x00", high)


@pytest.mark.parametrize("seed", range(12))
def test_it_is_a_sorted_dict(engine, seed):
    """Random writes, deletions, replacements, look-ups and walks, with keys around the cut and of several pieces."""
    source = random.Random(seed)
    fronts = [bytes(source.choices(b"ab", k=length)) for length in (470, 476, 477, 478, 500, 960)] + [b"x" * 477]
    model: dict[bytes, bytes] = {}

    def key():
        front = source.choice(fronts)[: source.choice([300, 476, 477, 478, 2_000])]
        return HEAD + front + bytes(source.choices(b"\x00ab\xff", k=source.choice([0, 0, 1, 2, 3, 10, 480, 1_000])))

    for _step in range(120):
        action = source.random()
        if action < 0.5:
            pairs = [(key(), None if source.random() < 0.3 else b"v" * source.choice([1, 50, 3_000])) for _ in range(4)]
            engine.write([(HEAD, pairs)])
            for each, value in pairs:
                if value is None:
                    model.pop(each, None)
                else:
                    model[each] = value
        elif action < 0.6:
            wanted = [key() for _ in range(4)]
            assert (
                engine.get_many(wanted) == [model.get(each) for each in wanted] == [engine.get(each) for each in wanted]
            )
        elif action < 0.7 and model:
            changed = sorted(source.sample(sorted(model), min(len(model), 5)))
            olds = [model[each] if source.random() < 0.8 else b"?" for each in changed]
            news = [source.choice([None, b"new"]) for _ in changed]
            _mark, missed = engine.replace(HEAD, changed, olds, news, base.UNKNOWN)
            assert missed == [at for at, each in enumerate(changed) if model[each] != olds[at]]
            for at, each in enumerate(changed):
                if at not in missed:
                    model.pop(each) if news[at] is None else model.update({each: news[at]})
        else:
            low, high = sorted([source.choice([HEAD, key()]), source.choice([END, key()])])
            reverse = source.random() < 0.5
            expected = sorted((item for item in model.items() if low <= item[0] < high), reverse=reverse)
            rows, bytes_max = source.choice([1, 2, 5, 1000]), source.choice([100, 2_000, 8_000, 8 << 20])
            assert everything(engine, low, high, rows=rows, bytes_max=bytes_max, reverse=reverse) == expected
            assert engine.count(HEAD, low, high) == len(expected)
    assert engine.count(HEAD, HEAD, END) == len(model)
    assert engine.check() == []


def test_a_front_without_keys_hides_nothing(engine):
    """Links whose last keys were deleted stay: a walk goes on behind them, in both directions."""
    long = [HEAD + bytes([number]) * 600 for number in range(65, 70)]
    engine.write([(HEAD, [(HEAD + b"@", b"first"), (HEAD + b"z", b"last"), *((key, b"") for key in long)])])
    engine.write([(HEAD, [(key, None) for key in long])])
    for rows in (1, 3, 1000):
        assert everything(engine, rows=rows) == [(HEAD + b"@", b"first"), (HEAD + b"z", b"last")]
        assert everything(engine, rows=rows, reverse=True) == [(HEAD + b"z", b"last"), (HEAD + b"@", b"first")]


def test_one_that_opens_later_sees_them(tmp_path):
    """Whether there are long keys is asked of the file, not remembered from writing them."""
    first = LongKeys(LmdbEngine(str(tmp_path), sync="off"))
    first.write([(HEAD, [(HEAD + b"k" * 2_000, b"v")])])
    first.close()
    second = LongKeys(LmdbEngine(str(tmp_path), sync="off"))
    assert everything(second) == [(HEAD + b"k" * 2_000, b"v")]
    second.close()


def test_one_that_begins_at_a_long_key(engine):
    """The first call of an engine may be a page from a long key on, to one, or a replacement: the links are found."""
    keys = [HEAD + b"k" * 600 + bytes([at]) for at in range(5)]
    engine.write([(HEAD, [(HEAD + b"a", b"0"), *((key, b"1") for key in keys)])])
    assert everything(LongKeys(engine._inner), low=keys[2]) == [(key, b"1") for key in keys[2:]]
    back = everything(LongKeys(engine._inner), high=keys[2], reverse=True)
    assert back == [(keys[1], b"1"), (keys[0], b"1"), (HEAD + b"a", b"0")]
    assert LongKeys(engine._inner).count(HEAD, keys[1], END) == 4
    assert LongKeys(engine._inner).replace(HEAD, keys[3:], [b"1", b"?"], [b"2", None], base.UNKNOWN)[1] == [1]
    assert engine.get_many(keys) == [b"1", b"1", b"1", b"2", b"1"]


def test_a_write_is_whole(engine):
    """Short and long keys of one write come together, and a mark says nothing about it: what is replaced is compared."""
    assert engine.write([(HEAD, [(HEAD + b"a", b"1"), (HEAD + b"b" * CUT, b"2")])]) == base.UNKNOWN
    assert [value for _key, value in everything(engine)] == [b"1", b"2"]


@pytest.mark.parametrize("backend", ["lmdb", "rocksdb"])
def test_keys_have_a_longest(tmp_path, backend):
    """Up to the limit a key is taken, beyond it refused with what to do: the same on both backends."""
    with Store(tmp_path / "s", backend=backend, sync="off") as store:
        longest = ("k" * (limits.STORE_KEY_BYTES_MAX - 1),)
        store.put(longest, b"there")
        assert next(store.batches()) == [(longest, b"there")]
        for write in (lambda key: store.put(key, b""), lambda key: store.write([(key, b"")])):
            with pytest.raises(errors.UsageError, match="is longer than 65536"):
                write((longest[0] + "k",))
        assert store.get((longest[0] + "k",)) is None


def test_the_first_long_key_comes_while_a_walk_looks(engine, monkeypatch):
    """A link that was written since it was looked for is no entry: the page is read again, through it."""
    engine.write([(HEAD, [(HEAD + b"a", b"1")])])
    below, is_first = engine._inner.page, True

    def page(*words, **options):
        nonlocal is_first
        if is_first:
            is_first = False
            engine.write([(HEAD, [(HEAD + b"k" * 600, b"long")])])
            engine._has_links = False  # another process has
        return below(*words, **options)

    monkeypatch.setattr(engine._inner, "page", page)
    assert everything(engine) == [(HEAD + b"a", b"1"), (HEAD + b"k" * 600, b"long")]


def test_what_is_read_at_once_is_of_one_version(engine, monkeypatch):
    """Whatever is written between two looks at LMDB: a page and a get_many have both keys of a transaction, or neither."""
    keys = [HEAD + b"k" * 600, HEAD + b"z"]
    engine.write([(HEAD, [(each, b"0") for each in keys])])
    read, turn = engine._inner._read, 0

    def between(call, **options):
        nonlocal turn
        turn += 1
        found = read(call, **options)
        monkeypatch.setattr(engine._inner, "_read", read)
        engine.write([(HEAD, [(each, b"%d" % turn) for each in keys])])
        monkeypatch.setattr(engine._inner, "_read", between)
        return found

    monkeypatch.setattr(engine._inner, "_read", between)
    for _try in range(5):
        assert len(set(engine.get_many(keys))) == 1
        assert len({value for _key, value in everything(engine)}) == 1
