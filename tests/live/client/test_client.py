"""Statements by a client with threads."""

import threading

import httpx
import pytest

from flatwater import errors
from flatwater.budget.budget import Budget
from flatwater.live.access import AccessDenied
from flatwater.live.refusals import Conflict, Unauthenticated


def test_statements(client, database):
    """Rows are written and read; how many were changed is said, and NULLs and large numbers are what they were."""
    assert client.sql("INSERT INTO notes VALUES (?, ?), (?, NULL)", [1, "ä", (1 << 62) + 1]).count == 2
    assert list(client.sql("SELECT * FROM notes")) == [{"id": 1, "body": "ä"}, {"id": (1 << 62) + 1, "body": None}]
    assert list(database.sql("SELECT id FROM notes", user="ada")) == [{"id": 1}, {"id": (1 << 62) + 1}]
    assert client.sql("DELETE FROM notes").count == 2
    shown = client.sql("SHOW TABLES")
    assert shown.count == -1
    assert [tuple(row) for row in shown] == [shown.columns]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SELECT * FROM nothing", errors.UsageError), ("SELEC 1", errors.UsageError), ("CREATE NAMESPACE a", AccessDenied),
        ("INSERT INTO notes VALUES (1, 'again')", Conflict),
    ],
)  # fmt: skip
def test_errors(client, database, text, kind):
    """What a database raises, a client raises, with the same words, when the statement is said."""
    client.sql("INSERT INTO notes VALUES (1, 'a')")
    with pytest.raises(kind) as here:
        database.sql(text, user="ada")
    with pytest.raises(kind) as there:
        client.sql(text)
    assert (there.value.args[0], there.value.hint) == (here.value.args[0], here.value.hint)


def test_what_values_become(client, database):
    """Parameters that JSON cannot carry come out of a table as they were put in."""
    import datetime as dt
    import decimal
    import uuid

    database.sql(
        "CREATE TABLE kinds (id UUID PRIMARY KEY, b BYTES, d DATE, t TIMESTAMP, n DECIMAL(9, 2)) WITH (TYPE = 'USER')"
    )
    given = {
        "id": uuid.uuid4(), "b": b"\0\xff", "d": dt.date(2026, 1, 2), "t": dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC),
        "n": decimal.Decimal("1.50"),
    }  # fmt: skip
    assert client.sql("INSERT INTO kinds VALUES (?, ?, ?, ?, ?)", list(given.values())).count == 1
    assert list(database.sql("SELECT * FROM kinds", user="ada")) == [given]
    for column, value in given.items():
        assert len(list(client.sql(f"SELECT id FROM kinds WHERE {column} = ?", [value]))) == 1


def test_the_server_is_not_there_for_a_while(served, client, database, quick):
    """What a server did not receive is tried again, whatever it is; in the end it is said that there is none."""
    served.stop()
    with pytest.raises(errors.BrokenError, match="cannot be reached"):
        client.sql("INSERT INTO notes VALUES (1, 'a')")
    served.start()
    assert client.sql("INSERT INTO notes VALUES (1, 'a')").count == 1


def test_what_may_be_tried_again(canned, client_of, answer, quick):
    """Where a connection breaks, or the server has no room, a SELECT is said again and another statement is not."""
    busy = answer(b'{"error": {"code": "budget_exceeded", "message": "full."}}', "503 Busy", head="Retry-After: 1\r\n")
    rows = answer(b'{"id": 1}\n')
    for failure in (b"", busy):
        server = canned(failure, failure, rows)
        assert list(client_of(server.url, token="t").sql("SELECT 1")) == [{"id": 1}]
        assert len(server.heard) == 3
        server = canned(failure, rows)
        with pytest.raises((errors.BrokenError, errors.BudgetExceeded), match=r"not known|full"):
            client_of(server.url, token="t").sql("INSERT INTO a VALUES (1)")
        assert len(server.heard) == 1


def test_tries_end(canned, client_of, answer, quick):
    """A server that is full for long is told of."""
    server = canned(
        answer(b'{"error": {"code": "limit_reached", "message": "slow down."}}', "429 Much", head="Retry-After: 0\r\n")
    )
    with pytest.raises(errors.LimitReached, match="slow down"):
        client_of(server.url, token="t").sql("SELECT 1")
    assert len(server.heard) == 6


