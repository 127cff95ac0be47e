"""The servers that tests use: real, shared, and gone with those who use them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from database_servers import KEEPER, _meeting, running


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_databases_are_apart(kind, request):
    """A table of one fresh database is not in the next one."""
    server = request.getfixturevalue(kind)
    with server.database() as one, server.database() as other:
        one.execute("CREATE TABLE things (id int)", "INSERT INTO things VALUES (1)")
        with pytest.raises(Exception, match="things"):
            other.execute("SELECT * FROM things")


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_it_is_not_open_to_others(kind, request):
    """The server is on the loopback interface, asks for a password, and does not run as root."""
    server = request.getfixturevalue(kind)
    assert server.host == "127.0.0.1"
    with pytest.raises(Exception, match="password"):
        replace(server, password="wrong").connect()
    if os.path.exists(f"/proc/{server.server_pid}"):
        assert os.stat(f"/proc/{server.server_pid}").st_uid != 0


def test_those_who_meet_share_a_server(mariadb, tmp_path_factory):
    """A second user of the same run gets the same server."""
    with running("mariadb", _meeting(tmp_path_factory)) as again:
        assert again.server_pid == mariadb.server_pid


USER = """
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from database_servers import running

with running("postgres", Path(sys.argv[2])) as server:
    print(server.port, flush=True)
    sys.stdin.read()
"""


def test_it_goes_with_its_last_user(tmp_path):
    """A user that is killed takes the server with it, folder and all."""
    command = [sys.executable, "-c", USER, str(KEEPER.parent), str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as user:
        try:
            port = int(user.stdout.readline())
            folder = Path((tmp_path / "postgres.socket").read_text()).parent
            socket.create_connection(("127.0.0.1", port)).close()
        finally:
            user.kill()
    deadline = time.monotonic() + 30
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()


def test_what_is_not_there_is_said_loudly(tmp_path, monkeypatch):
    """Without the server the test skips, and says what to install."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("os.access", lambda *_, **__: False)
    for kind, package in (("postgres", "postgresql"), ("mariadb", "mariadb-server")):
        with pytest.raises(pytest.skip.Exception, match=f"install {package}"), running(kind, tmp_path):
            pass
