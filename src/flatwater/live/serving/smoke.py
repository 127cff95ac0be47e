"""A server tried from outside, end to end: what somebody does who wants to know whether it works here.

Covers:     tokens, statements in all forms, users apart, live queries, resuming, health, metrics, the console's files.
Not here:   the parts themselves.
Holds:      a database with some rows.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from flatwater import errors

_WAIT_S = 10.0


class Check(NamedTuple):
    """One thing that was tried.

    Attributes:
        name: what.
        works: whether it does.
        why: what was found where it does not.
    """

    name: str
    works: bool
    why: str = ""


def smoke(path: str) -> Iterator[Check]:
    """Serve a database in an empty directory, and try everything.

    Args:
        path: of the directory.

    Raises:
        MissingExtra: libraries of `serve` or `client` are not installed.
    """
    try:
        import httpx
        from websockets.sync.client import connect
    except ModuleNotFoundError as error:
        raise errors.MissingExtra("client", error.name or "a library") from error
    from flatwater.live.database import Database

    with contextlib.ExitStack() as opened:
        database = opened.enter_context(Database(path))
        server = opened.enter_context(database.serve(port=0))
        http = opened.enter_context(httpx.Client(base_url=server.url, timeout=_WAIT_S, trust_env=False))
        tried = _Tried(
            http,
            server,
            lambda: connect(server.url.replace("http", "ws", 1) + "/v1/live", compression=None, proxy=None),
        )
        for name, check in tried.checks():
            try:
                check()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what was found
                yield Check(name, False, f"{type(error).__name__}: {error}"[:300])  # noqa: FBT003 - a field with a name
            else:
                yield Check(name, True)  # noqa: FBT003 - the same


class _Tried:
    """The checks, each of which stands on those before."""

    def __init__(self, http: Any, server: Any, connect: Callable[[], Any]) -> None:
        self._http, self._server, self._connect = http, server, connect
        self._admin = self._ada = self._bob = ""
        self._seq = 0

    def checks(self) -> Iterator[tuple[str, Callable[[], None]]]:
        yield "nobody gets in without a token", self._closed
        yield "the one-time token holds once", self._one_time
        yield "tables are made", self._tables
        yield "users are apart", self._users
        yield "rows as JSON, lines and Arrow", self._forms
        yield "an error says what to do", self._error
        yield "a live query: snapshot, insert, update, delete", self._live
        yield "a live query goes on where it was", self._resume
        yield "health and metrics", self._health
        yield "the console", self._console

    def _sql(self, text: str, params: Any = (), *, token: str = "", accept: str = "application/json") -> Any:
        headers = {"authorization": f"Bearer {token or self._admin}", "accept": accept}
        return self._http.post("/v1/sql", json={"sql": text, "params": list(params)}, headers=headers)

    def _closed(self) -> None:
        _same(self._http.post("/v1/sql", json={"sql": "SELECT 1"}).status_code, 401)

    def _one_time(self) -> None:
        body = {"one_time": self._server.one_time_token}
        found = self._http.post("/v1/token", json=body)
        _same(found.status_code, 200)
        self._admin = found.json()["token"]
        _same(self._http.post("/v1/token", json=body).status_code, 401)

    def _tables(self) -> None:
        _same(self._sql("CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')").status_code, 200)

    def _users(self) -> None:
        for name in ("ada", "bob"):
            headers = {"authorization": f"Bearer {self._admin}"}
            token = self._http.post("/v1/token", json={"for": name}, headers=headers).json()["token"]
            setattr(self, f"_{name}", token)
            _same(self._sql("INSERT INTO notes VALUES (1, ?)", [name], token=token).json()["count"], 1)
        _same(self._sql("SELECT * FROM notes", token=self._ada).json()["rows"], [{"id": 1, "body": "ada"}])

    def _forms(self) -> None:
        import pyarrow as pa

        lines = self._sql("SELECT body FROM notes", token=self._ada, accept="application/x-ndjson").text
        _same([json.loads(line) for line in lines.splitlines()], [{"body": "ada"}])
        arrow = self._sql(
            "SELECT count(*) AS n FROM notes", token=self._ada, accept="application/vnd.apache.arrow.stream"
        ).content
        _same(pa.ipc.open_stream(io.BytesIO(arrow)).read_all().to_pylist(), [{"n": 1}])

    def _error(self) -> None:
        found = self._sql("SELECT * FROM nothing", token=self._ada)
        _same((found.status_code, found.json()["error"]["code"]), (400, "usage"))

    @contextlib.contextmanager
    def _following(self, **options: Any) -> Iterator[Callable[[], Any]]:
        with self._connect() as socket:

            def hear() -> Any:
                return json.loads(socket.recv(_WAIT_S))

            socket.send(json.dumps({"type": "authenticate", "token": self._ada}))
            _same(hear()["type"], "authenticated")
            socket.send(json.dumps({"type": "subscribe", "id": 1, "sql": "SELECT * FROM notes", **options}))
            _same(hear()["type"], "subscribed")
            yield hear

    def _live(self) -> None:
        with self._following() as hear:
            _same(hear()["rows"], [{"id": 1, "body": "ada"}])
            _same(hear()["op"], "ready")
            self._sql("INSERT INTO notes VALUES (2, 'x')", token=self._bob)
            for statement, op in (
                ("INSERT INTO notes VALUES (2, 'new')", "insert"),
                ("UPDATE notes SET body = 'newer' WHERE id = 2", "update"),
                ("DELETE FROM notes WHERE id = 2", "delete"),
            ):
                self._sql(statement, token=self._ada)
                found = hear()
                _same((found["op"], found["row"]["id"]), (op, 2))
            self._seq = found["seq"]

    def _resume(self) -> None:
        self._sql("INSERT INTO notes VALUES (3, 'meanwhile')", token=self._ada)
        with self._following(since=self._seq) as hear:
            found = [hear(), hear()]
        _same([each["row"]["id"] for each in found if each["op"] == "insert"], [3])

    def _health(self) -> None:
        _same(self._http.get("/health").json()["status"], "ok")
        text = self._http.get("/metrics", headers={"authorization": f"Bearer {self._admin}"}).text
        _same("flatwater_budget_held_bytes" in text, True)  # noqa: FBT003 - what is compared

    def _console(self) -> None:
        found = self._http.get("/")
        _same((found.status_code, "text/html" in found.headers["content-type"]), (200, True))


def _same(found: Any, wanted: Any) -> None:
    if found != wanted:
        raise errors.BrokenError(f"{wanted!r:.100} was expected, {found!r:.100} came.")
