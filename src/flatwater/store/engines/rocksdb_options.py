"""How a RocksDB engine divides its memory, and the five keys that change it.

Covers:     the keys and their defaults, fitting them into a small budget, the sum that is promised, RocksDB's own options.
Not here:   the engine (`engines.rocksdb`), what it would be with a family for each table (`store.explaining`).
Holds:      one cache, which blocks, indexes, filters and write buffers share.

Everything that grows with the data is charged to one cache: blocks of data, index and filter blocks, and through the
write-buffer manager the write buffers, too. What stands outside of it is named in `Tuning.bytes_max`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, final

from flatwater import errors, limits, units
from flatwater.units import KIB, MIB

if TYPE_CHECKING:
    import rocksdict

KEYS: Final = ("write_buffer_size", "max_write_buffers", "block_cache_size", "max_background_jobs", "max_open_files")

BLOCK_CACHE_BYTES: Final = limits.ROCKSDB_CACHE_BYTES
WRITE_BUFFER_BYTES: Final = limits.ROCKSDB_WRITE_BUFFER_BYTES
WRITE_BUFFER_BYTES_MIN: Final = 64 * KIB  # RocksDB takes no smaller one
WRITE_BUFFERS: Final = limits.ROCKSDB_WRITE_BUFFERS
WRITE_BUFFERS_MIN: Final = 2  # with one, each flush stops all writers
WRITE_BUFFERS_MAX: Final = 64  # more is no buffer but a store in memory
BACKGROUND_JOBS: Final = limits.ROCKSDB_BACKGROUND_JOBS
BACKGROUND_JOBS_MAX: Final = 64  # threads
OPEN_FILES: Final = limits.ROCKSDB_OPEN_FILES
OPEN_FILES_MIN: Final = 16  # RocksDB keeps ten for itself
OPEN_FILES_MAX: Final = 100_000  # a process may rarely open more
BLOCKS_BYTES_MIN: Final = 1 * MIB  # of the cache for blocks: below, index and filter blocks push each other out
BLOCKS_BYTES: Final = 16 * MIB  # the same where the write buffers are given and the cache is not

TABLE_READER_BYTES: Final = 8 * KIB  # of one open file: its footer, properties, and the top of its index
JOB_BYTES: Final = 2 * MIB  # of a flush or compaction: a window of each file it reads, blocks, what it writes
READAHEAD_BYTES: Final = 64 * KIB  # of each file that a compaction reads
OUTPUT_BYTES: Final = 256 * KIB  # of a file being written, before it goes to the system
ENGINE_BYTES: Final = 4 * MIB  # of RocksDB itself: the library's data, threads, lists of files, the log's buffer
SLACK_DIVISOR: Final = 8  # malloc keeps about an eighth of the cache beside it: blocks are of all sizes
FILE_BYTES_MIN: Final = 1 * MIB  # of a table file; smaller ones make long lists of files
BUFFERS_PER_FILE: Final = 2  # a table file is as large as so many write buffers
FILE_GROWTH: Final = 4  # how much larger files are a level deeper: of each, RocksDB keeps about 1 KiB in memory
FILES_PER_LEVEL: Final = 4  # of the first sorted level; each one behind it has ten times as many
BLOCK_BYTES: Final = 4 * KIB  # of data, and of a part of an index or filter: read and cached as one
RESTART_ENTRIES: Final = 8  # entries between two keys written in full: fewer make a search short and a file longer
INDEX_RESTART_ENTRIES: Final = 16  # the same in an index, where keys that begin alike would be repeated
BLOOM_BITS: Final = 10  # for each key: one in a hundred files without it is looked into for nothing
FIRST_FILES_MAX: Final = 24  # as they were flushed, unsorted among each other: then writers wait for a compaction
LOG_BYTES: Final = 1 * MIB  # of RocksDB's own log for people; two are kept
MANIFEST_BYTES: Final = 4 * MIB  # of the list of files, before it is written anew
DENSE_WINDOW: Final = 1_024  # entries in a row, of which
DENSE_DELETED: Final = 512  # are deleted: such a file is compacted soon, for a walk has to step over each of them


@final
@dataclass(frozen=True, slots=True)
class Tuning:
    """What an engine takes in memory.

    Attributes:
        write_buffer_size: bytes of one write buffer; in the cache.
        max_write_buffers: how many there may be.
        block_cache_size: bytes of blocks, indexes, filters and write buffers together.
        max_background_jobs: flushes and compactions at a time.
        max_open_files: table files that stay open.
    """

    write_buffer_size: int = WRITE_BUFFER_BYTES
    max_write_buffers: int = WRITE_BUFFERS
    block_cache_size: int = BLOCK_CACHE_BYTES
    max_background_jobs: int = BACKGROUND_JOBS
    max_open_files: int = OPEN_FILES

    @classmethod
    def of(cls, options: Mapping[str, Any] | None = None, budget_bytes: int | None = None) -> Tuning:
        """From what a user gives; what is not given is made smaller where the budget is small.

        Args:
            options: the five keys; sizes as numbers or as "8 MiB".
            budget_bytes: that are free; the engine takes at most half of them, if it can. None: the defaults.

        Raises:
            UsageError: an unknown key, no size or number, or write buffers that do not fit into the cache.
        """
        given = _checked(options or {})
        tuning = _completed(cls(), given)
        divisor = 1
        while budget_bytes is not None and tuning.bytes_max() > budget_bytes // 2:
            divisor *= 2
            smaller = _completed(
                cls(
                    write_buffer_size=max(WRITE_BUFFER_BYTES // divisor, WRITE_BUFFER_BYTES_MIN * 4),
                    max_write_buffers=WRITE_BUFFERS_MIN,
                    block_cache_size=max(BLOCK_CACHE_BYTES // divisor, 2 * BLOCKS_BYTES_MIN),
                    max_background_jobs=BACKGROUND_JOBS,
                    max_open_files=max(OPEN_FILES // divisor, OPEN_FILES_MIN * 2),
                ),
                given,
            )
            if smaller == tuning:
                break  # the least: whether it fits is for the budget to say
            tuning = smaller
        return tuning

    @property
    def buffers_bytes(self) -> int:
        """Of all write buffers."""
        return self.write_buffer_size * self.max_write_buffers

    @property
    def blocks_bytes(self) -> int:
        """Of the cache, where all write buffers are full."""
        return self.block_cache_size - self.buffers_bytes

    @property
    def file_bytes(self) -> int:
        """Of a table file."""
        return max(FILE_BYTES_MIN, self.write_buffer_size * BUFFERS_PER_FILE)

    def bytes_max(self) -> int:
        """The most an engine holds in memory, in bytes, beside writes larger than a write buffer."""
        total = 0
        total += self.buffers_bytes  # write buffers, charged to the cache
        total += self.blocks_bytes  # the rest of the cache: blocks of data, indexes and filters
        total += self.block_cache_size // SLACK_DIVISOR  # what malloc keeps between blocks of all sizes
        total += self.write_bytes  # a write on its way
        total += self.max_open_files * TABLE_READER_BYTES  # table readers, outside of the cache
        total += self.max_background_jobs * self.job_bytes  # flushes and compactions at work
        total += ENGINE_BYTES  # RocksDB itself
        return total

    @property
    def write_bytes(self) -> int:
        """Of a write on its way: gathered once, and in a write buffer, which takes it whole even if it is smaller."""
        gathered = max(self.write_buffer_size, limits.STORE_COMMIT_BYTES)
        return gathered + gathered - self.write_buffer_size

    @property
    def job_bytes(self) -> int:
        """Of a flush or a compaction at work: it holds the index of the file that it writes until that is done."""
        return JOB_BYTES + self.file_bytes // 2


def _completed(tuning: Tuning, given: Mapping[str, int]) -> Tuning:
    """The same with what was given; a cache that was not given holds the write buffers in any case."""
    tuning = replace(tuning, **given)
    if "block_cache_size" in given:
        if tuning.blocks_bytes < BLOCKS_BYTES_MIN and not {"write_buffer_size", "max_write_buffers"} & {*given}:
            share = max(WRITE_BUFFER_BYTES_MIN, tuning.block_cache_size // 4 // tuning.max_write_buffers)
            tuning = replace(tuning, write_buffer_size=share)
        if tuning.blocks_bytes < BLOCKS_BYTES_MIN:
            buffers = units.format_bytes(tuning.buffers_bytes)
            raise errors.UsageError(
                f"block_cache_size of {units.format_bytes(tuning.block_cache_size)} does not hold "
                f"{tuning.max_write_buffers} write buffers, {buffers} in all, and "
                f"{units.format_bytes(BLOCKS_BYTES_MIN)} of blocks.",
                hint="Raise it, or lower write_buffer_size or max_write_buffers: they are charged to it.",
            )
    elif tuning.blocks_bytes < BLOCKS_BYTES_MIN:
        tuning = replace(tuning, block_cache_size=tuning.buffers_bytes + BLOCKS_BYTES)
    return tuning


def _checked(options: Mapping[str, Any]) -> dict[str, int]:
    if not isinstance(options, Mapping):
        raise errors.UsageError(f"options={options!r:.80} is no mapping.", hint=f"The keys are {', '.join(KEYS)}.")
    if unknown := [key for key in options if key not in KEYS]:
        raise errors.UsageError(f"{unknown[0]!r} is no option of RocksDB here.", hint=f"Take {', '.join(KEYS)}.")
    ranges = {
        "max_write_buffers": (WRITE_BUFFERS_MIN, WRITE_BUFFERS_MAX),
        "max_background_jobs": (1, BACKGROUND_JOBS_MAX),
        "max_open_files": (OPEN_FILES_MIN, OPEN_FILES_MAX),
    }
    least = {"write_buffer_size": WRITE_BUFFER_BYTES_MIN, "block_cache_size": BLOCKS_BYTES_MIN}
    found = {}
    for key, value in options.items():
        if key in least:
            found[key] = errors.bytes_of(value, what=key, least=least[key])
            continue
        low, high = ranges[key]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise errors.UsageError(f"{key}={value!r} is no number from {low} to {high}.")
        found[key] = value
    return found


@final
class Memory:
    """The cache of one engine, and the write-buffer manager that is charged to it."""

    def __init__(self, tuning: Tuning) -> None:
        import rocksdict  # here, because the arithmetic is asked for without it, too

        self.tuning = tuning
        self.cache = rocksdict.Cache(tuning.block_cache_size)
        self.buffers = rocksdict.WriteBufferManager.new_write_buffer_manager_with_cache(
            tuning.buffers_bytes,
            False,  # noqa: FBT003 - never wait in it: while the disk is full, nobody would ever be let go
            self.cache,
        )

    def shed(self) -> None:
        """Give up all blocks that nobody uses."""
        self.cache.set_capacity(0)
        self.cache.set_capacity(self.tuning.block_cache_size)

    def held(self) -> dict[str, int]:
        """Bytes by name; the write buffers and what is pinned are part of the cache."""
        return {
            "cache": self.cache.get_usage(),
            "cache, pinned": self.cache.get_pinned_usage(),
            "write buffers": self.buffers.get_usage(),
        }


def rocksdb_options(memory: Memory, *, create: bool, is_strict: bool) -> rocksdict.Options:
    """RocksDB's options.

    Args:
        memory: the cache, and how it is divided.
        create: the files are made.
        is_strict: damage in the middle of the write-ahead log is an error; else what stands behind it is dropped.
    """
    import rocksdict

    tuning = memory.tuning
    blocks = rocksdict.BlockBasedOptions()
    blocks.set_block_cache(memory.cache)
    blocks.set_block_size(BLOCK_BYTES)
    blocks.set_block_restart_interval(RESTART_ENTRIES)
    blocks.set_index_block_restart_interval(INDEX_RESTART_ENTRIES)
    blocks.set_format_version(5)
    blocks.set_bloom_filter(BLOOM_BITS, False)  # noqa: FBT003 - one filter of a file, not one of each block
    # An index and a filter in parts: a look-up loads 4 KiB of each, where the whole of a large file would push all else out.
    blocks.set_index_type(rocksdict.BlockBasedIndexType.two_level_index_search())
    blocks.set_partition_filters(True)
    blocks.set_metadata_block_size(BLOCK_BYTES)
    blocks.set_cache_index_and_filter_blocks(True)
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
    blocks.set_pin_top_level_index_and_filter(True)
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(create)
    options.set_block_based_table_factory(blocks)
    options.set_write_buffer_manager(memory.buffers)
    options.set_write_buffer_size(tuning.write_buffer_size)
    options.set_arena_block_size(
        max(4 * KIB, tuning.write_buffer_size // 64)
    )  # an empty write buffer takes one of these
    options.set_max_write_buffer_number(tuning.max_write_buffers)
    options.set_max_write_buffer_size_to_maintain(0)  # nothing is kept of what is on disk
    options.set_max_open_files(tuning.max_open_files)
    options.set_max_background_jobs(tuning.max_background_jobs)
    options.set_max_file_opening_threads(1)
    options.set_max_subcompactions(1)
    options.set_compaction_readahead_size(READAHEAD_BYTES)
    options.set_writable_file_max_buffer_size(OUTPUT_BYTES)
    options.set_target_file_size_base(tuning.file_bytes)
    options.set_target_file_size_multiplier(FILE_GROWTH)
    options.set_max_bytes_for_level_base(tuning.file_bytes * FILES_PER_LEVEL)
    options.set_level_compaction_dynamic_level_bytes(True)
    options.add_compact_on_deletion_collector_factory(DENSE_WINDOW, DENSE_DELETED, 0.0)
    options.set_compression_type(rocksdict.DBCompressionType.lz4())
    # Writers are stopped, by `RocksdbEngine`, or they are not: a write that is slowed down keeps Python's lock meanwhile.
    options.set_level_zero_slowdown_writes_trigger(FIRST_FILES_MAX)
    options.set_level_zero_stop_writes_trigger(FIRST_FILES_MAX)
    options.set_soft_pending_compaction_bytes_limit(0)
    options.set_max_total_wal_size(tuning.buffers_bytes)
    options.set_manifest_preallocation_size(64 * KIB)
    options.set_max_manifest_file_size(MANIFEST_BYTES)
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(LOG_BYTES)
    options.set_stats_dump_period_sec(0)
    options.set_stats_persist_period_sec(0)  # statistics of the past would be kept in memory
    modes = rocksdict.DBRecoveryMode
    options.set_wal_recovery_mode(modes.tolerate_corrupted_tail_records() if is_strict else modes.point_in_time())
    return options
