"""Users with passwords, and ending live queries: who may, and what never leaks."""

import pytest

from flatwater import errors
from flatwater.live.access import AccessDenied
from flatwater.live.database import Database


@pytest.fixture
def db(tmp_path):
    with Database(tmp_path, sync="off") as database:
        database.sql("CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')")
        database.sql("CREATE USER ops WITH ROLE 'dba'")
        database.sql("CREATE USER shop WITH ROLE 'service'")
        yield database


def has_password(db, name):
    return next(row["password"] for row in db.sql("SHOW USERS") if row["name"] == name)


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("CREATE USER ada WITH PASSWORD 'long enough'", []),
        ("CREATE USER ada WITH ROLE 'service' PASSWORD = 'long enough' ROWS 5", []),
        ("CREATE USER ada PASSWORD ?", ["long enough"]),
        ("EXECUTE AS USER 'ops' (CREATE USER ada WITH PASSWORD ?)", ["long enough"]),
    ],
)
def test_passwords(db, text, params):
    """A password is given in quotes or as a parameter, and is seen by nobody: not as it is, not as a hash."""
    db.sql(text, params)
    assert has_password(db, "ada") is True
    assert has_password(db, "ops") is False
    everything = str(
        [list(db.sql(f"SELECT * FROM system.{name}")) for name in ("users", "jobs", "live_queries", "memory")]
    )
    assert "long enough" not in everything
    assert "argon2" not in everything
    assert db._executor._statements.get(text) is None
    db.sql("ALTER USER ada WITH ROWS 7")
    assert has_password(db, "ada") is True


@pytest.mark.parametrize(
    "password", ["'short'", "''", f"'{'x' * 257}'", "long_enough", "12345678", "NULL", "current_date"]
)
def test_what_is_no_password(db, password):
    """Is refused, without being told again."""
    with pytest.raises(errors.UsageError) as refused:
        db.sql(f"CREATE USER ada WITH PASSWORD {password}")
    assert "xxxx" not in str(refused.value)
    assert db._executor.catalog.user("ada") is None


@pytest.mark.parametrize("given", [None, 5, b"long enough", ["long enough"], "\ud800" * 10])
def test_parameters_that_are_none(db, given):
    """Neither are they as parameters."""
    with pytest.raises(errors.UsageError):
        db.sql("CREATE USER ada WITH PASSWORD ?", [given])


def test_ones_own_password(db):
    """A user may change his own password, and nothing else of himself, nor anybody else's."""
    db.sql("CREATE USER ada")
    db.sql("ALTER USER ada PASSWORD 'long enough'", user="ada")
    assert has_password(db, "ada") is True
    for text in ("ALTER USER ada PASSWORD 'long enough' ROLE 'dba'", "ALTER USER ada ROWS 5", "ALTER USER shop PASSWORD 'long enough'",
                 "CREATE USER eve PASSWORD 'long enough'", "DROP USER ada"):  # fmt: skip
        with pytest.raises(AccessDenied):
            db.sql(text, user="ada")
    with pytest.raises(errors.UsageError):
        db.sql("ALTER USER nobody PASSWORD 'long enough'", user="nobody")
    db.sql("ALTER USER ops PASSWORD 'long enough'", user="ops")
    assert has_password(db, "ops") is True


def test_records_of_before(db):
    """Users of a database of before have no password, and are there."""
    db._executor.catalog._entries.put(("user", "old"), b'{"role":"service","limits":{"rows":5}}')
    assert db._executor.catalog.user("old").limits.connections > 0
    assert has_password(db, "old") is False


def numbers(db):
    return [row["number"] for row in db.sql("SELECT number FROM system.live_queries")]


def test_killing(db):
    """A live query that is killed says so when it is read on, and is gone; others go on."""
    first = db.subscribe("SELECT * FROM notes", user="ada")
    second = db.subscribe("SELECT * FROM notes", user="ada")
    assert first.poll() is None
    number = numbers(db)[0]
    assert db.sql(f"KILL LIVE QUERY {number}", user="ada").count == 1
    with pytest.raises(errors.UsageError, match="KILL LIVE QUERY"):
        first.poll()
    with pytest.raises(errors.ClosedError):
        first.poll()
    assert len(numbers(db)) == 1
    db.sql("INSERT INTO notes VALUES (1, 'x')", user="ada")
    assert second.poll().row["id"] == 1
    second.close()


def test_killing_who_waits(db):
    """One that waits is woken."""
    import threading

    waiting = db.subscribe("SELECT * FROM notes", user="ada")
    heard = []

    def wait():
        try:
            heard.append(waiting.poll(20))
        except errors.UsageError as error:
            heard.append(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    while not db._following._waiting:
        pass
    db.sql("KILL LIVE QUERY ?", numbers(db))
    thread.join(10)
    assert "KILL" in heard[0]


def test_who_may_kill(db):
    """A user may end his own, a dba those of users below him, nobody those of others or of those above."""
    opened = {user: db.subscribe("SELECT * FROM notes", user=user) for user in ("ada", "shop", "ops", None)}
    ada, shop, ops, system = numbers(db)
    for user, number in (("bob", ada), ("ada", shop), ("shop", ops), ("ops", system)):
        with pytest.raises(AccessDenied):
            db.sql("KILL LIVE QUERY ?", [number], user=user)
    db.sql("KILL LIVE QUERY ?", [shop], user="ops")
    db.sql("KILL LIVE QUERY ?", [ops])
    db.sql("KILL LIVE QUERY ?", [ada], user="ada")
    for user in ("ada", "shop", "ops"):
        with pytest.raises(errors.UsageError):
            opened[user].poll()
    assert numbers(db) == [system]
    opened[None].close()


@pytest.mark.parametrize("number", [99, -1, 2**32, 2**70, "x", None, True, 1.5, ""])
def test_numbers_that_there_are_not(db, number):
    """Are refused, and where to look is said."""
    with (
        db.subscribe("SELECT * FROM notes", user="ada"),
        pytest.raises(errors.UsageError, match=r"system\.live_queries"),
    ):
        db.sql("KILL LIVE QUERY ?", [number])


@pytest.mark.parametrize("text", ["KILL LIVE QUERY", "KILL LIVE QUERY 1 2", "KILL 1", "KILL QUERY 1"])
def test_what_is_no_kill(db, text):
    """Is no statement."""
    with pytest.raises(errors.UsageError):
        db.sql(text)
