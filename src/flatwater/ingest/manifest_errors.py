"""What SQLite says of a manifest, in our words.

Covers:     damage, a lock, a full disk, a file that cannot be opened.
Not here:   the manifest (`manifest`).
Holds:      nothing.
"""

from __future__ import annotations

from typing import Any, Final, final

from flatwater import errors

HINT: Final = "Restore it from a backup, or remove the corpus and ingest again."


@final
class Errors:
    """A context manager that says SQLite's errors as ours."""

    def __init__(self, apsw: Any, path: str, *, reads: bool) -> None:
        self._apsw = apsw
        self._path = path
        self._damage = (UnicodeDecodeError, OverflowError, ValueError, TypeError) if reads else ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, where: object) -> None:
        apsw = self._apsw
        if isinstance(error, errors.FlatwaterError):
            return
        if isinstance(error, (apsw.CorruptError, apsw.NotADBError, *self._damage)):
            raise errors.CorruptError(f"{self._path} cannot be read: {error}.", hint=HINT) from error
        if not isinstance(error, apsw.Error):
            return
        if isinstance(error, apsw.BusyError):
            raise errors.BrokenError(
                f"{self._path} is locked: {error}.", hint="Try again when the other process is done."
            ) from error
        if isinstance(error, apsw.CantOpenError):
            raise errors.BrokenError(
                f"{self._path} cannot be opened: {error}.",
                hint="Check who owns it. If a killed run left it on what is read-only now, ingest once where it can be written.",
            ) from error
        raise errors.BrokenError(
            f"{self._path}: {error}.", hint="Check the disk: its room, and who owns the file."
        ) from error
