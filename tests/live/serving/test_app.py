"""HTTP: statements in all forms, tokens, errors as the protocol has them, bodies that are large, slow or no bodies."""

import contextlib
import io
import json
import select
import socket
import threading
import time

import pyarrow as pa
import pytest

from flatwater import limits
from flatwater.live.serving import app

LINES, ARROW = "application/x-ndjson", "application/vnd.apache.arrow.stream"


def test_statements(ask):
    """Rows, counts and names of columns come as JSON; each user sees and changes his own rows alone."""
    assert ask.sql("INSERT INTO notes VALUES (?, ?), (?, ?)", [1, "a", 2, "b"]).json() == {
        "columns": [],
        "rows": [],
        "count": 2,
    }
    assert ask.sql("INSERT INTO notes VALUES (1, 'bob')", user="bob").json()["count"] == 1
    found = ask.sql("SELECT * FROM notes ORDER BY id").json()
    assert found == {"columns": ["id", "body"], "rows": [{"id": 1, "body": "a"}, {"id": 2, "body": "b"}], "count": None}
    assert ask.sql("DELETE FROM notes").json()["count"] == 2
    assert ask.sql("SELECT body FROM notes", user="bob").json()["rows"] == [{"body": "bob"}]


def test_lines(ask):
    """Lines of JSON are one row each, of a row as it stands and of a query of the engine."""
    ask.sql("INSERT INTO notes VALUES (1, 'a'), (2, 'b')")
    assert ask.sql("SELECT * FROM notes", accept=LINES).text == '{"id":1,"body":"a"}\n{"id":2,"body":"b"}\n'
    assert ask.sql("SELECT count(*) AS n FROM notes", accept=LINES).text == '{"n":2}\n'
    assert ask.sql("SELECT * FROM notes WHERE id = 9", accept=LINES).text == ""


@pytest.mark.parametrize("where", ["", " WHERE id < 0"])
def test_arrow(database, ask, where):
    """An Arrow stream has the rows with their types, also where there are none."""
    database.load("notes", ({"id": number, "body": "x"} for number in range(5_000)), user="ada")
    answer = ask.sql(f"SELECT * FROM notes{where}", accept=ARROW)
    assert answer.headers["content-type"] == ARROW
    table = pa.ipc.open_stream(io.BytesIO(answer.content)).read_all()
    assert table.column_names == ["id", "body"]
    assert table.num_rows == (0 if where else 5_000)


def test_arrow_of_a_change(database, ask):
    """A change whose result would be an Arrow stream is refused, before anything is changed."""
    answer = ask.sql("INSERT INTO notes VALUES (1, 'a') RETURNING id", accept=ARROW)
    assert (answer.status_code, answer.json()["error"]["code"]) == (406, "usage")
    assert list(database.sql("SELECT * FROM notes", user="ada")) == []


def test_exact_numbers(ask):
    """Numbers beyond 2 to the 53rd go in and come out exactly."""
    body = b'{"sql": "INSERT INTO notes VALUES (?, ?)", "params": [9223372036854775807, "most"]}'
    token = ask._server.token("ada")
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    assert ask.http.post("/v1/sql", content=body, headers=headers).status_code == 200
    assert b"9223372036854775807" in ask.sql("SELECT id FROM notes").content


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELEC 1", 400, "usage"),
        ("SELECT * FROM nothing", 400, "usage"),
        ("SELECT * FROM notes; DROP TABLE notes", 400, "usage"),
        ("SELECT * FROM staff", 403, "access_denied"),
        ("CREATE TABLE more (id BIGINT PRIMARY KEY)", 403, "access_denied"),
        ("INSERT INTO notes VALUES (1, 'again')", 409, "conflict"),
        ("EXECUTE AS USER 'bob' (SELECT * FROM notes)", 403, "access_denied"),
        ("SELECT * FROM system.users", 403, "access_denied"),
    ],
)
def test_errors(database, ask, sql, status, code):
    """Each kind of error has its status, its code, a message and what to do about it."""
    database.sql("CREATE TABLE staff (id BIGINT PRIMARY KEY)")
    ask.sql("INSERT INTO notes VALUES (1, 'a')")
    answer = ask.sql(sql)
    if "system.users" in sql and answer.status_code == 200:
        assert answer.json()["rows"] == []
        return
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert set(answer.json()["error"]) == {"code", "message", "hint"}


