"""What tests of the shell share: a database in a directory, and a served one."""

import pytest


@pytest.fixture
def notes(tmp_path):
    """A directory with a table of two rows, of which one has what a terminal would obey."""
    from flatwater.live.database import Database

    path = str(tmp_path / "data")
    with Database(path, sync="off") as made:
        made.sql("CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')")
        made.sql("INSERT INTO notes VALUES (1, ?), (2, NULL)", ["a\x1b[31mred\u202e"])
        made.sql("INSERT INTO notes VALUES (3, 'hers')", user="ada")
    return path


@pytest.fixture
def served(tmp_path):
    """A server with the same table, empty."""
    pytest.importorskip("uvicorn")
    from flatwater.live.database import Database

    with Database(str(tmp_path / "served"), sync="off") as made, made.serve(port=0) as server:
        made.sql("CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')")
        server.database = made
        yield server
