"""The database's own tables."""

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.live import system
from flatwater.live.database import Database


def test_who_holds_what(db):
    """system.memory names the parts with what they promised, and the process as the operating system sees it."""
    found = {row["part"]: row for row in db.sql("SELECT * FROM system.memory")}
    assert found["store"]["promised"] > 0
    assert found["process, anonymous"]["seen"] > 1_000_000
    assert found["sql engine"]["promised"] == 0


def test_tables_that_may_be_read(db):
    """SHOW TABLES and system.tables leave out what the user may not read."""
    db.sql("CREATE NAMESPACE hidden")
    db.sql("CREATE TABLE hidden.secret (id INT PRIMARY KEY) WITH (TYPE = 'SHARED', ACCESS_LEVEL = 'PRIVATE')")
    assert [row["name"] for row in db.sql("SHOW TABLES", user="ada")] == ["notes", "rooms", "typing"]
    assert [row["name"] for row in db.sql("SHOW TABLES IN hidden")] == ["secret"]
    found = db.sql("SELECT name FROM system.tables WHERE type = 'USER' ORDER BY name", user="ada")
    assert list(found) == [{"name": "notes"}]
    assert [row["namespace"] for row in db.sql("SHOW NAMESPACES")] == ["hidden", "main"]


def test_describing(db):
    """DESCRIBE gives columns, types, defaults and the key."""
    found = list(db.sql("DESCRIBE notes", user="ada"))
    assert found[0] == {"column": "id", "type": "BIGINT", "nullable": False, "default": None, "primary_key": True}
    assert found[2] == {"column": "n", "type": "INT", "nullable": True, "default": "0", "primary_key": False}


def test_users_see_themselves(db):
    """A user sees himself among the users, a dba all."""
    db.sql("CREATE USER ada WITH ROLE 'user' ROWS 10")
    db.sql("CREATE USER boss WITH ROLE 'dba'")
    assert list(db.sql("SELECT name, rows FROM system.users", user="ada")) == [{"name": "ada", "rows": 10}]
    assert {row["name"] for row in db.sql("SHOW USERS", user="boss")} == {"ada", "boss", "system"}


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM system.nothing",
        "INSERT INTO system.users VALUES ('x')",
        "DROP TABLE system.users",
        "DELETE FROM system.jobs",
    ],
)
def test_what_cannot_be_done_with_them(db, text):
    """They are read only, and others of the namespace are not there."""
    with pytest.raises(errors.UsageError):
        list(db.sql(text))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SELECT name FROM system.users WHERE role = 'dba'", ["bob"]), ("SELECT name FROM system.users AS u WHERE u.name LIKE ? LIMIT 1", ["ada"]), ("SELECT name FROM system.users LIMIT 5 OFFSET 1", ["ada", "bob"]),
        ("SELECT count(*) AS name FROM system.users WHERE role = 'dba'", [1]), ("SELECT a.name FROM system.users AS a JOIN system.users AS b ON a.name = b.name WHERE a.role = 'dba'", ["bob"]),
    ],
)  # fmt: skip
def test_conditions_on_system_tables(db, text, found):
    """One of them is read without the engine, several with it, and the answer is the same."""
    db.sql("CREATE USER ada")
    db.sql("CREATE USER bob WITH ROLE 'dba'")
    assert [row["name"] for row in db.sql(text, ["%a%"] if "?" in text else [])] == found
    assert (db._executor.engine is None) is ("count" not in text and "JOIN" not in text)


def test_they_need_no_engine_and_little_memory(tmp_path):
    """Who wants to know what holds the budget can ask where the engine does not fit; many rows are streamed."""
    with fw.Budget("40 MiB"), Database(tmp_path / "data", sync="off") as db:
        db.sql("CREATE TABLE t (id INT PRIMARY KEY)")
        held = [db.subscribe("SELECT * FROM t WHERE id = ?", [n], last_rows=0) for n in range(2_000)]
        assert {row["part"] for row in db.sql("SELECT * FROM system.memory")} >= {"store", "subscriptions"}
        assert sum(1 for _row in db.sql("SELECT number FROM system.live_queries")) == len(held)
        assert sum(batch.num_rows for batch in db.sql("SELECT * FROM system.live_queries").arrow()) == len(held)
        with pytest.raises(errors.UsageError, match="can be followed"):
            db.subscribe("SELECT * FROM system.live_queries")


def test_names_that_are_none_are_not_kept(db):
    """However many tables of system are asked for that there are not."""
    for n in range(20):
        with pytest.raises(errors.UsageError, match="no table"):
            db.sql(f"SELECT * FROM system.nothing_{n}")
    assert system._schema_of.cache_info().currsize <= len(system._TABLES)


def test_defaults_as_sql(db):
    """A default that DESCRIBE gives can be written in a CREATE TABLE: the same default comes of it; a text is none that is made."""
    columns = (
        "b BYTES DEFAULT 'AAE='", "s TEXT DEFAULT 'it''s'", "x TEXT DEFAULT 'NOW()'", "at TIMESTAMP DEFAULT NOW()",
        "d DATE DEFAULT '2020-01-01'", "n DECIMAL(5,2) DEFAULT 1.5", "f BOOLEAN DEFAULT TRUE", "i INT DEFAULT -5",
        "j JSON DEFAULT '{\"a\": [1, \"it''s\"]}'", "t JSON DEFAULT 'true'", "u TIMESTAMP DEFAULT '2020-01-01T10:00:00Z'",
    )  # fmt: skip
    db.sql(f"CREATE TABLE one (id INT PRIMARY KEY, {', '.join(columns)})")
    first = list(db.sql("DESCRIBE one"))
    told = {row["column"]: row["default"] for row in first}
    assert (told["b"], told["s"], told["x"], told["at"], told["f"]) == ("'AAE='", "'it''s'", "'NOW()'", "NOW()", "TRUE")
    again = ", ".join(f"{row['column']} {row['type']} DEFAULT {row['default']}" for row in first[1:])
    db.sql(f"CREATE TABLE two (id INT PRIMARY KEY, {again})")
    assert list(db.sql("DESCRIBE two")) == first
    for name in ("one", "two"):
        db.sql(f"INSERT INTO {name} (id, at) VALUES (1, '2020-01-01T00:00:00Z')")
    assert list(db.sql("SELECT * FROM one")) == list(db.sql("SELECT * FROM two"))
