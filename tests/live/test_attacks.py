"""Whatever a user writes as SQL: he gets a refusal or his own rows, never a secret, and what belongs to others stays as it was."""

from __future__ import annotations

import json
import os

import pytest

from flatwater import errors
from flatwater.live.access import AccessDenied
from flatwater.live.database import Database

SECRET = "s3cr3t-of-ada"  # in rows of ada and of the private table; no statement below has it
_FILE = "flatwater-marker-in-a-file"  # in files that statements name

FILES = [  # the disk and the network
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd"',
    'SELECT * FROM "../../etc/passwd"',
    'SELECT * FROM "{folder}/marker.csv"',
    "SELECT * FROM '{folder}/marker.csv'",
    'SELECT * FROM "file://{folder}/marker.csv"',
    "SELECT * FROM read_csv('{folder}/marker.csv')",
    "SELECT * FROM read_parquet('{folder}/marker.parquet')",
    "SELECT * FROM read_json('{folder}/marker.json')",
    "SELECT * FROM read_text('{folder}/marker.csv')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM csv_scan('{folder}/marker.csv')",
    "SELECT * FROM parquet_scan('{folder}/marker.parquet')",
    "SELECT * FROM parquet_metadata('{folder}/marker.parquet')",
    "SELECT * FROM 's3://bucket/key.parquet'",
    'SELECT * FROM "s3://bucket/key.parquet"',
    'SELECT * FROM "https://example.com/a.csv"',
    "SELECT * FROM glob('/etc/*')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT load_extension('{folder}/marker.csv')",
    "SELECT readfile('{folder}/marker.csv')",
    "SELECT writefile('{folder}/made', 'x')",
    "COPY notes TO '{folder}/made'",
    "COPY notes FROM '{folder}/marker.csv'",
    "COPY (SELECT * FROM notes) TO '{folder}/made.csv' STORED AS CSV",
    "COPY notes TO PROGRAM 'touch {folder}/made'",
    "CREATE EXTERNAL TABLE stolen STORED AS CSV LOCATION '{folder}/marker.csv'",
    "CREATE EXTERNAL TABLE stolen (a TEXT) STORED AS PARQUET LOCATION 's3://bucket/'",
    "CREATE OR REPLACE EXTERNAL TABLE notes STORED AS CSV LOCATION '{folder}/marker.csv'",
    "CREATE TABLE stolen AS SELECT * FROM '{folder}/marker.csv'",
    "CREATE VIEW stolen AS SELECT * FROM '{folder}/marker.csv'",
    "CREATE FUNCTION f() RETURNS TEXT LANGUAGE c AS '{folder}/marker.csv'",
    "CREATE FOREIGN TABLE f (a TEXT) SERVER s OPTIONS (filename '/etc/passwd')",
    "INSERT INTO notes SELECT 9, * FROM '{folder}/marker.csv'",
    "INSERT INTO '{folder}/made' VALUES (1)",
    "INSERT OVERWRITE DIRECTORY '{folder}/made' SELECT * FROM notes",
    "ATTACH '{folder}/other' AS other",
    "ATTACH DATABASE '{folder}/other' AS other",
    "DETACH main",
    "EXPORT DATABASE '{folder}/made'",
    "IMPORT DATABASE '{folder}/made'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD DATA INFILE '/etc/passwd' INTO TABLE notes",
    "SELECT * INTO OUTFILE '{folder}/made' FROM notes",
    "SELECT * INTO stolen FROM notes",
    "UNLOAD (SELECT * FROM notes) TO 's3://bucket/'",
    "VACUUM INTO '{folder}/made'",
]

SETTINGS = [  # what the engine, the database and the session may be told
    "SET datafusion.execution.batch_size = 1",
    "SET datafusion.catalog.information_schema = true",
    "SET user = 'ada'",
    "SET ROLE ada",
    "SET SESSION AUTHORIZATION ada",
    "SET search_path = ada",
    "SET LOCAL role = 'system'",
    "RESET ALL",
    "PRAGMA table_info(notes)",
    "PRAGMA database_list",
    "USE ada",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT a",
    "LOCK TABLE notes",
    "LISTEN notes",
    "NOTIFY notes",
    "KILL 1",
    "CALL system()",
    "DO $$ BEGIN PERFORM 1; END $$",
    "ANALYZE notes",
    "VACUUM",
    "REFRESH notes",
    "CACHE TABLE notes",
    "COMMENT ON TABLE notes IS 'mine'",
    "GRANT SELECT ON vault TO mallory",
    "GRANT system TO mallory",
    "REVOKE ALL ON notes FROM ada",
    "TRUNCATE notes",
    "TRUNCATE TABLE vault",
    "MERGE INTO vault USING notes ON vault.id = notes.id WHEN MATCHED THEN DELETE",
    "PREPARE p AS SELECT * FROM vault",
    "EXECUTE p",
    "DEALLOCATE p",
    "DECLARE c CURSOR FOR SELECT * FROM vault",
    "FETCH ALL FROM c",
    "EXPLAIN SELECT * FROM notes",
    "EXPLAIN ANALYZE SELECT * FROM vault",
    "EXPLAIN VERBOSE SELECT * FROM notes",
    "SHOW ALL",
    "SHOW datafusion.execution.batch_size",
    "SHOW FUNCTIONS",
    "SHOW CREATE TABLE vault",
    "SHOW COLUMNS FROM vault",
    "SHOW TABLES",
    "SHOW TABLES IN system",
    "SHOW NAMESPACES",
    "SHOW USERS",
    "SHOW USERS; SELECT * FROM vault",
    "DESCRIBE vault",
    "DESCRIBE system.users",
    "DESCRIBE (SELECT * FROM vault)",
    "DESC notes",
    "KILL LIVE QUERY 0",
]

