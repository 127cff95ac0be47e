"""INSERT, UPDATE and DELETE in detail."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest

from flatwater import errors, limits
from flatwater.live import changing
from flatwater.live.refusals import Conflict
from flatwater.live.statements import understood


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
    with pytest.raises(Conflict):
        db.sql("UPDATE notes SET id = 2 WHERE id = 1", user="ada")
    assert db.sql("UPDATE notes SET id = id + 10", user="ada").count == 2
    assert [row["id"] for row in rows(db, "SELECT id FROM notes")] == [11, 12]


def test_the_same_key_twice_in_a_statement(db):
    """The second one is in conflict with the first, or changes it."""
    with pytest.raises(Conflict):
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


@pytest.fixture
def jsons(tmp_path):
    """A table with a column of JSON."""
    from flatwater.live.database import Database

    with Database(tmp_path / "jsons", sync="off") as db:
        db.sql("CREATE TABLE y (id INT PRIMARY KEY, j JSON, s TEXT)")
        yield db


def test_json_that_was_selected(jsons):
    """Rows of the engine have it as a text; others have it as it is."""
    tree = understood("INSERT INTO y (id, j) SELECT id, j FROM y").tree
    insert = changing.Insert(tree, jsons._executor.catalog.table("main", "y"))
    for cell, is_text, expected in (
        ('{"a": 1}', True, {"a": 1}), ("5", True, 5), ("a text", True, "a text"), (None, True, None), ("5", False, "5"), ({"a": 1}, False, {"a": 1}),
    ):  # fmt: skip
        row = insert.selected([1, cell], jsons._executor._numbers, datetime.now(UTC), is_text=is_text)
        assert row == {"id": 1, "j": expected, "s": None}
    with pytest.raises(errors.UsageError, match="1 values are selected for 2 columns"):
        insert.selected([1], jsons._executor._numbers, datetime.now(UTC), is_text=True)


def test_decimals_of_38_digits_in_a_statement(tmp_path):
    """They are stored, computed with, compared and read by the engine with all their digits."""
    from flatwater.live.database import Database

    most = Decimal("9" * 38)
    with Database(tmp_path / "decimals", sync="off") as db:
        db.sql("CREATE TABLE d (id INT PRIMARY KEY, d DECIMAL(38, 0))")
        db.sql(
            f"INSERT INTO d VALUES (1, {most}), (2, ?), (3, -{most}), (4, CAST(? AS DECIMAL(38, 0)))", [most, str(most)]
        )
        assert [row["d"] for row in db.sql("SELECT d FROM d")] == [most, most, most.copy_negate(), most]
        assert next(row["d"] for row in db.sql("UPDATE d SET d = d - 1 WHERE id <> 3 RETURNING d")) == Decimal(
            "9" * 37 + "8"
        )
        assert [row["id"] for row in db.sql(f"SELECT id FROM d WHERE d + 1 = {most} AND abs(d) < {most}")] == [1, 2, 4]
        assert [*db.sql("SELECT max(d) AS d FROM d")] == [{"d": Decimal("9" * 37 + "8")}]
        with pytest.raises(errors.UsageError, match="more than 38 digits in front of the point"):
            db.sql("UPDATE d SET d = d * 10")


def test_integers_are_exact(tmp_path):
    """What does not fit into a column is refused with what does; in a condition it is computed all the same."""
    from flatwater.live.database import Database

    most = (1 << 63) - 1
    with Database(tmp_path / "integers", sync="off") as db:
        db.sql("CREATE TABLE b (id INT PRIMARY KEY, b BIGINT)")
        db.sql("INSERT INTO b VALUES (1, ?), (2, 5)", [most])
        with pytest.raises(
            errors.UsageError,
            match=r"9223372036854775808 does not fit into 'b'.*not from -9223372036854775808 to 9223372036854775807",
        ):
            db.sql("UPDATE b SET b = b + 1")
        assert [row["id"] for row in db.sql("SELECT id FROM b WHERE b + 1 > 0")] == [1, 2]
        assert [*db.sql("SELECT CAST(b AS DECIMAL(38, 0)) + 1 AS v FROM b WHERE id = 1")] == [{"v": most + 1}]
        assert [*db.sql("SELECT CAST(b AS DOUBLE) + 1 AS v FROM b WHERE id = 1")] == [{"v": float(most)}]


def test_a_key_that_another_row_has(db):
    """It is told which, and what to do."""
    db.sql("INSERT INTO notes VALUES (1, 'a', 1), (2, 'b', 2)", user="ada")
    with pytest.raises(Conflict, match=r"a row with id = 5, which another row would get.*name that row in WHERE"):
        db.sql("UPDATE notes SET id = 5", user="ada")


def test_rows_have_a_length(db, monkeypatch):
    """A row that is too long is refused with the limit, whichever statement makes it."""
    monkeypatch.setattr(limits, "LIVE_ROW_BYTES_MAX", 1_000)
    db.sql("INSERT INTO notes VALUES (1, ?, 1)", ["x" * 900], user="ada")
    for text in (
        "INSERT INTO notes VALUES (2, ?, 1)", "UPDATE notes SET body = ?", "UPDATE notes SET id = 7, body = ?", "INSERT INTO notes VALUES (1, '', 1) ON CONFLICT DO UPDATE SET body = ?",
    ):  # fmt: skip
        with pytest.raises(errors.LimitReached, match=r"a row of main.notes has 1,\d\d\d B .* 1,000 are possible"):
            db.sql(text, ["x" * 1_000], user="ada")


def test_bytes_of_all_kinds(tmp_path):
    """bytearray and memoryview are bytes, and a timedelta is an interval."""
    from flatwater.live.database import Database

    with Database(tmp_path / "bytes", sync="off") as db:
        db.sql("CREATE TABLE t (id BYTES PRIMARY KEY, at TIMESTAMP)")
        db.sql(
            "INSERT INTO t VALUES (?, now()), (?, now() - ?)", [bytearray(b"a"), memoryview(b"b"), timedelta(days=3)]
        )
        assert [*db.sql("SELECT id FROM t WHERE id = ?", [bytearray(b"a")])] == [{"id": b"a"}]
        assert [*db.sql("SELECT id FROM t WHERE id IN (?, ?)", [b"x", memoryview(b"b")])] == [{"id": b"b"}]
        assert [*db.sql("SELECT id FROM t WHERE at < now() - ?", [timedelta(days=1)])] == [{"id": b"b"}]
        with pytest.raises(errors.UsageError, match="A value is a bool"):
            db.sql("SELECT id FROM t WHERE at > ?", [time(1)])
