"""A database as its users meet it."""

import asyncio
import errno
import os
import subprocess
import sys
import threading
import time
from functools import partial

import pyarrow as pa
import pytest

import flatwater as fw
from flatwater import errors
from flatwater.live.access import AccessDenied
from flatwater.live.database import Database
from flatwater.live.refusals import Conflict
from flatwater.store.directory import said


def rows(db, text, params=(), user="ada"):
    return list(db.sql(text, params, user=user))


def test_what_is_written_is_there(db):
    """Rows that were inserted are selected, changed and deleted, and each statement says how many."""
    assert db.sql("INSERT INTO notes VALUES (1, 'a', 5), (2, 'b', DEFAULT)", user="ada").count == 2
    assert rows(db, "SELECT * FROM notes") == [{"id": 1, "body": "a", "n": 5}, {"id": 2, "body": "b", "n": 0}]
    assert db.sql("UPDATE notes SET n = n + 1, body = body || '!' WHERE id = ?", [2], user="ada").count == 1
    assert rows(db, "SELECT body, n FROM notes WHERE n = 1") == [{"body": "b!", "n": 1}]
    assert db.sql("DELETE FROM notes WHERE n > 100", user="ada").count == 0
    assert db.sql("DELETE FROM notes", user="ada").count == 2
    assert rows(db, "SELECT * FROM notes") == []


def test_each_user_has_rows_of_his_own(db):
    """The same statement of another user, and of system, sees and changes other rows."""
    for user in ("ada", "bob", None):
        db.sql("INSERT INTO notes (id, body) VALUES (1, ?)", [str(user)], user=user)
    assert rows(db, "SELECT body FROM notes", user="bob") == [{"body": "bob"}]
    assert rows(db, "SELECT body FROM notes", user=None) == [{"body": "None"}]
    assert db.sql("DELETE FROM notes", user="bob").count == 1
    assert rows(db, "SELECT body FROM notes") == [{"body": "ada"}]


def test_names_of_users_cannot_run_into_each_other(db):
    """Users whose names begin with each other's, or have the separators of keys in them, are different users."""
    names = ["a", "ab", "a b", "é", "a'--", "%", "a\u0301"]
    for name in names:
        db.sql("INSERT INTO notes (id, body) VALUES (1, ?)", [name], user=name)
    for name in names:
        assert rows(db, "SELECT body FROM notes", user=name) == [{"body": name}]
        assert rows(db, "SELECT max(body) AS b FROM notes", user=name) == [{"b": name}]
    for name in ("", "a\0b", "x" * 101, "\ud800", 7):
        with pytest.raises(errors.UsageError):
            rows(db, "SELECT * FROM notes", user=name)


def test_a_key_that_is_there_is_refused(db):
    """A second row of a key changes nothing of its statement, unless ON CONFLICT says what to do."""
    db.sql("INSERT INTO notes VALUES (1, 'a', 1)", user="ada")
    with pytest.raises(Conflict, match="id = 1"):
        db.sql("INSERT INTO notes VALUES (3, 'c', 1), (1, 'b', 1)", user="ada")
    assert len(rows(db, "SELECT * FROM notes")) == 1
    assert db.sql("INSERT INTO notes VALUES (1, 'b', 1), (2, 'c', 1) ON CONFLICT DO NOTHING", user="ada").count == 1
    text = "INSERT INTO notes VALUES (1, 'd', 4), (2, 'e', 0) ON CONFLICT (id) DO UPDATE SET body = excluded.body, n = notes.n + ? WHERE excluded.n > 0"
    assert db.sql(text, [10], user="ada").count == 1
    assert rows(db, "SELECT * FROM notes") == [{"id": 1, "body": "d", "n": 11}, {"id": 2, "body": "c", "n": 1}]


def test_returning_gives_the_rows(db):
    """RETURNING gives rows as they are afterwards, and those that were deleted."""
    text = "INSERT INTO notes VALUES (1, 'a', 1) RETURNING id, n"
    assert rows(db, text) == [{"id": 1, "n": 1}]
    assert rows(db, "UPDATE notes SET id = 9 RETURNING *") == [{"id": 9, "body": "a", "n": 1}]
    assert rows(db, "DELETE FROM notes RETURNING body") == [{"body": "a"}]


