"""What reading an entry costs: by its key, several at once, and in the order of the keys a thousand at a time.

Keys have about 100 bytes, values 60. Everyone reads all entries; single keys come in a mixed order.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.case import Bar, Case, Run
from benchmarks.store import listing
from benchmarks.store.listing import SYNCED

BATCH_ROWS = 1000
GET, MANY, BATCHES = "Store.get", "Store.get_many, 1000", "Store.batches, 1000"
case = Case(
    "Reading all entries of a store of keys of 100 bytes and values of 60.",
    size=300_000,
    tiny=2_000,
    per="entry",
    unit="us",
    bars=(
        Bar("get takes at most 4 us", 4, "us", lambda outcome: 1e6 * outcome.seconds(GET)),
        Bar("batches takes at most 1 us an entry", 1, "us", lambda outcome: 1e6 * outcome.seconds(BATCHES)),
    ),
)


def keys_of(size: int, *, mixed: bool) -> list[str]:
    """All keys."""
    keys = [key for batch in listing.batches(listing.path(size), BATCH_ROWS) for key, _etag in batch]
    if mixed:
        random.Random(7).shuffle(keys)
    return keys


def filled(size: int, backend: str) -> Any:
    """A store with an entry for each file."""
    import flatwater as fw

    store = fw.Store(tempfile.mkdtemp(), backend=backend, sync="off")
    for batch in listing.batches(listing.path(size), BATCH_ROWS):
        store.write([((key,), listing.packed(key, etag, SYNCED)) for key, etag in batch])
    store.sync()
    return store


def get(backend: str, size: int) -> Run:
    store = filled(size, backend)
    keys = [(key,) for key in keys_of(size, mixed=True)]

    def run() -> None:
        read = store.get
        assert sum(len(read(key)) for key in keys) == 60 * size

    return run


def get_many(backend: str, size: int) -> Run:
    store = filled(size, backend)
    keys = [(key,) for key in keys_of(size, mixed=False)]

    def run() -> None:
        found = 0
        for first in range(0, size, BATCH_ROWS):
            found += sum(map(len, store.get_many(keys[first : first + BATCH_ROWS])))
        assert found == 60 * size

    return run


def batches(backend: str, size: int) -> Run:
    store = filled(size, backend)

    def run() -> None:
        assert sum(len(batch) for batch in store.batches(rows=BATCH_ROWS)) == size

    return run


CONTESTANTS: dict[str, Callable[[int], Run]] = {
    GET: partial(get, "lmdb"), MANY: partial(get_many, "lmdb"), BATCHES: partial(batches, "lmdb"),
    f"{GET}, RocksDB": partial(get, "rocksdb"), f"{MANY}, RocksDB": partial(get_many, "rocksdb"),
    f"{BATCHES}, RocksDB": partial(batches, "rocksdb"),
}  # fmt: skip
for name, setup in CONTESTANTS.items():
    case.contestant(name, needs=("rocksdict",) if "RocksDB" in name else ("lmdb",))(setup)


@case.contestant("lmdb, a transaction each", needs=("lmdb",))
def bare_lmdb(size: int) -> Run:
    environment, keys = _bare(size)
    keys = [key.encode() for key in keys_of(size, mixed=True)]

    def run() -> None:
        found = 0
        for key in keys:
            with environment.begin() as transaction:
                found += len(transaction.get(key))
        assert found == 60 * size

    return run


@case.contestant("lmdb, one cursor", needs=("lmdb",))
def bare_cursor(size: int) -> Run:
    environment, _keys = _bare(size)

    def run() -> None:
        with environment.begin() as transaction:
            assert sum(1 for _key, _value in transaction.cursor()) == size

    return run


def _bare(size: int) -> tuple[Any, list[str]]:
    import lmdb

    environment = lmdb.open(tempfile.mkdtemp(), map_size=1 << 30, sync=False, max_spare_txns=1)
    keys = keys_of(size, mixed=False)
    with environment.begin(write=True) as transaction:
        transaction.cursor().putmulti([(key.encode(), bytes(60)) for key in keys])
    return environment, keys
