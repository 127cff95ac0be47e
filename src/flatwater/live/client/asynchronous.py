"""A served database for coroutines: statements by HTTP, live queries that come back by themselves.

Covers:     the public `AsyncClient`: statements, tokens, trying again, live queries, closing.
Not here:   threads (`client.client`), results (`client.results`), live queries (`client.hub`, `client.subscription`).
Holds:      see `AsyncClient.bytes_max`.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Self, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.live.client import asking, retrying
from flatwater.live.client.client import bytes_max_of, http_of, request_of
from flatwater.live.client.keys import Keys
from flatwater.live.client.results import AsyncClientResult
from flatwater.live.refusals import Unauthenticated

if TYPE_CHECKING:
    import ssl

    import httpx

    from flatwater.live.client.hub import Hub
    from flatwater.live.client.subscription import AsyncClientSubscription


@final
class AsyncClient:
    """As `Client`, for coroutines of one event loop; an asynchronous context manager.

    Args:
        url: as for `Client`, as are the others.
        token: a text, or a function that gives one, which may be a coroutine's.
        user: with a password.
        password: of the user.
        timeout_s: for the server to go on with an answer.
        row_bytes: of the longest row as JSON.
        verify: of certificates.
    """

    def __init__(
        self, url: str, *, token: str | Callable[[], str | Awaitable[str]] | None = None, user: str | None = None,
        password: str | None = None, timeout_s: float = limits.CLIENT_TIMEOUT_S,
        row_bytes: str | int = limits.CLIENT_ROW_BYTES, verify: bool | str | ssl.SSLContext = True,
    ) -> None:  # fmt: skip
        self._settings = asking.settings(
            url, token, user, password, timeout_s=timeout_s, row_bytes=row_bytes, verify=verify
        )
        self.url = self._settings.url
        self._budget = Budget.current()
        self._keys = Keys(self._settings)
        self._lock = asyncio.Lock()
        self._http: httpx.AsyncClient = http_of(self._settings, is_async=True)
        self._hub: Hub | None = None
        self._is_closed = False

    def bytes_max(self, *, results: int = 1, subscriptions: int = 1, long_snapshots: int = 1) -> int:
        """As `Client.bytes_max`."""
        return bytes_max_of(self._settings, results, subscriptions, long_snapshots)

    # --- statements ---------------------------------------------------------------------------------------------------

    async def sql(self, text: str, params: Sequence[Any] = (), *, arrow: bool = False) -> AsyncClientResult:
        """As `Client.sql`; `async for` over what it gives."""
        self._alive()
        statement = asking.statement(text, params)
        form = asking.ARROW if arrow else asking.LINES if statement.reads else asking.JSON
        return await AsyncClientResult(self._ask, statement, form, self._budget, self._settings.row_bytes).open(form)

    async def _ask(self, statement: asking.Statement, form: str) -> httpx.Response:
        async for turn in retrying.turns(is_async=True):
            with turn:
                token = await self._token()
                try:
                    return await self._post("/v1/sql", statement.body, token, form, reads=statement.reads)
                except Unauthenticated:
                    if not self._keys.can_renew:
                        raise
                token = await self._token(stale=token)
                return await self._post("/v1/sql", statement.body, token, form, reads=statement.reads)
        raise AssertionError

    async def _post(self, path: str, body: bytes, token: str, form: str, *, reads: bool) -> httpx.Response:
        import httpx

        request = request_of(self._http, path, body, token, form)
        try:
            response = await self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise retrying.failed(error, reads=reads) from error
        if response.status_code == 200:  # noqa: PLR2004 - OK
            return response
        told = bytearray()
        try:
            async for part in response.aiter_raw():
                told += part
                if len(told) > limits.CLIENT_TOKEN_BYTES:
                    break
        except httpx.HTTPError:
            told.clear()
        finally:
            await response.aclose()
        refused = asking.refusal(response.status_code, bytes(told))
        raise retrying.refused(response.status_code, response.headers.get("retry-after", ""), refused, reads=reads)

    # --- tokens -------------------------------------------------------------------------------------------------------

    async def _token(self, stale: str = "") -> str:
        async with self._lock:
            found = self._keys.known(stale)
            if found is not None:
                return found
            if self._keys.function is not None:
                given = self._keys.function()
                return self._keys.give(await given if inspect.isawaitable(given) else given)
            refused: Unauthenticated | None = None
            for body, token in self._keys.asks(stale):
                try:
                    return self._keys.took(await self._asked(body, token))
                except Unauthenticated as error:
                    refused = error
            assert refused is not None
            raise refused

    async def _asked(self, body: bytes, token: str) -> bytes:
        import httpx

        async for turn in retrying.turns(is_async=True):
            with turn:
                response = await self._post("/v1/token", body, token, asking.JSON, reads=False)
                told = bytearray()
                try:
                    async for part in response.aiter_raw():
                        told += part
                        if len(told) > limits.CLIENT_TOKEN_BYTES:
                            raise asking.no_sense("answer is no token")
                except httpx.HTTPError as error:
                    raise errors.BrokenError("the server's answer was cut short.") from error
                finally:
                    await response.aclose()
                return bytes(told)
        raise AssertionError

    # --- live queries -------------------------------------------------------------------------------------------------

    async def subscribe(
        self, text: str, params: Sequence[Any] = (), *, last_rows: int | None = None, since: int | None = None
    ) -> AsyncClientSubscription:
        """As `Client.subscribe`; `async for` over what it gives."""
        from flatwater.live.client.hub import Hub
        from flatwater.live.client.subscription import AsyncClientSubscription

        self._alive()
        if self._hub is None:
            self._hub = Hub(self._settings, self._budget, self._token, self._keys)
        made = AsyncClientSubscription(self._hub, text, params, last_rows, since)
        return await made.open()

    # --- the end ------------------------------------------------------------------------------------------------------

    def _alive(self) -> None:
        if self._is_closed:
            raise errors.ClosedError("the client was closed.")

    async def close(self) -> None:
        """End: results and subscriptions, too. More than once does no harm."""
        self._is_closed = True
        hub, self._hub = self._hub, None
        if hub is not None:
            await hub.close()
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncClient {self.url}>"
