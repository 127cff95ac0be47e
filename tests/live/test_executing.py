"""Statements of many users, in one context."""

import subprocess
import sys
import threading

import pytest

from flatwater import errors
from flatwater.live.database import Database
from flatwater.live.engine import Engine


def test_a_hundred_users_at_once(db):
    """A thousand calls of a hundred users in threads: each sees his rows, and there is one SQL context, without a table left."""
    before, wrong = Engine.contexts, []

    def work(number):
        user = f"user{number}"
        db.sql("INSERT INTO notes VALUES (1, ?, ?)", [user, number], user=user)
        for _ in range(10):
            found = list(db.sql("SELECT max(body) AS b, count(*) AS c FROM notes", user=user))
            if found != [{"b": user, "c": 1}]:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert Engine.contexts - before == 1
    assert db._executor.engine.tables() == 0


def test_statements_are_kept_in_bytes(db):
    """However many different statements there are, those that are kept take no more than they may."""
    for n in range(3_000):
        list(db.sql(f"SELECT * FROM notes WHERE id = {n}", user=f"u{n}"))
    assert db._executor.held() <= db._executor.bytes_max()


def test_what_was_prepared_is_made_anew(db):
    """After a change of a table, or of a user, the same text goes by what is there now."""
    text = "SELECT * FROM notes"
    db.sql("INSERT INTO notes (id) VALUES (1)", user="ada")
    assert list(next(db.sql(text, user="ada"))) == ["id", "body", "n"]
    db.sql("ALTER TABLE notes ADD COLUMN x INT")
    assert list(next(db.sql(text, user="ada"))) == ["id", "body", "n", "x"]
    db.sql("DROP TABLE notes")
    with pytest.raises(errors.UsageError):
        db.sql(text, user="ada")
    db.sql("CREATE USER ada WITH ROLE 'dba'")
    db.sql("CREATE NAMESPACE mine", user="ada")
    db.sql("DROP USER ada")
    with pytest.raises(errors.FlatwaterError, match="may not"):
        db.sql("CREATE NAMESPACE more", user="ada")


@pytest.mark.parametrize(
    ("params", "text"),
    [("abc", "SELECT ?"), ([1], "SELECT 1"), ([], "SELECT ?"), ({1}, "SELECT ?"), ([object()], "SELECT ? AS x")],
)
def test_parameters_that_do_not_fit(db, params, text):
    """Their number and kind are told."""
    with pytest.raises(errors.UsageError):
        list(db.sql(text, params))


def test_tables_of_one_moment(db):
    """A query that reads two tables sees both as they were when it began."""
    db.load("notes", ({"id": n, "n": 0} for n in range(3_000)), user="ada")
    stop = threading.Event()

    def write():
        turn = 0
        while not stop.is_set():
            turn += 1
            db.sql("UPDATE notes SET n = ? WHERE id = 0 OR id = 2999", [turn], user="ada")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(10):
            found = list(db.sql("SELECT count(DISTINCT n) AS c FROM notes WHERE id = 0 OR id = 2999", user="ada"))
            assert found == [{"c": 1}]
            pair = "SELECT a.n AS x, b.n AS y FROM notes a JOIN notes b ON a.id = 0 AND b.id = 2999"
            row = next(db.sql(pair, user="ada"))
            assert row["x"] == row["y"]
    finally:
        stop.set()
        thread.join()


def test_without_the_engine_there_is_no_arrow(tmp_path):
    """Rows by key, changes and subscriptions import neither Arrow nor DataFusion, which take more than all else together."""
    code = """
import sys
import flatwater as fw
with fw.Database(sys.argv[1], sync="off") as db:
    db.sql("CREATE TABLE t (id BIGINT PRIMARY KEY)")
    db.load("t", [{"id": 1}])
    db.sql("DELETE FROM t WHERE id = 2")
    rows = list(db.sql("SELECT * FROM t ORDER BY id"))
    with db.subscribe("SELECT * FROM t") as rows_there:
        assert rows == [rows_there.poll().row]
    assert not {"pyarrow", "datafusion"} & set(sys.modules)
    assert list(db.sql("SELECT count(*) AS c FROM t")) == [{"c": 1}]
    assert {"pyarrow", "datafusion"} <= set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "db")], check=True, timeout=60)


@pytest.mark.parametrize("value", [{"a": [1, None]}, [1], "5", "null", "text", '{"a": 1}', 5, True, None, 0.5])
def test_json_stays_what_it_is(tmp_path, value):
    """Through the engine, and from one table into another."""
    with Database(tmp_path / "data", sync="off") as db:
        db.sql("CREATE TABLE t (id INT PRIMARY KEY, j JSON)")
        db.sql("INSERT INTO t VALUES (1, ?)", [value])
        for text in (
            "SELECT j FROM t",
            "SELECT j, id + 1 AS x FROM t",
            "SELECT a.j FROM t AS a JOIN t AS b ON a.id = b.id",
        ):
            assert [row["j"] for row in db.sql(text)] == [value], text
        db.sql("INSERT INTO t SELECT id + 1, j FROM t")
        db.sql("INSERT INTO t SELECT 3, j FROM t WHERE id = 2")
        assert [row["j"] for row in db.sql("SELECT j FROM t")] == [value] * 3
