"""Rows into tables: batches, conflicts, what is told when a row is refused; a writer's transactions and states."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

import flatwater as fw
from flatwater import errors, limits
from flatwater.source.tables.creating import NotCreated, Writer
from flatwater.source.tables.table import Table


def items(place):
    text = "VARCHAR(60)" if place.is_server else "TEXT"
    place.run(f"CREATE TABLE items (id {place.key_type}, name {text} NOT NULL, cents INT DEFAULT 7)")
    return place.table("items")


def there(place):
    return place.all("SELECT id, name, cents FROM items ORDER BY id")


def test_rows_are_written_in_batches(place):
    """Rows go in short transactions of at most batch_rows, all of them, a column that is lacking gets its default."""
    table = items(place)
    done = table.create_many(({"id": at, "name": f"it's {at} % ?"} for at in range(1, 26)), batch_rows=10)
    assert (done.written, done.skipped, done.transactions) == (25, 0, 3)
    assert done.wall_s > 0
    assert there(place) == [(at, f"it's {at} % ?", 7) for at in range(1, 26)]
    assert table.create_many([]).transactions == 0


def test_a_row_that_is_refused_is_told(place):
    """The row is named by its number and values; what was committed before stays, and the error says how much that is."""
    table = items(place)
    rows = [(at, f"name {at}", at) for at in range(1, 40)]
    rows[32] = (5, "again", 1)
    with pytest.raises(NotCreated, match=r"row 33 \{'id': 5, 'name': 'again', 'cents': 1\} is refused") as refused:
        table.create_many(rows, batch_rows=10)
    assert "Committed: rows 1 to 30, in 3 transactions; nothing behind them." in str(refused.value)
    assert (refused.value.row_number, refused.value.created.written) == (33, 30)
    assert len(there(place)) == 30
    with pytest.raises(NotCreated, match=r"row 1 .*Nothing is committed"):
        table.create_many([(100, None, 1)])


def test_rows_that_are_there_already(database):
    """skip leaves the row that is there as it is, update gives it the new values, also where a key comes twice."""
    table = items(database)
    table.create_many([(1, "one", 1), (2, "two", 2)])
    done = table.create_many([(2, "new", 9), (3, "three", 3), (3, "again", 4), (4, "four", 4)], on_conflict="skip")
    assert (done.written, done.skipped) == (2, 2)
    assert there(database) == [(1, "one", 1), (2, "two", 2), (3, "three", 3), (4, "four", 4)]
    done = table.create_many(
        [{"id": 2, "name": "TWO"}, {"id": 5, "name": "five"}, {"id": 5, "name": "FIVE"}], on_conflict="update"
    )
    assert (done.written, done.skipped) == (3, 0)
    assert there(database)[1:] == [(2, "TWO", 2), (3, "three", 3), (4, "four", 4), (5, "FIVE", 7)]


def test_another_unique_key(database):
    """key= names the columns that tell which rows are there already; a row must have them."""
    key = "VARCHAR(60)" if database.is_server else "TEXT"
    database.run(f"CREATE TABLE people (id {database.key_type}, mail {key} NOT NULL UNIQUE, seen INT)")
    table = database.table("people", key="mail")
    table.create_many([(1, "a@b", 1)])
    table.create_many([{"id": 1, "mail": "a@b", "seen": 2}], on_conflict="update")
    assert database.all("SELECT * FROM people") == [(1, "a@b", 2)]
    with pytest.raises(errors.UsageError, match="lacks mail"):
        table.create_many([{"id": 3}], on_conflict="skip")
    with pytest.raises(errors.FlatwaterError):
        database.table("people", key="seen").create_many([(4, "c", 1)], on_conflict="skip")
    assert len(database.all("SELECT * FROM people")) == 1


def test_rows_of_different_columns(database):
    """Rows need not have the same columns, nor in the same order; each lacking one gets its default."""
    table = items(database)
    rows = [{"id": 1, "name": "a"}, {"cents": 3, "name": "b", "id": 2}, {"name": "c", "id": 3}, (4, "d", 4)]
    assert table.create_many(rows).written == 4
    assert there(database) == [(1, "a", 7), (2, "b", 3), (3, "c", 7), (4, "d", 4)]


def test_what_cannot_be_written_is_refused(sqlite_place):
    """A select, unknown and missing columns, wrong numbers of values, no rows, strange arguments: each is said."""
    table = items(sqlite_place)
    for rows, words in (
        ([{"id": 1, "name": "x", "cent": 1}], "row 1: items: there is no column 'cent'.*Did you mean 'cents'"),
        ([{"id": 1}], "row 1: items: the row lacks name"),
        ([{}], "lacks name"),
        ([(1, "x", 1), (2, "y")], "row 2: items: the row has 2 values, and the table 3 columns.*id, name, cents"),
        ([5], "int is no row"),
        ({"id": 1}, "dict is no rows"),
        ("text", "str is no rows"),
        (7, "int is no rows"),
    ):
        with pytest.raises(errors.UsageError, match=words):
            table.create_many(rows)
    with pytest.raises(errors.UsageError, match="is a select, and rows go into a table"):
        sqlite_place.table("SELECT * FROM items", key="id").create_many([])
    with pytest.raises(errors.UsageError, match="none of raise, skip, update"):
        table.create_many([], on_conflict="ignore")
    with pytest.raises(errors.UsageError, match="batch_rows"):
        table.create_many([], batch_rows=0)
    with pytest.raises(errors.UsageError, match="no such table"):
        sqlite_place.table("nothing").create_many([(1,)])
    sqlite_place.run("CREATE TABLE keyless (a)")
    with pytest.raises(errors.UsageError, match="has no primary key"):
        sqlite_place.table("keyless").create_many([(1,)], on_conflict="skip")
    table.close()
    with pytest.raises(errors.ClosedError):
        table.create_many([])
    assert there(sqlite_place) == []


def test_rows_that_break_in_the_middle(sqlite_place):
    """What the rows themselves raise comes through, with a note of what is committed; a waiting batch is not written."""
    table = items(sqlite_place)

    def rows():
        for at in range(1, 26):
            yield at, "x", at
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke") as broken:
        table.create_many(rows(), batch_rows=10)
    assert broken.value.__notes__ == ["Committed: rows 1 to 20, in 2 transactions; nothing behind them."]
    assert len(there(sqlite_place)) == 20


def test_a_transaction_of_the_users_is_left_alone(place):
    """A connection with a transaction of the user's is refused, and his changes can still be rolled back."""
    if place.kind not in ("sqlite3", "apsw", "psycopg", "pymysql"):
        pytest.skip("only a connection can have one")
    table = items(place)
    table.create_many([(1, "x", 1)])
    cursor = place.source.cursor()
    cursor.execute("BEGIN")
    cursor.execute("UPDATE items SET cents = 7")
    with pytest.raises(errors.UsageError, match="in a transaction"):
        table.create_many([(2, "y", 1)])
    place.source.cursor().execute("ROLLBACK")
    assert there(place) == [(1, "x", 1)]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sqlite3 has no autocommit= before 3.12")
