"""INSERT, UPDATE and DELETE in detail."""

import pytest

from flatwater import errors, limits
from flatwater.live import changing


def rows(db, text, params=()):
    return list(db.sql(text, params, user="ada"))


@pytest.mark.parametrize(
    "text",
    ["INSERT INTO notes VALUES (1, 'x')", "INSERT INTO notes (id) VALUES (1, 2)", "INSERT INTO notes (id, id) VALUES (1, 2)", "INSERT INTO notes (nothing) VALUES (1)", "INSERT INTO notes (body) VALUES ('x')", "INSERT INTO notes VALUES (NULL, 'x', 1)",
     "INSERT INTO notes VALUES ('x', 'x', 1)", "INSERT INTO notes VALUES (1, 2, 3)", "INSERT INTO notes VALUES (1, 'x', 99999999999)", "INSERT INTO notes DEFAULT VALUES", "INSERT INTO notes VALUES (1, body, 1)", "UPDATE notes SET nothing = 1", "UPDATE notes SET id = NULL",
     "UPDATE notes SET n = 'x'", "UPDATE notes SET n = 1 FROM rooms", "UPDATE notes SET n = 1 WHERE nothing = 1", "DELETE FROM notes WHERE nothing = 1", "DELETE FROM nothing", "UPDATE notes SET n = sqrt(n)", "INSERT INTO notes (id) VALUES (1) RETURNING nothing"],
)  # fmt: skip
def test_what_is_refused(db, text):
    """It is told what does not fit, and nothing is changed."""
    db.sql("INSERT INTO notes VALUES (5, 'there', 5)", user="ada")
    with pytest.raises(errors.UsageError):
        db.sql(text, user="ada")
    assert rows(db, "SELECT * FROM notes") == [{"id": 5, "body": "there", "n": 5}]


def test_values_are_computed(db):
    """Values may be expressions, of columns where there are some; NULL stays NULL."""
    db.sql("INSERT INTO notes VALUES (1 + 1, 'a' || ?, -(-3)), (3, NULL, DEFAULT)", ["b"], user="ada")
    db.sql("UPDATE notes SET n = CASE WHEN body IS NULL THEN -1 ELSE n * 2 END, body = upper(body)", user="ada")
    assert rows(db, "SELECT * FROM notes") == [{"id": 2, "body": "AB", "n": 6}, {"id": 3, "body": None, "n": -1}]


def test_a_row_gets_another_key(db):
    """It moves, unless a row is there, and then nothing is changed."""
    db.sql("INSERT INTO notes VALUES (1, 'a', 1), (2, 'b', 2)", user="ada")
    with pytest.raises(changing.Conflict):
        db.sql("UPDATE notes SET id = 2 WHERE id = 1", user="ada")
    assert db.sql("UPDATE notes SET id = id + 10", user="ada").count == 2
    assert [row["id"] for row in rows(db, "SELECT id FROM notes")] == [11, 12]


def test_the_same_key_twice_in_a_statement(db):
    """The second one is in conflict with the first, or changes it."""
    with pytest.raises(changing.Conflict):
        db.sql("INSERT INTO notes VALUES (1, 'a', 1), (1, 'b', 1)", user="ada")
    db.sql(
        "INSERT INTO notes VALUES (1, 'a', 1), (1, 'b', 1) ON CONFLICT DO UPDATE SET body = notes.body || excluded.body",
        user="ada",
    )
    assert rows(db, "SELECT body FROM notes") == [{"body": "ab"}]


def test_keys_have_a_length(db):
    """A key that is too long is refused by name, and one that just fits is found again."""
    with pytest.raises(errors.UsageError, match="too long"):
        db.sql("INSERT INTO rooms (id) VALUES (?)", ["x" * 500])
    db.sql("INSERT INTO rooms (id) VALUES (?)", ["x" * 400])
    assert len(list(db.sql("SELECT * FROM rooms WHERE id = ?", ["x" * 400]))) == 1


