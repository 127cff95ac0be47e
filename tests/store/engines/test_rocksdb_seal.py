"""A log or MANIFEST that was cut off or taken away after a clean end is told before RocksDB forgets what stood there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

pytest.importorskip("rocksdict")

from flatwater import errors
from flatwater.store.engines import rocksdb_seal
from flatwater.store.store import Store


@pytest.fixture
def closed(tmp_path):
    """The engine's directory of a store that was closed, with table files and a log."""
    with Store(tmp_path / "s", backend="rocksdb") as store:
        for turn in range(4):
            store.write([((turn, at), bytes(100)) for at in range(500)])
            if turn < 3:
                store.trim()
    return tmp_path / "s" / "rocksdb"


def entries(path, **options):
    with Store(path.parent, **options) as store:
        return sum(map(len, store.batches()))


@pytest.mark.parametrize("left", [None, 0.0, 0.5, 0.99])
@pytest.mark.parametrize("read_only", [True, False])
def test_a_file_that_was_cut_off(closed, left, read_only):
    """It is named, nothing is opened or removed; with the file back, everything is there. A clean end leaves no log."""
    assert all(not each.stat().st_size for each in closed.glob("*.log"))
    (file,) = closed.glob("MANIFEST-*")
    kept, tables = file.read_bytes(), sorted(closed.glob("*.sst"))
    assert len(tables) >= 3
    assert len(kept) > 100
    if left is None:
        file.unlink()
    else:
        os.truncate(file, int(len(kept) * left))
    for _turn in range(2):
        with pytest.raises(errors.CorruptError, match=file.name):
            entries(closed, read_only=read_only)
    assert sorted(closed.glob("*.sst")) == tables
    file.write_bytes(kept)
    assert entries(closed, read_only=read_only) == 2000


def test_who_wants_what_is_left_can_have_it(closed):
    """As the hint says: without the seal, what the MANIFEST still names is there."""
    (file,) = closed.glob("MANIFEST-*")
    os.truncate(file, file.stat().st_size // 2)
    (closed / rocksdb_seal.SEAL).unlink()
    assert 0 <= entries(closed) < 2000


def test_a_log_is_in_the_seal(tmp_path):
    """Where a clean end could leave one: it is compared as the MANIFEST is."""
    (tmp_path / "000012.log").write_bytes(b"x" * 50)
    (tmp_path / "000013.log").write_bytes(b"")
    (tmp_path / "000014.sst").write_bytes(b"x")
    rocksdb_seal.put(str(tmp_path))
    rocksdb_seal.check(str(tmp_path), take=False)
    os.truncate(tmp_path / "000012.log", 49)
    (tmp_path / "000013.log").unlink()
    with pytest.raises(errors.CorruptError, match="has 49 B of 50"):
        rocksdb_seal.check(str(tmp_path), take=True)
    os.truncate(tmp_path / "000012.log", 50)
    rocksdb_seal.check(str(tmp_path), take=True)
    assert not (tmp_path / rocksdb_seal.SEAL).exists()
    rocksdb_seal.check(str(tmp_path), take=True)


def test_there_is_no_seal_while_it_is_open_and_after_a_crash(closed):
    """A torn end is right then: what was killed opens again."""
    program = (
        "import os, signal, sys\nfrom flatwater.store import Store\n"
        "store = Store(sys.argv[1])\nstore.put((9,), b'x')\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, closed.parent], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert not (closed / rocksdb_seal.SEAL).exists()
    assert entries(closed) == 2001
    assert (closed / rocksdb_seal.SEAL).exists()


def test_reading_leaves_the_seal_as_it_is(closed):
    """Also one that is broken itself, which says nothing."""
    before = (closed / rocksdb_seal.SEAL).read_bytes()
    assert entries(closed, read_only=True) == 2000
    assert (closed / rocksdb_seal.SEAL).read_bytes() == before
    (closed / rocksdb_seal.SEAL).write_bytes(before[:5])
    assert entries(closed) == 2000
