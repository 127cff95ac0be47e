"""One file of an FTP server that is read, and one that is written."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from contract import MTIME, USUAL, content, paths, written
from cutting import cutting
from ftp_server import Rules

from flatwater.sync.entry import Attributes
from flatwater.sync.failures import (
    Failure,
    GoneFailure,
    InTheWayFailure,
    RefusedFailure,
    RemoteFailure,
    TemporaryFailure,
)
from flatwater.sync.remotes.ftp import Ftp

NAMES_ONLY = ("MLSD", "MLST", "MFMT")


def ftp(server, path="", scheme="ftp", **options):
    return Ftp.from_url(server.url(path, scheme), {"timeout_s": "5", **options})


def test_round_trips_of_a_small_file(ftp_server):
    """Seven, once its folder is known; reading it takes five with the check that it did not change."""
    server = ftp_server()
    with ftp(server) as remote:
        written(remote, b"d/a")
        del server.rules.commands[:]
        written(remote, b"d/b")
        words = [command.split(" ")[0] for command in server.rules.commands]
        assert words == ["PASV", "STOR", "MFMT", "MLST", "RNFR", "RNTO"]  # and the end of the data
        del server.rules.commands[:]
        content(remote, b"d/b")
        assert [command.split(" ")[0] for command in server.rules.commands] == ["MLST", "PASV", "RETR", "MLST"]
        assert server.rules.count("MKD") == 0


def test_a_file_that_is_cut_at_any_command_is_not_there_or_whole(ftp_server):
    """Each command of an upload, a download, a listing and a deletion is where the connection breaks."""
    server = ftp_server()
    with cutting(server.port) as proxy:
        data = os.urandom(50_000)
        for after, first in ((-1, 1), (3, 2)):
            for turn in range(first, 20, 2):
                proxy.turns, proxy.cut_at, proxy.cut_after = 0, turn, after
                with Ftp.from_url(f"ftp://user:secret@127.0.0.1:{proxy.port}/", {"timeout_s": "5"}) as remote:
                    cuts = proxy.cuts
                    try:
                        written(remote, b"d/file", data)
                        assert content(remote, b"d/file")[0] == data
                        assert paths(remote) == [b"d/file"]
                        assert remote.delete([b"d/file"]) == [None]
                    except TemporaryFailure:
                        assert proxy.cuts > cuts
                    proxy.cut_at = 0
                    try:
                        found = paths(remote)
                    except TemporaryFailure:  # a connection that was on its way when the other one was cut
                        found = paths(remote)
                    assert found in ([], [b"d/file"])
                    if found:
                        assert content(remote, b"d/file")[0] == data
                    written(remote, b"d/file", b"again")
                    assert content(remote, b"d/file")[0] == b"again"
                    assert remote.delete([b"d/file"]) == [None]


@pytest.mark.parametrize("scheme", ["ftp", "ftps"])
def test_a_data_connection_that_is_cut(ftp_server, ftp_certificate, scheme):
    """A download does not end early, and an upload is not published."""
    server = ftp_server(certificate=ftp_certificate if scheme == "ftps" else None)
    with ftp(server, "", scheme, **({"ca_file": ftp_certificate} if scheme == "ftps" else {})) as remote:
        data = os.urandom(400_000)
        written(remote, b"file", data)
        server.rules.cut_data_after = 100_000
        with pytest.raises(TemporaryFailure):
            content(remote, b"file")
        with pytest.raises(TemporaryFailure):
            written(remote, b"file", b"other" * 80_000)
        server.rules.cut_data_after = -1
        assert content(remote, b"file")[0] == data
        assert paths(remote) == [b"file"]


def test_a_download_that_ends_early_and_is_called_whole(ftp_server):
    """Its size says otherwise."""
    server = ftp_server()
    with ftp(server) as remote:
        written(remote, b"file", b"x" * 100)
        with remote.read(b"file") as reading:
            reading.entry = reading.entry._replace(size=200)
            assert len(reading.read(1000)) == 100
            with pytest.raises(TemporaryFailure, match="100 B came, and it had 200 B"):
                reading.read(1000)


def test_an_upload_of_which_the_server_has_less(ftp_server):
    """Is not published, and nothing is left of it."""
    server = ftp_server()
    with ftp(server) as remote:
        server.rules.answers["MLST"] = ["250-here\r\n type=file;size=1;modify=20200101000000; x\r\n250 end"]
        with pytest.raises(TemporaryFailure, match="of 4 B the server has 1 B"):
            written(remote, b"file")
    assert os.listdir(server.folder) == []


@pytest.mark.parametrize("without", [(), NAMES_ONLY])
def test_servers_that_do_not_rename_onto_a_file(ftp_server, without):
    """The old one goes first; a folder does not."""
    server = ftp_server(Rules(without, renames_over=False))
    with ftp(server) as remote:
        written(remote, b"file", b"before")
        written(remote, b"file", b"after")
        assert content(remote, b"file")[0] == b"after"
        assert server.rules.count("DELE") == 1
        written(remote, b"folder/x")
        with pytest.raises(InTheWayFailure, match="a folder has that name"):
            written(remote, b"folder")
        server.rules.answers["RNTO"] = ["451 Is a directory"]  # as pure-ftpd says
        with pytest.raises(InTheWayFailure, match="a folder has that name"):
            written(remote, b"folder")
        server.rules.answers["RNTO"] = ["451 Try later"]
        with pytest.raises(TemporaryFailure):
            written(remote, b"file", b"later")
        assert paths(remote) == [b"file", b"folder/x"]


def test_no_room(ftp_server):
    """Ends the run: at the beginning, in the middle, at the end."""
    server = ftp_server()
    with ftp(server) as remote:
        server.rules.quota = 100_000
        written(remote, b"small")
        with pytest.raises(RemoteFailure, match="552 Quota exceeded"):
            written(remote, b"large", b"x" * 20_000_000)
        with pytest.raises(RemoteFailure, match="552 Quota exceeded"):
            written(remote, b"large", b"x" * 100_001)
        assert paths(remote) == [b"small"]


def test_a_server_that_lets_us_read_only(ftp_server):
    """Says so for each file; a file that cannot be deleted is not called deleted."""
    server = ftp_server(perm="elr")
    (server.folder / "file").write_text("text")
    with ftp(server) as remote:
        with pytest.raises(RefusedFailure, match="Not enough privileges"):
            written(remote, b"new")
        with pytest.raises(RefusedFailure, match="Not enough privileges"):
            written(remote, b"folder/new")
        found = remote.delete([b"file", b"none"])
        assert isinstance(found[0], RefusedFailure)
        assert found[1] is None
        assert content(remote, b"file")[0] == b"text"
    assert os.listdir(server.folder) == ["file"]


def test_folders_that_go_meanwhile_are_made_again(ftp_server):
    """By whoever removed them."""
    server = ftp_server()
    with ftp(server) as remote:
        written(remote, b"a/b/c")
        os.unlink(server.folder / "a" / "b" / "c")
        os.rmdir(server.folder / "a" / "b")
        written(remote, b"a/b/d")
        assert paths(remote) == [b"a/b/d"]


def test_a_file_that_goes_when_it_is_opened(ftp_server):
    """Is gone; one that is not ours is refused."""
    server = ftp_server()
    with ftp(server) as remote:
        written(remote, b"file")
        server.rules.answers["RETR"] = ["550 Cannot open it."]
        with pytest.raises(RefusedFailure):
            remote.read(b"file")
        server.rules.answers["MLST"] = [
            "250-here\r\n type=file;size=1;modify=20200101000000; x\r\n250 end",
            "550 No such file.",
        ]
        server.rules.answers["RETR"] = ["550 Cannot open it."]
        with pytest.raises(GoneFailure):
            remote.read(b"file")


@pytest.mark.parametrize("path", [b"a\rb", b"a\nb", b"a\r\nDELE b", b"\xff", b"a/\xff/b", b"\x00"])
def test_names_that_ftp_cannot_carry(ftp_server, path):
    """Are refused before anything is sent."""
    server = ftp_server()
    with ftp(server) as remote:
        assert remote.refusal(path)
        for verb in (remote.read, lambda path: remote.write(path, 0, USUAL)):
            with pytest.raises(RefusedFailure):
                verb(path)
        assert isinstance(remote.delete([path])[0], RefusedFailure)
        assert remote.find(path) is None
        remote.discard(path)
        assert server.rules.count("DELE", "STOR", "RETR", "MLST") == 0


@pytest.mark.parametrize("path", [b" lead", b"tail ", b"-rf", b"a\tb", b'say "hi"', b"  ", b"x" * 255, b"%20"])
def test_names_are_bytes(ftp_server, path):
    """The server's disk has what we sent, and the listing tells it."""
    server = ftp_server()
    with ftp(server, "root dir") as remote:
        written(remote, path + b"/" + path)
        assert os.listdir(os.fsencode(server.folder / "root dir" / os.fsdecode(path))) == [path]
        assert paths(remote) == [path + b"/" + path]
        assert content(remote, path + b"/" + path)[0] == b"text"


