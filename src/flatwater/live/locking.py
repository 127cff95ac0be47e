"""One process at a time has a database open: who follows changes has to be told of all of them.

Covers:     the lock file.
Not here:   who has the store open (`store.directory`).
Holds:      an open file.
"""

from __future__ import annotations

import fcntl
import os
from typing import Final

from flatwater import errors

LOCK: Final = "database.lock"


def locked(path: str) -> int:
    """The descriptor of the lock in a database's directory; closing it ends the lock, and so does the end of the process.

    Raises:
        BrokenError: another process has the database open, or the file cannot be made.
    """
    try:
        lock = os.open(os.path.join(path, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise errors.BrokenError(f"{path} cannot be locked: {(error.strerror or str(error)).lower()}.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise errors.BrokenError(
            f"another process has the database {path} open.", hint="One at a time has it: share it, or serve it."
        ) from error
    return lock
