"""One live query as its connections see it: where it is, and how to go on there.

Covers:     where to go on behind what came, a snapshot that is begun anew, its first answer, its end.
Not here:   connections (`client.line`), what waits to be read (`client.mailbox`).
Holds:      the statement, and its mailbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, final

import msgspec

from flatwater import errors, limits
from flatwater.live.client.asking import encoded, values
from flatwater.live.client.mailbox import Item, Mailbox

if TYPE_CHECKING:
    from flatwater.budget.budget import Budget
    from flatwater.live.client.line import Line

EMPTY = msgspec.Raw(b"")


@final
class Feed:
    """A live query. Made by its reader; else for the loop of connections alone.

    Args:
        text: SELECT columns FROM table WHERE …
        params: a value for each `?`.
        last_rows: of the snapshot; None for all.
        since: to go on behind; None for a snapshot.
        budget: that its mailbox is taken from.
        has_room: called when what waited was read.

    Raises:
        UsageError: the arguments make no sense.
        BudgetExceeded: it does not fit.

    Attributes:
        since: where to go on behind what came; None in the middle of a snapshot, which has to begin anew.
        line: that it is on; None while there is none.
        channel: of its messages there.
        is_parked: it is on none because its reader does not read.
        is_ready: its connection has given all there was; before that, what a connection says of its level is not about this.
        tries: refusals in a row, when it was to go on.
        opened: its columns, or why it is refused.
    """

    def __init__(
        self, text: str, params: Sequence[Any], last_rows: int | None, since: int | None, budget: Budget, has_room: Callable[[Feed], None],
    ) -> None:  # fmt: skip
        for name, value in (("last_rows", last_rows), ("since", since)):
            if value is not None and (type(value) is not int or not 0 <= value < 1 << 63):
                raise errors.UsageError(f"{name}={value!r:.80} is no number from 0 on.")
        self.since = since
        self._asked: dict[str, Any] = {"type": "subscribe", "sql": text, "params": values(text, params)}
        if last_rows is not None:
            self._asked["last_rows"] = last_rows
        size = len(self.message(1 << 62))
        if size > limits.SERVE_MESSAGE_BYTES - 100:  # the number that it goes on from may not be in it yet
            raise errors.UsageError(
                f"a live query of {size:,} bytes is too large.", hint=f"A server takes {limits.SERVE_MESSAGE_BYTES:,}."
            )
        self.line: Line | None = None
        self.channel: int | None = None
        self.is_parked = self.is_ended = self.is_ready = False
        self.tries = 0
        self.opened: asyncio.Future[tuple[str, ...]] | None = None
        self.room = asyncio.Event()
        self._turn = 0
        self.mailbox = Mailbox(budget, lambda: has_room(self))

    def message(self, number: int) -> bytes:
        """What is said to a server, with the number that this is called by on a connection."""
        since = {} if self.since is None else {"since": self.since}
        return encoded({**self._asked, "id": number, **since})

    def came(self, op: str, seq: int, data: msgspec.Raw, old: msgspec.Raw, size: int) -> bool:
        """A message of it came; whether what waits to be read is full.

        Raises:
            BudgetExceeded: there are no bytes for it.
        """
        if op == "reset":
            self.since, self.is_ready = None, False
            self._turn += 1
        elif op in {"ready", "level"}:
            if op == "level" and not self.is_ready:
                return False
            self.is_ready = True
            seq = self.since = max(self.since or 0, seq)
            self.tries = 0
        elif op != "snapshot" and self.since is not None:
            if seq <= self.since:
                return False  # it is known
            self.since = seq
        return self.mailbox.put(Item(op, seq, data, old, size + 200, self._turn))

    def lost(self) -> None:
        """Its connection is gone: a snapshot that was not complete begins anew, and what came of it no longer holds."""
        self.line = self.channel = None
        if self.since is None:
            is_known = self.mailbox.take_back(self._turn)
            if "last_rows" in self._asked and self.opened is not None and self.opened.done():
                is_known = True  # what comes between this snapshot and the next one may be in neither
            self._turn += 1
            if is_known:
                self.mailbox.put(Item("reset", 0, EMPTY, EMPTY, 200, self._turn))

    def fail(self, error: BaseException) -> None:
        """It ends: who asked for it, or its reader, is told."""
        self.is_ended = True
        self.room.set()
        if self.opened is not None and not self.opened.done():
            self.opened.set_exception(error)
        else:
            self.mailbox.fail(error)
