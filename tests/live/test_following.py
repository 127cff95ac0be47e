"""Subscriptions: a snapshot, then each change once, in order."""

import threading

import pytest

from flatwater import errors
from flatwater.live.database import Database


def drained(subscription):
    """What is there now, as operation, id and body."""
    found = []
    while (event := subscription.poll()) is not None:
        row = event.row or {}
        found.append((event.op, row.get("id"), row.get("body")))
    return found


def put(db, number, body, user="ada"):
    db.sql(
        "INSERT INTO notes (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        [number, body],
        user=user,
    )


def test_rows_that_enter_and_leave(db):
    """An update that makes a condition true arrives as an insert, one that makes it false as a delete, else as an update."""
    put(db, 1, "in")
    with db.subscribe("SELECT * FROM notes WHERE body LIKE 'in%'", user="ada") as changes:
        assert drained(changes) == [("snapshot", 1, "in")]
        put(db, 1, "in2")
        put(db, 1, "out")
        put(db, 1, "out2")
        put(db, 1, "in3")
        db.sql("DELETE FROM notes", user="ada")
        assert drained(changes) == [
            ("update", 1, "in2"), ("delete", 1, "in2"), ("insert", 1, "in3"), ("delete", 1, "in3"),
        ]  # fmt: skip


def test_an_update_has_both_rows(db):
    """`old` is the row before, in the columns that were asked for; numbers only grow."""
    put(db, 1, "a")
    with db.subscribe("SELECT body AS text FROM notes", user="ada") as changes:
        first = changes.poll()
        put(db, 1, "b")
        second = changes.poll()
        assert (second.row, second.old) == ({"text": "b"}, {"text": "a"})
        assert second.seq > first.seq
        assert "update" in repr(second)
        db.sql("DELETE FROM notes", user="ada")
        third = changes.poll()
        assert (third.op, third.row, third.old) == ("delete", {"text": "b"}, {"text": "b"})


def test_changes_of_others_do_not_come(db):
    """Rows of another user, table, or condition wake nobody."""
    with db.subscribe("SELECT * FROM notes WHERE id = ?", [1], user="ada") as changes:
        put(db, 1, "x", user="bob")
        put(db, 2, "x")
        db.sql("INSERT INTO rooms VALUES ('1', 'x', 1)")
        assert drained(changes) == []
        put(db, 1, "mine")
        assert drained(changes) == [("insert", 1, "mine")]


def test_going_on_from_a_number(db):
    """`since` gives what came behind it, without a snapshot; from the last number on there is nothing."""
    with db.subscribe("SELECT * FROM notes", user="ada") as changes:
        put(db, 1, "a")
        seq = changes.poll().seq
        put(db, 2, "b")
        last = changes.poll().seq
    put(db, 3, "c")
    with db.subscribe("SELECT * FROM notes", user="ada", since=seq) as changes:
        assert drained(changes) == [("insert", 2, "b"), ("insert", 3, "c")]
        put(db, 4, "d")
        assert drained(changes) == [("insert", 4, "d")]
    with db.subscribe("SELECT * FROM notes WHERE id < 3", user="ada", since=last) as changes:
        assert drained(changes) == []


def test_the_last_rows(db):
    """`last_rows` are those with the highest keys that the condition holds for, in ascending order."""
    db.load("notes", ({"id": n, "body": "even" if n % 2 == 0 else "odd"} for n in range(100)), user="ada")
    with db.subscribe("SELECT id FROM notes WHERE body = 'even'", user="ada", last_rows=3) as changes:
        assert [number for _op, number, _body in drained(changes)] == [94, 96, 98]
    with db.subscribe("SELECT id FROM notes", user="ada", last_rows=0) as changes:
        assert drained(changes) == []


def test_a_snapshot_while_others_write(db):
    """Rows that change, come and go while a snapshot is read are in it as they were when it began; the changes follow."""
    db.load("notes", ({"id": n, "body": "x" * 2_000} for n in range(0, 3_000, 2)), user="ada")
    with db.subscribe("SELECT * FROM notes", user="ada") as changes:
        first = changes.poll()
        assert first.row["id"] == 0
        put(db, 0, "changed behind")
        put(db, 2_998, "changed ahead")
        put(db, 2_001, "new ahead")
        put(db, 1, "new behind")
        db.sql("DELETE FROM notes WHERE id = 2996", user="ada")
        found = drained(changes)
        snapshot = [number for op, number, _body in found if op == "snapshot"]
        assert snapshot == list(range(2, 3_000, 2))
        assert [(op, number) for op, number, _body in found if op != "snapshot"] == [
            ("update", 0), ("update", 2_998), ("insert", 2_001), ("insert", 1), ("delete", 2_996),
        ]  # fmt: skip
        assert all(body == "x" * 2_000 for op, _number, body in found if op == "snapshot")