def test_an_insert_of_a_select(db):
    """INSERT ... SELECT writes rows of the user who says it."""
    db.sql("INSERT INTO notes VALUES (1, 'a', 1), (2, 'b', 2)", user="ada")
    assert db.sql("INSERT INTO notes SELECT id + 10, body, n FROM notes WHERE n > ?", [1], user="ada").count == 1
    assert [row["id"] for row in rows(db, "SELECT id FROM notes")] == [1, 2, 12]


def test_roles(db):
    """A user reads a public table and changes none, defines nothing, and acts as nobody else."""
    for statement in (
        "INSERT INTO rooms VALUES ('x', 'y', 1)",
        "CREATE TABLE t (id INT PRIMARY KEY)",
        "DROP TABLE notes",
        "CREATE USER eve WITH ROLE 'dba'",
        "EXECUTE AS USER 'bob' (SELECT * FROM notes)",
        "SELECT * FROM system.memory",
    ):
        with pytest.raises(AccessDenied):
            db.sql(statement, user="ada")
    assert rows(db, "SELECT * FROM rooms") == []


def test_acting_as_another_user(db):
    """A service acts as users, a dba as services, nobody as one of his own role or above, and nobody makes one above himself."""
    db.sql("CREATE USER worker WITH ROLE 'service'")
    db.sql("CREATE USER admin WITH ROLE 'dba'")
    db.sql("EXECUTE AS USER 'ada' (INSERT INTO notes VALUES (1, 'by worker', 1))", user="worker")
    assert rows(db, "SELECT body FROM notes") == [{"body": "by worker"}]
    db.sql("EXECUTE AS USER worker INSERT INTO rooms VALUES ('r', 't', 1)", user="admin")
    for user, text in (
        ("worker", "EXECUTE AS USER admin SELECT * FROM notes"),
        ("worker", "EXECUTE AS USER 'system' (SELECT * FROM notes)"),
        ("admin", "CREATE USER boss WITH ROLE 'system'"),
        ("admin", "ALTER USER admin SET ROLE 'system'"),
        ("admin", "EXECUTE AS USER 'system' (CREATE USER boss WITH ROLE 'system')"),
    ):
        with pytest.raises(AccessDenied):
            db.sql(text, user=user)


def test_limits_of_a_user(db):
    """Rows, bytes and subscriptions beyond a user's limits are refused, and those of others are not."""
    db.load("notes", ({"id": n, "body": "x" * 10} for n in range(3)), user="ada")
    db.sql("CREATE USER ada WITH ROWS 3 BYTES 60 SUBSCRIPTIONS 1")
    with pytest.raises(errors.LimitReached, match="bytes"):
        rows(db, "SELECT * FROM notes")
    db.sql("ALTER USER ada SET BYTES 10000")
    assert len(rows(db, "SELECT * FROM notes")) == 3
    for text in ("INSERT INTO notes (id) VALUES (5), (6), (7), (8)", "INSERT INTO notes (id, body) VALUES (5, ?)"):
        with pytest.raises(errors.LimitReached, match="changes more"):
            db.sql(text, ["x" * 20_000] * text.count("?"), user="ada")
    with pytest.raises(errors.LimitReached, match="changes more"):
        db.load("notes", ({"id": n} for n in range(10)), user="ada")
    db.sql("INSERT INTO notes (id) VALUES (77)", user="ada")
    with pytest.raises(errors.LimitReached, match="changes more"):
        db.sql("DELETE FROM notes", user="ada")
    with pytest.raises(errors.LimitReached, match="rows"):
        rows(db, "SELECT * FROM notes")
    with db.subscribe("SELECT * FROM notes", user="ada"):
        with pytest.raises(errors.LimitReached, match="subscriptions"):
            db.subscribe("SELECT * FROM notes", user="ada")
        db.subscribe("SELECT * FROM notes", user="bob").close()
    db.subscribe("SELECT * FROM notes", user="ada").close()


