"""store.engines.lmdb_readers: read transactions that stay open are found, aged and told once."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys

import pytest

from flatwater import limits
from flatwater.store.engines import lmdb_readers
from flatwater.store.store import Store

READER = """
import sys, lmdb
env = lmdb.open(sys.argv[1], readonly=True, max_readers=16)
txn = env.begin()
print("open", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def clock(monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr(lmdb_readers.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def reading(tmp_path):
    """A store, and another process in the middle of a read transaction."""
    with Store(tmp_path / "s", sync="off") as store:
        store.put(("a",), b"1")
        other = subprocess.Popen(
            [sys.executable, "-c", READER, str(tmp_path / "s" / "lmdb")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert other.stdout.readline() == "open\n"
        yield store, other
        other.kill()
        other.wait()
        other.stdin.close()
        other.stdout.close()


def test_its_age_is_told(clock, reading, caplog):
    """From when it was first seen: in stats(), and in the log once it is old, once."""
    store, other = reading
    assert store.stats().readers == []  # nothing was committed since: it keeps nothing
    store.put(("a",), b"2")
    (reader,) = store.stats().readers
    assert (reader.process, reader.age_s, reader.commits_behind) == (other.pid, 0.0, 1)
    clock[0] += limits.STORE_READER_OLD_S + 5
    with caplog.at_level(logging.WARNING, logger="flatwater.store"):
        store.put(("a",), b"3")
        clock[0] += limits.STORE_READERS_PERIOD_S
        store.put(("a",), b"4")
    assert len(caplog.records) == 1
    assert f"process {other.pid} is open for 65 s" in caplog.text
    stats = store.stats()
    assert [old.process for old in stats.old_readers] == [other.pid]
    assert "(old: it keeps free room from being used)" in str(stats)


def test_one_that_was_killed_is_cleared(clock, reading):
    """A process that died in its transaction keeps nothing."""
    store, other = reading
    store.put(("a",), b"2")
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    assert store.stats().readers == []
