"""Statements of somebody who wants what is not his: each is refused, or is about his own rows only."""

import pytest

from flatwater import errors
from flatwater.live.database import Database

SECRET = "S3CRET-of-ada"
MINE = "harmless"

FILES = [
    "SELECT * FROM '{path}'", 'SELECT * FROM "{path}"', "SELECT * FROM '/etc/passwd'", 'SELECT * FROM "/etc/passwd"', 'SELECT * FROM "../../etc/passwd"',
    "SELECT * FROM 'data.csv'", "SELECT * FROM 's3://bucket/x.parquet'", "SELECT * FROM 'http://127.0.0.1/x.csv'", "SELECT * FROM read_csv('{path}')",
    "SELECT * FROM read_parquet('{path}')", "SELECT * FROM read_json('{path}')", "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM glob('/*')",
    "SELECT pg_read_file('/etc/passwd')", "SELECT load_file('/etc/passwd')", "SELECT readfile('/etc/passwd')", "SELECT lo_import('/etc/passwd')",
    "COPY notes TO '{path}'", "COPY notes FROM '{path}'", "COPY (SELECT * FROM notes) TO '{path}'", "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '{path}'",
    "CREATE TABLE x AS SELECT * FROM '{path}'", "CREATE VIEW v AS SELECT * FROM notes", "CREATE OR REPLACE TABLE notes (id INT PRIMARY KEY)",
    "INSERT INTO notes SELECT * FROM '{path}'", "INSERT OVERWRITE DIRECTORY '/tmp/x' SELECT 1", "ATTACH '{path}' AS other", "DETACH other", "LOAD 'httpfs'", "INSTALL httpfs",
    "EXPORT DATABASE '/tmp/x'", "IMPORT DATABASE '/tmp/x'", "CREATE FUNCTION f() RETURNS INT AS 'SELECT 1'", "CREATE MACRO m() AS 1", "CREATE EXTENSION dblink",
    "SELECT * FROM dblink('host=127.0.0.1', 'SELECT 1') AS t(a INT)", "SELECT * FROM postgres_scan('x', 'y', 'z')", "SELECT * FROM sqlite_scan('{path}', 'x')",
    "SELECT * INTO outfile FROM notes", "SELECT * FROM notes INTO OUTFILE '/tmp/x'", "SELECT * FROM arrow_cast('x', 'Utf8')", "SELECT getenv('HOME')", "SELECT current_setting('data_directory')",
    "SELECT pg_ls_dir('.')", "SELECT xp_cmdshell('id')", "SELECT sys_exec('id')", "SELECT version()", "SELECT user()", "SELECT current_user", "SELECT session_user", "SELECT current_database()",
]  # fmt: skip
OTHERS = [
    "SELECT * FROM notes", "SELECT * FROM notes WHERE 1 = 1", "SELECT * FROM notes WHERE body = '' OR 1 = 1", "SELECT * FROM notes WHERE body = '' OR '' = ''", "SELECT * FROM notes --", "SELECT * FROM notes /* */ WHERE TRUE",
    "SELECT * FROM notes n", "SELECT * FROM main.notes", 'SELECT * FROM "notes"', 'SELECT * FROM "main"."notes"', "SELECT n.* FROM notes AS n, notes AS m", "SELECT * FROM notes UNION SELECT * FROM notes",
    "SELECT * FROM notes UNION ALL SELECT id, body, n FROM (SELECT * FROM notes) q", "SELECT body FROM notes INTERSECT SELECT body FROM notes", "SELECT body FROM notes EXCEPT SELECT 'x'",
    "WITH notes AS (SELECT * FROM notes) SELECT * FROM notes", "WITH a AS (SELECT * FROM notes), b AS (SELECT * FROM a) SELECT * FROM b", "WITH a AS (WITH b AS (SELECT * FROM notes) SELECT * FROM b) SELECT * FROM a",
    "SELECT (SELECT max(body) FROM notes)", "SELECT * FROM rooms WHERE id IN (SELECT body FROM notes)", "SELECT * FROM rooms WHERE EXISTS (SELECT 1 FROM notes)", "SELECT * FROM rooms r WHERE r.topic = (SELECT body FROM notes WHERE id = 1)",
    "SELECT * FROM notes WHERE user = 'ada'", "SELECT * FROM notes WHERE user_id = 'ada'", "SELECT * FROM notes WHERE _user = 'ada'", "SELECT user, * FROM notes", "SELECT _key FROM notes", "SELECT rowid FROM notes", "SELECT ctid FROM notes",
    "SELECT * FROM ada.notes", "SELECT * FROM notes@ada", 'SELECT * FROM "notes\x00ada"', 'SELECT * FROM "1\x00ada"', "SELECT * FROM notes FOR UPDATE", "SELECT * FROM notes LIMIT 10 OFFSET 0", "SELECT * FROM notes ORDER BY body DESC",
    "SELECT string_agg(body, ',') FROM notes", "SELECT array_agg(body) FROM notes", "SELECT max(body) OVER () FROM notes", "SELECT first_value(body) OVER (ORDER BY id) FROM notes", "SELECT body FROM notes GROUP BY body", "SELECT DISTINCT body FROM notes",
    "SELECT * FROM notes NATURAL JOIN notes AS m", "SELECT a.body FROM notes a CROSS JOIN notes b", "SELECT a.body FROM notes a FULL OUTER JOIN notes b ON a.id = b.id + 1", "SELECT * FROM notes, LATERAL (SELECT * FROM notes) AS x", "SELECT * FROM typing",
    "SELECT * FROM hidden", "SELECT * FROM main.hidden", "SELECT * FROM notes UNION SELECT id, body, 1 FROM hidden", "WITH notes AS (SELECT * FROM hidden) SELECT * FROM notes", "SELECT (SELECT max(body) FROM hidden)", "SELECT * FROM notes WHERE body IN (SELECT body FROM hidden)",
    "INSERT INTO notes SELECT id + 100, body, 1 FROM hidden", "INSERT INTO notes (id, body) VALUES (50, (SELECT max(body) FROM hidden))", "UPDATE notes SET body = (SELECT max(body) FROM hidden)", "DELETE FROM notes WHERE body = (SELECT max(body) FROM hidden) RETURNING *",
    "UPDATE notes SET body = h.body FROM hidden h", "DELETE FROM notes USING hidden h WHERE h.id = notes.id RETURNING h.body", "INSERT INTO hidden VALUES (9, 'x')", "UPDATE hidden SET body = 'x'", "DELETE FROM hidden", "DROP TABLE hidden", "ALTER TABLE hidden ADD COLUMN x INT",
    "DESCRIBE hidden", "TRUNCATE hidden", "TRUNCATE TABLE notes", "MERGE INTO notes USING hidden ON notes.id = hidden.id WHEN MATCHED THEN UPDATE SET body = hidden.body", "REPLACE INTO notes VALUES (1, 'x', 1)", "INSERT INTO rooms VALUES ('x', 'y', 1)", "UPDATE rooms SET topic = 'x'", "DELETE FROM rooms",
    "UPDATE notes SET id = 1 WHERE body = 'S3CRET-of-ada' RETURNING *", "DELETE FROM notes RETURNING *", "UPDATE notes SET body = 'x' RETURNING *", "INSERT INTO notes VALUES (1, 'x', 1) ON CONFLICT (id) DO UPDATE SET n = 7 RETURNING *", "INSERT INTO notes VALUES (1, 'x', 1) ON CONFLICT DO NOTHING RETURNING *",
    "INSERT INTO main.notes VALUES (77, 'x', 1) RETURNING *", "UPDATE notes SET notes.body = 'y' WHERE notes.id = 1 RETURNING *",
]  # fmt: skip
ACTING = [
    "EXECUTE AS USER 'ada' (SELECT * FROM notes)", "EXECUTE AS USER ada SELECT * FROM notes", "EXECUTE AS USER 'system' (SELECT * FROM notes)", 'EXECUTE AS USER "ada" (SELECT * FROM notes)', "execute as user 'ada' select * from notes", "EXECUTE AS USER 'ada' (DELETE FROM notes)",
    "EXECUTE AS USER 'mallory' (EXECUTE AS USER 'ada' (SELECT * FROM notes))", "EXECUTE/**/AS/**/USER/**/'ada'/**/(SELECT * FROM notes)", "EXECUTE AS USER 'ada'", "SET ROLE system", "SET user = 'ada'", "SET SESSION AUTHORIZATION ada", "RESET ROLE", "SET datafusion.catalog.information_schema = true",
    "CREATE USER mallory2 WITH ROLE 'system'", "ALTER USER mallory SET ROLE 'system'", "ALTER USER mallory WITH ROLE dba", "DROP USER ada", "CREATE USER ada WITH ROLE 'user'", "GRANT ALL ON notes TO mallory", "REVOKE ALL ON notes FROM ada", "CREATE NAMESPACE evil", "DROP NAMESPACE main",
    "CREATE TABLE evil (id INT PRIMARY KEY)", "DROP TABLE notes", "ALTER TABLE notes ADD COLUMN evil TEXT", "ALTER TABLE notes RENAME TO evil", "ALTER TABLE notes DROP COLUMN body", "SELECT * FROM system.memory", "SELECT * FROM system.jobs", "SELECT * FROM system.users", "SELECT * FROM system.live_queries",
    "SELECT query FROM system.live_queries WHERE user = 'ada'", "SELECT * FROM system.tables", "INSERT INTO system.users VALUES ('mallory', 'system', 1, 1, 1, 1)", "UPDATE system.users SET role = 'system'", "DELETE FROM system.live_queries", "SHOW USERS", "SHOW TABLES", "SHOW NAMESPACES", "SHOW ALL", "SHOW VARIABLES",
    "SHOW COLUMNS FROM hidden", "SHOW CREATE TABLE hidden",
]  # fmt: skip
TEXTS = [
    "SELECT 1; SELECT * FROM notes", "SELECT 1; DROP TABLE notes", "SELECT 1;; SELECT 2", "; DROP TABLE notes", "SELECT * FROM notes; --", "SELECT 1 /* ; */ ; DELETE FROM notes", "BEGIN; DELETE FROM notes; COMMIT", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT x",
    "SELECT 'a'';DROP TABLE notes;--'", "SELECT '\\'; DROP TABLE notes; --'", "SELECT E'\\'; DROP TABLE notes; --'", "SELECT U&'\\0027; DROP TABLE notes'", "SELECT $$'; DROP TABLE notes$$", "SELECT $x$;$x$; DELETE FROM notes", "SELECT * FROM notes WHERE body = 'x\x00' OR TRUE",
    "SELECT * FROM notes WHERE body = '' UNION SELECT 1, 'x', 1 -- '", 'SELECT * FROM "notes" -- " WHERE FALSE', "SELECT * FROM notes WHERE body = \u2018x\u2019 OR \u2018\u2019=\u2018\u2019", "SELECT\u00a0*\u00a0FROM\u00a0notes", "SELECT * FROM n\u200botes", "SELECT * FROM \uff4e\uff4f\uff54\uff45\uff53", "SEL/**/ECT * FROM notes", "SELECT/**/*/**/FROM/**/notes",
    "/*! SELECT * FROM notes */", "SELECT 1 /*", "SELECT '", 'SELECT "', "SELECT (", "SELECT )", "", " ", ";", "--", "\x00", "\ufeffSELECT 1", "SELECT", "FROM notes", "TABLE notes", "VALUES (1)", "SELECT ?", "SELECT $1", "SELECT :name", "SELECT @x", "SELECT * FROM ?", "SELECT * FROM $1",
    "PREPARE p AS SELECT * FROM notes", "EXECUTE p", "DEALLOCATE p", "EXPLAIN SELECT * FROM notes", "EXPLAIN ANALYZE SELECT * FROM notes", "DESCRIBE SELECT * FROM notes", "ANALYZE notes", "VACUUM", "CHECKPOINT", "PRAGMA database_list", "CALL f()", "DO $$ BEGIN END $$", "LISTEN x", "NOTIFY x", "KILL 1", "USE main", "LOCK TABLE notes", "REFRESH TABLE notes",
    "SELECT * FROM information_schema.tables", "SELECT * FROM information_schema.df_settings", "SELECT * FROM pg_catalog.pg_tables", "SELECT * FROM pg_class", "SELECT * FROM sqlite_master", "SELECT * FROM datafusion.public.notes", "SELECT * FROM datafusion.information_schema.tables", "SELECT * FROM duckdb_settings()",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r", "SELECT * FROM generate_series(1, 1000000000)", "SELECT * FROM range(1000000000)", "SELECT unnest(ARRAY[1, 2])", "SELECT repeat('x', 1000000000)", "SELECT lpad('x', 1000000000)", "SELECT pg_sleep(100)", "SELECT sleep(100)", "SELECT random()",
    "SELECT uuid()", "SELECT arrow_typeof(body) FROM notes", "SELECT 'notes'::regclass", "SELECT CAST('notes' AS regclass)", "SELECT * FROM notes TABLESAMPLE BERNOULLI (10)", "SELECT * FROM notes PIVOT (max(body) FOR id IN (1))", "SELECT * FROM notes MATCH_RECOGNIZE (PATTERN (A))", "SELECT * FROM JSON_TABLE('[]', '$' COLUMNS (a INT))",
    "SELECT * FROM XMLTABLE('x')", "SELECT /*+ HINT */ * FROM notes", "SELECT TOP 1 * FROM notes", "SELECT * FROM notes QUALIFY TRUE", "SELECT * FROM notes WINDOW w AS (ORDER BY id)", "SELECT * FROM ONLY notes", "SELECT x FROM notes, UNNEST(ARRAY[1]) AS t(x)", "SELECT * FROM ROWS FROM (f())", "SELECT #1 FROM notes", "SELECT COLUMNS('.*') FROM notes",
    "SELECT * EXCLUDE (body) FROM notes", "SELECT {'a': 1}", "SELECT [1, 2]", "SELECT ARRAY[1]", "SELECT ROW(1, 2)", "SELECT STRUCT(1)", "SELECT MAP {'a': 1}", "SELECT INTERVAL '1 day'", "SELECT x'00'", "SELECT b'1'", "SELECT 1e400", "SELECT " + "9" * 400, "SELECT 1/0", "SELECT -9223372036854775809",
    "SELECT " + "(" * 500 + "1" + ")" * 500, "SELECT " + "NOT " * 500 + "TRUE", "SELECT " + " + ".join(["1"] * 3_000), "SELECT * FROM " + "(SELECT * FROM " * 150 + "notes" + ") AS x" * 150, "SELECT * FROM notes WHERE " + " OR ".join(["id = 1"] * 3_000), "SELECT " + "CASE WHEN TRUE THEN " * 200 + "1" + " END" * 200,
    "SELECT " + ", ".join(f"1 AS c{n}" for n in range(3_000)), "SELECT '" + "x" * 300_000 + "'", "SELECT * FROM notes WHERE id IN (" + ", ".join(map(str, range(5_000))) + ")",
    "INSERT INTO notes VALUES (1); DROP TABLE notes", "INSERT INTO notes VALUES (60, 'x'||(SELECT 1), 1)", "INSERT INTO notes (id, body, id) VALUES (1, 'x', 2)", "INSERT INTO notes (id, evil) VALUES (1, 'x')", "INSERT INTO notes VALUES (NOW(), 'x', 1)", "INSERT INTO notes DEFAULT VALUES", "INSERT INTO notes VALUES (61, pg_read_file('/etc/passwd'), 1)",
    "UPDATE notes SET body = pg_read_file('/etc/passwd')", "UPDATE notes SET evil = 1", "UPDATE notes SET body = 'a', body = 'b'", "UPDATE notes, rooms SET body = topic", "DELETE FROM notes, rooms", "DELETE notes FROM notes", "DELETE FROM notes WHERE rooms.id = 'x'", "UPDATE notes SET body = rooms.topic", "DELETE FROM notes LIMIT 1",
    "INSERT INTO notes VALUES (62, 'x', 1) ON CONFLICT ON CONSTRAINT pk DO UPDATE SET body = 'y'", "INSERT INTO notes VALUES (1, 'x', 1) ON CONFLICT (body) DO NOTHING", "INSERT INTO notes VALUES (1, 'x', 1) ON CONFLICT (id) DO UPDATE SET id = 5", "INSERT INTO notes VALUES (1, 'x', 1) ON DUPLICATE KEY UPDATE body = 'y'", "WITH x AS (DELETE FROM notes RETURNING *) SELECT * FROM x",
    "WITH x AS (SELECT 1) DELETE FROM notes", "WITH x AS (SELECT * FROM hidden) INSERT INTO notes SELECT * FROM x",
]  # fmt: skip
ALL = FILES + OTHERS + ACTING + TEXTS


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A database with rows of two users and of nobody."""
    folder = tmp_path_factory.mktemp("hostile")
    with Database(folder / "data", sync="off") as db:
        db.sql("CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT, n INT DEFAULT 0) WITH (TYPE = 'USER')")
        db.sql(
            "CREATE TABLE rooms (id TEXT PRIMARY KEY, topic TEXT, size INT) WITH (TYPE = 'SHARED', ACCESS_LEVEL = 'PUBLIC')"
        )
        db.sql(
            "CREATE TABLE hidden (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'SHARED', ACCESS_LEVEL = 'PRIVATE')"
        )
        db.sql("CREATE TABLE typing (who TEXT PRIMARY KEY) WITH (TYPE = 'STREAM', TTL_SECONDS = 1000)")
        db.sql("CREATE USER ada WITH ROLE 'user'")
        for number in range(3):
            db.sql("INSERT INTO notes VALUES (?, ?, 1)", [number, SECRET], user="ada")
            db.sql("INSERT INTO hidden VALUES (?, ?)", [number, SECRET])
        db.sql("INSERT INTO typing VALUES (?)", [SECRET], user="ada")
        db.sql("INSERT INTO rooms VALUES ('lobby', ?, 1)", [MINE])
        yield db, db.subscribe("SELECT * FROM notes WHERE body = 'S3CRET-of-ada'", user="ada", last_rows=0)


@pytest.fixture
def attacked(shared):
    """The same, with a few rows of mallory's; afterwards nothing of others has changed."""
    db, changes = shared
    db.sql("DELETE FROM notes", user="mallory")
    db.sql("INSERT INTO notes VALUES (1, ?, 1)", [MINE], user="mallory")
    yield db
    assert changes.poll() is None
    assert [row["body"] for row in db.sql("SELECT * FROM notes", user="ada")] == [SECRET] * 3
    assert [row["body"] for row in db.sql("SELECT * FROM hidden")] == [SECRET] * 3
    assert list(db.sql("SELECT * FROM rooms")) == [{"id": "lobby", "topic": MINE, "size": 1}]
    assert db._executor.actor("mallory").role == "user"


