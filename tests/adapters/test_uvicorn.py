"""adapters.uvicorn: real workers that leak are replaced, and no request is lost; a single process ends by itself."""

from __future__ import annotations

import asyncio
import logging
import sys

from flatwater.adapters import uvicorn
from flatwater.adapters.uvicorn import RecyclingMiddleware

sys.path.insert(0, __file__.rpartition("/")[0])
import crowd


def test_leaking_workers_are_replaced_and_no_request_is_lost(tmp_path):
    """By uvicorn's own supervisor, which holds the listening socket."""
    port, log = crowd.free_port(), tmp_path / "log"
    words = [
        "uvicorn",
        "--workers",
        "2",
        "--port",
        str(port),
        "--log-level",
        "warning",
        "--factory",
        "leaking_service:recycled",
    ]
    with crowd.serving(port, *words, log=log):
        pids, failures = crowd.until_replaced(port, 4)
    assert failures == []
    assert len(pids) >= 4
    assert "finishes its requests and is replaced: it holds " in log.read_text()


def test_a_single_process_ends_with_zero(tmp_path):
    """For whoever starts it again."""
    port, log = crowd.free_port(), tmp_path / "log"
    with crowd.serving(
        port, "uvicorn", "--port", str(port), "--factory", "leaking_service:recycled", log=log
    ) as server:
        crowd.until_replaced(port, 2)  # a second one never answers: failures end it
        assert server.wait(30) == 0


def test_without_a_server_requests_are_answered(caplog, monkeypatch):
    """A test client has none; it is said once that nothing is replaced."""
    monkeypatch.setattr(uvicorn, "LOG", logging.getLogger("here"))  # uvicorn's own may be set to propagate nothing
    asked = []

    async def app(scope, *_):
        asked.append(scope["type"])

    async def ask():
        guarded = RecyclingMiddleware(app, above="1 GiB")
        for _ in range(2):
            await guarded({"type": "http"}, None, None)

    asyncio.run(ask())
    assert asked == ["http", "http"]
    assert ["no server of uvicorn is found" in record.message for record in caplog.records] == [True]