def test_a_reader_that_is_too_slow(tmp_path):
    """Where the log was trimmed, a subscription gets `reset` and the rows as they are; nobody holds a queue for it."""
    with Database(tmp_path, sync="off", log_bytes="64 KiB") as db:
        db.sql("CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')")
        put(db, 1, "first")
        slow = db.subscribe("SELECT * FROM notes", user="ada")
        seq = slow.poll().seq
        for n in range(800):
            put(db, 1, f"{n} " + "x" * 1_000)
        put(db, 1, "last")
        assert drained(slow) == [("reset", None, None), ("snapshot", 1, "last")]
        put(db, 1, "after")
        assert drained(slow) == [("update", 1, "after")]
        with db.subscribe("SELECT * FROM notes", user="ada", since=seq) as late:
            assert drained(late) == [("reset", None, None), ("snapshot", 1, "after")]
        slow.close()


def test_a_slow_reader_is_waited_for(tmp_path):
    """Up to a multiple of its bytes, the log keeps what a subscription still has to read."""
    with Database(tmp_path, sync="off", log_bytes="64 KiB") as db:
        db.sql("CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')")
        with db.subscribe("SELECT * FROM notes", user="ada") as slow:
            for n in range(100):
                put(db, n, "x" * 1_000)
            assert [number for _op, number, _body in drained(slow)] == list(range(100))


def test_each_change_once_and_in_order(db):
    """While threads write, a subscription that begins in the middle ends with the rows of the table, and keys go forward."""
    stop = threading.Event()

    def write(user_rows):
        n = 0
        while not stop.is_set():
            for number in user_rows:
                n += 1
                put(db, number, f"{n:09d}")

    threads = [threading.Thread(target=write, args=(range(k, 60, 3),)) for k in range(3)]
    for thread in threads:
        thread.start()
    seen, last = {}, {}
    with db.subscribe("SELECT id, body FROM notes", user="ada") as changes:
        for _ in range(1_500):
            event = changes.poll(10)
            row = event.row
            assert event.op == ("snapshot" if event.op == "snapshot" else "update" if row["id"] in seen else "insert")
            assert event.seq >= last.get("seq", 0)
            assert row["body"] > seen.get(row["id"], "")
            if event.op == "update":
                assert event.old["body"] == seen[row["id"]]
            seen[row["id"]], last["seq"] = row["body"], event.seq
        stop.set()
        for thread in threads:
            thread.join()
        while (event := changes.poll()) is not None:
            seen[event.row["id"]] = event.row["body"]
    assert seen == {row["id"]: row["body"] for row in db.sql("SELECT * FROM notes", user="ada")}


def test_waiting_is_ended_by_closing(db):
    """A thread that waits for the next event ends when the subscription is closed."""
    changes = db.subscribe("SELECT * FROM notes", user="ada")
    ended = []
    thread = threading.Thread(target=lambda: ended.append(_kind_of_end(changes)))
    thread.start()
    while not changes._hub._waiting:
        pass
    changes.close()
    thread.join(10)
    assert ended == ["ended"]


def _kind_of_end(changes):
    try:
        for _event in changes:
            return "event"
    except errors.ClosedError:
        return "ended"
    return "ended"


def test_what_is_dropped_is_forgotten(db):
    """A subscription that nobody holds leaves nothing: neither a place nor a condition, nor its text."""
    many = [db.subscribe("SELECT * FROM notes WHERE id = ?", [n], user="ada") for n in range(50)]
    hub = many[0]._hub
    assert (len(hub.subscriptions), len(hub.groups)) == (50, 50)
    del many
    hub.settle()
    assert (len(hub.subscriptions), len(hub.groups)) == (0, 0)
    assert list(db.sql("SELECT * FROM system.live_queries")) == []


def test_what_cannot_be_matched_is_read_all_the_same(db, monkeypatch):
    """A defect in matching fails no statement, and loses no change."""
    with db.subscribe("SELECT * FROM notes", user="ada") as changes:

        def broken(*_given):
            raise RuntimeError("a defect")

        monkeypatch.setattr(type(changes._hub.groups), "match", broken)
        put(db, 1, "a")
        assert drained(changes) == [("insert", 1, "a")]


def test_queries_and_their_counts_are_told(db):
    """system.live_queries has the text and the events of each; a user sees his own."""
    put(db, 1, "a")
    mine = db.subscribe("SELECT * FROM notes", user="ada")
    with db.subscribe("SELECT * FROM rooms", user="bob"):
        drained(mine)
        found = list(db.sql("SELECT user, query, events FROM system.live_queries", user="ada"))
        assert found == [{"user": "ada", "query": "SELECT * FROM notes", "events": 1}]
        assert len(list(db.sql("SELECT * FROM system.live_queries"))) == 2
    mine.close()


