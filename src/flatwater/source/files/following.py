"""Read a file that grows: wait at its end, go on where it was rotated or truncated.

Covers:     waiting without a busy loop, rotation by renaming, truncation in place, being stopped.
Not here:   whole lines (`files.blocks`).
Holds:      an open file.
"""

from __future__ import annotations

import os
import threading
from typing import Any, final

from flatwater import errors, limits
from flatwater.source.files.opening import LocalFile, Raw, not_opened


@final
class Following(Raw):
    """A log that others write. `readinto` waits for bytes, and returns 0 only once it was stopped.

    Args:
        path: of the file; it must be there at the start, and may be away for a while later.
        name: for errors.
        start: byte to begin at.
        stop: an event of the caller's that ends the waiting; `halt` does it without one.

    Attributes:
        notes: rotations and truncations, as sentences.
        has_restarted: what was read last is the beginning of a file; set here, cleared by whoever looks.

    A file that was truncated and has grown beyond the place of reading between two looks cannot be told from one that
    only grew.
    """

    def __init__(self, path: Any, name: str, *, start: int, stop: threading.Event | None) -> None:
        super().__init__()
        self._path = path
        self._name = name
        self._stop = stop or threading.Event()
        self._owns_stop = stop is None
        self._is_halted = False
        self.notes: list[str] = []
        self.has_restarted = False
        try:
            self._file = LocalFile(path, name)
        except OSError as error:
            raise not_opened(name, error) from error
        if not self._file.is_regular or start > self._file.size_bytes:
            size, regular = self._file.size_bytes, self._file.is_regular
            self._file.close()
            if regular:
                raise errors.BrokenError(f"{name} ends at byte {size}, before the offset {start}.")
            raise errors.UsageError(
                f"{name} is no regular file.", hint="A pipe is read to its end without follow=True."
            )
        self._file.seek(start)

    def readinto(self, buffer: Any) -> int:
        """The next bytes, as soon as there are any; 0 once it was stopped."""
        while True:
            count: int = self._file.readinto(buffer)
            if count or self._is_halted or self._stop.is_set():
                return count
            if self._was_replaced():
                count = self._file.readinto(buffer)  # the old one's last words may have come in between
                if count:
                    return count
                if self._reopen():
                    continue
            elif os.fstat(self._file.fileno()).st_size < (position := self._file.tell()):
                self.notes.append(f"{self._name} was truncated after byte {position}; reading goes on at its start.")
                self._file.seek(0)
                self.has_restarted = True
                continue
            self._stop.wait(limits.FILES_FOLLOW_POLL_S)

    def halt(self) -> None:
        """End the waiting, from any thread: within one poll, or at once where no event was passed."""
        self._is_halted = True
        if not self.closed and self._owns_stop:
            self._stop.set()

    def close(self) -> None:
        """Close the file."""
        if not self.closed and hasattr(self, "_file"):
            self._file.close()
        super().close()

    def _was_replaced(self) -> bool:
        """Whether the path names another file by now."""
        try:
            found = os.stat(self._path)
        except OSError:
            return False  # away: a new one may come
        mine = os.fstat(self._file.fileno())
        return (found.st_dev, found.st_ino) != (mine.st_dev, mine.st_ino)

    def _reopen(self) -> bool:
        try:
            fresh = LocalFile(self._path, self._name)
        except OSError:
            return False  # away again
        self.notes.append(f"{self._name} was rotated after byte {self._file.tell()}; reading goes on in the new one.")
        self._file.close()
        self._file = fresh
        self.has_restarted = True
        return True
