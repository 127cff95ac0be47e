"""One who follows: what happens when the log, the table, the role or the budget is gone."""

import asyncio
import itertools
import threading
import time

import pytest

import flatwater as fw
from flatwater import errors, limits
from flatwater.live.access import AccessDenied
from flatwater.live.database import Database

NOTES = "CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')"


def drained(subscription):
    """What is there now, as operation and id."""
    found = []
    while (event := subscription.poll()) is not None:
        found.append((event.op, None if event.row is None else event.row["id"]))
    return found


@pytest.mark.parametrize("other", ["ada", "bob"])
def test_a_snapshot_that_is_read_late(tmp_path, other):
    """Where the log does not reach back to its moment, there is a reset, and the rows as they are: none is lost."""
    with Database(tmp_path, sync="off", log_bytes="64 KiB") as db:
        db.sql(NOTES)
        db.load("notes", ({"id": n, "body": "a" * 100} for n in range(10)), user="ada")
        late = db.subscribe("SELECT * FROM notes", user="ada")
        for part in range(10):
            db.load("notes", ({"id": 1_000 * (part + 1) + n, "body": "b" * 100} for n in range(900)), user=other)
        found = drained(late)
        assert found[0] == ("reset", None)
        assert found[1:11] == [("snapshot", n) for n in range(10)]
        assert len(found) == 11 + (9_000 if other == "ada" else 0)
        db.sql("INSERT INTO notes VALUES (99, 'new')", user="ada")
        assert drained(late) == [("insert", 99)]


def test_a_pause_within_a_snapshot(tmp_path):
    """The snapshot that was begun no longer holds: reset, and a new one, as large as was asked for."""
    with Database(tmp_path, sync="off", log_bytes="64 KiB") as db:
        db.sql(NOTES)
        db.load("notes", ({"id": n, "body": "a" * 500} for n in range(2_000)), user="ada")
        for last_rows in (None, 1_500):
            slow = db.subscribe("SELECT * FROM notes", user="ada", last_rows=last_rows)
            begun = [slow.poll() for _ in range(3)]
            assert {event.op for event in begun} == {"snapshot"}
            for part in range(3):
                db.load("notes", ({"id": n, "body": f"{last_rows} {part} " * 60} for n in range(900)), user="bob")
            found = drained(slow)
            at = found.index(("reset", None))
            assert found[at + 1 :] == [("snapshot", n) for n in range(2_000 - (last_rows or 2_000), 2_000)]


def test_a_number_of_another_database(tmp_path):
    """What is behind our last number cannot be gone on from: reset and all rows."""
    with Database(tmp_path, sync="off") as db:
        db.sql(NOTES)
        db.sql("INSERT INTO notes VALUES (1, 'a')", user="ada")
        future = db.subscribe("SELECT * FROM notes", user="ada", since=2**62)
        assert drained(future) == [("reset", None), ("snapshot", 1)]
        db.sql("INSERT INTO notes VALUES (2, 'a')", user="ada")
        assert drained(future) == [("insert", 2)]
        for wrong in (2**63, 2**64, -1, 1.5, "1"):
            with pytest.raises(errors.UsageError, match="since"):
                db.subscribe("SELECT * FROM notes", user="ada", since=wrong)


def test_its_number_is_that_of_the_last_event(tmp_path):
    """Who stops in the middle goes on behind the event that he had last."""
    with Database(tmp_path, sync="off") as db:
        db.sql(NOTES)
        first = db.subscribe("SELECT * FROM notes", user="ada", last_rows=0)
        db.load("notes", ({"id": n} for n in range(50)), user="ada")
        for n in range(20):
            event = first.poll()
            assert (event.row["id"], first.seq) == (n, event.seq)
        again = db.subscribe("SELECT * FROM notes", user="ada", since=first.seq)
        assert drained(again) == drained(first) == [("insert", n) for n in range(20, 50)]


