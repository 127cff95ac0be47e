"""adapters.uvicorn: real workers that leak are replaced, and no request is lost; a single process ends by itself."""

from __future__ import annotations

import asyncio
import sys

import pytest

from flatwater import errors
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


def test_without_a_server_it_is_refused():
    """With what to do."""

    async def ask():
        await RecyclingMiddleware(lambda *_: None, above="1 GiB")({"type": "http"}, None, None)

    with pytest.raises(errors.UsageError, match="no server of uvicorn"):
        asyncio.run(ask())
