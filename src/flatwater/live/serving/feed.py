"""One live query of one connection: its place in the log, and the frames of what it has to read there.

Covers:     pages of rows and changes as frames, the word that it is ready.
Not here:   giving changes as they come (`serving.fanout`), messages of clients (`serving.connection`).
Holds:      nothing between two pages; see `limits.SERVE_FEED_BYTES`.
"""

from __future__ import annotations

import threading
from itertools import groupby
from typing import TYPE_CHECKING, final

from flatwater import limits
from flatwater.live.events import Event
from flatwater.live.serving.channels import Channel
from flatwater.live.subscriber import Subscription

if TYPE_CHECKING:
    from flatwater.live.serving.connection import Connection


@final
class Feed:
    """A live query of a connection.

    Attributes:
        connection: whose it is.
        name: the client's id of it.
        reader: reads the log.
        channel: that it is sent under.
        number: of the subscription, also when the reader is closed.
        is_ready: its client knows that the snapshot was complete.
        pushed: changes that it was given as they came.
    """

    __slots__ = ("_is_closed", "_lock", "channel", "connection", "is_ready", "name", "number", "pushed", "reader")

    def __init__(self, connection: Connection, name: int | str, reader: Subscription, channel: Channel) -> None:
        self.connection, self.name, self.reader, self.channel = connection, name, reader, channel
        self.number = reader.number
        self.is_ready = False
        self.pushed = 0
        self._lock = threading.Lock()  # a number that is given back in the middle of a page would be another one's
        self._is_closed = False

    def page(self) -> list[bytes] | None:
        """Frames of what it has to read next; None if there is nothing. In a thread of its own.

        Raises:
            FlatwaterError: it has ended.
        """
        with self._lock:
            return None if self._is_closed else self._page()

    def _page(self) -> list[bytes] | None:
        events = self.reader.page(limits.SERVE_PAGE_BYTES)
        if events is None:
            return None
        frames: list[bytes] = []
        for op, some in groupby(events, _kind):
            if op == "snapshot":
                frames.append(self.channel.rows(list(some)))
                continue
            for event in some:
                if event.op == "reset":
                    self.is_ready = False
                frames.append(self.channel.event(event))
        if not self.is_ready and not self.reader.is_reading:
            frames.append(self.ready(events[-1].seq if events else self.reader.seq))
        return frames

    def rest(self) -> None:
        """Hold nothing until the next page."""
        with self._lock:
            if not self._is_closed:
                self.reader.rest()

    def close(self) -> None:
        """Give back its place in the log, behind the page that is being read. In a thread."""
        with self._lock:
            self._is_closed = True
            self.reader.close()

    def ready(self, sequence: int) -> bytes:
        """The frame that says so."""
        self.is_ready = True
        return self.channel.ready(sequence)


def _kind(event: Event) -> str:
    return event.op if event.op == "snapshot" else "change"
