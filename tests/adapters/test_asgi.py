"""adapters.asgi: a real server in front, Starlette behind."""

from __future__ import annotations

import asyncio
import threading
from typing import Annotated

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from flatwater.adapters.asgi import PressureMiddleware
from flatwater.adapters.intake import Intake
from flatwater.adapters.uvicorn import RecyclingMiddleware


@pytest.fixture
def going():
    """Lets a stream go on."""
    return threading.Event()


@pytest.fixture
def app(intake, going):
    async def orders(request):
        return PlainTextResponse(f"{len(await request.body())} bytes")

    async def stream(_):
        async def parts():
            yield b"one "
            await asyncio.to_thread(going.wait, 30)
            yield b"two"

        return StreamingResponse(parts())

    async def broken(_):
        raise RuntimeError("broken")

    async def echo(socket):
        await socket.accept()
        await socket.send_text(await socket.receive_text())
        await socket.close()

    routes = [
        Route("/orders", orders, methods=["GET", "POST"]),
        Route("/stream", stream),
        Route("/broken", broken),
        Route("/live", orders),
        WebSocketRoute("/echo", echo),
    ]
    return Starlette(routes=routes, middleware=[Middleware(PressureMiddleware, intake=intake)])


def test_requests_go_through_while_the_gate_is_open(asgi, app):
    """With their bodies."""
    client = asgi(app)
    assert client.post("/orders", content=b"x" * 100_000).text == "100000 bytes"


def test_a_closed_gate_is_503_with_retry_after(asgi, app, intake):
    """For requests with bodies, too, of any size; it is 200 again when it is open."""
    client = asgi(app)
    intake.budget.gate.pause("memory is critical")
    for answer in (client.get("/orders"), client.post("/orders", content=b"x" * 5_000_000)):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert client.head("/orders").status_code == 503
    intake.budget.gate.resume()
    assert client.get("/orders").status_code == 200


def test_what_was_begun_goes_on(asgi, app, intake, going):
    """A stream that began before the gate was closed is whole."""
    client = asgi(app)
    with client.stream("GET", "/stream") as answer:
        parts = answer.iter_bytes()
        assert next(parts) == b"one "
        intake.budget.gate.pause("memory is critical")
        going.set()
        assert b"".join(parts) == b"two"


def test_pages_are_answered_while_the_gate_is_closed(asgi, app, intake):
    """Health says 503, figures and what was named are told."""
    client = asgi(app)
    intake.budget.gate.pause("memory is critical")
    assert client.get("/health").status_code == 503
    assert client.get("/health").json()["taking_requests"] is False
    assert "flatwater_gate_open 0.0" in client.get("/metrics").text
    assert client.get("/live").status_code == 200
    assert client.head("/health").content == b""


def test_a_websocket_is_refused_by_http(asgi, app, intake):
    """With the status, as it cannot be opened; it is opened when the gate is."""
    client = asgi(app)
    url = str(client.base_url).replace("http", "ws", 1) + "/echo"
    with connect(url, proxy=None) as socket:
        socket.send("hello")
        assert socket.recv() == "hello"
    intake.budget.gate.pause("memory is critical")
    with pytest.raises(InvalidStatus) as raised:
        connect(url, proxy=None).close()
    answer = raised.value.response
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_bytes_of_a_request_are_given_back(asgi):
    """Also where the application fails."""
    made = Intake("1 GiB", reserve="1 MiB")
    seen = []

    async def app(scope, receive, send):
        if scope["type"] == "http":
            seen.append(made.budget.held)
            raise RuntimeError("broken")
        assert (await receive())["type"] == "lifespan.startup"
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    client = asgi(PressureMiddleware(app, intake=made))
    assert client.get("/").status_code == 500
    assert (seen, made.budget.held) == ([1 << 20], 0)


def test_the_watcher_lives_as_long_as_the_application(asgi, app, intake):
    """It begins with the lifespan."""
    client = asgi(app)
    assert isinstance(client, httpx.Client)
    assert intake._watcher is not None


@pytest.mark.parametrize("middleware", [PressureMiddleware, RecyclingMiddleware])
def test_the_watching_ends_with_an_application_that_fails_at_its_end(middleware):
    """It says nothing more of its lifespan."""

    async def failing(_scope, _receive, send):
        await send({"type": "lifespan.startup.complete"})
        raise OSError("no end")

    made = (
        middleware(failing, budget="1 GiB")
        if middleware is PressureMiddleware
        else middleware(failing, above="1 GiB", server=object())
    )
    sent = []

    async def send(message):
        sent.append(message["type"])

    with pytest.raises(OSError, match="no end"):
        asyncio.run(made({"type": "lifespan"}, None, send))
    assert sent == ["lifespan.startup.complete"]
    if middleware is PressureMiddleware:
        assert made.intake._watcher is None
    else:
        assert not made.recycler._thread.is_alive()


def test_a_mounted_application_has_paths_of_its_own(asgi, intake):
    """The health of a part is below the part's path."""
    from starlette.routing import Mount

    inner = Starlette(
        routes=[Route("/a", lambda _: PlainTextResponse("a"))],
        middleware=[Middleware(PressureMiddleware, intake=intake)],
    )
    client = asgi(Starlette(routes=[Mount("/part", app=inner)]))
    assert client.get("/part/health").json()["status"] == "ok"
    assert client.get("/part/a").text == "a"
    assert client.get("/health").status_code == 404


def test_fastapi_with_health_figures_and_a_gate(asgi):
    """Routes, dependencies and streams go through; 503 while the gate is closed, and figures all the same."""
    from fastapi import Depends, FastAPI

    made = Intake("1 GiB", metrics="/metrics", always=["/live"])
    app = FastAPI()
    app.add_middleware(PressureMiddleware, intake=made)

    def halved(number: int) -> float:
        return number / 2

    async def order(number, half):
        return {"number": number, "half": half}

    order.__annotations__ = {"number": int, "half": Annotated[float, Depends(halved)]}
    halved.__annotations__ = {"number": int}
    app.get("/orders/{number}")(order)

    @app.get("/live")
    async def live():
        return "alive"

    try:
        client = asgi(app)
        assert client.get("/orders/7").json() == {"number": 7, "half": 3.5}
        assert client.get("/orders/seven").status_code == 422
        assert client.get("/health").json()["status"] == "ok"
        made.budget.gate.pause("memory is critical")
        refused = client.get("/orders/7")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert client.get("/live").json() == "alive"
        assert client.get("/health").status_code == 503
        assert "flatwater_gate_open 0.0" in client.get("/metrics").text
        made.budget.gate.resume()
        assert client.get("/orders/8").json()["half"] == 4
    finally:
        made.stop()
