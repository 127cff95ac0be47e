"""What the tests of files share: files with known bytes, and servers on free loopback ports."""

from __future__ import annotations

import bz2
import gzip
import http.server
import lzma
import random
import threading

import pytest
import zstandard

PACK = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
}


@pytest.fixture
def write(tmp_path):
    """A function that writes a file and returns its path."""

    def written(data, name="data"):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return str(path)

    return written


@pytest.fixture(scope="session")
def pack():
    """A compressor of bytes for each kind."""
    return PACK


@pytest.fixture(scope="session")
def noise():
    """300,000 bytes that do not compress."""
    return random.Random(4).randbytes(300_000)


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `server.data`, the way `server.manner` says."""

    def log_message(self, *_words):
        pass

    def do_GET(self):
        server = self.server
        server.asked.append((self.path, dict(self.headers)))
        if self.path.startswith("/missing"):
            self.send_error(404)
            return
        if self.path.startswith("/secret"):
            self.send_error(403)
            return
        data, start = server.data, 0
        wanted = self.headers.get("Range")
        if wanted and server.manner != "no ranges":
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            self.send_response(206)
        else:
            self.send_response(200)
        body = data[start:]
        if server.manner != "no length":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if server.manner == "cut" else body)


@pytest.fixture
def web():
    """A real HTTP server; `.data` is what it has, `.manner` how it answers, `.url` where it is, `.asked` what was asked."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.data, server.manner, server.asked = b"", "", []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


KEYS = {
    "access_key_id": "name",
    "secret_access_key": "word",
    "region": "us-east-1",
    "virtual_hosted_style_request": False,
}


@pytest.fixture(scope="session")
def store():
    """A real S3 server on a free loopback port, and what is needed to reach it."""
    server_module = pytest.importorskip("moto.server")
    import boto3

    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1",
        aws_access_key_id="name", aws_secret_access_key="word",
    )  # fmt: skip
    client.create_bucket(Bucket="bucket")
    yield client, {"endpoint": f"http://{host}:{port}", **KEYS}
    server.stop()
