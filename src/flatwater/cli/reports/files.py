"""Put a report where the user said: refused before the run if that cannot work, and whole or not at all after it.

Covers:     missing folders, read-only files, links, devices and pipes, one path named twice.
Not here:   what stands in a report (`run_html`, `run_text`).
Holds:      one text, encoded, or a piece of it.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

from flatwater import errors

STREAMS = ("/dev/std", "/dev/fd/", "/proc/")  # names of open files: a shell may be writing to the same one


def check(paths: Mapping[str, str | None]) -> None:
    """Refuse impossible report files before a program has run for an hour.

    Args:
        paths: what each option names; None where it was not given.

    Raises:
        UsageError: one of them cannot be written, or two are the same file.
    """
    taken: dict[str, str] = {}
    for option, path in paths.items():
        if path is None:
            continue
        try:
            _check_one(path)
            real = os.path.realpath(path)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise errors.UsageError(f"{option}: {path!r} cannot be written: {reason}.") from None
        if _is_stream(path):
            continue
        if real in taken:
            raise errors.UsageError(
                f"{taken[real]} and {option} both name {path!r}: one would overwrite the other.",
                hint="Give each a file of its own.",
            )
        taken[real] = option


def write(path: str, text: str) -> None:
    """Write a report: a file that was there stays until the new one is complete; devices and pipes are written to.

    Raises:
        BrokenError: it could not be written.
    """
    with writing(path) as put:
        put(text)


@contextlib.contextmanager
def writing(path: str) -> Iterator[Callable[[str], object]]:
    """Write a report piece by piece, as `write` does; where the block fails, the file that was there stays.

    Raises:
        BrokenError: it could not be written.
    """
    try:
        with _opened(path) as file:
            yield lambda text: file.write(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise errors.BrokenError(f"{path!r} could not be written: {reason}.") from error


def _check_one(path: str) -> None:
    if not path:
        raise OSError("it is no file name")
    if path == "-":
        raise OSError("standard output belongs to the program; name a file, or /dev/stdout")
    if os.path.exists(path):
        if os.path.isdir(path):
            raise IsADirectoryError(21, "it is a directory")
        if not os.access(path, os.W_OK):
            raise PermissionError(13, "it is read-only")
        if _is_stream(path):
            return
    else:
        with contextlib.suppress(FileNotFoundError):
            os.lstat(path)  # a name that is too long, or below a file
    directory = os.path.dirname(os.path.realpath(path))
    try:
        descriptor, trial = tempfile.mkstemp(dir=directory, prefix=".flatwater-")
    except OSError as error:
        raise OSError(error.errno, f"{directory!r}: {(error.strerror or str(error)).lower()}") from None
    os.close(descriptor)
    os.unlink(trial)


def _is_stream(path: str) -> bool:
    """Whether it must be written to as it stands: replaced by a file, /dev/null would be gone for everybody."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) or os.path.abspath(path).startswith(STREAMS)


@contextlib.contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    if _is_stream(path):
        with open(path, "ab") as file:
            yield file
        return
    path = os.path.realpath(path)  # a link stays a link
    temporary = os.path.join(os.path.dirname(path), f".flatwater-{os.urandom(8).hex()}")
    try:
        with open(temporary, "xb") as file:
            yield file
        with contextlib.suppress(FileNotFoundError):
            os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
