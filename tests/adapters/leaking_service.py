"""Applications that keep something of each request, for real servers."""

from __future__ import annotations

import os

kept: list[bytearray] = []


def leak() -> bytes:
    """The number of this process."""
    kept.append(bytearray(60_000))
    return str(os.getpid()).encode()


def wsgi(_environ, start_response):
    """For workers of gunicorn."""
    body = leak()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


async def plain(scope, receive, send):
    """For workers of uvicorn."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body = leak()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def recycled():
    """A factory: the same, replaced by itself."""
    from flatwater.adapters.uvicorn import RecyclingMiddleware

    return RecyclingMiddleware(plain, above="60 MiB", age_s_min=0.3)
