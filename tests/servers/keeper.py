"""Keep one database server for a test run: it is there while anybody is connected to the keeper, and no longer.

    python keeper.py postgres|mariadb

The keeper starts the server in a folder of its own, prints one line of JSON that says where it listens, and waits on a
socket. Each process that uses the server keeps a connection to that socket open; the kernel closes it when the process
ends, however it ends. After the last one the server is stopped and the folder deleted. The server dies with the keeper.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import glob
import json
import os
import pwd
import secrets
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

FIRST_USER_S = 60.0  # the keeper ends if nobody comes
START_S = 60.0  # a server that does not answer by then is broken
STOP_S = 10.0
PREFIX = "flatwater-server-"
USER = "flatwater"
PORTS_TRIED_MAX = 5  # somebody may take a free port between our look and the server's


class Absent(Exception):  # noqa: N818 - not an error: the server is not installed
    """What is to be installed."""


def postgres_folder() -> str:
    """Where PostgreSQL's programs are: Debian does not put them on PATH."""
    folders = sorted(
        glob.glob("/usr/lib/postgresql/*/bin") + glob.glob("/usr/pgsql-*/bin") + glob.glob("/opt/homebrew/opt/postgresql@*/bin"),
        key=lambda folder: [int(part) for part in "".join(c if c.isdigit() else " " for c in folder).split()],
        reverse=True,
    )  # fmt: skip
    folders += [os.path.dirname(os.path.realpath(found)) for found in [shutil.which("postgres")] if found]
    config = shutil.which("pg_config")
    if config:
        folders.append(subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False).stdout.strip())
    for folder in folders:
        if all(os.access(os.path.join(folder, name), os.X_OK) for name in ("postgres", "initdb")):
            return folder
    raise Absent("PostgreSQL's server is not installed (apt-get install postgresql)")


