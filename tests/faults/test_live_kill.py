"""Databases that are killed, full, or whose clock jumps: what was acknowledged is there, and each change was seen once.

This file is also the program that is killed, `python test_live_kill.py DATABASE ROUND SINCE`. It says what was acknowledged and what
a subscriber saw, a line each.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

from flatwater.live.database import Database

WRITERS, KEYS = 4, 8
TABLE = "CREATE TABLE IF NOT EXISTS notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')"


def program(path, turn, since):
    """Write from several threads, and follow, until the end comes."""
    lock = threading.Lock()

    def say(*what):
        with lock:
            os.write(1, (json.dumps(what) + "\n").encode())

    db = Database(path, log_bytes="64 MiB")
    db.sql(TABLE)
    changes = db.subscribe("SELECT * FROM notes", user="ada", since=int(since))

    def follow():
        for event in changes:
            say("saw", event.seq, event.op, event.row["id"], event.row["body"], event.old and event.old["body"])

    def write(number):
        rng = random.Random(number)
        for count in range(1_000_000):
            key, body = number * KEYS + rng.randrange(KEYS), f"{turn}-{number}-{count}"
            if rng.random() < 0.2:
                db.sql("DELETE FROM notes WHERE id = ?", [key], user="ada")
                body = None
            else:
                db.sql(
                    "INSERT INTO notes VALUES (?, ?), (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                    [key, body, key + 1_000, body], user="ada",
                )  # fmt: skip
            say("wrote", key, body)

    for target, given in [(follow, ()), *((write, (number,)) for number in range(WRITERS))]:
        threading.Thread(target=target, args=given, daemon=True).start()
    time.sleep(60)


def killed_rounds(path, rounds, seed):
    """Kill it so often, and check what it said against what is there."""
    rng = random.Random(seed)
    with Database(path) as db:
        db.sql(TABLE)
    since, seen = 0, {}  # what a subscriber knows, from all rounds
    for turn in range(rounds):
        child = subprocess.Popen(
            [sys.executable, __file__, path, str(turn), str(since)],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        lines, wanted = [], rng.randrange(20, 400)
        for line in child.stdout:
            lines.append(line)
            if len(lines) >= wanted:
                break
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.read().splitlines(keepends=True)
        child.stdout.close()
        child.wait()
        said = [json.loads(line) for line in lines if line.endswith(b"\n")]
        acknowledged = {}
        for what, *details in said:
            if what == "wrote":
                acknowledged[details[0]] = details[1]
            else:
                since = follow(seen, since, *details)
        with Database(path) as db:
            rows = {row["id"]: row["body"] for row in db.sql("SELECT * FROM notes", user="ada")}
            with db.subscribe("SELECT * FROM notes", user="ada", since=since) as changes:
                while (event := changes.poll()) is not None:
                    since = follow(
                        seen,
                        since,
                        event.seq,
                        event.op,
                        event.row["id"],
                        event.row["body"],
                        event.old and event.old["body"],
                    )
            assert db._store.check() == []
        assert seen == rows
        for key, body in acknowledged.items():
            assert_at_least(rows, key, body, turn)
        for key in rows:
            if key < 1_000:
                assert key + 1_000 in rows  # both rows of a statement, or none


def follow(seen, since, sequence, op, key, body, old):
    """What a subscriber makes of an event, which has to fit to what it knows."""
    assert sequence > since
    if op == "insert":
        assert key not in seen
        seen[key] = body
    elif op == "update":
        assert seen[key] == old
        seen[key] = body
    else:
        assert op == "delete"
        assert seen.pop(key) == body
    return sequence


def assert_at_least(rows, key, body, turn):
    """The row is what was acknowledged last, or what the same thread wrote behind it without hearing of it."""
    found = rows.get(key)
    if found == body:
        return
    if found is None or body is None:  # one statement more may have been committed, whose acknowledgement was cut off
        return
    assert found.startswith(f"{turn}-")
    assert int(found.rpartition("-")[2]) > int(body.rpartition("-")[2])


def test_it_is_killed(tmp_path):
    """Rows that were acknowledged are there after kill -9, and a subscriber that goes on has seen each change once, in order."""
    killed_rounds(str(tmp_path / "data"), 3, 1)


@pytest.mark.slow
def test_it_is_killed_thirty_times(tmp_path):
    """The same in thirty rounds."""
    killed_rounds(str(tmp_path / "data"), 30, 2)


def test_the_disk_is_full(tmp_path):
    """A statement that does not fit is refused, whole; what was there is there, and after room was made it goes on."""
    program = """
import resource, sys
from flatwater.live.database import Database
from flatwater import errors
db = Database(sys.argv[1])
db.sql("CREATE TABLE t (id INT PRIMARY KEY, body TEXT)")
resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, resource.RLIM_INFINITY))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
written = 0
try:
    for n in range(10_000):
        db.sql("INSERT INTO t VALUES (?, ?)", [n, "x" * 5_000])
        written += 1
except errors.BrokenError:
    pass
rows = sum(1 for _ in db.sql("SELECT * FROM t"))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
db.sql("INSERT INTO t VALUES (100000, 'after')")
print(written, rows, sum(1 for _ in db.sql("SELECT * FROM t")))
db.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "data")], capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    written, rows, after = map(int, done.stdout.split())
    assert 0 < written == rows == after - 1
    with Database(tmp_path / "data") as db:
        assert sum(1 for _ in db.sql("SELECT * FROM t")) == after


def test_the_clock_jumps(tmp_path):
    """Numbers and generated keys only grow when the clock is put back and forth, also over a restart."""
    clock = [2_000_000.0]
    ids, seqs = [], []
    for jump in (0.0, -1_000_000.0, 500.0, -10.0, 3_000_000.0, -5_000_000.0):
        clock[0] += jump
        with Database(tmp_path / "data", sync="off") as db:
            db._numbers._clock = lambda: clock[0]
            db.sql("CREATE TABLE IF NOT EXISTS t (id BIGINT PRIMARY KEY DEFAULT SNOWFLAKE_ID(), n INT)")
            with db.subscribe("SELECT * FROM t", last_rows=0) as changes:
                for n in range(3):
                    ids += [row["id"] for row in db.sql("INSERT INTO t (n) VALUES (?) RETURNING id", [n])]
                    seqs.append(changes.poll(5).seq)
                    clock[0] -= 1
    assert ids == sorted(set(ids))
    assert seqs == sorted(set(seqs))


if __name__ == "__main__":
    program(*sys.argv[1:])
