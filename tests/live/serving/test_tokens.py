"""Tokens: what holds, what does not, and whom a token outlives."""

import base64
import json
import os
import stat

import jwt
import pytest

from flatwater import errors, limits
from flatwater.live.refusals import Unauthenticated
from flatwater.live.serving.tokens import OneTime, Tokens


@pytest.fixture
def tokens(database, clock):
    clock.now = 1_000_000.0
    return Tokens(database.path, database._executor.catalog, clock=clock)


def test_a_token_holds_for_its_time(tokens, clock):
    """It says whose it is, until it ends."""
    token, seconds = tokens.issue("ada", 0)
    assert seconds == limits.SERVE_TOKEN_S
    assert tokens.check(token) == ("ada", 0, 1_000_000 + seconds)
    clock.now += seconds - 1
    assert tokens.check(token).user == "ada"
    clock.now += 1
    for _ in range(2):
        with pytest.raises(Unauthenticated, match="ended"):
            tokens.check(token)


@pytest.mark.parametrize("seconds", [0, -1, 1.5, True, 10**9])
def test_times_that_make_no_sense(tokens, seconds):
    """Are refused."""
    with pytest.raises(errors.UsageError):
        tokens.issue("ada", 0, seconds)


def forged(claims, key=b"x" * 32, algorithm="HS256", head=None):
    if head is None:
        return jwt.encode(claims, key, algorithm)
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (head, claims)]
    return ".".join([*parts, ""])


GOOD = {"sub": "admin", "stamp": 0, "exp": 2_000_000}


@pytest.mark.parametrize(
    "make",
    [
        lambda _key: "",
        lambda _key: "x",
        lambda _key: "a.b.c",
        lambda _key: "é.ü.\ud800",
        lambda _key: "." * 1_000,
        lambda _key: "x" * 1_000_000,
        lambda _key: forged(GOOD),
        lambda _key: forged(GOOD, head={"alg": "none"}),
        lambda _key: forged(GOOD, head={"alg": "None", "typ": "JWT"}),
        lambda key: forged(GOOD, key, "HS384"),
        lambda key: forged({"sub": "admin", "stamp": 0}, key),
        lambda key: forged({"sub": "admin", "exp": 2_000_000}, key),
        lambda key: forged({"stamp": 0, "exp": 2_000_000}, key),
        lambda key: forged({**GOOD, "stamp": "0"}, key),
        lambda key: forged({**GOOD, "stamp": False}, key),
        lambda key: forged({**GOOD, "exp": 2_000_000.5}, key),
        lambda key: forged({**GOOD, "sub": "x" * 10_000}, key),
    ],
    ids=range(17),
)
def test_what_does_not_hold(tokens, make):
    """Others' signatures, other algorithms, none at all, claims that are missing or of other types."""
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            tokens.check(make(tokens._key))


def test_what_ends_a_token(database, tokens):
    """Making a user, another password, and dropping him end the tokens of before; a role or a limit does not."""

    def token():
        record = database._executor.catalog.user("ada")
        return tokens.issue("ada", 0 if record is None else record.stamp)[0]

    def holds(kept):
        try:
            return tokens.check(kept).user == "ada"
        except Unauthenticated:
            return False

    unmade = token()
    assert holds(unmade)
    database.sql("CREATE USER ada WITH ROLE 'service'")
    assert not holds(unmade)
    made = token()
    database.sql("ALTER USER ada WITH ROLE 'user' ROWS 5")
    assert holds(made)
    database.sql("ALTER USER ada PASSWORD 'long enough'")
    assert not holds(made)
    with_password = token()
    database.sql("DROP USER ada")
    assert not holds(with_password)
    database.sql("CREATE USER ada PASSWORD 'long enough'")
    assert not holds(with_password)
    assert not holds(made)
    assert holds(token())


def test_the_key(database, tokens):
    """Is made once, for its owner alone; the next server has the same."""
    file = os.path.join(database.path, "server.key")
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert (
        Tokens(database.path, database._executor.catalog, clock=tokens._clock).check(tokens.issue("ada", 0)[0]).user
        == "ada"
    )
    assert [name for name in os.listdir(database.path) if name.startswith("server.key.")] == []


def test_keys_that_are_none(database, tokens, tmp_path):
    """One that others may read, that is cut, or that is a link is refused, and what to do is said."""
    file = os.path.join(database.path, "server.key")
    os.chmod(file, 0o640)
    with pytest.raises(errors.BrokenError, match="chmod 600"):
        Tokens(database.path, database._executor.catalog)
    os.chmod(file, 0o600)
    with open(file, "wb") as out:
        out.write(b"short")
    with pytest.raises(errors.BrokenError, match="is no key"):
        Tokens(database.path, database._executor.catalog)
    os.unlink(file)
    os.symlink(tmp_path / "elsewhere", file)
    with pytest.raises(errors.BrokenError):
        Tokens(database.path, database._executor.catalog)


def test_the_one_time_token():
    """Holds once; others do not, and after twenty of them it is gone."""
    first = OneTime()
    assert not first.take("")
    assert not first.take("\ud800")
    assert first.take(first.text)
    assert not first.take(first.text)
    second = OneTime()
    assert second.text != first.text
    for number in range(limits.SERVE_ONE_TIME_TRIES):
        assert not second.take(f"guess {number}")
    assert not second.take(second.text)
