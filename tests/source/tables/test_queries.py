"""What a verb reads, settled: keys that lose no row, tokens that go with one query, settled once."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from flatwater import errors, limits
from flatwater.source.tables import queries
from flatwater.source.tables.table import Table


def connection_of(*statements):
    made = sqlite3.connect(":memory:")
    for statement in statements:
        made.execute(statement)
    made.commit()
    return made


def numbered(connection, sql, rows):
    connection.executemany(sql, rows)
    connection.commit()
    return Table(connection, "t", key=None)


@pytest.mark.parametrize("order_by", [None, "-city, -id", "city, id"])
@pytest.mark.parametrize("column", ["TEXT", "TEXT UNIQUE", "TEXT NOT NULL DEFAULT ''"])
def test_a_key_that_is_not_proven_unique_is_completed(column, order_by):
    """NULLs and repeated values in the key that a user gives lose no row: the primary key breaks ties."""
    connection = connection_of(
        f"CREATE TABLE t (id INTEGER PRIMARY KEY, city {column})", "CREATE INDEX c ON t (city, id)"
    )
    city = (lambda at: f"c{at}") if "UNIQUE" in column else (lambda at: f"c{at % 3}")
    rows = [(at, None if at % 2 and "NOT NULL" not in column else city(at)) for at in range(40)]
    connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
    table = Table(connection, "t", key="city")
    assert sorted(table.pluck("id", order_by=order_by, batch_rows=3)) == list(range(40))


def test_a_primary_key_with_null_in_it_loses_no_row():
    """SQLite lets NULL into a primary key of several columns: these rows come too, in both directions."""
    connection = connection_of("CREATE TABLE t (a TEXT, b TEXT, PRIMARY KEY (a, b))")
    connection.executemany("INSERT INTO t VALUES (?, ?)", [(None if at < 9 else "a", f"{at:02}") for at in range(30)])
    table = Table(connection, "t")
    for order_by in (None, "-a, -b"):
        assert len(list(table.pluck("b", order_by=order_by, batch_rows=2))) == 30


def test_a_proven_key_is_taken_as_it_is():
    """A unique index without NULL is a key of its own."""
    connection = connection_of("CREATE TABLE t (id INTEGER PRIMARY KEY, mail TEXT NOT NULL UNIQUE)")
    connection.execute("INSERT INTO t VALUES (1, 'b'), (2, 'a')")
    assert list(Table(connection, "t", key="mail").pluck("id")) == [2, 1]
    assert Table(connection, "t", key="mail").explain().sql[0].count('"id"') == 1


def test_a_table_without_a_key_is_refused():
    """Without a primary key a unique one is needed, and a key that nothing proves is refused."""
    connection = connection_of(
        "CREATE TABLE t (a INT NOT NULL, b INT)", "CREATE TABLE u (a INT NOT NULL UNIQUE, b INT)"
    )
    with pytest.raises(errors.UsageError, match="without a primary key"):
        Table(connection, "t").find_each()
    assert list(Table(connection, "u", key="a").find_each()) == []
    with pytest.raises(errors.UsageError, match="nothing says that b is unique"):
        Table(connection, "u", key="b").find_each()
    with pytest.raises(errors.UsageError, match="names no column"):
        Table(connection, "u", key=()).find_each()


@pytest.mark.parametrize(
    "text",
    ["SELECT * FROM t", " select * from t ; ", "-- why\nSELECT * FROM t", "/* SELECT */ WITH x AS (SELECT * FROM t) SELECT * FROM x",
     "SELECT\t*\nFROM t -- the end"],
)  # fmt: skip
def test_what_is_a_select(text):
    """A text that begins with SELECT or WITH, behind comments or not, is a select."""
    connection = connection_of("CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
    assert list(Table(connection, text, key="id").pluck("id", batch_rows=1)) == [1, 2]


@pytest.mark.parametrize("name", ["select", "selected", "values", "with", "t;", "a b"])
def test_what_is_a_name(name):
    """A word alone is a table's name, whatever the word."""
    connection = connection_of(*(f'CREATE TABLE "{each}" (id INTEGER PRIMARY KEY)' for each in {name.strip(";")}))
    assert list(Table(connection, name).find_each()) == []


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b", "\0"])
def test_what_no_database_takes_is_refused_at_once(name):
    """Characters that are none are refused before anything is asked."""
    connection = connection_of("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    with pytest.raises(errors.UsageError, match="characters"):
        Table(connection, name)
    with pytest.raises(errors.UsageError, match="characters"):
        Table(connection, "t", where=f"id = '{name}'")
    with pytest.raises(errors.UsageError, match="no column"):
        Table(connection, "t").find_each(order_by=name)
    with pytest.raises(errors.UsageError, match="no column"):
        Table(connection, "t").find_each(columns=[name])


def test_a_query_is_settled_once_and_few_are_kept(monkeypatch):
    """The same verb with the same arguments is not settled again; only so many are remembered."""
    connection = connection_of(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {', '.join(f'c{at}' for at in range(60))})")
    table = Table(connection, "t")
    settled = []
    settle = queries.Queries._settle
    monkeypatch.setattr(queries.Queries, "_settle", lambda self, *a, **o: settled.append(1) or settle(self, *a, **o))
    for _ in range(5):
        table.page(columns=["id"])
    assert len(settled) == 1
    for at in range(60):
        table.page(columns=[f"c{at}"])
    assert len(table._known) <= limits.TABLE_QUERIES_KEPT


def test_start_and_finish_are_checked():
    """A start of too many values, or of none, is refused; None in a tuple is NULL."""
    connection = connection_of("CREATE TABLE t (id INTEGER PRIMARY KEY, n INT)", "CREATE INDEX x ON t (n, id)",
                               "INSERT INTO t VALUES (1, NULL), (2, 5)")  # fmt: skip
    table = Table(connection, "t")
    assert list(table.pluck("id", order_by="n", start=(None,), finish=(None,))) == [1]
    for wrong in ((), (1, 2, 3)):
        with pytest.raises(errors.UsageError, match="values, and the order has"):
            table.find_each(order_by="n", start=wrong)


def test_the_bytes_of_a_pass_grow_with_its_batch():
    """bytes_max is two batches and the driver's share."""
    table = Table(connection_of("CREATE TABLE t (id INTEGER PRIMARY KEY)"), "t")
    assert table.bytes_max("5 MiB") - table.bytes_max("1 MiB") == 8 << 20
    with pytest.raises(errors.UsageError, match="batch_bytes"):
        table.bytes_max("x")


@pytest.mark.parametrize("where", ["id >", "no_such = 1", "id > 1)", ") OR (1=1", "id > ?"])
def test_a_wrong_condition_is_said(where):
    """A condition that is no SQL, or wants a parameter that is not there, is a UsageError."""
    table = Table(connection_of("CREATE TABLE t (id INTEGER PRIMARY KEY)"), "t", where=where)
    with pytest.raises(errors.UsageError):
        list(table.find_each())


def test_rows_with_one_key_that_holds_null_are_not_lost_in_silence(tmp_path):
    """SQLite lets a primary key be NULL in many rows: where a batch ends among them, that is said."""
    path = tmp_path / "data.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE notes (name TEXT PRIMARY KEY, body)")
        connection.executemany("INSERT INTO notes VALUES (?, ?)", [(None, 1), (None, 2), (None, 3), ("a", 4), ("b", 5)])
    table = Table(str(path), "notes")
    assert sorted(table.pluck("body")) == [1, 2, 3, 4, 5]
    with pytest.raises(errors.BrokenError, match="several rows have the key name=None"):
        list(table.pluck("body", batch_rows=2))
    numbered = Table(str(path), "SELECT rowid AS number, * FROM notes", key="number")
    assert list(numbered.pluck("body", batch_rows=2)) == [1, 2, 3, 4, 5]
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM notes WHERE body < 3")
    assert list(table.pluck("body", batch_rows=1)) == [3, 4, 5]