@pytest.mark.parametrize(
    "text",
    [
        "SELECT count(*) FROM notes", "SELECT * FROM notes, rooms", "SELECT * FROM notes LIMIT 1", "SELECT * FROM notes ORDER BY id DESC",
        "SELECT DISTINCT body FROM notes", "SELECT * FROM (SELECT * FROM notes) AS n", "INSERT INTO notes (id) VALUES (1)",
        "SELECT * FROM notes WHERE id IN (SELECT 1)", "SELECT * FROM notes WHERE body < NOW()", "SELECT * FROM system.users",
        "SELECT * FROM nothing",
    ],
)  # fmt: skip
def test_what_cannot_be_followed_is_refused(db, text):
    """Only a condition on one table can be followed; anything else says so."""
    with pytest.raises(errors.UsageError):
        db.subscribe(text, user="ada")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("SELECT * FROM nothing", "no table"), ("SELECT nothing FROM notes", "no column 'nothing'"), ("SELECT * FROM notes WHERE nothing = 1", "no column 'nothing'"), ("SELECT n.id FROM notes AS n, rooms", "can be followed"),
        ("SELECT * FROM notes WHERE n > 'x'", "compare"), ("SELECT id FROM notes ORDER BY id DESC", "last_rows"), ("SELECT upper(body) FROM notes", "can be followed"),
    ],
)  # fmt: skip
def test_it_says_why(db, text, told):
    """A name that is wrong is told as db.sql tells it."""
    with pytest.raises(errors.UsageError, match=told):
        db.subscribe(text, user="ada")


def test_a_table_that_is_dropped_ends_what_follows_it(db):
    """Who follows a table that was dropped is told when he reads on; a column that is added shows."""
    put(db, 1, "a")
    with db.subscribe("SELECT * FROM notes", user="ada") as changes:
        drained(changes)
        db.sql("ALTER TABLE notes ADD COLUMN color TEXT DEFAULT 'red'")
        put(db, 2, "b")
        assert changes.poll().row == {"id": 2, "body": "b", "n": 0, "color": "red"}
        put(db, 3, "c")
        db.sql("DROP TABLE notes")
        with pytest.raises(errors.UsageError, match="dropped"):
            changes.poll()


@pytest.mark.parametrize("is_opened_again", [False, True])
def test_a_table_that_is_made_again(tmp_path, is_opened_again):
    """Who goes on from a number of a table that was dropped is told to begin anew; from one of the new table he goes on."""
    db = Database(tmp_path, sync="off")
    db.sql("CREATE TABLE t (k INT PRIMARY KEY, v TEXT)")
    db.sql("INSERT INTO t VALUES (1, 'old')")
    with db.subscribe("SELECT * FROM t") as changes:
        drained(changes)
        seq = changes.seq
    db.sql("DROP TABLE t")
    db.sql("CREATE TABLE t (k INT PRIMARY KEY, w INT)")
    if is_opened_again:
        db.close()
        db = Database(tmp_path, sync="off")
    with db, db.subscribe("SELECT * FROM t", last_rows=0) as fresh:
        drained(fresh)
        db.sql("INSERT INTO t VALUES (3, 7), (4, 8)")
        first, _second = fresh.poll(), fresh.poll()
        assert [each[0] for each in drained(db.subscribe("SELECT * FROM t", since=seq))] == [
            "reset",
            "snapshot",
            "snapshot",
        ]
        assert [each[0] for each in drained(db.subscribe("SELECT * FROM t", since=first.seq))] == ["insert"]


def test_a_new_table_goes_on_from_its_beginning(db):
    """The number of a snapshot without rows is one to go on from."""
    db.sql("CREATE TABLE t (k INT PRIMARY KEY)")
    with db.subscribe("SELECT * FROM t") as changes:
        drained(changes)
        seq = changes.seq
    db.sql("INSERT INTO t VALUES (1)")
    for since in (seq, 0):  # 0: who has seen nothing
        assert [each[0] for each in drained(db.subscribe("SELECT * FROM t", since=since))] == ["insert"]


def test_rows_of_a_stream_expire(tmp_path):
    """A row of a STREAM table is not seen after its time, and who follows it sees it deleted."""
    with Database(tmp_path, sync="off") as db:
        now = [1_000_000.0]
        db._numbers._clock = lambda: now[0]
        db.sql("CREATE TABLE typing (who TEXT PRIMARY KEY) WITH (TYPE = 'STREAM', TTL_SECONDS = 5)")
        db.sql("INSERT INTO typing VALUES ('bob')", user="ada")
        with db.subscribe("SELECT * FROM typing", user="ada") as changes:
            assert changes.poll().row == {"who": "bob"}
            now[0] += 4
            assert len(list(db.sql("SELECT * FROM typing", user="ada"))) == 1
            now[0] += 2
            assert list(db.sql("SELECT * FROM typing", user="ada")) == []
            assert list(db.sql("SELECT count(*) AS n FROM typing", user="ada")) == [{"n": 0}]
            db._upkeep.once()
            assert changes.poll(5).op == "delete"
            db.sql("INSERT INTO typing VALUES ('bob')", user="ada")
            assert changes.poll(5).op == "insert"
