"""Record batches made of whole columns are the ones that rows would have made, or rows make them."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flatwater import errors, limits
from flatwater.source.tables import columns
from flatwater.source.tables.adapters import sqlite_columns
from flatwater.source.tables.table import Table

apsw = pytest.importorskip("apsw")
pytest.importorskip("pyarrow")

TEXTS = st.sampled_from(["", "a", "ä\n", "\x1e", "\x1f", "\0", "7", "'", "😀" * 3]) | st.text(max_size=4).filter(
    lambda text: text.isprintable()
)
ANYTHING = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXTS | st.binary(max_size=3)
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | TEXTS,
        st.none() | st.floats(allow_nan=False),
        st.none() | st.binary(max_size=5),
        st.none() | TEXTS,
    ),
    min_size=1,
    max_size=60,
)


@pytest.fixture
def joined(monkeypatch):
    """Pages of any size are read as columns, and the number of those that were."""
    monkeypatch.setattr(limits, "TABLE_JOIN_ROWS_MIN", 1)
    return counted(monkeypatch)


def counted(monkeypatch):
    found = []
    made = columns.ColumnReading._batch_of

    def batch_of(self, page, kinds):
        batch = made(self, page, kinds)
        found.append(batch is not None)
        return batch

    monkeypatch.setattr(columns.ColumnReading, "_batch_of", batch_of)
    return found


def filled(path, rows, *, keyed=True):
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            f"CREATE TABLE t (id INTEGER {'PRIMARY KEY' if keyed else 'UNIQUE NOT NULL'}, n INTEGER, s TEXT, x REAL, b BLOB, u)"
        )
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", [(at, *row) for at, row in enumerate(rows)])


def lists(batches):
    return [row for batch in batches for row in batch.to_pylist()]


def by_rows(path, **options):
    """The same over a connection, where rows are read."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        batches = list(Table(connection, "t", key="id").batches(as_="arrow", **options))
    return lists(batches), {str(batch.schema) for batch in batches}