def said(rows):
    return " ".join(map(repr, rows))


def test_there_are_enough_of_them():
    """At least two hundred, no two alike."""
    assert len(set(ALL)) >= 200


@pytest.mark.parametrize("text", ALL, ids=range(len(ALL)))
def test_a_statement(attacked, tmp_path, text):
    """It is refused with an error of ours, or gives rows without the secret; and changes nothing of others."""
    secret_file = tmp_path / "x.csv"
    secret_file.write_text(f"a\n{SECRET}\n")
    rows, told = "", ""
    try:
        rows = said(attacked.sql(text.replace("{path}", str(secret_file)), user="mallory"))
    except errors.FlatwaterError as error:
        told = str(error).lower()
    assert "datafusion" not in told or "datafusion" in text
    assert SECRET not in rows or SECRET in text
    assert "root:" not in rows
    assert SECRET not in said(attacked.sql("SELECT * FROM notes", user="mallory"))


@pytest.mark.parametrize("text", OTHERS + ACTING, ids=range(len(OTHERS + ACTING)))
def test_a_subscription(attacked, text):
    """The same of what is followed."""
    try:
        changes = attacked.subscribe(text, user="mallory")
    except errors.FlatwaterError:
        return
    with changes:
        while (event := changes.poll()) is not None:
            assert SECRET not in repr(event)


