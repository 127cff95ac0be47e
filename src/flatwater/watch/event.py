"""What the watcher saw and did, in sentences: remembered, and logged.

Covers:     events, the bounded list of the newest, and saying what foreign code raised.
Not here:   when something is worth an event (`watch.watcher`), the words of a step's effect (`watch.ladder`).
Holds:      `limits.WATCH_EVENTS_MAX` events; see `Journal.bytes_max`.
"""

from __future__ import annotations

import collections
import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import final

from flatwater import limits

LOG = logging.getLogger("flatwater.watch")
WORDS_CHARS_MAX = 500
EVENT_BYTES = 2 * WORDS_CHARS_MAX + 200  # words may be two bytes a character


@dataclass(frozen=True, slots=True)
class Event:
    """Something the watcher saw or did.

    Attributes:
        at_s: seconds since the watcher began.
        what: "level", "spike", "step", "effect", "separate" or "trouble".
        words: a sentence.
        seen_bytes: what the operating system saw then.
    """

    at_s: float
    what: str
    words: str
    seen_bytes: int

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"at_s": round(self.at_s, 3), "what": self.what, "words": self.words, "seen_bytes": self.seen_bytes}


@final
class Journal:
    """The newest events, oldest first. One thread notes; any may read.

    Args:
        seen: `() -> bytes`, what the operating system saw last; stands in each event.

    >>> journal = Journal(lambda: 5)
    >>> journal.note(1.0, "level", "memory is high")
    >>> with journal.guard(2.0, "a hook"):
    ...     raise OSError("disk full")
    >>> [event.words for event in journal.events]
    ['memory is high', 'a hook failed: OSError: disk full']
    """

    def __init__(self, seen: Callable[[], int]) -> None:
        self.events: collections.deque[Event] = collections.deque(maxlen=limits.WATCH_EVENTS_MAX)
        self._seen = seen

    def bytes_max(self) -> int:
        """The most it holds, in bytes."""
        return limits.WATCH_EVENTS_MAX * EVENT_BYTES

    def newest(self, count: int) -> list[Event]:
        """At most `count` events, oldest first; a copy, since the watcher's thread may add meanwhile."""
        return list(self.events.copy())[-count:]

    def note(self, at_s: float, what: str, words: str, log_level: int = logging.DEBUG) -> None:
        """Remember and log; overlong words lose their end."""
        words = words[:WORDS_CHARS_MAX]
        self.events.append(Event(at_s, what, words, self._seen()))
        LOG.log(log_level, "%s", words)

    @contextlib.contextmanager
    def guard(self, at_s: float, what: str) -> Iterator[None]:
        """Whatever foreign code raises is said, and the watching goes on."""
        try:
            yield
        except SystemExit:
            words = f"{what} raised SystemExit, which ends no process from this thread; send a signal instead"
            self.note(at_s, "trouble", words, logging.ERROR)
        except Exception as error:  # noqa: BLE001 - it is logged with its traceback
            self.failed(at_s, what, error)

    def failed(self, at_s: float, what: str, error: Exception) -> None:
        """Say that something failed, with the traceback in the log."""
        self.note(at_s, "trouble", f"{what} failed: {type(error).__name__}: {error}")
        LOG.error("%s failed; watching goes on", what, exc_info=error)


def name_of(callback: object) -> str:
    """What to call it in an event."""
    return str(getattr(callback, "__qualname__", type(callback).__qualname__))
