"""Numbers that changes are sent under, so that one frame is for all who follow the same rows with the same columns.

Covers:     channels of groups and columns, the front of their messages, frames of changes.
Not here:   who is behind a channel (`serving.feed`), what matches (`live.matching`).
Holds:      about 400 bytes for each channel that somebody has.
"""

from __future__ import annotations

from collections.abc import Container
from typing import final

from flatwater.live.events import OPS, Event, Names, json_of
from flatwater.live.log import DELETE, UPDATE
from flatwater.live.schema import Schema
from flatwater.live.serving.frames import text_frame
from flatwater.live.serving.messages import encode

_Key = tuple[int, Names, int]


@final
class Channel:
    """What those have in common who are sent the same frames.

    Attributes:
        number: in messages; never used again.
        names: columns that were asked for; None for all.
        count: of those who have it.
    """

    __slots__ = ("count", "front", "key", "names", "number")

    def __init__(self, number: int, key: _Key) -> None:
        self.number, self.key, self.names = number, key, key[1]
        self.front = b'{"channel":%d,"op":"' % number
        self.count = 0

    def change(self, op: int, sequence: int, schema: Schema, old: bytes | None, new: bytes | None) -> bytes:
        """The frame of a change, of the JSON that is stored."""
        row = json_of(
            old if op == DELETE else new, schema, self.names
        )  # a row that left the condition is told as it was
        before = json_of(old, schema, self.names) if op == UPDATE else None
        return self._frame(OPS[op], sequence, row, before)

    def event(self, event: Event) -> bytes:
        """The frame of a change that was read from the log, or of a reset."""
        row, old = event.json
        return self._frame(event.op, event.seq, row, old if event.op == "update" else None)

    def _frame(self, op: str, sequence: int, row: bytes | None, old: bytes | None) -> bytes:
        head = self.front + b'%s","seq":%d' % (op.encode(), sequence)
        if row is None:
            return text_frame(head, b"}")
        if old is None:
            return text_frame(head, b',"row":', row, b"}")
        return text_frame(head, b',"row":', row, b',"old":', old, b"}")

    def rows(self, events: list[Event]) -> bytes:
        """The frame of some rows of a snapshot."""
        rows = b",".join([event.json[0] or b"null" for event in events])
        return text_frame(self.front, b'snapshot","seq":%d,"rows":[' % events[0].seq, rows, b"]}")

    def ready(self, sequence: int) -> bytes:
        """The frame that says: all up to here was sent."""
        return text_frame(self.front, b'ready","seq":%d}' % sequence)

    def subscribed(self, name: int | str, columns: list[str]) -> bytes:
        """The frame that says which channel a query has."""
        told = {"type": "subscribed", "id": name, "channel": self.number, "columns": columns}
        return text_frame(encode(told))


@final
class Channels:
    """All channels of a server. For its loop alone."""

    def __init__(self) -> None:
        self._channels: dict[_Key, Channel] = {}
        self._last = 0

    def take(self, group: int, names: Names, but: Container[int]) -> Channel:
        """The channel of these rows and columns, with one more who has it.

        Args:
            group: of `live.matching`.
            names: of the columns.
            but: numbers that its connection has already: a query that is asked twice gets two channels.
        """
        copy = 0
        while (found := self._channels.get((group, names, copy))) is not None and found.number in but:
            copy += 1
        if found is None:
            self._last += 1
            found = self._channels[group, names, copy] = Channel(self._last, (group, names, copy))
        found.count += 1
        return found

    def give_back(self, channel: Channel) -> None:
        """One less who has it."""
        channel.count -= 1
        if not channel.count:
            del self._channels[channel.key]

    def __len__(self) -> int:
        return len(self._channels)