@pytest.mark.parametrize(
    "name",
    [
        "ada'--",
        "ada\x00",
        "ada' OR '1'='1",
        "ADA",
        "ada ",
        " ada",
        "%",
        "a%",
        "ada/../ada",
        "",
        "system",
        "SYSTEM",
        None,
    ],
)
def test_a_name_of_a_user(attacked, name):
    """No name but her own sees her rows."""
    try:
        assert SECRET not in said(attacked.sql("SELECT * FROM notes", user=name))
        assert SECRET not in said(attacked.sql("SELECT max(body) FROM notes", user=name))
    except errors.FlatwaterError:
        pass


@pytest.mark.parametrize(
    "value",
    [
        "' OR TRUE --",
        "'; DROP TABLE notes; --",
        "x\x00y",
        "\\' OR 1=1",
        "{0}",
        "$1",
        "%s",
        "?",
        "\u2019 OR 1=1",
        "x" * 100_000,
        SECRET,
    ],
)
def test_a_parameter(attacked, value):
    """It is a value, wherever it stands, by the short way and through the engine."""
    for text in (
        "SELECT * FROM notes WHERE body = ?",
        "SELECT count(*), max(body) FROM notes WHERE body = ?",
        "SELECT ? AS x, body FROM notes",
    ):
        rows = said(attacked.sql(text, [value], user="mallory"))
        assert SECRET not in rows or value == SECRET
    attacked.sql("INSERT INTO notes (id, body) VALUES (?, ?)", [500, value], user="mallory")
    assert list(attacked.sql("SELECT body FROM notes WHERE id = 500", user="mallory")) == [{"body": value}]
    assert attacked.sql("DELETE FROM notes WHERE body = ?", [value], user="mallory").count == 1


def test_names_of_the_engine_cannot_be_guessed(attacked):
    """While another user's query runs, its tables cannot be read under the names that the engine has for them."""
    engine_rows = iter(attacked.sql("SELECT body, count(*) AS c FROM notes GROUP BY body", user="ada"))
    names = list(attacked._executor.engine._context.catalog().schema("public").names())
    for name in names:
        with pytest.raises(errors.UsageError):
            list(attacked.sql(f'SELECT * FROM "{name}"', user="mallory"))
    assert list(engine_rows) == [{"body": SECRET, "c": 3}]
    assert attacked._executor.engine.tables() == 0
