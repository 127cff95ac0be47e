"""FTP servers on loopback, in a thread of the tests, over a folder: plain, with TLS, and with whatever a test wants to go wrong.

    python ftp_server.py FOLDER [CERTIFICATE]

serves a folder to user "user" with password "secret" until it is killed, and prints its port: for measurements.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import ipaddress
import logging
import os
import sys
import threading

import pytest

USER, PASSWORD = "user", "secret"


class Rules:
    """How a server behaves. All may be changed while it runs.

    Attributes:
        without: commands that it does not know.
        answers: by command, answers that it gives instead of obeying, one after another; "" obeys, "cut" cuts.
        always: by whole command, what it answers each time.
        commands: what it was asked, in order.
        quota: bytes in a file from which on it says 552; -1 is none.
        renames_over: whether a file may be renamed onto one that is there.
        cut_data_after: bytes of a download or an upload behind which its connection is cut; -1 is never.
        data_sessions: of each data connection by TLS, whether it went on with a session.
    """

    def __init__(self, without=(), *, renames_over=True):
        self.without = set(without)
        self.answers = {}
        self.always = {}
        self.commands = []
        self.quota = -1
        self.renames_over = renames_over
        self.cut_data_after = -1
        self.data_sessions = []

    def count(self, *names):
        """How often it was asked one of these."""
        return sum(command.split(" ")[0] in names for command in self.commands)


def _handler(rules, certificate, *, implicit, encoding):  # noqa: C901 - two classes that see its arguments
    from pyftpdlib.handlers import DTPHandler, FTPHandler

    if certificate:
        from OpenSSL import SSL
        from pyftpdlib.handlers import TLS_DTPHandler, TLS_FTPHandler
    data_kind = TLS_DTPHandler if certificate else DTPHandler
    kind = TLS_FTPHandler if certificate else FTPHandler

    class Transfer(data_kind):
        def handle_read(self):
            super().handle_read()
            if 0 <= rules.quota < self.tot_bytes_received:
                self._resp = ("552 Quota exceeded.", logging.debug)
                self.close()
            self._cut()

        handle_read_event = handle_read

        def use_sendfile(self):
            return False if rules.cut_data_after >= 0 else super().use_sendfile()

        def send(self, data):
            if rules.cut_data_after >= 0:
                data = data[: max(0, rules.cut_data_after - self.tot_bytes_sent)]
                if not data:
                    self._cut()
                    return 0
            return super().send(data)

        def _cut(self):
            if 0 <= rules.cut_data_after <= self.get_transmitted_bytes() and not self._closed:
                self._resp = ("426 Connection cut.", logging.debug)
                self.close()

        def close(self):
            if certificate and not self._closed and hasattr(self.socket, "_ssl"):
                rules.data_sessions.append(bool(SSL._lib.SSL_session_reused(self.socket._ssl)))
            super().close()

    class Handler(kind):
        dtp_handler = Transfer
        auth_failed_timeout = 0
        permit_privileged_ports = False

        def handle(self):
            if implicit:
                self.secure_connection(self.ssl_context)
            super().handle()

        def pre_process_command(self, line, cmd, arg):
            rules.commands.append(line)
            said = rules.answers[cmd].pop(0) if rules.answers.get(cmd) else rules.always.get(line, "")
            if said == "cut":
                self.close()
            elif said:
                self.respond(said)
            elif cmd == "RNTO" and not rules.renames_over and self.fs.isfile(self.fs.ftp2fs(arg)):
                self.respond("550 File exists.")
            else:
                super().pre_process_command(line, cmd, arg)

    Handler.encoding = encoding
    Handler.proto_cmds = {name: value for name, value in kind.proto_cmds.items() if name not in rules.without}
    Handler.certfile = certificate
    if certificate:
        Handler.ssl_context = None
        Handler.tls_control_required = Handler.tls_data_required = True
    return Handler


class FtpServer:
    """A server in a thread.

    Attributes:
        rules: how it behaves.
        port: where it listens.
        folder: what it serves.
    """

    def __init__(
        self, folder, rules=None, certificate=None, *, implicit=False, encoding="utf-8", perm="elradfmwMT", **limits
    ):
        from pyftpdlib.authorizers import DummyAuthorizer
        from pyftpdlib.ioloop import IOLoop
        from pyftpdlib.servers import FTPServer

        logging.getLogger("pyftpdlib").addHandler(logging.NullHandler())
        self.folder = folder
        self.rules = rules or Rules()
        handler = _handler(self.rules, certificate, implicit=implicit, encoding=encoding)
        handler.authorizer = DummyAuthorizer()
        handler.authorizer.add_user(USER, PASSWORD, os.fspath(folder), perm=perm)
        handler.authorizer.add_anonymous(os.fspath(folder))
        self._loop = IOLoop()
        self._server = FTPServer(("127.0.0.1", 0), handler, ioloop=self._loop)
        for name, value in limits.items():
            setattr(self._server, name, value)
        self.port = self._server.address[1]
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while not self._is_over.is_set():
            self._loop.loop(timeout=0.05, blocking=False)
        with contextlib.suppress(Exception):
            self._server.close_all()

    def url(self, path="", scheme="ftp"):
        return f"{scheme}://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{path}"

    def stop(self):
        self._is_over.set()
        self._thread.join()


@functools.cache
def _certificate():
    """A key and a certificate for 127.0.0.1, signed by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="session")
def ftp_certificate(tmp_path_factory):
    """A file with a key and its certificate, for servers and as authority."""
    pytest.importorskip("OpenSSL", reason="SKIPPED FOR WANT OF A SERVER: pip install pyOpenSSL")
    path = tmp_path_factory.mktemp("certificate") / "own.pem"
    path.write_bytes(_certificate())
    return str(path)


@pytest.fixture
def ftp_server(tmp_path):
    """A function that starts a server over a folder of the test; all are stopped behind it."""
    pytest.importorskip("pyftpdlib", reason="SKIPPED FOR WANT OF A SERVER: pip install pyftpdlib")
    folder = tmp_path / "served"
    folder.mkdir()
    started = []

    def start(*args, **options):
        started.append(FtpServer(folder, *args, **options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


if __name__ == "__main__":
    served = FtpServer(sys.argv[1], certificate=sys.argv[2] if sys.argv[2:] else None)
    print(served.port, flush=True)
    threading.Event().wait()