def test_it_is_there_after_a_restart(tmp_path):
    """Rows, tables, users and the numbers of changes go on where they were."""
    with Database(tmp_path) as db:
        db.sql("CREATE NAMESPACE chat")
        db.sql(
            "CREATE TABLE chat.m (id BIGINT PRIMARY KEY DEFAULT SNOWFLAKE_ID(), at TIMESTAMP DEFAULT NOW()) WITH (TYPE = 'USER')"
        )
        db.sql("CREATE USER ada WITH ROLE 'service'")
        first = next(db.sql("INSERT INTO chat.m (at) VALUES (DEFAULT) RETURNING id", user="ada"))["id"]
        seq = db.subscribe("SELECT * FROM chat.m", user="ada").poll().seq
    with Database(tmp_path) as db:
        second = next(db.sql("INSERT INTO chat.m (at) VALUES (NOW()) RETURNING id", user="ada"))["id"]
        assert second > first
        with db.subscribe("SELECT * FROM chat.m", user="ada", since=seq) as changes:
            assert changes.poll().row["id"] == second
        assert rows(db, "SELECT role FROM system.users", user="ada") == [{"role": "service"}]


def test_nobody_else_may_have_it_open(tmp_path):
    """A second process, and a second object, are refused, since they would not see each other's changes."""
    with Database(tmp_path) as _db:
        with pytest.raises(errors.FlatwaterError):
            Database(tmp_path)
        program = f"from flatwater.live.database import Database\nDatabase({str(tmp_path)!r})"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.returncode
        assert "BrokenError" in done.stderr


def test_a_column_that_is_added(db):
    """Rows that were there have the default, in all forms; NOT NULL needs one."""
    db.sql("INSERT INTO notes VALUES (1, 'a', 1)", user="ada")
    db.sql("ALTER TABLE notes ADD COLUMN color TEXT NOT NULL DEFAULT 'red', ADD COLUMN size DOUBLE")
    expected = {"id": 1, "body": "a", "n": 1, "color": "red", "size": None}
    assert rows(db, "SELECT * FROM notes") == [expected]
    assert rows(db, "SELECT color FROM notes WHERE color = 'red'") == [{"color": "red"}]
    assert rows(db, "SELECT count(color) AS c FROM notes") == [{"c": 1}]
    assert b'"color":"red"' in b"".join(db.sql("SELECT * FROM notes", user="ada").json())
    with pytest.raises(errors.UsageError, match="NOT NULL"):
        db.sql("ALTER TABLE notes ADD COLUMN bad INT NOT NULL")


def test_a_table_that_is_dropped(db):
    """Its rows are gone, also for one of the same name that is made afterwards."""
    db.sql("INSERT INTO notes VALUES (1, 'a', 1)", user="ada")
    db.sql("DROP TABLE notes")
    with pytest.raises(errors.UsageError, match="no table"):
        rows(db, "SELECT * FROM notes")
    db.sql("CREATE TABLE notes (id BIGINT PRIMARY KEY) WITH (TYPE = 'USER')")
    assert rows(db, "SELECT * FROM notes") == []


@pytest.mark.parametrize("statement", ["INSERT INTO notes VALUES (2, 'b', 1)", "UPDATE notes SET body = 'z'", "load"])
def test_a_table_that_is_dropped_while_a_statement_waits(db, monkeypatch, statement):
    """What was prepared before and is written afterwards is refused: no row is left that nobody sees."""
    db.sql("INSERT INTO notes VALUES (1, 'a', 1)", user="ada")
    submit = db._writer.submit

    def late(plan, *, size=0):
        monkeypatch.setattr(db._writer, "submit", submit)
        db.sql("DROP TABLE notes")
        db._upkeep.once()
        return submit(plan, size=size)

    monkeypatch.setattr(db._writer, "submit", late)
    say = partial(db.load, "notes", [{"id": 3}]) if statement == "load" else partial(db.sql, statement)
    with pytest.raises(errors.UsageError, match="dropped meanwhile"):
        say(user="ada")
    assert db._store.partition("live.rows").count_estimate() == 0


@pytest.mark.parametrize(
    "text", ["SELECT * FROM notes", "SELECT id, upper(body) AS b FROM notes", "SELECT id FROM notes ORDER BY id DESC"]
)
def test_a_table_that_is_dropped_while_it_is_read(db, text):
    """No result is cut short: who reads on is told."""
    db.load("notes", ({"id": n, "body": "z" * 300} for n in range(20_000)), user="ada")
    result = db.sql(text, user="ada")
    next(result)
    db.sql("DROP TABLE notes")
    db._upkeep.once()
    with pytest.raises(errors.UsageError, match="dropped"):
        list(result)


