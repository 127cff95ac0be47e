"""Connections that break, readers that do not read: each change once, in order."""

import asyncio
import random
import threading
import time

import pytest

import flatwater as fw
from flatwater import errors, limits
from flatwater.budget.budget import Budget

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def small(monkeypatch):
    """Little waits to be read."""
    monkeypatch.setattr("flatwater.limits.CLIENT_FEED_BYTES", 20_000)


@pytest.fixture
def load(database):
    """Writes rows of some size."""

    def write(first, count, body="x" * 300):
        database.load("notes", ({"id": first + number, "body": body} for number in range(count)), user="ada")

    return write


class Copy:
    """What a reader knows, checked event by event."""

    def __init__(self):
        self.rows, self.seq, self.resets, self.is_snapshot = {}, 0, 0, True

    def take(self, event):
        key = event.row and event.row["id"]
        if event.op == "reset":
            self.rows, self.is_snapshot = {}, True
            self.resets += 1
        elif event.op == "snapshot":
            assert self.is_snapshot
            assert key not in self.rows
            self.rows[key] = event.row["body"]
        else:
            self.is_snapshot = False
            assert event.seq > self.seq
            self.seq = event.seq
            if event.op == "insert":
                assert key not in self.rows
                self.rows[key] = event.row["body"]
            elif event.op == "update":
                assert self.rows[key] == event.old["body"]
                self.rows[key] = event.row["body"]
            else:
                assert self.rows.pop(key) == event.row["body"]


def wait_for(is_so):
    """Until something is so, for some seconds."""
    until = time.monotonic() + 20
    while not is_so() and time.monotonic() < until:
        time.sleep(0.005)
    assert is_so()


def test_the_server_starts_again(served, client, take, ready):
    """Readers go on where they were: what was changed meanwhile comes once."""
    readers = [client.subscribe("SELECT * FROM notes") for _ in range(3)]
    ready(*readers)
    for turn in range(3):
        served.stop()
        served.database.sql("INSERT INTO notes VALUES (?, 'meanwhile')", [turn], user="ada")
        served.start()
        client.sql("INSERT INTO notes VALUES (?, 'then')", [turn + 100])
        for reader in readers:
            assert [(event.op, event.row["id"]) for event in take(reader, 2)] == [
                ("insert", turn),
                ("insert", turn + 100),
            ]


def test_cut_in_the_middle_of_a_snapshot(served, proxy, client_of, load):
    """What was read of it no longer holds: a reset, and then all of it; nothing was read, no reset."""
    load(0, 3_000)
    for left in (100, 3_000, 200_000, 500_000):
        client = client_of(proxy.url, token=served.token())
        copy, proxy.left = Copy(), left
        with client.subscribe("SELECT * FROM notes") as reader:
            while len(copy.rows) < 3_000:
                event = reader.poll(20)
                assert event is not None
                copy.take(event)
            assert reader.poll(0.1) is None
        assert copy.resets == (1 if left > 3_000 else copy.resets)
    assert proxy.cuts == 4


@pytest.mark.parametrize("seed", range(3))
def test_cut_again_and_again(served, proxy, client_of, database, ready, seed):
    """While a thread writes, connections are cut after some bytes; readers see each change once, in order."""
    rng = random.Random(seed)
    client = client_of(proxy.url, token=served.token())
    readers = [(client.subscribe("SELECT * FROM notes"), Copy()) for _ in range(3)]
    ready(*(reader for reader, _copy in readers))

    def write():
        for count in range(400):
            key = rng.randrange(20)
            if rng.random() < 0.3:
                database.sql("DELETE FROM notes WHERE id = ?", [key], user="ada")
            else:
                database.sql(
                    "INSERT INTO notes VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                    [key, f"{count}" * 50], user="ada",
                )  # fmt: skip
            if count % 40 == 0:
                proxy.left = rng.randrange(1, 4_000)
            if count % 40 == 39:
                until = time.monotonic() + 5
                while proxy.left is not None and time.monotonic() < until:
                    time.sleep(0.005)
        database.sql("INSERT INTO notes VALUES (1000, 'end')", user="ada")

    writing = threading.Thread(target=write)
    writing.start()
    for reader, copy in readers:
        while 1_000 not in copy.rows:
            event = reader.poll(30)
            assert event is not None
            copy.take(event)
    writing.join()
    rows = {row["id"]: row["body"] for row in database.sql("SELECT * FROM notes", user="ada")}
    for _reader, copy in readers:
        assert copy.rows == rows
        assert copy.resets == 0
    assert proxy.cuts >= 2


