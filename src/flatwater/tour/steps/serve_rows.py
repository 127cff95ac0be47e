"""A step of the tour: rows are served while they change, to a thousand subscribers and to a page.

Covers:     what the step promises, the server, rows that are written, changed and deleted, what everybody was given.
Not here:   the subscribers, who are a process of their own (`tour.steps.subscribers`), the server (`live.serving`).
Holds:      the database and pages of its file, the server's connections: see `ServeRows.bytes_max`.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits
from flatwater.budget import Budget
from flatwater.source.tables.table import Table
from flatwater.tour import onlooker
from flatwater.tour.step import Inputs, StepResult, trouble_without
from flatwater.tour.steps import subscribers, users
from flatwater.tour.steps.live_rows import database_bytes
from flatwater.units import KIB, MIB

if TYPE_CHECKING:  # what these import is not there without the extra
    from flatwater.live.database import Database
    from flatwater.live.serving.server import Server

FOLDER = "served"
PART_ROWS = 20  # that one statement writes; then some are changed, and some deleted
CHANGED_EACH, GONE_EACH = 3, 10
CHANGE = 1_000_000  # cents
_NEEDED = (("tables", "apsw"), ("live", "lmdb"), ("live", "sqlglot"), ("serve", "uvicorn"), ("serve", "starlette"),
           ("serve", "websockets"), ("serve", "jwt"), ("serve", "argon2"))  # fmt: skip
_ROW_BYTES = KIB  # of the file, for each row and its log
_TABLE = """
    CREATE TABLE accounts (id BIGINT PRIMARY KEY, name TEXT, cents BIGINT NOT NULL) WITH (TYPE = 'SHARED', ACCESS_LEVEL = 'PUBLIC')