ROLES = [  # who one is
    "EXECUTE AS USER 'ada' (SELECT * FROM notes)",
    "EXECUTE AS USER ada (SELECT * FROM notes)",
    'EXECUTE AS USER "ada" SELECT * FROM notes',
    "execute as user 'ada' select * from notes",
    "EXECUTE /* */ AS -- x\n USER 'ada' (SELECT * FROM notes)",
    "EXECUTE AS USER 'system' (SELECT * FROM vault)",
    "EXECUTE AS USER system (SELECT * FROM vault)",
    "EXECUTE AS USER 'mallory' (EXECUTE AS USER 'ada' (SELECT * FROM notes))",
    "EXECUTE AS USER 'mallory' (SELECT * FROM notes) UNION (SELECT * FROM vault)",
    "EXECUTE AS USER 'mallory' (SELECT * FROM vault)",
    "EXECUTE AS USER 'ada' (DELETE FROM notes)",
    "EXECUTE AS USER 'ada' (INSERT INTO notes VALUES (77, 'x'))",
    "EXECUTE AS USER 'ada'",
    "EXECUTE AS USER '' (SELECT * FROM notes)",
    "EXECUTE AS USER 'ada'' --' (SELECT * FROM notes)",
    "EXECUTE AS USER 'ad\u0430' (SELECT * FROM notes)",
    "EXECUTE AS USER 'ADA' (SELECT * FROM notes)",
    "EXECUTE AS 'ada' (SELECT * FROM notes)",
    "CREATE USER mallory WITH ROLE system",
    "CREATE USER eve WITH ROLE dba",
    "ALTER USER mallory SET ROLE dba",
    "ALTER USER mallory WITH ROLE 'system'",
    "ALTER USER mallory ROWS 1000000",
    "ALTER USER ada SET ROLE user",
    "DROP USER ada",
    "DROP USER IF EXISTS mallory",
    "CREATE NAMESPACE mine",
    "DROP NAMESPACE main",
    "CREATE TABLE mine (id BIGINT PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS vault (id BIGINT PRIMARY KEY) WITH (TYPE = 'USER')",
    "CREATE TABLE system.users (id BIGINT PRIMARY KEY)",
    "DROP TABLE vault",
    "DROP TABLE IF EXISTS notes",
    "DROP TABLE notes CASCADE",
    "ALTER TABLE vault ADD COLUMN a TEXT",
    "ALTER TABLE vault SET TBLPROPERTIES ('access_level' = 'PUBLIC')",
    "ALTER TABLE notes RENAME TO mine",
    "CREATE VIEW mine AS SELECT * FROM vault",
    "CREATE INDEX i ON vault (body)",
    "CREATE TRIGGER t AFTER INSERT ON notes EXECUTE FUNCTION f()",
    "CREATE MATERIALIZED VIEW mine AS SELECT * FROM vault",
]

