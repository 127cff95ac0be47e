"""Names that differ only in case, at a destination that takes them for one.

Covers:     which file has the place.
Not here:   finding out whether it does (the remotes), what becomes of a file whose place is taken (`sync.copying`).
Holds:      nothing; the folded names are in the state.
"""

from __future__ import annotations

from typing import final

from flatwater.sync.remote import Remote
from flatwater.sync.retrying import Retrying
from flatwater.sync.state import State


@final
class Cases:
    """Which files have which places. For one thread.

    Args:
        state: keeps the folded names, and what was found out.
        destination: that is asked once for each state.
        retrying: of the question.
    """

    def __init__(self, state: State, destination: Remote, retrying: Retrying) -> None:
        self._state = state
        self._destination = destination
        self._retrying = retrying

    @property
    def matter(self) -> bool:
        """Whether the destination tells "a" from "A"; it is asked once for each state."""
        run = self._state.run
        if run.takes_cases_for_one is None:
            run.takes_cases_for_one = self._retrying.call(self._destination.takes_cases_for_one)
        return not run.takes_cases_for_one

    def others(self, paths: list[bytes]) -> dict[bytes, bytes]:
        """For each path whose place another file has, that file. The others have their places from now on."""
        folded = [_folded(path) for path in paths]
        holders = dict(zip(folded, self._state.cases.get_many([(each,) for each in folded]), strict=True))
        taken = [holder for holder in holders.values() if holder is not None]
        there = dict(zip(taken, self._state.records(taken), strict=True))
        found: dict[bytes, bytes] = {}
        kept = []
        for path, place in zip(paths, folded, strict=True):
            holder = holders[place]
            if holder is None or holder == path or (holder in there and there[holder] is None):
                holders[place] = path
                kept.append(((place,), path))
            else:
                found[path] = holder
        self._state.cases.write(kept)
        return found


def _folded(path: bytes) -> bytes:
    return path.decode("utf-8", "surrogateescape").casefold().encode("utf-8", "surrogateescape")
