"""flatwater.js in Node: statements, live queries, lost connections, tokens, bounds."""

from __future__ import annotations

import asyncio
import json

import pytest

READY = {"op": "ready", "seq": 5}


def scripted(*connections):
    """A script: for each connection a list of what it says; a number closes it, and what it was asked for is noted."""
    asked, left = [], list(connections)

    async def script(websocket):
        said = left.pop(0) if len(left) > 1 else left[0]
        first = json.loads(await websocket.receive_text())
        assert first["type"] == "authenticate"
        if said and said[0] == 4401:
            asked.append("refused")
            await websocket.close(4401)
            return
        await websocket.send_text(
            json.dumps({"type": "authenticated", "user": "ada", "role": "user", "expires_s": 3600})
        )
        wanted = json.loads(await websocket.receive_text())
        asked.append(wanted.get("since"))
        for message in said:
            if isinstance(message, int):
                await websocket.close(message)
                return
            await websocket.send_text(
                json.dumps({**message, **({"id": wanted["id"]} if "type" in message else {"channel": 7})})
            )
        async for _text in websocket.iter_text():
            await asyncio.sleep(0)

    return script, asked


SUBSCRIBED = {"type": "subscribed", "channel": 7, "columns": ["id"]}


def change(op, seq, **more):
    return {"op": op, "seq": seq, "row": {"id": seq}, **more}


def snapshot(seq, *ids):
    return {"op": "snapshot", "seq": seq, "rows": [{"id": each} for each in ids]}


def seen(told):
    return [(each["op"], each.get("row", {}).get("id", each["seq"])) for each in told["seen"]]


# --- statements -------------------------------------------------------------------------------------------------------


def test_integers_are_exact(run):
    """Those beyond 2^53 are BigInts and are written again digit by digit; other numbers stay what they are."""
    told = run("json", "http://127.0.0.1:1")
    assert told["kinds"] == ["bigint", "bigint", "number", "number", "number", "object", "string"]
    assert told["again"] == (
        '[9007199254740993,-9223372036854775808,9007199254740991,1e+300,1.5,{"a":"9007199254740993","__proto__":1},"é"]'
    )
    assert told["bad"]["code"] == "usage"


def test_statements(run, server):
    """Rows, counts, who it is; errors with their word and hint; nothing after close()."""
    told = run("statements", server.url)
    assert (told["made"], told["columns"], told["none"]) == (2, ["id", "body"], [])
    assert told["rows"] == (
        r'[{"id":2,"body":"{\"rows\":[1,{}]}"},{"id":9007199254740993,"body":"a \"quoted\" \\ text"}]'
    )
    assert (told["wrong"]["code"], told["wrong"]["status"]) == ("usage", 400)
    assert (told["twice"]["code"], told["twice"]["status"]) == ("conflict", 409)
    assert (told["user"], told["role"]) == ("ada", "user")
    assert told["closed"]["code"] == "closed"


def test_rows_are_streamed(run, db, server):
    """Each once; a loop that is left ends the statement; columns and counts are known without rows."""
    db.load("notes", ({"id": number, "body": 'b "}{][\\'} for number in range(20_000)), user="ada")
    told = run("streamed", server.url)
    assert (told["count"], told["sum"]) == (20_000, sum(range(20_000)))
    assert (told["columns"], told["none"]) == (["id", "body"], ["id", "body"])
    assert (told["few"], told["changed"]) == ([0, 1, 2], 10)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("error", [None, {"code": "limit_reached", "message": "too much", "hint": "less"}])
def test_rows_in_pieces(run, stand_in, monkeypatch, size, error):
    """However an answer is cut into pieces, in the middle of letters and escapes, too, its rows and what fails behind them are told."""
    rows = [{"a": '\\"}{', "b": {"c": [{"d": "é\N{ROCKET}"}, []]}}, {"a": "x\\\\", "b": None}, {"a": "]}", "b": []}]
    body = {"columns": ["a", "b"], "rows": rows, "count": None, **({"error": error} if error else {})}
    data = json.dumps(body, ensure_ascii=False).encode()
    server = stand_in(None)
    server.tokens["any"] = ("ada", "user")
    server.answer = [data[start : start + size] for start in range(0, len(data), size)]
    told = run("pieces", server.url)
    assert (told["seen"], told["columns"]) == (rows, ["a", "b"])
    assert told["end"].get("code") == (error and "limit_reached")


