"""A page to try a corpus with, on this machine only.

Covers:     a server of the page, of `/search` and of `/stats`: who may ask, how much, how many at a time.
Not here:   the page itself (`web.html`), searching (`searching`).
Holds:      a thread for each connection, and the searches under way; see `bytes_max`.

It listens on 127.0.0.1 and nowhere else. What any page in the user's browser could ask of it as well is refused: names that were made
to lead here (DNS rebinding) by the header Host, requests of other sites by Sec-Fetch-Site. Texts of documents go out as JSON and are
never made HTML; the page may load nothing, and run nothing but its own script.
"""

from __future__ import annotations

import base64
import contextvars
import hashlib
import http.client
import http.server
import importlib.resources
import json
import os
import re
import socketserver
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from functools import cached_property
from http import HTTPStatus
from io import BufferedIOBase
from typing import TYPE_CHECKING, Any, Final, cast, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget

if TYPE_CHECKING:
    from flatwater.ingest.corpus import Corpus
    from flatwater.ingest.searching import By, Result

HOST: Final = "127.0.0.1"
HOLDER: Final = "search.web"
_JSON: Final = "application/json"
_FIELDS_MAX: Final = 16  # of an address; the page has four
_INLINE: Final = re.compile(rb"<(script|style)>(.*?)</\1>", re.DOTALL)


def serve(corpus: Corpus, *, port: int = 0, told: Callable[[str], object]) -> None:
    """Serve the page until Ctrl-C or a signal ends it. For the main thread.

    Args:
        corpus: that is searched.
        port: of 127.0.0.1; 0 is a free one.
        told: called with the page's address once it can be opened.

    Raises:
        UsageError: there is no such corpus.
        BudgetExceeded: the ambient budget has no room for the server. A search that finds none is told in the page.
        BrokenError: the port is taken.
    """
    corpus.stats()
    with Budget.current().reserve(bytes_max(), HOLDER), _listening(corpus, port) as server:
        told(server.url)
        try:
            server.serve_forever(poll_interval=0.1)
        finally:
            server.leave()


def bytes_max() -> int:
    """The most that the server holds, in bytes, beside the searches under way."""
    total = 0
    total += limits.INGEST_WEB_THREADS * limits.INGEST_WEB_THREAD_BYTES  # connections
    total += limits.INGEST_WEB_SEARCHES * answer_bytes_max()  # answers, as objects and as JSON
    return total


def answer_bytes_max() -> int:
    """The most that one answer takes: characters of four bytes, and as twelve of JSON."""
    metadata = limits.INGEST_WEB_METADATA * limits.INGEST_WEB_METADATA_CHARS
    return limits.INGEST_WEB_RESULTS_MAX * (limits.INGEST_WEB_TEXT_CHARS + metadata) * (4 + 12)


def _listening(corpus: Corpus, port: int) -> Server:
    try:
        return Server(corpus, port)
    except OSError as error:
        raise errors.BrokenError(
            f"port {port} of {HOST} cannot be had: {(error.strerror or str(error)).lower()}.",
            hint="Take another one, or leave --port out for a free one.",
        ) from error