def test_limits_of_a_user(database, ask):
    """A SELECT that gives more rows than its user may says so: in front of the rows, or behind those that were sent."""
    database.load("notes", ({"id": number, "body": "x" * 100} for number in range(5_000)), user="ada")
    database.sql("CREATE USER ada WITH ROWS 10")
    answer = ask.sql("SELECT * FROM notes")
    assert answer.json()["error"]["code"] == "limit_reached"
    assert answer.json()["rows"] == [] or answer.status_code == 429


def test_an_error_in_the_middle(database, ask):
    """JSON ends with the error; lines end without the end of their chunks, so that nobody takes them for all."""
    database.load("notes", ({"id": number, "body": "x" * 100} for number in range(5_000)), user="ada")
    database.sql("CREATE USER ada WITH ROWS 3000")
    found = ask.sql("SELECT * FROM notes").json()
    assert found["error"]["code"] == "limit_reached"
    assert 0 < len(found["rows"]) <= 3_000
    with pytest.raises(Exception, match="incomplete chunked read"):
        ask.sql("SELECT * FROM notes", accept=LINES)


@pytest.mark.parametrize("header", [None, "", "Basic YTpi", "Bearer", "Bearer x", "Bearer a.b.c"])
@pytest.mark.parametrize("path", ["/v1/sql", "/metrics", "/v1/openapi.json"])
def test_without_a_token(ask, header, path):
    """Nobody gets anything."""
    headers = {} if header is None else {"authorization": header}
    answer = ask.http.request("POST" if path == "/v1/sql" else "GET", path, headers=headers, json={"sql": "SELECT 1"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"sql": 1}', 400),
        (b'{"params": []}', 400),
        (b'{"sql": "SELECT 1", "params": {}}', 400),
        (b'{"sql": "SELECT 1", "user": "bob"}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 200_000, 400),
        (b'{"sql": "' + b"x" * 300_000 + b'"}', 400),
    ],
    ids=range(10),
)
def test_bodies_that_are_none(ask, body, status):
    """A body that makes no sense is refused with what is wrong; nothing of the inside is said."""
    headers = {"authorization": f"Bearer {ask._server.token('ada')}"}
    answer = ask.http.post("/v1/sql", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, "usage")
    assert "Traceback" not in answer.text