def test_a_connection_with_autocommit(tmp_path):
    """A sqlite3 connection with autocommit=True is committed all the same."""
    connection = sqlite3.connect(tmp_path / "a.db", autocommit=True)
    connection.execute("CREATE TABLE t (a)")
    assert Table(connection, "t").create_many([(1,), (2,)], batch_rows=1).transactions == 2
    assert not connection.in_transaction


def test_batches_end_by_bytes(sqlite_place):
    """A batch ends before the row that does not fit; a larger row goes alone, and its bytes are in the budget meanwhile."""
    table = items(sqlite_place)
    with fw.Budget("64 MiB") as budget:
        done = table.create_many(
            ((at, "x" * (3_000_000 if at == 20 else 1_000), 1) for at in range(1, 41)), batch_bytes=10_000
        )
        assert 6 <= done.transactions <= 10
        assert budget.held == 0
        assert budget.peak > 9_000_000
    assert len(there(sqlite_place)) == 40
    with fw.Budget("4 MiB"), pytest.raises(errors.BudgetExceeded):
        table.create_many([(50, "x", 1)])
    assert len(there(sqlite_place)) == 40


def test_coroutines(database):
    """acreate_many takes rows of both kinds."""
    table = items(database)

    async def rows():
        for at in range(1, 6):
            yield at, "x", at

    async def main():
        first = await table.acreate_many(rows(), batch_rows=2)
        second = await table.acreate_many([(at, "y", at) for at in range(6, 9)], batch_rows=2)
        return first.transactions, second.transactions

    assert asyncio.run(main()) == (3, 2)
    assert len(there(database)) == 8


