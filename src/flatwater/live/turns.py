"""Turns of the SQL engine: so many queries at once; one whose rows nobody reads gives way to others that wait.

Covers:     waiting for a turn, giving it back, taking it from a result that lies unread.
Not here:   queries (`live.engine`).
Holds:      what a query holds in the engine, for `LIVE_QUERIES_MAX` queries.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, final

from flatwater import errors, limits

# set where nobody waits any more for what a thread does
GONE: ContextVar[threading.Event | None] = ContextVar("gone", default=None)


@final
class Turn:
    """One of the turns. It holds the stream of a query, so that this ends with it.

    Attributes:
        stream: of batches; None at the end.
        idle_since_s: when the last batch was handed out; None while the next one is computed.
    """

    __slots__ = ("_turns", "idle_since_s", "is_taken_away", "stream")

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.stream: Any = None
        self.idle_since_s: float | None = None
        self.is_taken_away = False

    @contextmanager
    def computing(self) -> Iterator[Any]:
        """The stream, for the time of one batch.

        Raises:
            LimitReached: the turn was given to somebody else.
        """
        with self._turns.changed:
            if self.is_taken_away:
                raise errors.LimitReached(
                    f"the rows of a query were not read for {self._turns.idle_s:.0f} s, and others waited.",
                    what="seconds", limit=self._turns.idle_s, hint="Read them in one go, or ask for fewer at a time.",
                )  # fmt: skip
            self.idle_since_s = None
        try:
            yield self.stream
        finally:
            self.idle_since_s = time.monotonic()

    def end(self) -> None:
        """Give it back; more than once does no harm."""
        self._turns.give_back(self)


@final
class Turns:
    """So many turns. Thread-safe.

    Args:
        most: at once.
        idle_s: how long the rows of a query may lie unread while others wait.
    """

    def __init__(self, most: int = limits.LIVE_QUERIES_MAX, idle_s: float = limits.LIVE_IDLE_S) -> None:
        self.idle_s = idle_s
        self.changed = threading.Condition()  # its lock may be taken again: where a result is dropped, its turn ends
        self._most = most
        self._taken: set[Turn] = set()
        self._is_closed = False

    def take(self, seconds: float) -> Turn | None:
        """A turn; None if there was none for so long.

        Raises:
            ClosedError: there will be none any more.
        """
        until_s = time.monotonic() + seconds
        with self.changed:
            while len(self._taken) >= self._most or self._is_closed:
                if self._is_closed:
                    raise errors.ClosedError("the database was closed.", hint="Open it again.")
                now_s = time.monotonic()
                idle = min(
                    (turn for turn in self._taken if turn.idle_since_s is not None), key=_idle_since, default=None
                )
                due_s = until_s if idle is None else _idle_since(idle) + self.idle_s
                if idle is not None and due_s <= now_s:
                    idle.is_taken_away = True
                    self.give_back(idle)
                elif until_s <= now_s:
                    return None
                else:
                    self.changed.wait(min(until_s, due_s, now_s + self.idle_s) - now_s)
            turn = Turn(self)
            self._taken.add(turn)
            return turn

    def close(self) -> None:
        """End: who waits is told."""
        with self.changed:
            self._is_closed = True
            self.changed.notify_all()

    def give_back(self, turn: Turn) -> None:
        """What the query held in the engine is let go of."""
        with self.changed:
            self._taken.discard(turn)
            turn.stream = None
            self.changed.notify()


def _idle_since(turn: Turn) -> float:
    return turn.idle_since_s or 0.0