OTHERS = [  # rows of others
    "SELECT * FROM vault",
    "SELECT * FROM main.vault",
    'SELECT * FROM "main"."vault"',
    "SELECT * FROM flatwater.main.vault",
    "SELECT * FROM datafusion.public.vault",
    "SELECT body FROM vault WHERE id = 1",
    "SELECT count(*) FROM vault",
    "SELECT 1 WHERE EXISTS (SELECT * FROM vault WHERE body LIKE 's%')",
    "SELECT (SELECT body FROM vault LIMIT 1)",
    "SELECT (SELECT max(body) FROM vault) FROM notes",
    "SELECT * FROM notes WHERE body IN (SELECT body FROM vault)",
    "SELECT * FROM notes WHERE id = ANY (SELECT id FROM vault)",
    "SELECT * FROM notes WHERE id > ALL (SELECT id FROM vault)",
    "SELECT * FROM notes UNION SELECT * FROM vault",
    "SELECT * FROM notes UNION ALL SELECT * FROM vault",
    "SELECT * FROM vault EXCEPT SELECT * FROM notes",
    "SELECT * FROM vault INTERSECT SELECT * FROM vault",
    "WITH a AS (SELECT * FROM vault) SELECT * FROM a",
    "WITH vault AS (SELECT * FROM vault) SELECT * FROM vault",
    "WITH vault AS (SELECT * FROM notes) SELECT * FROM main.vault",
    "WITH notes AS (SELECT * FROM vault) SELECT * FROM notes",
    "WITH a AS (WITH vault AS (SELECT * FROM notes) SELECT * FROM vault) SELECT * FROM vault",
    "WITH a AS (SELECT 1), b AS (WITH a AS (SELECT * FROM vault) SELECT * FROM a) SELECT * FROM b",
    "SELECT * FROM (WITH vault AS (SELECT 1 AS id) SELECT * FROM vault) x, vault",
    'WITH "Vault" AS (SELECT 1 AS id) SELECT * FROM vault',
    'WITH vault AS (SELECT 1 AS id) SELECT * FROM "vault" JOIN vault AS v USING (id)',
    "WITH a AS (SELECT * FROM b), b AS (SELECT * FROM vault) SELECT * FROM a",
    "SELECT * FROM notes n, LATERAL (SELECT * FROM vault v WHERE v.id = n.id) x",
    "SELECT * FROM notes n CROSS JOIN LATERAL (SELECT body FROM vault) x",
    "SELECT * FROM notes n WHERE EXISTS (SELECT 1 FROM vault v WHERE v.id = n.id)",
    "SELECT * FROM notes JOIN vault USING (id)",
    "SELECT * FROM notes LEFT JOIN vault ON true",
    "SELECT * FROM notes NATURAL JOIN vault",
    "SELECT * FROM notes, vault",
    "SELECT vault.* FROM notes, vault",
    "SELECT vault FROM notes",
    "SELECT vault.body FROM notes",
    "SELECT main.vault.body FROM notes",
    "SELECT * FROM notes ORDER BY (SELECT body FROM vault LIMIT 1)",
    "SELECT * FROM notes LIMIT (SELECT length(body) FROM vault LIMIT 1)",
    "SELECT * FROM notes GROUP BY (SELECT body FROM vault)",
    "SELECT count(*) FROM notes HAVING (SELECT count(*) FROM vault) > 0",
    "SELECT CASE WHEN (SELECT body FROM vault LIMIT 1) LIKE 's%' THEN 1 ELSE 0 END",
    "SELECT array_agg(body) FROM vault",
    "SELECT string_agg(body, ',') FROM vault",
    "SELECT first_value(body) OVER () FROM vault",
    "SELECT sum((SELECT count(*) FROM vault)) OVER () FROM notes",
    "TABLE vault",
    "FROM vault",
    "FROM vault SELECT *",
    "(SELECT * FROM vault)",
    "((SELECT body FROM vault))",
    "(TABLE vault) UNION (TABLE vault)",
    "VALUES ((SELECT body FROM vault))",
    "SELECT * FROM (VALUES ((SELECT body FROM vault LIMIT 1))) v(x)",
    "SELECT * FROM notes WHERE user = 'ada'",
    "SELECT * FROM notes WHERE \"user\" = 'ada'",
    "SELECT * FROM notes WHERE 1 = 1 OR true",
    "SELECT * FROM notes WHERE id >= -9223372036854775808",
    "SELECT * FROM notes WHERE id BETWEEN -9223372036854775808 AND 9223372036854775807",
    "SELECT * FROM notes WHERE id < 0 OR id > 0 OR id = 0 OR id IS NULL",
    "SELECT * FROM notes WHERE NOT (id IS NULL)",
    "SELECT * FROM notes ORDER BY id DESC",
    "SELECT * FROM notes LIMIT 1000000 OFFSET 0",
    "SELECT * FROM notes OFFSET -5",
    "SELECT * FROM notes LIMIT -1",
    "SELECT * FROM ada.notes",
    'SELECT * FROM "ada".notes',
    'SELECT * FROM "ada.notes"',
    "SELECT * FROM main.ada.notes",
    "SELECT * FROM notes@ada",
    "SELECT * FROM notes FOR SYSTEM_TIME AS OF '2020-01-01'",
    "SELECT * FROM notes AT (TIMESTAMP => '2020-01-01')",
    "SELECT * FROM notes TABLESAMPLE (100)",
    "SELECT * FROM ONLY vault",
    "SELECT * FROM notes AS vault",
    "SELECT * FROM notes AS vault JOIN vault AS notes ON true",
    "SELECT * FROM events",
    "SELECT * FROM events WHERE id > 0",
    "SELECT * FROM events, notes",
    "SELECT a.body, b.body FROM events a FULL JOIN events b ON a.id = b.id",
    "SELECT * FROM logs WHERE body LIKE '%'",
    "SELECT * FROM notes FOR UPDATE",
    "SELECT * FROM vault QUALIFY true",
    "SELECT * FROM notes PIVOT (max(body) FOR id IN (1))",
    "SELECT * FROM notes WINDOW w AS (PARTITION BY (SELECT body FROM vault))",
    "SELECT DISTINCT ON (id) * FROM vault",
    "SELECT * EXCEPT (id) FROM vault",
    "SELECT AS STRUCT * FROM vault",
    "SELECT * FROM unnest((SELECT array_agg(body) FROM vault))",
    "SELECT * FROM ROWS FROM (vault())",
    "SELECT * FROM vault()",
    "SELECT ROW(vault) FROM vault",
    "SELECT row_to_json(vault) FROM vault",
    "SELECT query_to_xml('SELECT * FROM vault', true, true, '')",
    "SELECT dblink('', 'SELECT * FROM vault')",
    "SELECT * FROM query('SELECT * FROM vault')",
    "SELECT * FROM query_table('vault')",
    "SELECT * FROM IDENTIFIER('vault')",
    "SELECT * FROM TABLE('vault')",
    "SELECT * FROM $1",
    "SELECT * FROM ?",
]