def test_what_does_not_fit_now_comes_later(tmp_path):
    """A refusal of the budget loses nothing: the next call goes on."""
    with fw.Budget("64 MiB") as budget, Database(tmp_path, sync="off") as db:
        db.sql(NOTES)
        changes = db.subscribe("SELECT * FROM notes", user="ada")
        db.load("notes", ({"id": n, "body": "x" * 1_000} for n in range(2_000)), user="ada")
        for n in range(2_000):
            if n % 400 == 0:
                changes._events = None  # in the middle of a page
                with budget.reserve(budget.free, "test"), pytest.raises(errors.BudgetExceeded):
                    changes.poll()
            event = changes.poll()
            assert (event.op, event.row["id"]) == ("insert", n)
        assert changes.poll() is None


@pytest.mark.parametrize("kind", ["USER", "SHARED"])
def test_a_table_that_is_dropped(tmp_path, kind):
    """Who waits is told at once, and his subscription is over."""
    with Database(tmp_path, sync="off") as db:
        db.sql(NOTES.replace("USER", kind))
        waiting, told = db.subscribe("SELECT * FROM notes"), []

        def wait():
            try:
                waiting.poll(60)
            except errors.UsageError as error:
                told.append(str(error))

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.1)
        db.sql("DROP TABLE notes")
        thread.join(10)
        assert "dropped" in told[0]
        assert list(db.sql("SELECT * FROM system.live_queries")) == []
        with pytest.raises(errors.ClosedError):
            waiting.poll()


def test_a_role_that_is_taken_away(tmp_path):
    """What a user may no longer read, he is no longer told; what he may, goes on."""
    with Database(tmp_path, sync="off") as db:
        db.sql("CREATE TABLE secrets (id INT PRIMARY KEY) WITH (ACCESS_LEVEL = 'RESTRICTED')")
        db.sql("CREATE TABLE news (id INT PRIMARY KEY) WITH (ACCESS_LEVEL = 'PUBLIC')")
        for end in ("ALTER USER eve SET ROLE 'user'", "DROP USER eve"):
            db.sql("CREATE USER eve WITH ROLE 'service'") if "DROP" not in end else db.sql(
                "ALTER USER eve SET ROLE 'dba'"
            )
            secrets, news = (
                db.subscribe(f"SELECT * FROM {name}", user="eve", last_rows=0) for name in ("secrets", "news")
            )
            other = db.subscribe("SELECT * FROM secrets")
            drained(other)
            db.sql(end)
            db.sql("INSERT INTO secrets VALUES (1)")
            db.sql("INSERT INTO news VALUES (1)")
            with pytest.raises(AccessDenied):
                secrets.poll()
            with pytest.raises(errors.ClosedError):
                secrets.poll()
            assert (drained(news), drained(other)) == ([("insert", 1)], [("insert", 1)])
            db.sql("DELETE FROM secrets")
            db.sql("DELETE FROM news")


def test_a_thousand_coroutines(tmp_path):
    """Each waits for its row, all in one loop, and none misses one."""
    with Database(tmp_path, sync="off") as db:
        db.sql(NOTES)

        async def follow(number):
            found = []
            async with db.subscribe("SELECT * FROM notes WHERE id = ?", [number], last_rows=0) as changes:
                ready.release()
                async for event in changes:
                    found.append((event.op, event.row["body"]))
                    if len(found) == 3:
                        return found
            return None

        async def main():
            tasks = [asyncio.create_task(follow(number)) for number in range(1_000)]
            for _ in tasks:
                await ready.acquire()
            for body in "abc":
                await asyncio.to_thread(db.load, "notes", ({"id": number, "body": body} for number in range(1_000)))
            return await asyncio.wait_for(asyncio.gather(*tasks), 60)

        ready = asyncio.Semaphore(0)
        found = asyncio.run(main())
        assert found == list(itertools.repeat([("insert", "a"), ("update", "b"), ("update", "c")], 1_000))