def test_too_much_at_once(db, monkeypatch):
    """A statement that changes more rows than a transaction holds is refused whole, and in parts it goes."""
    monkeypatch.setattr(limits, "LIVE_STATEMENT_ROWS_MAX", 100)
    db.load("notes", ({"id": n} for n in range(150)), user="ada")
    for text in (
        "DELETE FROM notes",
        "UPDATE notes SET n = 1",
        "INSERT INTO notes SELECT id + 1000, body, n FROM notes",
    ):
        with pytest.raises(errors.LimitReached):
            db.sql(text, user="ada")
    assert db.sql("DELETE FROM notes WHERE id < 75", user="ada").count == 75
    assert db.sql("DELETE FROM notes", user="ada").count == 75


def test_all_rows_have_one_time(tmp_path):
    """NOW() is the same for all rows of a statement."""
    from flatwater.live.database import Database

    with Database(tmp_path, sync="off") as db:
        db.sql("CREATE TABLE t (id INT PRIMARY KEY, at TIMESTAMP DEFAULT NOW(), other TIMESTAMP)")
        found = list(db.sql("INSERT INTO t VALUES (1, DEFAULT, NOW()), (2, NOW(), NOW()) RETURNING at, other"))
        assert len({value for row in found for value in row.values()}) == 1


@pytest.fixture
def times(tmp_path):
    """A table of times, whose defaults are the time."""
    from flatwater.live.database import Database

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


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("at > now() - interval '5 minutes'", [1, 2]), ("at < now() - interval '1 hour'", [3]), ("now() - at > interval '1 hour'", [3]),
        ("at + interval '1 day' * 2 > now() + interval '36 hours'", [1, 2, 3]), ("day < current_date", [3]), ("day > now()", [2]), ("day = current_date", [1]),
        ("at BETWEEN now() - interval '1 day' AND now()", [1, 3]),
    ],
)  # fmt: skip
def test_the_time_in_a_condition(times, where, ids):
    """It is asked of each row, in a SELECT beside the engine and before it, and in a DELETE."""
    assert [row["id"] for row in times.sql(f"SELECT id FROM t WHERE {where}")] == ids
    assert [row["c"] for row in times.sql(f"SELECT count(*) AS c FROM t WHERE {where}")] == [len(ids)]
    assert [row["id"] for row in times.sql(f"DELETE FROM t WHERE {where} RETURNING id")] == ids


def test_the_time_in_an_update(times):
    """It is one for all rows of the statement."""
    text = (
        "UPDATE t SET at = now(), day = CAST(now() - interval '1 month' AS DATE) WHERE at < now() + interval '1 year'"
    )
    found = list(times.sql(f"{text} RETURNING at, day"))
    assert len(found) == 3
    assert len({(row["at"], row["day"]) for row in found}) == 1
    again = "INSERT INTO t (id) VALUES (1) ON CONFLICT DO UPDATE SET at = now() + interval '1 minute' RETURNING at"
    assert next(iter(times.sql(again)))["at"] > found[0]["at"]
    with pytest.raises(errors.UsageError, match="cannot be followed"):
        times.subscribe("SELECT * FROM t WHERE at > now()")


def test_set_to_a_default(times):
    """DEFAULT is the column's, the time where it is that, and NULL where there is none."""
    found = next(iter(times.sql("UPDATE t SET at = DEFAULT, day = DEFAULT, n = DEFAULT WHERE id = 3 RETURNING *")))
    assert (found["n"], found["day"]) == (7, found["at"].date())
    times.sql('CREATE TABLE u (id BIGINT PRIMARY KEY DEFAULT SNOWFLAKE_ID(), "default" INT, b INT)')
    times.sql("INSERT INTO u VALUES (1, 5, 6)")
    assert next(iter(times.sql('UPDATE u SET b = "default" RETURNING b'))) == {"b": 5}
    assert next(iter(times.sql("UPDATE u SET b = DEFAULT RETURNING b"))) == {"b": None}
    with pytest.raises(errors.UsageError, match="when a row is inserted"):
        times.sql("UPDATE u SET id = DEFAULT")
