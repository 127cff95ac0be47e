"""What breaks under a pass: connections are cut, files vanish, processes fork, others write; no row is lost or given twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from flatwater import errors
from flatwater.source.tables.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "source" / "tables"))

from worlds import mariadb, postgres, world, world_of  # noqa: F401 - fixtures

COUNT = 200
SECRET = "a secret of the tests, long enough"


@pytest.fixture(autouse=True)
def own_secret(monkeypatch):
    """Tokens are signed with the test's secret."""
    monkeypatch.setenv("FLATWATER_SECRET", SECRET)


@pytest.fixture
def table(world):  # noqa: F811 - the fixture
    """A table of 200 rows, made anew for each test, as `world.rows()`."""
    world.run(
        "DROP TABLE IF EXISTS numbers",
        "CREATE TABLE numbers (id INTEGER NOT NULL PRIMARY KEY, grp INT NOT NULL, body VARCHAR(50))",
    )
    world.run("CREATE INDEX numbers_grp ON numbers (grp, id)")
    world.fill("numbers", "i, i % 10, 'x'", COUNT)
    made = world.table("numbers")
    yield made
    made.close()


def cut_all(world):  # noqa: F811 - the fixture's kind
    """End all other connections to a server's database, as its administrator would."""
    if world.kind == "postgres":
        world.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return
    with contextlib.closing(world.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()")
        for (number,) in cursor.fetchall():
            cursor.execute(f"KILL {number}")


def test_a_connection_that_is_cut_mid_pass(world, table):  # noqa: F811 - the fixture
    """The pass breaks with BrokenError, and the same table and another one go on with its token; no row is lost."""
    if world.kind == "sqlite":
        pytest.skip("a file has no connection to cut")
    for order_by in ("id", "grp, id"):
        rows = table.find_each(order_by=order_by, batch_rows=20)
        got = [next(rows)["id"] for _ in range(25)]
        cut_all(world)
        with pytest.raises(errors.BrokenError, match=r"after=token"):  # noqa: PT012 - the loop is what breaks
            for row in rows:
                got.append(row["id"])  # noqa: PERF401 - what came before the break is kept
        assert len(got) == 40
        for again in (table, world.table("numbers")):
            rest = list(again.pluck("id", order_by=order_by, after=rows.token))
            assert sorted(got + rest) == list(range(1, COUNT + 1))


def test_a_snapshot_that_is_cut_does_not_go_on_elsewhere(world, table):  # noqa: F811 - the fixture
    """A snapshot's connection is never replaced under it: the pass breaks."""
    if world.kind == "sqlite":
        pytest.skip("a file has no connection to cut")
    rows = table.find_each(consistency="snapshot", batch_rows=20)
    for _ in range(20):
        next(rows)
    cut_all(world)
    with pytest.raises(errors.BrokenError):
        next(rows)
    rows.close()


def test_a_user_s_connection_that_is_cut(world, table):  # noqa: F811 - the fixture
    """A pass over a connection of the user's breaks, and his next connection goes on with the token."""
    if world.kind == "sqlite":
        pytest.skip("a file has no connection to cut")
    connection = world.connect()
    rows = Table(connection, "numbers").find_each(batch_rows=20)
    got = [next(rows)["id"] for _ in range(20)]
    cut_all(world)
    with pytest.raises(errors.BrokenError):
        next(rows)
    other = world.connect()
    got += Table(other, "numbers").pluck("id", after=rows.token)
    assert got == list(range(1, COUNT + 1))
    for each in (connection, other):
        with contextlib.suppress(Exception):
            each.close()


def open_transactions(world):  # noqa: F811 - the fixture's kind
    if world.kind == "postgres":
        return world.all(
            "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
        )
    return world.all(  # of this database: other tests use the same server
        "SELECT trx_id FROM information_schema.innodb_trx JOIN information_schema.processlist ON id = trx_mysql_thread_id"
        " WHERE db = DATABASE()"
    )


def test_leaving_the_loop_leaves_no_transaction(world, table):  # noqa: F811 - the fixture
    """Between rows, after break and after close, no transaction of a pass is open, and others can write."""
    connection = world.connect(**({} if world.kind == "sqlite" else {"autocommit": False}))
    for source in (table, Table(connection, "numbers")):
        for kind in ("find_each", "batches", "pluck"):
            rows = getattr(source, kind)(*(["id"] if kind == "pluck" else []), batch_rows=7)
            for _ in rows:
                if world.kind != "sqlite":
                    assert open_transactions(world) == []
                world.run("UPDATE numbers SET body = 'y' WHERE id = 3")
                break
        source.page(limit=5)
        source.ranges(3, order_by="grp, id")
        source.count_estimate()
        source.explain()
        if world.kind != "sqlite":
            assert open_transactions(world) == []
    connection.close()


def test_threads_share_a_table_of_a_url(table):
    """Six threads that read one table at once, each with its own pass, each get all rows."""
    got, start = [], threading.Barrier(6)

    def read():
        try:
            start.wait(10)
            got.append(sum(1 for _ in table.find_each(batch_rows=17)))
        except BaseException as error:
            got.append(error)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert got == [COUNT] * 6


def test_coroutines_share_a_table_of_a_url(table):
    """Passes of several tasks over one table do not get in each other's way."""

    async def read():
        return [row["id"] async for row in table.find_each(batch_rows=17)]

    async def main():
        return await asyncio.gather(*(read() for _ in range(4)))

    assert asyncio.run(main()) == [list(range(1, COUNT + 1))] * 4


def test_a_forked_child_opens_its_own(table):
    """A child of fork reads the same table over a connection of its own, and the parent's pass goes on meanwhile."""
    rows = table.find_each(batch_rows=20)
    first = next(rows)["id"]
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            counts = [sum(1 for _ in table.find_each(batch_rows=20)), sum(1 for _ in rows)]
            os.write(writing, repr(counts).encode())
        except BaseException as error:
            os.write(writing, repr(error).encode()[:500])
        finally:
            os._exit(0)
    os.close(writing)
    own = [first, *(row["id"] for row in rows)]
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    assert own == list(range(1, COUNT + 1))
    assert said == repr([COUNT, COUNT - 1])
    assert sum(1 for _ in table.find_each()) == COUNT


@pytest.mark.parametrize("order_by", ["id", pytest.param("-id", marks=pytest.mark.slow)])
def test_others_write_meanwhile(world, table, order_by):  # noqa: F811 - the fixture
    """Rows come and go while a pass runs: each row at most once, and every row that stays is seen."""
    chance = random.Random(7)
    there, gone = set(range(1, COUNT + 1)), set()
    seen = []
    for number, row in enumerate(table.find_each(order_by=order_by, batch_rows=13)):
        seen.append(row["id"])
        if number % 20 == 0:
            victims = chance.sample(sorted(there - gone), 8)
            gone |= set(victims)
            new = 1_000 + number if chance.random() < 0.5 else -number - 1
            world.run(
                f"DELETE FROM numbers WHERE id IN ({', '.join(map(str, victims))})",
                f"INSERT INTO numbers VALUES ({new}, 5, 'new')",
                f"UPDATE numbers SET body = 'z', grp = grp + 1 WHERE id = {chance.choice(sorted(there))}",
            )
    assert len(seen) == len(set(seen))
    assert there - gone <= set(seen)


def test_rows_whose_order_changes_come_once_in_a_snapshot(world, table):  # noqa: F811 - the fixture
    """A snapshot is the table of its start, though the order's column of every row changes meanwhile."""
    if world.kind == "sqlite":
        world.run("PRAGMA journal_mode = wal")
    seen = []
    for row in table.find_each(order_by="grp, id", batch_rows=13, consistency="snapshot"):
        if len(seen) % 20 == 0:
            world.run("UPDATE numbers SET grp = (grp + 5) % 17")
        seen.append(row["id"])
    assert sorted(seen) == list(range(1, COUNT + 1))


# --- files ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path):
    """A SQLite file of 2,000 rows on many pages."""
    name = str(tmp_path / "t.db")
    fill(name)
    return name


def fill(name, count=2_000, wal=False):  # noqa: FBT002 - one of two journals
    with contextlib.closing(sqlite3.connect(name)) as connection:
        if wal:
            connection.execute("PRAGMA journal_mode = wal")
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", ((at, f"{at} " * 100) for at in range(count)))
        connection.commit()


def started(path):
    rows = Table(path, "t").find_each(batch_rows=10)
    return rows, [next(rows)["id"] for _ in range(10)]


def test_a_file_that_is_deleted_or_replaced_mid_pass(path, tmp_path):
    """The pass ends with the rows of the file that it began with."""
    rows, got = started(path)
    os.unlink(path)
    got += [row["id"] for row in rows]
    assert got == list(range(2_000))
    fill(path)
    rows, got = started(path)
    other = str(tmp_path / "other.db")
    fill(other, 5)
    os.replace(other, path)
    got += [row["id"] for row in rows]
    assert got == list(range(2_000))


@pytest.mark.parametrize("how", ["truncated", "emptied", "overwritten"])
def test_a_file_that_is_damaged_mid_pass(path, how):
    """A file that shrinks or is written over is a BrokenError, and nothing that was not there is given."""
    rows, got = started(path)
    with open(path, "r+b") as file:
        if how == "overwritten":
            file.write(os.urandom(os.path.getsize(path)))
        else:
            file.truncate(0 if how == "emptied" else 3 * 4096)
    with pytest.raises((errors.BrokenError, errors.UsageError)):  # noqa: PT012 - the loop is what breaks
        for row in rows:
            got.append(row["id"])
    assert got == list(range(len(got)))


def test_a_file_that_another_process_locks(path, monkeypatch):
    """A lock that does not go away is a BrokenError after the time to wait; once it is gone the pass goes on by token."""
    monkeypatch.setattr("flatwater.limits.TABLE_BUSY_S", 0.05)
    rows, got = started(path)
    code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN EXCLUSIVE'); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        other.stdout.readline()
        with pytest.raises(errors.BrokenError, match="locked"):
            next(rows)
        other.communicate("\n")
    got += Table(path, "t").pluck("id", after=rows.token)
    assert got == list(range(2_000))


@pytest.mark.parametrize("wal", [False, True])
def test_another_process_writes_between_batches(tmp_path, wal):
    """Between two batches a writer waits for nothing, in both journal modes."""
    name = str(tmp_path / "w.db")
    fill(name, 50, wal)
    code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=0); c.execute('DELETE FROM t WHERE id = ' + sys.argv[2]); c.commit()"
    seen = []
    for batch in Table(name, "t").batches(batch_rows=20):
        seen += [row["id"] for row in batch]
        victim = str(seen[-1] + 5)
        done = subprocess.run([sys.executable, "-c", code, name, victim], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert seen == [at for at in range(50) if at not in (24, 45)]


def test_files_that_are_no_database(tmp_path):
    """A folder, an empty file, text, a half header, a named pipe: each is a UsageError at once, and nothing is written."""
    (tmp_path / "empty.db").touch()
    (tmp_path / "text.db").write_text("this is no database " * 100)
    (tmp_path / "half.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 50)
    os.mkfifo(tmp_path / "pipe.db")
    sizes = {each.name: each.stat().st_size for each in tmp_path.iterdir()}
    for source in (tmp_path, *tmp_path.iterdir()):
        with pytest.raises((errors.UsageError, errors.BrokenError)):
            Table(str(source), "t").find_each()
    assert {each.name: each.stat().st_size for each in tmp_path.iterdir()} == sizes


def as_another(call):
    """What a function gives in a forked child that is not the superuser."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.write(writing, repr(call()).encode())
        except BaseException as error:
            os.write(writing, repr(error).encode()[:1000])
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def test_a_file_that_may_only_be_read():
    """A file and a folder without the right to write are read; writing back is refused in a sentence."""
    import apsw  # the child may not be allowed to

    assert apsw

    with tempfile.TemporaryDirectory() as folder:
        name = str(Path(folder) / "t.db")
        fill(name, 20)
        os.chmod(name, 0o444)
        os.chmod(folder, 0o555)
        list(Table(name, "t").pluck("id", finish=1))

        def read():
            table = Table(name, "t")
            count = sum(1 for _ in table.find_each())
            try:
                table.update_each(lambda _: {"body": "new"})
            except errors.FlatwaterError as error:
                return count, type(error).__name__

        assert as_another(read) == repr((20, "BrokenError"))
        os.chmod(folder, 0o755)
