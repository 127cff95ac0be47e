"""A real server with workers, and clients that count who answered and what failed."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

DEADLINE_S = 60
HERE = Path(__file__).parent


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextlib.contextmanager
def serving(port, *words, log):
    """A server of this port, ready; ended with all its workers."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    with (
        open(log, "wb") as file,
        subprocess.Popen([sys.executable, "-m", *words], stdout=file, stderr=file, env=environment, cwd=HERE) as server,
    ):
        try:
            end_s = time.monotonic() + DEADLINE_S
            while time.monotonic() < end_s:
                with contextlib.suppress(OSError):
                    asked(port)
                    break
                assert server.poll() is None, Path(log).read_text()
                time.sleep(0.05)
            yield server
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()


def asked(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def until_replaced(port, workers):
    """Ask from three threads until so many processes have answered: `(processes, failures)`."""
    pids, failures, ending = set(), [], threading.Event()

    def ask():
        while not ending.is_set():
            try:
                status, body = asked(port)
                assert status == 200
                pids.add(body)
            except Exception as error:  # whatever a client would see
                failures.append(repr(error))

    clients = [threading.Thread(target=ask, daemon=True) for _ in range(3)]
    for client in clients:
        client.start()
    end_s = time.monotonic() + DEADLINE_S
    while len(pids) < workers and time.monotonic() < end_s and not failures:
        time.sleep(0.05)
    ending.set()
    for client in clients:
        client.join(30)
    return pids, failures
