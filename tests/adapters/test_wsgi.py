"""adapters.wsgi: a real server in front of a plain application."""

from __future__ import annotations

import pytest

from flatwater.adapters.intake import Intake
from flatwater.adapters.wsgi import PressureMiddleware


def app(environ, start_response):
    if environ["PATH_INFO"] == "/broken":
        raise RuntimeError("broken")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return (part for part in (b"one ", b"two"))


def test_requests_go_through_while_the_gate_is_open(wsgi, intake):
    """Streamed answers, too."""
    assert wsgi(PressureMiddleware(app, intake=intake)).get("/").text == "one two"


def test_a_closed_gate_is_503_with_retry_after(wsgi, intake):
    """Until it is open."""
    client = wsgi(PressureMiddleware(app, intake=intake))
    intake.budget.gate.pause("memory is critical")
    answer = client.post("/", content=b"x" * 1000)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "try again" in answer.text
    assert client.get("/health").status_code == 503
    intake.budget.gate.resume()
    assert client.get("/").status_code == 200
    assert client.get("/health").status_code == 200
    assert "flatwater_requests_refused_total 1.0" in client.get("/metrics").text


@pytest.mark.parametrize("path", ["/", "/broken"])
def test_bytes_of_a_request_are_given_back(path):
    """When the server closes the answer, and where the application fails before there is one."""
    made = Intake("1 GiB", reserve="1 MiB")
    middleware = PressureMiddleware(app, intake=made)
    try:
        environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET"}
        if path == "/broken":
            with pytest.raises(RuntimeError):
                middleware(environ, lambda *_: None)
        else:
            answer = middleware(environ, lambda *_: None)
            assert made.budget.held == 1 << 20
            assert next(iter(answer)) == b"one "
            answer.close()
        assert made.budget.held == 0
    finally:
        made.stop()
