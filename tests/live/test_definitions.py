"""CREATE, ALTER and users' options."""

import re

import pytest

from flatwater import errors
from flatwater.live.access import Limits
from flatwater.live.catalog import UserRecord
from flatwater.live.definitions import added, constant, table_of, user_of
from flatwater.live.statements import understood


def table(text):
    return table_of(understood(text).tree, 1)


def test_a_table():
    """Columns, defaults, keys and options are what the statement says; names are in lower case unless quoted."""
    made = table(
        'CREATE TABLE Chat.M (Id BIGINT DEFAULT SNOWFLAKE_ID(), "From" TEXT NOT NULL DEFAULT \'x\', n INT DEFAULT -1, at TIMESTAMP DEFAULT NOW(), PRIMARY KEY (id, "From")) '
        "WITH (TYPE = 'STREAM', TTL_SECONDS = 60)"
    )
    assert (made.namespace, made.name, made.kind, made.ttl_s, made.key) == ("chat", "m", "STREAM", 60, ("id", "From"))
    columns = made.columns
    assert (columns["id"].default, columns["id"].is_made, columns["id"].is_required) == ("SNOWFLAKE_ID()", True, True)
    assert (columns["n"].default, columns["at"].default, columns["From"].default) == (-1, "NOW()", "x")


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE t (a INT)", "CREATE TABLE t", "CREATE TABLE t (a INT PRIMARY KEY, a TEXT)", "CREATE TABLE t (a DOUBLE PRIMARY KEY)", "CREATE TABLE t (a INT, PRIMARY KEY (b))", "CREATE TABLE t (a INT, PRIMARY KEY (a, a))",
        "CREATE TABLE t (a INT PRIMARY KEY) WITH (TYPE = 'OTHER')", "CREATE TABLE t (a INT PRIMARY KEY) WITH (TYPE = 'STREAM')", "CREATE TABLE t (a INT PRIMARY KEY) WITH (TTL_SECONDS = 5)", "CREATE TABLE t (a INT PRIMARY KEY) WITH (TYPE = 'USER', ACCESS_LEVEL = 'PUBLIC')",
        "CREATE TABLE t (a INT PRIMARY KEY) WITH (ACCESS_LEVEL = 'ALL')", "CREATE TABLE t (a INT PRIMARY KEY) WITH (COLOR = 'red')", "CREATE TABLE t (a INT PRIMARY KEY) WITH (TYPE = 'STREAM', TTL_SECONDS = -1)", "CREATE TABLE t (a INT PRIMARY KEY DEFAULT 'x')",
        "CREATE TABLE t (a INT PRIMARY KEY DEFAULT NOW())", "CREATE TABLE t (a INT PRIMARY KEY, b TEXT DEFAULT (SELECT 1))", "CREATE TABLE t (a INT PRIMARY KEY, b INT CHECK (b > 1))", "CREATE TABLE t (a INT PRIMARY KEY, b INT REFERENCES c (d))", "CREATE TABLE t (a INT PRIMARY KEY, UNIQUE (a))",
        "CREATE TABLE t (a INT PRIMARY KEY, b INT UNIQUE)", "CREATE TABLE t (a INT PRIMARY KEY, b)", "CREATE TABLE a.b.c (a INT PRIMARY KEY)", "CREATE TABLE t AS SELECT 1", f"CREATE TABLE t ({', '.join(f'c{n} INT' for n in range(501))}, PRIMARY KEY (c0))", "CREATE TABLE t (a INT PRIMARY KEY, b INT DEFAULT 99999999999)",
        'CREATE TABLE t (a INT PRIMARY KEY, "" INT)', "CREATE TABLE t (a INT PRIMARY KEY, " + "x" * 101 + " INT)",
    ],
)  # fmt: skip
def test_tables_that_make_no_sense(text):
    """Each is refused when it is made, not when a row is written."""
    with pytest.raises(errors.UsageError):
        table(text)


@pytest.mark.parametrize(
    "what",
    [
        "ADD COLUMN a INT",
        "ADD COLUMN b INT PRIMARY KEY",
        "ADD COLUMN b INT NOT NULL",
        "ADD COLUMN b TIMESTAMP DEFAULT NOW()",
        "DROP COLUMN a",
        "RENAME COLUMN a TO b",
        "ALTER COLUMN a TYPE TEXT",
        "RENAME TO x",
    ],
)
def test_changes_that_are_refused(what):
    """Only columns that rows without them can have are added, and nothing else is known."""
    with pytest.raises(errors.UsageError):
        added(understood(f"ALTER TABLE t {what}").tree, table("CREATE TABLE t (a INT PRIMARY KEY)"))


def test_a_column_that_may_be_there():
    """IF NOT EXISTS leaves it as it is."""
    before = table("CREATE TABLE t (a INT PRIMARY KEY)")
    after = added(understood("ALTER TABLE t ADD COLUMN IF NOT EXISTS a TEXT, ADD COLUMN b TEXT").tree, before)
    assert [(column.name, str(column.type)) for column in after.columns.values()] == [("a", "INT"), ("b", "TEXT")]
    assert after.is_changed


