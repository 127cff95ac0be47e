"""Write back: short transactions, progress in the database, rows that others change."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from flatwater import errors
from flatwater.source.tables.table import Table
from flatwater.source.tables.updating import PROGRESS, job_name


def accounts(place, count=60):
    place.run(f"CREATE TABLE accounts (id {place.key_type}, owner VARCHAR(40) NULL, cents INT NOT NULL)")
    place.fill("INSERT INTO accounts VALUES (?, ?, ?)", [(at, f"owner {at}", 100) for at in range(1, count + 1)])


def test_changes_are_written_and_counted(place):
    """What the function returns is written; None leaves a row, DELETE deletes it."""
    accounts(place)
    table = place.table("accounts")

    def work(row):
        if row["id"] % 3 == 0:
            return None
        return Table.DELETE if row["id"] % 3 == 1 else {"cents": row["cents"] + row["id"], "owner": None}

    done = table.update_each(work, commit_rows=7)
    assert (done.seen, done.changed, done.deleted, done.resumed) == (60, 20, 20, False)
    rows = place.all("SELECT id, owner, cents FROM accounts ORDER BY id")
    assert rows == [
        (at, f"owner {at}", 100) if at % 3 == 0 else (at, None, 100 + at) for at in range(1, 61) if at % 3 != 1
    ]
    assert place.all(f"SELECT count(*) FROM {PROGRESS}") == [(0,)]


def test_an_error_keeps_what_is_done_and_the_next_call_goes_on(place):
    """What was committed stays; the same call goes on with the batch that failed, and nothing is done twice."""
    accounts(place)
    table = place.table("accounts")
    state = {"fails": True}

    def work(row):
        if row["id"] == 25 and state["fails"]:
            raise RuntimeError("a broken row")
        return {"cents": row["cents"] + 1}

    with pytest.raises(RuntimeError, match="a broken row"):
        table.update_each(work, commit_rows=10)
    assert place.all("SELECT count(*) FROM accounts WHERE cents = 101") == [(20,)]
    state["fails"] = False
    done = table.update_each(work, commit_rows=10)
    assert (done.resumed, done.seen, done.changed) == (True, 40, 40)
    assert place.all("SELECT min(cents), max(cents) FROM accounts") == [(101, 101)]
    assert table.update_each(work, commit_rows=10).resumed is False


def test_a_row_that_others_change_meanwhile_is_read_again(database):
    """No change of another is overwritten: the function is called again with what the row is now."""
    accounts(database, 10)
    table = database.table("accounts")
    seen = []

    def work(row):
        seen.append((row["id"], row["cents"]))
        if seen == [(1, 100), (2, 100)]:
            database.run("UPDATE accounts SET cents = 500 WHERE id = 2", "DELETE FROM accounts WHERE id = 3")
        return {"cents": row["cents"] + 1}

    done = table.update_each(work, commit_rows=5)
    assert (done.changed, done.repeated, done.vanished) == (9, 1, 1)
    assert (2, 500) in seen
    assert database.all("SELECT id, cents FROM accounts WHERE id < 4 ORDER BY id") == [(1, 101), (2, 501)]


def test_what_cannot_be_written_is_refused(sqlite_place):
    """A changed key, an unknown column, something that is no change, a select: each is said, and nothing is written."""
    accounts(sqlite_place, 3)
    table = sqlite_place.table("accounts")
    for answer, words in (
        ({"id": 5}, "changes id"),
        ({"cent": 5}, "no column 'cent'"),
        (5, "int, which says no change"),
        ([("cents", 5)], "list, which says no change"),
    ):
        with pytest.raises(errors.UsageError, match=words):
            table.update_each(lambda row, answer=answer: answer, job=words)
    with pytest.raises(errors.UsageError, match="a select cannot be written back"):
        sqlite_place.table("SELECT * FROM accounts", key="id").update_each(lambda row: None)
    with pytest.raises(errors.UsageError, match="is no function"):
        table.update_each("cents = 5")
    with pytest.raises(errors.UsageError, match="is no name"):
        table.update_each(lambda row: None, job="")
    assert sqlite_place.all("SELECT DISTINCT cents FROM accounts") == [(100,)]


def test_a_transaction_of_the_users_is_left_alone(place):
    """A connection with a transaction of the user's is refused: ours would end it."""
    if place.kind not in ("sqlite3", "apsw", "psycopg", "pymysql"):
        pytest.skip("only a connection can have one")
    accounts(place, 3)
    cursor = place.source.cursor()
    cursor.execute("BEGIN")
    cursor.execute("UPDATE accounts SET cents = 7 WHERE id = 1")
    with pytest.raises(errors.UsageError, match="in a transaction"):
        place.table("accounts").update_each(lambda row: {"cents": 8})
    assert [row["cents"] for row in place.table("accounts").find_each()] == [7, 100, 100]
    place.source.cursor().execute("ROLLBACK")
    assert place.all("SELECT cents FROM accounts WHERE id = 1") == [(100,)]


def test_parts_of_a_job(sqlite_place):
    """start, finish and where bound a job; columns bound what the function sees; the key may be composite."""
    sqlite_place.run("CREATE TABLE log (day TEXT, at INT, note TEXT, PRIMARY KEY (day, at)) WITHOUT ROWID")
    sqlite_place.fill("INSERT INTO log VALUES (?, ?, ?)", [(f"d{at // 5}", at % 5, "x") for at in range(20)])
    seen = []

    def work(row):
        seen.append(row)
        return {"note": "y"}

    table = sqlite_place.table("log", where="at > ?", params=(1,))
    done = table.update_each(work, columns=["at"], start="d1", finish=("d2", 3), commit_rows=2)
    assert done.changed == 5
    assert seen[0] == {"at": 2}
    assert sqlite_place.all("SELECT day, at FROM log WHERE note = 'y' ORDER BY 1, 2") == [
        ("d1", 2), ("d1", 3), ("d1", 4), ("d2", 2), ("d2", 3),
    ]  # fmt: skip


def test_the_name_of_a_job():
    """A job's name tells the query and the function, and is the same in another process."""
    assert job_name(None, b"1", len) == job_name(None, b"1", len)
    assert job_name(None, b"1", len) != job_name(None, b"2", len) != job_name(None, b"2", max)
    assert job_name("mine", b"1", len) == "mine"


PROGRAM = """
import os, signal, sys
from flatwater.source.tables.table import Table
stop_at = int(sys.argv[2])
seen = 0
def add(row):
    global seen
    seen += 1
    if seen == stop_at:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"cents": row["cents"] + 1}
print(Table(sys.argv[1], "accounts").update_each(add, commit_rows=5, job="add").seen)
"""


def test_kill_9_at_any_row_changes_nothing_twice(sqlite_place):
    """Killed again and again, a job goes on where it was: in the end each row was changed exactly once."""
    accounts(sqlite_place, 60)
    environment = {**os.environ, "FLATWATER_SECRET": "a secret of the tests, long enough"}
    killed = 0
    for stop_at in (1, 4, 7, 13, 26, 0):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, sqlite_place.source, str(stop_at)],
            env=environment, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        killed += done.returncode == -signal.SIGKILL
    assert done.returncode == 0, done.stderr
    assert killed == 5
    with contextlib.closing(sqlite3.connect(sqlite_place.source)) as connection:
        assert connection.execute("SELECT min(cents), max(cents), count(*) FROM accounts").fetchall() == [
            (101, 101, 60)
        ]