def test_the_log_was_trimmed(tmp_path, client_of, ready):
    """Who comes back too late gets a reset, and a snapshot."""
    with fw.Database(tmp_path / "small", sync="off", log_bytes="64 KiB") as database:
        database.sql("CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')")
        server = database.serve(port=0)
        port = int(server.url.rsplit(":", 1)[1])
        reader = client_of(server.url, token=server.token("ada")).subscribe("SELECT * FROM notes")
        ready(reader)
        server.close()
        for number in range(100):
            database.sql("INSERT INTO notes VALUES (?, ?)", [number, "x" * 30_000], user="ada")
        with database.serve(port=port):
            copy = Copy()
            while len(copy.rows) < 100:
                event = reader.poll(20)
                assert event is not None
                copy.take(event)
            reader.close()
        assert copy.resets <= 1


def test_a_reader_that_does_not_read(served, client, take, load, small):
    """Changes that are not read stay with the server; others go on, and he goes on where he was."""
    slow, quick = client.subscribe("SELECT * FROM notes"), client.subscribe("SELECT * FROM notes")
    copies = Copy(), Copy()
    load(0, 2_000)
    for event in take(quick, 2_000):
        copies[1].take(event)
    assert slow._feed.is_parked
    assert slow._feed.mailbox._size < 2 * limits.CLIENT_FEED_BYTES
    for event in take(slow, 2_000):
        copies[0].take(event)
    load(5_000, 1)
    assert take(slow, 1)[0].row["id"] == take(quick, 1)[0].row["id"] == 5_000
    assert copies[0].rows == copies[1].rows
    assert copies[0].resets == copies[1].resets == 0


def test_long_snapshots_that_are_not_read(served, client, take, load, small):
    """Each has a connection of its own, without a reset, while others go on; in the end all share one again."""
    load(0, 3_000)
    quick = client.subscribe("SELECT * FROM notes WHERE id > 8000")
    slow = [client.subscribe("SELECT * FROM notes") for _ in range(3)]
    load(9_000, 5)
    assert [event.op for event in take(quick, 5)] == ["insert"] * 5
    copies = [Copy() for _ in slow]
    for reader, copy in zip(slow, copies, strict=True):
        for event in take(reader, 3_005):
            copy.take(event)
        assert copy.resets == 0
    load(9_100, 1)
    for reader in (*slow, quick):
        assert take(reader, 1)[0].row["id"] == 9_100
    assert len({id(reader._feed.line) for reader in (*slow, quick)}) == 1


def test_too_many_long_snapshots(client, load, small, monkeypatch, take):
    """One more than there may be connections is refused to its own reader."""
    monkeypatch.setattr("flatwater.limits.CLIENT_SOCKETS_MAX", 2)
    load(0, 3_000)
    first, second = (client.subscribe("SELECT * FROM notes") for _ in range(2))
    with pytest.raises(errors.LimitReached, match="1 long snapshots"):
        take(second, 3_000)
    assert len(take(first, 3_000)) == 3_000


