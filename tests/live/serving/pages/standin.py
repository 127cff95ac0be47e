"""A small server of the protocol over a Database in this process, for tests of its pages; what it says on a WebSocket can be scripted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
import threading
from importlib import resources

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import iterate_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from flatwater import errors
from flatwater.live.access import AccessDenied
from flatwater.live.changing import Conflict

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
CODES = [
    (AccessDenied, 403, "access_denied"), (Conflict, 409, "conflict"), (errors.LimitReached, 429, "limit_reached"),
    (errors.BudgetExceeded, 503, "budget_exceeded"), (errors.UsageError, 400, "usage"),
]  # fmt: skip


class Standin:
    """One server. `db` may be none where all is scripted; `script` is a coroutine function of a WebSocket that has been accepted."""

    def __init__(self, db, port=0, *, users=(), expires_s=3600, tokens=None):
        self.db = db
        self.script = None
        self.answer = None  # pieces of what every statement gets
        self.health = {"status": "ok", "rss": 52 << 20, "heap": 31 << 20, "external": 4 << 20, "uptime_s": 12.5,
                       "budget": {"limit": 128 << 20, "held": 40 << 20, "free": 88 << 20}, "connections": 1, "subscriptions": 0}  # fmt: skip
        self.tokens = {} if tokens is None else tokens
        self.one_times = set()
        self.heard = []
        self._users = dict(users)
        self._expires_s = expires_s
        self._sockets = set()
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        app = Starlette(
            routes=[
                Route("/v1/token", self._token, methods=["POST"]), Route("/v1/sql", self._sql, methods=["POST"]),
                WebSocketRoute("/v1/live", self._live), Route("/health", self._health), Route("/{name:path}", self._page),
            ]
        )  # fmt: skip
        self._server = uvicorn.Server(
            uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        async def main():
            self._loop = asyncio.get_running_loop()
            await self._server.serve(sockets=[self._socket])

        asyncio.run(main())

    def token(self, user, role="user"):
        made = ".".join(secrets.token_hex(4) for _ in range(3))
        self.tokens[made] = (user, role)
        return made

    def cut(self, code):
        """End all WebSockets."""
        for each in list(self._sockets):
            asyncio.run_coroutine_threadsafe(each.close(code), self._loop).result(10)

    def close(self):
        self._server.should_exit = True
        with contextlib.suppress(RuntimeError):
            self.cut(1012)
        self._thread.join()
        self._socket.close()

    # --- HTTP ---------------------------------------------------------------------------------------------------------

    async def _page(self, request):
        name = request.path_params["name"] or "console.html"
        page = resources.files("flatwater.live").joinpath("serving", "pages", name)
        if "/" in name or not page.is_file():
            return Response(status_code=404)
        return Response(
            page.read_bytes(), media_type=TYPES[name.rpartition(".")[2]], headers={"Content-Security-Policy": POLICY}
        )

    async def _health(self, _request):
        return JSONResponse(self.health)

    def _who(self, request):
        return self.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))

    async def _token(self, request):
        body = await request.json()
        self.heard.append(("token", body))
        who = self._who(request)
        if "user" in body and self._users.get(body["user"], ("", ""))[0] == body["password"]:
            who = (body["user"], self._users[body["user"]][1])
        elif body.get("one_time") in self.one_times:
            self.one_times.remove(body["one_time"])
            who = ("admin", "dba")
        elif who is None or "user" in body:
            return _told(401, "unauthenticated", "User or password is wrong.", "Try again.")
        return JSONResponse({"token": self.token(*who), "user": who[0], "role": who[1], "expires_s": self._expires_s})

    async def _sql(self, request):
        who = self._who(request)
        if who is None:
            return _told(401, "unauthenticated", "There is no token, or it has ended.", "Log in again.")
        body = await request.json()
        self.heard.append(("sql", body))
        if self.answer is not None:
            return StreamingResponse(_given(self.answer), media_type="application/json")
        try:
            result = await asyncio.to_thread(self.db.sql, body["sql"], body.get("params", []), user=who[0])
        except errors.FlatwaterError as error:
            return _told(*_coded(error))
        return StreamingResponse(iterate_in_threadpool(_streamed(result)), media_type="application/json")

    # --- WebSocket ----------------------------------------------------------------------------------------------------

    async def _live(self, websocket):
        await websocket.accept()
        self._sockets.add(websocket)
        tasks = {}
        try:
            if self.script is not None:
                await self.script(websocket)
                return
            async for text in websocket.iter_text():
                message = json.loads(text)
                self.heard.append((message["type"], message))
                if message["type"] == "authenticate":
                    who = self.tokens.get(message["token"])
                    if who is None:
                        await websocket.close(4401)
                        return
                    await _send(websocket, type="authenticated", user=who[0], role=who[1], expires_s=self._expires_s)
                elif message["type"] == "subscribe":
                    tasks[message["id"]] = asyncio.create_task(self._follow(websocket, message, who, len(self.heard)))
                elif message["type"] == "unsubscribe":
                    tasks.pop(message["id"]).cancel()
                    await _send(websocket, type="unsubscribed", id=message["id"])
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            self._sockets.discard(websocket)
            for task in tasks.values():
                task.cancel()

    async def _follow(self, websocket, message, who, channel):
        own = {name: message[name] for name in ("last_rows", "since") if name in message}
        try:
            followed = self.db.subscribe(message["sql"], message.get("params", []), user=who[0], **own)
        except errors.FlatwaterError as error:
            await _send(websocket, type="error", id=message["id"], error=_error(*_coded(error)[1:]))
            return
        try:
            await _send(websocket, type="subscribed", id=message["id"], channel=channel, columns=[])
            is_ready, page = False, []
            while True:
                event = await followed.apoll(5 if is_ready else 0.05)
                if event is not None and event.op == "snapshot":
                    page.append(event.row)
                if page and (event is None or event.op != "snapshot" or len(page) == 100):
                    await _send(websocket, channel=channel, op="snapshot", seq=followed.seq, rows=page)
                    page = []
                if event is None:
                    if not is_ready:
                        await _send(websocket, channel=channel, op="ready", seq=followed.seq)
                    is_ready = True
                elif event.op != "snapshot":
                    rows = {} if event.row is None else {"row": event.row}
                    rows |= {"old": event.old} if event.op == "update" else {}
                    await _send(websocket, channel=channel, op=event.op, seq=event.seq, **rows)
        except errors.FlatwaterError as error:
            await _send(websocket, type="ended", id=message["id"], error=_error(*_coded(error)[1:]))
        finally:
            followed.close()


async def _given(pieces):
    for piece in pieces:
        yield piece
        await asyncio.sleep(0)


async def _send(websocket, **message):
    await websocket.send_text(json.dumps(message, default=str))


def _coded(error):
    status, code = next(((status, code) for kind, status, code in CODES if isinstance(error, kind)), (500, "broken"))
    return status, code, error.args[0], error.hint


def _error(code, message, hint):
    return {"code": code, "message": message, "hint": hint}


def _told(status, code, message, hint):
    return JSONResponse({"error": _error(code, message, hint)}, status)


def _streamed(result):
    columns, between, failed = list(result.columns), "", ""
    yield json.dumps({"columns": columns})[:-1] + ', "rows": ['
    try:
        for line in result.json():
            yield between + line.decode().rstrip()
            between = ", "
    except errors.FlatwaterError as error:
        failed = ', "error": ' + json.dumps(_error(*_coded(error)[1:]))
    yield f'], "count": {result.count if result.count >= 0 else "null"}{failed}}}'
