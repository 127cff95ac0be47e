"""store.engines.lmdb_steps: pages within bytes and rows, and how full the leaves are."""

from __future__ import annotations

import lmdb
import pytest

from flatwater.store.engines import base, lmdb_steps

LOW, HIGH = b"k", b"l"


@pytest.fixture
def env(tmp_path):
    made = lmdb.open(str(tmp_path), map_size=1 << 28, sync=False)
    yield made
    made.close()


def fill(env, pairs):
    with env.begin(write=True) as txn:
        lmdb_steps.put_and_delete(txn, pairs)


def page(env, rows, bytes_max, *, reverse=False):
    with env.begin() as txn:
        return lmdb_steps.page(txn, LOW, HIGH, rows, bytes_max, page_bytes=4096, reverse=reverse)


def test_small_values_are_taken_at_once(env):
    """As many as asked for, and nothing far behind the end of the range."""
    fill(env, [(b"%s%04d" % (letter, at), b"v") for letter in (b"j", b"k", b"l") for at in range(2_000)])
    entries, is_last = page(env, 1000, 8 << 20)
    assert [key for key, _value in entries] == [b"k%04d" % at for at in range(1000)]
    assert not is_last
    entries, is_last = page(env, 1000, 8 << 20, reverse=True)
    assert [key for key, _value in entries] == [b"k%04d" % at for at in range(1999, 999, -1)]
    fill(env, [(b"k%04d" % at, None) for at in range(3, 2_000)])
    entries, is_last = page(env, 1000, 8 << 20)
    assert (len(entries), is_last) == (32, True)  # the first helping, and no more


def test_bytes_end_a_page(env):
    """With little room, fewer are taken than asked for, within the bytes."""
    fill(env, [(b"k%04d" % at, b"v" * 1_000) for at in range(500)])
    entries, is_last = page(env, 500, 200_000)
    size = sum(len(key) + len(value) + base.ENTRY_BYTES for key, value in entries)
    assert not is_last
    assert 100_000 < size <= 200_000


def test_large_values_are_weighed(env):
    """Where values lie on pages of their own, each is looked at before it is copied; one that is too large comes alone."""
    fill(env, [(b"k%d" % at, b"v" * 50_000) for at in range(10)] + [(b"l", b"behind")])
    assert page(env, 10, 100_000) is None
    with env.begin(buffers=True) as txn:
        entries, is_last = lmdb_steps.weighed(txn, LOW, HIGH, 10, 120_000, reverse=False)
        assert ([key for key, _value in entries], is_last) == ([b"k0", b"k1"], False)
        entries, is_last = lmdb_steps.weighed(txn, LOW, HIGH, 10, 1, reverse=True)
        assert ([key for key, _value in entries], is_last) == ([b"k9"], False)
        entries, is_last = lmdb_steps.weighed(txn, b"k8", HIGH, 10, 1 << 20, reverse=False)
        assert ([key for key, _value in entries], is_last) == ([b"k8", b"k9"], True)
        assert all(type(part) is bytes for entry in entries for part in entry)


def test_the_last_of_several_for_one_key_holds(env):
    """Put then delete, delete then put: in the order of the pairs."""
    fill(env, [(b"a", b"1"), (b"a", None), (b"b", None), (b"b", b"2"), (b"c", b"1"), (b"c", b"3")])
    with env.begin() as txn:
        assert (txn.get(b"a"), txn.get(b"b"), txn.get(b"c")) == (None, b"2", b"3")


@pytest.mark.parametrize(("size", "part"), [(60, 1 / 52), (1_000, 1 / 4), (1_400, 1 / 2), (50_000, 1 / 163)])
def test_a_sample_tells_the_part_of_a_leaf(env, size, part):
    """How many entries a full page has, values on pages of their own apart."""
    fill(env, [(b"k%06d" % at, b"v" * size) for at in range(300)])
    with env.begin(buffers=True) as txn:
        stat, found = lmdb_steps.sampled(txn)
    assert stat["entries"] == 300
    assert found == pytest.approx(part, rel=0.01)


def test_an_empty_file_has_no_part(env):
    """Nothing is divided by nothing."""
    with env.begin(buffers=True) as txn:
        assert lmdb_steps.sampled(txn)[1] == 0.0
