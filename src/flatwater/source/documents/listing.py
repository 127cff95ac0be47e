"""The files that paths, directories and patterns name, in sorted order, however many there are.

Covers:     patterns with `*`, `?`, `[...]` and `**`; directories; beginning at a place; links that lead in circles.
Not here:   opening what is found (`kinds`, `reader`).
Holds:      at most `limits.DOCUMENT_NAMES_BYTES_MAX` of names, whatever a directory contains; see `Listing`.

A directory whose names do not fit is read again for the next part of them. A million names of 15 letters take about 17
such rounds, which are some seconds of `scandir`.
"""

from __future__ import annotations

import fnmatch
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, final

from flatwater import limits

_NAME_BYTES = 24  # a place in a list, and what the allocator rounds up
_MAGIC = re.compile(r"[*?[]")

Problems = Callable[[str, str], object]


class Found(NamedTuple):
    """A file, and the number of the argument that named it."""

    argument: int
    path: str


@final
class Listing:
    """What the arguments name. Each argument's files come sorted by their path; the arguments come as given.

    A directory stands for all files below it. In directories and patterns, names that begin with a dot are left out unless
    the pattern's part does so too; `**` does not follow links to directories, other parts do. Not thread-safe.

    Args:
        arguments: paths and patterns. One that exists is taken for a path, whatever characters it has.
        problem: called with a path and a reason for what cannot be listed.
        names_bytes_max: of names to hold at a time.
    """

    def __init__(
        self, arguments: Sequence[str], problem: Problems, names_bytes_max: int = limits.DOCUMENT_NAMES_BYTES_MAX
    ) -> None:
        self._arguments = arguments
        self._problem = problem
        self._names_bytes_max = names_bytes_max
        self._levels: list[_Level] = []

    def files(self, argument: int = 0, path: str = "") -> Iterator[Found]:
        """From `path` of that argument on, itself included; from the beginning without one."""
        for number in range(argument, len(self._arguments)):
            at = path if number == argument else ""
            for found in self._of(self._arguments[number], at):
                yield Found(number, found)

    def holds(self, argument: int, path: str) -> bool:
        """Whether the files of that argument may be `path`, or have it between them."""
        name = self._arguments[argument]
        if not os.path.isdir(name) and (os.path.lexists(name) or not has_magic(name)):
            return path == name
        root = name if os.path.isdir(name) else _split(name)[0]
        return path.startswith(_joined(root, "")) and len(path) > len(_joined(root, ""))

    def _of(self, argument: str, least: str) -> Iterator[str]:
        if os.path.isdir(argument):
            yield from self._walk(argument, _Pattern(("**",)), least)
        elif os.path.lexists(argument) or not _MAGIC.search(argument):
            yield argument
        else:
            root, parts = _split(argument)
            count = 0
            for path in self._walk(root, _Pattern(parts), least):
                count += 1
                yield path
            if not count and not least:
                self._problem(argument, "nothing matches this pattern")

    def _walk(self, root: str, pattern: _Pattern, least: str) -> Iterator[str]:
        below = least[len(_joined(root, "")) :].split("/") if least else []
        self._levels = [_Level(root, pattern, frozenset(pattern.beginning), below)]
        while self._levels:
            level = self._levels[-1]
            if not level.names and not level.exhausted:
                self._make_room()
                level.fill(self._names_bytes_max // 4, self._problem)
            if not level.names:
                self._levels.pop()
                continue
            key = level.names.pop()
            level.after = key
            path = _joined(level.directory, key.rstrip("/"))
            if not key.endswith("/"):
                yield path
            elif len(self._levels) > limits.DOCUMENT_DEPTH_MAX:
                self._problem(path, f"directories are nested more than {limits.DOCUMENT_DEPTH_MAX} deep")
            else:
                self._levels.append(_Level(path, pattern, level.states_below(key), level.least_below(key)))

    def _make_room(self) -> None:
        """Let outer directories forget their names where all hold too many; they are read again."""
        while sum(level.held_bytes for level in self._levels) > self._names_bytes_max // 2:
            max(self._levels, key=lambda level: level.held_bytes).forget()


@final
class _Level:
    """One open directory: the next of its names that matter, the last one first. Directories' names end with a slash."""

    def __init__(self, directory: str, pattern: _Pattern, states: frozenset[int], below: Sequence[str]) -> None:
        self.directory = directory
        self.pattern = pattern
        self.states = states
        self.below = below  # where to begin, as the parts of a path
        self.names: list[str] = []
        self.after = ""
        self.exhausted = False
        self.held_bytes = 0

    def fill(self, room_bytes: int, problem: Problems) -> None:
        """Read the next names, at most `room_bytes` of them; twice as much while it reads."""
        least = f"{self.below[0]}{'/' if len(self.below) > 1 else ''}" if self.below else ""
        names, held, ceiling, cut = self.names, 0, "", False
        try:
            with os.scandir(self.directory or ".") as entries:
                for entry in entries:
                    name = entry.name  # a key is the name, with a slash or not: most of them are passed by already here
                    if f"{name}/" <= self.after or (cut and name >= ceiling):
                        continue
                    key = self.pattern.key(entry, self.states)
                    if not key or key <= self.after or key < least or (cut and key >= ceiling):
                        continue
                    names.append(key)
                    held += sys.getsizeof(key) + _NAME_BYTES
                    if held > 2 * room_bytes:
                        held, ceiling, cut = *_keep_first(names, room_bytes), True
        except FileNotFoundError:  # it went away, with all that was in it
            names.clear()
        except OSError as error:
            problem(self.directory or ".", f"this directory cannot be read: {error.strerror}")
            names.clear()
        if held > room_bytes:
            (held, _), cut = _keep_first(names, room_bytes), True
        names.sort(reverse=True)
        self.held_bytes = held
        self.exhausted = not cut

    def forget(self) -> None:
        """Drop the names; they are read again."""
        self.exhausted = self.exhausted and not self.names
        self.names.clear()
        self.held_bytes = 0

    def states_below(self, key: str) -> frozenset[int]:
        """Of the pattern, in that directory."""
        return self.pattern.next(key[:-1], self.states, is_linked=os.path.islink(_joined(self.directory, key[:-1])))

    def least_below(self, key: str) -> Sequence[str]:
        """Where to begin in that directory."""
        return self.below[1:] if len(self.below) > 1 and self.below[0] == key[:-1] else ()


@final
class _Pattern:
    """The parts of a pattern behind its root. A state is the number of the part that has to match next."""

    def __init__(self, parts: Sequence[str]) -> None:
        self._parts = parts
        self._matches = [re.compile(fnmatch.translate(part)).match for part in parts]
        self.beginning = self._closed({0})

    def key(self, entry: os.DirEntry[str], states: frozenset[int]) -> str:
        """Its name if a file of that name is meant, with a slash if files below it may be; else nothing."""
        try:
            if entry.is_dir():
                found = self.next(entry.name, states, is_linked=entry.is_symlink())
                return f"{entry.name}/" if found else ""
        except OSError:  # a link in a circle, or a directory that may not be looked at: opening it tells
            pass
        is_meant = any(self._fits(state, entry.name) and self._is_last(state) for state in states)
        return entry.name if is_meant else ""

    def next(self, name: str, states: frozenset[int], *, is_linked: bool) -> frozenset[int]:
        """The states in a directory of that name."""
        found: set[int] = set()
        for state in states:
            if state >= len(self._parts) or not self._fits(state, name):
                continue
            if self._parts[state] != "**":
                found.add(state + 1)
            elif not is_linked:
                found.add(state)
        return frozenset(state for state in self._closed(found) if state < len(self._parts))

    def _closed(self, states: set[int]) -> set[int]:
        """With those that are reached because `**` may stand for no directory at all."""
        found = set(states)
        for state in sorted(states):
            while state < len(self._parts) and self._parts[state] == "**":
                state += 1  # noqa: PLW2901 - it walks on from there
                found.add(state)
        return found

    def _fits(self, state: int, name: str) -> bool:
        if state >= len(self._parts) or (name.startswith(".") and not self._parts[state].startswith(".")):
            return False
        return self._parts[state] == "**" or self._matches[state](name) is not None

    def _is_last(self, state: int) -> bool:
        return all(part == "**" for part in self._parts[state + 1 :])


def _keep_first(names: list[str], room_bytes: int) -> tuple[int, str]:
    """Keep the first names that fit; what they take, and the first one that was dropped."""
    names.sort()
    held = 0
    for count, name in enumerate(names):
        size = sys.getsizeof(name) + _NAME_BYTES
        if count and held + size > room_bytes:
            dropped = name
            del names[count:]
            return held, dropped
        held += size
    return held, "\U0010ffff"


def has_magic(path: str) -> bool:
    """Whether it is a pattern, unless a file has that very name."""
    return _MAGIC.search(path) is not None


def root_of(argument: str) -> str:
    """Where an argument's files are: a path itself, of a pattern the directory before its first part with magic."""
    return argument if os.path.lexists(argument) or not has_magic(argument) else _split(argument)[0]


def _split(pattern: str) -> tuple[str, tuple[str, ...]]:
    """The directory before the first part with magic, and the parts from there."""
    parts = pattern.split("/")
    first = next(number for number, part in enumerate(parts) if _MAGIC.search(part))
    root = "/".join(parts[:first]) or ("/" if first else "")
    return root, tuple(part for part in parts[first:] if part not in {"", "."})


def _joined(directory: str, name: str) -> str:
    return f"{directory}{'' if not directory or directory.endswith('/') else '/'}{name}"
