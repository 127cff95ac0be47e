"""How much memory a store will take, before there is one.

Covers:     both backends; RocksDB as this package opens it, and as it is with a column family for each table.
Not here:   what an open store takes (`Store.stats`), the division itself (`engines.rocksdb_options`).
Holds:      the lines of one explanation.

The way not taken is here because it is the usual one: each table gets a column family, each family its own write buffers,
and the sum grows with the number of tables, though no single setting looks large.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

from flatwater import errors, limits
from flatwater.store.directory import BACKENDS
from flatwater.store.engines import rocksdb_options
from flatwater.store.engines.rocksdb_options import Tuning

MB: Final = 10**6  # of RocksDB's documents and of programs that are set up by them
FAMILY_WRITE_BUFFER_BYTES: Final = 64 * MB  # what a family has if nobody says otherwise
FAMILY_WRITE_BUFFERS: Final = 3  # one is written to, one on its way to the disk, one waiting for it
FAMILY_CACHE_BYTES: Final = 8 * MB  # of blocks, each family for itself, where no cache is shared


@final
@dataclass(frozen=True, slots=True)
class Line:
    """One addend.

    Attributes:
        holder: who holds the bytes.
        computed: how they are computed.
        bytes: how many, at most.
    """

    holder: str
    computed: str
    bytes: int


@final
@dataclass(frozen=True, slots=True)
class Explanation:
    """What a store would take, addend by addend.

    Attributes:
        backend: "lmdb" or "rocksdb".
        tables: how many tables, or partitions, it has.
        per_table_families: whether each has a column family of its own.
        lines: the addends.
        notes: what else there is to say.
    """

    backend: str
    tables: int
    per_table_families: bool
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """The sum, in bytes."""
        return sum(line.bytes for line in self.lines)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "backend": self.backend,
            "tables": self.tables,
            "per_table_families": self.per_table_families,
            "lines": [{"holder": line.holder, "computed": line.computed, "bytes": line.bytes} for line in self.lines],
            "total": self.total,
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        rows = [(line.holder, line.computed, amount(line.bytes)) for line in self.lines]
        of = f"{self.tables:,} table{'s' * (self.tables != 1)}"
        rows.append(("in all", of, amount(self.total)))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [
            f"{holder:<{widths[0]}}  {computed:<{widths[1]}}  {size:>{widths[2]}}" for holder, computed, size in rows
        ]
        lines.insert(-1, "-" * len(lines[-1]))
        return "\n".join([*lines, *self.notes])


def explain(
    backend: str, tables: int, *, per_table_families: bool = False, options: Mapping[str, Any] | None = None
) -> Explanation:
    """The most that a store with so many tables holds in memory.

    Args:
        backend: "lmdb" or "rocksdb".
        tables: tables, or partitions.
        per_table_families: as if each table had a column family of its own, with RocksDB's defaults where `options`
            name nothing; this package does not do it.
        options: of RocksDB, as `Store` takes them.

    Raises:
        UsageError: an unknown backend, no number of tables, options that `Store` would not take either.

    >>> print(explain("rocksdb", 50, per_table_families=True))  # doctest: +ELLIPSIS
    write buffers  50 families x 3 buffers x 64.0 MB   9.6 GB
    block caches   50 families x 8.0 MB              400.0 MB
    ---...
    in all         50 tables                          10.0 GB
    ...
    >>> explain("rocksdb", 1000).total == explain("rocksdb", 50).total
    True
    """
    if backend not in BACKENDS:
        raise errors.UsageError(f"backend={backend!r} is not known.", hint=f"Take one of {', '.join(BACKENDS)}.")
    errors.count_of(tables, what="tables", most=limits.STORE_PARTITIONS_MAX)
    if backend == "lmdb":
        if options or per_table_families:
            raise errors.UsageError("options and column families are RocksDB's.", hint="Take backend rocksdb.")
        lines, notes = _of_lmdb()
    elif per_table_families:
        lines, notes = _of_families(tables, options or {})
    else:
        lines, notes = _of_one_family(Tuning.of(options))
    return Explanation(backend, tables, per_table_families, tuple(lines), tuple(notes))


def _of_families(tables: int, options: Mapping[str, Any]) -> tuple[list[Line], list[str]]:
    if unknown := [key for key in options if key not in rocksdb_options.KEYS]:
        raise errors.UsageError(
            f"{unknown[0]!r} is no option of RocksDB here.", hint=f"Take {', '.join(rocksdb_options.KEYS)}."
        )
    Tuning.of(
        {key: options[key] for key in ("max_background_jobs", "max_open_files") if key in options}
    )  # refuses others
    buffer = errors.bytes_of(options.get("write_buffer_size", FAMILY_WRITE_BUFFER_BYTES), what="write_buffer_size")
    buffers = options.get("max_write_buffers", FAMILY_WRITE_BUFFERS)
    if isinstance(buffers, bool) or not isinstance(buffers, int) or buffers < 1:
        raise errors.UsageError(f"max_write_buffers={buffers!r} is no number from 1 on.")
    lines = [
        Line(
            "write buffers",
            f"{tables:,} families x {buffers} buffers x {amount(buffer)}",
            tables * buffers * buffer,
        )
    ]
    if "block_cache_size" in options:
        cache = errors.bytes_of(options["block_cache_size"], what="block_cache_size")
        lines.append(Line("block cache", f"{amount(cache)}, shared", cache))
    else:
        total = tables * FAMILY_CACHE_BYTES
        lines.append(Line("block caches", f"{tables:,} families x {amount(FAMILY_CACHE_BYTES)}", total))
    notes = [
        "Index and filter blocks are outside of these caches, and grow with the data.",
        "This is what such a program may take: it does when every table has been written to.",
    ]
    return lines, notes


def _of_one_family(tuning: Tuning) -> tuple[list[Line], list[str]]:
    """The addends of `Tuning.bytes_max`, in its order."""
    rows = rocksdb_options
    lines = [
        Line(
            "write buffers, in the cache",
            f"{tuning.max_write_buffers} buffers x {amount(tuning.write_buffer_size)}",
            tuning.buffers_bytes,
        ),
        Line("blocks, indexes, filters", f"the rest of {amount(tuning.block_cache_size)}", tuning.blocks_bytes),
        Line("between blocks", f"1/{rows.SLACK_DIVISOR} of the cache", tuning.block_cache_size // rows.SLACK_DIVISOR),
        Line("a write on its way", "what needs no reservation", tuning.write_bytes),
        Line(
            "table readers",
            f"{tuning.max_open_files} files x {amount(rows.TABLE_READER_BYTES)}",
            tuning.max_open_files * rows.TABLE_READER_BYTES,
        ),
        Line(
            "flushes and compactions",
            f"{tuning.max_background_jobs} jobs x {amount(tuning.job_bytes)}",
            tuning.max_background_jobs * tuning.job_bytes,
        ),
        Line("RocksDB itself", "fixed", rows.ENGINE_BYTES),
    ]
    return lines, ["All tables share one column family: the number of tables is in none of the lines."]


def _of_lmdb() -> tuple[list[Line], list[str]]:
    rows = limits.STORE_COMMIT_ROWS
    lines = [
        Line("LMDB itself", "fixed", limits.STORE_LMDB_BYTES),
        Line("pages of one transaction", f"2 x {rows} pages x {amount(mmap.PAGESIZE)}", 2 * rows * mmap.PAGESIZE),
        Line("large values in it", "fixed", limits.STORE_COMMIT_BYTES),
    ]
    return lines, ["Pages of the file are in the system's cache, which takes them back when others need the room."]


def amount(count: int) -> str:
    """Bytes in powers of 1000, as RocksDB's own documents have them."""
    for factor, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"
