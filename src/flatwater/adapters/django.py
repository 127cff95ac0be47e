"""Middleware for Django, in threads and in coroutines.

Covers:     requests of WSGI and ASGI, streamed answers; health and metrics; the setting FLATWATER.
Not here:   what is decided (`adapters.intake`).
Holds:      what `adapters.intake` holds; for each request the bytes that it reserves, until its answer is closed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, final

from flatwater.adapters.intake import Answer, Intake
from flatwater.adapters.settings import SETTING

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

    from flatwater.budget.reservation import Reservation


@final
class PressureMiddleware:
    """Answers 503 with `Retry-After` while the budget's gate is closed, and tells health and metrics.

    Name it first in `MIDDLEWARE`: "flatwater.adapters.django.PressureMiddleware". `FLATWATER = {"budget": "512 MiB"}` in the
    settings has the arguments of `flatwater.adapters.intake.Intake`.

    Raises:
        UsageError: as `Intake` does; FLATWATER is no dict, or has names that are no arguments.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        from asgiref.sync import iscoroutinefunction, markcoroutinefunction
        from django.conf import settings

        self.get_response = get_response
        self.intake = Intake.of_settings(getattr(settings, SETTING, {}))
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """One request."""
        found = self._before(request)
        if self._is_async:
            return self._acall(request, found)
        if isinstance(found, Answer):
            return _response(found)
        try:
            response: HttpResponseBase = self.get_response(request)
        except BaseException:
            if found is not None:
                found.release()
            raise
        return _holding(response, found)

    async def _acall(self, request: HttpRequest, found: Reservation | Answer | None) -> HttpResponseBase:
        if isinstance(found, Answer):
            return _response(found)
        try:
            response: HttpResponseBase = await self.get_response(request)
        except BaseException:
            if found is not None:
                found.release()
            raise
        return _holding(response, found)

    def _before(self, request: HttpRequest) -> Reservation | Answer | None:
        if request.method in {"GET", "HEAD"}:
            page = self.intake.page(request.path_info, request.headers.get("Authorization", ""))
            if page is not None:
                return page
        return self.intake.take(request.path_info)


def _response(answer: Answer) -> HttpResponseBase:
    from django.http import HttpResponse

    return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))


def _holding(response: HttpResponseBase, reservation: Reservation | None) -> HttpResponseBase:
    """Django closes each answer when it was sent."""
    if reservation is not None:
        response._resource_closers.append(reservation.release)  # noqa: SLF001  # type: ignore[attr-defined]
    return response
