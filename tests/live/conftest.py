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