"""
_ALL = "SELECT * FROM accounts"


class ServedWrongError(errors.BrokenError):
    """Somebody was given something else than what was written."""


@final
class ServeRows:
    """Serves rows while it writes them. For one use, in one thread.

    Attributes:
        trouble: why it cannot run; empty if it can.
    """

    name = "serve"
    naive = "flatwater.tour.naive.serve"

    def __init__(self) -> None:
        self.trouble = trouble_without(_NEEDED)
        self._path = self._browser = ""
        self._rows = 0

    @property
    def bytes_least(self) -> int:
        """With few rows."""
        return self._working_bytes() + MIB

    def bytes_max(self, room: int) -> int:
        """As much as the database's file may have, up to a bound."""
        total = 0
        total += self._working_bytes()  # beside the file
        total += min(room - total, limits.TOUR_SERVE_BYTES)  # pages of the file: rows, and the log of their changes
        return total

    def prepare(self, inputs: Inputs) -> None:
        """Make the table, and serve a few rows once: what the first use imports belongs to the baseline."""
        if self.trouble:
            return
        made = users.make(inputs)
        self.trouble = made.trouble
        if made.trouble:
            return
        self._path, self._rows = made.path, made.rows
        if inputs.browser:
            onlooker.write(inputs.browser, onlooker.SOON, "a step will serve")
        try:
            self._served(inputs, ".small", 3 * PART_ROWS, 2, inputs.seconds)
            shutil.rmtree(os.path.join(inputs.folder, FOLDER + ".small"), ignore_errors=True)
        except ServedWrongError:
            raise  # it is not the place that is wrong
        except (OSError, errors.BrokenError) as error:
            self.trouble = f"{inputs.folder!r} cannot be served: {error}"

    def run(self, budget: Budget, inputs: Inputs) -> StepResult:
        """Serve rows until the time or the room is over, then look at what came.

        Raises:
            ServedWrongError: somebody was given something else than what was written.
        """
        wanted = min(self._rows, limits.TOUR_SERVE_ROWS, (budget.free - self._working_bytes()) // _ROW_BYTES)
        with budget.reserve(limits.TOUR_SUBSCRIBERS_BYTES, "serve.subscribers"):
            told = self._served(inputs, "", wanted, limits.TOUR_SUBSCRIBERS, inputs.seconds / 2, inputs.browser)
        count, written = told["connections"], told["written"]
        notes = (
            f"{written:,} rows written, some changed, some deleted, while {count:,} connections followed them from a process of their own",
            f"each was given the same {told['events'] // count:,} changes, once each, in order, which add up to the {told['rows']:,} rows that are left",
            f"the console and its module were read meanwhile by {told['pages']:,} pages that a browser would open",
            *([self._browser] if self._browser else []),
        )
        return StepResult(
            told["events"], told["bytes"], "deliveries", complete=written == wanted, notes=notes, details=told
        )

    def _served(
        self, inputs: Inputs, suffix: str, rows: int, count: int, seconds: float, browser: str = ""
    ) -> dict[str, int]:
        """Serve so many rows to so many connections, and to a browser if there is one; what came of it."""
        path = os.path.join(inputs.folder, FOLDER + suffix)
        with contextlib.ExitStack() as opened:
            database: Database = opened.enter_context(
                importlib.import_module("flatwater.live.database").Database(path, sync="off")
            )
            database.sql(_TABLE)
            server = opened.enter_context(database.serve(port=0))
            followers = opened.enter_context(_followers(server, count))
            written = pages = 0
            looks = browser and self._invite(browser, server)
            until_s = time.monotonic() + seconds
            with contextlib.closing(Table(self._path, "users").find_each(batch_bytes=256 * KIB)) as found:
                wanted = islice(found, rows)
                while part := list(islice(wanted, PART_ROWS)):
                    _write(database, part)
                    written += len(part)
                    if written % (10 * PART_ROWS) == 0 or written == len(part):
                        pages += _page(server)
                    if time.monotonic() > until_s:
                        break
            database.sql("INSERT INTO accounts VALUES (-1, 'the end', 0)")
            told = _told(followers)
            if looks:
                saw = onlooker.waited_for(browser, onlooker.SAW, limits.TOUR_BROWSER_S)
                self._browser = saw or "the browser did not tell what it showed"
            left = cents = 0
            for row in database.sql(f"{_ALL} WHERE id >= 0"):
                left += 1
                cents += row["cents"]
        if (told["different"], told["rows"], told["cents"]) != (1, left, cents):
            raise ServedWrongError(f"{told} was given, where {left:,} rows with {cents:,} cents were to come.")
        size = sum(os.path.getsize(os.path.join(at, name)) for at, _below, names in os.walk(path) for name in names)
        return told | {"written": written, "pages": pages, "bytes": size}

    def _invite(self, browser: str, server: Server) -> bool:
        """Tell the onlooker where to look; whether a browser has the console open, with a live query."""
        onlooker.write(browser, onlooker.ADDRESS, f"{server.url.rstrip('/')}/#token={server.token('reader')}")
        told = onlooker.waited_for(browser, onlooker.READY, 2 * limits.TOUR_BROWSER_S)
        self._browser = "" if told == "yes" else told or "the browser was not ready in time"
        return told == "yes"

    @staticmethod
    def _working_bytes() -> int:
        each = limits.SERVE_CONNECTION_BYTES + limits.SERVE_FEED_BYTES + 2 * KIB  # its live query, and the text of it
        total = 0
        total += database_bytes()
        total += 2 * limits.STORE_BATCH_BYTES  # a walk over the tables that it knows, when it is opened
        total += 2 * limits.LIVE_PAGE_BYTES + limits.LIVE_LOG_PAGE_BYTES  # a walk over rows
        total += (limits.TOUR_SUBSCRIBERS + limits.TOUR_BROWSER_CONNECTIONS) * each  # connections
        total += limits.TOUR_SUBSCRIBERS // 4 * 2 * limits.SERVE_OUTBOX_BYTES  # those that are slow, for a moment
        total += limits.SERVE_READERS * limits.LIVE_LOG_PAGE_BYTES  # reading the log for them
        total += limits.SERVE_FANOUT_BYTES  # changes that wait to be given
        total += 2 * limits.SERVE_REQUEST_BYTES + limits.SERVE_HTTP_BYTES  # a page
        total += limits.TOUR_SUBSCRIBERS_BYTES  # the process of those who follow
        total += 2 * limits.SQLITE_CACHE_BYTES + limits.DRIVER_BYTES  # the table, as `Table.bytes_max` counts
        return total


def _write(database: Database, rows: list[Any]) -> None:
    """Add rows, in one statement; change some, delete some."""
    values: list[Any] = [value for row in rows for value in (row["id"], row["name"], row["cents"])]
    database.sql(f"INSERT INTO accounts VALUES {', '.join(['(?, ?, ?)'] * len(rows))}", values)  # noqa: S608 - marks of parameters
    first, last = rows[0]["id"], rows[-1]["id"]
    between = "WHERE id BETWEEN ? AND ? AND id % ? = 0"
    database.sql(f"UPDATE accounts SET cents = cents + ? {between}", [CHANGE, first, last, CHANGED_EACH])  # noqa: S608 - a text of our own
    database.sql(f"DELETE FROM accounts {between}", [first, last, GONE_EACH])  # noqa: S608 - a text of our own


def _page(server: Server) -> int:
    """What a browser reads to show the console."""
    import http.client
    from urllib.parse import urlsplit

    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    with contextlib.closing(connection):
        for path, mark in (("/", b"console.js"), ("/flatwater.js", b"export"), ("/health", b'"status"')):
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status != 200 or mark not in answer.read():  # noqa: PLR2004 - OK
                raise ServedWrongError(f"the page {path} came with status {answer.status}, or is another one.")
    return 1


@contextlib.contextmanager
def _followers(server: Server, count: int) -> Iterator[subprocess.Popen[str]]:
    """The process of those who follow, once all are ready."""
    port = server.url.rpartition(":")[2]
    program = [sys.executable, "-I", "-S", subscribers.__file__, port, str(count), server.token("reader"), _ALL]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        try:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise ServedWrongError(f"subscribers ended: {process.communicate()[1][-500:]}")
            yield process
        finally:
            process.kill()


def _told(process: subprocess.Popen[str]) -> dict[str, int]:
    out, error = process.communicate(timeout=120)
    if process.returncode:
        raise ServedWrongError(f"subscribers ended: {error[-500:]}")
    told: dict[str, int] = json.loads(out)
    return told
