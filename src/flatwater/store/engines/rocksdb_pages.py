"""Entries and keys of a range, in RocksDB, through iterators that do not outlive the call.

Covers:     pages bounded by rows and bytes, ascending and descending; keys alone; why an iterator ended; batches of writes.
Not here:   who may read when, and versions (`engines.rocksdb`).
Holds:      the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Any

import rocksdict

from flatwater import limits
from flatwater.store.engines import base


def ascending(
    db: rocksdict.Rdict, low: bytes, high: bytes, rows: int, bytes_max: int, entry_bytes: int
) -> tuple[list[base.Raw], bool]:
    """Entries from `low` on, and whether nothing follows. No entry takes more than `entry_bytes`."""
    reading = _until(high)
    items: Any = db.items(from_key=low, read_opt=reading)
    entries: list[base.Raw] = []
    left = bytes_max
    wanted = rows
    while wanted:
        count = min(wanted, max(1, left // entry_bytes))  # so many fit, whatever they are
        chunk = list(islice(items, count))
        is_end = len(chunk) < count
        if count < rows or wanted < rows:
            left -= sum(map(len, chain.from_iterable(chunk))) + base.ENTRY_BYTES * len(chunk)
            if left < 0 and entries:  # the one entry that does not fit any more
                return entries, False
        entries += chunk
        wanted -= count
        if is_end:
            return entries, _is_end(db, entries[-1][0] + b"\x00" if entries else low, high)
        if left <= 0:
            break
    return entries, False


def descending(db: rocksdict.Rdict, low: bytes, high: bytes, rows: int, bytes_max: int) -> tuple[list[base.Raw], bool]:
    """Entries from the end on, one by one: RocksDB has no lower bound here, and below the first one it is not to go on."""
    reading = _until(high)
    cursor = db.iter(reading)
    cursor.seek(low)
    first = cursor.key()
    if first is None:
        cursor.status()
        return [], True
    entries: list[base.Raw] = []
    left = bytes_max
    cursor.seek_for_prev(high)
    while (key := cursor.key()) is not None:
        value = cursor.value()
        left -= len(key) + len(value) + base.ENTRY_BYTES
        if left < 0 and entries:
            return entries, False
        entries.append((key, value))
        if key == first:
            return entries, True
        if len(entries) == rows or left <= 0:
            return entries, False
        cursor.prev()
    cursor.status()
    return entries, True


def keys_of(db: rocksdict.Rdict, low: bytes, high: bytes) -> tuple[list[bytes], bool]:
    """Some keys from `low` on, and whether nothing follows."""
    reading = _until(high)
    found: Any = db.keys(from_key=low, read_opt=reading)
    keys: list[bytes] = list(islice(found, limits.STORE_KEYS_AT_ONCE))
    if len(keys) == limits.STORE_KEYS_AT_ONCE:
        return keys, False
    return keys, _is_end(db, keys[-1] + b"\x00" if keys else low, high)


def _until(high: bytes) -> rocksdict.ReadOptions:
    reading = rocksdict.ReadOptions()
    reading.set_iterate_upper_bound(high)
    return reading


def _is_end(db: rocksdict.Rdict, low: bytes, high: bytes) -> bool:
    """Whether nothing follows indeed: an iterator that cannot read on ends as one that has nothing to read."""
    reading = _until(high)
    cursor = db.iter(reading)
    cursor.seek(low)
    if cursor.valid():
        return False
    cursor.status()  # raises what is wrong
    return True


def counted(pages: Iterable[list[bytes]], enough: int | None) -> int:
    """How many keys there are; more than `enough` may be less than all."""
    count = 0
    for keys in pages:
        count += len(keys)
        if enough is not None and count > enough:
            break
    return count


def batch_of(runs: Sequence[Sequence[base.Write]]) -> tuple[rocksdict.WriteBatch, int]:
    """What writes `runs` at once, and the bytes of the largest entry that is put."""
    batch = rocksdict.WriteBatch(raw_mode=True)
    put, delete = batch.put, batch.delete
    largest = 0
    for key, value in chain.from_iterable(runs):
        if value is None:
            delete(key)
            continue
        put(key, value)
        largest = max(largest, len(key) + len(value))
    return batch, largest