def test_an_answer_that_is_cut(run, stand_in):
    """Is an error behind the rows that came whole."""
    server = stand_in(None)
    server.tokens["any"] = ("ada", "user")
    server.answer = [b'{"columns": ["a"], "rows": [{"a": 1}, {"a": 2}, {"a']
    told = run("pieces", server.url)
    assert (told["seen"], told["end"]["code"]) == ([{"a": 1}, {"a": 2}], "unreachable")


# --- live queries -----------------------------------------------------------------------------------------------------


def test_a_live_query(run, db, either):
    """The rows there are, ready, then what comes, changes and goes, in order."""
    db.sql("INSERT INTO notes (id, body) VALUES (1, 'a'), (200, 'no')", user="ada")
    server, token = either()
    told = run("live", server.url, token=token)
    assert told["seen"] == [
        {"op": "snapshot", "row": {"id": 1, "body": "a"}},
        {"op": "ready"},
        {"op": "insert", "row": {"id": 3, "body": "c"}},
        {"op": "update", "row": {"id": 3, "body": "C"}, "old": {"id": 3, "body": "c"}},
        {"op": "delete", "row": {"id": 3, "body": "C"}},
    ]
    assert told["told"] == ["connecting", "connected", "closed"]


def test_a_connection_that_is_lost(run, stand_in):
    """Is made again, and goes on behind the last change; a level counts, too."""
    server = stand_in(None)
    server.script, asked = scripted(
        [SUBSCRIBED, snapshot(5, 1), READY, change("insert", 6), 1012],
        [SUBSCRIBED, change("insert", 7), change("insert", 8), 1001],  # before it is ready
        [SUBSCRIBED, {"op": "ready", "seq": 9}, change("insert", 10), {"type": "level", "seq": 20}, 1001],
        [SUBSCRIBED, {"op": "ready", "seq": 21}, change("insert", 22)],
    )
    told = run("scripted", server.url, 8)
    assert asked == [None, 6, 8, 20]
    assert seen(told) == [
        ("snapshot", 1), ("ready", 5), ("insert", 6), ("insert", 7), ("insert", 8), ("ready", 9), ("insert", 10), ("ready", 21),
    ]  # fmt: skip
    assert told["told"][:5] == ["connecting", "connected", "waiting", "connecting", "connected"]
    assert told["seq"] == 21


def test_a_snapshot_that_breaks(run, stand_in):
    """Begins anew, and the reader is told `reset`."""
    server = stand_in(None)
    server.script, asked = scripted(
        [SUBSCRIBED, snapshot(5, 1, 2), 1012], [SUBSCRIBED, snapshot(8, 2, 3), {"op": "ready", "seq": 8}]
    )
    told = run("scripted", server.url, 6)
    assert asked == [None, None]
    assert seen(told) == [
        ("snapshot", 1),
        ("snapshot", 2),
        ("reset", 0),
        ("snapshot", 2),
        ("snapshot", 3),
        ("ready", 8),
    ]


def test_a_log_that_was_trimmed(run, stand_in):
    """Is told as `reset`; a connection that breaks in the snapshot behind it begins that anew, without `since`."""
    server = stand_in(None)
    server.script, asked = scripted(
        [SUBSCRIBED, {"op": "reset", "seq": 50}, snapshot(50, 1), 1012],
        [SUBSCRIBED, snapshot(60, 4), {"op": "ready", "seq": 60}],
    )
    told = run("scripted", server.url, 5, "", 12)
    assert asked == [12, None]
    assert seen(told) == [("reset", 50), ("snapshot", 1), ("reset", 0), ("snapshot", 4), ("ready", 60)]


def test_a_query_that_is_ended(run, stand_in):
    """Hands out what came before it, then the server's error."""
    server = stand_in(None)
    error = {"code": "usage", "message": "The table was dropped.", "hint": "Make it again."}
    server.script, _asked = scripted([SUBSCRIBED, snapshot(5, 1), READY, {"type": "ended", "error": error}])
    told = run("scripted", server.url, 9)
    assert seen(told) == [("snapshot", 1), ("ready", 5)]
    assert (told["end"]["message"], told["end"]["hint"]) == ("The table was dropped.", "Make it again.")


