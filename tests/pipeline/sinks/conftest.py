"""Tables of SQLite, PostgreSQL and MariaDB; see tests/servers."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "servers"))

from database_servers import mariadb, postgres  # noqa: F401 - fixtures


@pytest.fixture(params=("sqlite", "postgres", "mariadb"))
def items(request, tmp_path):
    """A URL or path, and a function that runs SQL: a database with a table `items (n, text)`, `n` its key."""
    if request.param == "sqlite":
        path = str(tmp_path / "test.db")

        def run(sql):
            with contextlib.closing(sqlite3.connect(path)) as connection:
                return connection.execute(sql).fetchall()

        run("CREATE TABLE items (n INTEGER PRIMARY KEY, text TEXT NOT NULL)")
        yield path, run
        return
    server = request.getfixturevalue(request.param)
    database = server.new_database()

    def run(sql):
        with contextlib.closing(database.connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            found = [tuple(row) for row in cursor.fetchall()] if cursor.description else []
            connection.commit()
            return found

    run("CREATE TABLE items (n BIGINT PRIMARY KEY, text VARCHAR(60) NOT NULL)")
    yield database.url, run
    server.drop(database)