QUOTING = [  # comments, quotes, escapes, more than one statement
    "SELECT * FROM notes; SELECT * FROM vault",
    "SELECT * FROM notes;; SELECT * FROM vault;",
    "SELECT 1; DROP TABLE vault",
    "SELECT 1;--\nDELETE FROM notes",
    "SELECT * FROM va/**/ult",
    "SELECT * FROM /* notes */ vault",
    "SELECT * FROM vault -- notes",
    "/*! SELECT */ SELECT * FROM vault",
    "SELECT /*+ hint */ * FROM vault",
    "--\nSELECT * FROM vault",
    "/* /* nested */ */ SELECT * FROM vault",
    "/* open",
    "SELECT * FROM notes WHERE body = 'x' OR '1'='1' --'",
    "SELECT * FROM notes WHERE body = 'x'' OR 1=1 --'",
    "SELECT * FROM notes WHERE body = E'\\' OR 1=1 --'",
    "SELECT * FROM notes WHERE body = E'\\x27 UNION SELECT * FROM vault --'",
    "SELECT U&'\\0073' FROM vault",
    'SELECT * FROM U&"\\0076ault"',
    "SELECT * FROM U&\"v!0061ult\" UESCAPE '!'",
    "SELECT $$ $$ FROM vault",
    "SELECT $a$ '; DROP TABLE vault; -- $a$",
    "SELECT $$' UNION SELECT body FROM vault --$$",
    "SELECT * FROM `vault`",
    "SELECT * FROM [vault]",
    'SELECT * FROM "vault"',
    'SELECT * FROM "VAULT"',
    "SELECT * FROM VAULT",
    'SELECT * FROM "vau""lt"',
    'SELECT * FROM notes AS "a"" JOIN vault AS ""b"',
    'SELECT id AS "x"", (SELECT body FROM vault) AS ""y" FROM notes',
    'SELECT count(*) AS "x"" FROM vault --" FROM notes',
    "SELECT count(*), 'a''b' FROM notes AS \"n\"\"; DROP TABLE vault; --\"",
    "SELECT count(*) FROM notes WHERE body = '\\' UNION SELECT count(*) FROM vault --'",
    "SELECT count(*) FROM notes WHERE body = '\\''",
    "SELECT count(*) FROM notes WHERE body = b'1' OR body = x'41'",
    "SELECT * FROM \uff56ault",
    "SELECT * FROM v\u200bault",
    "SELECT\u00a0*\u00a0FROM\u00a0vault",
    "SELECT * FROM vault\x00",
    "SELECT * FROM notes\x00 WHERE 1=1",
    "SELECT * FROM notes WHERE body = '\x00'",
    "SELECT count(*) FROM notes WHERE body = '\x00'",
    "SELECT '\ud800'",
    "SELECT count(*) FROM notes WHERE body = '\ud800'",
    "SELECT * FROM notes WHERE body = '\ud800'",
    'SELECT * FROM "\ud800"',
    "\ufeffSELECT * FROM vault",
    "",
    " ",
    ";",
    "--",
    "'",
    '"',
    "$$",
    "\x00",
    "\\",
    "SELECT",
    "SELECT * FROM",
    "SELECT * FROM notes WHERE",
    "{{ vault }}",
    "{% raw %}",
    "SELECT {fn now()}",
    "SELECT @@version",
    "SELECT @x := 1",
    "SELECT :name",
    "SELECT %s",
    "SELECT %(name)s",
    "SELECT #1",
    "\\copy notes to '{folder}/made'",
    "\\! touch {folder}/made",
    "!touch {folder}/made",
    ".read {folder}/marker.csv",
]

INSIDES = [  # catalogs, functions that read the world, the engine's names
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM information_schema.df_settings",
    "SELECT * FROM datafusion.information_schema.tables",
    'SELECT * FROM "information_schema"."tables"',
    "SELECT * FROM pg_catalog.pg_tables",
    "SELECT * FROM pg_class",
    "SELECT * FROM pg_shadow",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM duckdb_tables()",
    "SELECT * FROM system.memory",
    "SELECT * FROM system.jobs",
    "SELECT * FROM system.users",
    "SELECT * FROM system.tables",
    "SELECT * FROM system.live_queries",
    "SELECT * FROM system.nothing",
    'SELECT * FROM "system"."users" WHERE name = \'ada\'',
    'SELECT * FROM "System".users',
    "SELECT * FROM system.users u JOIN notes n ON true",
    "SELECT count(*) FROM system.memory",
    "SELECT * FROM live.rows",
    'SELECT * FROM "live.rows"',
    "SELECT * FROM public.notes",
    "SELECT * FROM datafusion.public.t0",
    "SELECT * FROM t00000000000000000000000000000000_0",
    'SELECT * FROM "t00000000000000000000000000000000_1"',
    "SELECT t00000000000000000000000000000000_0.body FROM notes",
    "SELECT version()",
    "SELECT current_user",
    "SELECT session_user",
    "SELECT current_database()",
    "SELECT current_setting('x')",
    "SELECT set_config('x', 'y', false)",
    "SELECT pg_sleep(100)",
    "SELECT sleep(100)",
    "SELECT getenv('HOME')",
    "SELECT arrow_typeof(body) FROM notes",
    "SELECT arrow_cast(body, 'Binary') FROM notes",
    "SELECT random()",
    "SELECT uuid()",
    "SELECT now()",
    'SELECT "now"()',
    'SELECT "lower"(body) FROM notes',
    "SELECT main.lower(body) FROM notes",
    "SELECT pg_catalog.pg_read_file('/etc/passwd')",
    "SELECT system('id')",
    "SELECT xp_cmdshell('id')",
    "SELECT eval('1')",
    "SELECT http_get('http://127.0.0.1')",
    "SELECT input_file_name()",
    "SELECT struct(body) FROM notes",
    "SELECT make_array(1)",
    "SELECT map {'a': 1}",
    "SELECT ARRAY[1, 2][1]",
    "SELECT body[1] FROM notes",
    "SELECT (notes).body FROM notes",
    "SELECT body::regclass FROM notes",
    "SELECT 'vault'::regclass",
    'SELECT body COLLATE "C" FROM notes',
    "SELECT body AT TIME ZONE 'x' FROM notes",
    "SELECT CAST(id AS DECIMAL(x)) FROM notes",
    "SELECT CAST(id AS DECIMAL(99, 99)) FROM notes",
    "SELECT CAST(id AS DECIMAL(-1)) FROM notes",
    "SELECT CAST(id AS nothing) FROM notes",
    "SELECT CAST(id AS BIGINT[]) FROM notes",
    "SELECT CAST(id AS STRUCT<a INT>) FROM notes",
    "SELECT nothing(id) FROM notes",
    "SELECT id FROM notes GROUP BY GROUPING SETS ((id), ())",
    "SELECT id FROM notes GROUP BY CUBE (id)",
    "SELECT id FROM notes GROUP BY ROLLUP (id)",
    "SELECT count(*) FILTER (WHERE (SELECT body FROM vault) = 's') FROM notes",
]