@dataclasses.dataclass
class Item:
    id: int
    name: str
    cents: int = 5


@pytest.mark.parametrize("schema", [Item, ["id", "name", "cents"]])
def test_the_sink_of_a_batch_builder(sqlite_place, schema):
    """A BatchBuilder hands its rows to a table."""
    with fw.BatchBuilder(schema, items(sqlite_place), batch_rows=10) as builder:
        for at in range(25):
            builder.append(id=at, name=f"name {at}", cents=at)
    assert [row[0] for row in there(sqlite_place)] == list(range(25))


def test_a_batch_as_a_whole_or_not_at_all(sqlite_place):
    """A writer as the sink of a BatchBuilder writes a batch that failed once more, and nothing twice."""
    table = items(sqlite_place)
    table.create_many([(15, "in the way", 1)])
    with table.writer() as writer:
        builder = fw.BatchBuilder(Item, writer, batch_rows=10)
        for at in range(10, 20):
            builder.append(id=at, name="x", cents=1)
        with pytest.raises(NotCreated, match="row 6 "):
            builder.flush()
        assert len(there(sqlite_place)) == 1
        sqlite_place.run("DELETE FROM items")
        builder.close()
    assert [row[0] for row in there(sqlite_place)] == list(range(10, 20))


def test_large_whole_numbers_and_odd_text(place):
    """What a driver or database does not take is told by the row, and nothing else goes wrong: the next call works."""
    table = items(place)
    for row in ((1 << 80, "x", 1), (1, "\ud800", 1), (1, object(), 1), ("no number", "x", 1)):
        with pytest.raises((NotCreated, errors.UsageError), match="row 2 "):
            table.create_many([(9, "fine", 1), row])
    assert there(place) == []
    assert table.create_many([(9, "fine", 1)]).written == 1


# --- the writer --------------------------------------------------------------------------------------------------------


def test_a_writer_commits_when_it_is_told_to(database):
    """Nothing is there before commit; the state of a job comes with the rows; rollback takes both back."""
    table = items(database)
    with table.writer() as writer:
        assert writer.state_of("job") is None
        writer.write([(1, "a", 1)])
        writer.write([{"id": 2, "name": "b"}])
        assert there(database) == []
        writer.commit(("job", b"\x00\xff 2"))
        assert len(there(database)) == 2
        assert writer.state_of("job") == b"\x00\xff 2"
        writer.write([(3, "c", 1)])
        writer.rollback()
        writer.commit()
        assert len(there(database)) == 2
        writer.commit(("job", b"3"))
        writer.commit(("Job", b"other"))
        assert (writer.written, writer.transactions) == (2, 3)
        writer.write([(4, "d", 1)])
    assert len(there(database)) == 2
    with table.writer() as writer:
        assert (writer.state_of("job"), writer.state_of("Job")) == (b"3", b"other")
        writer.write([(5, "e", 1)])
        writer.forget("job")
        writer.rollback()
        assert writer.state_of("job") == b"3"
        writer.forget("job")
        writer.forget("never")
        assert writer.state_of("job") is None
    assert len(there(database)) == 2


def test_a_writer_whose_rows_are_refused(database):
    """After an error only rollback goes; nothing of the transaction is there, and the writer works on."""
    table = items(database)
    with table.writer() as writer:
        writer.write([(1, "a", 1)])
        writer.commit(("job", b"1"))
        writer.write([(2, "b", 1)])
        with pytest.raises(NotCreated, match=r"row 2 \{'id': 1, .*Roll back"):
            writer.write([(3, "c", 1), (1, "again", 1)])
        for call in (lambda: writer.write([(4, "d", 1)]), writer.commit, lambda: writer.commit(("job", b"2"))):
            with pytest.raises(errors.BrokenError, match="rollback"):
                call()
        writer.rollback()
        assert writer.state_of("job") == b"1"
        writer.write([(2, "b", 1)])
        with pytest.raises(errors.UsageError, match="less than"):
            writer.commit(("job", b"x" * limits.TABLE_STATE_BYTES_MAX))
        writer.commit(("job", b"x" * (limits.TABLE_STATE_BYTES_MAX - 1)))
        assert len(writer.state_of("job")) == limits.TABLE_STATE_BYTES_MAX - 1
        for note in (("", b""), ("job", "text"), "job", ("x" * 201, b""), (5, b"")):
            with pytest.raises(errors.UsageError):
                writer.commit(note)
    assert [row[0] for row in there(database)] == [1, 2]