def test_a_query_that_is_refused(run, stand_in):
    """Is an error where it is new; one that was there before the connection was lost waits for room."""
    server = stand_in(None)
    error = {"type": "error", "error": {"code": "limit_reached", "message": "2 subscriptions.", "hint": "Close some."}}
    server.script, asked = scripted([error])
    assert run("scripted", server.url, 9)["end"]["message"] == "2 subscriptions."
    server.script, asked = scripted(
        [SUBSCRIBED, snapshot(5, 1), READY, 1012], [error, 1012], [SUBSCRIBED, change("insert", 6)]
    )
    assert seen(run("scripted", server.url, 3)) == [("snapshot", 1), ("ready", 5), ("insert", 6)]
    assert asked == [None, 5, 5]


@pytest.mark.parametrize(("code", "word"), [(4403, "access_denied"), (4400, "usage"), (1009, "usage")])
def test_closed_for_good(run, stand_in, code, word):
    """Another try would fail, too: the reader gets an error."""
    server = stand_in(None)
    server.script, asked = scripted([SUBSCRIBED, code])
    told = run("scripted", server.url, 9)
    assert (told["end"]["code"], asked) == (word, [None])


def test_a_token_that_has_ended(run, stand_in):
    """Is got anew with the password; who is refused again and again is told."""
    server = stand_in(None)
    server.script, asked = scripted([4401], [SUBSCRIBED, snapshot(5, 1), READY])
    assert seen(run("scripted", server.url, 2)) == [("snapshot", 1), ("ready", 5)]
    assert asked == ["refused", None]
    server.script, asked = scripted([4401])
    told = run("scripted", server.url, 2)
    assert (told["end"]["code"], asked) == ("unauthenticated", ["refused"] * 3)
    assert "signed-out" in told["told"]


def test_a_token_that_nobody_takes(run, stand_in):
    """Without a password there is nothing to try: nobody is logged in."""
    server = stand_in(None)
    told = run("scripted", server.url, 2, "wrong")
    assert told["end"]["code"] == "unauthenticated"
    assert told["told"][-2:] == ["signed-out", "closed"]


def test_tokens_are_renewed(run, db, stand_in):
    """Before they end; the connection for live queries stays."""
    server = stand_in(db, expires_s=2)
    told = run("token", server.url)
    assert (told["isAnother"], told["id"]) == (True, 1)
    assert told["told"] == ["connecting", "connected", "closed"]
    assert ("token", {}) in server.heard
    assert [kind for kind, _ in server.heard].count("authenticate") >= 2


def test_a_server_that_starts_again(in_node, result, db, either):
    """On the same port: each row comes once, none is missing."""
    first, token = either()
    process = in_node("kept", first.url, token=token)
    db.sql("INSERT INTO notes (id) VALUES (1)", user="ada")
    assert process.stdout.readline() == "ready\n"
    db.sql("INSERT INTO notes (id) VALUES (2)", user="ada")
    first.close()
    db.sql("INSERT INTO notes (id) VALUES (3)", user="ada")
    either(int(first.url.rstrip("/").rpartition(":")[2]), getattr(first, "tokens", None))
    db.sql("INSERT INTO notes (id) VALUES (4)", user="ada")
    db.sql("INSERT INTO notes (id) VALUES (-1)", user="ada")
    told = result(process)
    assert told["ids"] == [1, 2, 3, 4, -1]
    assert told["resets"] == 0


def test_what_nobody_reads(in_node, result, db, either):
    """Is bounded: the query is left, and goes on where its reader stands; each row comes once."""
    server, token = either()
    process = in_node("unread", server.url, 41, token=token)
    assert process.stdout.readline() == "ready\n"
    for number in range(2, 42):
        db.sql("INSERT INTO notes (id, body) VALUES (?, ?)", [number, "x" * 200_000], user="ada")
    told = result(process)
    assert told["paused"]
    assert told["seen"] == list(range(1, 42))


def test_a_view(run, server):
    """The last rows, at most so many, without a key; of two that are the same one is changed."""
    told = run("view", server.url)
    assert sorted(row["body"] for row in told["rows"]) == ["d", "other"]
    assert (told["events"], told["dropped"]) == (6, 1)
    assert ["update", "other", "same"] in told["log"]
    assert ["delete", "same", None] in told["log"]