BOMBS = [  # more than a machine has
    "SELECT * FROM generate_series(1, 100000000000)",
    "SELECT * FROM range(1, 100000000000)",
    "SELECT generate_series(1, 100000000000)",
    "SELECT unnest(generate_series(1, 100000000000))",
    "SELECT repeat('x', 1000000000)",
    "SELECT lpad('x', 1000000000)",
    "SELECT rpad('x', 1000000000, 'y')",
    "SELECT space(1000000000)",
    "SELECT array_repeat('x', 1000000000)",
    "SELECT array_resize(array_agg(id), 1000000000) FROM notes",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r",
    "WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n FROM r) SELECT count(*) FROM r",
    "SELECT * FROM (WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n FROM r) SELECT * FROM r) x",
    "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
    "SELECT " + "(SELECT " * 500 + "1" + ")" * 500,
    "SELECT " + "NOT " * 5_000 + "true",
    "SELECT " + "- " * 5_000 + "1",
    "SELECT " + "1 + " * 5_000 + "1",
    "SELECT " + "'a' || " * 5_000 + "'a'",
    "SELECT " + "lower(" * 2_000 + "'a'" + ")" * 2_000,
    "SELECT " + "CASE WHEN true THEN " * 500 + "1" + " END" * 500,
    "SELECT 1" + " UNION ALL SELECT 1" * 2_000,
    "SELECT * FROM notes WHERE " + " OR ".join(["id = 1"] * 3_000),
    "SELECT * FROM notes WHERE " + " AND ".join(["id = 1"] * 3_000),
    "SELECT * FROM " + "(SELECT * FROM " * 300 + "notes" + ") x" * 300,
    "SELECT * FROM notes" + " JOIN notes USING (id)" * 500,
    "SELECT " + ", ".join(["id"] * 30_000) + " FROM notes",
    "SELECT '" + "x" * 300_000 + "'",
    "SELECT id FROM notes LIMIT " + "9" * 5_000,
    "SELECT id FROM notes WHERE id = " + "9" * 5_000,
    "SELECT id FROM notes WHERE id = 1e999999999",
    "SELECT count(*) FROM notes WHERE id = " + "9" * 5_000,
    "SELECT 1e400 FROM notes WHERE id = 1",
    "SELECT CAST('1e999999999' AS DECIMAL(38, 10))",
    "SELECT $99999999999",
    "SELECT $0",
    "SELECT $2",
    "SELECT $" + "9" * 5_000,
    "SELECT * FROM notes WHERE body LIKE '" + "%a" * 5_000 + "'",
    "SELECT * FROM notes WHERE body ~ '(((a*)*)*)*b'",
    "SELECT count(*) FROM notes WHERE body ~ 'a{1000}{1000}{1000}'",
    "SELECT regexp_replace(body, 'a{1000}{1000}{1000}', 'x') FROM notes",
    "SELECT chr(99999999999), id / 0 FROM notes",
    "SELECT abs(-9223372036854775808), gcd(-9223372036854775808, 0) FROM notes",
    "SELECT lag(id, 9223372036854775807) OVER (ORDER BY id), ntile(0) OVER (ORDER BY id) FROM notes",
    "SELECT date_bin(INTERVAL '0 s', current_timestamp, current_timestamp) FROM notes",
    "SELECT substr(body, -9223372036854775808), left(body, -9223372036854775808) FROM notes",
    "SELECT split_part(body, '', -9223372036854775808) FROM notes",
    "SELECT round(1.5, 2147483647), trunc(1.5, -2147483648), power(10, 400) FROM notes",
    "SELECT current_timestamp + INTERVAL '999999999 years' FROM notes",
    "SELECT make_date(99999999, 99, 99) FROM notes",
]

