"""store.engines.lmdb_counts: how many entries a partition has, noted with other changes."""

from __future__ import annotations

import os
import subprocess
import sys

from flatwater.store.engines.lmdb import LmdbEngine

HEAD, OTHER = b"\x02\x02\x03", b"\x02\x02\x04"


def opened(path):
    return LmdbEngine(str(path), sync="off")


def count(engine, head):
    return engine.count(head, head, head + b"\xff")


def test_puts_and_deletes_are_counted(tmp_path):
    """New entries count, overwritten ones do not, deleted ones no more; each partition for itself."""
    engine = opened(tmp_path)
    engine.write([(HEAD, [(HEAD + bytes([at]), b"") for at in range(10)]), (OTHER, [(OTHER + b"a", b"")])])
    engine.write([(HEAD, [(HEAD + bytes([3]), b"again"), (HEAD + bytes([4]), None), (HEAD + b"none", None)])])
    assert (count(engine, HEAD), count(engine, OTHER)) == (9, 1)
    engine.close()
    engine = opened(tmp_path)
    assert (count(engine, HEAD), count(engine, OTHER)) == (9, 1)
    engine.close()


def test_a_crash_makes_it_a_little_worse(tmp_path):
    """What small commits added since the last note is lost with the process, and no more: large ones are noted at once."""
    program = f"""
import os, sys
from flatwater.store.engines.lmdb import LmdbEngine
engine = LmdbEngine(sys.argv[1], sync="off")
head = {HEAD!r}
engine.write([(head, [(head + b"%05d" % at, b"") for at in range(500)])])
for at in range(250):
    engine.write([(head, [(head + b"x%05d" % at, b"")])])
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, env={**os.environ})
    engine = opened(tmp_path)
    assert 650 <= count(engine, HEAD) <= 750
    assert sum(1 for _ in engine.page(HEAD, HEAD + b"\xff", rows=1000, bytes_max=8 << 20, reverse=False).entries) == 750
    engine.close()


def test_failed_writes_are_not_counted(tmp_path):
    """A transaction that was given up leaves the number as it was."""
    engine = opened(tmp_path)
    engine.write([(HEAD, [(HEAD + b"a", b"")])])

    def broken(_get):
        raise RuntimeError

    for _ in range(3):
        try:
            engine.alter(broken)
        except RuntimeError:
            continue
    assert count(engine, HEAD) == 1
    engine.close()
