"""cli.sql: `flatwater sql` in scripts, as they call it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from flatwater.cli import sql
from flatwater.cli.main import COMMANDS

WAIT_S = 60


@pytest.fixture
def typed(notes):
    """How the command ends: exit code, stdout, stderr."""

    def run(*words, target=notes, stdin=None, **environment):
        environment = {"FLATWATER_TOKEN": None, "FLATWATER_PASSWORD": None, "FLATWATER_ONE_TIME": None} | environment
        done = CliRunner(env=environment).invoke(sql.command, [target, *map(str, words)], input=stdin)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout, done.stderr

    return run


def test_help(typed):
    """It is among the commands; options, examples and exit codes are told, and no option takes a password or a token."""
    assert "sql" in COMMANDS
    code, out, _err = typed("--help")
    assert code == 0
    assert "flatwater sql data/" in out.split("Examples:")[1]
    assert "Exit code 0" in out
    assert "--password" not in out
    assert "--token " not in out


def test_statements_of_c(typed):
    """One after the other, of several -c and several in one."""
    code, out, err = typed("-c", "SELECT 1 AS a; SELECT 2 AS b;", "-c", "SELECT 3 AS c", "--format", "json")
    assert (code, err) == (0, "")
    assert [json.loads(line) for line in out.splitlines()] == [{"a": 1}, {"b": 2}, {"c": 3}]


def test_a_table_is_safe(typed):
    """What stands in the rows is not obeyed; NULL is seen."""
    code, out, _err = typed("-c", "SELECT * FROM notes")
    assert code == 0
    assert [line.rstrip() for line in out.splitlines()] == [
        "id │ body",
        "───┼───────────────────",
        " 1 │ a\\x1b[31mred\\u202e",
        " 2 │ NULL",
        "(2 rows)",
    ]


def test_in_the_name_of_a_user(typed):
    """Whose rows are hers."""
    assert typed("--user", "ada", "-c", "SELECT body FROM notes", "--format", "csv") == (0, "body\nhers\n", "")
    code, out, err = typed("--user", "ada", "-c", "DROP TABLE notes")
    assert (code, out) == (4, "")
    assert "may not" in err


def test_parameters(typed):
    """JSON values, or texts; each statement takes as many as it has marks."""
    words = ["-c", "SELECT ? AS a, ? AS b", "-c", "SELECT ? AS c, ? AS d, ? AS e", "--format", "json"]
    code, out, err = typed(*words, "-p", "5", "-p", "five", "-p", '"5"', "-p", "null", "-p", "NaN")
    assert (code, err) == (0, "")
    assert [json.loads(line) for line in out.splitlines()] == [
        {"a": 5, "b": "five"},
        {"c": "5", "d": None, "e": "NaN"},
    ]


def test_parameters_that_do_not_fit(typed):
    """Too many, and too few, are wrong use."""
    code, _out, err = typed("-c", "SELECT ? AS a", "-p", "1", "-p", "2")
    assert code == 2
    assert "1 of 2 values" in err
    assert typed("-c", "SELECT ? AS a")[0] == 2


def test_standard_input(typed):
    """Statements of a pipe, with quotes and comments, in UTF-8 with or without a mark."""
    stdin = "\ufeff-- a ; comment\nSELECT 'a;\N{GRINNING FACE}' AS a;\nSELECT 2 AS b".encode()
    code, out, _err = typed("--format", "csv", stdin=stdin)
    assert (code, out) == (0, "a\na;\N{GRINNING FACE}\nb\n2\n")


def test_a_file(typed, tmp_path):
    """The same from -f; what cannot be read, or is no text, is wrong use."""
    path = tmp_path / "some.sql"
    path.write_text("SELECT 1 AS a;")
    assert typed("-f", path, "--format", "csv") == (0, "a\n1\n", "")
    assert typed("-f", "-", "--format", "csv", stdin="SELECT 1 AS a")[1] == "a\n1\n"
    path.write_bytes(b"SELECT 1 AS a; SELECT '\xff'")
    code, _out, err = typed("-f", path)
    assert code == 2
    assert "is no text" in err
    assert typed("-f", tmp_path / "none.sql")[0] == 2
    assert typed("-f", path, "-c", "SELECT 1")[0] == 2


@pytest.mark.parametrize("text", ["\\d", "\\d notes\nSELECT 1;", "\n  \\timing;", "\\"])
def test_commands_of_the_terminal(typed, text):
    """Where there is none, they are refused, and it is told what does the same."""
    for words, stdin in (((), text), (("-c", text), None)):
        code, out, err = typed(*words, stdin=stdin)
        assert (code, out) == (2, "")
        assert f"{text.split()[0].rstrip(';')}" in err
        assert "is of the shell at a terminal" in err
        assert "SHOW TABLES" in err


def test_a_directory_that_is_empty(typed, tmp_path):
    """A script may begin with one; where there is none, it is told how to make it."""
    script = tmp_path / "schema.sql"
    script.write_text("CREATE TABLE notes (id BIGINT PRIMARY KEY); INSERT INTO notes VALUES (1);")
    code, _out, err = typed("-f", script, target=str(tmp_path / "new"))
    assert code == 2
    assert "mkdir" in err
    (tmp_path / "new").mkdir()
    assert typed("-f", script, target=str(tmp_path / "new"))[0] == 0
    assert typed("-c", "SELECT * FROM notes", "--format", "csv", target=str(tmp_path / "new"))[1] == "id\n1\n"


def test_it_stops_at_an_error(typed):
    """What stands behind is not done, and the exit code says whose fault it is."""
    code, out, err = typed("-c", "SELECT 1 AS a; SELEC; SELECT 2 AS b", "--format", "csv")
    assert (code, out) == (2, "a\n1\n")
    assert err.startswith("flatwater: 'SELEC'")
    assert "  It knows SELECT" in err


def test_it_keeps_going_if_told_so(typed):
    """Each error is told, and the exit code is that of the first one."""
    stdin = "SELECT 1 AS a; INSERT INTO notes VALUES (1, 'again'); SELEC; SELECT 2 AS b"
    code, out, err = typed("--keep-going", "--format", "csv", stdin=stdin)
    assert (code, out) == (4, "a\n1\nb\n2\n")
    assert err.count("flatwater: ") == 2


@pytest.mark.parametrize(
    ("target", "words", "said"),
    [
        ("nowhere", (), "there is no directory"),
        ("ftp://127.0.0.1", (), "no address"),
        ("http://ada:secret@127.0.0.1:1", (), "does not belong into an address"),
        ("http://127.0.0.1:1/#token=secret", (), "does not belong into an address"),
        ("http://127.0.0.1:1", (), "who asks"),
        ("http://127.0.0.1:1", ("--user", "ada"), "no terminal to ask"),
        ("http://127.0.0.1:1", ("--user", "ada", "--one-time"), "three ways"),
    ],
)
def test_wrong_use(typed, target, words, said):
    """It is told, with exit code 2 and without the secret."""
    code, out, err = typed(*words, "-c", "SELECT 1", target=target)
    assert (code, out) == (2, "")
    assert said in err
    assert "secret" not in err


def test_a_directory_takes_no_token(typed, tmp_path):
    """Who can read it needs none: asking for one would mean something else than is meant."""
    assert typed("--one-time", "-c", "SELECT 1")[0] == 2
    assert typed("--token-file", tmp_path / "t", "-c", "SELECT 1")[0] == 2


def test_a_server_by_its_address(typed, served):
    """Statements with a token of the environment, or of a file."""
    token = served.token("ada")
    assert typed("-c", "INSERT INTO notes VALUES (9007199254740993, 'x\x1b')", target=served.url, FLATWATER_TOKEN=token) == (
        0, "(1 row changed)\n", "",
    )  # fmt: skip
    code, out, err = typed("-c", "SELECT * FROM notes", target=served.url, FLATWATER_TOKEN=token)
    assert (code, err) == (0, "")
    assert "9007199254740993 │ x\\x1b" in out


def test_a_server_that_refuses(typed, served):
    """Its message and hint are told; a token that is none is no success, and is not shown."""
    code, _out, err = typed("-c", "DROP TABLE notes", target=served.url, FLATWATER_TOKEN=served.token("ada"))
    assert code == 4
    assert "may not" in err
    code, _out, err = typed("-c", "SELECT 1", target=served.url, FLATWATER_TOKEN="abc.def.ghi")
    assert code == 4
    assert "abc.def" not in err


def follower(target, *words, **environment):
    command = [sys.executable, "-m", "flatwater", "sql", target, "--live", *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environment
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_live_query_is_lines(served, number, code):
    """Rows, then changes as they come, until Ctrl-C; statements in front of it are done."""
    words = ["-c", "INSERT INTO notes VALUES (1, 'a\x1b')", "-c", "SELECT * FROM notes WHERE id < ?", "-p", "10"]
    with follower(served.url, *words, FLATWATER_TOKEN=served.token("ada")) as started:
        try:
            lines = [json.loads(started.stdout.readline())]
            served.database.sql("UPDATE notes SET body = 'b' WHERE id = 1", user="ada")
            served.database.sql("INSERT INTO notes VALUES (10, 'no')", user="ada")
            served.database.sql("DELETE FROM notes", user="ada")
            lines += [json.loads(started.stdout.readline()) for _ in range(2)]
            started.send_signal(number)
            out, _err = started.communicate(timeout=WAIT_S)
        finally:
            started.kill()
    assert (started.returncode, out) == (code, "")
    assert [(line["op"], line["row"], line.get("old")) for line in lines] == [
        ("snapshot", {"id": 1, "body": "a\x1b"}, None),
        ("update", {"id": 1, "body": "b"}, {"id": 1, "body": "a\x1b"}),
        ("delete", {"id": 1, "body": "b"}, None),
    ]


def test_nobody_reads(notes):
    """A pipe that is closed ends it quietly, as other tools end."""
    text = "SELECT a.id FROM notes a, notes b;" * 2_000
    command = [sys.executable, "-m", "flatwater", "sql", notes, "-c", text]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        started.stdout.readline()
        started.stdout.close()
        _out, err = started.communicate(timeout=WAIT_S)
    assert (started.returncode, err) == (141, b"")


class Terminal:
    """A terminal with `flatwater sql` at it."""

    def __init__(self, *words, **environment):
        self.pid, self.file = pytest.importorskip("pty").fork()
        if self.pid == 0:
            import termios

            termios.tcsetwinsize(0, (30, 100))
            os.environ.update({"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"} | environment)
            os.execv(sys.executable, [sys.executable, "-m", "flatwater", "sql", *words])
        self.seen, self.at = b"", 0

    def until(self, text):
        """Wait for a text, behind the one that was waited for before."""
        until = time.monotonic() + WAIT_S
        while text.encode() not in self.seen[self.at :]:
            ready, _, _ = select.select([self.file], [], [], max(0.0, until - time.monotonic()))
            assert ready, self.seen[self.at :]
            try:
                piece = os.read(self.file, 4096)
            except OSError:
                piece = b""
            assert piece, self.seen[self.at :]
            self.seen += piece
        self.at = self.seen.index(text.encode(), self.at) + len(text.encode())

    def type(self, text):
        os.write(self.file, text.encode())

    def end(self):
        """The exit code, and all that was seen."""
        with contextlib.suppress(OSError):
            while piece := os.read(self.file, 4096):
                self.seen += piece
        os.close(self.file)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_a_session_at_a_terminal(notes, tmp_path):
    """Statements, an error, a live query and its Ctrl-C, and the end by Ctrl-D; nothing of the rows is obeyed."""
    terminal = Terminal(notes, XDG_STATE_HOME=str(tmp_path))
    terminal.until("flatwater>")
    terminal.type("SELECT *\rFROM notes;\r")
    terminal.until("(2 rows)")
    terminal.until("flatwater>")
    terminal.type("SELEC;\r")
    terminal.until("flatwater: 'SELEC'")
    terminal.until("flatwater>")
    terminal.type("\\live SELECT * FROM notes\r")
    terminal.until("(0 changes; Ctrl-C ends it)")
    terminal.type("\x03")
    terminal.until("flatwater>")
    terminal.type("SELECT 'still ' || 'there' AS a;\r")
    terminal.until("still there")
    terminal.until("flatwater>")
    terminal.type("\x04")
    assert terminal.end() == 0
    assert b"a\\x1b[31mred\\u202e" in terminal.seen
    assert b"a\x1b[31mred" not in terminal.seen
    assert "\u202e".encode() not in terminal.seen
    assert b"Traceback" not in terminal.seen
    kept = (tmp_path / "flatwater" / "sql_history").read_text()
    assert json.loads(kept.splitlines()[0]) == "SELECT *\nFROM notes;"


def test_rows_change_in_place(served, tmp_path):
    """A live query of a server at a terminal: what is new, changed and gone is marked where it stands, also without colours."""
    words = {"FLATWATER_TOKEN": served.token("ada"), "XDG_STATE_HOME": str(tmp_path), "NO_COLOR": "1"}
    served.database.sql("INSERT INTO notes VALUES (1, 'first')", user="ada")
    terminal = Terminal(served.url, **words)
    terminal.until("flatwater>")
    terminal.type("\\live SELECT * FROM notes\r")
    terminal.until("first")
    served.database.sql("INSERT INTO notes VALUES (2, 'second')", user="ada")
    terminal.until("\x1b[1A")
    terminal.until("+ │ 2  │ second")
    served.database.sql("UPDATE notes SET body = 'other' WHERE id = 1", user="ada")
    terminal.until("~ │ 1  │ other")
    served.database.sql("DELETE FROM notes WHERE id = 1", user="ada")
    terminal.until("- ")
    terminal.until("other")
    terminal.type("\x03")
    terminal.until("flatwater>")
    terminal.type("\x04")
    assert terminal.end() == 0
    assert b"\x1b[32m" not in terminal.seen
    assert b"Traceback" not in terminal.seen


def test_a_password_is_not_seen(served, tmp_path):
    """It is asked for without echo; one that is wrong ends the shell before it begins."""
    terminal = Terminal(served.url, "--user", "ada", XDG_STATE_HOME=str(tmp_path))
    terminal.until("Password: ")
    terminal.type("tell nobody\r")
    terminal.until("flatwater: ")
    assert terminal.end() in {2, 4}
    assert b"tell nobody" not in terminal.seen


def test_sigterm_ends_the_shell(notes, tmp_path):
    """Also while it waits at its prompt; the exit code says so."""
    terminal = Terminal(notes, XDG_STATE_HOME=str(tmp_path))
    terminal.until("flatwater>")
    os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.end() == 143
    assert b"Traceback" not in terminal.seen
