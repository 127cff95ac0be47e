"""Memory is predicted before it happens: the sum with a family for each table, and the one that does not depend on tables."""

from __future__ import annotations

import json

import pytest

from flatwater import errors, limits
from flatwater.store.engines.rocksdb_options import Tuning
from flatwater.store.explaining import amount, explain


def test_fifty_tables_with_families_of_their_own_take_ten_gigabytes():
    """64 MB x 3 x 50 = 9.6 GB of write buffers, and 8 MB x 50 = 400 MB of caches."""
    found = explain("rocksdb", 50, per_table_families=True)
    assert [line.bytes for line in found.lines] == [9_600_000_000, 400_000_000]
    assert "9.6 GB" in str(found)
    assert "50 families x 3 buffers x 64.0 MB" in str(found)


def test_a_thousand_families_of_16_mb_take_16_gb_and_one_that_is_shared_48_mb():
    """The same setting, per table and shared."""
    own = explain(
        "rocksdb", 1_000, per_table_families=True, options={"write_buffer_size": "16 MB", "max_write_buffers": 1}
    )
    assert own.lines[0].bytes == 16_000_000_000
    shared = explain("rocksdb", 1_000, options={"write_buffer_size": "16 MB", "max_write_buffers": 3})
    assert shared.lines[0].bytes == 48_000_000
    assert "48.0 MB" in str(shared)


def test_with_a_shared_cache_the_caches_are_one():
    """block_cache_size is the one cache of all families."""
    found = explain("rocksdb", 50, per_table_families=True, options={"block_cache_size": "128 MiB"})
    assert found.lines[1].bytes == 128 << 20


@pytest.mark.parametrize("options", [None, {"block_cache_size": "128 MiB", "max_open_files": 1_000}])
def test_ours_is_what_an_engine_promises_whatever_the_number_of_tables(options):
    """Its lines add up to the engine's own bound."""
    totals = {explain("rocksdb", tables, options=options).total for tables in (1, 50, 1_000, 1_000_000)}
    assert totals == {Tuning.of(options).bytes_max()}


def test_lmdb_takes_its_pages_of_one_transaction():
    """A few MiB, whatever the number of tables."""
    found = explain("lmdb", 1_000)
    assert found.total == explain("lmdb", 1).total
    assert limits.STORE_LMDB_BYTES < found.total < 40 << 20


def test_it_turns_into_json_and_a_table():
    """Every line in both, and the sum."""
    found = explain("rocksdb", 7)
    made = json.loads(json.dumps(found.to_dict()))
    assert made["total"] == sum(line["bytes"] for line in made["lines"]) == found.total
    for line in found.lines:
        assert line.holder in str(found)
        assert line.computed in str(found)
    assert "7 tables" in str(found)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("bbolt", 1), {}, "is not known"),
        (("rocksdb", 0), {}, "is no whole number"),
        (("rocksdb", True), {}, "is no whole number"),
        (("lmdb", 1), {"options": {"max_open_files": 100}}, "are RocksDB's"),
        (("lmdb", 1), {"per_table_families": True}, "are RocksDB's"),
        (("rocksdb", 1), {"options": {"x": 1}}, "'x' is no option"),
        (("rocksdb", 1), {"per_table_families": True, "options": {"x": 1}}, "'x' is no option"),
        (("rocksdb", 1), {"per_table_families": True, "options": {"max_write_buffers": 0}}, "from 1 on"),
    ],
)
def test_what_cannot_be_is_refused(arguments, options, words):
    """As opening such a store would be."""
    with pytest.raises(errors.UsageError, match=words):
        explain(*arguments, **options)


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (64_000_000, "64.0 MB")])
def test_amounts_are_in_powers_of_1000(count, text):
    """As in RocksDB's documents."""
    assert amount(count) == text


def test_it_is_what_a_store_promises(opened):
    """The sum for LMDB is that of an open store, to the byte."""
    store = opened()
    if store.backend == "lmdb":
        assert explain("lmdb", 1000).total == store.bytes_max()
