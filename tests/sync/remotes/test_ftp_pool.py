"""Connections that wait for the next worker."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from contract import content, paths, written

from flatwater import limits
from flatwater.sync.entry import Attributes
from flatwater.sync.failures import TemporaryFailure
from flatwater.sync.remotes.ftp import Ftp


def ftp(server):
    return Ftp.from_url(server.url(), {"timeout_s": "5"})


def test_connections_are_used_again(ftp_server):
    """One login for many files."""
    server = ftp_server()
    with ftp(server) as remote:
        for number in range(10):
            written(remote, b"%d" % number)
        with pytest.raises(Exception, match="not there"):
            remote.read(b"none")
        assert server.rules.count("USER") == 1


def test_dead_idle_ones_are_replaced(ftp_server):
    """The server closes three, or says 421; the next commands do not notice."""
    server = ftp_server()
    with ftp(server) as remote:
        for said in ("cut", "421 Idle for too long."):
            barrier = threading.Barrier(3)

            def one(number, barrier=barrier):
                with remote.read(b"file") as reading:
                    barrier.wait()
                    while reading.read(100):
                        pass

            written(remote, b"file")
            with ThreadPoolExecutor(3) as pool:
                list(pool.map(one, range(3)))
            server.rules.answers["MLST"] = [said] * 3
            assert remote.find(b"file").size == 4
            server.rules.answers["MLSD"] = [said]
            assert paths(remote) == [b"file"]
            server.rules.answers["STOR"] = [said]
            written(remote, b"file", b"text")
        server.rules.answers["STOR"] = ["", "cut"]
        written(remote, b"file", b"text")
        server.rules.answers["MFMT"] = ["cut"]
        with pytest.raises(TemporaryFailure):  # it had answered before: that is no idle one
            written(remote, b"file", b"news")
        assert content(remote, b"file")[0] == b"text"


def test_old_idle_ones_are_asked(ftp_server, monkeypatch):
    """By NOOP, before anything is begun with them."""
    monkeypatch.setattr(limits, "SYNC_FTP_IDLE_S", 0.0)
    server = ftp_server()
    with ftp(server) as remote:
        written(remote, b"file")
        server.rules.answers["NOOP"] = ["", "cut"]
        assert remote.find(b"file")
        assert server.rules.count("USER") == 1
        assert remote.find(b"file")
        assert server.rules.count("USER") == 2


def test_what_the_server_grants_is_shared(ftp_server):
    """Eight workers, and a server that allows three connections: all files arrive."""
    server = ftp_server(max_cons_per_ip=3)
    with ftp(server) as remote:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: written(remote, b"d/%d" % number, b"x" * number), range(60)))
        assert len(paths(remote)) == 60


def test_a_server_that_grants_none(ftp_server, monkeypatch):
    """Is busy when none is in use; a worker that waits for too long says how many there are."""
    server = ftp_server(max_cons_per_ip=1)
    with ftp(server) as remote, ftp(server) as other:
        written(remote, b"file", b"x" * 100)
        with pytest.raises(TemporaryFailure, match="no more connections: 421 Too many"):
            paths(other)
        monkeypatch.setattr(limits, "SYNC_FTP_WAIT_S", 0.0)
        with remote.read(b"file") as reading:
            while reading.read(1000):
                pass
            with pytest.raises(TemporaryFailure, match="the server allows 1"):
                remote.find(b"file")
        assert content(remote, b"file")[0] == b"x" * 100


def test_what_is_dropped_is_no_longer_counted(ftp_server):
    """A file that nobody ended; a connection that is closed while it is used is not kept."""
    server = ftp_server()
    with ftp(server) as remote:
        writing = remote.write(b"a", 1, Attributes())
        assert remote._pool._used == 1
        del writing
        assert remote._pool._used == 0
        reading = remote.write(b"b", 1, Attributes())
        remote.close()
        reading.write(b"x")
        reading.publish()
        assert paths(remote) == [b"b"]
        assert server.rules.count("USER") == 3


def test_nothing_stays_open(ftp_server, open_files):
    """After each kind of end."""
    server = ftp_server()
    remote = ftp(server)
    before = {what for what in open_files() if "socket" in what[1]}
    written(remote, b"a", b"x" * 100_000)
    remote.read(b"a").close()
    remote.write(b"b", 1, Attributes()).abandon()
    turns = remote.batches()
    next(turns)
    turns.close()
    remote.close()
    server.stop()
    assert {what for what in open_files() if "socket" in what[1]} <= before
