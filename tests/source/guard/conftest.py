"""What the tests of the guard share: real servers, and a table of numbers and texts in each database."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "servers"))

from database_servers import mariadb, mariadb_database, postgres, postgres_database  # noqa: F401 - fixtures

ROWS = 5_000


@pytest.fixture(scope="module")
def postgres_things(postgres_database):  # noqa: F811 - the fixture
    """A PostgreSQL database with a table `things` of 5,000 rows, and `wide` with 40 rows of 1 MB."""
    postgres_database.execute(
        "CREATE TABLE things (id int PRIMARY KEY, name text)",
        f"INSERT INTO things SELECT i, 'name ' || i FROM generate_series(1, {ROWS}) i",
        "CREATE TABLE wide (id int PRIMARY KEY, body text)",
        "INSERT INTO wide SELECT i, repeat(md5(i::text), 31250) FROM generate_series(1, 40) i",
        "CREATE TABLE empty (id int PRIMARY KEY, name text)",
    )
    return postgres_database


@pytest.fixture(scope="module")
def mariadb_things(mariadb_database):  # noqa: F811 - the fixture
    """A MariaDB database with the same."""
    mariadb_database.execute(
        "CREATE TABLE things (id int PRIMARY KEY, name varchar(100))",
        f"INSERT INTO things SELECT seq, concat('name ', seq) FROM seq_1_to_{ROWS}",
        "CREATE TABLE wide (id int PRIMARY KEY, body longtext)",
        "INSERT INTO wide SELECT seq, repeat(md5(seq), 31250) FROM seq_1_to_40",
        "CREATE TABLE empty (id int PRIMARY KEY, name varchar(100))",
    )
    return mariadb_database
