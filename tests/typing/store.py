"""What stores look like to a type checker; mypy reads this file, nothing runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

import flatwater as fw
from flatwater.store import Batches, Compacted, Partition, Policy, Range, Stats, Store, Updated


def check() -> None:
    """Every public name, as mypy sees it."""
    with fw.Store("folder", backend="rocksdb", sync="normal", type=dict, format="json", read_only=False) as store:
        assert_type(store, Store)
        assert_type(store.put(("a", 1), b"value"), None)
        assert_type(("a",) in store, bool)
        store.write([(("a", 1), b"value"), (("b",), None)])
        store.write({("a", 1): b"value"})
        store.write((("a", at), b"value") for at in range(3))
        part = store.partition("users", type=int)
        assert_type(part, Partition)
        store.write_to({part: [(("a",), 1)], store: [(("a",), b"")]})
        assert_type(store.partitions(), list[str])
        assert_type(part.get_many([("a",), ("b", 2.5, None)]), list[Any])
        walk = part.batches(("a",), bytes="1 MiB", rows=10, start=("a", 1), stop=None, reverse=True)
        assert_type(walk, Batches)
        for batch in walk:
            assert_type(batch, list[tuple[tuple[Any, ...], Any]])
        assert_type(walk.resume_key, tuple[Any, ...] | None)
        assert_type(walk.bytes_max(), int)
        assert_type(part.ranges(4), list[Range])
        assert_type(part.update_each(lambda _key, value: value or Store.DELETE, write_rows=10), Updated)
        assert_type(part.count_estimate(("a",)), int)
        assert_type(part.clear(), int)
        assert_type(store.compact(Policy(free_share=0.3)), Compacted)
        assert_type(store.check(), list[str])
        assert_type(store.stats(), Stats)
        store.backup(Path("copy"))
        store.trim()
        store.sync()


async def check_async() -> None:
    """The other face of a walk."""
    async with fw.Store("folder").batches() as walk:
        async for batch in walk:
            assert_type(batch, list[tuple[tuple[Any, ...], Any]])
