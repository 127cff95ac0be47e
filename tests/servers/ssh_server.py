"""SSH servers for tests, each on a free port of loopback: OpenSSH's sshd, and asyncssh's own, into which a test reaches.

Both end with the process that started them, however that ends: sshd is killed by the kernel, the other is a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import threading
import time
from typing import ClassVar

import asyncssh
import psutil
import pytest
from keeper import START_S, STOP_S, die_with_parent, free_port

from flatwater.sync.remotes.sftp import Sftp

SEPARATION = "/run/sshd"  # the empty folder that Debian's sshd wants to lock itself into when it is root


class Keys:
    """A host key and a user's key, and the files that clients and servers have of them."""

    def __init__(self, folder):
        self.host_key = folder / "host_key"
        self.user_key = folder / "user_key"
        self.authorized = folder / "authorized"
        self.config = folder / "config"
        self.config.write_text("")
        for path in (self.host_key, self.user_key):
            key = asyncssh.generate_private_key("ssh-ed25519")
            path.touch(0o600)
            path.write_bytes(key.export_private_key())
            path.with_suffix(".pub").write_bytes(key.export_public_key())
        self.authorized.write_bytes(self.user_key.with_suffix(".pub").read_bytes())

    def known_hosts(self, port):
        """A file that trusts the host key on a port."""
        path = self.host_key.with_name(f"known_{port}")
        path.write_text(f"[127.0.0.1]:{port} " + self.host_key.with_suffix(".pub").read_text())
        return path


def options_for(keys, port, **more):
    """Of a remote."""
    return {
        "identity_file": str(keys.user_key), "known_hosts": str(keys.known_hosts(port)), "config": str(keys.config),
        "timeout_s": "20", **more,
    }  # fmt: skip


class Sshd:
    """OpenSSH's server with its own SFTP."""

    def __init__(self, folder):
        self.program = shutil.which("sshd", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
        if self.program is None:
            pytest.skip("SKIPPED FOR WANT OF A SERVER: sshd is not installed (apt-get install openssh-server)")
        self.folder = folder
        self.keys = Keys(folder)
        self.user = getpass.getuser()
        self.port = 0
        self.process = None
        if os.getuid() == 0 and not os.path.isdir(SEPARATION):
            try:
                os.mkdir(SEPARATION, 0o755)
            except OSError as error:
                pytest.skip(f"SKIPPED FOR WANT OF A SERVER: sshd wants {SEPARATION}, which cannot be made: {error}")
        self.start()

    def start(self):
        """Until it greets."""
        self.port = self.port or free_port()
        config = self.folder / "sshd_config"
        config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.keys.host_key}\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {self.keys.authorized}\nStrictModes no\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nMaxStartups 100\n"
            "Subsystem sftp internal-sftp\nUseDNS no\nLogLevel ERROR\n"
        )
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - it calls one function of the C library
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + START_S
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1.0) as probe:
                    probe.settimeout(5.0)
                    if probe.recv(4) == b"SSH-":
                        return
            except OSError:
                time.sleep(0.02)
        self.stop()
        raise RuntimeError("sshd does not start:\n" + (self.folder / "log").read_text()[-2000:])

    def sessions(self):
        """The processes of its connections."""
        return psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else []

    def stop(self):
        """It, and its connections."""
        if self.process is None:
            return
        sessions = self.sessions()
        if self.process.poll() is None:
            self.process.kill()
        for session in sessions:
            with contextlib.suppress(psutil.NoSuchProcess):
                session.kill()
        self.process.wait(STOP_S)
        self.process = None


class AsyncServer:
    """asyncssh's own server in a thread: a test gives a subclass of `asyncssh.SFTPServer` that misbehaves."""

    def __init__(self, folder, sftp=asyncssh.SFTPServer, password=""):
        self.keys = Keys(folder)
        self.user = "somebody"
        self.password = password
        self.sftp = sftp
        self.port = 0
        begun = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(begun)), daemon=True)
        self._thread.start()
        assert begun.wait(START_S)

    async def _serve(self, begun):
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        outer = self

        class Logins(asyncssh.SSHServer):
            def password_auth_supported(self):
                return bool(outer.password)

            def validate_password(self, username, password):
                return password == outer.password

        server = await asyncssh.create_server(
            Logins, "127.0.0.1", 0, server_host_keys=[str(self.keys.host_key)], config=[],
            authorized_client_keys=str(self.keys.authorized), sftp_factory=self.sftp,
        )  # fmt: skip
        self.port = server.sockets[0].getsockname()[1]
        begun.set()
        await self._over.wait()
        server.close()
        await server.wait_closed()

    def stop(self):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(STOP_S)


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    """OpenSSH's server."""
    server = Sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """asyncssh's own."""
    server = AsyncServer(tmp_path_factory.mktemp("other"))
    yield server
    server.stop()


def made(server, root, port=0, **options):
    """A remote of a server."""
    port = port or server.port
    return Sftp.from_url(f"sftp://{server.user}@127.0.0.1:{port}{root}", options_for(server.keys, port, **options))


class Misbehaving(asyncssh.SFTPServer):
    """What a test sets is what goes wrong."""

    refused = ()  # of operations: the code of their failures, such as ("write", SFTPFailure("x"))
    names = ()  # that a listing has beside the true ones
    full = False
    asked: ClassVar = []

    def _look(self, operation):
        type(self).asked.append(operation)
        if self.refused and self.refused[0] == operation:
            raise self.refused[1]

    def open(self, path, pflags, attrs):
        self._look("open")
        return super().open(path, pflags, attrs)

    def read(self, file_obj, offset, size):
        self._look("read")
        return super().read(file_obj, offset, min(size, 1000))  # less than was asked for, which a server may do

    def write(self, file_obj, offset, data):
        self._look("write")
        return super().write(file_obj, offset, data)

    def fsetstat(self, file_obj, attrs):
        self._look("fsetstat")
        return super().fsetstat(file_obj, attrs)

    def posix_rename(self, oldpath, newpath):
        self._look("rename")
        return super().posix_rename(oldpath, newpath)

    def remove(self, path):
        self._look("remove")
        return super().remove(path)

    def statvfs(self, path):
        found = super().statvfs(path)
        return asyncssh.SFTPVFSAttrs(bsize=4096, frsize=4096, bavail=0) if self.full else found

    async def scandir(self, path):
        self._look("scandir")
        for name in self.names:
            yield asyncssh.SFTPName(name, attrs=asyncssh.SFTPAttrs(permissions=0o100644, size=1, mtime=1))
        async for name in super().scandir(path):
            yield name


@pytest.fixture
def bad(tmp_path, root):
    """A server that misbehaves, and a remote of it."""
    (tmp_path / "keys").mkdir()
    kind = type("Kind", (Misbehaving,), {"asked": []})
    server = AsyncServer(tmp_path / "keys", kind)
    with made(server, root) as remote:
        yield kind, remote
    server.stop()


@pytest.fixture
def root(tmp_path):
    """The folder of `remote` and `bad`."""
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def remote(sshd, root):
    """Of OpenSSH; its root is there."""
    with made(sshd, root) as remote:
        yield remote
