"""adapters.django: by WSGI and by ASGI, in a process of its own, since settings are of a process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytest.importorskip("django")

SITE = """
import asyncio, json, sys
from django.conf import settings
settings.configure(
    SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"],
    MIDDLEWARE=["flatwater.adapters.django.PressureMiddleware"],
    FLATWATER={"budget": "1 GiB", "reserve": "1 MiB", "metrics": "/metrics"},
)
import django
django.setup()
from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import path

held = []
def orders(request):
    held.append(intake.budget.held)
    return HttpResponse("orders")
def stream(request):
    return StreamingHttpResponse(iter([b"one ", b"two"]))
async def later(request):
    held.append(intake.budget.held)
    return HttpResponse("later")
urlpatterns = [path("orders", orders), path("stream", stream), path("later", later)]

def found(handler):
    layer = handler._middleware_chain
    while layer is not None:
        if type(layer).__name__ == "PressureMiddleware":
            return layer.intake
        layer = getattr(layer, "__wrapped__", None) or next((c.cell_contents for c in layer.__closure__ or () if callable(c.cell_contents)), None)

said = {}
client = Client()
client.handler.load_middleware()
intake = found(client.handler)
client.handler.load_middleware = lambda *a, **k: None
said["open"] = [client.get("/orders").content.decode(), b"".join(client.get("/stream").streaming_content).decode()]
said["held"] = [held[0], intake.budget.held]
intake.budget.gate.pause("memory is critical")
answer = client.get("/orders")
said["closed"] = [answer.status_code, answer.headers["Retry-After"], client.get("/health").status_code, client.get("/metrics").status_code]
intake.budget.gate.resume()
intake.stop()

async def by_asgi():
    global intake
    client = AsyncClient()
    client.handler.load_middleware(is_async=True)
    intake = found(client.handler)
    client.handler.load_middleware = lambda *a, **k: None
    said["async open"] = [(await client.get("/later")).content.decode(), held[-1], intake.budget.held]
    intake.budget.gate.pause("memory is critical")
    said["async closed"] = [(await client.get("/later")).status_code, (await client.get("/health")).status_code]
    intake.stop()
asyncio.run(by_asgi())

from django.test import override_settings
from flatwater.errors import UsageError
said["refused"] = []
for found in ({"budgt": "1 GiB"}, 5):
    with override_settings(FLATWATER=found):
        try:
            Client().handler.load_middleware()
        except UsageError as error:
            said["refused"].append(str(error))
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What a site of Django answered, with its gate open and closed."""
    script = tmp_path_factory.mktemp("site") / "site_of_django.py"
    script.write_text(SITE)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_requests_go_through_while_the_gate_is_open(said):
    """Streamed answers, too."""
    assert said["open"] == ["orders", "one two"]


def test_bytes_of_a_request_are_given_back(said):
    """When Django closes the answer."""
    assert said["held"] == [1 << 20, 0]


def test_a_closed_gate_is_503_with_retry_after(said):
    """And health says it, while figures are told."""
    assert said["closed"] == [503, "5", 503, 200]


def test_coroutines_are_guarded_alike(said):
    """Without a thread for each of them."""
    assert said["async open"] == ["later", 1 << 20, 0]
    assert said["async closed"] == [503, 503]


def test_settings_that_cannot_be(said):
    """Are named beside those that there are, where the middleware is loaded."""
    unknown, number = said["refused"]
    assert "'budgt'" in unknown
    assert "budget, watcher, reserve" in unknown
    assert "FLATWATER = 5" in number
