"""A client of live queries: RFC 6455 over a socket, tokens, limits, silence, broken clients."""

import json
import threading
import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from flatwater import limits
from flatwater.live.serving.tokens import Tokens

FOLLOW = {"type": "subscribe", "id": 1, "sql": "SELECT * FROM notes"}


def opcodes_until_the_end(client):
    """Of the frames that come until the server ends the connection."""
    while True:
        try:
            yield client.frame()[0]
        except ConnectionError:
            return


def test_a_live_query(database, live):
    """A snapshot, `ready`, then each change once, in order, with the row before it; a user sees his own rows alone."""
    for number in range(3):
        database.sql("INSERT INTO notes VALUES (?, 'a')", [number], user="ada")
    database.sql("INSERT INTO notes VALUES (7, 'other')", user="bob")
    ada = live()
    rows, ready = ada.follow("SELECT * FROM notes")
    assert rows["rows"] == [{"id": number, "body": "a"} for number in range(3)]
    assert ready["seq"] == rows["seq"]
    database.sql("INSERT INTO notes VALUES (8, 'other')", user="bob")
    database.sql("INSERT INTO notes VALUES (3, 'b')", user="ada")
    database.sql("UPDATE notes SET body = 'c' WHERE id = 3", user="ada")
    database.sql("DELETE FROM notes WHERE id = 3", user="ada")
    heard = [ada.hear() for _ in range(3)]
    assert [event["op"] for event in heard] == ["insert", "update", "delete"]
    assert heard[1]["old"] == {"id": 3, "body": "b"}
    assert heard[2]["row"] == {"id": 3, "body": "c"}
    assert [event["seq"] for event in heard] == sorted({event["seq"] for event in heard})


def test_columns_and_names(database, live):
    """Columns that are asked for come under the names that are asked for, in the snapshot and in changes."""
    database.sql("INSERT INTO notes VALUES (1, 'a')", user="ada")
    ada = live()
    ada.say(type="subscribe", id="x", sql="SELECT body AS text, id FROM notes WHERE id < 10")
    assert ada.hear()["columns"] == ["text", "id"]
    assert ada.hear()["rows"] == [{"text": "a", "id": 1}]
    assert ada.hear()["op"] == "ready"
    database.sql("UPDATE notes SET body = 'b'", user="ada")
    heard = ada.hear()
    assert (heard["row"], heard["old"]) == ({"text": "b", "id": 1}, {"text": "a", "id": 1})
    database.sql("UPDATE notes SET id = 11", user="ada")
    assert ada.hear()["op"] == "delete"


def test_a_row_that_leaves_the_condition(database, live):
    """It is told as it was when it belonged, as it comes and from the log; a row that comes in, as it is."""
    database.sql("INSERT INTO notes VALUES (1, 'in'), (2, 'out')", user="ada")
    ada = live()
    seq = ada.follow("SELECT id, body FROM notes WHERE body = 'in'")[-1]["seq"]
    database.sql("UPDATE notes SET body = 'away' WHERE id = 1", user="ada")
    database.sql("UPDATE notes SET body = 'in' WHERE id = 2", user="ada")
    as_they_come = [ada.hear(), ada.hear()]
    from_the_log = live().follow("SELECT id, body FROM notes WHERE body = 'in'", since=seq)[:-1]
    told = [[(each["op"], each["row"], each.get("old")) for each in heard] for heard in (as_they_come, from_the_log)]
    assert told[0] == [("delete", {"id": 1, "body": "in"}, None), ("insert", {"id": 2, "body": "in"}, None)]
    assert told[1] == told[0]


def test_events_are_counted(database, live):
    """`system.live_queries` counts those of the snapshot, of the log, and those that are given as they come."""
    database.sql("INSERT INTO notes VALUES (1, 'a'), (2, 'b')", user="ada")
    ada = live()
    ada.follow("SELECT * FROM notes")
    for number in range(10, 15):
        database.sql("INSERT INTO notes VALUES (?, 'x')", [number], user="ada")
        ada.hear()
    assert next(iter(database.sql("SELECT events FROM system.live_queries")))["events"] == 7


