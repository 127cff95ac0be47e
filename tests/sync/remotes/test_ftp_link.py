"""One connection to an FTP server."""

from __future__ import annotations

import logging
import socket
import threading
import traceback

import pytest
from contract import content, paths, written
from ftp_server import Rules

from flatwater import limits
from flatwater.sync.failures import Failure, RemoteFailure, TemporaryFailure
from flatwater.sync.remotes.ftp import Ftp


def ftp(server, scheme="ftp", **options):
    return Ftp.from_url(server.url(scheme=scheme), {"timeout_s": "5", **options})


def test_a_wrong_password_ends_the_run_and_is_told_nowhere(ftp_server, caplog):
    """Neither in messages and tracebacks, nor in logs, nor if the server repeats it."""
    caplog.set_level(logging.DEBUG)
    server = ftp_server()
    server.rules.answers["PASS"] = ["530 hunter22 is no password of user"]
    remote = Ftp.from_url(f"ftp://user:hunter22@127.0.0.1:{server.port}/", {})
    with pytest.raises(RemoteFailure, match=r"does not let 'user' in: 530 \.\.\. is no") as caught:
        paths(remote)
    told = "".join(traceback.TracebackException.from_exception(caught.value).format())
    logged = "".join(record.getMessage() for record in caplog.records if record.name != "pyftpdlib")  # the server's own
    assert "hunter22" not in told + str(remote) + repr(remote) + remote.url + logged
    assert caught.value.__context__ is None


def test_certificates(ftp_server, ftp_certificate):
    """One that nobody vouches for is refused, unless that was asked for."""
    server = ftp_server(certificate=ftp_certificate)
    with pytest.raises(RemoteFailure, match="certificate that is not trusted"):
        paths(ftp(server, "ftps"))
    with ftp(server, "ftps", verify="no") as remote:
        assert paths(remote) == []


def test_no_tls(ftp_server):
    """Is said; the password is not sent."""
    server = ftp_server()
    with pytest.raises(RemoteFailure, match="has no TLS"):
        paths(ftp(server, "ftps"))
    assert server.rules.count("USER", "PASS") == 0


@pytest.mark.parametrize(
    "said",
    ["530 Non-anonymous sessions must use encryption.", "550 SSL/TLS required on the control channel.",
     "503 Use AUTH first.", "421 Sorry, cleartext sessions are not accepted on this server."],
)  # fmt: skip
def test_a_server_that_wants_tls(ftp_server, said):
    """Says so to who comes without, and the message how to come with it; it is not tried again."""
    server = ftp_server()
    server.rules.answers["USER"] = [said]
    with pytest.raises(RemoteFailure, match=r"wants TLS: .*begins with ftps://"):
        paths(ftp(server))


def test_implicit_tls_and_sessions(ftp_server, ftp_certificate):
    """TLS from the first byte; data connections go on with the session of the control connection."""
    server = ftp_server(certificate=ftp_certificate, implicit=True)
    with ftp(server, "ftps", tls="implicit", ca_file=ftp_certificate) as remote:
        written(remote, b"a", b"x" * 100_000)
        assert content(remote, b"a")[0] == b"x" * 100_000
        assert paths(remote) == [b"a"]
    assert server.rules.data_sessions == [True] * 3


def test_active_transfers(ftp_server):
    """The server connects back."""
    with ftp(ftp_server(), passive="no") as remote:
        written(remote, b"a", b"text")
        assert content(remote, b"a")[0] == b"text"


@pytest.mark.parametrize(
    ("greeting", "kind"),
    [(b"", TemporaryFailure), (b"HTTP/1.1 400\r\n", TemporaryFailure), (b"220-" + b"x" * 9000, TemporaryFailure),
     (b"220-more\r\n" * 10_000, TemporaryFailure), (b"421 busy\r\n", TemporaryFailure), (b"500 no\r\n", RemoteFailure)],
)  # fmt: skip
def test_what_is_no_ftp_server(greeting, kind):
    """Ends without a hang, and without an answer that has no end in memory."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            client, _address = listener.accept()
            with client:
                try:
                    client.sendall(greeting)
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(kind):
            paths(Ftp.from_url(f"ftp://127.0.0.1:{listener.getsockname()[1]}/", {"timeout_s": "5"}))
        thread.join()


def test_nobody_there():
    """Is worth another try."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TemporaryFailure, match="connection refused"):
        paths(Ftp.from_url(f"ftp://127.0.0.1:{port}/", {}))


@pytest.mark.parametrize(
    ("said", "kind"),
    [("450 busy", TemporaryFailure), ("451 error", TemporaryFailure), ("421 bye", TemporaryFailure), ("cut", TemporaryFailure),
     ("425 no data", TemporaryFailure), ("452 no", RemoteFailure), ("552 quota", RemoteFailure), ("553 name", Failure),
     ("550 No space left on device", RemoteFailure), ("530 log in", RemoteFailure)],
)  # fmt: skip
def test_answers_are_failures_of_their_kinds(ftp_server, said, kind):
    """By their codes, or by their words where those are clear."""
    server = ftp_server(Rules())
    with ftp(server) as remote:
        written(remote, b"first")
        server.rules.answers["STOR"] = [said, said]
        with pytest.raises(kind) as caught:
            written(remote, b"a")
        assert isinstance(caught.value, TemporaryFailure) == (kind is TemporaryFailure)
        server.rules.answers.clear()
        assert limits.SYNC_FTP_REPLY_BYTES
        assert paths(remote) == [b"first"]