def test_a_token_that_ends(served, client_of):
    """A function is asked for another token; a text is refused, and is in no error."""
    given = []

    def token():
        given.append(served.token(seconds=1 if not given else 3_600))
        return given[-1] if len(given) > 1 else "expired.or.wrong"

    client = client_of(served.url, token=token)
    assert list(client.sql("SELECT * FROM notes")) == []
    assert len(given) == 2
    with pytest.raises(Unauthenticated) as refused:
        client_of(served.url, token="secret.of.mine").sql("SELECT 1")
    assert "secret" not in str(refused.value)
    assert "secret" not in repr(client_of(served.url, token="secret"))
    with pytest.raises(Unauthenticated):
        client_of(served.url).sql("SELECT 1")


def test_logging_in(canned, client_of, answer):
    """With a password it logs in once for several statements, and again when its token is refused."""

    def token(text):
        return answer(
            b'{"token": "%s", "user": "ada", "role": "user", "expires_s": 3600}' % text, kind="application/json"
        )

    rows = answer(b'{"id": 1}\n')
    refused = answer(b'{"error": {"code": "unauthenticated", "message": "no."}}', "401 No")
    server = canned(token(b"one"), rows, rows, refused, token(b"two"), rows, refused, token(b"three"), refused)
    client = client_of(server.url, user="ada", password="pässword")
    for _ in range(3):
        assert list(client.sql("SELECT 1")) == [{"id": 1}]
    with pytest.raises(Unauthenticated):
        client.sql("SELECT 1")
    asked = [head.partition(b" HTTP")[0].rpartition(b"/")[2] for head in server.heard]
    assert asked == [b"token", b"sql", b"sql", b"sql", b"token", b"sql", b"sql", b"token", b"sql"]
    assert '"password":"pässword"'.encode() in server.heard[0]
    assert [b"Bearer one" in head for head in server.heard[1:4]] == [True] * 3
    assert b"Bearer two" in server.heard[5]


def test_threads(client, database):
    """Threads share a client."""

    def write(number):
        for count in range(20):
            client.sql("INSERT INTO notes VALUES (?, 'x')", [number * 100 + count])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(list(client.sql("SELECT id FROM notes"))) == 120


def test_closing(served, client_of):
    """A client that is closed says so; closing twice does no harm, and its bytes are given back."""
    with Budget("64 MiB") as budget:
        client = client_of(served.url, token=served.token())
        reader = client.subscribe("SELECT * FROM notes")
        rows = client.sql("SELECT * FROM notes")
        assert 0 < budget.held <= client.bytes_max()
        list(rows)
        client.close()
        client.close()
        assert budget.held == 0
    assert list(reader) == []
    for call in (client.sql, client.subscribe):
        with pytest.raises(errors.ClosedError):
            call("SELECT * FROM notes")


def test_no_proxy_is_used(client, monkeypatch):
    """What the environment says about proxies is not followed: a token goes to the server alone."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert list(client.sql("SELECT * FROM notes")) == []
    assert client.subscribe("SELECT * FROM notes").poll(0.0) is None


def test_redirects_are_not_followed(canned, client_of, answer):
    """A server that sends elsewhere is none: a token does not go there."""
    other = canned(answer(b""))
    server = canned(answer(b"", "307 There", head=f"Location: {other.url}/v1/sql\r\n"))
    with pytest.raises(errors.BrokenError, match="307"):
        client_of(server.url, token="t").sql("SELECT 1")
    assert other.heard == []


def test_a_budget_that_is_too_small(served):
    """What does not fit is refused, before anything is asked."""
    import flatwater as fw

    with Budget("100 KiB"), fw.Client(served.url, token=served.token()) as client:
        with pytest.raises(errors.BudgetExceeded):
            client.sql("SELECT * FROM notes")
        with pytest.raises(errors.BudgetExceeded):
            client.subscribe("SELECT * FROM notes")
    assert isinstance(client._http, httpx.Client)
