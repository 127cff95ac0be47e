"""What may be growing, and what then grew on every round.

Covers:     who is suspected after two censuses, and which of them grew at each look.
Not here:   looking (`census`, `figures`, `holders`), what it means (`findings`).
Holds:      some numbers for each suspect; the ids of all objects before the last round.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import final

from flatwater.proof.leaks import census, figures, holders
from flatwater.proof.leaks.steady import PAUSES_PART, Steady

GARBAGE = "garbage"  # objects that only the collector freed, added up over the rounds
THREAD, DESCRIPTOR, TASK = "thread ", "descriptor ", "task "  # and what they are

BLOCKS_OWN = 32  # that the figures of this instrument may take meanwhile; a second look at every program costs more
NATIVE_BYTES_MIN = 64  # of malloc a round; its figures are exact, and a round that keeps nothing adds none
NATIVE_BESIDE_BYTES_MIN = 1024  # the same, where large Python objects grow as well
NATIVE_BESIDE_PART = 10  # and at least this part of their growth
RESIDENT_BYTES_MIN = 48 * 1024  # of pages a round; below it are fragments


@final
@dataclass(frozen=True, slots=True)
class Suspects:
    """What grew enough between two censuses to have grown on every round between them.

    Attributes:
        types: names.
        containers: ids.
        caches: ids.
        flat: names of other figures that did grow on every round.
        resident_bytes: of pages a round that neither objects nor malloc account for; 0 if not enough to matter.
    """

    types: frozenset[str]
    containers: frozenset[int]
    caches: frozenset[int]
    flat: frozenset[str]
    resident_bytes: int

    def __bool__(self) -> bool:
        return bool(self.types or self.containers or self.caches or self.flat or self.resident_bytes)


def suspects_in(
    before: census.Census, after: census.Census, flat: Steady[str], rounds: int, *, blocks: int = 0
) -> Suspects:
    """Everything that can have grown on every one of that many rounds; `blocks` is by how many Python's blocks grew."""
    types = {name for name, count in after.counts.items() if count - before.counts.get(name, 0) >= rounds}
    types |= {name for name, size in after.sizes.items() if size - before.sizes.get(name, 0) >= rounds}
    grown = set(flat.grown()) - {GARBAGE, *figures.SIZES}
    if blocks - BLOCKS_OWN >= rounds:
        grown.add(figures.BLOCKS)
    malloc = flat.per_round(figures.MALLOC, with_pauses=True)
    if malloc >= NATIVE_BYTES_MIN:  # large objects may account for it: each round will tell
        grown.add(figures.MALLOC)
    resident = flat.per_round(figures.RESIDENT) - max(0, after.bytes - before.bytes) // rounds - max(0, malloc)
    return Suspects(
        frozenset(types),
        frozenset(_longer(before.lengths, after.lengths, rounds)),
        frozenset(_longer(before.fills, after.fills, rounds)),
        frozenset(grown),
        resident if resident >= RESIDENT_BYTES_MIN else 0,
    )