def test_columns_that_were_added(database, live):
    """Rows from before an ALTER TABLE come with the new column."""
    database.sql("INSERT INTO notes VALUES (1, 'a')", user="ada")
    ada = live()
    ada.follow("SELECT * FROM notes")
    database.sql("ALTER TABLE notes ADD COLUMN stars INT DEFAULT 5")
    database.sql("UPDATE notes SET body = 'b'", user="ada")
    assert ada.hear()["old"] == {"id": 1, "body": "a", "stars": 5}
    assert live().follow("SELECT * FROM notes")[0]["rows"] == [{"id": 1, "body": "b", "stars": 5}]


def test_the_same_query_twice(database, live):
    """Each of two equal queries of one connection has a channel of its own, and gets everything."""
    ada = live()
    first, second = ada.follow("SELECT * FROM notes", 1), ada.follow("SELECT * FROM notes", 2)
    channels = {first[-1]["channel"], second[-1]["channel"]}
    assert len(channels) == 2
    database.sql("INSERT INTO notes VALUES (1, 'a')", user="ada")
    assert {ada.hear()["channel"], ada.hear()["channel"]} == channels
    ada.say(type="unsubscribe", id=1)
    assert ada.hear() == {"type": "unsubscribed", "id": 1}
    database.sql("INSERT INTO notes VALUES (2, 'a')", user="ada")
    assert ada.hear()["channel"] == second[-1]["channel"]
    ada.say(type="ping")
    assert ada.hear() == {"type": "pong"}


@pytest.mark.parametrize("rows", [0, 2, 5_000])
def test_last_rows(database, live, rows):
    """A snapshot has at most so many rows, those with the highest keys."""
    database.load("notes", ({"id": number, "body": "x" * 50} for number in range(3_000)), user="ada")
    heard = live().follow("SELECT * FROM notes", last_rows=rows)
    ids = [row["id"] for message in heard if message["op"] == "snapshot" for row in message["rows"]]
    assert ids == list(range(3_000))[-rows if rows else 3_000 :]


def test_resume(database, live):
    """Behind `since`, each change that came meanwhile comes once, without a snapshot, and `ready` says that it is all."""
    ada = live()
    begin = ada.follow("SELECT * FROM notes")[-1]["seq"]
    ada.socket.close()
    for number in range(50):
        database.sql("INSERT INTO notes VALUES (?, 'x')", [number], user="ada")
    heard = live().follow("SELECT * FROM notes", since=begin)
    changes = [message for message in heard if message["op"] != "ready"]
    assert [message["row"]["id"] for message in changes] == list(range(50))
    again = live().follow("SELECT * FROM notes", since=changes[29]["seq"])
    assert [message["row"]["id"] for message in again if message["op"] != "ready"] == list(range(30, 50))


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({**FOLLOW, "sql": "SELECT * FROM nothing"}, "usage"),
        ({**FOLLOW, "sql": "SELECT count(*) FROM notes"}, "usage"),
        ({**FOLLOW, "sql": "DELETE FROM notes"}, "usage"),
        ({**FOLLOW, "sql": "SELECT * FROM notes WHERE id = ?"}, "usage"),
        ({**FOLLOW, "since": -1}, "usage"),
        ({**FOLLOW, "last_rows": -1}, "usage"),
        ({**FOLLOW, "sql": "SELECT * FROM closed"}, "access_denied"),
        ({"type": "unsubscribe", "id": 5}, "usage"),
    ],
)
def test_refusals(database, live, message, code):
    """What cannot be done is refused by its id, with a code and a message; the connection goes on."""
    database.sql("CREATE TABLE closed (id BIGINT PRIMARY KEY) WITH (TYPE = 'SHARED')")
    ada = live()
    ada.say(**message)
    heard = ada.hear()
    assert (heard["type"], heard["id"], heard["error"]["code"]) == ("error", message["id"], code)
    assert heard["error"]["message"]
    assert ada.follow("SELECT * FROM notes")[-1]["op"] == "ready"
    ada.say(**FOLLOW)
    assert "in use" in ada.hear()["error"]["message"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "1", '{"type": "nothing"}', '{"id": 1}', "[" * 100_000, '{"type":"subscribe","id":1.5,"sql":""}'],
)
def test_what_is_no_message(live, text):
    """A text that is no message of the protocol closes the connection with 4400."""
    ada = live()
    ada.socket.send(text)
    with pytest.raises(ConnectionClosed) as closed:
        ada.hear()
    assert closed.value.rcvd.code == 4400