def test_closing_in_the_middle_of_a_long_snapshot(served, load, small):
    """Its connection ends, and its bytes are given back."""
    load(0, 3_000)
    with Budget("64 MiB") as budget, fw.Client(served.url, token=served.token()) as client:
        for _ in range(5):
            reader = client.subscribe("SELECT * FROM notes")
            assert reader.poll(20) is not None
            reader.close()
        other = client.subscribe("SELECT * FROM notes WHERE id = 5")
        assert other.poll(20).row["id"] == 5
    assert budget.held == 0


def test_a_long_snapshot_that_is_ended(served, database, load, small, take):
    """By the server: the connection that it had for itself ends with it, and its bytes are given back."""
    with Budget("64 MiB") as budget, fw.Client(served.url, token=served.token()) as client:
        load(0, 20_000)
        reader = client.subscribe("SELECT * FROM notes")
        wait_for(lambda: reader._feed.line is not None and reader._feed.line.alone is reader._feed)
        database.sql("DROP TABLE notes")
        with pytest.raises(errors.UsageError, match="dropped"):
            take(reader, 20_000)
        wait_for(lambda: budget.held == 0)
        assert budget.held == 0


def test_a_token_that_ends(served, client_of, take):
    """A function gives the next one before that: readers see nothing of it. A text is over when it is over."""
    given = []

    def token():
        given.append(served.token(seconds=2))
        return given[-1]

    renewed = client_of(served.url, token=token).subscribe("SELECT * FROM notes")
    fixed = client_of(served.url, token=served.token(seconds=2)).subscribe("SELECT * FROM notes")
    with pytest.raises(fw.live.Unauthenticated, match="ended"):
        fixed.poll(20)
    served.database.sql("INSERT INTO notes VALUES (1, 'a')", user="ada")
    assert take(renewed, 1)[0].op == "insert"
    assert len(given) > 1


def test_a_token_that_was_refused(served, client_of):
    """Is followed by one other; then it is raised."""
    given = []
    client = client_of(served.url, token=lambda: given.append(1) or "no.such.token")
    with pytest.raises(fw.live.Unauthenticated):
        client.subscribe("SELECT * FROM notes")
    assert len(given) == 2
    tokens = iter(["no.such.token", served.token()])
    assert client_of(served.url, token=lambda: next(tokens)).subscribe("SELECT * FROM notes").poll() is None


def test_the_server_is_not_there(served, client_of, ready):
    """Who asks for the first time is told after some tries; who was there before waits until it is back."""
    client = client_of(served.url, token=served.token())
    reader = client.subscribe("SELECT * FROM notes")
    ready(reader)
    served.stop()
    with pytest.raises(errors.BrokenError, match="cannot be reached"):
        client_of(served.url, token="t").subscribe("SELECT * FROM notes")
    assert reader.poll(0.3) is None
    served.start()
    served.database.sql("INSERT INTO notes VALUES (1, 'a')", user="ada")
    assert reader.poll(20).op == "insert"


def test_too_many(client, monkeypatch):
    """A client has so many live queries, and no more."""
    monkeypatch.setattr("flatwater.limits.CLIENT_SUBSCRIPTIONS_MAX", 2)
    kept = [client.subscribe("SELECT * FROM notes") for _ in range(2)]
    with pytest.raises(errors.LimitReached):
        client.subscribe("SELECT * FROM notes")
    kept.pop().close()
    assert client.subscribe("SELECT * FROM notes").poll() is None


def test_coroutines_with_cuts(served, proxy, load):
    """Coroutines come back in the same way."""

    async def run():
        async with fw.AsyncClient(proxy.url, token=served.token()) as client:
            reader, copy = await client.subscribe("SELECT * FROM notes"), Copy()
            assert await reader.poll(0.2) is None
            for turn in range(4):
                proxy.left = 1_000 * turn + 500
                await asyncio.to_thread(load, turn * 100, 20)
                while len(copy.rows) < 20 * (turn + 1):
                    event = await reader.poll(20)
                    assert event is not None
                    copy.take(event)
            assert copy.resets == 0

    asyncio.run(run())
    assert proxy.cuts > 1