def mariadb_programs() -> tuple[str, str]:
    """The server, and what makes its data folder."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/usr/local/bin"])
    server, install = shutil.which("mariadbd", path=path), shutil.which("mariadb-install-db", path=path)
    if server is None or install is None:
        raise Absent("MariaDB's server is not installed (apt-get install mariadb-server)")
    return server, install


def find(kind: str) -> None:
    """Raise Absent unless `kind` can be started here."""
    postgres_folder() if kind == "postgres" else mariadb_programs()


def user_for(name: str) -> str | None:
    """Who runs the server: both refuse to be root. None where we are not root."""
    if os.getuid() != 0:
        return None
    for candidate in (name, "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(candidate).pw_name
    raise SystemExit(f"no user {name} or nobody to run the server as")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server in a folder, run as `user`."""

    def __init__(self, kind: str, folder: str) -> None:
        self.kind = kind
        self.folder = folder
        self.data = os.path.join(folder, "data")
        self.log = os.path.join(folder, "log")
        self.password = secrets.token_hex(12)
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.user = user_for("postgres" if kind == "postgres" else "mysql")
        os.mkdir(self.data, 0o700)
        if self.user is not None:
            account = pwd.getpwnam(self.user)
            os.chmod(folder, 0o711)  # its own folder below is the only thing it may open
            os.chown(self.data, account.pw_uid, account.pw_gid)

    def identity(self) -> dict[str, object]:
        if self.user is None:
            return {}
        account = pwd.getpwnam(self.user)
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def secret(self, name: str, text: str) -> str:
        """A file that only the server's user can read."""
        path = os.path.join(self.folder, name)
        with open(path, "w", opener=lambda file, flags: os.open(file, flags, 0o600)) as file:
            file.write(text)
        if self.user is not None:
            os.chown(path, pwd.getpwnam(self.user).pw_uid, -1)
        return path

    def run(self, command: list[str]) -> None:
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": self.folder}
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, cwd=self.data, env=environment, **self.identity(),
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{command[0]} failed with {done.returncode}:\n{done.stdout[-2000:]}")

    def make(self) -> None:
        """The data folder: about a second of processor time for either."""
        if self.kind == "postgres":
            self.program = postgres_folder()
            self.run([
                os.path.join(self.program, "initdb"), "-D", self.data, "-U", USER, "-A", "scram-sha-256", "-E", "UTF8",
                "--pwfile", self.secret("password", self.password), "--locale=C", "--no-sync", "--wal-segsize=1",
            ])  # fmt: skip
            return
        self.program, install = mariadb_programs()
        self.run([
            install, "--no-defaults", f"--datadir={self.data}", "--auth-root-authentication-method=normal",
            "--skip-test-db", "--skip-name-resolve", "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=8M",
        ])  # fmt: skip
        self.first = self.secret(
            "first.sql",
            "DELETE FROM mysql.global_priv WHERE User <> 'mariadb.sys';\nFLUSH PRIVILEGES;\n"
            f"CREATE USER '{USER}'@'127.0.0.1' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON *.* TO '{USER}'@'127.0.0.1' WITH GRANT OPTION;\n",
        )

    def command(self) -> list[str]:
        if self.kind == "postgres":
            settings = {
                "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "shared_buffers": "16MB",
                "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off", "jit": "off",
                "max_connections": "100", "max_wal_size": "64MB", "timezone": "UTC", "log_timezone": "UTC",
            }  # fmt: skip
            words = [os.path.join(self.program, "postgres"), "-D", self.data, "-p", str(self.port)]
            return words + [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [
            self.program, "--no-defaults", f"--datadir={self.data}", f"--port={self.port}", "--bind-address=127.0.0.1",
            f"--socket={self.data}/socket", f"--pid-file={self.data}/pid", f"--init-file={self.first}", "--skip-name-resolve",
            "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-flush-method=nosync",
            "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=32M", "--character-set-server=utf8mb4",
            "--default-time-zone=+00:00", "--max-connections=100", "--performance-schema=0",
        ]  # fmt: skip

    def start(self) -> None:
        """Until it answers on its port; another port if somebody was quicker."""
        for _ in range(PORTS_TRIED_MAX):
            self.port = free_port()
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(
                    self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self.data,
                    env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
                    preexec_fn=die_with_parent,  # noqa: PLW1509 - the keeper has one thread
                    **self.identity(),
                )  # fmt: skip
            deadline = time.monotonic() + START_S
            while self.process.poll() is None and time.monotonic() < deadline:
                if self.answers():
                    return
                time.sleep(0.02)
            if self.process.poll() is None:
                break
        self.stop()
        with open(self.log, errors="replace") as log:
            raise SystemExit(f"{self.kind} does not start:\n{log.read()[-2000:]}")

    def answers(self) -> bool:
        """Whether it is past its start: it asks for a password, or greets."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1.0) as probe:
                probe.settimeout(5.0)
                if self.kind == "postgres":
                    probe.sendall(startup_message())
                    return probe.recv(1) == b"R"  # a request to authenticate; E while it still starts
                return probe.recv(5)[4:5] == b"\x0a"  # the greeting, protocol 10
        except OSError:
            return False

    def stop(self) -> None:
        process = self.process
        if process is None or process.poll() is not None:
            return
        process.send_signal(
            signal.SIGQUIT if self.kind == "postgres" else signal.SIGKILL
        )  # nothing there is to be kept
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def startup_message() -> bytes:
    """PostgreSQL's first message, version 3.0."""
    words = b"user\0" + USER.encode() + b"\0database\0postgres\0\0"
    return (len(words) + 8).to_bytes(4, "big") + (196608).to_bytes(4, "big") + words


def die_with_parent() -> None:
    """Runs in the server's process, after it has become its user: a change of user would clear this."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def sweep() -> None:
    """Delete the folders of keepers that were killed: nobody holds their locks."""
    for folder in glob.glob(os.path.join(tempfile.gettempdir(), PREFIX + "*")):
        with contextlib.suppress(OSError), open(os.path.join(folder, "lock"), "r+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def serve(listener: socket.socket, server: Server, said: bytes) -> None:
    """Until the last user has gone, or the server has."""
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    users: set[socket.socket] = set()
    deadline = time.monotonic() + FIRST_USER_S
    while users or time.monotonic() < deadline:
        if server.process is None or server.process.poll() is not None:
            return
        for key, _ in selector.select(1.0):
            if key.fileobj is listener:
                user, _ = listener.accept()
                user.sendall(said)
                users.add(user)
                selector.register(user, selectors.EVENT_READ)
                deadline = 0.0
            else:
                user = next(each for each in users if each is key.fileobj)
                with contextlib.suppress(OSError):
                    if user.recv(1):
                        continue
                selector.unregister(user)
                users.remove(user)
                user.close()


def main(kind: str) -> None:
    """Start, say where, serve, clean up."""
    sweep()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    folder = tempfile.mkdtemp(prefix=PREFIX)
    with open(os.path.join(folder, "lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = Server(kind, folder)
        try:
            server.make()
            server.start()
            with socket.socket(socket.AF_UNIX) as listener:
                path = os.path.join(folder, "keeper")
                listener.bind(path)
                os.chmod(path, 0o600)
                listener.listen(64)
                facts = {
                    "kind": kind, "socket": path, "host": "127.0.0.1", "port": server.port, "user": USER,
                    "password": server.password, "keeper": os.getpid(), "server": server.process and server.process.pid,
                }  # fmt: skip
                said = (json.dumps(facts) + "\n").encode()
                sys.stdout.buffer.write(said)
                sys.stdout.close()
                serve(listener, server, said)
        finally:
            server.stop()
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