def test_forms_and_kinds(ask):
    """Forms that nobody knows and bodies of other kinds are refused by status."""
    headers = {"authorization": f"Bearer {ask._server.token('ada')}"}
    assert ask.sql("SELECT * FROM notes", accept="text/html").status_code == 406
    answer = ask.http.post(
        "/v1/sql", content=b"a=1", headers=headers | {"content-type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 415
    assert ask.http.get("/v1/sql").status_code == 405
    assert ask.http.get("/v1/sql").headers["allow"] == "POST"
    assert ask.http.get("/nothing").json()["error"]["code"] == "usage"
    assert ask.http.get("/../../etc/passwd").status_code == 404
    assert ask.http.get("/%2e%2e/%2e%2e/etc/passwd").status_code == 404
    assert ask.http.get("/health", headers={"host": "rebound.example"}).status_code == 421


def test_bodies_that_are_too_large(ask, monkeypatch):
    """Are refused with 413, told or not how large they are."""
    monkeypatch.setattr(limits, "SERVE_BODY_BYTES", 100_000)
    headers = {"authorization": f"Bearer {ask._server.token('ada')}"}
    monkeypatch.setattr(app._body, "__kwdefaults__", {"most": 100_000})
    for content in (b"x" * 200_000, iter([b"x" * 50_000] * 10)):
        assert ask.http.post("/v1/sql", content=content, headers=headers).status_code == 413


def test_slow_bodies(server, monkeypatch):
    """A body that does not arrive in time ends with 408."""
    monkeypatch.setattr(limits, "SERVE_BODY_S", 0.3)
    port = int(server.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), 5) as slow:
        slow.sendall(
            f"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token('ada')}\r\n"
            "Content-Length: 100\r\n\r\n{".encode()
        )
        assert b" 408 " in slow.recv(1_000)


def test_tokens(database, server, ask):
    """The first start's token holds once, for admin; services get tokens for users, users for nobody else; a token is renewed."""
    body = {"one_time": server.one_time_token}
    assert ask.http.post("/v1/token", json={"one_time": "wrong"}).status_code == 401
    first = ask.http.post("/v1/token", json=body).json()
    assert (first["user"], first["role"]) == ("admin", "dba")
    assert ask.http.post("/v1/token", json=body).status_code == 401
    database.sql("CREATE USER shop WITH ROLE 'service'")

    def want(token, **wanted):
        return ask.http.post("/v1/token", json=wanted, headers={"authorization": f"Bearer {token}"})

    shop = want(first["token"], **{"for": "shop"}).json()["token"]
    ada = want(shop, **{"for": "ada"}).json()
    assert (ada["user"], ada["role"]) == ("ada", "user")
    assert want(shop, **{"for": "admin"}).status_code == 403
    assert want(shop, **{"for": "system"}).status_code == 403
    assert want(ada["token"], **{"for": "bob"}).status_code == 403
    assert want(ada["token"]).json()["user"] == "ada"
    assert want("x").status_code == 401
    assert ask.http.post("/v1/token", json={}).status_code == 401


def test_a_result_larger_than_the_budget(budget_of_server):
    """A table of several times the budget's free bytes is given whole, in bounded pieces."""
    database, ask = budget_of_server("96 MiB")
    database.load("notes", ({"id": number, "body": "x" * 1_000} for number in range(60_000)), user="ada")
    held = database.budget.held
    headers = {"authorization": f"Bearer {ask._server.token('ada')}", "accept": LINES}
    count = size = 0
    with ask.http.stream("POST", "/v1/sql", json={"sql": "SELECT * FROM notes"}, headers=headers) as answer:
        for part in answer.iter_bytes():
            count += part.count(b"\n")
            size += len(part)
            assert database.budget.held - held < 4 << 20
    assert count == 60_000
    assert size > 60_000_000


def test_no_room(budget_of_server):
    """A request for which the budget has no bytes gets 503 and when to come again; others are served then."""
    database, ask = budget_of_server("80 MiB")
    with database.budget.reserve(database.budget.limit - database.budget.held - 100_000, "hog"):
        answer = ask.sql("SELECT * FROM notes")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "budget_exceeded")
        assert int(answer.headers["retry-after"]) >= 1
    assert ask.sql("SELECT * FROM notes").status_code == 200


def test_the_gate(database, ask):
    """Under pressure the gate is closed: statements get 503 until it is open."""
    database.budget.gate.pause("a test")
    try:
        assert ask.sql("SELECT * FROM notes").status_code == 503
        assert ask.get("/health").status_code == 200
    finally:
        database.budget.gate.resume()
    assert ask.sql("SELECT * FROM notes").status_code == 200


def test_clients_that_go_away(database, server, ask):
    """A client who leaves in the middle of his rows leaves nothing: the statement ends, its bytes are given back."""
    database.load("notes", ({"id": number, "body": "x" * 1_000} for number in range(20_000)), user="ada")
    ask.sql("SELECT * FROM notes WHERE id = 1")
    held = database.budget.held
    headers = {"authorization": f"Bearer {server.token('ada')}", "accept": LINES}
    for _ in range(5):
        with ask.http.stream("POST", "/v1/sql", json={"sql": "SELECT * FROM notes"}, headers=headers) as answer:
            assert next(answer.iter_bytes())
    until = time.monotonic() + 10
    while database.budget.held > held and time.monotonic() < until:
        time.sleep(0.02)
    assert database.budget.held <= held


