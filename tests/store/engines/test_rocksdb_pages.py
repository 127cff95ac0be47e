"""Pages of a range end where the range does, or where the bytes do, and never because something could not be read."""

from __future__ import annotations

import pytest
import rocksdict

from flatwater.store.engines import base, rocksdb_pages

KEYS = [b"k%03d" % at for at in range(200)]


@pytest.fixture
def db(tmp_path):
    opened = rocksdict.Rdict(str(tmp_path), rocksdict.Options(raw_mode=True))
    for key in KEYS:
        opened[key] = key * 2
    yield opened
    opened.close()


def ascending(db, low, high, rows, bytes_max, largest=400):
    return rocksdb_pages.ascending(db, low, high, rows, bytes_max, largest)


@pytest.mark.parametrize("read", [ascending, rocksdb_pages.descending])
def test_the_end_is_known_when_the_last_entry_came(db, read):
    """Fewer rows than asked for, or the first entry in reverse: nothing follows."""
    entries, is_last = read(db, b"k010", b"k020", 50, 1 << 20)
    assert sorted(key for key, _value in entries) == KEYS[10:20]
    assert is_last
    entries, is_last = read(db, b"k010", b"k020", 5, 1 << 20)
    assert len(entries) == 5
    assert not is_last
    assert read(db, b"x", b"y", 5, 1 << 20) == ([], True)
    assert read(db, b"k010", b"k010", 5, 1 << 20) == ([], True)


@pytest.mark.parametrize("read", [ascending, rocksdb_pages.descending])
def test_bytes_end_a_page_and_one_entry_always_fits(db, read):
    """Ten entries' bytes hold ten entries; one byte holds one."""
    each = len(KEYS[0]) * 3 + base.ENTRY_BYTES
    entries, is_last = read(db, b"k", b"l", 1_000, each * 10)
    assert len(entries) == 10
    assert not is_last
    assert len(read(db, b"k", b"l", 1_000, 1)[0]) == 1


def test_a_page_is_as_full_as_its_bytes_allow_whatever_an_entry_may_take(db):
    """Entries that may be large are weighed, and not counted at their largest."""
    entries, _is_last = ascending(db, b"k", b"l", 150, 1 << 20, largest=1 << 19)
    assert len(entries) == 150


def test_keys_come_in_pages_too(db, monkeypatch):
    """Each with whether it is the last one."""
    monkeypatch.setattr("flatwater.limits.STORE_KEYS_AT_ONCE", 150)
    assert rocksdb_pages.keys_of(db, b"k", b"l") == (KEYS[:150], False)
    assert rocksdb_pages.keys_of(db, KEYS[150], b"l") == (KEYS[150:], True)
    assert rocksdb_pages.keys_of(db, b"l", b"m") == ([], True)


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_samples_divide_keys_about_equally(parts):
    """To within 3 %, in pages of any size."""
    keys = [b"%06d" % at for at in range(10_000)]
    pages = [keys[at : at + 777] for at in range(0, 10_000, 777)]
    found = [b"", *base.divided(pages, parts), b"x"]
    counts = [sum(low <= key < high for key in keys) for low, high in zip(found, found[1:], strict=False)]  # noqa: RUF007
    assert len(counts) == parts
    assert max(counts) - min(counts) <= 10_000 / parts * 0.06


def test_fewer_keys_than_parts_are_a_part_each():
    """Nothing is divided that is not there."""
    assert base.divided([[b"a", b"b", b"c"]], 10) == [b"b", b"c"]
    assert base.divided([], 10) == []