def test_names_that_are_no_utf8(ftp_server):
    """Are refused by a server whose names are UTF-8, before it stores others; another one takes them."""
    with ftp(ftp_server()) as remote:
        with pytest.raises(RefusedFailure, match="no UTF-8"):
            written(remote, b"a/\xfe\x80")
        assert paths(remote) == []
    with ftp(ftp_server(encoding="latin-1")) as remote:
        written(remote, b"a/\xfe\x80")
        assert paths(remote) == [b"a/\xfe\x80"]
        assert content(remote, b"a/\xfe\x80")[0] == b"text"


def test_names_that_a_server_alters(ftp_server):
    """Are looked for where servers are known to do so; it is no success."""
    server = ftp_server()
    with ftp(server) as remote:
        server.rules.answers["MLST"] = ["", "550 No such file."]
        with pytest.raises(RefusedFailure, match="gave it another name"):
            written(remote, b"tail ")


def test_times(ftp_server):
    """Are kept where the server sets them, in whole seconds; else they are those of the upload."""
    server, plain = ftp_server(), ftp_server(Rules(NAMES_ONLY))
    with ftp(server) as remote, ftp(plain) as other:
        assert remote.keeps_mtime
        assert not other.keeps_mtime
        assert written(remote, b"a", b"1", Attributes(MTIME + 999_999_999)).mtime_ns == MTIME
        assert written(other, b"b").mtime_ns > MTIME
        assert next(remote.batches())[0].mtime_ns == MTIME


def test_deletes_remove_each_empty_folder_with_one_command(ftp_server):
    """The deepest first; of one that has others, the ones above it are not tried."""
    server = ftp_server()
    with ftp(server) as remote:
        for path in (b"a/b/1", b"a/b/2", b"a/c/1", b"d/1", b"d/2"):
            written(remote, path)
        assert remote.delete([b"a/b/1", b"a/b/2", b"a/c/1", b"d/1"]) == [None] * 4
        told = [command for command in server.rules.commands if command.startswith("RMD")]
        assert len(told) == len(set(told)) <= 4
        assert sorted(os.listdir(server.folder)) == ["d"]


def test_many_workers(ftp_server):
    """Thirty-two of them, on one remote, in the same folders."""
    server = ftp_server()
    with ftp(server) as remote:

        def one(number):
            path = b"d%d/e/%d" % (number % 5, number)
            written(remote, path, path * 10)
            assert content(remote, path)[0] == path * 10
            return remote.delete([path]) if number % 2 else None

        with ThreadPoolExecutor(32) as pool:
            list(pool.map(one, range(200)))
        assert len(paths(remote)) == 100
        with pytest.raises(Failure):
            remote.read(b"d1/e/1")