def _native_least(large_bytes: int) -> int:
    """How much of malloc is worth a word, beside a growth of large Python objects by so many bytes.

    Their sizes are told without what malloc adds to each.
    """
    return max(NATIVE_BESIDE_BYTES_MIN, large_bytes // NATIVE_BESIDE_PART) if large_bytes > 0 else NATIVE_BYTES_MIN


def _longer(before: dict[int, int], after: dict[int, int], by: int) -> set[int]:
    """Only what was there before: what is new counts as an object of its type."""
    return {key for key, length in after.items() if key in before and length - before[key] >= by}


@final
class Evidence:
    """What the suspects did on each of the rounds that were run for them.

    Args:
        last: the census before those rounds.
        flat: the other figures before them.
        suspects: whom to look at.
    """

    __slots__ = (
        "_has_looked", "_large", "_last", "_last_flat", "_resident", "counts", "descriptors", "fills", "flat",
        "held_bytes", "held_counts", "ids", "lengths", "native", "rounds", "sizes", "suspects",
    )  # fmt: skip

    def __init__(self, last: census.Census, flat: dict[str, int], suspects: Suspects) -> None:
        self.suspects = suspects
        self.counts, self.sizes = Steady(last.counts), Steady(last.sizes)
        self.lengths = Steady({key: last.lengths[key] for key in suspects.containers})
        self.fills = Steady({key: last.fills[key] for key in suspects.caches})
        self.flat = Steady(flat)
        self.held_counts: Steady[tuple[str, str]] | None = None
        self.held_bytes: Steady[tuple[str, str]] | None = None
        self.native: list[int] = []  # bytes of malloc that no object accounts for, round for round
        self.rounds = 0
        self.ids = frozenset[int]()
        self.descriptors = frozenset[int]()
        self._has_looked = False
        self._large: list[int] = []
        self._last, self._last_flat = last.large_bytes, flat
        self._resident = flat.get(figures.RESIDENT, 0)

    def look_at_figures(self, flat: dict[str, int]) -> None:
        """After a round: what is no object."""
        self.flat.look(flat, only=self.suspects.flat)
        self.native.append(flat.get(figures.MALLOC, 0) - self._last_flat.get(figures.MALLOC, 0))
        self._last_flat = flat

    def look(self, taken: census.Census) -> None:
        """After a round: all objects."""
        self.counts.look(taken.counts, only=self.suspects.types)
        self.sizes.look(taken.sizes, only=self.suspects.types)
        self.lengths.look(taken.lengths, only=self.suspects.containers)
        self.fills.look(taken.fills, only=self.suspects.caches)
        large = taken.large_bytes - self._last
        self.native[-1] -= large
        self._large.append(large)
        self._last = taken.large_bytes
        self._has_looked = True
        self.rounds += 1

    def look_at_holders(self, held: holders.Holders, objects: list[object]) -> None:
        """After a round: how many of the objects, where their type grows, each holder holds."""
        names = self.types()
        kinds: dict[type, str] = {}
        counts: dict[tuple[str, str], int] = {}
        sizes: dict[tuple[str, str], int] = {}
        for obj in objects:
            kind = type(obj)
            name = kinds.get(kind)
            if name is None:
                name = kinds[kind] = census.type_name(kind)
            if name in names:
                key = held.holder(id(obj)), name
                counts[key] = counts.get(key, 0) + 1
                sizes[key] = sizes.get(key, 0) + census.shallow(obj)
        if self.held_counts is None or self.held_bytes is None:
            self.held_counts, self.held_bytes = Steady(counts), Steady(sizes)
        else:
            self.held_counts.look(counts)
            self.held_bytes.look(sizes)

    def remember(self) -> None:
        """Before the last round: what there is, so that what is new can be told afterwards."""
        objects, _complete = census.walk()
        self.ids = frozenset(map(id, objects))
        self.descriptors = frozenset(figures.descriptors())

    def types(self) -> frozenset[str]:
        """Names of types of which more, or larger ones, were there at each look."""
        if not self._has_looked:
            return self.suspects.types
        return frozenset(self.counts.grown()) | frozenset(self.sizes.grown())

    def growing(self) -> frozenset[int]:
        """Ids of containers and caches that were longer at each look."""
        if not self._has_looked:
            return self.suspects.containers | self.suspects.caches
        return frozenset(self.lengths.grown()) | frozenset(self.fills.grown())

    def native_bytes(self) -> int:
        """Of malloc a round that no object accounts for; 0 unless it grew on every round.

        A block may show a round later, or never: one that malloc kept aside counts as used before.
        """
        if figures.MALLOC not in self.suspects.flat or not self.native or min(self.native) < 0:
            return 0
        if self.native.count(0) * PAUSES_PART > len(self.native):
            return 0
        median = int(statistics.median(self.native))
        return median if median >= _native_least(int(statistics.median(self._large))) else 0

    def resident_bytes(self) -> int:
        """Of pages a round that nothing accounts for; 0 unless they went on growing.

        Between these rounds the censuses themselves take and return pages, so only the sum is asked.
        """
        expected = self.suspects.resident_bytes
        grew = self._last_flat.get(figures.RESIDENT, 0) - self._resident
        return expected if expected and grew >= expected * self.rounds // 2 else 0
