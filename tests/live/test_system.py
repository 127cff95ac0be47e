"""The database's own tables."""

import pytest

from flatwater import errors


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
