"""Any table, any order, any batch: the rows are those that one ORDER BY gives."""

from __future__ import annotations

import sqlite3

from hypothesis import given, settings
from hypothesis import strategies as st

from flatwater.source.tables.table import Table

SECRET = b"a secret of the tests"
NUMBERS = st.none() | st.integers(0, 3)
TEXTS = st.none() | st.sampled_from(["", "a", "A", "ä", "b", "b ", "%"])
ROWS = st.lists(st.tuples(NUMBERS, TEXTS, NUMBERS), max_size=40)
TERMS = st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=4, unique_by=lambda term: term[0])


def table_of(rows):
    """An SQLite table of three columns that may be NULL, and a key that is in no order."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (d INTEGER PRIMARY KEY, a INT, b TEXT, c INT)")
    connection.executemany(
        "INSERT INTO t VALUES (?, ?, ?, ?)", [(at * 7919 % 1009, *row) for at, row in enumerate(rows)]
    )
    connection.commit()
    return connection


def sql_order(terms):
    """The order as SQL, with the tie-breaker in the direction of the last column."""
    terms = list(terms)
    if "d" not in [name for name, _ in terms]:
        terms.append(("d", terms[-1][1] if terms else False))
    return ", ".join(f"{name} {'DESC' if down else 'ASC'}" for name, down in terms)


def written(terms):
    """The order as a user writes it."""
    return [f"-{name}" if down else name for name, down in terms] or None


@given(rows=ROWS, terms=TERMS, batch_rows=st.integers(1, 9), stop=st.integers(0, 40), data=st.data())
@settings(max_examples=100, deadline=None, derandomize=True)
def test_rows_come_as_one_order_by_gives_them(rows, terms, batch_rows, stop, data):
    """All rows once, in the database's own order; and a pass that stops anywhere goes on there."""
    connection = table_of(rows)
    wanted = connection.execute(f"SELECT d, a, b, c FROM t ORDER BY {sql_order(terms)}").fetchall()
    table = Table(connection, "t", secret=SECRET)
    options = {"as_": tuple, "order_by": written(terms), "batch_rows": batch_rows, "allow_scan": True}
    consistency = data.draw(st.sampled_from(["bounded", "live", "snapshot"]))
    assert list(table.find_each(consistency=consistency, **options)) == wanted
    first = table.find_each(**options)
    got = [row for row, _ in zip(first, range(min(stop, len(wanted))), strict=False)]
    # zip took one row more than it gave, unless the range ended first.
    token = first.token
    behind = len(got) if stop >= len(wanted) else len(got) + 1
    assert list(table.find_each(after=token, **options)) == wanted[behind:]


@given(rows=ROWS, terms=TERMS, batch_rows=st.integers(1, 9), data=st.data())
@settings(max_examples=80, deadline=None, derandomize=True)
def test_start_and_finish_cut_where_the_order_says(rows, terms, batch_rows, data):
    """start and finish are the first and the last rows with these values, NULL included."""
    connection = table_of(rows)
    order = sql_order(terms)
    names = [part.split()[0] for part in order.split(", ")]
    wanted = connection.execute(f"SELECT {', '.join(names)} FROM t ORDER BY {order}").fetchall()
    if not wanted:
        return
    width = data.draw(st.integers(1, len(names)))
    low = data.draw(st.integers(0, len(wanted) - 1))
    high = data.draw(st.integers(low, len(wanted) - 1))
    start, finish = wanted[low][:width], wanted[high][:width]
    if width == 1 and None in (start[0], finish[0]):
        return  # None stands for no start
    first = next(at for at, row in enumerate(wanted) if row[:width] == start)
    last = max(at for at, row in enumerate(wanted) if row[:width] == finish)
    table = Table(connection, "t", secret=SECRET)
    options = {"order_by": written(terms), "batch_rows": batch_rows, "allow_scan": True}
    got = list(table.find_each(as_=tuple, columns=names, start=start, finish=finish, **options))
    assert got == wanted[first : last + 1]


@given(rows=ROWS, terms=TERMS, count=st.integers(1, 9))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_parts_are_the_whole(rows, terms, count):
    """The parts of a table, one after the other, are its rows in order."""
    connection = table_of(rows)
    wanted = [row[0] for row in connection.execute(f"SELECT d FROM t ORDER BY {sql_order(terms)}")]
    parts = Table(connection, "t", secret=SECRET).ranges(count, order_by=written(terms), allow_scan=True)
    assert [key for part in parts for key in part.pluck("d", batch_rows=3)] == wanted
    assert len(parts) <= count


@given(rows=ROWS, terms=TERMS, limit=st.integers(1, 9))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_pages_are_the_whole(rows, terms, limit):
    """Pages, one after the other, are the rows in order, and each but the last is full."""
    connection = table_of(rows)
    wanted = connection.execute(f"SELECT d, a, b, c FROM t ORDER BY {sql_order(terms)}").fetchall()
    table = Table(connection, "t", secret=SECRET)
    got, token = [], None
    while True:
        page = table.page(token, limit, as_=tuple, order_by=written(terms), allow_scan=True)
        got += page.rows
        token = page.token
        if token is None:
            break
        assert len(page) == limit
    assert got == wanted