def test_a_name_with_a_dot_is_written_between_quotes(tmp_path):
    """Dots divide schema and table, unless they stand between double quotes."""
    path = tmp_path / "data.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute('CREATE TABLE "orders.2024" (id INTEGER PRIMARY KEY)')
        connection.execute('CREATE TABLE """odd" (id INTEGER PRIMARY KEY)')
    for name in ('"orders.2024"', 'main."orders.2024"', '"main"."orders.2024"', '"odd', '"""odd"'):
        assert list(Table(str(path), name).find_each()) == []
    with pytest.raises(errors.UsageError, match="unknown database"):
        Table(str(path), "orders.2024").find_each()


@pytest.mark.parametrize("order_by", ["city", "-city"])
def test_a_select_whose_key_is_null_in_one_row(order_by):
    """The group of NULL has its row, wherever the database sorts it."""
    connection = connection_of("CREATE TABLE t (id INTEGER PRIMARY KEY, city TEXT)")
    connection.executemany(
        "INSERT INTO t (city) VALUES (?)", [(None if at % 5 == 0 else f"c{at}",) for at in range(41)]
    )
    table = Table(connection, "SELECT city, count(*) AS people FROM t GROUP BY city", key="city")
    for rows in (1, 2, 100):
        found = list(table.find_each(as_=tuple, order_by=order_by, batch_rows=rows, allow_scan=True))
        assert len(found) == len(set(found)) == 33
        assert (None, 9) in found