def test_a_writer_skips_and_updates(database):
    """A writer has the ways of create_many with rows that are there already."""
    table = items(database)
    with table.writer("skip") as writer:
        writer.write([(1, "a", 1), (1, "b", 2), (2, "c", 3)])
        writer.commit()
        assert (writer.written, writer.skipped) == (2, 1)
    with table.writer(on_conflict="update") as writer:
        writer.write([(1, "A", 1), (1, "B", 2)])
        writer.commit()
    assert there(database) == [(1, "B", 2), (2, "c", 3)]


def test_a_writer_needs_a_connection_of_its_own(place):
    """A path or URL gets one; a connection of the user's is refused, with what to give instead."""
    table = items(place)
    if place.kind in ("sqlite path", "postgres url", "mariadb url"):
        with table.writer() as writer:
            writer.write([(1, "a", 1)])
            writer.commit()
        assert table.count_estimate()
        return
    with pytest.raises(errors.UsageError, match=r"connection of yours.*path, a URL or an Engine"), table.writer():
        pass


def test_a_writer_that_is_not_open(sqlite_place):
    """A writer that is closed or was never opened says so, gives its bytes back, and can be opened again."""
    writer = items(sqlite_place).writer()
    with pytest.raises(errors.ClosedError, match="not open"):
        writer.write([(1, "a", 1)])
    with fw.Budget("64 MiB") as budget:
        assert isinstance(writer.open(), Writer)
        assert budget.held == writer.bytes_max() < 20 << 20
        writer.write([(1, "a", 1)])
        writer.close()
        writer.close()
        assert budget.held == 0
        with writer:
            writer.write([(1, "a", 1)])
            writer.commit(("job", b""))
            assert writer.state_of("job") == b""
    with pytest.raises(errors.ClosedError):
        writer.commit()
    assert len(there(sqlite_place)) == 1


def test_a_writer_and_others(sqlite_place):
    """While a writer's transaction is open others read what was committed, and a second writer waits for the first."""
    table = items(sqlite_place)
    with table.writer() as writer:
        writer.write([(1, "a", 1)])
        assert list(table.find_each()) == []
        writer.commit()
        assert len(list(table.find_each())) == 1


def test_a_writers_connection_that_is_cut(database):
    """Where the connection is gone, rollback opens another, and the state says what was committed."""
    if not database.is_server:
        pytest.skip("a file has no connection to cut")
    table = items(database)
    with table.writer() as writer:
        writer.write([(1, "a", 1)])
        writer.commit(("job", b"1"))
        writer.write([(2, "b", 1)])
        with contextlib.closing(database.connect()) as other, other.cursor() as cursor:
            if database.kind == "postgres url":
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid()"
                )
            else:
                cursor.execute(
                    "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
                )
                for (number,) in cursor.fetchall():
                    cursor.execute(f"KILL {number}")
        with pytest.raises(errors.BrokenError):
            writer.write([(3, "c", 1)])
        writer.rollback()
        assert writer.state_of("job") == b"1"
        writer.write([(2, "b", 1)])
        writer.commit(("job", b"2"))
    assert [row[0] for row in there(database)] == [1, 2]


