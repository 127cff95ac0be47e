"""Middleware for WSGI: Flask, Django, Bottle, Pyramid, anything behind gunicorn or mod_wsgi.

Covers:     requests and streamed answers; health and metrics.
Not here:   what is decided (`adapters.intake`), ASGI (`adapters.asgi`).
Holds:      nothing for each request but the bytes that it reserves, until its answer is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, final

from flatwater.adapters.intake import Answer, Intake

if TYPE_CHECKING:
    from flatwater.budget.reservation import Reservation

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]


@final
class PressureMiddleware:
    """Answers 503 with `Retry-After` while the budget's gate is closed, and tells health and metrics.

    What is being answered goes on. Takes what `Intake` takes. Thread-safe.

    app = PressureMiddleware(app, budget="512 MiB")
    """

    def __init__(self, app: App, *, intake: Intake | None = None, **given: Any) -> None:
        self.app = app
        self.intake = Intake.of(intake, given)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """One request, as WSGI hands it on."""
        path = environ.get("PATH_INFO", "") or "/"
        method = environ.get("REQUEST_METHOD", "GET")
        if method in {"GET", "HEAD"}:
            page = self.intake.page(path, environ.get("HTTP_AUTHORIZATION", ""))
            if page is not None:
                return _said(page, start_response, is_head=method == "HEAD")
        taken = self.intake.take(path)
        if isinstance(taken, Answer):
            return _said(taken, start_response, is_head=method == "HEAD")
        if taken is None:
            return self.app(environ, start_response)
        try:
            return _Held(self.app(environ, start_response), taken)
        except BaseException:
            taken.release()
            raise


@final
class _Held:
    """An answer whose bytes are given back when the server closes it, or when it is at its end."""

    def __init__(self, parts: Iterable[bytes], reservation: Reservation) -> None:
        self._parts = parts
        self._reservation = reservation

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._parts
        finally:
            self._reservation.release()

    def close(self) -> None:
        try:
            close = getattr(self._parts, "close", None)
            if close is not None:
                close()
        finally:
            self._reservation.release()


def _said(answer: Answer, start_response: StartResponse, *, is_head: bool) -> list[bytes]:
    headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
    return [] if is_head else [answer.body]
