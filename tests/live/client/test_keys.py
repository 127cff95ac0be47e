"""Which token holds, and what to ask for when none does."""

import json

import pytest

from flatwater import errors, limits
from flatwater.live.client.asking import settings
from flatwater.live.client.keys import Keys


@pytest.fixture
def keys_of():
    def made(clock=lambda: 0.0, **options):
        given = {"token": None, "user": None, "password": None} | options
        return Keys(
            settings("http://a", given["token"], given["user"], given["password"], timeout_s=1, row_bytes="1 MiB", verify=True),
            clock,
        )  # fmt: skip

    return made


def test_a_text(keys_of):
    """Is what there is, also when it was refused; none is none."""
    keys = keys_of(token="a")
    assert (keys.known(), keys.known("a"), keys.can_renew) == ("a", "a", False)
    assert keys_of().known() == ""


def test_a_password(keys_of):
    """A token is asked for with the password, before its end with itself, and with the password when it was refused."""
    now = [0.0]
    keys = keys_of(lambda: now[0], user="ada", password="p")
    assert keys.known() is None
    assert [(json.loads(body), token) for body, token in keys.asks()] == [({"user": "ada", "password": "p"}, "")]
    assert keys.took(b'{"token": "t", "expires_s": 100, "role": "user"}') == "t"
    now[0] = 100 * limits.CLIENT_RENEW_SHARE - 1
    assert keys.known() == "t"
    assert keys.known("t") is None
    assert len(list(keys.asks("t"))) == 1
    now[0] += 2
    assert keys.known() is None
    assert next(keys.asks()) == (b"{}", "t")


@pytest.mark.parametrize(
    "told",
    [b"", b"{}", b'{"token": "", "expires_s": 1}', b'{"token": "a\\nb", "expires_s": 1}', b'{"token": 5}', b"\xff"],
)
def test_answers_without_a_token(keys_of, told):
    """Are errors."""
    with pytest.raises(errors.BrokenError):
        keys_of(user="ada", password="p").took(told)