def test_rows_by_key_alone(tmp_path):
    """A snapshot of a condition on the key reads these rows only, several ranges too, and the last ones of them."""
    with Database(tmp_path, sync="off") as db:
        db.sql(NOTES)
        db.load("notes", ({"id": n} for n in range(100)))
        with db.subscribe("SELECT * FROM notes WHERE id IN (3, 50, 70, 200)") as changes:
            assert drained(changes) == [("snapshot", n) for n in (3, 50, 70)]
        with db.subscribe("SELECT * FROM notes WHERE id IN (3, 50, 70, 200)", last_rows=2) as changes:
            assert drained(changes) == [("snapshot", n) for n in (50, 70)]
        with db.subscribe("SELECT * FROM notes WHERE id BETWEEN 10 AND 12") as changes:
            assert drained(changes) == [("snapshot", n) for n in (10, 11, 12)]


@pytest.mark.parametrize("size", [1, 300, 1 << 20])
def test_pages_hold_nothing_between_them(tmp_path, size):
    """Pages of any size give what an iterator gives, each row and change once; between two of them nothing is promised."""
    database = Database(tmp_path, sync="off")
    database.sql("CREATE TABLE t (id BIGINT PRIMARY KEY, v TEXT)")
    for number in range(20):
        database.sql("INSERT INTO t VALUES (?, 'a')", [number])
    held = database.budget.held
    seen = []
    with database, database.subscribe("SELECT * FROM t WHERE id <> 3") as rows:
        step = 0
        while (events := rows.page(size)) is not None:
            rows.rest()
            assert len(events) <= 1 or size > 1
            seen += [(event.op, event.row["id"]) for event in events]
            assert database.budget.held - held <= limits.LIVE_FOLLOW_BYTES * 2
            if step < 5:
                database.sql("UPDATE t SET v = ? WHERE id = 19", [str(step)])
            step += 1
        assert rows.page(size) is None
    assert [row for op, row in seen if op == "snapshot"] == [number for number in range(20) if number != 3]
    assert [row for op, row in seen if op == "update"] == [19] * min(step, 5)


def test_a_second_reader(tmp_path):
    """It is refused at once, a thread and a task too; the first one waits on, and closing from elsewhere wakes him."""
    with Database(tmp_path, sync="off") as db:
        db.sql(NOTES)
        changes, ended = db.subscribe("SELECT * FROM notes"), []

        def read():
            try:
                changes.poll(60)
            except errors.ClosedError as error:
                ended.append(error)

        thread = threading.Thread(target=read)
        thread.start()
        while not db._following._waiting:
            thread.join(0.001)
        for _ in range(2):
            with pytest.raises(errors.UsageError, match="another thread or task reads"):
                changes.poll()
            with pytest.raises(errors.UsageError, match="another thread or task reads"):
                next(changes)
            with pytest.raises(errors.UsageError, match="another thread or task reads"):
                asyncio.run(changes.apoll(0))
        changes.close()
        thread.join(10)
        assert ended


def test_a_reader_that_was_refused_or_given_up(tmp_path):
    """Who gave up, was cancelled or failed leaves the place to the next one."""
    with Database(tmp_path, sync="off") as db:
        db.sql(NOTES)
        changes = db.subscribe("SELECT * FROM notes")

        async def cancelled():
            waiting = asyncio.create_task(changes.apoll())
            while not db._following._waiting:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0)
            with pytest.raises(errors.UsageError):
                await changes.apoll(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

        asyncio.run(cancelled())
        assert changes.poll() is None
        db.sql("INSERT INTO notes VALUES (1, 'a')")
        assert changes.poll().op == "insert"


def test_closing_just_before_waiting(tmp_path, monkeypatch):
    """Who is about to wait while another thread closes it is told, and waits for nothing."""
    with Database(tmp_path, sync="off") as db:
        db.sql(NOTES)
        changes = db.subscribe("SELECT * FROM notes")
        ready = type(changes)._ready

        def closing(self):
            found = ready(self)
            thread = threading.Thread(target=self.close)
            thread.start()
            thread.join()
            return found

        monkeypatch.setattr(type(changes), "_ready", closing)
        with pytest.raises(errors.ClosedError):
            changes.poll(60)
        assert not db._following._waiting
