"""Each verb of a table in fresh processes: flat whatever the table holds; the same verb, kept, grows."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import flatwater as fw
from flatwater.source.tables.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "servers"))

from database_servers import mariadb, postgres  # noqa: F401 - fixtures

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SIZES = "1k..16k"
SECRET = b"a secret of the tests"
MIB = 1 << 20
FILL = """
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {n})
INSERT INTO rows SELECT i, 'name ' || i || hex(zeroblob(50)), hex(zeroblob(500)) || i FROM n
"""


def file_of(folder, n):
    """The path of a SQLite file of n rows of 1.1 KB, made when it is first asked for.

    Rows are so wide that the first sizes of a proof have filled SQLite's own cache of 2 MiB: what rises then is ours.
    """
    path = os.path.join(folder, f"{n}.db")
    if not os.path.exists(path):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, name TEXT, body TEXT)")
            connection.execute(FILL.format(n=n))
            connection.commit()
    return path


def find_each(table, keep):
    for row in table.find_each(batch_bytes="256 KiB"):
        keep(row)


def objects(table, keep):
    import dataclasses

    row_class = dataclasses.make_dataclass("Row", [("id", int), ("name", str)], slots=True)
    for row in table.find_each(as_=row_class, batch_bytes="256 KiB"):
        keep(row)


def arrow(table, keep):
    for batch in table.batches(as_="arrow", batch_bytes="256 KiB"):
        keep(batch)


def pluck(table, keep):
    for name in table.pluck("name", batch_bytes="256 KiB"):
        keep(name)


def pages(table, keep):
    token = None
    while True:
        page = table.page(token, 100)
        keep(page)
        token = page.token
        if token is None:
            return


def ranges(table, keep):
    for part in table.ranges(4):
        for row in part.find_each(as_=tuple, batch_bytes="256 KiB"):
            keep(row)


def update_each(table, keep):
    def shorten(row):
        keep(row)
        return {"body": row["name"]}

    table.update_each(shorten)


def create_many(table, keep):
    def rows():
        for row in table.find_each(batch_bytes="256 KiB"):
            keep(row)
            yield {**row, "id": -row["id"]}

    table.create_many(rows(), batch_bytes="256 KiB")


def writer(table, keep):
    with table.writer() as writer:
        for batch in table.batches(batch_bytes="256 KiB"):
            keep(batch)
            writer.write([{**row, "id": -row["id"]} for row in batch])
            writer.commit(("job", b"%d" % batch[-1]["id"]))


def snapshot(table, keep):
    for row in table.find_each(as_=tuple, consistency="snapshot", batch_bytes="256 KiB"):
        keep(row)


def coroutine(table, keep):
    import asyncio

    async def main():
        async for row in table.find_each(as_=tuple, batch_bytes="256 KiB"):
            keep(row)

    asyncio.run(main())


VERBS = {
    each.__name__: each
    for each in (
        find_each,
        objects,
        arrow,
        pluck,
        pages,
        ranges,
        update_each,
        create_many,
        writer,
        snapshot,
        coroutine,
    )
}


def scenario(verb, folder, *, kept):
    """The verb over the file of n rows, with or without keeping what it gives; what it changes is a copy."""
    library = pytest.importorskip({"arrow": "pyarrow", "coroutine": "asyncio"}.get(verb, "sqlite3"))

    def run(n):
        import shutil

        path = os.path.join(folder, f"{n}.db")
        if verb in ("update_each", "create_many", "writer"):
            path = shutil.copyfile(path, os.path.join(folder, f"{n}-{os.getpid()}.db"))
        held = []
        VERBS[verb](Table(path, "rows", secret=SECRET), held.append if kept else lambda row: None)

    run.needs = library  # sent along, so that it is imported before the call
    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the files of the proofs are: each is made when the first proof gets to its size."""
    return str(tmp_path_factory.mktemp("tables"))


def proof_of(verb, folder, *, kept):
    """By rows of 1.1 KB, so that much less than a row, kept, is seen.

    Coroutines read in a thread, whose allocations scatter: three runs a size, and a quarter of a row.
    """
    threads = verb == "coroutine"
    return fw.prove(
        scenario(verb, folder, kept=kept), on_run=lambda n: file_of(folder, n),
        sizes=SIZES, repeat=3 if threads and not kept else 1, resolution="256 B" if threads else "64 B",
    )  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_flat(verb, folder):
    """The peak does not rise with the rows of the table."""
    proof = proof_of(verb, folder, kept=False)
    assert (proof.verdict, proof.outcome) == ("constant", "holds"), str(proof)