WRITES = [  # changes to what belongs to others
    "INSERT INTO vault VALUES (9, 'x')",
    "INSERT INTO main.vault SELECT * FROM notes",
    "INSERT INTO notes SELECT * FROM vault",
    "INSERT INTO notes SELECT id + 100, body FROM vault",
    "INSERT INTO notes (id, body) SELECT 200, (SELECT body FROM vault LIMIT 1)",
    "INSERT INTO notes WITH v AS (SELECT * FROM vault) SELECT id + 300, body FROM v",
    "WITH v AS (SELECT * FROM vault) INSERT INTO notes SELECT * FROM v",
    "INSERT INTO notes VALUES (400, (SELECT body FROM vault LIMIT 1))",
    "INSERT INTO notes VALUES (500, 'x') RETURNING (SELECT body FROM vault LIMIT 1)",
    "INSERT INTO notes VALUES (501, 'x') RETURNING *, body",
    "INSERT INTO notes VALUES (502, 'x') RETURNING vault.*",
    "INSERT INTO notes VALUES (503, 'x') RETURNING count(*)",
    "INSERT INTO notes VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET body = (SELECT body FROM vault)",
    "INSERT INTO notes VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET body = vault.body",
    "INSERT INTO notes VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET body = excluded.body WHERE EXISTS (SELECT 1 FROM vault)",
    "INSERT INTO notes VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET body = notes.body RETURNING *",
    "INSERT INTO notes VALUES (1, 'x') ON CONFLICT (body) DO NOTHING",
    "INSERT INTO notes VALUES (1, 'x') ON CONFLICT ON CONSTRAINT vault_pkey DO NOTHING",
    "INSERT INTO notes VALUES (2, 'taken') ON CONFLICT (id) DO UPDATE SET id = 3",
    "INSERT INTO notes VALUES (2, 'taken') ON CONFLICT DO NOTHING",
    "INSERT INTO notes (id, body, \"user\") VALUES (600, 'x', 'ada')",
    "INSERT INTO notes (id, id) VALUES (601, 602)",
    "INSERT INTO ada.notes VALUES (603, 'x')",
    "INSERT INTO notes AS vault VALUES (604, 'x')",
    "INSERT INTO notes DEFAULT VALUES",
    "INSERT INTO notes TABLE vault",
    "INSERT INTO notes VALUES (605, 'x'), (606, (TABLE vault))",
    "INSERT OR REPLACE INTO vault VALUES (1, 'x')",
    "REPLACE INTO vault VALUES (1, 'x')",
    "INSERT INTO system.users VALUES ('mallory', 'system')",
    "INSERT INTO events SELECT * FROM vault",
    "INSERT INTO events SELECT * FROM events",
    "UPDATE vault SET body = 'x'",
    "UPDATE main.vault SET body = 'x' WHERE id = 1",
    "UPDATE notes SET body = (SELECT body FROM vault LIMIT 1)",
    "UPDATE notes SET body = vault.body FROM vault",
    "UPDATE notes SET body = v.body FROM (SELECT * FROM vault) v RETURNING *",
    "UPDATE notes SET body = 'x' WHERE id IN (SELECT id FROM vault)",
    "UPDATE notes SET body = 'x' WHERE id = (SELECT max(id) FROM vault) RETURNING *",
    "UPDATE notes SET body = 'x' RETURNING (SELECT body FROM vault)",
    "UPDATE notes SET \"user\" = 'ada'",
    "UPDATE notes SET (id, body) = (SELECT id, body FROM vault)",
    "UPDATE notes, vault SET notes.body = vault.body",
    "UPDATE notes AS n SET body = 'x' WHERE vault.id = 1",
    "UPDATE ONLY vault SET body = 'x'",
    "UPDATE notes SET body = 'x' WHERE 1 = 1; DELETE FROM vault",
    "UPDATE notes SET body = body || body WHERE true",
    "UPDATE notes SET id = 1 WHERE true",
    "UPDATE notes SET body = nothing(body)",
    "UPDATE notes SET body = repeat('x', 1000000000)",
    "UPDATE system.users SET role = 'system' WHERE name = 'mallory'",
    "WITH v AS (SELECT * FROM vault) UPDATE notes SET body = (SELECT body FROM v)",
    "WITH d AS (DELETE FROM notes RETURNING *) SELECT * FROM d",
    "WITH d AS (INSERT INTO vault VALUES (1, 'x') RETURNING *) SELECT * FROM d",
    "SELECT * FROM (DELETE FROM vault RETURNING *) x",
    "DELETE FROM vault",
    "DELETE FROM main.vault WHERE true RETURNING *",
    "DELETE FROM notes USING vault WHERE notes.id = vault.id RETURNING vault.body",
    "DELETE FROM notes WHERE id IN (SELECT id FROM vault)",
    "DELETE FROM notes WHERE EXISTS (SELECT 1 FROM vault WHERE body LIKE 's%')",
    "DELETE FROM ada.notes",
    "DELETE FROM notes WHERE \"user\" = 'ada'",
    "DELETE notes FROM notes JOIN vault USING (id)",
    "DELETE FROM events WHERE true RETURNING *",
    "DELETE FROM system.users",
    "DELETE FROM notes RETURNING *",
    "DELETE FROM notes WHERE true OR true",
]

STATEMENTS = [*FILES, *SETTINGS, *ROLES, *OTHERS, *QUOTING, *INSIDES, *BOMBS, *WRITES]

VALUES = [  # of parameters
    "' OR 1=1 --",
    "x' UNION SELECT body FROM vault --",
    "$1",
    "?",
    "\x00",
    "\\",
    '"',
    "%",
    "'; DROP TABLE vault; --",
    "$$",
    "\ud800",
    10**400,
    float("nan"),
    float("inf"),
    b"\xff",
    range(1),
    [1],
    {"a": 1},
]

USERS = ["ada'--", "ada\x00", "ada ", " ada", "ADA", "ad\u0430", "a/../ada", "ada\nmallory", "", "system ", "System", "x" * 101, "\ud800", 7, b"ada", "main", "*", "%", "ada'; --", "ada\u200b"]  # fmt: skip

