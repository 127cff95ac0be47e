"""Who reads a subscription: one thread or task at a time.

Covers:     refusing a second one, in process and of clients.
Not here:   what is read (`live.subscriber`, `live.client.subscription`).
Holds:      a flag.
"""

from __future__ import annotations

import threading

from flatwater import errors

_TURN = threading.Lock()  # of all subscriptions: for a look and a word


class OneReader:
    """What is read by one at a time; `_is_read` is False when it is made and when a reading is over."""

    __slots__ = ("_is_read",)
    _is_read: bool

    def _take_turn(self) -> None:
        """Begin a reading.

        Raises:
            UsageError: another one is under way.
        """
        with _TURN:
            if self._is_read:
                raise errors.UsageError(
                    "another thread or task reads this subscription.",
                    hint="One reads it at a time: give each one of its own.",
                )
            self._is_read = True
