"""What a table costs in memory: partitions of a store, and column families of RocksDB, each written, walked and read.

The rows are the same in all: what is compared is into how many tables they are divided. Beside what was seen stands what
`flatwater store explain` predicts.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome

ROW_BYTES = 1_000
FEW, MANY, FAMILIES = 50, 1_000, 200
BUFFERS = {"write_buffer_size": 8 << 20, "max_write_buffers": 2, "block_cache_size": 8 << 20}


def anon(contestant: str, outcome: Outcome) -> float:
    """Peak of anonymous memory."""
    rounds = sorted(each["anon_peak_bytes"] for each in outcome.rounds[contestant])
    return float(rounds[len(rounds) // 2])


def ratio(backend: str) -> Callable[[Outcome], float]:
    """Memory of many partitions against that of few."""
    return lambda outcome: (
        anon(f"{backend}, {MANY:,} partitions", outcome) / anon(f"{backend}, {FEW} partitions", outcome)
    )


case = Case(
    "The same rows of 1 KB in few and in many tables: each is written, walked over and read.",
    size=100_000,
    tiny=2_000,
    per="row",
    unit="us",
    figures={"predicted_mb": "predicted MB"},
    bars=(
        Bar("LMDB: 1,000 partitions take at most 1.1 times the memory of 50", 1.1, "x", ratio("LMDB")),
        Bar("RocksDB: 1,000 partitions take at most 1.1 times the memory of 50", 1.1, "x", ratio("RocksDB")),
    ),
)


def rows() -> Iterator[bytes]:
    """That do not compress."""
    source = random.Random(7)
    while True:
        yield source.randbytes(ROW_BYTES)


def partitions(backend: str, tables: int, size: int) -> Run:
    """In a store."""
    import flatwater as fw
    from flatwater.store.explaining import explain

    store = fw.Store(tempfile.mkdtemp(), backend=backend, sync="off")
    each = max(1, size // tables)
    made = rows()

    def run() -> dict[str, float]:
        for table in range(tables):
            partition = store.partition(f"table_{table}")
            for first in range(0, each, 500):
                partition.write([((number,), next(made)) for number in range(first, min(first + 500, each))])
        for table in range(tables):
            partition = store.partition(f"table_{table}")
            assert sum(len(batch) for batch in partition.batches()) == each
            assert len(partition.get((each - 1,))) == ROW_BYTES
        return {"predicted_mb": explain(backend, tables).total / 1e6}

    return run


def families(tables: int, size: int) -> Run:
    """In RocksDB, a column family for each table."""
    import rocksdict

    from flatwater.store.explaining import explain

    def options() -> Any:
        found = rocksdict.Options(raw_mode=True)
        found.create_if_missing(True)  # noqa: FBT003 - the library's signature
        found.set_write_buffer_size(BUFFERS["write_buffer_size"])
        found.set_max_write_buffer_number(BUFFERS["max_write_buffers"])
        return found

    database = rocksdict.Rdict(tempfile.mkdtemp(), options())
    opened = [database.create_column_family(f"table_{table}", options()) for table in range(tables)]
    each = max(1, size // tables)
    made = rows()

    def run() -> dict[str, float]:
        for family in opened:
            for number in range(each):
                family.put(number.to_bytes(8, "big"), next(made))
        for family in opened:
            assert sum(1 for _key, _value in family.items()) == each
            assert len(family.get((each - 1).to_bytes(8, "big"))) == ROW_BYTES
        predicted = explain("rocksdb", tables, per_table_families=True, options=BUFFERS)
        return {"predicted_mb": predicted.total / 1e6}

    return run


for backend, title in (("lmdb", "LMDB"), ("rocksdb", "RocksDB")):
    for tables in (FEW, MANY):
        needs = ("rocksdict",) if backend == "rocksdb" else ("lmdb",)
        case.contestant(f"{title}, {tables:,} partitions", needs=needs)(partial(partitions, backend, tables))
for tables in (FEW, FAMILIES):
    case.contestant(f"RocksDB, {tables} column families of 2 x 8 MB", needs=("rocksdict",), rounds_max=1)(
        partial(families, tables)
    )
