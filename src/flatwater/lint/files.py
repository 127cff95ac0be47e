"""Which files are looked at, and their text.

Covers:     paths in order, folders that are left out, links, encodings, files that are too large.
Not here:   what is said of a text (`lint.linter`), the code in a notebook (`lint.notebooks`).
Holds:      the names of one folder's entries for each level, and one file's text.
"""

from __future__ import annotations

import fnmatch
import io
import os
import tokenize
from collections.abc import Iterator, Sequence

from flatwater import errors, limits

LEFT_OUT = (
    ".*", "__pycache__", "node_modules", "site-packages", "__pypackages__", "build", "dist", "venv", "env", "_build", "buck-out",
)  # fmt: skip
ENDINGS = (".py", ".ipynb")


class Unreadable(errors.FlatwaterError):
    """A file whose text cannot be had."""


def walk(paths: Sequence[str], exclude: Sequence[str] = ()) -> Iterator[str]:
    """The files, each once, in order; what is named is looked at whatever it is called. Links to folders are not followed."""
    seen: set[tuple[int, int]] = set()
    for path in paths:
        try:
            status = os.stat(path)
        except OSError as error:
            raise errors.UsageError(
                f"{path!r} cannot be looked at: {error.strerror}.", hint="Name a file or a folder."
            ) from None
        if os.path.isdir(path):
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                yield from _below(path, path, exclude, 0)
        else:
            yield path


def _below(folder: str, root: str, exclude: Sequence[str], depth: int) -> Iterator[str]:
    if depth > limits.LINT_DEPTH_MAX:
        return
    try:
        with os.scandir(folder) as entries:
            names = sorted((each.name, each.is_dir(follow_symlinks=False), each.is_file()) for each in entries)
    except OSError:
        return
    for name, is_folder, is_file in names:
        path = os.path.join(folder, name)
        if any(
            fnmatch.fnmatch(os.path.relpath(path, root).replace(os.sep, "/"), each) or fnmatch.fnmatch(name, each)
            for each in exclude
        ):
            continue
        if is_folder:
            if not any(fnmatch.fnmatchcase(name, each) for each in LEFT_OUT):
                yield from _below(path, root, exclude, depth + 1)
        elif is_file and name.endswith(ENDINGS):
            yield path


def read(path: str) -> str:
    """The text, in the encoding that the file says. Raises Unreadable."""
    try:
        with open(path, "rb") as file:
            data = file.read(limits.LINT_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from None
    if len(data) > limits.LINT_FILE_BYTES_MAX:
        raise Unreadable(f"has more than {limits.LINT_FILE_BYTES_MAX} bytes, and is not looked at")
    try:
        encoding, _lines = tokenize.detect_encoding(io.BytesIO(data).readline)
        return io.TextIOWrapper(io.BytesIO(data), encoding, newline=None).read()
    except (SyntaxError, LookupError, UnicodeError) as error:
        raise Unreadable(f"is not text in its encoding: {error}") from None
