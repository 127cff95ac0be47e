"""store.upgrades: a store of an older format is brought to this one, whatever kills the process meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from flatwater import errors
from flatwater.store import directory, keys, opening, upgrades
from flatwater.store.directory import Description, Directory
from flatwater.store.engines import lmdb_upkeep
from flatwater.store.engines.lmdb import LmdbEngine
from flatwater.store.space import Space
from flatwater.store.store import MAIN, Store

KEYS = [(f"{number:04d}" + "k" * size,) for number, size in enumerate([1, 100, 470, 475, 480, 485, 490, 500] * 40)]


@pytest.fixture
def old_store(tmp_path):
    """As format 1 wrote it: LMDB alone, keys of up to 511 bytes as they are."""
    path = tmp_path / "store"
    with_files = Directory(path, backend="lmdb", read_only=False, make=opening.make)
    engine = LmdbEngine(with_files.engine_path)
    head = Space(str(path), engine, None).made_head_of(MAIN)
    engine.write([(head, [(keys.encode(head, key), b"value of %d" % number) for number, key in enumerate(KEYS)])])
    # A key that looks like a link of format 2: 481 bytes, the last one 00.
    engine.write([(head, [(keys.encode(head, LINK_LIKE), b"12345678")])])
    assert len(keys.encode(head, LINK_LIKE)) == 481
    engine.close()
    with_files.describe(Description(format=1, backend="lmdb"))
    with_files.close()
    return path


LINK_LIKE = ("z" * 467, 0)  # 3 bytes of head, a tag, an end, and an int of 9 bytes that ends with 00
EXPECTED = {key: b"value of %d" % number for number, key in enumerate(KEYS)} | {LINK_LIKE: b"12345678"}


def contents(store):
    return dict(pair for batch in store.batches() for pair in batch)


def test_all_entries_are_there_afterwards(old_store):
    """In their order, by key and in a walk, with the right count; and the store says that it has this format."""
    with Store(old_store) as store:
        assert contents(store) == EXPECTED
        assert [store.get(key) for key in KEYS] == list(EXPECTED.values())[: len(KEYS)]
        assert store.count_estimate() == len(EXPECTED)
        assert store.stats().format == directory.FORMAT
        assert store.check() == []
        store.put(("a" * 5_000,), b"longer than format 1 took")
    with Store(old_store) as store:
        assert store.get(("a" * 5_000,)) == b"longer than format 1 took"
    assert sorted(os.listdir(old_store / "lmdb")) == ["data.mdb", "lock.mdb"]


def test_read_only_says_what_to_do(old_store):
    """Nothing is changed by one who only reads: it is refused, with the way out."""
    with pytest.raises(errors.BrokenError, match=r"has format 1.*Open it once for writing"):
        Store(old_store, read_only=True)


def test_a_newer_one_is_refused(old_store):
    """A store of a format that is not known is left alone, and the error names both."""
    (old_store / "store.json").write_text('{"store":"flatwater","format":99,"backend":"lmdb","more":[]}')
    with pytest.raises(errors.BrokenError, match=rf"format 99.*up to {directory.FORMAT}.*Upgrade flatwater"):
        Store(old_store)


@pytest.mark.parametrize("where", ["put_in_place", "describe"])
def test_a_killed_upgrade_is_done_again(old_store, where):
    """Killed before the new file is in place, or between that and the description: the next one to open it finishes."""
    program = f"""
import os, sys
from flatwater.store import upgrades
from flatwater.store.directory import Directory
from flatwater.store.engines import lmdb_upkeep
from flatwater.store.store import Store
target, name = {{"put_in_place": (lmdb_upkeep, "put_in_place"), "describe": (Directory, "describe")}}[{where!r}]
setattr(target, name, lambda *_: os._exit(9))
Store(sys.argv[1])
"""
    done = subprocess.run([sys.executable, "-c", program, str(old_store)], check=False)
    assert done.returncode == 9
    with Store(old_store) as store:
        assert contents(store) == EXPECTED
        assert store.stats().format == directory.FORMAT


def test_a_failed_upgrade_leaves_the_store(old_store, monkeypatch):
    """Without room for the second file, the store is as it was, and can be upgraded later."""

    def no_room(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lmdb_upkeep, "create", no_room)
    with pytest.raises(errors.BrokenError, match="could not be upgraded: no space left"):
        Store(old_store)
    monkeypatch.undo()
    assert not (old_store / "lmdb" / lmdb_upkeep.MAKING).exists()
    with Store(old_store) as store:
        assert contents(store) == EXPECTED


def test_a_store_of_this_format_is_left_alone(tmp_path, monkeypatch):
    """Nothing is written, and nobody is locked out."""
    Store(tmp_path / "s").close()
    before = (tmp_path / "s" / "store.json").stat().st_mtime_ns
    monkeypatch.setattr(upgrades, "_STEPS", {})
    Store(tmp_path / "s").close()
    assert (tmp_path / "s" / "store.json").stat().st_mtime_ns == before
