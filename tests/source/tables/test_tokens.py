"""Tokens: opaque, signed, versioned, bound to a query."""

from __future__ import annotations

import base64
import os
import stat
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flatwater import errors
from flatwater.source.tables import tokens
from flatwater.source.tables.tokens import TokenRefused

SECRET = b"0123456789abcdef"
QUERY = tokens.fingerprint("a query")
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(), st.dates(), st.times(),
    st.datetimes(), st.datetimes(timezones=st.just(UTC)), st.timedeltas(), st.decimals(allow_nan=False), st.uuids(),
)  # fmt: skip


@given(position=st.lists(VALUES, max_size=4), bound=st.none() | st.lists(VALUES, max_size=3))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_token_gives_back_what_it_was_made_of(position, bound):
    """Position and bound come back with their types, whatever key types a database has."""
    token = tokens.write(SECRET, QUERY, tuple(position), None if bound is None else tuple(bound))
    again = tokens.read(SECRET, QUERY, token)
    assert again == (tuple(position), None if bound is None else tuple(bound))
    assert [type(value) for value in again[0]] == [type(value) for value in position]
    assert token.isascii()
    assert not set(token) & set("+/= \n")


@given(at=st.integers(0, 10_000), value=st.integers(0, 63))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_no_letter_can_be_changed(at, value):
    """A token with one other letter is refused."""
    token = tokens.write(SECRET, QUERY, (12345, "text"), None)
    at %= len(token)
    letter = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[value]
    changed = token[:at] + letter + token[at + 1 :]
    if changed == token:
        return
    with pytest.raises(TokenRefused):
        tokens.read(SECRET, QUERY, changed)


@pytest.mark.parametrize("token", ["", "x", "=", "é", None, 5, b"abc", "A" * 100_000, "AAAA", " ", "../../etc"])
def test_what_is_no_token_is_refused(token):
    """Anything else than a token is refused with a short message."""
    with pytest.raises(TokenRefused, match=r"is no token|was changed") as caught:
        tokens.read(SECRET, QUERY, token)
    assert len(str(caught.value)) < 200


def test_versions_secrets_and_queries():
    """Another query, another secret, a later version: each is told apart."""
    token = tokens.write(SECRET, QUERY, (1,), None)
    with pytest.raises(TokenRefused, match="another query"):
        tokens.read(SECRET, tokens.fingerprint("another query"), token)
    with pytest.raises(TokenRefused, match="another secret"):
        tokens.read(b"another secret, as long", QUERY, token)
    body = b"\x94" + (99).to_bytes(1, "big") + b"\xc4\x10" + QUERY + b"\x90\xc0"
    later = base64.urlsafe_b64encode(body + tokens._mac(SECRET, body)).rstrip(b"=").decode()
    with pytest.raises(TokenRefused, match="version 99"):
        tokens.read(SECRET, QUERY, later)


def test_a_key_without_a_form_is_refused():
    """A key value that cannot be written is named by its type."""
    with pytest.raises(errors.UsageError, match="key of type object"):
        tokens.write(SECRET, QUERY, (object(),), None)


def test_named_types():
    """Dates, times, decimals and UUIDs are kept exactly."""
    values = (
        date(2020, 1, 2), time(3, 4, 5, 6), datetime(2020, 1, 2, tzinfo=UTC), timedelta(days=-1, microseconds=5),
        Decimal("1.500"), UUID(int=7), 2**80, -(2**63) - 1, b"\x00\xff", bytearray(b"x"),
    )  # fmt: skip
    got, _ = tokens.read(SECRET, QUERY, tokens.write(SECRET, QUERY, values, None))
    assert got == values
    assert str(got[4]) == "1.500"


def test_the_secret_is_given_or_the_environments_or_this_users_own(tmp_path, monkeypatch):
    """The secret given comes first, then the environment's, then a file that only this user can read."""
    monkeypatch.setenv("FLATWATER_SECRET", "the environment's own")
    assert tokens.secret_of("sixteen letters!!") == b"sixteen letters!!"
    assert tokens.secret_of(None) == b"the environment's own"
    monkeypatch.delenv("FLATWATER_SECRET")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    own = tokens.secret_of(None)
    assert len(own) == 32
    assert tokens.secret_of(None) == own
    path = tmp_path / "state" / "flatwater" / "token-secret"
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(os.listdir(path.parent)) == ["token-secret"]
    path.write_bytes(b"short")
    with pytest.raises(errors.BrokenError, match="holds no secret"):
        tokens.secret_of(None)
    with pytest.raises(errors.UsageError, match="5 bytes is too short"):
        tokens.secret_of("short")


def test_a_home_that_cannot_be_written(tmp_path, monkeypatch):
    """Without a place for a secret the error says how to give one."""
    (tmp_path / "file").write_text("")
    monkeypatch.delenv("FLATWATER_SECRET", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(errors.BrokenError, match="secret= to the table"):
        tokens.secret_of(None)
