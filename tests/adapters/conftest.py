"""Real servers on free loopback ports, and what is asked of them."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest

from flatwater.adapters.intake import Intake

DEADLINE_S = 30


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def intake():
    """Decisions with a budget of a GiB, which nothing here fills; watching ends with the test."""
    made = Intake("1 GiB", metrics="/metrics", always=["/live", "/static/"])
    yield made
    made.stop()


@pytest.fixture
def asgi():
    """A function: serve an ASGI application by uvicorn, and give a client of it."""
    import uvicorn

    with contextlib.ExitStack() as ending:

        def serve(app):
            taken = socket.socket()
            taken.bind(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on", ws="websockets-sansio"))
            thread = threading.Thread(target=server.run, args=([taken],), daemon=True)
            thread.start()
            deadline = time.monotonic() + DEADLINE_S
            while not server.started and time.monotonic() < deadline:
                time.sleep(0.01)
            assert server.started

            def stop():
                server.should_exit = True
                thread.join(DEADLINE_S)
                taken.close()

            ending.callback(stop)
            port = taken.getsockname()[1]
            return ending.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE_S))

        yield serve


@pytest.fixture
def wsgi():
    """A function: serve a WSGI application, and give a client of it."""
    with contextlib.ExitStack() as ending:

        def serve(app):
            server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()

            def stop():
                server.shutdown()
                thread.join(DEADLINE_S)
                server.server_close()

            ending.callback(stop)
            return ending.enter_context(
                httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}", timeout=DEADLINE_S)
            )

        yield serve