FOLLOWED = [
    "SELECT * FROM vault",
    "SELECT body FROM main.vault WHERE id > 0",
    'SELECT * FROM "vault"',
    "SELECT * FROM ada.notes",
    "SELECT * FROM notes, vault",
    "SELECT * FROM notes JOIN vault USING (id)",
    "SELECT * FROM notes UNION SELECT * FROM vault",
    "WITH v AS (SELECT * FROM vault) SELECT * FROM v",
    "WITH notes AS (SELECT * FROM vault) SELECT * FROM notes",
    "SELECT (SELECT body FROM vault) FROM notes",
    "SELECT * FROM notes WHERE body IN (SELECT body FROM vault)",
    "SELECT * FROM notes WHERE EXISTS (SELECT 1 FROM vault)",
    "SELECT * FROM notes WHERE \"user\" = 'ada'",
    "SELECT * FROM notes WHERE vault.body = 'x'",
    "SELECT vault.body FROM notes",
    "SELECT count(*) FROM notes",
    "SELECT DISTINCT body FROM notes",
    "SELECT * FROM notes LIMIT 1",
    "SELECT * FROM notes ORDER BY body",
    "SELECT * FROM notes; SELECT * FROM vault",
    "SELECT * FROM system.users",
    "SELECT * FROM system.live_queries",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM '/etc/passwd'",
    "EXECUTE AS USER 'ada' (SELECT * FROM notes)",
    "DELETE FROM notes",
    "DROP TABLE vault",
    "INSERT INTO notes VALUES (1, 'x') RETURNING *",
    "SHOW TABLES",
    "",
    "'",
    "SELECT * FROM notes WHERE " + "(" * 3_000 + "true" + ")" * 3_000,
    "SELECT * FROM notes WHERE 1 = 1 OR true",
    "SELECT * FROM notes AS vault",
    'SELECT body AS "x"" FROM vault --" FROM notes',
    "SELECT * FROM notes WHERE body LIKE '%'",
    "SELECT * FROM notes WHERE id = 1 -- OR vault",
    "SELECT * FROM events",
    "SELECT * FROM events WHERE id >= 0",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A directory with files that statements try to read."""
    made = tmp_path_factory.mktemp("hostile")
    (made / "marker.csv").write_text(f"a\n{_FILE}\n")
    (made / "marker.json").write_text(json.dumps({"a": _FILE}) + "\n")
    return made


@pytest.fixture(scope="module")
def db(folder):
    """A database with a table of each type, in which ada and the system have secrets, and mallory has rows of his own."""
    with Database(folder / "db", sync="off") as made:
        for name, options in (
            ("notes", "TYPE = 'USER'"),
            ("vault", "TYPE = 'SHARED', ACCESS_LEVEL = 'PRIVATE'"),
            ("events", "TYPE = 'STREAM', TTL_SECONDS = 100000"),
        ):
            made.sql(f"CREATE TABLE {name} (id BIGINT PRIMARY KEY, body TEXT) WITH ({options})")
        for user, table in (("ada", "notes"), ("ada", "events"), (None, "vault")):
            made.load(table, [{"id": number, "body": f"{SECRET} {number}"} for number in range(3)], user=user)
        with made.subscribe("SELECT * FROM notes WHERE body LIKE 's3cr3t-of-ada%'", user="ada"):
            yield made


@pytest.fixture
def mine(db):
    """The database, with rows of mallory as they should be."""
    for table in ("notes", "events"):
        db.sql(f"DELETE FROM {table}", user="mallory")
        db.load(table, [{"id": number, "body": f"mine {number}"} for number in range(4)], user="mallory")
    return db


def others(db):
    """What does not belong to mallory: rows of others, tables, users."""
    return [
        list(db.sql(text))
        for text in (
            "EXECUTE AS USER 'ada' (SELECT * FROM notes)",
            "EXECUTE AS USER 'ada' (SELECT * FROM events)",
            "SELECT * FROM vault",
            "SHOW TABLES",
            "SHOW NAMESPACES",
            "SHOW USERS",
        )
    ]


def attempt(db, folder, text, params=(), user="mallory"):
    """The rows, or the refusal, of a statement: neither may have a secret, and nothing of others may be changed."""
    before, files = others(db), sorted(os.listdir(folder))
    try:
        told = repr(list(db.sql(text, params, user=user)))
    except errors.FlatwaterError as error:
        told = str(error)
    assert SECRET not in told
    assert _FILE not in told
    assert "root:" not in told
    assert others(db) == before
    assert sorted(os.listdir(folder)) == files
    engine = db._executor.engine
    assert engine is None or engine.tables() == 0
    return told


def named(text):
    return ascii(text)[:60]


@pytest.mark.parametrize("text", STATEMENTS, ids=named)
def test_a_hostile_statement_gives_no_secret(mine, folder, text):
    """A statement is refused in words of the house or gives rows without secrets; rows of others, tables and users stay."""
    attempt(mine, folder, text.replace("{folder}", str(folder)))
    assert SECRET not in repr(list(mine.sql("SELECT * FROM notes", user="mallory")))


@pytest.mark.parametrize("value", VALUES, ids=named)
@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM notes WHERE body = ?",
        "SELECT count(*) FROM notes WHERE body = ? OR id = 1",
        "SELECT ? FROM notes",
        "SELECT * FROM notes LIMIT ?",
        "UPDATE notes SET body = ? WHERE id = 1 RETURNING *",
        "DELETE FROM notes WHERE body LIKE ?",
        "INSERT INTO notes VALUES (70, ?) RETURNING *",
        "INSERT INTO notes VALUES (?, 'x') RETURNING *",
    ],
)
def test_a_hostile_parameter_is_a_value(mine, folder, text, value):
    """SQL, wild cards, odd texts and wrong types as parameters are values that fit or are refused, never SQL."""
    attempt(mine, folder, text, [value])


@pytest.mark.parametrize("name", USERS, ids=named)
def test_a_hostile_user_is_nobody_else(mine, folder, name):
    """A name that looks like another one's, or like SQL, is refused or a user without rows; he is never ada or the system."""
    for text in ("SELECT * FROM notes", "SELECT * FROM events", "SELECT * FROM vault", "SELECT max(body) FROM notes"):
        told = attempt(mine, folder, text, user=name)
        assert "mine" not in told


def test_a_user_of_another_name_keeps_his_rows_apart(mine, folder):
    """Users whose names begin alike, or hold separators, see their own rows only."""
    names = ["a", "ad", "ada2", "a'b", 'a"b', "a,b", "a b", "mallory2", "\u00e4", "\U0001f600"]
    for name in names:
        mine.sql("INSERT INTO notes VALUES (1, ?)", [name], user=name)
    for name in names:
        assert list(mine.sql("SELECT body FROM notes", user=name)) == [{"body": name}]
        assert list(mine.sql("SELECT max(body) AS body, count(*) AS n FROM notes", user=name)) == [
            {"body": name, "n": 1}
        ]
        attempt(mine, folder, "SELECT * FROM notes", user=name)


@pytest.mark.parametrize("text", FOLLOWED, ids=named)
def test_a_hostile_subscription_gives_no_secret(mine, text):
    """A subscription is refused or gives rows of its user only, those that are there and those that come."""
    seen = []
    try:
        subscription = mine.subscribe(text, user="mallory")
    except errors.FlatwaterError as error:
        seen.append(str(error))
    else:
        with subscription:
            for table in ("notes", "events", "vault"):
                user = None if table == "vault" else "ada"
                mine.sql(f"UPDATE {table} SET body = ? WHERE id = 2", [f"{SECRET} 2"], user=user)
            mine.sql("INSERT INTO notes VALUES (80, 'mine 80')", user="mallory")
            mine.sql("INSERT INTO events VALUES (80, 'mine 80')", user="mallory")
            while (event := subscription.poll(0)) is not None:
                seen.append(repr(event))
        assert all("mine" in each or "body" not in each for each in seen)
        assert any("mine 80" in each for each in seen) or "id = 1" in text
    assert seen
    assert SECRET not in "".join(seen)


def test_what_is_private_is_denied_in_so_many_words(db):
    """A private table is AccessDenied on every way to its rows, and the refusal names the role that it takes."""
    for text in ("SELECT * FROM vault", "SELECT count(*) FROM vault", "DELETE FROM vault", "DESCRIBE vault"):
        with pytest.raises(AccessDenied, match="dba"):
            db.sql(text, user="mallory")
    with pytest.raises(AccessDenied, match="dba"):
        db.subscribe("SELECT * FROM vault", user="mallory")
    with pytest.raises(AccessDenied, match="may not act as 'ada'"):
        db.sql("EXECUTE AS USER 'ada' (SELECT * FROM notes)", user="mallory")


def test_live_queries_of_others_are_not_seen(db):
    """`system.live_queries` and SHOW USERS tell a user of himself only: queries of others have values of theirs."""
    assert [row["user"] for row in db.sql("SELECT * FROM system.live_queries")] == ["ada"]
    assert list(db.sql("SELECT * FROM system.live_queries", user="mallory")) == []
    assert SECRET not in repr(list(db.sql("SELECT * FROM system.tables", user="mallory")))
    assert [row["name"] for row in db.sql("SELECT * FROM system.tables", user="mallory")] == ["events", "notes"]


def test_a_parameter_of_a_wrong_type_spoils_no_later_statement(mine):
    """LIKE with a number is refused, and the same text finds its rows for the next one who asks."""
    text = "SELECT id FROM events WHERE body LIKE ?"
    for value in (7, b"x", 1.5):
        with pytest.raises(errors.UsageError, match="LIKE takes a text"):
            mine.sql(text, [value], user="mallory")
    assert list(mine.sql(text, ["mine 1%"], user="mallory")) == [{"id": 1}]
    assert list(mine.sql(text, [None], user="mallory")) == []
    assert list(mine.sql(text, ["mine 2%"], user="mallory")) == [{"id": 2}]


def test_a_query_without_end_is_ended_in_its_time(mine):
    """A join of billions of rows, which gives none for long, ends when the user's seconds are over, and leaves no table."""
    mine.sql("CREATE USER hasty WITH SECONDS 1")
    try:
        mine.load("notes", [{"id": number, "body": "x"} for number in range(2_000)], user="hasty")
        with pytest.raises(errors.LimitReached, match="more than 1 s"):
            list(
                mine.sql(
                    "SELECT count(*) FROM notes a, notes b, notes c WHERE a.id * b.id * c.id % 7 = 3", user="hasty"
                )
            )
        assert mine._executor.engine.tables() == 0
    finally:
        mine.sql("DROP USER hasty")


def test_the_list_is_long_and_each_is_there_once():
    """There are hundreds of statements, and none twice."""
    assert len(STATEMENTS) == len(set(STATEMENTS)) > 400
    assert len(FOLLOWED) == len(set(FOLLOWED)) > 36
