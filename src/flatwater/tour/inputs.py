"""Real text files of this machine, one after the other, without a list of them.

Covers:     the interpreter's own sources, what is installed, its documentation; any other directory or file; what is passed over.
Not here:   reading them (`tour.text`).
Holds:      one open directory for each level of depth: see `bytes_max`.

Links are not followed, so no loop is entered and no file is read twice through one. Nothing but regular files is given out.
"""

from __future__ import annotations

import os
import sysconfig
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from flatwater import errors, limits
from flatwater.units import KIB

DEPTH_MAX = limits.TOUR_DEPTH_MAX  # what lies deeper is passed over, and counted
_OPEN_DIRECTORY_BYTES = 33 * KIB  # the C library's buffer (32 KiB on the usual file systems), the iterator, a path
_TEXT_SUFFIXES = (".py", ".rst", ".md", ".txt")
DOCUMENTATION = "/usr/share/doc"


@dataclass(frozen=True, slots=True)
class Root:
    """Where to look for text.

    Attributes:
        path: a directory, or a single file.
        suffixes: of the files that are taken; none for all.
    """

    path: str
    suffixes: tuple[str, ...] = ()


def bytes_max() -> int:
    """The most that looking for files holds, in bytes."""
    total = 0
    total += DEPTH_MAX * _OPEN_DIRECTORY_BYTES  # the directories from the root down to where the walk is
    return total


def own_roots() -> tuple[Root, ...]:
    """The standard library, the system's documentation, and the installed packages, as far as they are there."""
    paths = sysconfig.get_paths()
    roots = [
        Root(os.path.realpath(paths["stdlib"]), _TEXT_SUFFIXES),
        Root(os.path.realpath(DOCUMENTATION)),
        Root(os.path.realpath(paths["purelib"]), _TEXT_SUFFIXES),
        Root(os.path.realpath(paths["platlib"]), _TEXT_SUFFIXES),
    ]
    return tuple(root for root in dict.fromkeys(roots) if os.path.isdir(root.path))


def roots_of(paths: Sequence[str]) -> tuple[Root, ...]:
    """What the user names: all files in these directories, and these files.

    Raises:
        UsageError: one is not there, may not be read, or is neither file nor directory.
    """
    roots = []
    for path in paths:
        try:
            real = os.path.realpath(path)
            os.stat(real)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise errors.UsageError(
                f"{path!r} cannot be read: {reason.lower()}.", hint="Name directories or files."
            ) from None
        if not os.path.isdir(real) and not os.path.isfile(real):
            raise errors.UsageError(f"{path!r} is neither a directory nor a file.", hint="Name directories or files.")
        if not os.access(real, os.R_OK | (os.X_OK if os.path.isdir(real) else 0)):
            raise errors.UsageError(f"{path!r} cannot be read: permission denied.", hint="Name what you may read.")
        roots.append(Root(real))
    return tuple(dict.fromkeys(roots))


def files(roots: Sequence[Root], passed_over: Counter[str]) -> Generator[str, None, None]:
    """The paths of all regular files in `roots`, in the order in which the directories name them.

    `passed_over` is told what was not given out: "links", "special files", "too deep", "unreadable". Directories that are
    a root themselves are met once. Files and directories that vanish meanwhile are passed over.
    """
    tops = {root.path for root in roots}
    for root in roots:
        if os.path.isdir(root.path):
            yield from _below(root, tops, passed_over)
        else:
            yield root.path


def _below(root: Root, tops: set[str], passed_over: Counter[str]) -> Iterator[str]:
    stack: list[Iterator[os.DirEntry[str]]] = []
    try:
        _enter(root.path, stack, passed_over)
        while stack:
            try:
                entry = next(stack[-1], None)
            except OSError:  # the directory went away, or its disk did
                passed_over["unreadable"] += 1
                entry = None
            if entry is None:
                stack.pop().close()  # type: ignore[attr-defined]  # what scandir returns has one
            elif (kind := _kind(entry)) == "directory":
                if entry.path not in tops:
                    _enter(entry.path, stack, passed_over)
            elif kind != "file":
                passed_over[kind] += 1
            elif not root.suffixes or entry.name.endswith(root.suffixes):
                yield entry.path
    finally:
        while stack:
            stack.pop().close()  # type: ignore[attr-defined]  # the same


def _enter(path: str, stack: list[Iterator[os.DirEntry[str]]], passed_over: Counter[str]) -> None:
    if len(stack) >= DEPTH_MAX:
        passed_over["too deep"] += 1
        return
    try:
        stack.append(os.scandir(path))
    except OSError:
        passed_over["unreadable"] += 1


def _kind(entry: os.DirEntry[str]) -> str:
    try:
        if entry.is_symlink():
            return "links"
        if entry.is_dir(follow_symlinks=False):
            return "directory"
        return "file" if entry.is_file(follow_symlinks=False) else "special files"
    except OSError:  # it vanished meanwhile
        return "unreadable"