@pytest.mark.parametrize(
    ("where", "rows"),
    [("id IN (1, 50000, 99999)", 3), ("id BETWEEN 10 AND 19", 10), ("id > 99990", 9), ("id < 10", 10), ("id >= 5 AND id < 8", 3), ("id > 50000 ORDER BY id LIMIT 10", 10), ("id < 50000 ORDER BY id DESC LIMIT 10", 10)],
)  # fmt: skip
def test_keys_say_what_is_read(tmp_path, where, rows):
    """Comparisons, BETWEEN and IN of the key read these rows only, with and without the engine, and in changes."""
    with Database(tmp_path / "data", sync="off") as db:
        db.sql("CREATE TABLE t (id BIGINT PRIMARY KEY, body TEXT)")
        db.load("t", ({"id": n, "body": "x" * 20} for n in range(100_000)))
        begin = time.process_time()
        assert len(list(db.sql(f"SELECT * FROM t WHERE {where}"))) == rows
        if "ORDER" not in where:
            assert list(db.sql(f"SELECT count(*) AS c FROM t WHERE {where} AND body <> 'y'")) == [{"c": rows}]
            assert db.sql(f"UPDATE t SET body = 'y' WHERE {where}").count == rows
            assert db.sql(f"DELETE FROM t WHERE {where}").count == rows
        assert (
            time.process_time() - begin < 1.5
        )  # all of it takes a tenth of a second for each statement, and the engine's import


def test_a_select_is_of_the_moment_of_its_call(db):
    """Its rows are those that there were when it was said, whenever they are read, with and without the engine."""
    db.load("notes", ({"id": n, "body": "a"} for n in range(3_000)), user="ada")
    texts = (
        "SELECT id FROM notes",
        "SELECT count(*) AS c FROM notes",
        "SELECT id FROM notes ORDER BY body, id DESC LIMIT 1",
    )
    results = [db.sql(text, user="ada") for text in texts]
    db.sql("DELETE FROM notes WHERE id > 0", user="ada")
    every, count, last = map(list, results)
    assert ([row["id"] for row in every], count, last) == (list(range(3_000)), [{"c": 3_000}], [{"id": 2_999}])


def test_subscriptions_are_within_the_budget(tmp_path):
    """They take what they hold from it, large values and all; what does not fit is refused, and given back at the end."""
    with fw.Budget("40 MiB") as budget, Database(tmp_path / "data", sync="off") as db:
        db.sql("CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT)")
        before = budget.held
        many = [db.subscribe("SELECT * FROM notes WHERE body = ?", [f"{n}" * 2], last_rows=0) for n in range(5_000)]
        assert before + 5_000 * 500 < budget.held < before + 5_000 * 1_000
        row = next(row for row in db.sql("SELECT * FROM system.memory") if row["part"] == "subscriptions")
        assert budget.held - before == row["promised"] >= row["seen"] > 5_000 * 500
        large = ["x" * 40_000_000]
        with pytest.raises(errors.BudgetExceeded):
            db.subscribe("SELECT * FROM notes WHERE body = ?", large, last_rows=0)
        db.sql("INSERT INTO notes VALUES (1, '77')")
        assert many[7].poll().row == {"id": 1, "body": "77"}
        for one in many:
            one.close()
        assert budget.held < before + 400_000  # numbers in arrays stay
    assert budget.held == 0


def test_users_who_come_and_go(db):
    """A million users who subscribe and leave are not remembered one by one."""
    for n in range(3_000):
        db.subscribe("SELECT * FROM notes", user=f"user {n}").close()
    kept = db.subscribe("SELECT * FROM notes", user="ada")
    assert len(db._users) <= 1_010
    db.sql("CREATE USER ada WITH SUBSCRIPTIONS 1")
    with pytest.raises(errors.LimitReached, match="1 subscriptions"):
        db.subscribe("SELECT * FROM notes", user="ada")
    kept.close()


