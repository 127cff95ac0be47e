"""Record batches: types as declared, the same schema for the whole pass, bounded bytes."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from flatwater import errors
from flatwater.source.tables.table import Table

sys.path.insert(0, str(Path(__file__).parent))

from worlds import mariadb, postgres, world  # noqa: F401 - fixtures

pa = pytest.importorskip("pyarrow")


def test_declared_types_on_each_database(world):  # noqa: F811 - the fixture
    """Whole numbers, text, decimals, dates and NULL come as the types that are declared, on each database."""
    world.run(
        "CREATE TABLE typed (id INTEGER NOT NULL PRIMARY KEY, s SMALLINT, b BIGINT, r DOUBLE PRECISION, v VARCHAR(20), n NUMERIC(9, 2), d DATE)",
        "INSERT INTO typed VALUES (1, 32767, 9223372036854775807, 1.5, 'ä😀', 12.30, '2020-01-02'), "
        "(2, NULL, NULL, NULL, NULL, NULL, NULL)",
    )
    batches = list(world.table("typed").batches(as_="arrow", batch_rows=1))
    assert len({str(batch.schema) for batch in batches}) == 1
    rows = [row for batch in batches for row in batch.to_pylist()]
    first = rows[0]
    assert (first["s"], first["b"], first["r"], first["v"]) == (32767, 2**63 - 1, 1.5, "ä😀")
    assert rows[1] == {"id": 2} | dict.fromkeys("sbrvnd")
    if world.kind != "sqlite":
        assert (first["n"], first["d"]) == (Decimal("12.30"), date(2020, 1, 2))
        assert batches[0].schema.field("n").type == pa.decimal128(9, 2)


def test_batches_are_bounded_by_bytes(world):  # noqa: F811 - the fixture
    """A record batch is never larger than batch_bytes unless it is one row, and no row is lost."""
    text = "LONGTEXT" if world.kind == "mariadb" else "TEXT"
    world.run(f"CREATE TABLE wide (id INTEGER NOT NULL PRIMARY KEY, body {text} NOT NULL)")
    size = "CASE WHEN i % 10 = 0 THEN 60000 ELSE 50 END"
    body = f"replace(hex(zeroblob({size} / 2)), '0', 'x')" if world.kind == "sqlite" else f"repeat('x', {size})"
    world.fill("wide", f"i, {body}", 200)
    batches = list(world.table("wide").batches(as_="arrow", batch_bytes="200 KiB"))
    assert sum(batch.num_rows for batch in batches) == 200
    assert all(batch.nbytes <= 200 * 1024 or batch.num_rows == 1 for batch in batches)


def test_a_value_that_is_not_of_its_column_s_type_is_named():
    """SQLite takes any value in any column: one that does not fit its declared type is named with its column."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)")
    connection.execute("INSERT INTO t VALUES (1, 5), (2, 'five')")
    with pytest.raises(errors.BrokenError, match="column n"):
        list(Table(connection, "t", secret="a secret of the tests").batches(as_="arrow"))


def test_only_the_columns_that_are_asked_for():
    """columns= chooses and orders; none at all is an empty schema with all rows."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT)")
    connection.execute("INSERT INTO t VALUES (1, 'x', 'y')")
    table = Table(connection, "t", secret="a secret of the tests")
    (batch,) = table.batches(as_="arrow", columns=["b", "id"])
    assert batch.schema.names == ["b", "id"]
    with pytest.raises(errors.UsageError, match="no column 'c'"):
        table.batches(as_="arrow", columns=["c"])
    assert list(table.batches(as_="arrow", start=99)) == []


def test_a_missing_pyarrow_is_named(monkeypatch):
    """Without pyarrow the error says what to install."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(errors.MissingExtra, match="pyarrow"):
        Table(connection, "t").batches(as_="arrow")


def test_values_at_the_edge_of_their_types(world):  # noqa: F811 - the fixture
    """Unsigned numbers, intervals and points, whose types' names contain other types' names, come as well."""
    if world.kind == "sqlite":
        world.run(
            "CREATE TABLE edges (id INT PRIMARY KEY, d BIGINT)", "INSERT INTO edges VALUES (1, 9223372036854775807)"
        )
        wanted = {"d": 2**63 - 1}
    elif world.kind == "mariadb":
        world.run("CREATE TABLE edges (id INT PRIMARY KEY, a SMALLINT UNSIGNED, b BIGINT UNSIGNED, c TIME, d YEAR)",
                  "INSERT INTO edges VALUES (1, 65535, 18446744073709551615, '10:00', 2020)")  # fmt: skip
        wanted = {"a": 65535, "b": 2**64 - 1, "d": 2020}
    else:
        world.run("CREATE TABLE edges (id INT PRIMARY KEY, a INTERVAL, b POINT, c INT4RANGE, d INT[])",
                  "INSERT INTO edges VALUES (1, '1 day', '(1,2)', '[1,3)', ARRAY[1, 2])")  # fmt: skip
        wanted = {"d": [1, 2]}
    row = next(world.table("edges").batches(as_="arrow")).to_pylist()[0]
    assert {name: row[name] for name in wanted} == wanted


def test_one_schema_though_values_come_late(tmp_path):
    """A column that declares nothing and begins with NULLs is text in all batches."""
    with contextlib.closing(sqlite3.connect(tmp_path / "data.db")) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a)")
        connection.executemany("INSERT INTO t (a) VALUES (?)", [(None,), (None,), (7,), ("x",), (None,), (b"y",)])
        batches = list(Table(connection, "t").batches(as_="arrow", batch_rows=2))
    assert len({str(batch.schema) for batch in batches}) == 1
    assert [value for batch in batches for value in batch["a"].to_pylist()] == [None, None, "7", "x", None, "y"]


def test_find_each_gives_batches_and_a_page_says_what_to_do():
    """Rows one by one are no record batches."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    connection.executemany("INSERT INTO t VALUES (?)", [(at,) for at in range(5)])
    table = Table(connection, "t")
    assert [batch.num_rows for batch in table.find_each(as_="arrow", batch_rows=3)] == [3, 2]
    with pytest.raises(errors.UsageError, match="one by one"):
        table.page(as_="arrow")
    with pytest.raises(errors.UsageError, match="one by one"):
        table.update_each(lambda row: None, as_="arrow")
    connection.close()
