"""adapters.flask: the extension, and its settings."""

from __future__ import annotations

import pytest

flask = pytest.importorskip("flask")

from flatwater import errors  # noqa: E402 - Flask may be missing
from flatwater.adapters.flask import Pressure  # noqa: E402 - Flask may be missing


def make(**config):
    app = flask.Flask("shop")
    app.config.update(config)

    @app.get("/orders")
    def orders():
        return "orders"

    return app


def test_an_application_is_guarded(wsgi):
    """503 while the gate is closed, and health."""
    app = make()
    pressure = Pressure(app, budget="1 GiB")
    client = wsgi(app)
    try:
        assert client.get("/orders").text == "orders"
        pressure.intake.budget.gate.pause("memory is critical")
        assert client.get("/orders").headers["retry-after"] == "5"
        assert client.get("/health").status_code == 503
        assert app.extensions["flatwater"] is pressure
    finally:
        pressure.intake.stop()


def test_settings_of_the_application_count_first(wsgi):
    """Its config has the last word; `init_app` comes later."""
    pressure = Pressure(budget="2 GiB")
    app = make(FLATWATER={"budget": "1 GiB", "health": "/healthz"})
    pressure.init_app(app)
    client = wsgi(app)
    try:
        assert client.get("/healthz").json()["memory"]["limit_bytes"] == 1 << 30
        assert client.get("/health").status_code == 404
    finally:
        pressure.intake.stop()


@pytest.mark.parametrize(("found", "words"), [({"budgt": "1 GiB"}, "'budgt'"), (5, "FLATWATER = 5")])
def test_settings_that_cannot_be(found, words):
    """Are named beside those that there are; the application stays as it was."""
    app = make(FLATWATER=found)
    before = app.wsgi_app
    with pytest.raises(errors.UsageError, match=words) as raised:
        Pressure(app)
    assert "budget" in raised.value.hint
    assert app.wsgi_app == before
