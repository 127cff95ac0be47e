"""tour.steps.subscribers: a small program that follows over many connections."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from flatwater.live.database import Database
from flatwater.tour.steps import subscribers

TABLE = (
    "CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT, cents BIGINT) WITH (TYPE = 'SHARED', ACCESS_LEVEL = 'PUBLIC')"
)


@pytest.fixture
def follow(tmp_path):
    """Starts it on a database that is served."""
    with Database(tmp_path, sync="off") as database, database.serve(port=0) as server:
        database.sql(TABLE)
        started = []

        def start(count, token=None):
            port = server.url.rpartition(":")[2]
            program = [
                sys.executable,
                "-I",
                "-S",
                subscribers.__file__,
                port,
                str(count),
                token or server.token("ada"),
                "SELECT * FROM t",
            ]
            started.append(subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
            return database, started[-1]

        yield start
        for process in started:
            process.kill()
            process.communicate()


def test_what_it_tells(follow):
    """All connections' changes are counted and compared, and one's rows added up; large rows, too."""
    database, process = follow(5)
    assert process.stdout.readline() == "ready\n"
    for number in range(10):
        database.sql("INSERT INTO t VALUES (?, ?, ?)", [number, "x" * number * 10_000, number])
    database.sql("UPDATE t SET cents = 100 WHERE id = 3")
    database.sql("DELETE FROM t WHERE id = 4")
    database.sql("INSERT INTO t VALUES (-1, '', 0)")
    told = json.loads(process.communicate(timeout=30)[0])
    assert told == {"connections": 5, "events": 65, "different": 1, "rows": 9, "cents": 45 - 3 + 100 - 4}


def test_who_does_not_get_in(follow):
    """Without a token that holds it ends with an error."""
    _database, process = follow(1, "no token")
    assert process.communicate(timeout=30)[0] == ""
    assert process.returncode == 1