def test_many_at_once(database, ask):
    """Requests of many clients, through the engine and past it, each get their own rows."""
    for user in range(20):
        database.sql("INSERT INTO notes VALUES (1, ?)", [f"u{user}"], user=f"u{user}")
    wrong = []

    def run(user):
        for turn in range(10):
            sql = "SELECT body FROM notes" if turn % 2 else "SELECT max(body) AS body FROM notes"
            answer = ask.sql(sql, user=f"u{user}").json()
            if answer.get("rows") != [{"body": f"u{user}"}]:
                wrong.append(answer)

    threads = [threading.Thread(target=run, args=(user,)) for user in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_engine_queries_that_wait(database, ask):
    """More slow queries of the engine than may run at once keep nobody from reading by key, and all end."""
    database.load("notes", ({"id": number, "body": "x" * 200} for number in range(5_000)), user="ada")
    answers = []

    def run():
        answer = ask.sql("SELECT a.id, b.body FROM notes a JOIN notes b ON a.id = b.id ORDER BY a.body, a.id")
        answers.append(answer.status_code if answer.status_code == 200 else answer.text)

    threads = [threading.Thread(target=run) for _ in range(12)]
    for thread in threads:
        thread.start()
    assert ask.sql("SELECT * FROM notes WHERE id = 5").json()["rows"][0]["id"] == 5
    for thread in threads:
        thread.join(60)
    assert answers == [200] * 12


def test_health_and_metrics(database, ask):
    """Health says no names and needs no token; metrics are for services."""
    database.sql("CREATE USER ops WITH ROLE 'service'")
    found = ask.get("/health").json()
    assert found["status"] == "ok"
    assert found["rss"] > 1 << 20
    assert found["budget"]["free"] == found["budget"]["limit"] - found["budget"]["held"]
    assert {"store", "subscriptions", "connections"} <= set(found["pools"])
    assert ask.get("/metrics", "ada").status_code == 403
    assert "flatwater_connections 0.0" in ask.get("/metrics", "ops").text


def test_live_queries_without_a_websocket(ask):
    """Who asks for them without an upgrade is told what is missing, with 426; another method is none."""
    answer = ask.get("/v1/live")
    assert answer.status_code == 426
    assert (answer.headers["upgrade"], answer.headers["sec-websocket-version"]) == ("websocket", "13")
    told = answer.json()["error"]
    assert told["code"] == "usage"
    assert "ws://" in told["hint"]
    assert ask.http.post("/v1/live").status_code == 405


def test_a_slash_too_much(ask):
    """It is no page, and leads nowhere."""
    assert ask.http.post("/v1/sql/", json={"sql": "SELECT 1"}).status_code == 404


def test_pages(ask):
    """The console and its files come with a policy under which no script of others runs; nothing else is a file."""
    page = ask.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert ask.get("/flatwater.js").headers["content-type"].startswith("text/javascript")
    assert ask.get("/app.py").status_code == 404


def test_one_user_leaves_others_their_turns(database, ask, server, on_loop, monkeypatch):
    """Who has as many requests at work as he may waits with the next one, and keeps nobody else waiting; all get their rows."""
    monkeypatch.setattr(limits, "SERVE_USER_REQUESTS", 2)
    database.load("notes", ({"id": number, "body": "x" * 1_000} for number in range(10_000)), user="ada")
    headers = {"authorization": f"Bearer {server.token('ada')}", "accept": LINES}
    slow = [ask.http.stream("POST", "/v1/sql", json={"sql": "SELECT * FROM notes"}, headers=headers) for _ in range(2)]
    answers = [each.__enter__() for each in slow]
    late = []
    waiting = threading.Thread(target=lambda: late.append(ask.sql("SELECT * FROM notes WHERE id = 1").json()["rows"]))
    waiting.start()
    assert ask.sql("SELECT * FROM notes", user="bob").status_code == 200
    assert late == []
    for each, answer in zip(slow, answers, strict=True):
        assert sum(part.count(b"\n") for part in answer.iter_bytes()) == 10_000
        each.__exit__(None, None, None)
    waiting.join(20)
    assert late == [[{"id": 1, "body": "x" * 1_000}]]
    until = time.monotonic() + 5
    while on_loop(lambda: server.service.at_work) and time.monotonic() < until:
        time.sleep(0.02)
    assert on_loop(lambda: server.service.at_work) == 0


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://elsewhere.example", 403), ("null", 403), ("", 403), ("{url}", 200), ("https://{host}", 200), (None, 200)],
)  # fmt: skip
def test_pages_from_elsewhere(ask, server, origin, status):
    """A page of another origin may send nothing, also what a browser sends unasked: not a statement, not a guess at a password."""
    headers = {"authorization": f"Bearer {server.token('ada')}"}
    if origin is not None:
        headers["origin"] = origin.format(url=server.url, host=server.url.partition("://")[2])
    for path, body in (("/v1/sql", {"sql": "SHOW TABLES"}), ("/v1/token", {})):
        assert ask.http.post(path, json=body, headers=headers).status_code == status
    if status == 403:
        guess = ask.http.post(
            "/v1/token", content=b'{"user": "ada", "password": "guess"}', headers={"origin": headers["origin"]}
        )
        assert (guess.status_code, guess.json()["error"]["code"]) == (403, "access_denied")
        assert not server._passwords._failures


