"""The error of a query that was cut off."""

from __future__ import annotations

import pickle

import flatwater as fw
from flatwater.source.guard import PageTooLarge


def refusal(**changed):
    return PageTooLarge(
        **({"what": "max_bytes", "limit": 8 << 20, "rows": 9, "count": 9 << 20, "statement": "SELECT ?"} | changed)
    )


def test_it_is_a_limit_reached():
    """Whoever handles limits handles this one, and finds the figures."""
    error = refusal()
    assert isinstance(error, fw.errors.LimitReached)
    assert (error.what, error.limit, error.rows, error.bytes) == ("max_bytes", 8 << 20, 9, 9 << 20)
    assert "9 rows and 9.0 MiB" in str(error)
    assert "allows 8.0 MiB: SELECT ?." in str(error)
    assert "raise max_bytes" in error.hint


def test_the_transaction_is_in_the_message():
    """Only if it needs something."""
    assert "roll back" in str(refusal(transaction="aborted"))
    assert "connection" in str(refusal(transaction="lost"))
    assert "transaction" not in str(refusal())
    assert "1 row in all" in str(refusal(what="total_rows", limit=1))
    assert refusal().after("aborted").transaction == "aborted"


def test_it_survives_pickling():
    """A worker's refusal reaches its parent whole."""
    error = pickle.loads(pickle.dumps(refusal(transaction="lost")))
    assert vars(error) == vars(refusal(transaction="lost"))
    assert str(error) == str(refusal(transaction="lost"))
