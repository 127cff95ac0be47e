"""Events of a subscription."""

import pytest

from flatwater.live.events import RESET, SNAPSHOT, Event
from flatwater.live.log import UPDATE
from flatwater.live.schema import USER, Column, Schema
from flatwater.live.types import Type

SCHEMA = Schema(1, "main", "t", USER, [Column("id", Type("INT")), Column("body", Type("TEXT"))], ["id"])


def test_rows_are_read_when_they_are_asked_for():
    """Each asker gets a dict of his own, in the columns of the query; what is not there is None."""
    event = Event(UPDATE, 7, SCHEMA, (("text", "body"),), b'{"id":1,"body":"b"}', b'{"id":1,"body":"a"}')
    assert (event.op, event.seq, event.row, event.old) == ("update", 7, {"text": "b"}, {"text": "a"})
    event.row["text"] = "changed"
    assert event.row == {"text": "b"}
    assert Event(SNAPSHOT, 1, SCHEMA, None, b'{"id":1,"body":"b"}').row == {"id": 1, "body": "b"}
    assert Event(RESET, 1, SCHEMA, None, None).row is None


def test_an_event_cannot_be_added_to():
    """It has no room for anything else."""
    with pytest.raises(AttributeError):
        Event(RESET, 1, SCHEMA, None, None).other = 1