def test_one_user_who_waits(ask, server, monkeypatch):
    """Who has more requests waiting than one user may is refused; others wait no longer for it."""
    monkeypatch.setattr(limits, "SERVE_USER_REQUESTS", 1)
    monkeypatch.setattr(limits, "SERVE_USER_WAITING", 3)
    port = int(server.url.rsplit(":", 1)[1])
    head = f"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token('eve')}\r\nContent-Length: 100\r\n\r\n"
    with contextlib.ExitStack() as opened:
        clients = [opened.enter_context(socket.create_connection(("127.0.0.1", port), 10)) for _ in range(20)]
        for client in clients:
            client.sendall(head.encode())
        until, refused = time.monotonic() + 10, []
        while len(refused) < 16 and time.monotonic() < until:
            refused = select.select(clients, [], [], 0.05)[0]
        assert len(refused) == 16
        assert all(client.recv(1 << 16).startswith(b"HTTP/1.1 503") for client in refused)
        assert ask.sql("SELECT * FROM notes").status_code == 200


def test_who_leaves_before_the_first_row(ask, server, database):
    """A query that computes for a client who has left ends, and the engine is free for others."""
    for begin in range(0, 4_000, 1_000):
        rows = ",".join(f"({number}, 'x')" for number in range(begin, begin + 1_000))
        database.sql(f"INSERT INTO notes VALUES {rows}", user="ada")
    long = "SELECT count(*) AS n FROM notes a CROSS JOIN notes b CROSS JOIN notes c WHERE a.id + b.id * c.id = 7"
    body = json.dumps({"sql": long})
    head = f"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token('ada')}\r\nContent-Length: {len(body)}\r\n\r\n"
    with contextlib.ExitStack() as opened:
        port = int(server.url.rsplit(":", 1)[1])
        for _ in range(limits.LIVE_QUERIES_MAX):
            client = opened.enter_context(socket.create_connection(("127.0.0.1", port), 10))
            client.sendall((head + body).encode())
        until = time.monotonic() + 30
        while server.service.at_work < limits.LIVE_QUERIES_MAX and time.monotonic() < until:
            time.sleep(0.02)
        assert server.service.at_work == limits.LIVE_QUERIES_MAX
    while server.service.at_work and time.monotonic() < until:
        time.sleep(0.02)
    assert server.service.at_work == 0
    assert ask.sql("SELECT count(*) AS n FROM notes").json()["rows"] == [{"n": 4_000}]
