"""cli.sql_targets: who asks, and how he proves it; the same calls for a directory and for a server."""

from __future__ import annotations

import contextlib
import getpass
import socket
import ssl
import sys
import threading

import httpx
import pytest

from flatwater import errors, limits
from flatwater.cli import sql_targets
from flatwater.cli.sql_targets import Who, credentials, opened

BOTH = {"FLATWATER_TOKEN": "of the environment", "FLATWATER_PASSWORD": "secret", "FLATWATER_ONE_TIME": "once"}


@pytest.fixture
def terminal(monkeypatch):
    """A terminal at which something is typed when it is asked for."""

    def answers(text):
        def typed(prompt):
            if isinstance(text, Exception):
                raise text
            return f"{prompt}{text}"

        monkeypatch.setattr(getpass, "getpass", typed)
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)

    return answers


@pytest.fixture
def endless():
    """The address of a server whose first answer has no end, until nobody takes it."""

    def answer():
        with listening.accept()[0] as one, contextlib.suppress(OSError):
            one.settimeout(20)
            one.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
            while True:
                one.sendall(b" " * 65_536)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(30)
    assert not thread.is_alive()


def test_what_is_said_counts_before_the_environment(tmp_path):
    """--user takes a password, --one-time its token, and a token of the environment is for who says nothing."""
    path = tmp_path / "token"
    path.write_text("of the file\n")
    assert credentials(Who(), BOTH) == {"token": "of the environment"}
    assert credentials(Who(user="ada"), BOTH) == {"user": "ada", "password": "secret"}
    assert credentials(Who(one_time=True), BOTH) == {"one_time": "once"}
    assert credentials(Who(token_file=str(path)), BOTH) == {"token": "of the file"}


def test_what_is_not_there_is_asked_for(terminal):
    """Without echo, at a terminal."""
    terminal("typed")
    assert credentials(Who(user="ada"), {}) == {"user": "ada", "password": "Password: typed"}
    assert credentials(Who(one_time=True), {})["one_time"].endswith("typed")


@pytest.mark.parametrize("error", [EOFError(), getpass.GetPassWarning("it would be seen")])
def test_a_terminal_that_gives_nothing(terminal, error):
    """Its end, or one that shows what is typed, is an error with another way."""
    terminal(error)
    with pytest.raises(errors.UsageError, match="FLATWATER_PASSWORD"):
        credentials(Who(user="ada"), {})


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe", None])
def test_a_file_without_a_token(tmp_path, content):
    """It is told which, and not what stands in it."""
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(errors.UsageError, match="token"):
        credentials(Who(token_file=str(path)), BOTH)


def test_a_file_of_any_size(tmp_path):
    """Of a file that is none of ours only the beginning is read."""
    path = tmp_path / "token"
    path.write_text("x" * 10 * limits.SHELL_TOKEN_BYTES)
    assert len(credentials(Who(token_file=str(path)), {})["token"]) == limits.SHELL_TOKEN_BYTES


def test_a_token_for_one_log_in(served, monkeypatch):
    """It becomes a token of admin; the second time it is refused."""
    monkeypatch.setenv("FLATWATER_ONE_TIME", served.one_time_token)
    target = opened(served.url, Who(one_time=True))
    try:
        with target.sql("SHOW USERS") as result:
            assert "admin" in [row["name"] for row in result]
    finally:
        target.close()
    with pytest.raises(errors.FlatwaterError):
        opened(served.url, Who(one_time=True))


def test_the_same_calls(served, notes, monkeypatch):
    """Rows and live queries of a server and of a directory."""
    monkeypatch.setenv("FLATWATER_TOKEN", served.token("ada"))
    for target in (opened(served.url, Who()), opened(notes, Who(user="ada"))):
        try:
            target.sql("INSERT INTO notes VALUES (?, ?)", [9, "x"]).close()
            result = target.sql("SELECT * FROM notes WHERE id = ?", [9])
            assert list(result) == [{"id": 9, "body": "x"}]
            assert tuple(result.columns) == ("id", "body")
            result.close()
            following = target.subscribe("SELECT body FROM notes WHERE id = ?", [9], last_rows=1)
            event = following.poll(30.0)
            assert (event.op, event.row) == ("snapshot", {"body": "x"})
            following.close()
        finally:
            target.close()


def test_a_server_that_is_not_there(monkeypatch):
    """One log-in with nobody who listens is an error of the world, and says no secret."""
    monkeypatch.setenv("FLATWATER_ONE_TIME", "tell-nobody")
    with pytest.raises(errors.BrokenError) as told:
        opened("http://127.0.0.1:9", Who(one_time=True))
    assert "tell-nobody" not in str(told.value)


def test_an_answer_without_end(endless, monkeypatch):
    """Of a server that is none of ours only the beginning is read."""
    monkeypatch.setenv("FLATWATER_ONE_TIME", "tell-nobody")
    with pytest.raises(errors.BrokenError, match="no token"):
        opened(endless, Who(one_time=True))


@pytest.mark.parametrize(
    ("url", "is_told"),
    [("http://127.0.0.1:1", False), ("http://localhost:1", False), ("http://[::1]:1", False), ("https://example.org", False), ("http://example.org", True)],
)  # fmt: skip
def test_a_way_that_others_can_read(url, is_told, capsys, monkeypatch):
    """It is said, but for this machine."""
    monkeypatch.setenv("FLATWATER_TOKEN", "some")
    sql_targets.opened(url, Who()).close()
    assert ("not encrypted" in capsys.readouterr().err) is is_told


@pytest.mark.parametrize(("target", "told"), [("here", "directory"), ("http://127.0.0.1:1", "TLS")])
def test_a_certificate_where_there_is_none(tmp_path, target, told):
    """A file of authorities goes with https alone."""
    (tmp_path / "here").mkdir()
    target = str(tmp_path / target) if target == "here" else target
    with pytest.raises(errors.UsageError, match=told) as raised:
        opened(target, Who(user="ada", ca_file="a.pem"))
    assert "--ca-file" in raised.value.hint


def test_a_certificate_that_is_none(monkeypatch):
    """It is said before a password is asked for."""
    monkeypatch.setattr(sql_targets, "_asked", lambda *_: pytest.fail("asked"))
    with pytest.raises(errors.UsageError, match="cannot be used"):
        opened("https://127.0.0.1:1", Who(user="ada", ca_file="nowhere.pem"))


def test_an_address_in_large_letters(monkeypatch):
    """The certificate is looked at where a token for one log-in is exchanged, however the address is written."""
    seen = []

    def client(**options):
        seen.append(options["verify"])
        raise httpx.ConnectError("nobody")

    monkeypatch.setattr(httpx, "Client", client)
    monkeypatch.setenv("FLATWATER_ONE_TIME", "x")
    with pytest.raises(errors.BrokenError):
        opened("HTTPS://127.0.0.1:1", Who(one_time=True))
    assert [context.verify_mode for context in seen] == [ssl.CERT_REQUIRED]
