"""Memory is divided as promised: a sum without a term that grows with the data, and smaller in a small budget."""

from __future__ import annotations

import pytest

from flatwater import errors, limits
from flatwater.store.engines import rocksdb_options
from flatwater.store.engines.rocksdb_options import KEYS, Memory, Tuning
from flatwater.units import KIB, MIB


def test_without_options_it_is_modest():
    """A cache of 32 MiB that holds 12 MiB of write buffers; less than 64 MiB in all."""
    tuning = Tuning.of()
    assert tuning == Tuning.of({}, 1 << 40)
    assert tuning.block_cache_size == 32 * MIB
    assert tuning.buffers_bytes == 12 * MIB
    assert tuning.blocks_bytes == 20 * MIB
    assert tuning.bytes_max() <= 64 * MIB


def test_the_bound_is_the_sum_of_its_parts():
    """Each addend, computed by hand."""
    tuning = Tuning(
        write_buffer_size=8 * MIB,
        max_write_buffers=3,
        block_cache_size=64 * MIB,
        max_background_jobs=2,
        max_open_files=100,
    )
    jobs = 2 * (rocksdb_options.JOB_BYTES + 8 * MIB)  # a table file is as large as two write buffers
    readers = 100 * rocksdb_options.TABLE_READER_BYTES
    assert tuning.bytes_max() == 64 * MIB + 8 * MIB + 8 * MIB + readers + jobs + rocksdb_options.ENGINE_BYTES


@pytest.mark.parametrize("budget", [32 * MIB, 40 * MIB, 64 * MIB, 100 * MIB, 128 * MIB, 1 << 30])
def test_a_store_takes_at_most_half_of_a_budget(budget):
    """From 32 MiB on there is a division that fits."""
    assert Tuning.of(None, budget).bytes_max() <= budget // 2


def test_the_least_is_asked_for_where_nothing_fits():
    """In 1 MiB the budget refuses it, and says so; it is not made so small that it crawls."""
    tuning = Tuning.of(None, MIB)
    assert tuning == Tuning.of(None, 0)
    assert tuning.bytes_max() <= 16 * MIB
    assert tuning.blocks_bytes >= MIB


def test_a_write_that_is_larger_than_a_write_buffer_counts_twice():
    """What goes without asking the budget is gathered, and then in a write buffer as a whole."""
    tuning = Tuning(write_buffer_size=256 * KIB)
    assert tuning.write_bytes == 2 * limits.STORE_COMMIT_BYTES - 256 * KIB
    assert Tuning().write_bytes == Tuning().write_buffer_size


def test_what_was_given_is_not_made_smaller():
    """A small budget changes the other settings only."""
    tuning = Tuning.of({"block_cache_size": "64 MiB", "max_open_files": 1_000}, 32 * MIB)
    assert (tuning.block_cache_size, tuning.max_open_files) == (64 * MIB, 1_000)
    assert tuning.write_buffer_size < Tuning().write_buffer_size


def test_sizes_are_numbers_or_texts():
    """The five keys of the TOML file."""
    given = {
        "write_buffer_size": 8_388_608, "max_write_buffers": 3, "block_cache_size": "128 MiB", "max_background_jobs": 4,
        "max_open_files": 512,
    }  # fmt: skip
    assert tuple(given) == KEYS
    tuning = Tuning.of(given)
    assert tuning == Tuning(8 * MIB, 3, 128 * MIB, 4, 512)


def test_write_buffers_alone_make_the_cache_that_holds_them():
    """3 x 64 MiB of write buffers are charged to a cache that is larger than them."""
    tuning = Tuning.of({"write_buffer_size": "64 MiB", "max_write_buffers": 3})
    assert tuning.block_cache_size == 192 * MIB + rocksdb_options.BLOCKS_BYTES


def test_a_small_cache_alone_makes_write_buffers_that_fit():
    """A quarter of it."""
    tuning = Tuning.of({"block_cache_size": "4 MiB"})
    assert tuning.block_cache_size == 4 * MIB
    assert 512 * KIB <= tuning.buffers_bytes <= MIB


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cache": 1}, "'cache' is no option of RocksDB here. Take write_buffer_size,"),
        ({"write_buffer_size": "8 MX"}, "write_buffer_size"),
        ({"write_buffer_size": 10}, "least"),
        ({"write_buffer_size": True}, "write_buffer_size"),
        ({"max_write_buffers": 1}, "from 2 to 64"),
        ({"max_write_buffers": "3"}, "from 2 to 64"),
        ({"max_background_jobs": 0}, "from 1 to 64"),
        ({"max_open_files": -1}, "from 16"),
        (
            {"write_buffer_size": "16 MiB", "block_cache_size": "8 MiB"},
            "does not hold 3 write buffers, 48.0 MiB in all",
        ),
        ([("max_open_files", 20)], "is no mapping"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(options, words):
    """Unknown keys with those that are known, numbers with their range, buffers beyond their cache."""
    with pytest.raises(errors.UsageError, match=words):
        Tuning.of(options)


def test_nothing_means_without_a_bound():
    """Each key has an end."""
    for key in KEYS:
        with pytest.raises(errors.UsageError):
            Tuning.of({key: -1})


def test_memory_starts_empty_and_names_what_it_holds():
    """Before a database is open nothing is held."""
    memory = Memory(Tuning())
    assert memory.held() == {"cache": 0, "cache, pinned": 0, "write buffers": 0}
    memory.shed()
