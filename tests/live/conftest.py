"""A database with a table of each kind."""

import pytest

from flatwater.live.database import Database

NOTES = "CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT, n INT DEFAULT 0) WITH (TYPE = 'USER')"
ROOMS = "CREATE TABLE rooms (id TEXT PRIMARY KEY, topic TEXT, size INT) WITH (TYPE = 'SHARED', ACCESS_LEVEL = 'PUBLIC')"
TYPING = "CREATE TABLE typing (who TEXT PRIMARY KEY) WITH (TYPE = 'STREAM', TTL_SECONDS = 5)"


@pytest.fixture
def db(tmp_path):
    """Open until the end of the test."""
    with Database(tmp_path / "data", sync="off") as database:
        for statement in (NOTES, ROOMS, TYPING):
            database.sql(statement)
        yield database


@pytest.fixture
def times(tmp_path):
    """A table of times, whose defaults are the time."""
    with Database(tmp_path / "times", sync="off") as db:
        db.sql(
            "CREATE TABLE t (id INT PRIMARY KEY, at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, day DATE DEFAULT CURRENT_DATE, n INT DEFAULT 7)"
        )
        db.sql("INSERT INTO t (id) VALUES (1)")
        db.sql("INSERT INTO t VALUES (2, now() + interval '1 day', current_date + 1, 0)")
        db.sql(
            "INSERT INTO t VALUES (3, current_timestamp - interval '2 hours', CAST(now() - interval '1 week' AS DATE), 0)"
        )
        yield db