def test_many_coroutines_and_the_engine(db):
    """More coroutines than there are threads and turns: each query waits for its turn, and none for another one's reader."""
    db.load("notes", ({"id": n, "body": "x" * 50, "n": n % 5} for n in range(4_000)), user="ada")

    async def ask(text, rows):
        for _ in range(3):
            found = [row async for row in await db.asql(text, user="ada")]
            assert len(found) == rows

    async def main():
        small, large = (
            "SELECT n, count(*) AS c FROM notes GROUP BY n",
            "SELECT id, upper(body) AS b FROM notes ORDER BY n, id",
        )
        await asyncio.wait_for(
            asyncio.gather(*[ask(small, 5) for _ in range(30)], *[ask(large, 4_000) for _ in range(12)]), 60
        )

    asyncio.run(main())


def test_results_in_results(db):
    """Results may be read within others, deeper than there are turns."""
    db.load("notes", ({"id": n, "n": n % 3} for n in range(9)), user="ada")
    text = "SELECT n, count(*) AS c FROM notes GROUP BY n"

    def deep(level):
        return 1 if level == 0 else sum(deep(level - 1) for _row in db.sql(text, user="ada"))

    assert deep(5) == 3**5


def test_as_many_rows_as_a_statement_may_change(db):
    """A hundred thousand small ones."""
    db.load("notes", ({"id": n, "body": "x"} for n in range(100_000)), user="ada")
    assert db.sql("UPDATE notes SET n = n + 1", user="ada").count == 100_000
    assert db.sql("DELETE FROM notes", user="ada").count == 100_000


def test_rows_of_arrow_are_loaded(db):
    """A table, a record batch, a list of these, and a reader."""
    batch = pa.record_batch({"id": [1, 2], "body": ["a", None]})
    table = pa.Table.from_batches([batch])
    for given in (batch, table, [batch], table.to_reader(), table.to_batches()):
        assert db.load("notes", given, user="ada") == 2
    assert rows(db, "SELECT id, body FROM notes") == [{"id": 1, "body": "a"}, {"id": 2, "body": None}]


def test_what_the_engine_takes_is_said(tmp_path):
    """Where it does not fit, how large its pool may be; and with such a pool it works."""
    with fw.Budget("100 MiB") as budget:
        with Database(tmp_path / "data", sync="off") as db, pytest.raises(errors.BudgetExceeded, match="sql_pool= of"):
            db.sql("SELECT count(*) FROM system.users")
        with Database(tmp_path / "data", sync="off", sql_pool="8 MiB") as db:
            assert list(db.sql("SELECT count(*) AS c FROM system.users")) == [{"c": 1}]
        assert budget.held == 0


def test_a_table_larger_than_the_budget(tmp_path):
    """SELECT * streams more rows than the budget has bytes, in each form."""
    with fw.Budget("64 MiB"), Database(tmp_path, sync="off") as db:
        db.sql("CREATE TABLE big (id BIGINT PRIMARY KEY, body TEXT)")
        db.load("big", ({"id": n, "body": "x" * 2_000} for n in range(40_000)))
        assert sum(1 for _row in db.sql("SELECT * FROM big")) == 40_000
        assert sum(map(len, db.sql("SELECT * FROM big").json())) > 80_000_000
        assert sum(batch.num_rows for batch in db.sql("SELECT id FROM big").arrow()) == 40_000


def test_the_engine_is_refused_where_the_budget_is_too_small(tmp_path):
    """A query that needs the SQL engine says so, and others go on."""
    with fw.Budget("64 MiB"), Database(tmp_path) as db:
        db.sql("CREATE TABLE t (id INT PRIMARY KEY)")
        db.sql("INSERT INTO t VALUES (1)")
        with pytest.raises(errors.BudgetExceeded):
            list(db.sql("SELECT count(*) FROM t"))
        assert list(db.sql("SELECT * FROM t")) == [{"id": 1}]


def test_coroutines(db):
    """Statements and subscriptions work in a loop, which goes on meanwhile."""

    async def main():
        await db.asql("INSERT INTO notes VALUES (1, 'a', 1)", user="ada")
        found = [row async for row in await db.asql("SELECT * FROM notes", user="ada")]
        events = []
        async with db.subscribe("SELECT * FROM notes", user="ada") as changes:
            writer = asyncio.create_task(db.asql("INSERT INTO notes VALUES (2, 'b', 1)", user="ada"))
            async for event in changes:
                events.append((event.op, event.row["id"]))
                if len(events) == 2:
                    break
            await writer
        return found, events

    found, events = asyncio.run(main())
    assert found == [{"id": 1, "body": "a", "n": 1}]
    assert events == [("snapshot", 1), ("insert", 2)]