@final
class Server(socketserver.ThreadingTCPServer):
    """Connections, a thread each, and not more of them than `limits.INGEST_WEB_THREADS`: others wait to be accepted."""

    daemon_threads = True  # one that waits for a search or for a browser does not keep the process
    allow_reuse_address = os.name != "nt"  # there it would share the port with others
    request_queue_size = 64

    def __init__(self, corpus: Corpus, port: int) -> None:
        self.corpus = corpus
        self.budget = Budget.current()
        self.searches = threading.BoundedSemaphore(limits.INGEST_WEB_SEARCHES)
        self._room = threading.BoundedSemaphore(limits.INGEST_WEB_THREADS)
        self._context = contextvars.copy_context()
        super().__init__((HOST, port), _Asked)
        self.port: int = self.server_address[1]
        self.url = f"http://{HOST}:{self.port}/"
        names = ("127.0.0.1", "localhost")
        self.hosts = {f"{name}:{self.port}" for name in names} | (
            set(names) if self.port == http.client.HTTP_PORT else set()
        )

    @cached_property
    def page(self) -> bytes:
        """The page as it is sent."""
        return importlib.resources.files("flatwater.ingest").joinpath("web.html").read_bytes()

    @cached_property
    def policy(self) -> str:
        """What the page may do: run its own script in its own style, and ask here."""
        hashes = {
            kind.decode(): base64.b64encode(hashlib.sha256(text).digest()).decode()
            for kind, text in _INLINE.findall(self.page)
        }
        return (
            f"default-src 'none'; script-src 'sha256-{hashes['script']}'; style-src 'sha256-{hashes['style']}'; connect-src 'self'; "
            "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )

    def process_request(self, request: Any, client_address: Any) -> None:
        """As soon as a thread is free."""
        self._room.acquire()
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._room.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """In the context that the server was made in: its budget is ambient there."""
        try:
            self._context.copy().run(super().process_request_thread, request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is none."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)

    def leave(self) -> None:
        """Give searches under way a moment, before what they need is closed."""
        until = time.monotonic() + limits.INGEST_WEB_END_S
        for _ in range(limits.INGEST_WEB_SEARCHES):
            self.searches.acquire(timeout=max(0.0, until - time.monotonic()))


@final
class _Asked(http.server.BaseHTTPRequestHandler):
    """One request; its connection ends with it."""

    server: Server
    server_version = "flatwater"
    sys_version = ""
    timeout = limits.INGEST_WEB_S
    error_content_type = "text/plain; charset=utf-8"
    error_message_format = "%(code)d %(message)s\n"

    def setup(self) -> None:
        """Bound what is read: a first line of one byte too many is told apart from headers by the base class."""
        super().setup()
        self.rfile = cast("BufferedIOBase", _Bounded(self.rfile, limits.INGEST_WEB_REQUEST_BYTES + 1))

    def do_GET(self) -> None:
        """Answer who may ask."""
        if (self.headers.get_all("Host") or [""]) not in [[host] for host in self.server.hosts]:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, f"this is {self.server.url}")
            return
        path, _, query = self.path.partition("?")
        answer = {"/": self._page, "/search": self._search, "/stats": self._stats}.get(path)
        if answer is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        elif path != "/" and self.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
            self.send_error(HTTPStatus.FORBIDDEN, "for the page alone")
        else:
            self._answer(answer, query)

    def _refuse(self) -> None:
        self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = _refuse  # noqa: N815 - the base class's names

    def _answer(self, answer: Callable[[dict[str, str]], None], query: str) -> None:
        """Whatever goes wrong is told in words."""
        try:
            answer(_fields(query))
        except errors.BudgetExceeded as error:
            self._say(HTTPStatus.SERVICE_UNAVAILABLE, error=str(error))
        except (errors.UsageError, errors.MissingExtra) as error:
            self._say(HTTPStatus.BAD_REQUEST, error=str(error))
        except errors.FlatwaterError as error:
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, error=str(error))
        except ConnectionError:
            raise  # the browser went away
        except Exception as error:  # noqa: BLE001 - whatever it is, the server goes on
            self.server.handle_error(
                self.request, self.client_address
            )  # before the answer: whoever reads that may look
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, error=f"the search failed: {type(error).__name__}.")

    def _page(self, _asked: dict[str, str]) -> None:
        self._send(HTTPStatus.OK, "text/html; charset=utf-8", self.server.page)

    def _stats(self, _asked: dict[str, str]) -> None:
        corpus = self.server.corpus
        self._say(HTTPStatus.OK, path=corpus.path, **corpus.stats())

    def _search(self, asked: dict[str, str]) -> None:
        query, k, by, where = _meant(asked)
        gate = self.server.budget.gate
        if reason := gate.reason:
            self._say(HTTPStatus.SERVICE_UNAVAILABLE, error=f"no searches now: {reason}. Try again in a moment.")
            return
        if not self.server.searches.acquire(timeout=limits.INGEST_WEB_WAIT_S):
            self._say(HTTPStatus.SERVICE_UNAVAILABLE, error="other searches are under way. Try again in a moment.")
            return
        try:
            begun = time.perf_counter()
            found = self.server.corpus.search(query, k, where=where, by=by)
            wall_s = round(time.perf_counter() - begun, 4)
            self._say(HTTPStatus.OK, query=query, wall_s=wall_s, results=[_shown(result) for result in found])
        finally:
            self.server.searches.release()

    def _say(self, status: HTTPStatus, **facts: Any) -> None:
        self._send(status, _JSON, json.dumps(facts).encode())

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.send_header("Retry-After", str(limits.INGEST_WEB_RETRY_S))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        """With what goes for all answers, those to nonsense, too."""
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        if getattr(self, "command", "GET") not in {"GET", None}:
            self.send_header("Allow", "GET")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: what is asked is nobody else's."""


@final
class _Bounded:
    """A request's lines, of so many bytes in all."""

    def __init__(self, file: BufferedIOBase, bytes_left: int) -> None:
        self._file = file
        self._left = bytes_left

    def readline(self, size: int) -> bytes:
        if not self._left:
            raise http.client.LineTooLong("request")
        line = self._file.readline(min(size, self._left))
        self._left -= len(line)
        return line

    def close(self) -> None:
        self._file.close()


def _fields(query: str) -> dict[str, str]:
    try:
        return dict(urllib.parse.parse_qsl(query, keep_blank_values=True, max_num_fields=_FIELDS_MAX))
    except ValueError:
        raise errors.UsageError(f"the address has more than {_FIELDS_MAX} fields.") from None


def _meant(asked: Mapping[str, str]) -> tuple[str, int, By, dict[str, Any] | None]:
    """Query, results at most, by what, and conditions.

    Raises:
        UsageError: it makes no sense.
    """
    query, source = asked.get("q", "").strip(), asked.get("source", "").strip()
    for what, text in (("query", query), ("pattern of sources", source)):
        if len(text) > limits.INGEST_WEB_QUERY_CHARS:
            raise errors.UsageError(
                f"the {what} has {len(text):,} characters.", hint=f"Up to {limits.INGEST_WEB_QUERY_CHARS:,} are taken."
            )
    number = asked.get("k") or str(limits.INGEST_WEB_RESULTS)
    k = int(number) if re.fullmatch("[0-9]{1,4}", number) else 0
    if not 1 <= k <= limits.INGEST_WEB_RESULTS_MAX:
        raise errors.UsageError(f"k={number!r:.20}.", hint=f"From 1 to {limits.INGEST_WEB_RESULTS_MAX}.")
    if source and not set("*?[") & set(source):
        source = f"*{source}*"
    return query, k, cast("By", asked.get("by") or "both"), {"source": source} if source else None


def _shown(result: Result) -> dict[str, Any]:
    """A result with no more than is shown; values of metadata as text."""
    shown = result.to_dict()
    shown["text"] = result.text[: limits.INGEST_WEB_TEXT_CHARS]
    shown["is_cut"] = len(result.text) > limits.INGEST_WEB_TEXT_CHARS
    some = list(result.metadata.items())[: limits.INGEST_WEB_METADATA]
    shown["metadata"] = {_short(name): _short(value) for name, value in some}
    return shown


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    most = limits.INGEST_WEB_METADATA_CHARS
    return text if len(text) <= most else f"{text[: most - 1]}…"
