"""A real HTTP server on loopback with OpenAI's interface for embeddings, which does what a test tells it."""

from __future__ import annotations

import base64
import http.server
import json
import struct
import threading

import pytest


def vector_of(text):
    """What the server gives for a text: its length, and what it begins with."""
    return [float(len(text)), float(ord(text[:1] or "\0")), 1.0]


def said(status, value, **headers):
    """An answer in JSON."""
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return status, {name.replace("_", "-"): text for name, text in headers.items()}, content


class Server:
    """What came, and what is answered."""

    vector_of = staticmethod(vector_of)
    said = staticmethod(said)

    def __init__(self):
        self.requests = []  # bodies
        self.headers = []
        self.paths = []
        self.answer = None  # a function of the body: (status, headers, content), or None for embeddings
        self.at_once = self.at_once_most = 0
        self.lock = threading.Lock()

    def items(self, body):
        """Embeddings in the form that was asked for."""
        rows = [vector_of(text) for text in body["input"]]
        if body["encoding_format"] == "base64":
            rows = [base64.b64encode(struct.pack(f"<{len(row)}f", *row)).decode() for row in rows]
        return [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)]


@pytest.fixture
def served():
    """One that runs: `(state, address)`."""
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with state.lock:
                state.requests.append(body)
                state.headers.append(dict(self.headers))
                state.paths.append(self.path)
                state.at_once += 1
                state.at_once_most = max(state.at_once_most, state.at_once)
            try:
                told = state.answer(body) if state.answer else None
            finally:
                with state.lock:
                    state.at_once -= 1
            if told == "cut":
                self.close_connection = True
                return
            status, headers, content = told or said(200, {"object": "list", "data": state.items(body), "usage": {}})
            self.send_response(status)
            for name, text in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, text)
            self.end_headers()
            try:
                self.wfile.write(content)
            except OSError:
                self.close_connection = True  # the client has had enough

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # a client may go away at any time
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield state, f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
