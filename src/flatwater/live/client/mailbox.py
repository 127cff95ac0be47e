"""What came for one live query and waits to be read: bounded in bytes, written by one thread and read by another.

Covers:     messages in their order, the word that it is full, and that there is room, waking who waits, errors behind it all.
Not here:   where messages come from (`client.line`), events (`client.subscription`).
Holds:      `CLIENT_FEED_BYTES`, or one message that is larger.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple, final

import msgspec

from flatwater import limits

if TYPE_CHECKING:
    from flatwater.budget.budget import Budget

WORDS: Final = frozenset({"ready", "level"})  # that say up to where all was given, and are no events


class Item(NamedTuple):
    """A message.

    Attributes:
        op: its operation.
        seq: its number.
        data: JSON of a row, or of a list of rows.
        old: JSON of a row.
        size: bytes of the message.
        turn: of its snapshot: one that is begun anew is another one.
    """

    op: str
    seq: int
    data: msgspec.Raw
    old: msgspec.Raw
    size: int
    turn: int


class Taken(NamedTuple):
    """What is read at a time.

    Attributes:
        item: an event; None if there was none.
        seq: up to where all was given behind it, where that was said.
    """

    item: Item | None
    seq: int | None


@final
class Mailbox:
    """Messages of one live query. Thread-safe.

    Args:
        budget: that its bytes are taken from.
        has_room: called in the reader's thread when it was full and is not any more.

    Raises:
        BudgetExceeded: they do not fit.
    """

    def __init__(self, budget: Budget, has_room: Callable[[], None]) -> None:
        self._reservation = budget.reserve(limits.CLIENT_FEED_BYTES, "client.subscriptions")
        self._has_room = has_room
        self._lock = threading.Lock()
        self._items: deque[Item] = deque()
        self._size = 0
        self._error: BaseException | None = None
        self._waiter: Callable[[], None] | None = None
        self._is_closed = False
        self.is_taken = False  # something was read
        self.is_full = False

    def put(self, item: Item) -> bool:
        """One more; whether it is full now.

        Raises:
            BudgetExceeded: a message is larger than the bound, and does not fit into the budget.
        """
        with self._lock:
            if self._is_closed:
                return False
            if item.op == "level" and self._items and self._items[-1].op == "level":
                self._items[-1] = item
                return self.is_full
            size = self._size + item.size
            if size > max(limits.CLIENT_FEED_BYTES, self._reservation.bytes):
                self._reservation.resize(size)
            self._items.append(item)
            self._size = size
            self.is_full = self.is_full or size >= limits.CLIENT_FEED_BYTES
            waiter, self._waiter = self._waiter, None
            is_full = self.is_full
        if waiter is not None:
            waiter()
        return is_full

    def take(self) -> Taken | None:
        """What is there, with the words behind it; None if nothing is.

        Raises:
            FlatwaterError: that it has ended with, behind all that came before.
        """
        item: Item | None = None
        seq: int | None = None
        with self._lock:
            if not self._items:
                if self._error is not None:
                    raise self._error
                return None
            if self._items[0].op not in WORDS:
                item = self._pop()
                self.is_taken = True
            while self._items and self._items[0].op in WORDS:
                seq = self._pop().seq
            is_room = self.is_full and self._size < limits.CLIENT_FEED_BYTES // 4
            if is_room:
                self.is_full = False
        if is_room:
            self._has_room()
        return Taken(item, seq)

    def _pop(self) -> Item:
        item = self._items.popleft()
        self._size -= item.size
        if self._size <= limits.CLIENT_FEED_BYTES < self._reservation.bytes:
            self._reservation.resize(limits.CLIENT_FEED_BYTES)
        return item

    def wait(self, wake: Callable[[], None]) -> bool:
        """Be woken when something comes; True if something is there already."""
        with self._lock:
            if self._items or self._error is not None:
                return True
            self._waiter = wake
        return False

    def forget(self) -> None:
        """Nobody waits any more."""
        with self._lock:
            self._waiter = None

    def take_back(self, turn: int) -> bool:
        """Drop what came of a snapshot that is begun anew; whether its reader knows something that no longer holds."""
        with self._lock:
            while self._items and self._items[-1].turn == turn:
                self._size -= self._items.pop().size
            self.is_full = self.is_full and self._size >= limits.CLIENT_FEED_BYTES // 4
            return self.is_taken or bool(self._items)

    def fail(self, error: BaseException) -> None:
        """It ends, with this error behind what came before."""
        with self._lock:
            if self._error is None:
                self._error = error
            waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter()

    def close(self, error: BaseException) -> None:
        """It ends now: what waits to be read is dropped."""
        with self._lock:
            self._is_closed = True
            self._items.clear()
            self._size = 0
        self.fail(error)
        self._reservation.release()
