"""The pages of HTTP: statements, tokens, health, metrics, the console and its files.

Covers:     routes, bodies, who asks, turns of requests, errors as responses, headers of pages.
Not here:   connections (`serving.http`), bodies of results (`serving.answers`), live queries (`serving.connection`).
Holds:      `SERVE_REQUEST_BYTES` for each request at work, and three times its body.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from flatwater import errors, limits
from flatwater.live.access import AccessDenied
from flatwater.live.refusals import Unauthenticated
from flatwater.live.serving import answers, telling
from flatwater.live.serving.messages import encode, told
from flatwater.live.serving.openapi import DESCRIPTION
from flatwater.live.turns import GONE

if TYPE_CHECKING:
    from flatwater.budget.reservation import Reservation
    from flatwater.live.access import Actor
    from flatwater.live.serving.service import Service

logger = logging.getLogger("flatwater.live")

PAGES: Final = os.path.join(os.path.dirname(__file__), "pages")
_ADDRESS_CHARS = 64  # of what a proxy says
_KINDS: Final = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a statement."""

    sql: str
    params: list[Any] = []


class Wanted(msgspec.Struct, forbid_unknown_fields=True, rename={"for_user": "for"}):
    """The body of who wants a token."""

    user: str | None = None
    password: str | None = None
    one_time: str | None = None
    for_user: str | None = None