def test_before_a_token(live):
    """Nothing is done for who has not said who he is: 4401."""
    nobody = live(None)
    nobody.say(**FOLLOW)
    with pytest.raises(ConnectionClosed) as closed:
        nobody.hear()
    assert closed.value.rcvd.code == 4401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", "x" * 8_000])
def test_a_token_that_does_not_hold(live, token):
    """Closes the connection with 4401."""
    nobody = live(None)
    nobody.say(type="authenticate", token=token)
    with pytest.raises(ConnectionClosed) as closed:
        nobody.hear()
    assert closed.value.rcvd.code == 4401


def test_large_messages_of_nobody(raw):
    """Who has not said who he is keeps no more than 8 KiB under way: 1009, at the head of its frame."""
    nobody = raw(None)
    nobody.send(raw.frame(1, b"", size=limits.SERVE_AUTH_BYTES + 1))
    assert nobody.closing() == 1009
    ada = raw()
    text = json.dumps({"type": "unsubscribe", "id": 1, "more": "x" * 100_000}).encode()
    ada.send(raw.frame(1, text))
    assert json.loads(ada.frame()[1])["type"] == "error"


def test_long_ids(live):
    """An id is kept while its query lives, and sent back: one of more than 256 characters is no message."""
    ada = live()
    ada.say(type="unsubscribe", id="x" * limits.SERVE_ID_CHARS)
    assert ada.hear()["type"] == "error"
    ada.say(type="subscribe", id="x" * (limits.SERVE_ID_CHARS + 1), sql="SELECT * FROM notes")
    with pytest.raises(ConnectionClosed) as closed:
        ada.hear()
    assert closed.value.rcvd.code == 4400


def test_asking_without_reading(server, raw, on_loop, database, monkeypatch):
    """Who asks on without reading the answers is not read: no more of them wait than the outbox holds; all come when he reads."""
    monkeypatch.setattr(limits, "LIVE_USER_MESSAGES", 1_000_000)
    database.sql("CREATE USER eve")
    database.sql("ALTER USER eve MESSAGES 1000000")
    count, ids = 4_000, "x" * 200
    eve = raw("eve")
    asked = b"".join(
        raw.frame(1, b'{"type":"unsubscribe","id":"%06d%s"}' % (number, ids.encode())) for number in range(count)
    )
    sending = threading.Thread(target=eve.send, args=(asked,), daemon=True)
    sending.start()
    (connection,) = server.service.connections
    until = time.monotonic() + 30
    while not on_loop(lambda: connection._reading is not None) and time.monotonic() < until:
        time.sleep(0.02)
    held = on_loop(lambda: (connection.is_paused, connection._transport.get_write_buffer_size()))
    assert held[0]
    assert held[1] < limits.SERVE_OUTBOX_BYTES + 4_096
    eve.socket.settimeout(60)
    for number in range(count):
        assert json.loads(eve.frame()[1])["id"] == f"{number:06d}{ids}"
    sending.join(30)
    assert not sending.is_alive()


def test_a_token_that_ends(database, server, live, monkeypatch):
    """A connection ends with its token, in the middle of its queries, unless it brings another one in time."""
    monkeypatch.setattr(limits, "SERVE_SWEEP_S", 0.05)
    ada, bob = live("ada"), live("bob")
    ada.follow("SELECT * FROM notes")
    bob.follow("SELECT * FROM notes")
    short = server.token("ada", seconds=1)
    ada.say(type="authenticate", token=short)
    assert ada.hear()["expires_s"] <= 1
    bob.say(type="authenticate", token=server.token("bob", seconds=1))
    assert bob.hear()["type"] == "authenticated"
    bob.say(type="authenticate", token=server.token("bob"))
    assert bob.hear()["expires_s"] > 1_000
    with pytest.raises(ConnectionClosed) as closed:
        ada.hear()
    assert closed.value.rcvd.code == 4401
    database.sql("INSERT INTO notes VALUES (1, 'x')", user="bob")
    assert bob.hear()["op"] == "insert"


