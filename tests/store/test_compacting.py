"""Compacting gives back what deletions left, when a policy says that it pays, and changes no entry."""

from __future__ import annotations

import os

import pytest

from flatwater import errors, limits
from flatwater.store.compacting import Compacted, Policy, compacted
from flatwater.store.engines import base
from flatwater.store.store import Store

MIB = 1 << 20


def bytes_of(folder):
    return sum(
        os.path.getsize(os.path.join(where, name)) for where, _folders, names in os.walk(folder) for name in names
    )


def entries(partition):
    return [pair for batch in partition.batches() for pair in batch]


# --- the policy -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used", "whole", "policy", "reason"),
    [
        (70, 100, Policy(0.3, 1), "30% of the file are free"), (71, 100, Policy(0.3, 1), ""),
        (0, 100, Policy(0.3, 100), "100% of the file are free"), (0, 100, Policy(0.3, 101), ""),
        (100, 100, Policy(0.0, 1), ""), (110, 100, Policy(0.0, 1), ""), (0, 0, Policy(0.0, 1), ""), (99, 100, Policy(0, 0), "1% of the file are free"),
    ],
    ids=str,
)  # fmt: skip
def test_a_policy_looks_at_share_and_bytes(used, whole, policy, reason):
    """It pays if both enough of the file and enough bytes are free."""
    assert policy.reason(base.Room(file_bytes=whole, used_bytes=used, entries=0)) == reason


def test_an_empty_store_is_no_reason():
    """A file without a byte is divided by nothing."""
    assert Policy(0.0, 0).reason(base.Room(file_bytes=0, used_bytes=0, entries=0)) == ""


@pytest.mark.parametrize("share", [-0.1, 1, 1.5, float("nan"), "0.2", None, True], ids=str)
def test_a_share_that_is_none_is_refused(share):
    """free_share is a number from 0 up to, and without, 1."""
    with pytest.raises(errors.UsageError, match="is no share"):
        Policy(free_share=share)


@pytest.mark.parametrize("least", [-1, 1.5, "1 MX", None], ids=str)
def test_bytes_that_are_none_are_refused(least):
    """bytes_min is a number of bytes."""
    with pytest.raises(errors.UsageError, match="bytes_min"):
        Policy(bytes_min=least)


def test_bytes_may_be_a_text():
    """As sizes are everywhere."""
    assert Policy(bytes_min="1 MiB") == Policy(bytes_min=MIB)


def test_the_default_policy_is_the_limits():
    """Without arguments it is what limits.py says."""
    assert Policy() == Policy(limits.STORE_COMPACT_SHARE, limits.STORE_COMPACT_BYTES_MIN)


def test_a_policy_that_says_no_touches_nothing():
    """Neither the engine nor the lock is asked for, and the result says why not."""

    class Engine:
        def room(self):
            return base.Room(file_bytes=10 * MIB, used_bytes=9 * MIB, entries=1)

    done = compacted(Engine(), None, Policy())
    assert done == Compacted(is_done=False, reason="only 1.0 MiB are free", before_bytes=10 * MIB, after_bytes=10 * MIB)
    assert str(done) == "not compacted: only 1.0 MiB are free"


# --- a store ----------------------------------------------------------------------------------------------------------


def test_a_mass_delete_comes_back(store):
    """After 60 % of the entries are deleted, the policy finds it worth while, and the files are smaller by a third at least."""
    store.write([((at,), os.urandom(1000)) for at in range(6000)])
    store.sync()
    store.compact()
    assert not store.compact(Policy()).is_done
    kept = [pair for pair in entries(store) if pair[0][0] % 5 < 2]
    store.update_each(lambda key, _value: None if key[0] % 5 < 2 else Store.DELETE)
    if store.backend == "lmdb":  # RocksDB does not know what its deletions hide; asked for without a policy, it does it
        assert Policy().reason(store._space.engine.room())
        done = store.compact(Policy())
        assert "of the file are free" in done.reason
    else:
        done = store.compact()
    assert done.is_done
    assert done.after_bytes < 0.67 * done.before_bytes
    assert bytes_of(store.path) < 4 * MIB
    assert str(done).startswith("compacted, because")
    assert entries(store) == kept
    assert store.count_estimate() == len(kept) == 2400
    assert store.check() == []


def test_compacting_twice_changes_nothing(store):
    """The second time there is nothing to give back, and the size stays about what it was."""
    store.write([((at,), b"x" * 1000) for at in range(1000)])
    first, second = store.compact(), store.compact()
    assert second.after_bytes <= first.after_bytes * 1.1
    assert second.reason == "it was asked for"


def test_an_empty_store_can_be_compacted(store):
    """So can one whose entries are all gone."""
    assert store.compact().is_done
    store.write([((at,), b"x" * 1000) for at in range(1000)])
    assert store.clear() == 1000
    assert store.compact().is_done
    assert entries(store) == []
    store.put((1,), b"again")
    assert entries(store) == [((1,), b"again")]


def test_walks_and_partitions_go_on(store):
    """A walk in the middle, and partitions taken before, do not notice."""
    part = store.partition("p")
    part.write([((at,), b"x") for at in range(100)])
    walk = part.batches(rows=10)
    got = []
    for batch in walk:
        got += batch
        store.compact()
        part.put((1000 + batch[0][0][0],), b"new")
    assert [key[0] for key, _value in got if key[0] < 1000] == list(range(100))
    assert part.count_estimate() == len(entries(part))


def test_what_was_written_survives_it(opened):
    """After compacting, closing and opening, every entry of every partition is there."""
    store = opened()
    wanted = {}
    for name in ("a", "b", "c"):
        wanted[name] = [((at,), name.encode() * at) for at in range(0, 5000, 97)]
        store.partition(name).write(wanted[name])
    store.compact()
    store.close()
    again = opened()
    assert {name: entries(again.partition(name)) for name in again.partitions()} == wanted


def test_what_is_no_policy(opened):
    """A number is refused, with what it could have meant."""
    with pytest.raises(errors.UsageError, match="free_share"):
        opened().compact(0.2)
