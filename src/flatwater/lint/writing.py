"""Put a file's new text in the place of the old one, whole or not at all.

Covers:     links, modes, files that may not be written, that have several names, or that somebody else changed meanwhile.
Not here:   what is written (`lint.fixing`).
Holds:      nothing beside the bytes of the file.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Sequence

from flatwater import errors


class Unwritable(errors.BrokenError):
    """A file that cannot be written anew; it is as it was."""


def replace(path: str, before: bytes, after: bytes, named: Sequence[str]) -> None:
    """The file holds `after`, where it held `before`. A link stays one, and what it leads to is written.

    Args:
        path: of the file.
        before: its bytes; where they are others by now, nothing is written.
        after: its new bytes.
        named: what the user named; a link that leads out of all of it is not followed.

    Raises:
        Unwritable: with the file's name, and why.
    """
    real, status = check(path, named)
    try:
        _put(real, before, after, status)
    except OSError as error:
        raise _unwritable(path, error) from error


def check(path: str, named: Sequence[str]) -> tuple[str, os.stat_result]:
    """The file that a path leads to, and its status. Raises Unwritable where it is not to be written."""
    real = os.path.realpath(path)
    if not _is_below(real, path, named):
        raise Unwritable(
            f"{path!r} is a link to {real!r}, which is outside of what was named.", hint="Name that file itself."
        )
    try:
        status = os.stat(real)
        if not status.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(real, os.W_OK):
            raise Unwritable(f"{path!r} may not be written.", hint="Change its mode, or leave it out with --exclude.")
        if status.st_nlink > 1:
            raise Unwritable(
                f"{path!r} has {status.st_nlink} names (hard links), and would be fixed under one of them only.",
                hint="Put a copy in its place first.",
            )
    except OSError as error:
        raise _unwritable(path, error) from error
    return real, status


def _unwritable(path: str, error: OSError) -> Unwritable:
    why = (error.strerror or str(error)).lower()
    return Unwritable(f"{path!r} cannot be written: {why}.", hint="It is as it was.")


def _put(real: str, before: bytes, after: bytes, status: os.stat_result) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=".flatwater-", suffix=".tmp", dir=os.path.dirname(real))
    try:
        with open(descriptor, "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(real, temporary)
        if hasattr(os, "chown"):
            with contextlib.suppress(PermissionError):
                os.chown(temporary, status.st_uid, status.st_gid)
                shutil.copymode(real, temporary)  # a new owner takes the set-uid bit away
        _check_unchanged(real, before)
        os.replace(temporary, real)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _check_unchanged(real: str, before: bytes) -> None:
    with open(real, "rb") as file:
        if file.read(len(before) + 1) != before:
            raise Unwritable(f"{real!r} was changed by somebody else meanwhile.", hint="Run it again.")


def _is_below(real: str, path: str, named: Sequence[str]) -> bool:
    for each in named:
        if os.path.normpath(each) == os.path.normpath(path):
            return True
        folder = os.path.realpath(each)
        if real == folder or real.startswith(folder.rstrip(os.sep) + os.sep):
            return True
    return False
