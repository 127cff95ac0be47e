"""The audit log: what is in it, what never is, how large it gets."""

import json
import os
import stat

import pytest

from flatwater import limits
from flatwater.live.serving.audit import Audit, masked


def lines(path):
    with open(os.path.join(path, "audit.log"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.fixture
def audit(tmp_path):
    made = Audit(str(tmp_path))
    yield made
    made.close()


def test_lines(audit, tmp_path):
    """An event is one line of JSON, with the time, in a file for its owner alone."""
    audit.write("log-in", "ada", "127.0.0.1")
    audit.write("refused", "eve\n{}\x1b[31m", "::1", why="no\nsuch\0user", what="\ud800")
    first, second = lines(tmp_path)
    assert first["at"].endswith("+00:00")
    assert (first["event"], first["user"], first["address"]) == ("log-in", "ada", "127.0.0.1")
    assert second["user"] == "eve\n{}\x1b[31m"
    assert second["why"] == "no\nsuch\0user"
    assert stat.S_IMODE(os.stat(tmp_path / "audit.log").st_mode) == 0o600


def test_why_is_whole(audit, tmp_path):
    """The message of a refused log-in has the word, and no password: it stays; a statement is cut behind the word."""
    audit.write("refused", "ada", "::1", what="log-in", why="the user or the password is wrong.")
    audit.write("statement", "ada", "::1", sql="ALTER USER ada PASSWORD 'secret'")
    first, second = lines(tmp_path)
    assert first["why"] == "the user or the password is wrong."
    assert "secret" not in second["sql"]


@pytest.mark.parametrize(
    "text",
    [
        "ALTER USER ada PASSWORD 'secret'",
        "alter user ada password'secret'",
        "CREATE USER ada WITH PaSsWoRd = \"secret\" ROLE 'dba'",
        "ALTER USER ada PASSWORD /* 'x' */ 'secret'",
        "ALTER USER ada PASSWORD -- 'x'\n 'secret'",
        "ALTER USER ada PASSWORD $$secret$$",
        "ALTER USER ada PASSWORD 'it''s secret'",
        "ALTER USER ada PASSWORD 'secret",
        "ALTER USER ada PASSWORD\n\n=\n'secret'",
        "EXECUTE AS USER 'bob' (ALTER USER bob PASSWORD 'secret')",
        "ALTER USER ada PASSWORD 'a' PASSWORD 'secret'",
    ],
)
def test_passwords_are_masked(text):
    """However it is written, nothing of it stays."""
    assert "secret" not in masked(text)
    assert masked(text).endswith("***")
    assert masked("SELECT * FROM notes") == "SELECT * FROM notes"


def test_it_does_not_grow(tmp_path, monkeypatch):
    """Old files go; a text is cut."""
    monkeypatch.setattr(limits, "SERVE_AUDIT_BYTES", 10_000)
    audit = Audit(str(tmp_path))
    for number in range(300):
        audit.write("statement", "ada", "::1", sql=f"{number} " + "x" * 100_000)
    audit.close()
    files = sorted(name for name in os.listdir(tmp_path) if name.startswith("audit.log"))
    assert len(files) == limits.SERVE_AUDIT_FILES
    assert sum(os.path.getsize(tmp_path / name) for name in files) < 45_000
    assert lines(tmp_path)[-1]["sql"].startswith("299 ")


def test_a_file_that_cannot_be_written(tmp_path, caplog):
    """Ends nothing, and is said once."""
    os.mkdir(tmp_path / "audit.log")
    audit = Audit(str(tmp_path))
    for _ in range(5):
        audit.write("log-in", "ada", "::1")
    audit.close()
    assert len([record for record in caplog.records if "audit" in record.message]) == 1


def test_what_is_written_down(database, server, ask):
    """Log-ins, refusals, definitions and changes of users are there; reading, rows, passwords and tokens are not."""
    token = ask.http.post("/v1/token", json={"one_time": server.one_time_token}).json()["token"]
    ask.http.post("/v1/token", json={"user": "eve", "password": "guess number one"})
    for text in (
        "CREATE TABLE more (id BIGINT PRIMARY KEY)",
        "CREATE USER ada WITH PASSWORD 'correct horse'",
        "INSERT INTO notes VALUES (1, 'private')",
    ):
        headers = {"authorization": f"Bearer {token}"}
        assert ask.http.post("/v1/sql", json={"sql": text}, headers=headers).status_code == 200
    ask.sql("SELECT * FROM notes")
    found = lines(database.path)
    assert [line["event"] for line in found] == ["log-in", "refused", "statement", "statement"]
    assert [line["user"] for line in found] == ["admin", "eve", "admin", "admin"]
    text = json.dumps(found)
    for secret in ("correct horse", "guess number one", "private", server.one_time_token, token):
        assert secret not in text
