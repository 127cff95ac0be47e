"""A server's life: its port, TLS, names, tokens for an application, its end."""

import json
import socket
import ssl
import threading
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from flatwater import errors, limits
from flatwater.live.database import Database


def test_where_it_is(database):
    """It is on loopback unless told otherwise, and a port of 0 takes a free one."""
    with database.serve(port=0) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert httpx.get(f"{server.url}/health", trust_env=False).status_code == 200
        assert repr(server) == f"<Server {server.url}>"
        assert not server.is_readable
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/health", trust_env=False)
    server.close()


def test_one_at_a_time(database):
    """A database is served once; when that server is closed, again, at the same port."""
    with database.serve(port=0) as server:
        port = int(server.url.rsplit(":", 1)[1])
        with pytest.raises(errors.UsageError, match="served already"):
            database.serve(port=0)
    with database.serve(port=port) as again:
        assert again.url == server.url


@pytest.mark.parametrize("port", [-1, 65_536, "80", 1.5, None])
def test_what_is_no_port(database, port):
    """Is refused."""
    with pytest.raises(errors.UsageError, match="no port"):
        database.serve(port=port)


def test_addresses_that_cannot_be_served(database, tmp_path):
    """A port that is taken, and an address that is none, say so; the database can be served elsewhere."""
    with database.serve(port=0) as server, Database(tmp_path / "other", sync="off") as other:
        with pytest.raises(errors.BrokenError, match="Take another port"):
            other.serve(port=int(server.url.rsplit(":", 1)[1]))
        with pytest.raises(errors.UsageError, match="no address"):
            other.serve("no such host.invalid", 0)
        with pytest.raises(errors.UsageError, match=r"no address of this machine.*0\.0\.0\.0"):
            other.serve("192.0.2.1", 0)
        other.serve(port=0).close()


def test_closing_the_database_ends_it(tmp_path):
    """A database that is closed is served no longer; its clients are told to come back."""
    with Database(tmp_path / "d", sync="off") as database:
        database.sql("CREATE TABLE t (id BIGINT PRIMARY KEY) WITH (TYPE = 'USER')")
        server = database.serve(port=0)
        client = connect(server.url.replace("http", "ws", 1) + "/v1/live", compression=None, proxy=None)
        client.send(json.dumps({"type": "authenticate", "token": server.token("ada")}))
        client.recv(20)
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(20)
    assert closed.value.rcvd.code == 1012


def test_closing_with_clients_that_do_not_answer(database, raw, server, live):
    """Clients that do not agree, or do not read, keep nobody waiting for long."""
    ada, _silent = live(), raw("bob")
    ada.follow("SELECT * FROM notes")
    begin = time.monotonic()
    server.close()
    assert time.monotonic() - begin < 9


def test_closing_in_the_middle(database, server):
    """Rows that are being sent when the server ends are sent, or cut short so that it is seen; nothing hangs."""
    database.load("notes", ({"id": number, "body": "x" * 1_000} for number in range(30_000)), user="ada")
    headers = {"authorization": f"Bearer {server.token('ada')}", "accept": "application/x-ndjson"}
    with httpx.Client(trust_env=False) as client:
        with client.stream(
            "POST", f"{server.url}/v1/sql", json={"sql": "SELECT * FROM notes"}, headers=headers
        ) as answer:
            parts = answer.iter_bytes()
            assert next(parts)
            closing = threading.Thread(target=server.close)
            closing.start()
            count = 0
            try:
                count = sum(part.count(b"\n") for part in parts)
            except httpx.RemoteProtocolError:
                count = -1
        closing.join(15)
        assert not closing.is_alive()
        assert count == -1 or count > 0


def test_tls(database, certificate):
    """With a certificate, statements and live queries are encrypted; without TLS there is nothing."""
    context = ssl.create_default_context(cafile=certificate[0])
    with database.serve(port=0, tls=certificate) as server:
        assert server.url.startswith("https://")
        headers = {"authorization": f"Bearer {server.token('ada')}"}
        body = {"sql": "INSERT INTO notes VALUES (1, 'a')"}
        with httpx.Client(verify=context, trust_env=False) as client:
            assert client.post(f"{server.url}/v1/sql", json=body, headers=headers).json()["count"] == 1
            with pytest.raises(httpx.HTTPError):
                client.get(f"{server.url.replace('https', 'http', 1)}/health")
        url = server.url.replace("https", "wss", 1) + "/v1/live"
        with connect(url, ssl=context, compression=None, proxy=None, additional_headers=headers) as client:
            assert json.loads(client.recv(20))["type"] == "authenticated"
            client.send(json.dumps({"type": "subscribe", "id": 1, "sql": "SELECT * FROM notes"}))
            assert [json.loads(client.recv(20)).get("op") for _ in range(3)] == [None, "snapshot", "ready"]


