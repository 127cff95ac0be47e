"""What an FTP server tells of its files and folders."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import threading
import tracemalloc

import pytest
from contract import MTIME, paths, written
from ftp_server import Rules

from flatwater import limits
from flatwater.sync.failures import Failure, GoneFailure, RefusedFailure, TemporaryFailure
from flatwater.sync.remotes.ftp import Ftp
from flatwater.sync.remotes.ftp_listing import facts_of, time_ns

NAMES_ONLY = ("MLSD", "MLST", "MFMT")


class Telling:
    """A server that logs anybody in, and answers MLSD of its root with these lines."""

    def __init__(self, lines, end=b"226 done\r\n", others=b""):
        self._lines, self._end, self._others = lines, end, others
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        try:
            while True:
                client, _address = self._listener.accept()
                with client, client.makefile("rb") as commands:
                    self._talk(client, commands)
        except OSError:
            return

    def _talk(self, client, commands):
        client.sendall(b"220 hello\r\n")
        for command in commands:
            word = command.split()[0]
            if word == b"PASV":
                data = socket.create_server(("127.0.0.1", 0))
                port = data.getsockname()[1]
                client.sendall(b"227 (127,0,0,1,%d,%d)\r\n" % (port >> 8, port & 255))
            elif word == b"MLSD":
                client.sendall(b"150 here\r\n")
                with data, data.accept()[0] as link:
                    try:
                        for line in self._lines() if command.strip() == b"MLSD /" else ():
                            link.sendall(line)
                    except OSError:
                        return
                if not self._end:
                    return
                client.sendall(self._end)
            else:
                said = {b"FEAT": b"211-\r\n MLST size;\r\n211 end", b"PWD": b'257 "/"', b"USER": b"230 in"}
                client.sendall(said.get(word, b"200 yes") + b"\r\n")

    def remote(self):
        return Ftp.from_url(f"ftp://127.0.0.1:{self.port}/", {"timeout_s": "5"})

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # closing it alone does not wake who waits in accept
        self._listener.close()


@pytest.fixture
def telling():
    """A function that starts such a server."""
    started = []

    def start(*args, **options):
        started.append(Telling(*args, **options))
        return started[-1].remote()

    yield start
    for server in started:
        server.close()


@pytest.mark.parametrize("name", [b"../x", b"a/b", b"/etc/passwd", b"", b"zero\x00", b"..\x00"])
def test_names_that_lead_elsewhere(telling, name):
    """Are no names: the folder cannot be listed."""
    for kind in (b"file", b"dir"):
        remote = telling(
            lambda kind=kind: [b"type=%s;size=1; good\r\n" % kind, b"type=%s;size=1; %s\r\n" % (kind, name)]
        )
        with pytest.raises(Failure, match=r"is no name|is no line"):
            paths(remote)


@pytest.mark.parametrize("line", [b"garbage\r\n", b"\r\n", b"size=1; x\r\n", b"type=file;size=1 x\r\n", b"type=file;size=1; x",
                                  b"type=file;size=1; x\n", b"x" * 100_000])  # fmt: skip
def test_lines_that_are_none(telling, line):
    """Are not guessed at."""
    with pytest.raises(Failure, match="cannot be listed"):
        paths(telling(lambda: [b"type=file;size=1; a\r\n", line]))


def test_all_kinds_of_facts(telling):
    """In any case, in any order, with fractions, without times; links and the folder itself are no files."""
    lines = [b"Type=cdir;Modify=20200101000000; .\r\n", b"type=pdir; ..\r\n", b"type=dir; .\r\n", b"type=OS.unix=symlink; link\r\n",
             b"size=5;modify=20231114221321.25;TYPE=FILE;unique=x; a b \r\n", b"type=file;size=7; no time\r\n",
             b"type=file;size=1;modify=20231114221321; two\nlines\r\n"]  # fmt: skip
    ((*entries,),) = telling(lambda: [b"".join(lines)[n : n + 3] for n in range(0, len(b"".join(lines)), 3)]).batches()
    assert [tuple(entry)[:3] for entry in entries] == [
        (b"a b ", 5, MTIME + 250_000_000), (b"no time", 7, -1), (b"two\nlines", 1, MTIME),
    ]  # fmt: skip


@pytest.mark.parametrize("end", [b"426 broke\r\n", b"451 error\r\n", b"421 bye\r\n", b""])
def test_a_listing_that_breaks_off_is_no_whole_one(telling, end):
    """However many names came."""
    with pytest.raises(TemporaryFailure):
        paths(telling(lambda: [b"type=file;size=1;modify=20200101000000; a\r\n"], end=end))


def lines_of(count):
    """MLSD of so many files, in no order."""
    for first in range(0, count, 500):
        yield b"".join(
            b"type=file;size=%d;modify=20231114221321; %06d.txt\r\n" % (number, number * 7919 % count)
            for number in range(first, first + 500)
        )


def test_a_folder_of_any_size_is_streamed(telling, monkeypatch):
    """However many names it has, a part of the listing is in memory."""
    peaks = []
    for count in (5_000, 20_000):
        remote = telling(lambda count=count: lines_of(count))
        tracemalloc.start()
        try:
            assert sum(1 for _item in remote._folder(b"")) == count
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert max(peaks) < 2 << 20  # a list of 20,000 has 4 MB
    assert peaks[1] - peaks[0] < 256 << 10


def test_a_folder_larger_than_memory_is_allowed_comes_in_order(telling, monkeypatch):
    """A hundred thousand names, of which two thousand or so may be in memory."""
    monkeypatch.setattr(limits, "SYNC_NAMES_BYTES", 400_000)
    seen, last = 0, b""
    for batch in telling(lambda: lines_of(100_000)).batches():
        assert last < batch[0].path
        last = batch[-1].path
        seen += len(batch)
    assert seen == 100_000


def test_facts_and_times():
    """As in RFC 3659."""
    assert facts_of(b"type=dir;  leading") == (b" leading", (b"dir", -1, -1))
    for line in (b"", b"type=file;", b" type=file; x", b"x y"):
        with pytest.raises(ValueError):
            facts_of(line)
    assert time_ns(b"19700101000001") == 1_000_000_000
    assert time_ns(b"20240229120000.123456789") == 1_709_208_000_123_456_789
    for text in (b"", b"2023", b"2023111422132x", b"20231114221321.x", b"\xb2" * 14):
        assert time_ns(text) == -1


def test_a_root_that_is_not_there(ftp_server):
    """Is no empty one; it is made with what is above it when a file is written."""
    for rules in (Rules(), Rules(NAMES_ONLY)):
        server = ftp_server(rules)
        remote = Ftp.from_url(server.url("none/below"), {})
        with pytest.raises(GoneFailure, match="the root cannot be listed"):
            paths(remote)
        assert remote.find(b"x") is None
        assert remote.delete([b"x"]) == [None]
        written(remote, b"a/b")
        assert paths(remote) == [b"a/b"]
        assert os.path.exists(server.folder / "none" / "below" / "a" / "b")
        remote.delete([b"a/b"])
        assert os.listdir(server.folder / "none" / "below") == []
        shutil.rmtree(server.folder / "none")
        remote.close()


@pytest.mark.parametrize("without", [(), NAMES_ONLY])
def test_a_folder_that_is_not_ours_to_see(ftp_server, without):
    """Is told, and the others come; it is not taken for one that is gone."""
    server = ftp_server(Rules(without))
    with Ftp.from_url(server.url(), {}) as remote:
        for path in (b"a/1", b"b/2", b"c/3"):
            written(remote, path)
        for words in ("550 Failed to open it.", "550 Permission denied."):
            server.rules.always = {("CWD" if without else "MLSD") + " /b": words}
            told = []
            assert paths(remote, unread=lambda folder, error, told=told: told.append((folder, type(error)))) == [
                b"a/1",
                b"c/3",
            ]
            assert told == [(b"b/", RefusedFailure)]


def test_links_are_what_the_server_says(ftp_server):
    """One that leads nowhere is no file."""
    for rules in (Rules(), Rules(NAMES_ONLY)):
        server = ftp_server(rules)
        if not os.path.lexists(server.folder / "broken"):
            os.symlink("nowhere", server.folder / "broken")
        with Ftp.from_url(server.url(), {}) as remote:
            written(remote, b"file")
            told = []
            assert paths(remote, unread=lambda folder, error, told=told: told.append(folder)) == [b"file"]
            assert remote.find(b"broken") is None
