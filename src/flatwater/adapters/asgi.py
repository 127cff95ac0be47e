"""Middleware for ASGI: Starlette, FastAPI, Litestar, Quart, Django's own.

Covers:     requests, WebSockets, the lifespan; health and metrics; streams pass through untouched.
Not here:   what is decided (`adapters.intake`), WSGI (`adapters.wsgi`).
Holds:      nothing for each request but the bytes that it reserves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, final

from flatwater.adapters.intake import Answer, Intake

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
TRY_AGAIN_LATER = 1013  # close code of a WebSocket


@final
class PressureMiddleware:
    """Answers 503 with `Retry-After` while the budget's gate is closed, and tells health and metrics.

    What is being answered goes on: nothing that was begun is cut off. Takes what `Intake` takes.

    Args:
        app: the application.
        given: arguments of `flatwater.adapters.intake.Intake`, such as `budget="512 MiB"`.

    Raises:
        UsageError: as `Intake` does.

    Thread-safety: one event loop; several applications may share an `intake`.

    app.add_middleware(PressureMiddleware, budget="512 MiB")
    """

    def __init__(self, app: App, *, intake: Intake | None = None, **given: Any) -> None:
        self.app = app
        self.intake = Intake.of(intake, given)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One connection, as ASGI hands it on."""
        kind = scope["type"]
        if kind == "lifespan":
            try:
                await self.app(scope, receive, self._starting(send))
            finally:
                self.intake.stop()  # an application that fails at its end says no more
            return
        if kind not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        path = (scope.get("root_path", "") and scope["path"].removeprefix(scope["root_path"])) or scope["path"]
        if kind == "http" and scope["method"] in {"GET", "HEAD"}:
            page = self.intake.page(path, _authorization(scope))
            if page is not None:
                await _send(page, send, is_head=scope["method"] == "HEAD")
                return
        taken = self.intake.take(path)
        if isinstance(taken, Answer):
            if kind == "websocket":
                await _refuse_socket(taken, scope, receive, send)
            else:
                await _send(taken, send, is_head=scope["method"] == "HEAD")
            return
        if taken is None:
            await self.app(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        finally:
            taken.release()

    def _starting(self, send: Send) -> Send:
        """Watch from the start on, to the end."""

        async def sent(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self.intake.start()
            elif message["type"] in {"lifespan.shutdown.complete", "lifespan.shutdown.failed"}:
                self.intake.stop()
            await send(message)

        return sent


def _authorization(scope: Message) -> str:
    for name, value in scope["headers"]:
        if name.lower() == b"authorization":
            return bytes(value).decode("latin-1")
    return ""


async def _send(answer: Answer, send: Send, *, is_head: bool) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if is_head else answer.body})


async def _refuse_socket(answer: Answer, scope: Message, receive: Receive, send: Send) -> None:
    """By an answer of HTTP where the server can, else by a close code."""
    await receive()  # websocket.connect
    if "websocket.http.response" in scope.get("extensions", {}):
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        await send({"type": "websocket.http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": answer.body})
    else:
        await send({"type": "websocket.close", "code": TRY_AGAIN_LATER, "reason": "memory is short"})