@pytest.mark.parametrize("change", ["ALTER USER eve PASSWORD 'a new long password'", "DROP USER eve"])
def test_a_user_who_is_out(database, live, monkeypatch, change):
    """With another password, or dropped, he is told no more; others are."""
    monkeypatch.setattr(limits, "SERVE_SWEEP_S", 0.05)
    database.sql("CREATE USER eve PASSWORD 'other long words'")
    eve, bob = live("eve"), live("bob")
    eve.follow("SELECT * FROM notes")
    bob.follow("SELECT * FROM notes")
    database.sql(change)
    with pytest.raises(ConnectionClosed) as closed:
        eve.hear()
    assert closed.value.rcvd.code == 4401
    database.sql("INSERT INTO notes VALUES (1, 'x')", user="bob")
    assert bob.hear()["op"] == "insert"


def test_a_user_who_is_out_asks(database, live, monkeypatch):
    """What he asks for behind that is not done, however soon it comes."""
    monkeypatch.setattr(limits, "SERVE_SWEEP_S", 1_000)
    database.sql("CREATE USER eve PASSWORD 'other long words'")
    eve = live("eve")
    database.sql("ALTER USER eve PASSWORD 'a new long password'")
    eve.say(**FOLLOW)
    with pytest.raises(ConnectionClosed) as closed:
        eve.hear()
    assert closed.value.rcvd.code == 4401


def test_somebody_elses_token(server, live):
    """A connection stays whose it is."""
    ada = live()
    ada.say(type="authenticate", token=server.token("bob"))
    with pytest.raises(ConnectionClosed) as closed:
        ada.hear()
    assert closed.value.rcvd.code == 4401


def test_no_token_in_time(raw, monkeypatch):
    """Who says nothing is closed."""
    monkeypatch.setattr(limits, "SERVE_AUTH_S", 0.2)
    assert raw(None).closing() == 4401


def test_silence(raw, monkeypatch):
    """A silent client is asked whether it is there; one that answers stays, one that does not is ended."""
    monkeypatch.setattr(limits, "SERVE_SILENCE_S", 1.5)
    answering, silent = raw("ada"), raw("bob")
    until = time.monotonic() + 8
    asked = 0
    while time.monotonic() < until and asked < 3:
        opcode, payload = answering.frame()
        assert opcode == 9
        answering.send(raw.frame(10, payload))
        asked += 1
    assert asked == 3
    assert set(opcodes_until_the_end(silent)) == {9}


def test_pings(raw):
    """A ping is answered with its own bytes, between the fragments of a message, too; a pong nobody asked for does no harm."""
    ada = raw()
    ada.send(raw.frame(10, b"unasked") + raw.frame(1, b'{"type":', fin=False) + raw.frame(9, b"abc" * 40))
    assert ada.frame() == (10, b"abc" * 40)
    ada.send(raw.frame(0, b'"ping"}'))
    assert ada.frame() == (1, b'{"type":"pong"}')


def test_one_byte_at_a_time(raw):
    """A client may send byte by byte."""
    ada = raw()
    for byte in raw.frame(1, b'{"type":"ping"}'):
        ada.send(bytes([byte]))
    assert ada.frame() == (1, b'{"type":"pong"}')


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([(2, b"binary", {})], 1003),
        ([(1, b"\xff\xfe", {})], 1007),
        ([(1, b"{}", {"mask": None})], 1002),
        ([(1, b"{}", {"reserved": 0x40})], 1002),
        ([(1, b"{}", {"reserved": 0x20})], 1002),
        ([(1, b"{}", {"reserved": 0x10})], 1002),
        ([(3, b"", {})], 1002),
        ([(7, b"", {})], 1002),
        ([(11, b"", {})], 1002),
        ([(15, b"", {})], 1002),
        ([(9, b"x" * 126, {})], 1002),
        ([(9, b"", {"fin": False})], 1002),
        ([(8, b"x", {})], 1002),
        ([(8, b"\x03\xec", {})], 1002),
        ([(8, b"\x03\xe8\xff", {})], 1007),
        ([(0, b"x", {})], 1002),
        ([(1, b"a", {"fin": False}), (1, b"b", {})], 1002),
        ([(1, b"", {"size": 1 << 40})], 1009),
        ([(8, b"", {})], None),
        ([(8, b"\x03\xe8", {})], 1000),
        ([(8, b"\x03\xe9bye", {})], 1001),
        ([(8, b"\x0f\xa0", {})], 4000),
    ],
)
def test_closing_codes(raw, frames, code):
    """Broken frames close with RFC 6455's code; a client that closes gets its own code back, and the connection ends."""
    ada = raw()
    for opcode, payload, options in frames:
        ada.send(raw.frame(opcode, payload, **options))
    assert ada.closing() == (code if code is not None else 1000)
    ada.send(raw.frame(8, b"\x03\xe8"))
    assert list(opcodes_until_the_end(ada)) == []


