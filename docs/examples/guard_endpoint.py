"""An endpoint that returns what the table holds: it dies of one request, or answers 413.

python docs/examples/guard_endpoint.py 400000             as it was written
python docs/examples/guard_endpoint.py 400000 --guarded   with a page guard, in two lines

Run it below `flatwater run --budget 128MiB --` to see it die. It serves on the loopback interface, asks itself three times,
and prints the answers.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, make_server

from flatwater.source.guard import PageTooLarge, page_guard

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def orders(path: str) -> Application:
    """A WSGI application: the orders of one customer, or, if nobody thought of it, of all of them."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        connection: Any = page_guard.wrap(sqlite3.connect(path))
        try:
            customer = parse_qs(environ["QUERY_STRING"]).get("customer", ["%"])[0]
            found = connection.execute("SELECT id, customer, note FROM orders WHERE customer LIKE ?", (customer,))
            body = json.dumps([{"id": row[0], "customer": row[1], "note": row[2]} for row in found.fetchall()])
        finally:
            connection.close()
        start_response("200 OK", [("Content-Type", "application/json")])
        return [body.encode()]

    return application


def guarded(application: Application) -> Application:
    """The same application, in which no query returns more than a page."""
    limit = page_guard(max_rows=1_000, max_bytes="1 MiB")

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            with limit:
                return application(environ, start_response)
        except PageTooLarge as error:
            start_response("413 Content Too Large", [("Content-Type", "text/plain")])
            return [f"more than {error.limit:,.0f}; ask for a part".encode()]

    return answer


class Quiet(WSGIRequestHandler):
    """No line for each request."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


def table_of(rows: int, path: str) -> None:
    """A table of `rows` orders, forty for each customer."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, note TEXT)")
        made = ((i, f"customer {i // 40}", f"order number {i}, to be sent by ship") for i in range(rows))
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", made)


def ask(url: str) -> str:
    """The answer in one line."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - our own server
            return f"{answer.status} with {len(answer.read()):,} bytes"
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.code} {error.read().decode()}"


def main(rows: int, *, is_guarded: bool) -> None:
    """Serve, and ask for one customer, for all, and for one again."""
    with tempfile.NamedTemporaryFile(suffix=".db") as file:
        table_of(rows, file.name)
        application = orders(file.name)
        if is_guarded:
            application = guarded(application)
        with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            for query in ("?customer=customer+7", "", "?customer=customer+8"):
                print(f"/orders{query:24}{ask(f'http://127.0.0.1:{server.server_port}/{query}')}", flush=True)
            server.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]), is_guarded="--guarded" in sys.argv)
