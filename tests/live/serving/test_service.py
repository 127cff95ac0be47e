"""What connections share: names and origins, tokens for others, ends."""

import time

import pytest

from flatwater.live.access import AccessDenied


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost", True), ("LOCALHOST:8642", True), ("127.0.0.1:1", True), ("[::1]:8642", True), ("[::1]", True),
        ("", False), ("evil.example", False), ("localhost.evil.example", False), ("127.0.0.1.evil.example:80", False), ("evil:localhost", False),
    ],
)  # fmt: skip
def test_names(server, host, known):
    """On loopback it goes by loopback's names alone: a page whose name was made to lead here does not get in."""
    assert server.service.is_host(host) is known


@pytest.mark.parametrize(
    ("origin", "may"),
    [
        ("http://localhost:8642", True), ("HTTP://LOCALHOST:8642", True), ("https://localhost:8642", False), ("http://localhost", False),
        ("null", False), ("", False), ("http://localhost:8642.evil.example", False),
    ],
)  # fmt: skip
def test_origins(server, origin, may):
    """Pages of the server's own origin may connect."""
    assert server.service.is_origin(origin, "localhost:8642") is may


def test_tokens_for_others(database, server):
    """A service has tokens of those below it; nobody of those beside or above him, or of a name that is none."""
    database.sql("CREATE USER shop WITH ROLE 'service'")
    database.sql("CREATE USER ops WITH ROLE 'dba'")
    service = server.service
    shop = service.actor("shop")
    assert service.token_for(shop, "ada") == ("ada", 0)
    assert service.token_for(shop, None)[0] == "shop"
    assert service.token_for(service.actor("ops"), "shop")[1] > 0
    for actor, user in (
        (shop, "ops"),
        (shop, "system"),
        (service.actor("ada"), "bob"),
        (service.actor("ops"), "system"),
    ):
        with pytest.raises(AccessDenied):
            service.token_for(actor, user)
    for name in ("", "x" * 1_000, "a\nb"):
        with pytest.raises(Exception, match="no name"):
            service.token_for(shop, name)


@pytest.mark.parametrize(
    ("sql", "gives"),
    [
        ("SELECT * FROM notes", True), ("WITH a AS (SELECT 1 AS x) SELECT * FROM a", True), ("EXECUTE AS USER 'ada' (SELECT 1 AS x)", True),
        ("INSERT INTO notes VALUES (1, 'x') RETURNING id", False), ("EXECUTE AS USER 'ada' (DELETE FROM notes)", False), ("SHOW TABLES", False),
    ],
)  # fmt: skip
def test_what_gives_rows_alone(server, sql, gives):
    """Only what changes nothing may be an Arrow stream."""
    assert server.service.gives_rows(sql) is gives


def test_a_kill_is_told(database, live):
    """A live query of a connection that is killed ends there, with the reason; the connection goes on."""
    ada = live()
    ada.follow("SELECT * FROM notes")
    number = next(iter(database.sql("SELECT number FROM system.live_queries")))["number"]
    database.sql("KILL LIVE QUERY ?", [number], user="ada")
    heard = ada.hear()
    assert (heard["type"], heard["id"]) == ("ended", 1)
    assert "KILL" in heard["error"]["message"]
    assert ada.follow("SELECT * FROM notes")[-1]["op"] == "ready"


def test_many_come_back_at_once(database, server, live_of, on_loop):
    """A storm of connections that come back with `since` all get what they missed, and leave nothing behind."""
    for number in range(30):
        database.sql("INSERT INTO notes VALUES (?, 'x')", [number], user="ada")
    begin = live_of(server).follow("SELECT * FROM notes")[-1]["seq"]
    for number in range(30, 60):
        database.sql("INSERT INTO notes VALUES (?, 'x')", [number], user="ada")
    clients = [live_of(server) for _ in range(40)]
    for client in clients:
        for name in range(3):
            client.say(type="subscribe", id=name, sql="SELECT * FROM notes", since=begin)
    for client in clients:
        seen = {}
        while len([1 for events in seen.values() if events and events[-1] == "ready"]) < 3:
            heard = client.hear()
            if "channel" in heard and "op" in heard:
                seen.setdefault(heard["channel"], []).append("ready" if heard["op"] == "ready" else heard["row"]["id"])
        assert list(seen.values()) == [[*range(30, 60), "ready"]] * 3
    for client in clients:
        client.socket.close()
    until = time.monotonic() + 10
    while on_loop(lambda: len(server.service.fanout.targets)) > 1 and time.monotonic() < until:
        time.sleep(0.02)
    assert on_loop(lambda: len(server.service.fanout.targets)) == 1