@pytest.mark.parametrize("frames", [[(8, b"x")], [(8, b"\x03\xe8\xff")], [(2, b"x")], [(1, b"\xff")], [(3, b"")]])
def test_a_broken_connection_ends_by_itself(raw, monkeypatch, frames):
    """Behind a frame that breaks the protocol the server ends its side at once: a client that fails answers nothing."""
    monkeypatch.setattr(limits, "SERVE_CLOSE_S", 1_000)
    ada = raw()
    for opcode, payload in frames:
        ada.send(raw.frame(opcode, payload))
    assert ada.closing() in {1002, 1003, 1007}
    assert list(opcodes_until_the_end(ada)) == []


@pytest.mark.parametrize("cut", range(1, 9))
def test_nothing_is_read_into_what_comes_behind_a_broken_frame(raw, monkeypatch, cut):
    """Where a frame begins is not known any more: bytes that look like one are none, wherever they are cut."""
    monkeypatch.setattr(limits, "SERVE_CLOSE_S", 1_000)
    ada = raw()
    behind = raw.frame(9, b"abc") + raw.frame(8, b"\x03\xe8")
    ada.send(raw.frame(15, b"x"))
    ada.send(behind[:cut])
    assert ada.closing() == 1002
    ada.send(behind[cut:])
    assert list(opcodes_until_the_end(ada)) == []


def test_no_room_for_a_message_that_arrives(raw, server, on_loop, monkeypatch):
    """A message for which there is no memory is not read on: its client is told 1013, and its bytes are given back."""
    monkeypatch.setattr(limits, "SERVE_CLOSE_S", 1_000)
    monkeypatch.setattr(limits, "SERVE_RECEIVING_BYTES", 50_000)
    ada = raw()
    ada.send(raw.frame(1, b"x" * 100_000)[:60_000])
    assert ada.closing() == 1013
    ada.send(raw.frame(9, b"abc") * 100)
    assert list(opcodes_until_the_end(ada)) == []
    assert on_loop(lambda: server.service.admission.receiving) == 0


def test_what_comes_behind_a_broken_frame(raw, live):
    """Is not looked at, and harms nobody."""
    ada = raw()
    ada.send(raw.frame(2, b"x") + raw.frame(1, b'{"type":"ping"}') * 1_000)
    assert ada.closing() == 1003
    assert live().follow("SELECT * FROM notes")


@pytest.mark.parametrize(
    ("head", "status"),
    [("Origin: https://elsewhere.example\r\n", 403), ("Origin: null\r\n", 403), ("Host: rebound.example\r\n", 421)],
)
def test_pages_from_elsewhere(raw, head, status):
    """A page of another origin, and a name that was made to lead here, do not get in."""
    nobody = raw(None, head=head)
    assert nobody.response.split()[1] == str(status).encode()


def test_other_paths_and_versions(server):
    """Only /v1/live is for WebSockets."""
    url = server.url.replace("http", "ws", 1)
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{url}/v1/other", proxy=None)
    assert refused.value.response.status_code == 404


def test_more_connections_than_a_user_may(database, live):
    """Close with 4429; those that there are go on."""
    database.sql("CREATE USER ada WITH CONNECTIONS 2")
    first, _second = live("ada"), live("ada")
    third = live(None)
    third.say(type="authenticate", token=first_token(first, database))
    with pytest.raises(ConnectionClosed) as closed:
        third.hear()
    assert closed.value.rcvd.code == 4429
    first.socket.close()
    until = time.monotonic() + 5
    while time.monotonic() < until:
        again = live(None)
        again.say(type="authenticate", token=first_token(first, database))
        try:
            heard = again.hear()
        except ConnectionClosed:
            continue
        assert heard["type"] == "authenticated"
        return
    pytest.fail("a connection that ended still counts")


def first_token(_live, database):
    """A token of ada's as she is."""
    tokens = Tokens(database.path, database._executor.catalog)
    return tokens.issue("ada", database._executor.catalog.user("ada").stamp)[0]


