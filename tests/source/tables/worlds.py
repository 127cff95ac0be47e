"""One database of each kind for a whole module, so that many small tests do not each make their own."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from pathlib import Path

import pytest

from flatwater.source.tables.table import Table

sys.path.insert(0, str(Path(__file__).parents[2] / "servers"))

from database_servers import mariadb, postgres  # noqa: F401 - fixtures

KINDS = ("sqlite", "postgres", "mariadb")
SERIES = {
    "sqlite": "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {n}) SELECT {what} FROM n",
    "postgres": "SELECT {what} FROM generate_series(1, {n}) AS s(i)",
    "mariadb": "SELECT {what} FROM (SELECT seq AS i FROM seq_1_to_{n}) AS s",
}


class World:
    """A database: runs statements, opens tables.

    Attributes:
        kind: one of `KINDS`.
        source: its path or URL.
        mark: of a parameter.
        quote: around names.
    """

    def __init__(self, kind, source, connect):
        self.kind, self.source, self.connect = kind, source, connect
        self.mark = "?" if kind == "sqlite" else "%s"
        self.quote = "`" if kind == "mariadb" else '"'

    def run(self, *statements):
        """Run statements, each in a transaction of its own."""
        with contextlib.closing(self.connect()) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
                connection.commit()

    def all(self, sql):
        """All rows of a select."""
        with contextlib.closing(self.connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

    def fill(self, table, what, count):
        """Insert so many rows, made of expressions of `i`."""
        self.run(f"INSERT INTO {table} " + SERIES[self.kind].format(what=what, n=count))

    def table(self, *arguments, **options):
        """A `Table`."""
        return Table(self.source, *arguments, **options)


@contextlib.contextmanager
def world_of(kind, folder, request):
    """A fresh database for a block."""
    if kind == "sqlite":
        path = str(folder / "world.db")
        sqlite3.connect(path).close()
        Path(path).touch()
        yield World(kind, path, lambda: sqlite3.connect(path))
        return
    server = request.getfixturevalue(kind)
    with server.database() as database:
        yield World(kind, database.url, database.connect)


@pytest.fixture(scope="module", params=KINDS)
def world(request, tmp_path_factory):
    """Each kind of database in turn, one for the module."""
    with world_of(request.param, tmp_path_factory.mktemp("world"), request) as made:
        yield made