def test_a_broken_connection_ends_by_itself_with_tls(database, certificate, monkeypatch):
    """Over TLS, too, a client that breaks the protocol is told why, and the connection ends without waiting for his answer."""
    monkeypatch.setattr(limits, "SERVE_CLOSE_S", 1_000)
    context = ssl.create_default_context(cafile=certificate[0])
    with database.serve(port=0, tls=certificate) as server:
        port = int(server.url.rsplit(":", 1)[1])
        with (
            socket.create_connection(("127.0.0.1", port), 10) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as client,
        ):
            client.sendall(
                b"GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(1 << 16)
            client.sendall(b"\x82\x80\0\0\0\0" + b"\x89\x80\0\0\0\0" * 1_000)
            data = b""
            while part := client.recv(1 << 16):
                data += part
    assert data == b"\x88\x19\x03\xebmessages are JSON texts"


def test_certificates_that_are_none(database, certificate, tmp_path):
    """Files that are missing or do not belong together are refused by name."""
    (tmp_path / "empty").write_text("")
    for pair in ((certificate[0], str(tmp_path / "empty")), ("nowhere.pem", certificate[1])):
        with pytest.raises(errors.UsageError, match=r"TLS with.*PEM"):
            database.serve(port=0, tls=pair)


def test_names_and_origins(database):
    """With names of hosts, these alone; pages of origins that were named may connect."""
    with database.serve(port=0, hosts=["db.example"], origins=["https://app.example"]) as server:
        assert httpx.get(f"{server.url}/health", trust_env=False).status_code == 421
        assert httpx.get(f"{server.url}/health", headers={"host": "DB.example:80"}, trust_env=False).status_code == 200
        url = server.url.replace("http", "ws", 1) + "/v1/live"
        headers = {"authorization": f"Bearer {server.token('ada')}"}
        port = int(server.url.rsplit(":", 1)[1])
        there = socket.create_connection(("127.0.0.1", port))
        with connect(
            f"ws://db.example:{port}/v1/live",
            sock=there,
            origin="https://app.example",
            additional_headers=headers,
            proxy=None,
        ) as found:
            assert json.loads(found.recv(5))["user"] == "ada"
        asks = {"host": "db.example", "origin": "https://app.example", "access-control-request-method": "POST",
                "access-control-request-headers": "authorization,content-type"}  # fmt: skip
        answer = httpx.options(f"{server.url}/v1/sql", headers=asks, trust_env=False)
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        answer = httpx.options(
            f"{server.url}/v1/sql", headers=asks | {"origin": "https://evil.example"}, trust_env=False
        )
        assert "access-control-allow-origin" not in answer.headers
        with pytest.raises(Exception, match="421"):
            connect(url, proxy=None)


@pytest.mark.parametrize(
    "wrong", [{"origins": ["nonsense"]}, {"proxies": ["nonsense"]}, {"hosts": ["http://db.example"]}]
)
def test_callers_that_never_match(database, wrong):
    """They are refused before anything is served; the database can be served then."""
    with pytest.raises(errors.UsageError, match="never matches"):
        database.serve(port=0, **wrong)
    database.serve(port=0).close()


def test_every_address(database):
    """Served at every address, it goes by any name, since a token is in front of everything."""
    with database.serve("0.0.0.0", 0) as server:
        port = int(server.url.rsplit(":", 1)[1])
        assert server.is_readable
        headers = {"host": "anything.example"}
        assert httpx.get(f"http://127.0.0.1:{port}/health", headers=headers, trust_env=False).status_code == 200


def test_the_first_start(tmp_path):
    """Each start prints another token while nobody has a password."""
    seen = set()
    for _ in range(2):
        with Database(tmp_path / "d", sync="off") as database, database.serve(port=0) as server:
            assert len(server.one_time_token) >= 32
            seen.add(server.one_time_token)
    assert len(seen) == 2


def test_tokens_hold_over_a_restart(tmp_path):
    """A token of before a restart holds behind it."""
    with Database(tmp_path / "d", sync="off") as database, database.serve(port=0) as server:
        token = server.token("ada")
    with Database(tmp_path / "d", sync="off") as database, database.serve(port=0) as server:
        answer = httpx.post(
            f"{server.url}/v1/sql",
            json={"sql": "SHOW TABLES"},
            headers={"authorization": f"Bearer {token}"},
            trust_env=False,
        )
        assert answer.status_code == 200


def test_proxies(database):
    """Where clients are is believed of a proxy that was named, and of nobody else."""
    body = {"user": "nobody", "password": "guess number one"}
    for proxies, addresses in ((["127.0.0.1"], {"10.1.1.1", "10.2.2.2"}), ([], {"127.0.0.1"})):
        with database.serve(port=0, proxies=proxies) as server:
            for address in ("10.1.1.1", "10.2.2.2"):
                headers = {"x-forwarded-for": address}
                assert (
                    httpx.post(f"{server.url}/v1/token", json=body, headers=headers, trust_env=False).status_code == 401
                )
            assert {key[1] for key in server._passwords._failures if key[0] == "address"} == addresses
