"""An extension for Flask.

Covers:     `Pressure(app)` and `init_app`, settings of the application.
Not here:   answering (`adapters.wsgi`), what is decided (`adapters.intake`).
Holds:      what `adapters.intake` holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from flatwater.adapters.intake import Intake
from flatwater.adapters.settings import SETTING, settings_of
from flatwater.adapters.wsgi import PressureMiddleware

if TYPE_CHECKING:
    from flask import Flask


@final
class Pressure:
    """Keeps an application of Flask inside its budget: 503 with `Retry-After` while memory is short; /health.

    Args:
        app: the application; later by `init_app`, if left out.
        given: arguments of `flatwater.adapters.intake.Intake`; what `app.config["FLATWATER"]` has counts before them.

    pressure = Pressure(app, budget="512 MiB")
    """

    def __init__(self, app: Flask | None = None, **given: Any) -> None:
        self._given = given
        self.intake: Intake | None = None
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Stand in front of this application.

        Raises:
            UsageError: as `Intake` does; FLATWATER is no dict, or has names that are no arguments.
        """
        settings = settings_of(app.config.get(SETTING, {}), Intake.names())
        middleware = PressureMiddleware(app.wsgi_app, **{**self._given, **settings})
        self.intake = middleware.intake
        app.wsgi_app = middleware  # type: ignore[method-assign]
        app.extensions["flatwater"] = self
