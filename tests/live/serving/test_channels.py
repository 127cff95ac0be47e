"""Channels: shared by who asks the same, and the frames of what happens on them."""

import json

import pytest

from flatwater.live.events import RESET, SNAPSHOT, Event
from flatwater.live.log import DELETE, INSERT, UPDATE
from flatwater.live.schema import Column, Schema
from flatwater.live.serving.channels import Channels
from flatwater.live.types import Type


@pytest.fixture
def schema():
    return Schema(1, "main", "t", "USER", [Column("id", Type("BIGINT")), Column("v", Type("TEXT"))], ["id"])


def read(frame):
    """The JSON of a frame of less than 126 bytes, or more."""
    return json.loads(frame[frame.index(b"{") :])


def test_who_asks_the_same_shares():
    """One channel for the same rows and columns; another one for other columns, and for a second time on one connection."""
    channels = Channels()
    first = channels.take(5, None, ())
    assert channels.take(5, None, ()) is first
    other = channels.take(5, (("v", "v"),), ())
    twice = channels.take(5, None, {first.number})
    assert len({first.number, other.number, twice.number}) == 3
    assert channels.take(5, None, {first.number}) is twice
    for channel in (first, first, other, twice, twice):
        channels.give_back(channel)
    assert len(channels) == 0
    assert channels.take(5, None, ()).number not in {first.number, other.number, twice.number}


def test_changes(schema):
    """An insert and a delete have their row, an update both; a row is the bytes that are stored."""
    channel = Channels().take(1, None, ())
    old, new = b'{"id":1,"v":"a"}', b'{"id":1,"v":"b"}'
    assert read(channel.change(INSERT, 7, schema, None, new)) == {
        "channel": 1,
        "op": "insert",
        "seq": 7,
        "row": {"id": 1, "v": "b"},
    }
    assert read(channel.change(DELETE, 8, schema, old, None))["row"] == {"id": 1, "v": "a"}
    found = read(channel.change(UPDATE, 9, schema, old, new))
    assert (found["row"]["v"], found["old"]["v"]) == ("b", "a")
    assert new in channel.change(UPDATE, 9, schema, old, new)


def test_rows_that_come_and_go(schema):
    """A row that enters a condition by an update is an insert with the new row, one that leaves a delete with the old one."""
    channel = Channels().take(1, None, ())
    old, new = b'{"id":1,"v":"a"}', b'{"id":1,"v":"b"}'
    assert read(channel.change(INSERT, 7, schema, old, new)) == {
        "channel": 1,
        "op": "insert",
        "seq": 7,
        "row": {"id": 1, "v": "b"},
    }
    left = read(channel.change(DELETE, 8, schema, old, new))
    assert "old" not in left
    assert left["row"] == {"id": 1, "v": "a"}


def test_the_same_by_the_log(schema):
    """What is read from the log has the same frames as what is given as it comes."""
    channel = Channels().take(1, (("x", "v"),), ())
    old, new = b'{"id":1,"v":"a"}', b'{"id":1,"v":"b"}'
    for op, before, row in ((INSERT, None, new), (UPDATE, old, new), (DELETE, old, old)):
        event = Event(op, 5, schema, channel.names, row, before)
        assert channel.event(event) == channel.change(op, 5, schema, before, row if op != DELETE else None)


def test_snapshots(schema):
    """Rows of a page are one frame; `ready` and `reset` have none."""
    channel = Channels().take(1, None, ())
    events = [Event(SNAPSHOT, 5, schema, None, b'{"id":%d,"v":null}' % number) for number in range(3)]
    assert read(channel.rows(events)) == {
        "channel": 1, "op": "snapshot", "seq": 5, "rows": [{"id": number, "v": None} for number in range(3)],
    }  # fmt: skip
    assert read(channel.ready(6)) == {"channel": 1, "op": "ready", "seq": 6}
    assert read(channel.event(Event(RESET, 7, schema, None, None))) == {"channel": 1, "op": "reset", "seq": 7}
    assert read(channel.subscribed("q", ["id"])) == {"type": "subscribed", "id": "q", "channel": 1, "columns": ["id"]}
