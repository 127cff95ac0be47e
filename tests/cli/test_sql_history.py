"""cli.sql_history: what was typed is there the next time, for the user alone, in a file of bounded size."""

from __future__ import annotations

import json
import os
import stat

import pytest

from flatwater import limits
from flatwater.cli.sql_history import History


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "flatwater" / "sql_history"


def loaded():
    """Newest first, as a new shell has them."""
    return list(History().load_history_strings())


def test_it_is_there_the_next_time(state):
    """Statements of several lines, too; newest first."""
    assert loaded() == []
    history = History()
    history.append_string("SELECT 1;\n")
    history.append_string("SELECT\n'é\x1b' ;")
    assert loaded() == ["SELECT\n'é\x1b' ;", "SELECT 1;"]
    assert history.get_strings() == ["SELECT 1;", "SELECT\n'é\x1b' ;"]


def test_nobody_else_reads_it(state):
    """The file is 0600 in a folder of 0700, also where it was others' to read before."""
    before = os.umask(0)
    try:
        History().append_string("SELECT 1;")
        assert stat.S_IMODE(state.stat().st_mode) == 0o600
        assert stat.S_IMODE(state.parent.stat().st_mode) == 0o700
        state.chmod(0o644)
        History().append_string("SELECT 2;")
        assert stat.S_IMODE(state.stat().st_mode) == 0o600
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    "text",
    ["ALTER USER ada PASSWORD 'secret'", "create user ada with password 'secret';", "ALTER USER a PassWord\n's';"],
)
def test_passwords_are_not_kept(state, text):
    """Neither in the file nor for the arrow keys."""
    history = History()
    history.append_string(text)
    assert history.get_strings() == []
    assert not state.exists()


def test_its_size_is_bounded(state, monkeypatch):
    """The newer half stays, from a whole line on."""
    monkeypatch.setattr(limits, "SHELL_HISTORY_BYTES", 1_000)
    history = History()
    for number in range(200):
        history.append_string(f"SELECT {number};")
        assert state.stat().st_size <= 1_000
    assert loaded()[0] == "SELECT 199;"
    assert len(loaded()) > 20
    assert [int(text[7:-1]) for text in loaded()] == list(range(199, 199 - len(loaded()), -1))
    assert os.listdir(state.parent) == ["sql_history"]
    assert stat.S_IMODE(state.stat().st_mode) == 0o600


def test_a_long_statement_is_not_kept(state):
    """It would leave no room for others; the arrow keys have it until the end."""
    history = History()
    history.append_string("x" * limits.SHELL_HISTORY_ENTRY_BYTES)
    assert len(history.get_strings()) == 1
    assert loaded() == []


def test_lines_of_others_are_passed_over(state):
    """Half a line, no JSON, JSON of other kinds."""
    History().append_string("SELECT 1;")
    with open(state, "ab") as file:
        file.write(b'{"a": 1}\n\xff\n' + b"[" * 5_000 + b"\n5\n" + json.dumps("SELECT 2;").encode() + b'\n"half')
    assert loaded() == ["SELECT 2;", "SELECT 1;"]


def test_a_link_is_not_followed(state, tmp_path, capsys):
    """What it leads to stays as it is, and it is said once that nothing is kept."""
    target = tmp_path / "target"
    target.write_text("")
    state.parent.mkdir()
    state.symlink_to(target)
    history = History()
    history.append_string("SELECT 1;")
    history.append_string("SELECT 2;")
    assert target.read_text() == ""
    assert capsys.readouterr().err.count("what is typed is not kept") == 1


def test_without_a_place_it_is_in_the_home(tmp_path, monkeypatch):
    """A path of XDG_STATE_HOME that is relative counts as none."""
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert History().path == str(tmp_path / ".local" / "state" / "flatwater" / "sql_history")