def test_a_transaction_that_the_database_ends_by_itself(sqlite_place):
    """Where a trigger rolls everything back, nothing that comes behind is committed by accident."""
    table = items(sqlite_place)
    sqlite_place.run(
        "CREATE TRIGGER strict BEFORE INSERT ON items WHEN new.id = 3 BEGIN SELECT RAISE(ROLLBACK, 'not three'); END"
    )
    with table.writer() as writer:
        writer.write([(1, "a", 1)])
        with pytest.raises(errors.BrokenError, match="not three"):
            writer.write([(2, "b", 1), (3, "c", 1), (4, "d", 1)])
        with pytest.raises(errors.BrokenError, match="rollback"):
            writer.write([(4, "d", 1)])
        writer.rollback()
        writer.write([(5, "e", 1)])
        assert there(sqlite_place) == []
        writer.commit(("job", b"5"))
        assert writer.state_of("job") == b"5"
    with pytest.raises(errors.BrokenError, match=r"not three.*Committed: rows 1 to 2, in 2 transactions"):
        table.create_many([(1, "a", 1), (2, "b", 1), (3, "c", 1)], batch_rows=1)
    assert [row[0] for row in there(sqlite_place)] == [1, 2, 5]


def test_a_writer_goes_from_thread_to_thread(database):
    """A transaction that one thread begins another one ends."""
    table = items(database)
    with table.writer() as writer:
        for number in range(1, 4):
            for call in (lambda number=number: writer.write([(number, "a", 1)]), writer.commit):
                thread = threading.Thread(target=call)
                thread.start()
                thread.join(30)
        assert writer.transactions == 3
    assert len(there(database)) == 3


def test_a_deferred_constraint_breaks_the_commit(postgres):
    """What the database refuses only at the end is told by commit, and nothing is there."""
    with postgres.database() as database:
        database.execute(
            "CREATE TABLE a (id INT PRIMARY KEY)",
            "CREATE TABLE b (id INT PRIMARY KEY, a INT REFERENCES a DEFERRABLE INITIALLY DEFERRED)",
        )
        table = Table(database.url, "b")
        with table.writer() as writer:
            writer.write([(1, 5)])
            with pytest.raises(errors.BrokenError, match=r"foreign key.*Roll back"):
                writer.commit(("job", b"1"))
            writer.rollback()
            assert writer.state_of("job") is None
        with pytest.raises(errors.BrokenError, match="foreign key"):
            table.create_many([(1, 5)])
        assert list(table.find_each()) == []


def test_a_table_without_transactions(mariadb):
    """A writer refuses a table of MariaDB whose engine keeps what is rolled back."""
    with mariadb.database() as database:
        database.execute("CREATE TABLE t (a INT PRIMARY KEY) ENGINE=MyISAM")
        with (
            pytest.raises(errors.UsageError, match="MyISAM, which has no transactions"),
            Table(database.url, "t").writer(),
        ):
            pass


def test_a_forked_child_opens_its_own(sqlite_place):
    """A child does not write over the connection of its parent."""
    with items(sqlite_place).writer() as writer:
        writer.write([(1, "a", 1)])
        child = os.fork()
        if child == 0:
            code = 1
            try:
                writer.write([(2, "b", 1)])
            except errors.ClosedError:
                writer.close()
                code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        writer.commit()
    assert len(there(sqlite_place)) == 1


PROGRAM = """
import sys
from flatwater.source.tables.table import Table
with Table(sys.argv[1], "items").writer() as writer:
    at = int(writer.state_of("load") or 0)
    while True:
        for _ in range(at % 3 + 1):
            writer.write([{"id": at + n, "name": "x"} for n in range(50)])
            at += 50
        writer.commit(("load", b"%d" % at))
        print(at, flush=True)
"""


@pytest.mark.slow
def test_kill_9_leaves_rows_and_state_in_agreement(database):
    """Killed at any moment, five times over: the rows that are there are those that the state speaks of, each once."""
    table = items(database)
    chance = random.Random(5)
    last = 0
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", PROGRAM, database.source], stdout=subprocess.PIPE) as program:
            for _line in range(chance.randrange(1, 40)):
                last = int(program.stdout.readline())
            time.sleep(chance.random() / 100)  # somewhere in the middle of the next ones
            program.send_signal(signal.SIGKILL)
        with table.writer() as writer:
            state = int(writer.state_of("load"))
        assert state >= last
        assert database.all("SELECT count(*), min(id), max(id) FROM items") == [(state, 0, state - 1)]


def test_a_writer_that_is_dropped(sqlite_place):
    """A writer that nobody has any more rolls back and gives its bytes back."""
    with fw.Budget("64 MiB") as budget:
        writer = items(sqlite_place).writer().open()
        writer.write([(1, "a", 1)])
        del writer
        assert budget.held == 0
    assert there(sqlite_place) == []
