"""What a text is."""

import pytest

from flatwater import errors
from flatwater.live.statements import Name, Sql, name_in, understood


@pytest.mark.parametrize(
    ("text", "kind"),
    [("SELECT 1", "select"), ("WITH a AS (SELECT 1) SELECT * FROM a", "select"), ("SELECT 1 UNION SELECT 2", "select"), ("INSERT INTO t VALUES (1)", "insert"), ("UPDATE t SET a = 1", "update"), ("DELETE FROM t", "delete"),
     ("CREATE TABLE t (a INT)", "create table"), ("CREATE NAMESPACE n", "create namespace"), ("CREATE SCHEMA n", "create namespace"), ("ALTER TABLE t ADD COLUMN a INT", "alter table"), ("DROP TABLE t", "drop table"), ("DROP NAMESPACE n", "drop namespace"),
     ("DESCRIBE t", "describe"), ("SHOW TABLES", "show"), ("show users;", "show"), ("CREATE USER u", "create user"), ("ALTER USER u SET ROLE 'dba'", "alter user"), ("DROP USER IF EXISTS u", "drop user"), ("EXECUTE AS USER u (SELECT 1)", "execute as"), ("-- x\nSELECT 1 -- y", "select")],
)  # fmt: skip
def test_kinds(text, kind):
    """Each statement that is known has its kind."""
    assert understood(text).kind == kind


def test_parameters():
    """Marks are numbered in their order in the text; those in texts, names and comments are none."""
    found = understood("SELECT '?', \"?\", ? /* ? */ FROM t WHERE a = ?::INT AND b = ? -- ?")
    assert found.parameters == 3
    assert found.tree.sql(dialect=Sql).count("$") == 3
    assert understood("SELECT $2, $1, $2").parameters == 2
    for text in ("SELECT $2", "SELECT ?, $1", "SELECT $0", "SELECT $x"):
        with pytest.raises(errors.UsageError):
            understood(text)


@pytest.mark.parametrize(
    "text", ["", " ; ", "SELECT 1; SELECT 2", "SELEC 1", "SELECT 'x", "EXECUTE AS USER u", "EXECUTE AS USER u (EXECUTE AS USER v (SELECT 1))", "SHOW", "SHOW EVERYTHING", "SHOW TABLES x", "CREATE USER", "CREATE USER u WITH ROLE", "DROP USER u v", "GRANT x TO y", "SELECT " + "(" * 2_000]
)  # fmt: skip
def test_what_is_no_statement(text):
    """It is refused in a sentence without the colours of a terminal."""
    with pytest.raises(errors.UsageError) as caught:
        understood(text)
    assert "\x1b" not in str(caught.value)


def test_what_is_no_text():
    """Neither bytes nor a text without end."""
    for given in (b"SELECT 1", None, "SELECT '" + "x" * 300_000 + "'"):
        with pytest.raises(errors.UsageError):
            understood(given)


def test_where_it_goes_wrong():
    """The error says where in the text."""
    with pytest.raises(errors.UsageError, match="line 2"):
        understood("SELECT a\nFROM WHERE b")


@pytest.mark.parametrize("text", ["DELETE notes WHERE id = 1", "INSERT INTO VALUES (1)", "DELETE FROM (SELECT 1)"])
def test_no_table(db, text):
    """A change of what is no table, or of none, is refused."""
    with pytest.raises(errors.UsageError):
        db.sql(text, user="ada")


def test_special_statements():
    """Users, their options and what is done in whose name."""
    assert understood("CREATE USER IF NOT EXISTS 'A b' WITH ROLE 'dba', ROWS = 5").words == (
        "A b",
        True,
        {"role": "dba", "rows": "5"},
    )
    assert understood("EXECUTE AS USER Ada (SELECT ';', ?)").words == ("ada", "SELECT ';', ?")
    assert understood("SHOW TABLES IN chat").words == ("TABLES", "chat")


def test_names():
    """A table's name as SQL has it."""
    assert name_in("Notes") == Name("main", "notes")
    assert name_in('chat."M x"') == Name("chat", "M x")
    for given in ("a.b.c", "a; DROP TABLE b", "", "f(x)", 5, "SELECT"):
        with pytest.raises(errors.UsageError):
            name_in(given)