def test_threads_that_write_at_once(db):
    """Each of many threads finds all of its own rows, and increments of one row by all of them are not lost."""
    db.sql("INSERT INTO notes VALUES (0, 'count', 0)", user="all")

    def work(number):
        for n in range(20):
            db.sql("INSERT INTO notes VALUES (?, 'x', ?)", [n, number], user=f"u{number}")
            db.sql("UPDATE notes SET n = n + 1 WHERE id = 0", user="all")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(db, "SELECT n FROM notes", user="all") == [{"n": 400}]
    assert all(len(rows(db, "SELECT * FROM notes WHERE n = ?", [n], user=f"u{n}")) == 20 for n in range(20))


@pytest.mark.parametrize(
    "given", [5, None, "notes", {"id": 1}, [5], pa.table({"at": pa.array([1], pa.timestamp("ns"))})], ids=str
)
def test_what_is_no_collection_of_rows(db, given):
    """Is refused as such."""
    db.sql("CREATE TABLE times (at TIMESTAMP PRIMARY KEY)")
    with pytest.raises(errors.UsageError):
        db.load("times", given)


def test_loading(db):
    """Any number of rows from dicts, batches of a flow and Arrow tables; a wrong one is told, and those before it are there."""
    import pyarrow as pa

    assert db.load("notes", [{"id": 1, "body": "a"}, {"id": 1, "body": "b"}], user="ada") == 2
    assert db.load("notes", pa.table({"id": [2, 3], "body": ["x", None]}), user="ada") == 2
    assert db.load("notes", [[{"id": 4}], [{"id": 5}]], user="ada") == 2
    assert [row["body"] for row in rows(db, "SELECT body FROM notes")] == ["b", "x", None, None, None]
    with pytest.raises(errors.UsageError, match="nothing"):
        db.load("notes", [{"id": 9, "nothing": 1}], user="ada")
    with pytest.raises(errors.UsageError, match="no row"):
        db.load("notes", [7], user="ada")


def test_a_closed_database_says_so(tmp_path):
    """After the end, statements and subscriptions are refused, and nothing is left but the data."""
    db = Database(tmp_path)
    db.sql("CREATE TABLE t (id INT PRIMARY KEY)")
    changes = db.subscribe("SELECT * FROM t")
    db.close()
    db.close()
    with pytest.raises(errors.ClosedError):
        db.sql("SELECT * FROM t")
    with pytest.raises(errors.ClosedError):
        changes.poll()
    assert not {"queries", "spill"} & set(os.listdir(tmp_path))


def test_what_it_promises_is_given_back(tmp_path):
    """All bytes go back to the budget when it is closed."""
    with fw.Budget("512 MiB") as budget:
        with Database(tmp_path) as db:
            db.sql("CREATE TABLE t (id INT PRIMARY KEY)")
            list(db.sql("SELECT count(*) FROM t"))
            assert budget.held >= db.bytes_max()
        assert budget.held == 0


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_directory_that_cannot_be_written(tmp_path, monkeypatch, number):
    """A database has no `read_only`: what is told says who has."""

    def refuse(path, *_rest):
        raise said(OSError(number, os.strerror(number)), str(path))

    monkeypatch.setattr("flatwater.live.database.Store", refuse)
    with pytest.raises(errors.BrokenError) as found:
        Database(tmp_path / "d")
    assert found.value.hint.endswith("Store(..., read_only=True) only reads it.")


def test_one_object_for_all_threads(tmp_path):
    """Opening it twice in a process says what to share; numbers that are none, what they are of."""
    with Database(tmp_path / "d", sync="off") as db:
        with pytest.raises(errors.UsageError, match="Share what has it open"):
            Database(tmp_path / "d", sync="off")
        db.sql("CREATE TABLE notes (id BIGINT PRIMARY KEY)")
        with pytest.raises(errors.UsageError, match=r"last_rows=-1.*how many rows"):
            db.subscribe("SELECT * FROM notes", last_rows=-1)
        with pytest.raises(errors.UsageError, match=r"since=-1.*seq of an event"):
            db.subscribe("SELECT * FROM notes", since=-1)
