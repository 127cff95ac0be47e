"""The same tables in every kind of source: SQLite by path and through two drivers, PostgreSQL and MariaDB twice."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from pathlib import Path

import pytest

from flatwater.source.tables.table import Table

sys.path.insert(0, str(Path(__file__).parents[2] / "servers"))

from database_servers import mariadb, mariadb_database, postgres, postgres_database  # noqa: F401 - fixtures

SOURCES = ("sqlite path", "sqlite3", "apsw", "postgres url", "psycopg", "mariadb url", "pymysql")


def pytest_collection_modifyitems(items):
    """MariaDB makes a table in a tenth of a second: plans of many tables on it are asked for with the slow tests."""
    for item in items:
        if item.path.name in ("test_explaining.py", "test_updating.py") and "[mariadb" in item.name:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def own_secret(monkeypatch):
    """Tokens are signed with the test's secret: no file is made in the home of who runs the tests."""
    monkeypatch.setenv("FLATWATER_SECRET", "a secret of the tests, long enough")


class Place:
    """A database for a test: runs statements, opens tables.

    Attributes:
        kind: one of `SOURCES`.
        mark: of a parameter.
    """

    def __init__(self, kind, source, connect):
        self.kind = kind
        self.source = source
        self.connect = connect
        self.mark = "?" if kind in ("sqlite path", "sqlite3", "apsw") else "%s"

    def run(self, *statements):
        """Run statements over a connection of the test's own."""
        with contextlib.closing(self.connect()) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            connection.commit()

    def fill(self, sql, rows):
        """Insert rows; `sql` has question marks."""
        with contextlib.closing(self.connect()) as connection:
            connection.cursor().executemany(sql.replace("?", self.mark), rows)
            connection.commit()

    def all(self, sql):
        """All rows of a select."""
        with contextlib.closing(self.connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

    def table(self, *arguments, **options):
        """A `Table` of this source."""
        return Table(self.source, *arguments, **options)

    @property
    def is_server(self):
        return self.mark == "%s"

    @property
    def key_type(self):
        return "INTEGER PRIMARY KEY" if not self.is_server else "BIGINT PRIMARY KEY"


def place_of(kind, tmp_path, request):
    """A fresh place, and how to close it."""
    path = str(tmp_path / "test.db")
    if not kind.startswith(("postgres", "psycopg", "mariadb", "pymysql")):
        sqlite3.connect(path).close()
        Path(path).touch()

        def connect():
            return sqlite3.connect(path)

        if kind == "sqlite path":
            with contextlib.closing(connect()) as connection:
                connection.execute("CREATE TABLE there_is_something (a)")
            return Place(kind, path, connect), None
        if kind == "sqlite3":
            source = connect()
            return Place(kind, source, connect), source.close
        import apsw

        source = apsw.Connection(path)
        return Place(kind, source, connect), source.close
    server = request.getfixturevalue("postgres" if kind in ("postgres url", "psycopg") else "mariadb")
    database = server.new_database()
    if kind.endswith("url"):
        return Place(kind, database.url, database.connect), lambda: server.drop(database)
    source = database.connect(autocommit=False)

    def close():
        source.close()
        server.drop(database)

    return Place(kind, source, database.connect), close


@pytest.fixture(params=SOURCES)
def place(request, tmp_path):
    """Each kind of source in turn."""
    made, close = place_of(request.param, tmp_path, request)
    yield made
    if close is not None:
        close()


@pytest.fixture(params=("sqlite path", "postgres url", "mariadb url"))
def database(request, tmp_path):
    """One source for each database."""
    made, close = place_of(request.param, tmp_path, request)
    yield made
    if close is not None:
        close()


@pytest.fixture
def sqlite_place(tmp_path, request):
    """SQLite by its path."""
    made, _ = place_of("sqlite path", tmp_path, request)
    return made