def test_options_of_users():
    """Role and limits change one by one; what is no option or no number is refused."""
    record = user_of({"role": "DBA", "rows": "5"}, UserRecord("user", Limits(seconds=3)))
    assert (record.role, record.limits.rows, record.limits.seconds) == ("dba", 5, 3)
    for given in ({"role": "king"}, {"rows": "-1"}, {"rows": "x"}, {"color": "red"}, {"rows": "0"}):
        with pytest.raises(errors.UsageError):
            user_of(given, None)


@pytest.mark.parametrize(
    ("text", "value"), [("5", 5), ("-5", -5), ("'x'", "x"), ("NULL", None), ("TRUE", True), ("(3)", 3)]
)
def test_literals(text, value):
    """A literal is its value."""
    assert constant(understood(f"SELECT {text}").tree.expressions[0]) == value


def test_ways_out(db):
    """What cannot be said is told with what can."""
    with pytest.raises(errors.UsageError, match=r"two primary keys.*PRIMARY KEY \(a, b\)"):
        db.sql("CREATE TABLE c (a INT PRIMARY KEY, b INT PRIMARY KEY)")
    with pytest.raises(errors.UsageError, match="Add it without this default, UPDATE the rows"):
        db.sql("ALTER TABLE notes ADD COLUMN at TIMESTAMP DEFAULT NOW()")
    with pytest.raises(errors.UsageError, match="said in CREATE TABLE"):
        db.sql("ALTER TABLE notes ADD COLUMN at TIMESTAMP PRIMARY KEY")
    for text in ("at TIMESTAMP DEFAULT CURRENT_DATE", "at INT DEFAULT NOW()", "at DATE DEFAULT SNOWFLAKE_ID()"):
        with pytest.raises(errors.UsageError, match=r" is (DATE|TIMESTAMP|BIGINT), and 'at' is"):
            db.sql(f"CREATE TABLE c (id INT PRIMARY KEY, {text})")


def test_a_type_is_shown_as_it_is_written(db):
    """REAL has 32 bits, and FLOAT is DOUBLE, as in PostgreSQL; a table that is made of what is shown is the same."""
    db.sql("CREATE TABLE f (id INT PRIMARY KEY, a REAL, b FLOAT, c DOUBLE PRECISION)")
    assert [row["type"] for row in db.sql("DESCRIBE f")] == ["INT", "REAL", "DOUBLE", "DOUBLE"]
    db.sql("INSERT INTO f VALUES (1, 0.1, 0.1, 0.1)")
    assert [*db.sql("SELECT a = b AS x, b = c AS y FROM f")] == [{"x": False, "y": True}]


@pytest.mark.parametrize(
    ("text", "why", "hint"),
    [
        ("ALTER TABLE told ADD COLUMN a INT, b INT", "this ALTER TABLE is not known", "ADD COLUMN a INT, ADD COLUMN b"),
        ("ALTER TABLE told DROP COLUMN id", "this ALTER TABLE is not known", "each has its ADD COLUMN"),
        ("CREATE TABLE system.x (k INT PRIMARY KEY)", "the database's own tables", "another namespace"),
        ("CREATE TABLE nowhere.x (k INT PRIMARY KEY)", "no namespace nowhere", "CREATE NAMESPACE nowhere"),
        ("CREATE TABLE s (k INT PRIMARY KEY) WITH (TYPE = 'STREAM')", "needs TTL_SECONDS", "TTL_SECONDS = 60"),
        ("SHOW TABLES IN nowhere", "no namespace nowhere", "SHOW NAMESPACES"),
        ("INSERT INTO told VALUES (9, 1) RETURNING id * 2 AS twice", "RETURNING has id * 2 AS twice", "by their names"),
        ("DELETE FROM told RETURNING id AS k", "RETURNING has id AS k", "by their names"),
        ("UPDATE told SET n = n / 3", "more than 2 digits behind the point", "ROUND(..., 2)"),
    ],
)
def test_what_to_write_instead(db, text, why, hint):
    """What is refused is told with the form that is taken."""
    db.sql("CREATE TABLE told (id INT PRIMARY KEY, n DECIMAL(10, 2))")
    db.sql("INSERT INTO told VALUES (1, 1)")
    with pytest.raises(errors.UsageError, match=re.escape(why)) as found:
        db.sql(text)
    assert hint in found.value.hint


def test_several_columns_at_once(db):
    """Each has its ADD COLUMN."""
    db.sql("CREATE TABLE told (id INT PRIMARY KEY)")
    db.sql("ALTER TABLE told ADD COLUMN a INT DEFAULT 1, ADD COLUMN b TEXT")
    assert [row["column"] for row in db.sql("DESCRIBE told")] == ["id", "a", "b"]