@given(rows=ROWS, batch_rows=st.integers(1, 20), order_by=st.sampled_from([None, "-id", "s", "-n"]))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_columns_are_what_rows_are(rows, batch_rows, order_by):
    """Values, NULLs, order and schema are those of rows, whatever stands in the columns."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(limits, "TABLE_JOIN_ROWS_MIN", 1)
        path = str(Path(folder, "data.db"))
        filled(path, rows)
        options = {"batch_rows": batch_rows, "order_by": order_by, "allow_scan": True}
        batches = list(Table(path, "t").batches(as_="arrow", **options))
        assert (lists(batches), {str(batch.schema) for batch in batches}) == by_rows(path, **options)
        assert all(batch.num_rows <= batch_rows for batch in batches)


@given(
    values=st.lists(ANYTHING, min_size=1, max_size=20),
    kind=st.sampled_from(["INTEGER", "TEXT", "REAL", "BLOB", "DATE", ""]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_value_of_another_type_is_as_with_rows(values, kind):
    """SQLite takes any value in any column: the result or the refusal is that of rows."""

    def outcome(source, **options):
        try:
            return lists(list(Table(source, "t", key="id").batches(as_="arrow", batch_rows=3, **options)))
        except errors.BrokenError as error:
            return str(error).partition(":")[0]

    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(limits, "TABLE_JOIN_ROWS_MIN", 1)
        path = str(Path(folder, "data.db"))
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, v {kind})")
            connection.executemany("INSERT INTO t (v) VALUES (?)", [(value,) for value in values])
            connection.commit()
            assert outcome(path) == outcome(connection)


def test_columns_are_used_and_cut_into_batches(tmp_path, joined):
    """After a first batch of rows, pages are read as columns; batches have as many rows as asked."""
    path = str(tmp_path / "data.db")
    filled(path, [(at, f"text {at}", at / 7, b"\1" * (at % 4), None if at % 3 else "x") for at in range(1_000)])
    batches = list(Table(path, "t").batches(as_="arrow", batch_rows=64))
    assert [batch.num_rows for batch in batches] == [64] * 15 + [40]
    assert 2 <= len(joined) <= 4
    assert all(joined)
    assert (lists(batches), {str(batch.schema) for batch in batches}) == by_rows(path)


def test_a_token_in_the_middle_of_a_page_goes_on_there(tmp_path, joined):
    """The place is that of the batch at hand, not of the page behind it; rows behind come once."""
    path = str(tmp_path / "data.db")
    filled(path, [(at, "x", 0.5, b"", "y") for at in range(300)])
    table = Table(path, "t", secret="a secret of the tests")
    first = table.batches(as_="arrow", batch_rows=10)
    got = [row["id"] for _ in range(7) for row in next(first).to_pylist()]
    assert True in joined
    rest = [row["id"] for row in lists(table.batches(as_="arrow", batch_rows=10, after=first.token))]
    assert got + rest == list(range(300))


def test_wide_rows_are_read_one_by_one(tmp_path, joined):
    """Where a page would be larger than its share, rows are read, and batches keep to their bytes."""
    path = str(tmp_path / "data.db")
    filled(path, [(at, "x" * (60_000 if at > 500 else 50), 0.5, b"", "y") for at in range(560)])
    batches = list(Table(path, "t").batches(as_="arrow", batch_bytes="400 KiB", batch_rows=100))
    assert False in joined or sum(joined) < 8
    assert sum(batch.num_rows for batch in batches) == 560
    assert all(batch.nbytes <= 400 * 1024 for batch in batches)


def test_a_snapshot_stays_as_it_was(tmp_path, joined):
    """In a snapshot columns are read from the snapshot, too."""
    path = str(tmp_path / "data.db")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    filled(path, [(at, "x", 0.5, b"", "y") for at in range(400)])
    with Table(path, "t").batches(as_="arrow", batch_rows=16, consistency="snapshot") as batches:
        got = lists([next(batches)])
        writer = apsw.Connection(
            path
        )  # the same SQLite as the table's: two in one process do not see each other's locks
        writer.execute("DELETE FROM t WHERE id > 100")
        writer.close()
        got += lists(batches)
    assert [row["id"] for row in got] == list(range(400))
    assert True in joined


def test_text_that_is_none_is_left_to_rows(tmp_path, joined):
    """Bytes that are no UTF-8 in a text column are refused as rows refuse them; a database in UTF-16 is read."""
    path = str(tmp_path / "data.db")
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA encoding = 'UTF-16'")
    filled(path, [(at, "ä€😀", 0.5, b"\xff", "y") for at in range(50)])
    assert lists(Table(path, "t").batches(as_="arrow", batch_rows=5)) == by_rows(path)[0]
    assert joined
    assert all(joined)
    other = str(tmp_path / "other.db")
    filled(other, [(at, "x", 0.5, b"", "y") for at in range(50)])
    with contextlib.closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("UPDATE t SET s = CAST(x'ff' AS TEXT) WHERE id = 40")
    with pytest.raises(errors.BrokenError, match="cannot be read"):
        list(Table(other, "t").batches(as_="arrow", batch_rows=5))


def test_nobody_else_is_limited(tmp_path, joined):
    """Other passes over the same table read values that are longer than a page of columns may be."""
    path = str(tmp_path / "data.db")
    filled(path, [(at, "x" * (200_000 if at == 299 else 5), 0.5, b"", "y") for at in range(300)])
    table = Table(path, "t")
    rows = table.find_each(as_=tuple, batch_rows=10)
    seen = 0
    for batch in table.batches(as_="arrow", batch_rows=30, batch_bytes="600 KiB"):
        seen += batch.num_rows + len([next(rows) for _ in range(batch.num_rows)])
    assert seen == 600
    assert True in joined


def test_the_mark_of_null_is_not_to_be_guessed():
    """The mark is another one in each process, and long."""
    assert len(sqlite_columns.NULL) > 16