def test_more_messages_than_a_user_may(database, live, monkeypatch):
    """Who says too much in a second is read more slowly; nothing he said is lost."""
    monkeypatch.setattr(limits, "SERVE_BURST_S", 1)
    database.sql("CREATE USER bob WITH MESSAGES 20")
    ada, bob = live("ada"), live("bob")
    begin = time.monotonic()
    for _ in range(40):
        bob.say(type="ping")
        ada.say(type="ping")
    for _ in range(40):
        assert ada.hear() == {"type": "pong"}
    quick = time.monotonic() - begin
    for _ in range(40):
        assert bob.hear() == {"type": "pong"}
    assert time.monotonic() - begin > 0.8 > quick


def test_a_table_that_is_dropped(database, live):
    """Ends the queries on it, by their ids, and says why; the connection goes on."""
    ada = live()
    ada.follow("SELECT * FROM notes")
    database.sql("DROP TABLE notes")
    heard = ada.hear()
    assert (heard["type"], heard["id"]) == ("ended", 1)
    assert "dropped" in heard["error"]["message"]
    ada.say(type="ping")
    assert ada.hear() == {"type": "pong"}


def test_a_role_that_is_taken_away(database, live):
    """Ends what it allowed."""
    database.sql(
        "CREATE TABLE inner (id BIGINT PRIMARY KEY) WITH (TYPE = 'SHARED', ACCESS_LEVEL = 'RESTRICTED')".replace(
            "inner", "staff"
        )
    )
    database.sql("CREATE USER eve WITH ROLE 'service'")
    eve = live("eve")
    eve.follow("SELECT * FROM staff")
    database.sql("ALTER USER eve WITH ROLE 'user'")
    heard = eve.hear()
    assert (heard["type"], heard["error"]["code"]) == ("ended", "access_denied")


def test_what_a_connection_leaves(database, server, live, on_loop):
    """When connections end, in whatever way, nothing of them is left: not their queries, their channels, their bytes."""
    service = server.service
    for number in range(6):
        ada = live()
        ada.follow("SELECT * FROM notes")
        ada.follow("SELECT * FROM notes WHERE id = 5", 2)
        if number % 3 == 0:
            ada.socket.close()
        elif number % 3 == 1:
            ada.socket.socket.close()
        else:
            ada.socket.send("{")

    def left():
        admission = service.admission
        return (len(service.connections), len(service.fanout.targets), len(service.fanout.levels), len(service.channels),
                admission.connections, admission.feeds, admission.paused, admission.receiving, dict(admission._users))  # fmt: skip

    until = time.monotonic() + 30
    while on_loop(left) != (0, 0, 0, 0, 0, 0, 0, 0, {}) and time.monotonic() < until:
        time.sleep(0.02)
    assert on_loop(left) == (0, 0, 0, 0, 0, 0, 0, 0, {})
    while len(database._following.subscriptions) and time.monotonic() < until:
        time.sleep(0.02)
    assert len(database._following.subscriptions) == 0
    assert list(database.sql("SELECT * FROM system.live_queries")) == []


def test_a_client_that_does_not_read(database, live, server, on_loop):
    """Holds no queue: what it has not read waits in the log, and comes once, in order, when it reads on; others get everything."""
    slow, quick = live("ada"), live("ada")
    slow.follow("SELECT * FROM notes")
    quick.follow("SELECT * FROM notes")
    count = 3_000
    for number in range(count):
        database.sql("INSERT INTO notes VALUES (?, ?)", [number, "x" * 500], user="ada")
        if number % 100 == 99:
            assert [quick.hear()["row"]["id"] for _ in range(100)] == list(range(number - 99, number + 1))
    assert on_loop(lambda: server.service.admission.paused) <= 1
    assert [slow.hear()["row"]["id"] for _ in range(count)] == list(range(count))


def test_levels(database, live, monkeypatch):
    """Who has everything is told up to where, so that he can go on there: also when nothing came for him."""
    monkeypatch.setattr(limits, "SERVE_LEVEL_S", 0.1)
    ada = live()
    ready = ada.follow("SELECT * FROM notes")[-1]
    database.sql("INSERT INTO notes VALUES (1, 'x')", user="bob")
    while True:
        heard = ada.hear()
        assert heard["type"] == "level"
        if heard["seq"] > ready["seq"]:
            break
    assert json.dumps(heard)
