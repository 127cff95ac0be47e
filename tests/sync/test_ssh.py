"""Connections of SSH: host keys, logins, cuts, ends."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncssh
import psutil
import pytest

from flatwater import limits
from flatwater.errors import ClosedError, MissingExtra
from flatwater.sync.entry import Attributes
from flatwater.sync.failures import (
    RemoteFailure,
    TemporaryFailure,
)  # fmt: skip
from flatwater.sync.remotes.sftp import Sftp
from flatwater.sync.ssh import Target, connect_failure, waited

sys.path.insert(0, str(Path(__file__).parents[1] / "servers"))
sys.path.insert(0, str(Path(__file__).parent / "remotes"))

import ssh_server
from contract import content, paths, written
from cutting import cutting
from keeper import free_port
from ssh_server import AsyncServer, Keys, made

remote, root, sshd = ssh_server.remote, ssh_server.root, ssh_server.sshd


def read_on(reading):
    """To the end."""
    while reading.read(100_000):
        continue


def outcome(work):
    """What it returns, or that it may be tried again; anything else is an error."""
    try:
        return work()
    except TemporaryFailure:
        return TemporaryFailure


def again(work):
    """What it returns in one of three tries: an answer that nobody waits for any more may be cut a little later."""
    return next(found for found in map(outcome, [work] * 3) if found is not TemporaryFailure)


@pytest.mark.parametrize("work", ["list", "read", "write", "small", "delete"])
def test_a_connection_that_is_cut(sshd, root, work, monkeypatch):
    """At whichever request: it is a temporary failure, the next call works, and what was there is whole."""
    data = os.urandom(100_000)
    works = {
        "list": lambda: paths(remote),
        "read": lambda: content(remote, b"x")[0],
        "write": lambda: written(remote, b"x", data),
        "small": lambda: written(remote, b"y", b"small"),
        "delete": lambda: remote.delete([b"gone"]),
    }
    connect = socket.create_connection

    def at_once(*args):
        made = connect(*args)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    monkeypatch.setattr(socket, "create_connection", at_once)
    with cutting(sshd.port) as proxy, made(sshd, root, proxy.port) as remote:
        proxy._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # its connections have it from there
        written(remote, b"x", data)
        begun = proxy.turns
        wanted = works[work]()
        turns = proxy.turns - begun
        assert turns
        for turn in range(1, turns + 1):
            for after in (-1, 0, 20):
                proxy.cut_after, proxy.cut_at = after, proxy.turns + turn
                assert outcome(works[work]) in (TemporaryFailure, wanted)
                proxy.cut_at = 0
                assert again(works[work]) is not None
                assert again(works["read"]) == data
        assert proxy.cuts
        assert not [name for name in os.listdir(root) if name.startswith(".flatwater")]


def test_a_server_that_takes_one_connection(sshd, root, monkeypatch):
    """Has all requests over that one, and is not asked for another each time."""
    connect, asked = asyncssh.connect, []

    async def limited(**arguments):
        asked.append(1)
        if len(asked) > 1:
            raise asyncssh.ConnectionLost("closed")
        return await connect(**arguments)

    monkeypatch.setattr(asyncssh, "connect", limited)
    with made(sshd, root) as remote:
        written(remote, b"a", b"text")
        with remote.read(b"a"):  # the connection has something to do: for the next request there would be another one
            written(remote, b"b", b"text")
            assert paths(remote) == [b"a", b"b"]
    assert len(asked) == 2


def test_a_server_that_is_killed(tmp_path, root):
    """In the middle of files: each is a temporary failure, and when it is there again, all goes on."""
    (tmp_path / "keys").mkdir()
    server = ssh_server.Sshd(tmp_path / "keys")
    try:
        with made(server, root) as remote:
            written(remote, b"x", b"x" * 3_000_000)
            reading, writing = remote.read(b"x"), remote.write(b"y", 3_000_000, Attributes())
            reading.read(10)
            writing.write(b"y" * 1_000_000)
            server.stop()
            with pytest.raises(TemporaryFailure):
                read_on(reading)
            with pytest.raises(TemporaryFailure):
                writing.write(b"y" * 100_000_000)
            reading.close()
            writing.abandon()
            with pytest.raises(TemporaryFailure):
                remote.find(b"x")
            server.start()
            assert written(remote, b"y", b"y" * 3_000_000).size == 3_000_000
            assert paths(remote) == [b"x", b"y"]
    finally:
        server.stop()


def test_many_threads_use_it_at_once(remote):
    """Over as many connections as there may be."""

    def work(number):
        data = os.urandom(number * 10_000)
        written(remote, b"d%d/%d" % (number % 3, number), data)
        assert content(remote, b"d%d/%d" % (number % 3, number))[0] == data
        return remote.delete([b"d%d/%d" % (number % 3, number)])

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(48))) == [[None]] * 48
    assert paths(remote) == []
    links = [slot.link for slot in remote.connections._running._slots]
    assert len(links) == limits.SYNC_SFTP_CONNECTIONS
    for link in links:  # answers come in order: those to closing files were before this one
        waited(link.running.submit(link.ask(link.client.stat(b"."))))
    assert all(not link._asked and not link.users for link in links)


def test_closing_leaves_nothing_open(sshd, root, open_files):
    """Neither a file nor a thread, in the middle of files, too."""
    before, threads = open_files(), threading.active_count()
    remote = made(sshd, root)
    written(remote, b"x", b"x" * 3_000_000)
    reading, writing = remote.read(b"x"), remote.write(b"y", 1_000_000, Attributes())
    reading.read(1)
    writing.write(b"y" * 500_000)
    remote.close()
    remote.close()
    assert not {thread.name for thread in threading.enumerate()} & {"flatwater-ssh"}
    assert threading.active_count() <= threads
    assert open_files() <= before
    with pytest.raises(TemporaryFailure):
        read_on(reading)
    reading.close()
    assert paths(remote) == [b"x"]
    remote.close()


def test_after_a_fork_it_is_refused(remote):
    """The connections are the parent's."""
    written(remote, b"x")
    child = os.fork()
    if not child:
        code = 1
        with contextlib.suppress(BaseException):
            try:
                remote.find(b"x")
            except ClosedError:
                remote.close()
                code = 0
        os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert remote.find(b"x") is not None


