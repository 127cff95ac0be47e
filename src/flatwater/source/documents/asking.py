"""What `fw.documents` is asked for, checked before anything is opened.

Covers:     paths, sizes.
Not here:   reading (`reader`), finding files (`listing`).
Holds:      the paths.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from flatwater import errors, units
from flatwater.source.documents import listing

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def checked_paths(path: Paths) -> list[str]:
    """The paths and patterns, as texts.

    Raises:
        UsageError: it is none.
        BrokenError: a single one is not there.
    """
    if isinstance(path, str | os.PathLike):
        text = checked_path(path)
        if not os.path.lexists(text) and not listing.has_magic(text):
            raise errors.BrokenError(f"there is no file {text!r}.", hint=f"It is looked for from {os.getcwd()}.")
        return [text]
    if not isinstance(path, Iterable) or isinstance(path, bytes):
        raise errors.UsageError(f"{path!r} is no path.", hint="Pass a path, a pattern, or a list of these.")
    return [checked_path(one) for one in path]


def checked_path(path: str | os.PathLike[str]) -> str:
    """One of them, as a text."""
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise errors.UsageError(f"{path!r} is no path.", hint="Pass a text, or a pathlib.Path.")
    return text


def between(value: str | int, what: str, least: int, most: int) -> int:
    """A number of bytes within two bounds."""
    count = errors.bytes_of(value, what=what, least=least)
    if count > most:
        raise errors.UsageError(f"{what}: {value!r} is too large.", hint=f"The most is {units.format_bytes(most)}.")
    return count