@pytest.mark.parametrize("verb", VERBS)
def test_its_leaking_twin_is_rejected(verb, folder):
    """The same verb whose rows are kept is found to grow."""
    proof = proof_of(verb, folder, kept=True)
    assert (proof.verdict, proof.outcome) == ("grows", "fails"), str(proof)


def mixed_file(wide):
    """1,000 rows of 100 bytes, so many of 1 MB, and 1,000 of 100 bytes again."""
    import sqlite3

    path = os.path.join(tempfile.mkdtemp(), "wide.db")
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT)")
    sizes = [100] * 1000 + [1_000_000] * wide + [100] * 1000
    connection.executemany("INSERT INTO rows (body) VALUES (?)", (("x" * size,) for size in sizes))
    connection.commit()
    connection.close()
    return path


ROW = 1_000_000
BOUND = 2 * 8 * MIB + 4_000_000 + ROW  # of two batches, and the largest row
READ = """
import sys
import flatwater as fw
from flatwater.source.tables.table import Table
table = Table(sys.argv[1], "rows", secret=b"a secret of the tests")
next(table.batches(as_={form}, finish=1))  # what is imported on demand is no part of it
with fw.measure("read") as reading:
    count = 0
    for batch in table.batches(as_={form}):
        count += len(batch)
print(count, reading.delta)
"""


def read_growth(source, form):
    """Rows read, and the growth of the peak, in a fresh process."""
    import subprocess

    done = subprocess.run(
        [sys.executable, "-c", READ.replace("{form}", form), source], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return tuple(map(int, done.stdout.split()))


@pytest.mark.parametrize("form", ["dict", "tuple", "'arrow'"])
def test_wide_rows_among_narrow_ones_stay_within_two_batches(form):
    """200 neighbours of 1 MB cost two batches of 8 MiB, 4 MB and one row, not 200 MB."""
    count, growth = read_growth(mixed_file(200), form)
    assert count == 2200
    assert growth <= BOUND


@pytest.mark.parametrize("server", ["postgres", "mariadb"])
def test_a_server_s_rows_stay_within_two_batches(server, request):
    """No driver buffers a page of wide rows in the client."""
    server = request.getfixturevalue(server)
    with server.database() as database:
        text = "TEXT" if server.kind == "postgres" else "LONGTEXT"
        database.execute(
            f"CREATE TABLE rows_ (id INT PRIMARY KEY, body {text} NOT NULL)".replace("rows_", quoted(server))
        )
        series = "SELECT i, repeat('x', {size}) FROM generate_series({low}, {high}) i"
        if server.kind != "postgres":
            series = "SELECT seq, repeat('x', {size}) FROM seq_{low}_to_{high}"
        for low, high, size in ((1, 1000, 100), (1001, 1100, ROW), (1101, 2000, 100)):
            database.execute(f"INSERT INTO {quoted(server)} " + series.format(low=low, high=high, size=size))
        count, growth = read_growth(database.url, "dict")
    assert count == 2000
    assert growth <= BOUND


WRITE = """
import sys
import flatwater as fw
from flatwater.source.tables.table import Table
table = Table(sys.argv[1], "rows", secret=b"a secret of the tests")
table.create_many([(0, "x")])
def rows():
    for at in range(1, 1201):
        yield at, "x" * (1_000_000 if 400 < at <= 520 else 100)
with fw.measure("write") as reading:
    done = table.create_many(rows())
with table.writer() as writer, fw.measure("write") as second:
    for row in rows():
        writer.write([(-row[0], row[1])])
    writer.commit()
print(done.written, writer.written, max(reading.delta, second.delta), table.bytes_max())
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "mariadb"])
def test_wide_rows_are_written_within_a_batch(kind, request, tmp_path):
    """120 neighbours of 1 MB cost the batch, the statement and a row as it is sent, not 120 MB."""
    with contextlib.ExitStack() as stack:
        if kind == "sqlite":
            url = str(tmp_path / "a.db")
            sqlite3.connect(url).execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT)")
        else:
            server = request.getfixturevalue(kind)
            database = stack.enter_context(server.database())
            text = "TEXT" if kind == "postgres" else "LONGTEXT"
            database.execute(f"CREATE TABLE {quoted(server)} (id INT PRIMARY KEY, body {text} NOT NULL)")
            url = database.url
        words = [sys.executable, "-c", WRITE, url]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    created, written, growth, bound = map(int, done.stdout.split())
    assert (created, written) == (1200, 1200)
    assert growth <= bound


def quoted(server):
    return '"rows"' if server.kind == "postgres" else "`rows`"
