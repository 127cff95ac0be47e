"""What is understood, and how errors are told."""

import pytest

from flatwater import errors
from flatwater.live.access import AccessDenied
from flatwater.live.refusals import Conflict, Unauthenticated
from flatwater.live.serving import messages
from flatwater.live.serving.admission import Refusal


def test_messages():
    """Each type is understood, with what may be left out; what is not known in it is passed over."""
    found = messages.said(b'{"type": "subscribe", "id": "a", "sql": "SELECT 1", "more": 1}')
    assert found == messages.Subscribe("a", "SELECT 1")
    assert (found.params, found.since) == ([], None)
    assert messages.said(b'{"type": "ping"}') == messages.Ping()
    assert messages.said(b'{"type": "unsubscribe", "id": 7}') == messages.Unsubscribe(7)
    big = messages.said(b'{"type": "subscribe", "id": 1, "sql": "", "params": [9223372036854775807, 1.5, null, "x"]}')
    assert big.params == [9223372036854775807, 1.5, None, "x"]


@pytest.mark.parametrize("text", [b"", b"x", b"\xff", b"{}", b'{"type": "subscribe"}', b'{"type": 1}', b"[" * 5_000])
def test_what_is_none(text):
    """What is no message is refused, and where to look is said."""
    with pytest.raises(errors.UsageError, match="live-protocol"):
        messages.said(text)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.UsageError("x", hint="y"), 400, "usage"),
        (Unauthenticated("x"), 401, "unauthenticated"),
        (AccessDenied("x"), 403, "access_denied"),
        (Conflict("x"), 409, "conflict"),
        (errors.LimitReached("x"), 429, "limit_reached"),
        (Refusal("x"), 429, "limit_reached"),
        (errors.BudgetExceeded("x", asked=1, held=1, limit=1), 503, "budget_exceeded"),
        (errors.CorruptError("x"), 500, "broken"),
        (errors.ClosedError("x"), 500, "broken"),
    ],
)
def test_errors(error, status, code):
    """Each kind has its status and code, its message without the hint, and the hint."""
    assert messages.told(error) == (status, {"code": code, "message": "x", "hint": error.hint})


def test_what_is_no_error_of_ours():
    """Says nothing about the inside."""
    status, fields = messages.told(KeyError("secret"))
    assert (status, fields["code"]) == (500, "broken")
    assert "secret" not in str(fields)
