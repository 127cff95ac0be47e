"""The figures of a store are true, can be read by people and programs, and tell who keeps room from being used."""

from __future__ import annotations

import json
import os
import re

from flatwater import limits
from flatwater.store.directory import FORMAT
from flatwater.store.engines import base
from flatwater.store.stats import Stats

MIB = 1 << 20


def made(**changes):
    figures = {
        "path": "s", "backend": "lmdb", "sync": "full", "format": 1, "file_bytes": 10 * MIB, "used_bytes": 4 * MIB,
        "entries": 1_234_567, "partitions": 3, "promised_bytes": 3 * MIB, "held": {"block cache": 2 * MIB},
        "readers": [], "notes": {"overflow_pages": 7, "depth": 3},
    }  # fmt: skip
    return Stats(**{**figures, **changes})


def test_the_figures_of_a_store(store, backend):
    """They count entries and partitions, the files' bytes, and what was promised to the budget."""
    assert store.stats().entries == 0
    store.write([((at,), os.urandom(1000)) for at in range(100)])  # what does not compress
    store.partition("p").write([((at,), os.urandom(1000)) for at in range(50)])
    store.sync()
    found = store.stats()
    assert (found.path, found.backend, found.sync, found.format) == (store.path, backend, "off", FORMAT)
    assert (found.entries, found.partitions) == (150, 2)
    assert found.promised_bytes == store.bytes_max()
    assert 150_000 < found.used_bytes <= found.file_bytes
    whole = sum(
        os.path.getsize(os.path.join(where, name)) for where, _dirs, names in os.walk(store.path) for name in names
    )
    assert found.file_bytes <= whole < found.file_bytes + 2 * MIB


def test_free_room_after_deletions(store, backend):
    """What was deleted is free, or gone from what is in use, after a compaction."""
    store.write([((at,), os.urandom(1000)) for at in range(3000)])
    store.sync()
    before = store.stats()
    store.clear()
    if backend == "lmdb":
        assert store.stats().free_bytes > before.free_bytes + 2_000_000
    store.compact()
    assert store.stats().file_bytes < before.file_bytes / 5


def test_nobody_reads_a_store_at_rest(store):
    """The look at the readers does not show itself; a walk that was left open between batches holds nothing."""
    store.write([((at,), b"") for at in range(100)])
    walk = store.batches(rows=10)
    next(walk)
    store.put((1,), b"")
    assert store.stats().readers == []


def test_the_table_is_for_people():
    """Every figure has a line, in units, with its name and a space in front of it."""
    text = str(made(readers=[base.Reader(123, 75.0, 4000), base.Reader(9, None, 0)]))
    assert "on disk     10.0 MiB, of which 6.0 MiB free" in text
    assert "entries     1,234,567 in 3 partitions" in text
    assert "promised    3.0 MiB of memory" in text
    assert "block cache" in text
    assert re.search(r"^overflow pages +7$", text, re.MULTILINE)
    assert "process 123, seen for 75 s, 4,000 commits behind  (old: " in text
    assert "process 9, 0 commits behind" in text


def test_old_readers_are_those_beyond_the_limit():
    """A read transaction is old from limits.STORE_READER_OLD_S on; one of unknown age is not."""
    ages = [limits.STORE_READER_OLD_S + 1, limits.STORE_READER_OLD_S, limits.STORE_READER_OLD_S - 1, None]
    found = made(readers=[base.Reader(at, age, 0) for at, age in enumerate(ages)])
    assert [reader.process for reader in found.old_readers] == [0, 1]


def test_the_dict_is_json(store):
    """to_dict() has all of it, and the free bytes, as JSON can say it."""
    store.put((1,), b"")
    found = json.loads(json.dumps(store.stats().to_dict()))
    assert found["entries"] == 1
    assert found["free_bytes"] == max(0, found["file_bytes"] - found["used_bytes"])
    assert set(found) == {*Stats.__slots__, "free_bytes"}
    odd = made(used_bytes=11 * MIB, readers=[base.Reader(1, None, 2)])
    assert odd.free_bytes == 0
    assert odd.to_dict()["readers"] == [{"process": 1, "age_s": None, "commits_behind": 2}]