class BadRequest(errors.UsageError):
    """A request that makes no sense, with its own status."""

    code = "usage"

    def __init__(self, status: int, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class Busy(errors.LimitReached):
    """No turn for a request."""

    code, status = "budget_exceeded", 503


@final
class Pages:
    """The application of one server.

    Args:
        service: what all requests share.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._turns = asyncio.Semaphore(limits.SERVE_REQUESTS_MAX)
        self._waiting = 0
        self._of_users: dict[str, asyncio.Semaphore] = {}  # turns of those who ask now
        self._asking: Counter[str] = Counter()
        files = sorted(os.listdir(PAGES)) if os.path.isdir(PAGES) else []
        self.app = Starlette(
            routes=[
                Route("/v1/sql", self._refusing(self._sql), methods=["POST"]),
                Route("/v1/token", self._refusing(self._token), methods=["POST"]),
                Route("/v1/openapi.json", self._refusing(self._description), methods=["GET"]),
                Route("/v1/live", self._refusing(self._live), methods=["GET"]),
                Route("/health", self._refusing(self._health), methods=["GET"]),
                Route("/metrics", self._refusing(self._metrics), methods=["GET"]),
                Route("/", partial(_file, "console.html"), methods=["GET"]),
                *(Route(f"/{name}", partial(_file, name), methods=["GET"]) for name in files),
            ],
            exception_handlers={HTTPException: _no_page},
            middleware=[
                Middleware(
                    CORSMiddleware,
                    allow_origins=list(service.origins),
                    allow_methods=["GET", "POST"],
                    allow_headers=["authorization", "content-type", "accept"],
                    expose_headers=[answers.COLUMNS],
                )
            ]
            if service.origins
            else [],
        )
        self.app.router.redirect_slashes = False  # what is no page is none with a slash less, either

    def _refusing(self, page: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """A page whose errors are told as the protocol says."""

        async def answer(request: Request) -> Response:
            service = self._service
            service.requests += 1
            try:
                hosts = request.headers.getlist("host")
                host = hosts[0] if len(hosts) == 1 else ""  # two names are none
                if not service.is_host(host):
                    raise BadRequest(421, "the server is not known by this name.", hint="--host-name adds one.")  # noqa: TRY301
                origin = request.headers.get("origin")
                if origin is not None and request.method == "POST" and not service.is_page(origin, host):
                    raise AccessDenied("pages of this origin may not ask.", hint="--origin adds one.")  # noqa: TRY301
                return await page(request)
            except ClientDisconnect:
                return Response(status_code=400)
            except Exception as error:
                if not isinstance(error, errors.FlatwaterError):
                    logger.exception("a request failed")
                return _error(error)

        return answer

    # --- who ----------------------------------------------------------------------------------------------------------

    def _actor(self, request: Request) -> Actor:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Unauthenticated("no token.", hint="Authorization: Bearer <token>; POST /v1/token gives one.")
        return self._service.actor(self._service.tokens.check(token.strip()).user)

    # --- pages --------------------------------------------------------------------------------------------------------

    async def _sql(self, request: Request) -> Response:
        service = self._service
        actor = self._actor(request)
        form = answers.form_of(request.headers.get("accept", ""))
        if form is None:
            raise BadRequest(
                406, "none of the accepted forms is known.", hint=f"Take one of {', '.join(answers.FORMS)}."
            )
        async with contextlib.AsyncExitStack() as taken:
            reservation = await taken.enter_async_context(self._turn(actor.name))
            asked = _decoded(await _body(request, reservation), Asked)
            gone = threading.Event()
            start = partial(self._started, asked, actor.name, form, _address(request), gone)
            begun = await service.loop.run_in_executor(service.threads, start)
            if begun is None:  # it may have to wait: who needs no engine does not wait behind it
                leaving = service.loop.create_task(_left(request, gone))
                try:
                    begun = await service.loop.run_in_executor(service.engine_threads, partial(start, may_wait=True))
                finally:
                    leaving.cancel()
            assert begun is not None
            first, rest, end, headers = begun
            if rest is None:
                return Response(first, media_type=form, headers=headers)
            return answers.Streamed(first, rest, service.pages, request, end, taken.pop_all(), form, headers)

    def _started(
        self, asked: Asked, user: str, form: str, address: str, gone: threading.Event, *, may_wait: bool = False
    ) -> tuple[bytes, Any, Callable[[], None], dict[str, str]] | None:
        """Do a statement and read the first piece of its answer; what follows is None if that was all. Its headers. In a thread.

        None where it needs the SQL engine, and may not wait.
        """
        if not may_wait:
            if form == answers.ARROW and not self._service.gives_rows(asked.sql):
                raise BadRequest(406, "Arrow streams are for SELECT.", hint="Accept application/json for this one.")
            if self._service.executor.needs_engine(asked.sql):
                return None
        GONE.set(gone)  # of this thread; the next statement sets its own
        result = self._service.database.sql(asked.sql, asked.params, user=user)
        try:
            self._service.audit_statement(asked.sql, user, address)
            parts, headers = answers.pieces(result, form), answers.headers(result, form)
            some: list[bytes] = []
            size = 0
            for part in parts:
                some.append(part)
                size += len(part)
                if size >= limits.SERVE_CHUNK_BYTES:
                    return b"".join(some), parts, result.close, headers
        except BaseException:
            result.close()
            raise
        result.close()
        return b"".join(some), None, result.close, headers

    async def _token(self, request: Request) -> Response:
        service = self._service
        # before it has a turn: who keeps his body back keeps nobody out
        wanted = _decoded(await _body(request, None, most=limits.SERVE_LOGIN_BYTES) or b"{}", Wanted)
        actor = self._actor(request) if wanted.user is None and wanted.one_time is None else None
        async with self._turn("" if actor is None else actor.name):
            if wanted.user is not None and wanted.password is not None:
                call = partial(service.passwords.check, wanted.user, wanted.password, _address(request))
                try:
                    record = await service.loop.run_in_executor(service.logins, call)
                except errors.FlatwaterError as error:
                    service.audit.write(
                        "refused", wanted.user, _address(request), what="log-in", why=str(error.args[0])
                    )
                    raise
                user, stamp = wanted.user, record.stamp
            elif wanted.one_time is not None:
                user, stamp = service.took_one_time(wanted.one_time, _address(request))
            else:
                user, stamp = service.token_for(actor or self._actor(request), wanted.for_user)
            token, seconds = service.tokens.issue(user, stamp)
            service.audit.write("log-in", user, _address(request))
            role = service.actor(user).role
            return _json({"token": token, "user": user, "role": role, "expires_s": seconds})

    async def _live(self, _request: Request) -> Response:
        """What is asked for without the words that make it a WebSocket."""
        response = _error(
            BadRequest(
                426,
                "live queries are a WebSocket.",
                hint="Connect by ws:// or wss://, in HTTP/1.1; a proxy has to pass Upgrade and Connection on.",
            )
        )
        response.headers.update({"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-version": "13"})
        return response

    async def _health(self, _request: Request) -> Response:
        found = telling.health(self._service)
        return _json(found, 503 if found["status"] == "critical" else 200)

    async def _metrics(self, request: Request) -> Response:
        self._actor(request).must_be("service", "read metrics")
        text, kind = telling.metrics(self._service)
        return Response(text, headers={"content-type": kind})

    async def _description(self, request: Request) -> Response:
        self._actor(request)
        return _json(DESCRIPTION)

    # --- turns --------------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _turn(self, user: str) -> AsyncIterator[Reservation]:
        """A request's turn, and its bytes. One user has no more than `SERVE_USER_REQUESTS` at once: others come between his.

        Raises:
            Busy: too many wait already, or the budget's gate is closed.
            BudgetExceeded: there are no bytes for it.
        """
        most = limits.SERVE_USER_REQUESTS + limits.SERVE_USER_WAITING
        if (
            self._waiting >= limits.SERVE_WAITING_MAX
            or self._asking[user] >= most
            or not self._service.admission.is_open
        ):
            raise Busy("the server has no turn for the request now.", hint="Try again in a while.")
        own = self._of_users.get(user)
        if own is None:
            own = self._of_users[user] = asyncio.Semaphore(limits.SERVE_USER_REQUESTS)
        async with contextlib.AsyncExitStack() as turns:
            self._waiting += 1
            self._asking[user] += 1
            turns.callback(self._asked, user)
            try:
                await turns.enter_async_context(own)
                await turns.enter_async_context(self._turns)
            finally:
                self._waiting -= 1
            self._service.at_work += 1
            turns.callback(self._done)
            with self._service.database.budget.reserve(limits.SERVE_REQUEST_BYTES, "live.requests") as reservation:
                yield reservation

    def _done(self) -> None:
        self._service.at_work -= 1

    def _asked(self, user: str) -> None:
        self._asking[user] -= 1
        if not self._asking[user]:  # nobody waits for his turns, and nobody has one
            del self._asking[user], self._of_users[user]


async def _body(request: Request, reservation: Reservation | None, *, most: int = limits.SERVE_BODY_BYTES) -> bytes:
    """The body, once its bytes are reserved; small ones need no reservation.

    Raises:
        BadRequest: it is too large, or too slow.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {"", "application/json"}:
        raise BadRequest(415, f"a body of {kind!r:.60} is not understood.", hint="Send application/json.")
    parts: list[bytes] = []
    size, own = 0, 0 if reservation is None else reservation.bytes
    try:
        async with asyncio.timeout(limits.SERVE_BODY_S):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise BadRequest(413, f"a body has at most {most:,} bytes.", hint="Write rows in several requests.")
                if reservation is not None and size > limits.SERVE_CHUNK_BYTES:
                    reservation.resize(own + 3 * size)
                parts.append(part)
    except TimeoutError:
        raise BadRequest(408, "the body did not arrive in time.") from None
    return b"".join(parts)


async def _left(request: Request, gone: threading.Event) -> None:
    """Say when the client goes away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()


def _decoded(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(
            400, f"the body is not understood: {error!s:.200}.", hint="See docs/live-protocol.md."
        ) from error


def _address(request: Request) -> str:
    return request.client.host[:_ADDRESS_CHARS] if request.client is not None else ""


def _json(value: Any, status: int = 200) -> Response:
    return Response(encode(value), status, media_type=answers.JSON)


def _error(error: BaseException) -> Response:
    status, fields = told(error)
    response = _json({"error": fields}, status)
    if status in {429, 503}:
        response.headers["retry-after"] = str(int(getattr(error, "retry_s", 0)) or 1)
    if status == 401:  # noqa: PLR2004 - Unauthorized
        response.headers["www-authenticate"] = "Bearer"
    return response


async def _no_page(_request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    words = {404: "there is no such page.", 405: "this page has no such method."}
    response = _error(
        BadRequest(status, words.get(status, "the request makes no sense."), hint="See /v1/openapi.json.")
    )
    response.headers.update(getattr(error, "headers", None) or {})
    return response


async def _file(name: str, _request: Request) -> Response:
    kind = _KINDS.get(os.path.splitext(name)[1], "application/octet-stream")
    return FileResponse(os.path.join(PAGES, name), media_type=kind, headers=_HEADERS)