@pytest.fixture
def locked(tmp_path, root):
    """A server that asks for a password, which is secret."""
    (tmp_path / "keys").mkdir()
    server = AsyncServer(tmp_path / "keys", password="se:cr@et")
    yield server
    server.stop()


def everything(caught):
    """An error with all that it came from."""
    return "".join(traceback.format_exception(caught.value))


def test_an_unknown_host_key_is_refused(sshd, root, tmp_path):
    """Of none that is known, of another one, and though a configuration would switch the check off; it says what to do."""
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    other = Keys(stranger).known_hosts(sshd.port)
    loose = tmp_path / "loose"
    loose.write_text("Host *\n  UserKnownHostsFile none\n  StrictHostKeyChecking no\n")
    for known in (tmp_path / "none", other):
        with (
            made(sshd, root, known_hosts=str(known), config=str(loose)) as remote,
            pytest.raises(RemoteFailure, match=f"ssh-keyscan -p {sshd.port} 127.0.0.1"),
        ):
            paths(remote)


def test_a_wrong_key_is_refused(sshd, root, tmp_path):
    """Also one that is not there, or none."""
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    key = str(Keys(stranger).user_key)
    with made(sshd, root, identity_file=key) as remote, pytest.raises(RemoteFailure, match="the login was refused"):
        paths(remote)
    for path, content_ in (("none", None), ("broken", "x")):
        if content_:
            (tmp_path / path).write_text(content_)
        with made(sshd, root, identity_file=str(tmp_path / path)) as remote, pytest.raises(RemoteFailure):
            paths(remote)


