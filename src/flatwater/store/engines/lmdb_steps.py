"""What is done inside of one LMDB transaction: a page of entries, a run of keys, puts and deletes.

Covers:     entries within bytes and rows, both directions, without weighing each where LMDB's own figures allow it.
Not here:   beginning and ending transactions (`engines.lmdb`).
Holds:      the page that is read.

A value of more than half a page lies on pages of its own, and LMDB counts these. Where there are none, a thousand entries
are smaller than a thousand half pages: they are taken at once, and need not be looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from flatwater import limits
from flatwater.store.engines import base

if TYPE_CHECKING:
    import lmdb

Txn: TypeAlias = "lmdb.Transaction[bytes]"
_TAKEN_MIN = 16  # entries taken at once; with room for fewer, a page ends
_PAGE_HEADER_BYTES = 16  # of each page of LMDB
_NODE_BYTES, _PLACE_BYTES = 10, 8  # of each entry in a leaf; of the place of a value on pages of its own
_SAMPLES, _SAMPLED_ENTRIES = 16, 64  # places, and entries looked at from each on
_SAMPLED_KEY_BYTES = 32  # of keys, from which places are made
_TAKEN_FIRST, _GROWTH = 32, 8  # how many the first time, and how many times more each time
_value_of = itemgetter(1)


def page(
    txn: Txn, low: bytes, high: bytes, rows: int, bytes_max: int, *, page_bytes: int, reverse: bool
) -> tuple[list[base.Raw], bool] | None:
    """Entries from the near end of a range on, perhaps some beyond it, and whether there are no more.

    None if values are so large that each has to be weighed.
    """
    entry_bytes = page_bytes // 2 + base.ENTRY_BYTES  # at most, but for values on pages of their own
    left = bytes_max - txn.stat()["overflow_pages"] * page_bytes
    if left < min(rows, _TAKEN_MIN) * entry_bytes:
        return None
    cursor = txn.cursor()
    entries: list[base.Raw] = []
    is_last = not _place(cursor, low, high, reverse=reverse)
    turns = cursor.iterprev() if reverse else cursor.iternext()
    at_once = _TAKEN_FIRST  # a small range is not read far beyond its end
    least = min(rows, _TAKEN_MIN) * entry_bytes
    while not is_last and len(entries) < rows and left >= least:
        wanted = min(rows - len(entries), left // entry_bytes, at_once)
        at_once *= _GROWTH
        taken = list(islice(turns, wanted))
        entries += taken
        is_last = len(taken) < wanted or (taken[-1][0] < low if reverse else taken[-1][0] >= high)
        if len(entries) < rows:
            left -= sum(len(key) + len(value) for key, value in taken) + base.ENTRY_BYTES * len(taken)
    return entries, is_last


def weighed(
    txn: lmdb.Transaction[Any], low: bytes, high: bytes, rows: int, bytes_max: int, *, reverse: bool
) -> tuple[list[base.Raw], bool]:
    """The same, one by one, in a transaction that gives views: a value is looked at before it is copied."""
    cursor = txn.cursor()
    entries: list[base.Raw] = []
    if not _place(cursor, low, high, reverse=reverse):
        return entries, True
    left = bytes_max
    for view, value in cursor.iterprev() if reverse else cursor.iternext():
        key = bytes(view)
        if key < low if reverse else key >= high:
            break
        left -= len(key) + len(value) + base.ENTRY_BYTES
        if (left < 0 and entries) or len(entries) == rows:
            return entries, False
        entries.append((key, bytes(value)))
    return entries, True


def _place(cursor: lmdb.Cursor[Any], low: bytes, high: bytes, *, reverse: bool) -> bool:
    """Put the cursor on the near end of a range; False if nothing is there."""
    if not reverse:
        return cursor.set_range(low)
    return cursor.prev() if cursor.set_range(high) else cursor.last()


def keys_of(txn: Txn, *, low: bytes) -> list[bytes]:
    """Keys from `low` on."""
    cursor = txn.cursor()
    return list(islice(cursor.iternext(values=False), limits.STORE_KEYS_AT_ONCE)) if cursor.set_range(low) else []


def sampled(txn: lmdb.Transaction[Any]) -> tuple[dict[str, int], float]:
    """LMDB's figures, and about which part of a full leaf an entry takes, from some of them in a transaction of views."""
    stat = cast("dict[str, int]", txn.stat())
    cursor = txn.cursor()
    if not cursor.first():
        return stat, 0.0
    first = bytes(cursor.key())
    cursor.last()
    last = bytes(cursor.key())
    low, high = (
        int.from_bytes(key[:_SAMPLED_KEY_BYTES].ljust(_SAMPLED_KEY_BYTES, b"\0"), "big") for key in (first, last)
    )
    places = [(low + (high - low) * part // _SAMPLES).to_bytes(_SAMPLED_KEY_BYTES, "big") for part in range(_SAMPLES)]
    taken, parts = 0, 0.0
    for place in [first, *places]:
        if cursor.set_range(place):
            for key, value in islice(cursor.iternext(), _SAMPLED_ENTRIES):
                is_apart = len(key) + len(value) > stat["psize"] // 2  # the leaf has only where it is
                size = _NODE_BYTES + len(key) + (_PLACE_BYTES if is_apart else len(value))
                parts += 1 / max(1, (stat["psize"] - _PAGE_HEADER_BYTES) // size)
                taken += 1
    return stat, parts / taken


def merged(groups: Sequence[base.Group]) -> Sequence[base.Group]:
    """One group for each partition, for `put_and_delete` to see all that is written to one key."""
    if len(groups) == len({head for head, _pairs in groups}):
        return groups
    by_head: dict[bytes, list[base.Write]] = {}
    for head, pairs in groups:
        by_head.setdefault(head, []).extend(pairs)
    return list(by_head.items())


def put_and_delete(txn: Txn, pairs: Sequence[base.Write], *, once: bool = False) -> None:
    """Write `pairs`; the value None deletes, and the last of several for one key holds. `once`: there are not several.

    Only that one is given to LMDB: of a large value that shrinks in one transaction it keeps the pages, and they would be
    missed when the file is checked.
    """
    if not once:
        last = dict(pairs)
        if len(last) < len(pairs):
            pairs = list(last.items())
    cursor = txn.cursor()
    if None not in map(_value_of, pairs):
        cursor.putmulti(cast("Sequence[base.Raw]", pairs))
        return
    for is_delete, run in groupby(pairs, _is_delete):
        if is_delete:
            for key, _none in run:
                txn.delete(key)
        else:
            cursor.putmulti(cast("Iterator[base.Raw]", run))


def _is_delete(pair: base.Write) -> bool:
    return pair[1] is None
