"""One opened place, with its promise to the budget and the gate it passes.

Covers:     opening and closing, reserving, waiting at the gate, what was noted, errors with the offset.
Not here:   what is made of the bytes (`files.chunks`, `files.line_reader`, `files.record_reader`).
Holds:      what the opened stream holds; see `Stream.held_bytes`.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.source.files.opening import not_read, open_raw

if TYPE_CHECKING:
    from collections.abc import Callable

    from flatwater.budget.reservation import Reservation
    from flatwater.source.files.place import Mark, Place

logger = logging.getLogger("flatwater.source.files")
_DECODER_BYTES_MAX = limits.FILES_WINDOW_BYTES_MAX + (1 << 20)


@final
class Stream:
    """A source of bytes from when it is made; opened, reserved and closed once.

    Args:
        place: what is read.
        holder: its name in the budget.

    Attributes:
        place: as given.
        position: byte that comes next, counted in what is decoded.
        is_closing: somebody asked for the end.
        is_done: it was closed.
        raw: the bytes, from `open` on.
    """

    def __init__(self, place: Place, holder: str) -> None:
        self.place = place
        self.position = place.offset
        self.is_closing = False
        self.is_done = False
        self.raw: Any = None
        self._holder = holder
        self._process = -1  # that opened it
        self._budget = Budget.current()  # that of where it was written, not of whoever iterates
        self._gate = self._budget.gate
        self._reservation: Reservation | None = None
        self._notes: deque[str] = deque(maxlen=limits.FILES_NOTES_MAX)

    def open(self, opener: Callable[[Place], Any] = open_raw) -> Any:
        """The bytes; opens them the first time, with `opener`.

        Raises:
            ClosedError: it was read or closed before.
            UsageError, BrokenError, MissingExtra, LimitReached: as `opening.open_raw`.
        """
        if self.is_done or self.is_closing:
            raise errors.ClosedError(
                f"{self.place.name} was read or closed: a source is one pass.", hint="Make a new one for another pass."
            )
        if self.raw is None:
            self.raw = opener(self.place)
            self._process = os.getpid()
        return self.raw

    def reserve(self, count: int) -> None:
        """Promise `count` bytes, once.

        Raises:
            BudgetExceeded: they do not fit.
        """
        if self._reservation is None:
            self._reservation = self._budget.reserve(count, self._holder)

    @property
    def mark(self) -> Mark:
        """The byte that comes next; of a file that is followed, with the file that it is in."""
        return (self.position, *self.raw.identity) if self.place.follow and self.raw is not None else self.position

    def has_restarted(self) -> bool:
        """Whether what was read last is the beginning of another file, or of the same after it was truncated."""
        return self.place.follow and bool(self.raw.has_restarted)

    def begin_anew(self) -> None:
        """From here on, bytes are counted in that one."""
        self.raw.has_restarted = False
        self.position = 0

    def counted(self, read: int) -> int:
        """So many bytes were read, and none is handed out yet; bytes are counted anew, if it is a file's beginning."""
        if read and self.has_restarted():
            self.begin_anew()
        return read

    @property
    def held_bytes(self) -> int:
        """What the stream holds beside its reader's buffers: known once it is open, else the most there can be.

        A plain local file is looked at.
        """
        if self.raw is not None:
            return int(self.raw.held_bytes)
        total = 0
        if self.place.is_url:
            total += limits.FILES_REMOTE_BYTES  # what was asked for at once
            total += limits.FILES_REMOTE_AHEAD_BYTES  # what the network brings meanwhile
        if self.place.compression != "none" and not self.place.follow and self.place.looked_at()[1] != "none":
            total += 3 * limits.FILES_INPUT_BYTES  # compressed bytes, those left, decoded ones left
            total += self.place.window_max or _DECODER_BYTES_MAX  # the decompressor
        return total

    def pass_gate(self) -> bool:
        """Wait while the budget's gate is closed; False if the source is closed meanwhile.

        Raises:
            LimitReached: it stayed closed for `limits.GATE_WAIT_S`.
            UsageError: it was opened before a fork: both processes would take bytes from one another.
        """
        if self._process != os.getpid():
            raise errors.UsageError(
                f"{self.place.name} was opened in the process from which this one was forked.",
                hint="Open it in the process that reads it.",
            )
        if self._gate.is_open:
            return not self.is_closing
        give_up_s = time.monotonic() + limits.GATE_WAIT_S
        while not self.is_closing and not self._gate.wait(limits.FILES_GATE_PERIOD_S):
            if time.monotonic() > give_up_s:
                raise errors.LimitReached(
                    f"{self.place.name} waited {limits.GATE_WAIT_S:g} s at the budget's gate: {self._gate.reason}.",
                    what="GATE_WAIT_S", limit=limits.GATE_WAIT_S, hint="Find out what keeps the gate closed.",
                )  # fmt: skip
        return not self.is_closing

    def check_end(self) -> None:
        """The bytes have come to their end: is it the right one?

        Raises:
            BrokenError: the file became shorter, or the connection ended early.
        """
        self.raw.check_end()
        self._gather()
        for note in self._notes:
            logger.warning("%s", note)

    def failed(self, error: OSError) -> errors.BrokenError:
        """What to raise for a read that failed."""
        return not_read(self.place.name, self.position, error)

    @property
    def notes(self) -> list[str]:
        """What was seen that the reader should know: rotations, truncations, a file written or deleted meanwhile."""
        self._gather()
        return list(self._notes)

    def _gather(self) -> None:
        fresh = getattr(self.raw, "notes", None)
        if fresh:
            self._notes.extend(fresh)
            fresh.clear()

    def stop(self) -> None:
        """Have it end: the reader that runs, in whatever thread, ends at its next look."""
        self.is_closing = True
        halt = getattr(self.raw, "halt", None)
        if halt is not None:
            halt()

    def close(self) -> None:
        """Close the bytes and give back what was promised. Closing twice is fine."""
        self.is_closing = self.is_done = True
        raw, reservation = self.raw, self._reservation
        try:
            if raw is not None:
                self._gather()
                raw.close()
        finally:
            if reservation is not None:
                reservation.release()
