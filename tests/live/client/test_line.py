"""Servers that do not speak the protocol, and closing codes."""

import json
import socket

import pytest

from flatwater import errors
from flatwater.live.access import AccessDenied

pytestmark = pytest.mark.usefixtures("quick")


def follow(one, channel=1):
    """Answer the first live query."""
    number = json.loads(one.recv())["id"]
    one.send(json.dumps({"type": "subscribed", "id": number, "channel": channel, "columns": ["a"]}))


@pytest.mark.parametrize(
    "message",
    ["no JSON", "[]", '{"channel": "one", "op": "insert"}', '{"type": 5}', "[" * 10_000, b"\xff\xfe", '{"channel": 1, "op": "insert", "seq": "x"}'],
)  # fmt: skip
def test_messages_that_are_none(hostile, client_of, message):
    """End what is on the connection, with an error that says so; the server is not asked again and again."""
    count = []

    def say(one):
        count.append(1)
        follow(one)
        one.send(message)

    reader = client_of(hostile(say), token="t").subscribe("SELECT 1")
    with pytest.raises(errors.BrokenError, match="not understood"):
        reader.poll(20)
    assert len(count) == 1


def test_what_is_passed_over(hostile, client_of, take):
    """Other channels, unknown types, fields and operations, and answers to nobody change nothing; changes that are known come once."""

    def say(one):
        follow(one)
        for message in (
            {"channel": 2, "op": "insert", "seq": 1, "row": {"a": "of another"}}, {"type": "news", "x": [1]}, {"type": "pong"},
            {"type": "subscribed", "id": 99, "channel": 1}, {"type": "ended", "id": 99}, {"type": "error", "id": None},
            {"channel": 1, "op": "dance", "seq": 2}, {"channel": 1, "op": "ready", "seq": 5, "new": True},
            {"channel": 1, "op": "insert", "seq": 5, "row": {"a": "known"}}, {"channel": 1, "op": "insert", "seq": 6, "row": {"a": 6}},
            {"channel": 1, "op": "insert", "seq": 6, "row": {"a": "again"}}, {"type": "level", "seq": 9},
            {"channel": 1, "op": "insert", "seq": 8, "row": {"a": "below the level"}}, {"channel": 1, "op": "insert", "seq": 10, "row": {"a": 10}},
        ):  # fmt: skip
            one.send(json.dumps(message))

    reader = client_of(hostile(say), token="t").subscribe("SELECT 1")
    assert [event.row["a"] for event in take(reader, 2)] == [6, 10]
    assert reader.seq == 10


def test_a_level_of_others(hostile, client_of, take):
    """What a connection says of queries that are ready moves none that is behind: it misses nothing."""

    def say(one):
        follow(one)
        for message in (
            {"type": "level", "seq": 200}, {"channel": 1, "op": "insert", "seq": 150, "row": {"a": 150}}, {"channel": 1, "op": "ready", "seq": 150},
            {"channel": 1, "op": "insert", "seq": 210, "row": {"a": 210}},
        ):  # fmt: skip
            one.send(json.dumps(message))

    reader = client_of(hostile(say), token="t").subscribe("SELECT 1", since=100)
    assert [event.seq for event in take(reader, 2)] == [150, 210]


def test_a_message_that_is_too_large(hostile, client_of):
    """Is not taken; the error says which bound it is."""

    def say(one):
        follow(one)
        one.send("x" * 300_000)

    reader = client_of(hostile(say), token="t", row_bytes="64 KiB").subscribe("SELECT 1")
    with pytest.raises(errors.LimitReached, match="larger row_bytes"):
        reader.poll(20)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(4400, errors.UsageError), (4403, AccessDenied), (1002, errors.UsageError), (1009, errors.UsageError), (4429, errors.LimitReached)],
)  # fmt: skip
def test_codes_that_end_it(hostile, client_of, code, kind):
    """Who is refused for good is told."""

    def say(one):
        follow(one)
        one.close(code, "no.")

    reader = client_of(hostile(say), token="t").subscribe("SELECT 1")
    with pytest.raises(kind, match="no"):
        reader.poll(20)


@pytest.mark.parametrize("code", [1001, 1012, 1013, 1011, 1000, None])
def test_codes_that_are_come_back_from(hostile, client_of, take, code):
    """Others are lost connections: the next one goes on where this one was."""
    told = []

    def say(one):
        asked = json.loads(one.recv())
        told.append(asked.get("since"))
        one.send(json.dumps({"type": "subscribed", "id": asked["id"], "channel": 1, "columns": ["a"]}))
        if len(told) == 1:
            one.send('{"channel": 1, "op": "ready", "seq": 7}')
            if code is None:
                one.socket.shutdown(socket.SHUT_RDWR)
            else:
                one.close(code)
        else:
            one.send('{"channel": 1, "op": "insert", "seq": 8, "row": {"a": 8}}')

    reader = client_of(hostile(say), token="t").subscribe("SELECT 1")
    assert take(reader, 1)[0].seq == 8
    assert told == [None, 7]


def test_no_websocket_is_there(canned, client_of, answer):
    """A server of something else is told of, and redirects are not followed."""
    for found, kind in (
        (answer(b"hello"), errors.BrokenError), (answer(b"", "404 No"), errors.UsageError), (answer(b"", "403 No"), AccessDenied),
        (answer(b"", "302 There", head="Location: http://127.0.0.1:9/\r\n"), errors.BrokenError), (b"SSH-2.0-x\r\n", errors.BrokenError),
        (answer(b"", "503 Busy"), errors.BudgetExceeded),
    ):  # fmt: skip
        with pytest.raises(kind):
            client_of(canned(found).url, token="t").subscribe("SELECT 1")


@pytest.mark.parametrize("code", ["budget_exceeded", "limit_reached"])
def test_a_query_that_has_to_wait(hostile, client_of, take, code):
    """Refused when it is to go on, for want of room, it asks again; refused at first, it is told."""
    turns = []

    def say(one):
        if not turns:
            follow(one)
            one.send('{"channel": 1, "op": "ready", "seq": 7}')
            turns.append(1)
            one.close(1012)
            return
        number = json.loads(one.recv())["id"]
        one.send(json.dumps({"type": "error", "id": number, "error": {"code": code, "message": "full."}}))
        follow(one)
        one.send('{"channel": 1, "op": "insert", "seq": 8, "row": {"a": 8}}')

    reader = client_of(hostile(say), token="t").subscribe("SELECT 1")
    assert take(reader, 1)[0].seq == 8
    with pytest.raises(errors.FlatwaterError, match="full"):
        client_of(hostile(say), token="t").subscribe("SELECT 1")
