"""Read a file that grows: wait at its end, go on where it was rotated or truncated.

Covers:     waiting without a busy loop, rotation by renaming, truncation in place, being stopped.
Not here:   whole lines (`files.blocks`).
Holds:      an open file.
"""

from __future__ import annotations

import contextlib
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
        identity: device and inode of the file in which `start` is, when somebody read it before; None for the path's.

    Attributes:
        notes: rotations and truncations, as sentences.
        has_restarted: what was read last is the beginning of a file; set here, cleared by whoever looks.

    A file that was truncated and has grown beyond the place of reading between two looks cannot be told from one that
    only grew.
    """

    def __init__(
        self,
        path: Any,
        name: str,
        *,
        start: int,
        stop: threading.Event | None,
        identity: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self._path = path
        self._name = name
        self._stop = stop or threading.Event()
        self._owns_stop = stop is None
        self._is_halted = False
        self.notes: list[str] = []
        self.has_restarted = False
        found = path if identity is None else self._rotated_to(identity, start)
        try:
            self._file = LocalFile(found, name)
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
        self._read = self._id()

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode of the file that was read last; of the one before, as long as `has_restarted` is not cleared."""
        return self._read if self.has_restarted else self._id()

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
                self._read = self._id()
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

    def _id(self) -> tuple[int, int]:
        found = os.fstat(self._file.fileno())
        return found.st_dev, found.st_ino

    def _was_replaced(self) -> bool:
        """Whether the path names another file by now."""
        found = _id_of(self._path)
        return found is not None and found != self._id()  # away: a new one may come

    def _rotated_to(self, identity: tuple[int, int], start: int) -> Any:
        """Where the file is now that had the path, when somebody read it: there, or below another name in its folder.

        Raises:
            BrokenError: it is gone.
        """
        if _id_of(self._path) == identity:
            return self._path
        folder = os.path.dirname(os.path.abspath(self._path))
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.inode() == identity[1] and _id_of(entry.path) == identity:
                    return entry.path
        raise errors.BrokenError(
            f"{self._name} was rotated after byte {start}, and the file that it was is gone.",
            hint="Put it back below any name in the same folder, or begin anew: what stood behind that byte is lost.",
        )

    def _reopen(self) -> bool:
        try:
            fresh = LocalFile(self._path, self._name)
        except OSError:
            return False  # away again
        self.notes.append(f"{self._name} was rotated after byte {self._file.tell()}; reading goes on in the new one.")
        if not self.has_restarted:
            self._read = self._id()
        self._file.close()
        self._file = fresh
        self.has_restarted = True
        return True


def _id_of(path: Any) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