def test_a_password_stands_nowhere(locked, root, caplog):
    """Neither in a message, nor in what the library logs, whether it is right or wrong."""
    caplog.set_level(logging.DEBUG)
    asyncssh.set_debug_level(2)
    options = {"known_hosts": str(locked.keys.known_hosts(locked.port)), "config": str(locked.keys.config)}
    options["identity_file"] = str(locked.keys.host_key)  # no key of the user's
    try:
        with Sftp.from_url(f"sftp://me:se%3Acr%40et@127.0.0.1:{locked.port}{root}", options) as remote:
            written(remote, b"x")
            assert paths(remote) == [b"x"]
            assert "et@" not in remote.url + repr(remote.connections.target)
        with (
            Sftp.from_url(f"sftp://me@127.0.0.1:{locked.port}{root}", {**options, "password": "wr:ong"}) as remote,
            pytest.raises(RemoteFailure, match="the login was refused") as caught,
        ):
            paths(remote)
    finally:
        asyncssh.set_debug_level(1)
    assert caplog.text
    for secret in ("cr@et", "cr%40et", "wr:ong"):
        assert secret not in caplog.text + everything(caught)


def test_nobody_listens(root, sshd):
    """It may be there again; said in words, without numbers of errors and names of calls."""
    with made(sshd, root, port=free_port()) as remote:
        with pytest.raises(TemporaryFailure) as caught:
            paths(remote)
        assert str(caught.value) == f"No connection to {remote.connections.target.name}: connection refused."


def test_a_server_that_says_nothing(sshd, root):
    """Is not waited for longer than the time limit."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with made(sshd, root, port=port, timeout_s="0.2") as remote, pytest.raises(TemporaryFailure):
            paths(remote)


def test_a_server_that_stops_answering(sshd, root):
    """In the middle, too: the connection is given up, and the next call has another one."""
    with made(sshd, root, timeout_s="0.5") as remote:
        written(remote, b"x")
        sessions = sshd.sessions()
        for session in sessions:
            session.suspend()
        try:
            with pytest.raises(TemporaryFailure, match=r"lost \(no answer in 0.5 s\)"):
                remote.find(b"x")
        finally:
            for session in sessions:
                with contextlib.suppress(psutil.NoSuchProcess):
                    session.resume()
    with made(sshd, root) as remote:
        assert remote.find(b"x") is not None


def test_a_host_of_the_configuration(sshd, root, tmp_path):
    """Has its address, port, user and key there."""
    config = tmp_path / "config"
    config.write_text(
        f"Host alias\n  HostName 127.0.0.1\n  Port {sshd.port}\n  User {sshd.user}\n"
        f"  IdentityFile {sshd.keys.user_key}\n  HostKeyAlias [127.0.0.1]:{sshd.port}\n"
    )
    known = tmp_path / "known"
    known.write_text(f"127.0.0.1 {sshd.keys.host_key.with_suffix('.pub').read_text()}")
    config.write_text(config.read_text().replace(f"[127.0.0.1]:{sshd.port}", "127.0.0.1"))
    with Sftp.from_url(f"sftp://alias{root}", {"config": str(config), "known_hosts": str(known)}) as remote:
        written(remote, b"x")
        assert paths(remote) == [b"x"]


def test_without_the_library(monkeypatch):
    """It says what to install."""
    monkeypatch.setitem(sys.modules, "asyncssh", None)
    with pytest.raises(MissingExtra, match="sync"):
        list(Sftp.from_url("sftp://h/x", {}).batches())


@pytest.mark.parametrize(
    ("code", "kind"), [(1, "RemoteFailure"), (2, "TemporaryFailure"), (3, "RemoteFailure"), (4, "TemporaryFailure")]
)
def test_a_session_that_is_not_opened(code, kind):
    """Is worth another try where the connection failed just then, or the server had no room for it."""
    failure = connect_failure(asyncssh.ChannelOpenError(code, "no"), Target("host"))
    assert type(failure).__name__ == kind
