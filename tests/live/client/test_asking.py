"""What a client says, and what it makes of what it is told."""

import datetime as dt
import decimal
import json
import uuid

import pytest

from flatwater import errors
from flatwater.live.access import AccessDenied
from flatwater.live.client import asking
from flatwater.live.refusals import Conflict, Unauthenticated


def test_parameters():
    """What JSON has no form for is sent as the texts that a database reads."""
    when = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    number = uuid.UUID(int=5)
    given = [None, True, 1 << 62, 1.5, "ä", b"ab", bytearray(b"ab"), memoryview(b"ab"), when, when.date(), decimal.Decimal("1.50"), decimal.Decimal("12345678901234567.89"), number, {"a": [1]}]  # fmt: skip
    sent = json.loads(asking.statement("SELECT ?", given).body)["params"]
    assert sent == [None, True, 1 << 62, 1.5, "ä", "YWI=", "YWI=", "YWI=", "2026-01-02T03:04:05Z", "2026-01-02", 1.5, "12345678901234567.89", str(number), {"a": [1]}]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("SELECT ?", [float("nan")]), ("SELECT ?", [float("-inf")]), ("SELECT ?", [object()]), ("SELECT ?", [{1, 2}]), ("SELECT ?", "a"),
        ("SELECT ?", {"a": 1}), (b"SELECT 1", []), ("SELECT ?", ["\ud800"]), ("SELECT ?", [[object()]]),
        ("x" * (21 << 20), []),
    ],
)  # fmt: skip
def test_parameters_that_cannot_be_sent(text, params):
    """Are refused before anything is sent."""
    with pytest.raises(errors.UsageError):
        asking.statement(text, params)


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("SELECT 1", True), (" \n-- a word\n/* more */ (select 1)", True), ("VALUES (1)", True), ("WITH a AS (SELECT 1) SELECT * FROM a", True),
        ("WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a", False), ("INSERT INTO a SELECT 1", False), ("UPDATE a SET b = 1", False),
        ("EXECUTE AS USER 'o''hara' (SELECT 1)", True), ("EXECUTE AS USER 'ada' (DELETE FROM a)", False), ("SHOW TABLES", False),
        ("/* a /* b */ SELECT 1 */ INSERT INTO a VALUES (1)", False), ("-- a\r\nSELECT 1", True), ("-- a\rINSERT INTO a VALUES (1) --\nSELECT 1", False),
        ("/* a */ " * 5_000 + "INSERT INTO a VALUES (1)", False), ("/* a */ " * 5_000 + "SELECT 1", True), ("/*" * 5_000 + "SELECT 1", False),
        ("SELECTED", False), ("", False), ("-- SELECT\nDELETE FROM a", False), ("/* SELECT */ DROP TABLE a", False),
    ],
)  # fmt: skip
def test_what_changes_nothing(text, reads):
    """Is known by how it begins; in doubt it changes something."""
    assert asking.reads(text) is reads


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("usage", errors.UsageError), ("unauthenticated", Unauthenticated), ("access_denied", AccessDenied), ("conflict", Conflict),
        ("limit_reached", errors.LimitReached), ("budget_exceeded", errors.BudgetExceeded), ("broken", errors.BrokenError),
        ("timeout", errors.BrokenError), ("of a later version", errors.BrokenError),
    ],
)  # fmt: skip
def test_errors(code, kind):
    """Each code is the class that a database raises, with its message and its hint."""
    body = json.dumps({"error": {"code": code, "message": "no.", "hint": "Do not.", "more": 1}}).encode()
    error = asking.refusal(400, body)
    assert type(error) is kind
    assert (error.args[0], error.hint) == ("no.", "Do not.")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "x"}', b"\xff", b"[" * 100_000])
def test_errors_of_others(body):
    """An answer that is none of ours is known by its status alone."""
    assert type(asking.refusal(503, body)) is errors.BudgetExceeded
    assert type(asking.refusal(401, body)) is Unauthenticated
    assert "418" in str(asking.refusal(418, body))


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("127.0.0.1:8642", {}), ("ftp://a", {}), ("http://", {}), (None, {}), ("http://a:99999", {}), ("http://a:0", {}), ("http://ada:secret@a", {}),
        ("http://a?b", {}), ("http://ä..b", {}), ("http://a", {"user": "ada"}), ("http://a", {"password": "secret"}), ("http://a", {"token": "secret", "user": "a", "password": "secret"}),
        ("http://a", {"token": 5}), ("http://a", {"token": ""}), ("http://a", {"token": "sécret"}), ("http://a", {"timeout_s": 0}),
        ("http://a", {"timeout_s": "1"}), ("http://a", {"row_bytes": 1}), ("http://a", {"row_bytes": "much"}),
        ("https://a", {"verify": "nowhere.pem"}),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense(client_of, url, options):
    """Are refused when a client is made, without a word of what is secret."""
    with pytest.raises(errors.UsageError) as refused:
        client_of(url, **options)
    assert "secret" not in str(refused.value)
    assert "sécret" not in str(refused.value)


def test_schemes_in_large_letters():
    """An address is the same in them, for statements and for live queries."""
    made = asking.settings("HTTPS://Ada.example:1/", "t", None, None, timeout_s=1, row_bytes="1 MiB", verify=True)
    assert (made.url, made.live_url) == ("https://Ada.example:1", "wss://Ada.example:1/v1/live")
