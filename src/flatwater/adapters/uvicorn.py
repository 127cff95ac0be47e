"""A worker of uvicorn that leaves when its memory stays above a bound, without losing a request.

Covers:     middleware for ASGI applications that uvicorn serves, alone or with `--workers`; leaving in two steps.
Not here:   when to leave (`adapters.recycling`), gunicorn (`adapters.gunicorn`), answering 503 (`adapters.asgi`).
Holds:      a thread; nothing for each request.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, final

from flatwater import limits
from flatwater.adapters.asgi import App, Message, Receive, Send
from flatwater.adapters.recycling import Recycler

if TYPE_CHECKING:
    import uvicorn

LOG = logging.getLogger("uvicorn.error")
CLOSE = (b"connection", b"close")
STEP_S = 0.05


@final
class RecyclingMiddleware:
    """Lets the worker that serves this application leave when its memory stays above a bound; who started it starts another one.

    With `uvicorn --workers 2` and more the supervisor does so; it holds the listening socket, so nobody is refused meanwhile. A single process ends with exit code 0, as
    with `--limit-max-requests`, for systemd (`Restart=always`) or Kubernetes to start it again. It looks from the end of the lifespan's startup on, else from the first
    request. Where no server of uvicorn is there, as below a test client, it says so in the log and replaces nothing.

    Args:
        app: the application.
        above: the bound, as a size.
        server: the `uvicorn.Server`, where a program makes one in a thread; found by itself, if left out.
        given: `jitter` and `age_s_min` of `flatwater.adapters.recycling.Recycler`.

    Raises:
        UsageError: as `Recycler` does.

    Thread-safety: one event loop.

    app.add_middleware(RecyclingMiddleware, above="400 MiB")
    """

    def __init__(self, app: App, *, above: str | int, server: uvicorn.Server | None = None, **given: Any) -> None:
        self.app = app
        self._server = server
        self.recycler = Recycler(above, self._leave, **{"tell": LOG.warning, **given})
        self._is_started = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One connection, as ASGI hands it on."""
        if scope["type"] == "lifespan":
            try:
                await self.app(scope, receive, self._starting(send))
            finally:
                self.recycler.stop()
            return
        if not self._is_started:
            self._start()
        await self.app(scope, receive, send)

    def _starting(self, send: Send) -> Send:
        async def sent(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._start()
            elif message["type"] in {"lifespan.shutdown.complete", "lifespan.shutdown.failed"}:
                self.recycler.stop()
            await send(message)

        return sent

    def _start(self) -> None:
        self._is_started = True
        if self._server is None:
            self._server = serving()
        if self._server is None:
            LOG.warning(
                "no server of uvicorn is found in this process, so that nothing is replaced, however much it holds. "
                "Pass server=, or use flatwater.adapters.gunicorn below gunicorn."
            )
            return
        self.recycler.start()

    def _leave(self, _why: str) -> None:
        assert self._server is not None
        leave(self._server)


def serving() -> uvicorn.Server | None:
    """The server of uvicorn whose signals this process handles; None, if there is none."""
    module = sys.modules.get("uvicorn.server")
    owner = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return owner if module is not None and isinstance(owner, module.Server) else None


def leave(server: uvicorn.Server, linger_s: float = limits.RECYCLE_LINGER_S) -> None:
    """Have a server take no new connections, answer what comes on those it has, and end; waits up to `linger_s` seconds.

    uvicorn by itself closes idle connections at once when it is to end, also those that were accepted a moment ago, whose request is on its way. So there are two steps: first
    it takes no more connections, and each answer says `Connection: close`; then, when none is left or after `linger_s`, it is told to end, and waits for
    what is being answered, for as long as `--timeout-graceful-shutdown` says.

    Call it from a thread that is not the event loop's.
    """

    def take_no_more() -> None:
        for each in server.servers:
            each.close()
        server.config.encoded_headers.append(CLOSE)  # of which the defaults are made anew each second
        server.server_state.default_headers = [*server.server_state.default_headers, CLOSE]

    if server.started and server.servers:
        server.servers[0].get_loop().call_soon_threadsafe(take_no_more)
        end_s = time.monotonic() + linger_s
        time.sleep(STEP_S)  # until what was accepted is known as a connection
        while server.server_state.connections and time.monotonic() < end_s and not server.should_exit:
            time.sleep(STEP_S)
    server.should_exit = True
