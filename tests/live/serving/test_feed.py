"""Pages of one live query as frames."""

import json

import pytest

from flatwater import errors, limits
from flatwater.live.serving.channels import Channels
from flatwater.live.serving.feed import Feed


def said(frames):
    """The messages of these frames."""
    return [json.loads(frame[frame.index(b"{") :]) for frame in frames]


@pytest.fixture
def feed(database):
    made = []

    def make(**options):
        reader = database.subscribe("SELECT * FROM notes", user="ada", **options)
        made.append(reader)
        return Feed(None, 1, reader, Channels().take(0, reader.names, ()))

    yield make
    for reader in made:
        reader.close()


def test_a_snapshot(database, feed):
    """Rows come in frames, `ready` behind the last one, then nothing until something happens."""
    database.load("notes", ({"id": number, "body": "x" * 100} for number in range(1_000)), user="ada")
    one = feed()
    heard = []
    while (frames := one.page()) is not None:
        assert sum(map(len, frames)) < 2 * limits.SERVE_PAGE_BYTES
        heard += said(frames)
    assert [message["op"] for message in heard] == ["snapshot"] * (len(heard) - 1) + ["ready"]
    assert [row["id"] for message in heard[:-1] for row in message["rows"]] == list(range(1_000))
    assert one.is_ready
    database.sql("UPDATE notes SET body = 'b' WHERE id = 5", user="ada")
    assert [message["op"] for message in said(one.page())] == ["update"]


def test_nothing_there(feed):
    """An empty table is ready at once."""
    one = feed()
    assert [message["op"] for message in said(one.page())] == ["ready"]
    assert one.page() is None


def test_going_on(database, feed):
    """Behind `since` changes come first, and `ready` when these are over."""
    database.sql("INSERT INTO notes VALUES (1, 'a')", user="ada")
    begin = feed().reader.seq
    for number in range(2, 5):
        database.sql("INSERT INTO notes VALUES (?, 'a')", [number], user="ada")
    one = feed(since=begin)
    assert [message["op"] for message in said(one.page())] == ["insert"] * 3 + ["ready"]


def test_a_future_place(database, feed):
    """A `since` that nobody was told is answered by `reset` and the rows there are."""
    database.sql("INSERT INTO notes VALUES (1, 'a')", user="ada")
    assert [message["op"] for message in said(feed(since=1 << 52).page())] == ["reset", "snapshot", "ready"]


def test_what_ends(database, feed):
    """A table that is dropped ends it with the reason."""
    one = feed()
    one.page()
    database.sql("DROP TABLE notes")
    with pytest.raises(errors.UsageError, match="dropped"):
        one.page()
