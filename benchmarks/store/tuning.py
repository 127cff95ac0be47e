"""How many entries to read and to write at a time: a pass that changes every entry, by the sizes of its batches."""

from __future__ import annotations

from functools import partial

from benchmarks.case import Case, Run
from benchmarks.store.listing import SYNCED, UNSEEN
from benchmarks.store.passes import loaded, measured

SIZES = ((500, 250), (1_000, 500), (5_000, 1_000), (10_000, 1_000))
case = Case(
    "A pass over a store that changes every entry, by how many are read and written at a time.",
    size=300_000,
    tiny=3_000,
    per="entry",
    unit="us",
    figures={"prepare_s": "CPU s", "file_mb": "file MB", "grown_pc": "file grew %"},
)


def marked(backend: str, sync: str, rows: int, write_rows: int, size: int) -> Run:
    """One pass."""
    store, home = loaded(size, backend, sync=sync)

    def prepare() -> None:
        done = store.update_each(
            lambda _key, value: value[:-1] + UNSEEN if value[-1:] == SYNCED else None, rows=rows, write_rows=write_rows
        )
        assert done.changed == size

    return measured(store, home, {"prepare_s": prepare})


for rows, write_rows in SIZES:
    name = f"LMDB, {rows:,}/{write_rows:,}"
    case.contestant(name, needs=("lmdb",))(partial(marked, "lmdb", "off", rows, write_rows))
for rows, write_rows in SIZES:
    name = f"RocksDB, {rows:,}/{write_rows:,}"
    case.contestant(name, needs=("rocksdict",))(partial(marked, "rocksdb", "off", rows, write_rows))
for rows, write_rows in SIZES:
    name = f"LMDB, full, {rows:,}/{write_rows:,}"
    case.contestant(name, needs=("lmdb",))(partial(marked, "lmdb", "full", rows, write_rows))
