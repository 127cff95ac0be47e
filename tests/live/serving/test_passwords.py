"""Passwords: right and wrong ones, attempts without end, the memory of a hash."""

import pytest

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.live.refusals import TooManyAttempts, Unauthenticated
from flatwater.live.serving.passwords import Passwords, hashed


@pytest.fixture
def passwords(database, clock):
    database.sql("CREATE USER ada WITH PASSWORD 'correct horse' ROLE 'service'")
    database.sql("CREATE USER bob")
    return Passwords(database._executor.catalog, database.budget, clock)


def test_right_and_wrong(passwords):
    """The right one gives the user; a wrong one, a user without one, and one whom nobody made are told the same."""
    assert passwords.check("ada", "correct horse", "1.1.1.1").role == "service"
    told = set()
    for user, password in (("ada", "wrong"), ("ada", ""), ("bob", ""), ("nobody", "nobody has this one"), ("", ""), ("x" * 1_000, "y"),
                           ("ada", "x" * 100_000), ("ada", "\ud800")):  # fmt: skip
        with pytest.raises(Unauthenticated) as refused:
            passwords.check(user, password, user[:5])
        told.add(str(refused.value))
    assert len(told) == 1


def test_attempts_without_end(passwords, clock, monkeypatch):
    """After five failures nothing is computed for a while, which doubles; after a pause the right one gets in, and all is forgotten."""
    for _ in range(limits.SERVE_FAILURES):
        with pytest.raises(Unauthenticated):
            passwords.check("ada", "wrong", "1.1.1.1")
    monkeypatch.setattr(Passwords, "_verified", lambda *_: pytest.fail("a hash was computed"))
    with pytest.raises(TooManyAttempts) as refused:
        passwords.check("ada", "correct horse", "1.1.1.1")
    assert refused.value.retry_s >= 1
    monkeypatch.undo()
    assert passwords.check("ada", "correct horse", "2.2.2.2")
    waits = []
    for _ in range(6):
        with pytest.raises(TooManyAttempts) as refused:
            passwords.check("ada", "wrong", "1.1.1.1")
        waits.append(refused.value.retry_s)
        clock.now += refused.value.retry_s
        with pytest.raises(Unauthenticated):
            passwords.check("ada", "wrong", "1.1.1.1")
    assert waits == sorted(set(waits))
    clock.now += limits.SERVE_FAILURE_S
    assert passwords.check("ada", "correct horse", "1.1.1.1")
    with pytest.raises(Unauthenticated):
        passwords.check("ada", "wrong", "1.1.1.1")


def test_one_address_and_many_users(passwords, monkeypatch):
    """Who tries many users from one address is stopped, too; others are heard."""
    monkeypatch.setattr(Passwords, "_verified", lambda *_: False)
    for number in range(limits.SERVE_ADDRESS_FAILURES):
        with pytest.raises(Unauthenticated):
            passwords.check(f"u{number}", "wrong", "1.1.1.1")
    with pytest.raises(TooManyAttempts):
        passwords.check("another", "wrong", "1.1.1.1")
    with pytest.raises(Unauthenticated):
        passwords.check("another", "wrong", "2.2.2.2")


def test_addresses_of_one_network(passwords, monkeypatch):
    """All addresses of a network of IPv6 are one: who has it has 2 to the 64th of them; others are heard."""
    monkeypatch.setattr(Passwords, "_verified", lambda *_: False)
    for number in range(limits.SERVE_FAILURES):
        with pytest.raises(Unauthenticated):
            passwords.check("ada", "wrong", f"2001:db8::{number:x}")
    with pytest.raises(TooManyAttempts):
        passwords.check("ada", "wrong", "2001:db8::ffff:1")
    for address in ("2001:db8:0:1::1", "::ffff:10.0.0.1", "fe80::1%eth0", "unknown"):
        with pytest.raises(Unauthenticated):
            passwords.check("ada", "wrong", address)


def test_what_is_remembered_is_bounded(passwords, monkeypatch):
    """However many addresses fail, so many are remembered."""
    monkeypatch.setattr(limits, "SERVE_FAILURES_MAX", 50)
    monkeypatch.setattr(Passwords, "_verified", lambda *_: False)
    for number in range(200):
        with pytest.raises(Unauthenticated):
            passwords.check("ada", "wrong", f"1.1.1.{number}")
    assert len(passwords._failures) == 50


def test_the_memory_of_a_hash(database):
    """Is taken from the budget while it is computed; without room nothing is computed, and it is no failure."""
    database.sql("CREATE USER ada WITH PASSWORD 'correct horse'")
    budget = Budget("30 MiB", name="test")
    passwords = Passwords(database._executor.catalog, budget)
    with budget.reserve("20 MiB", "hog"):
        for _ in range(2 * limits.SERVE_FAILURES):
            with pytest.raises(errors.BudgetExceeded):
                passwords.check("ada", "correct horse", "1.1.1.1")
    assert passwords.check("ada", "correct horse", "1.1.1.1")
    assert budget.held == 0


def test_hashes():
    """Are argon2id, with 19 MiB, and another one each time."""
    first, second = hashed("long enough"), hashed("long enough")
    assert first != second
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert "long enough" not in first


def test_log_ins(ask, database):
    """By HTTP: the right password gives a token, a wrong one 401, too many 429 and when to come again."""
    database.sql("CREATE USER ada WITH PASSWORD 'correct horse'")
    good = ask.http.post("/v1/token", json={"user": "ada", "password": "correct horse"})
    assert (good.status_code, good.json()["user"]) == (200, "ada")
    headers = {"authorization": f"Bearer {good.json()['token']}"}
    assert ask.http.post("/v1/sql", json={"sql": "SELECT * FROM notes"}, headers=headers).status_code == 200
    for _ in range(limits.SERVE_FAILURES):
        assert ask.http.post("/v1/token", json={"user": "ada", "password": "wrong"}).status_code == 401
    stopped = ask.http.post("/v1/token", json={"user": "ada", "password": "correct horse"})
    assert (stopped.status_code, stopped.json()["error"]["code"]) == (429, "limit_reached")
    assert int(stopped.headers["retry-after"]) >= 1
