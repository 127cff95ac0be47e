"""Write to many tables in RocksDB: a column family for each, a few shared ones, and a store's partitions.

Covers:     the same rows in the three forms.
Not here:   what was measured, and what it means (`tour.lab.families`).
Holds:      `family_each` a write buffer for each table; `shared` one for each family; `partitions` what the store promised.
"""

from __future__ import annotations

from collections.abc import Iterator

import rocksdict

from flatwater.store.store import Store

IMPORTS = ("flatwater.store.engines.rocksdb", "rocksdict")
ROW_BYTES = 1_000
ROWS_EACH = 4_000  # 4 MB a table
ROWS_A_STEP = 500
BUFFER_BYTES, BUFFERS = 8 << 20, 2  # of each family
FAMILIES = ("user_tables", "shared_tables", "stream_tables")


def values() -> Iterator[bytes]:
    """Rows that do not compress, the same in every run."""
    import random

    source = random.Random(0)  # noqa: S311 - rows, no secrets
    while True:
        yield source.randbytes(ROW_BYTES)


def family_each(path: str, tables: int) -> int:
    """A column family for each table."""
    database = rocksdict.Rdict(path, _options())
    rows = values()
    families = [database.create_column_family(f"table_{table}", _options()) for table in range(tables)]
    for family in families:
        _fill(family, rows, b"")
    return _closed(database, tables)


def shared(path: str, tables: int) -> int:
    """The same options with three families; the table's name is in the key."""
    database = rocksdict.Rdict(path, _options())
    rows = values()
    families = [database.create_column_family(name, _options()) for name in FAMILIES]
    for table in range(tables):
        _fill(families[table % len(families)], rows, b"%06d/" % table)
    return _closed(database, tables)


def partitions(path: str, tables: int) -> int:
    """A store with a partition for each table."""
    rows = values()
    with Store(path, backend="rocksdb", sync="off") as store:
        for table in range(tables):
            partition = store.partition(f"table_{table}")
            for first in range(0, ROWS_EACH, ROWS_A_STEP):
                partition.write([((number,), next(rows)) for number in range(first, first + ROWS_A_STEP)])
    return tables * ROWS_EACH


def _options() -> rocksdict.Options:
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)  # noqa: FBT003 - the library's signature
    options.set_write_buffer_size(BUFFER_BYTES)
    options.set_max_write_buffer_number(BUFFERS)
    return options


def _fill(family: rocksdict.Rdict, rows: Iterator[bytes], front: bytes) -> None:
    for number in range(ROWS_EACH):
        family.put(front + number.to_bytes(8, "big"), next(rows))


def _closed(database: rocksdict.Rdict, tables: int) -> int:
    database.close()
    return tables * ROWS_EACH
