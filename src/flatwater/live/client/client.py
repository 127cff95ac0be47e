"""A served database for a program with threads: statements by HTTP, live queries that come back by themselves.

Covers:     the public `Client`: statements, tokens, trying again, live queries, closing.
Not here:   coroutines (`client.asynchronous`), results (`client.results`), live queries (`client.hub`, `client.subscription`).
Holds:      see `Client.bytes_max`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.live.client import asking, retrying
from flatwater.live.client.keys import Keys
from flatwater.live.client.results import ClientResult
from flatwater.live.refusals import Unauthenticated

if TYPE_CHECKING:
    import ssl

    import httpx

    from flatwater.live.client.subscription import ClientSubscription


@final
class Client:
    """A served database. Thread-safe; a result and a subscription are one thread's at a time. A context manager.

    Memory is taken from the ambient budget, where it is made: see `bytes_max()`. Proxies of the environment are not used.

    Args:
        url: of the server, such as `http://127.0.0.1:8642`.
        token: who it is; a text, or a function that gives one, which is called again when that one has ended.
        user: who it is, with a password: it logs in by itself, and again before that ends.
        password: of the user.
        timeout_s: for the server to go on with an answer.
        row_bytes: of the longest row as JSON.
        verify: with https, whose certificates it believes, for statements and live queries: the system's authorities, those in PEM files at a
            path, any (False: whoever is on the way can read and change everything), or what an `ssl.SSLContext` says.

    Raises:
        UsageError: an argument makes no sense.
        MissingExtra: `flatwater[client]` is not installed.
    """

    def __init__(
        self, url: str, *, token: str | Callable[[], str] | None = None, user: str | None = None, password: str | None = None,
        timeout_s: float = limits.CLIENT_TIMEOUT_S, row_bytes: str | int = limits.CLIENT_ROW_BYTES,
        verify: bool | str | ssl.SSLContext = True,
    ) -> None:  # fmt: skip
        self._settings = asking.settings(
            url, token, user, password, timeout_s=timeout_s, row_bytes=row_bytes, verify=verify
        )
        self.url = self._settings.url
        self._budget = Budget.current()
        self._keys = Keys(self._settings)
        self._lock = threading.Lock()  # of the token
        self._http: httpx.Client = http_of(self._settings, is_async=False)
        self._is_closed = False
        self._live: Any = None
        self._live_lock = threading.Lock()

    def bytes_max(self, *, results: int = 1, subscriptions: int = 1, long_snapshots: int = 1) -> int:
        """The most it holds with so many results and subscriptions open, in bytes.

        Args:
            results: read at once.
            subscriptions: open.
            long_snapshots: of these, which wait to be read; each has a connection of its own.
        """
        return bytes_max_of(self._settings, results, subscriptions, long_snapshots)

    # --- statements ---------------------------------------------------------------------------------------------------

    def sql(self, text: str, params: Sequence[Any] = (), *, arrow: bool = False) -> ClientResult:
        """Do one statement; the server has begun it when this returns.

        A SELECT is tried again a few times where a connection breaks or the server asks for it; another statement only
        if the server did not receive it.

        Args:
            text: of the statement.
            params: a value for each `?`.
            arrow: its rows are to be read as Arrow batches.

        Raises:
            UsageError, AccessDenied, Conflict, LimitReached, BudgetExceeded, Unauthenticated: the server refuses it.
            BrokenError: the server cannot be reached, the connection broke, or something is wrong there.
        """
        self._alive()
        statement = asking.statement(text, params)
        form = asking.ARROW if arrow else asking.LINES if statement.reads else asking.JSON
        return ClientResult(self._ask, statement, form, self._budget, self._settings.row_bytes)

    def _ask(self, statement: asking.Statement, form: str) -> httpx.Response:
        """The response to a statement, of which the body is not read."""
        for turn in retrying.turns():
            with turn:
                token = self._token()
                try:
                    return self._post("/v1/sql", statement.body, token, form, reads=statement.reads)
                except Unauthenticated:
                    if not self._keys.can_renew:
                        raise
                return self._post("/v1/sql", statement.body, self._token(stale=token), form, reads=statement.reads)
        raise AssertionError

    def _post(self, path: str, body: bytes, token: str, form: str, *, reads: bool) -> httpx.Response:
        import httpx

        request = request_of(self._http, path, body, token, form)
        try:
            response = self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise retrying.failed(error, reads=reads) from error
        if response.status_code == 200:  # noqa: PLR2004 - OK
            return response
        told = bytearray()
        try:
            for part in response.iter_raw():
                told += part
                if len(told) > limits.CLIENT_TOKEN_BYTES:
                    break
        except httpx.HTTPError:
            told.clear()
        finally:
            response.close()
        refused = asking.refusal(response.status_code, bytes(told))
        raise retrying.refused(response.status_code, response.headers.get("retry-after", ""), refused, reads=reads)

    # --- tokens -------------------------------------------------------------------------------------------------------

    def _token(self, stale: str = "") -> str:
        """A token that holds, as far as is known; "" for none.

        Args:
            stale: one that was refused.
        """
        with self._lock:
            found = self._keys.known(stale)
            if found is not None:
                return found
            if self._keys.function is not None:
                return self._keys.give(self._keys.function())
            refused: Unauthenticated | None = None
            for body, token in self._keys.asks(stale):
                try:
                    return self._keys.took(self._asked(body, token))
                except Unauthenticated as error:
                    refused = error
            assert refused is not None
            raise refused

    def _asked(self, body: bytes, token: str) -> bytes:
        """The answer of /v1/token."""
        import httpx

        for turn in retrying.turns():
            with turn:
                response = self._post("/v1/token", body, token, asking.JSON, reads=False)
                told = bytearray()
                try:
                    for part in response.iter_raw():
                        told += part
                        if len(told) > limits.CLIENT_TOKEN_BYTES:
                            raise asking.no_sense("answer is no token")
                except httpx.HTTPError as error:
                    raise errors.BrokenError("the server's answer was cut short.") from error
                finally:
                    response.close()
                return bytes(told)
        raise AssertionError

    # --- live queries -------------------------------------------------------------------------------------------------

    def subscribe(
        self, text: str, params: Sequence[Any] = (), *, last_rows: int | None = None, since: int | None = None
    ) -> ClientSubscription:
        """The rows of a query, then their changes as they are committed, each once, in order.

        Where the connection breaks it is made again, for as long as it takes, and goes on where it was. A break in the
        middle of a snapshot gives a `reset` event, and a new snapshot. All live queries share one connection.

        Args:
            text: SELECT columns FROM table WHERE …
            params: a value for each `?`.
            last_rows: of the snapshot, which is all rows unless told otherwise; 0 for none.
            since: go on behind this number, without a snapshot: `.seq` of a subscription or event before.

        Raises:
            UsageError, AccessDenied, LimitReached, BudgetExceeded, Unauthenticated: the server refuses it.
            BrokenError: the server cannot be reached within `timeout_s`.
        """
        from flatwater.live.client.subscription import ClientSubscription

        return ClientSubscription(self._live_thread(), text, params, last_rows, since)

    def _live_thread(self) -> Any:
        with self._live_lock:
            self._alive()
            if self._live is None:
                from flatwater.live.client.background import Background

                self._live = Background(self._settings, self._budget, self._token, self._keys)
            return self._live

    # --- the end ------------------------------------------------------------------------------------------------------

    def _alive(self) -> None:
        if self._is_closed:
            raise errors.ClosedError("the client was closed.")

    def close(self) -> None:
        """End: results and subscriptions, too. More than once does no harm. Waits for some seconds at most, also for a server that is silent."""
        with self._live_lock:
            self._is_closed = True
            live, self._live = self._live, None
        if live is not None:
            live.close()
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client {self.url}>"


def http_of(settings: asking.Settings, *, is_async: bool) -> Any:
    """A client of httpx.

    Raises:
        MissingExtra: it is not installed.
        UsageError: there is no such address.
    """
    try:
        import httpx
        import tenacity  # noqa: F401 - looked for when a client is made
    except ImportError as error:
        raise errors.MissingExtra("client", error.name or "httpx") from None
    try:
        kind = httpx.AsyncClient if is_async else httpx.Client
        return kind(
            base_url=settings.url, verify=settings.tls or False, trust_env=False, follow_redirects=False,
            timeout=httpx.Timeout(settings.timeout_s, connect=min(settings.timeout_s, limits.CLIENT_CONNECT_S)),
            limits=httpx.Limits(
                max_connections=limits.CLIENT_HTTP_MAX, max_keepalive_connections=limits.CLIENT_HTTP_MAX,
                keepalive_expiry=limits.CLIENT_HTTP_IDLE_S,
            ),
        )  # fmt: skip
    except httpx.InvalidURL as error:
        raise errors.UsageError(
            f"this is no address of a server: {error!s:.100}", hint="Such as http://127.0.0.1:8642."
        ) from None


def request_of(http: httpx.Client | httpx.AsyncClient, path: str, body: bytes, token: str, form: str) -> httpx.Request:
    """A request; `path` begins with a slash and stands behind the server's address."""
    headers = {"accept": form, "accept-encoding": "identity", "content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    return http.build_request("POST", path, content=body, headers=headers)


def bytes_max_of(settings: asking.Settings, results: int, subscriptions: int, long_snapshots: int) -> int:
    """The most a client holds, in bytes."""
    sockets = min(limits.CLIENT_SOCKETS_MAX, 1 + long_snapshots) if subscriptions else 0
    total = 0
    total += results * limits.CLIENT_RESULT_BYTES  # a piece of each body, and the rows that are made of it
    total += results * 3 * settings.row_bytes  # a row that is longer than a piece
    total += sockets * 2 * settings.message_bytes  # a message that arrives, as bytes and put together
    total += sockets * limits.CLIENT_SOCKET_BYTES  # what came behind it
    total += subscriptions * limits.CLIENT_FEED_BYTES  # that wait to be read
    total += subscriptions * settings.message_bytes  # the one message that is longer than these
    return total
