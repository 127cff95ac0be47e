"""MariaDB through PyMySQL: values at the edge of their types, transactions that are the user's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flatwater import errors
from flatwater.source.tables.adapters.mysql import MySql
from flatwater.source.tables.table import Table

sys.path.insert(0, str(Path(__file__).parents[3] / "servers"))

from database_servers import mariadb, mariadb_database  # noqa: F401 - fixtures


@pytest.fixture(scope="module")
def url(mariadb_database):  # noqa: F811 - the fixture
    mariadb_database.execute(
        "CREATE TABLE people (id BIGINT UNSIGNED PRIMARY KEY, name VARCHAR(40) CHARACTER SET latin1 NOT NULL, f FLOAT NOT NULL, "
        "at DATETIME(6) NOT NULL, day TIME NOT NULL, KEY n (name, id), KEY f (f, id), KEY t (at, id), KEY d (day, id))",
        "INSERT INTO people SELECT 18446744073709551615 - seq, CHAR(65 + seq % 3, 228 + seq % 2 USING latin1), seq / 3, "
        "'2020-01-01 00:00:00.000001' + INTERVAL seq % 5 MICROSECOND, SEC_TO_TIME(seq % 4 * 100000) FROM seq_1_to_60",
    )
    return mariadb_database.url


@pytest.mark.parametrize(
    ("host", "query", "given"),
    [
        ("127.0.0.1", "", {"ssl_disabled": True}),
        ("localhost", "?ssl_disabled=false", {"ssl_disabled": False}),
        ("[::1]", "?ssl_ca=/ca.pem", {"ssl_ca": "/ca.pem"}),
        ("db.example", "", {}),
        ("db.example", "?ssl_verify_identity=true", {"ssl_verify_identity": True}),
    ],
)
def test_encryption_is_left_out_on_this_machine_alone(monkeypatch, host, query, given):
    """A connection to the loopback reads no certificates, unless the URL says something of them."""
    import pymysql

    seen = {}
    monkeypatch.setattr(pymysql, "connect", lambda **options: seen.update(options))
    MySql(f"mysql://user@{host}/shop{query}")
    assert {name: value for name, value in seen.items() if name.startswith("ssl")} == given


@pytest.mark.parametrize("order_by", ["id", "-id", "name, id", "-name, -id", "at, id", "-at", "day", "-day, -id"])
def test_orders_lose_no_row(url, order_by):
    """Unsigned numbers, text of another character set, microseconds and times are sought exactly."""
    got = list(Table(url, "people").pluck("id", order_by=order_by, batch_rows=4))
    assert len(got) == len(set(got)) == 60
    assert len(list(Table(url, "people").pluck("id", order_by=order_by, batch_rows=1_000))) == 60


def test_a_float_is_no_place(url):
    """FLOAT is given rounded, so that no row is found again by it: such an order is refused, and not read with rows lost."""
    for allow_scan in (False, True):
        with pytest.raises(errors.UsageError, match="FLOAT"):
            Table(url, "people").find_each(order_by="f", allow_scan=allow_scan)
        with pytest.raises(errors.UsageError, match="FLOAT"):
            Table(url, "SELECT id, f AS worth FROM people", key="id").find_each(order_by="worth", allow_scan=allow_scan)


def test_transactions_are_the_users_own(mariadb_database, url):  # noqa: F811 - the fixture
    """Ours end with each page; his stays open with what he wrote, and a snapshot in it is refused."""
    connection = mariadb_database.connect(autocommit=False)
    table = Table(connection, "people")
    list(table.find_each(batch_rows=7))
    list(table.find_each(batch_rows=7, consistency="snapshot"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@in_transaction")
        assert cursor.fetchone() == (0,)
        connection.rollback()
        cursor.execute("DELETE FROM people LIMIT 5")
        assert sum(1 for _ in table.pluck("id")) == 55
        with pytest.raises(errors.UsageError, match="in a transaction"):
            next(table.pluck("id", consistency="snapshot"))
        cursor.execute("SELECT @@in_transaction")
        assert cursor.fetchone() == (1,)
    connection.rollback()
    assert sum(1 for _ in table.pluck("id")) == 60
    connection.close()


def test_cursors_of_the_users_stay_out(mariadb_database, url):  # noqa: F811 - the fixture
    """A connection that makes dicts gives our rows all the same."""
    import pymysql.cursors

    connection = mariadb_database.connect(cursorclass=pymysql.cursors.DictCursor)
    table = Table(connection, "people")
    assert len(next(table.find_each(as_=tuple, columns=["id"]))) == 1
    assert table.explain().is_served
    assert len(table.ranges(3, order_by="name, id")) == 3
    assert table.count_estimate() >= 0
    connection.close()


def test_leaving_a_page_early_leaves_the_connection_usable(url):
    """The rest of a page that is not wanted is thrown away, and the next statement gets its own answer."""
    table = Table(url, "people")
    for _ in range(3):
        for row in table.find_each(batch_bytes=1_500):
            assert row["id"]
            break
    assert len(table.page(limit=5)) == 5


def test_errors_are_ours(url):
    """A wrong text is a UsageError, a connection that is gone a BrokenError, and the next turn opens another."""
    adapter = MySql(url)
    for sql in ("SELECT FROM WHERE", "SELECT * FROM nowhere", "SELECT nothing_such"):
        with pytest.raises(errors.UsageError, match="the database says") as caught:
            adapter.fetch((sql, ()))
        assert "\n" not in str(caught.value)
    with pytest.raises(errors.BrokenError):
        adapter.fetch(("KILL CONNECTION_ID()", ()))
    with pytest.raises(errors.BrokenError):
        adapter.fetch(("SELECT 1", ())) if adapter._connection.open else adapter.fetch(("KILL CONNECTION_ID()", ()))
    assert adapter.fetch(("SELECT 1", ())) == [(1,)]
    with pytest.raises(ValueError, match="mine"), adapter.transaction() as run:  # noqa: PT012 - the loop is what breaks
        assert run(("DELETE FROM people", ())) == 60
        raise ValueError("mine")
    assert adapter.fetch(("SELECT count(*) FROM people", ())) == [(60,)]
    adapter.close()
    with pytest.raises(errors.BrokenError):
        adapter.fetch(("SELECT 1", ()))


def test_shapes_of_the_earth_are_charged_what_they_take(mariadb_database, url):  # noqa: F811 - the fixture
    """Geometry is as long as it is: a batch of it is bounded by bytes."""
    mariadb_database.execute(
        "CREATE TABLE shapes (id INT PRIMARY KEY, a MULTIPOINT)",
        "INSERT INTO shapes SELECT seq, ST_GeomFromText(CONCAT('MULTIPOINT(1 1', REPEAT(',2 2', 1000), ')')) FROM seq_1_to_100",
    )
    for batch in Table(url, "shapes").batches(batch_bytes=200_000):
        assert sum(len(row["a"]) for row in batch) <= 200_000
