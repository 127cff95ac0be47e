"""Subscriptions as numbers in arrays: what each follows, whose it is, where in the log it stands.

Covers:     adding, removing, marking those that something came for, who is behind, how many a user has.
Not here:   which conditions match (`live.matching`), reading the log (`live.following`).
Holds:      32 bytes for each, and 4 for each group.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from typing import Final, final

_NONE: Final = 0xFFFF_FFFF  # no number, and the group of one that is free
_EACH_BYTES: Final = 4 + 4 + 8 + 8 + 4 + 4  # group, user, cursor, pending, and the next and the one before in the group


@final
class Subscriptions:
    """All of a database. Not thread-safe: the caller holds a lock."""

    def __init__(self) -> None:
        self._groups = array("I")
        self._users = array("I")
        self._cursors = array("Q")  # up to which number of the log it was read
        self._pending = array("Q")  # the first number that is there for it since; 0: none
        self._free = array("I")
        self._next = array("I")  # in the group
        self._before = array("I")
        self._first = array("I")  # of each group
        self._counts: Counter[int] = Counter()
        self._reading: set[int] = set()  # those that are between two changes of the log

    def add(self, group: int, user: int, cursor: int) -> int:
        """One more, which was read up to `cursor`; its number."""
        if self._free:
            number = self._free.pop()
            self._groups[number], self._users[number] = group, user
            self._cursors[number], self._pending[number] = cursor, 0
            self._before[number] = _NONE
        else:
            number = len(self._groups)
            self._groups.append(group)
            self._users.append(user)
            self._cursors.append(cursor)
            self._pending.append(0)
            self._next.append(_NONE)
            self._before.append(_NONE)
        while len(self._first) <= group:
            self._first.append(_NONE)
        following = self._next[number] = self._first[group]
        if following != _NONE:
            self._before[following] = number
        self._first[group] = number
        self._counts[user] += 1
        return number

    def remove(self, number: int) -> None:
        """One less; the number may be given to another one."""
        group, user = self._groups[number], self._users[number]
        before, following = self._before[number], self._next[number]
        if before == _NONE:
            self._first[group] = following
        else:
            self._next[before] = following
        if following != _NONE:
            self._before[following] = before
        self._counts[user] -= 1
        if not self._counts[user]:
            del self._counts[user]
        self._groups[number], self._pending[number] = _NONE, 0
        self._reading.discard(number)
        self._free.append(number)

    def note(self, groups: Iterable[int], sequence: int, but: Container[int] = ()) -> list[int]:
        """Something came for all in these groups, without those of `but`; those that had nothing before."""
        woken: list[int] = []
        pending = self._pending
        for group in groups:
            for number in self.members(group):
                if not pending[number] and number not in but:
                    pending[number] = sequence
                    woken.append(number)
        return woken

    def members(self, group: int) -> Iterator[int]:
        """Those in a group."""
        number = self._first[group] if group < len(self._first) else _NONE
        following = self._next
        while number != _NONE:
            yield number
            number = following[number]

    def behind_from(self, number: int, sequence: int) -> None:
        """It was given all up to `sequence`, or read it, but for what is pending: what came behind that has to be read."""
        behind = max(self._cursors[number], sequence) + 1
        self._pending[number] = min(self._pending[number] or behind, behind)

    def take(self, number: int, told: int) -> int:
        """The number that it has to read from, up to `told`; 0 if there is nothing, and then it is level."""
        begin = self._pending[number]
        self._pending[number] = 0
        if begin:
            self._cursors[number] = begin - 1
            self._reading.add(number)
        else:
            self._cursors[number] = told
            self._reading.discard(number)
        return begin

    def go_on(self, number: int) -> int:
        """The number behind which it has to read once more: what was handed out last. Nothing counts as come since."""
        self._pending[number] = 0
        self._reading.add(number)
        return self._cursors[number]

    def level(self, number: int, told: int) -> None:
        """It has everything up to `told`."""
        self._pending[number] = 0
        self._cursors[number] = told
        self._reading.discard(number)

    def mark(self, number: int, sequence: int) -> None:
        """Something came for it."""
        self._pending[number] = self._pending[number] or sequence

    def of(self, user: int) -> list[int]:
        """Those of a user."""
        return [number for number, group in enumerate(self._groups) if group != _NONE and self._users[number] == user]

    def advance(self, number: int, sequence: int) -> None:
        """It was read up to here."""
        self._cursors[number] = sequence

    def behind(self) -> int | None:
        """The number behind which somebody still has to read; None if all are level."""
        first = min(filter(None, self._pending), default=0)
        found = [first - 1] if first else []
        found += [self._cursors[number] for number in self._reading]
        return min(found, default=None)

    def is_there(self, number: int) -> bool:
        """Whether there is one of this number."""
        return 0 <= number < len(self._groups) and self._groups[number] != _NONE

    def group(self, number: int) -> int:
        """What it follows."""
        return self._groups[number]

    def cursor(self, number: int) -> int:
        """Up to which number of the log it was read."""
        return self._cursors[number]

    def pending(self, number: int) -> bool:
        """Whether something came for it."""
        return self._pending[number] != 0

    def has(self, user: int) -> bool:
        """Whether a user has any."""
        return user in self._counts

    def count(self, user: int) -> int:
        """How many a user has."""
        return self._counts[user]

    def bytes_held(self) -> int:
        """What all of them take, or about."""
        return len(self._groups) * _EACH_BYTES + (len(self._free) + len(self._first)) * 4

    def __len__(self) -> int:
        return len(self._groups) - len(self._free)
