"""cli.sql_shell: the prompt, as it is typed at."""

from __future__ import annotations

import io

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from flatwater.cli.sql_history import History
from flatwater.cli.sql_session import Session
from flatwater.cli.sql_shell import Shell, is_ready
from flatwater.cli.sql_targets import Who, opened
from flatwater.cli.sql_work import Work


@pytest.fixture
def typed(notes, tmp_path, capsys):
    """What a shell says to what is typed: its lines on stdout, and stderr."""

    def run(*texts, end="\x04"):
        out = io.StringIO()
        target = opened(notes, Who())
        try:
            with create_pipe_input() as keys, Work() as work:
                keys.send_text("".join(f"{text}\r" for text in texts) + end)
                session = Session(target, work, out=out)
                shell = Shell(session, history=History(str(tmp_path / "history")), input=keys, output=DummyOutput())
                assert shell.run() == 0
        finally:
            target.close()
        return [line.rstrip() for line in out.getvalue().splitlines()[1:]], capsys.readouterr().err

    return run


def test_a_statement(typed):
    """Of one line, and of several, which end with a `;` that is one."""
    assert typed("SELECT 1 AS a;") == (["a", "─", "1", "(1 row)"], "")
    assert typed("SELECT", "';' AS a", ";")[0][2] == ";"
    assert typed("SELECT 1 AS a; SELECT 2 AS b;")[0] == ["a", "─", "1", "(1 row)", "b", "─", "2", "(1 row)"]


def test_it_goes_on_behind_an_error(typed):
    """Which is told with its hint, without what a terminal would obey."""
    lines, err = typed('SELECT * FROM "a\u202eb";', "SELECT 1 AS a;")
    assert lines[2] == "1"
    assert "a\\u202eb" in err
    assert "\u202e" not in err


def test_ctrl_c_drops_what_is_typed(typed):
    """And the shell goes on."""
    lines, err = typed("SELECT nonsense\x03SELECT 1 AS a;")
    assert (lines[2], err) == ("1", "")


def test_its_own_commands(typed):
    """Tables, columns, formats, timing, help and the end."""
    assert any("notes" in line for line in typed("\\d")[0])
    assert any(line.startswith("body") for line in typed("\\d notes")[0])
    assert typed("\\format json", "SELECT 1 AS a;")[0] == ['{"a":1}']
    assert typed("\\format csv", "SELECT 1 AS a;")[0] == ["a", "1"]
    assert typed("\\format vertical", "SELECT 1 AS a;")[0] == ["── 1 ──", "a │ 1", "(1 row)"]
    told = typed("\\timing", "SELECT 1 AS a;", "\\timing")[0]
    assert told[0] == "(timing is on)"
    assert told[-2].endswith(" ms)")
    assert told[-1] == "(timing is off)"
    assert any("\\live" in line for line in typed("\\?")[0])
    assert typed("\\q", end="")[0] == []


@pytest.mark.parametrize("text", ["\\nonsense", "\\format", "\\format xml", "\\live", "\\"])
def test_a_command_that_is_none(typed, text):
    """It is told, and that there is help."""
    lines, err = typed(text, "SELECT 1 AS a;")
    assert lines[2] == "1"
    assert "nothing that the shell knows" in err


def test_what_was_typed_comes_back(typed, tmp_path):
    """With the arrow keys, also in the next shell; a statement with a password does not."""
    typed("SELECT 7 AS seven;", "ALTER USER ada PASSWORD 'secret';")
    assert "secret" not in (tmp_path / "history").read_text()
    assert typed("\x1b[A")[0][2].strip() == "7"


def test_a_live_query_that_cannot_be(typed):
    """Its error is told, and the shell goes on."""
    lines, err = typed("\\live SELECT count(*) FROM notes", "SELECT 1 AS a;")
    assert lines[2] == "1"
    assert err.startswith("flatwater: ")


@pytest.mark.parametrize(
    ("text", "ready"),
    [("", True), (" \n", True), ("\\d", True), ("SELECT 1", False), ("SELECT 1;", True), ("SELECT ';", False)],
)
def test_when_enter_ends_it(text, ready):
    """Where a statement is whole, of the shell's own commands at once."""
    assert is_ready(text) is ready
