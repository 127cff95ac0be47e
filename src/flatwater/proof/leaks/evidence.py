"""What may be growing, and what then grew on every round.

Covers:     who is suspected after two censuses, and which of them grew at each look.
Not here:   looking (`census`, `figures`, `holders`), what it means (`findings`).
Holds:      some numbers for each suspect; the ids of all objects before the last round; where objects of some types grow,
            how many of each size a holder holds.
"""

from __future__ import annotations

import collections
import itertools
import statistics
import sys
from dataclasses import dataclass
from typing import final

from flatwater.proof.leaks import census, figures, holders
from flatwater.proof.leaks.steady import PAUSES_PART, Replaced, Steady

ANYBODY = "*"  # a holder of all objects
GARBAGE = "garbage"  # objects that only the collector freed, added up over the rounds
THREAD, DESCRIPTOR, TASK = "thread ", "descriptor ", "task "  # and what they are

ENTRY_BYTES = 8  # the least that an entry takes
BLOCKS_OWN = 32  # that the figures of this instrument may take meanwhile; a second look at every program costs more
BLOCKS_PART = 2  # of what a round adds, at least this part is still there after the next
NATIVE_BYTES_MIN = 64  # of malloc a round; its figures are exact, and a round that keeps nothing adds none
NATIVE_BESIDE_BYTES_MIN = 1024  # the same, where large Python objects grow as well
NATIVE_BESIDE_PART = 10  # and at least this part of their growth
RESIDENT_PART = 2  # and more than this part of Python's growth, which its allocator rounds up
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
        kept: names of what Python keeps outside of objects.
        resident_bytes: of pages a round that neither objects nor malloc account for; 0 if not enough to matter.
    """

    types: frozenset[str]
    containers: frozenset[int]
    caches: frozenset[int]
    flat: frozenset[str]
    kept: frozenset[str]
    resident_bytes: int

    def __bool__(self) -> bool:
        named = self.types or self.containers or self.caches or self.flat or self.kept
        return bool(named or self.resident_bytes)


def suspects_in(
    before: census.Census, after: census.Census, flat: Steady[str], rounds: int, *, blocks: int = 0
) -> Suspects:
    """Everything that can have grown on every one of that many rounds; `blocks` is by how many Python's blocks grew."""
    types = _more(before.counts, after.counts, rounds) | _more(before.sizes, after.sizes, rounds)
    types |= _more(before.entries, after.entries, rounds)
    grown = set(flat.grown()) - {GARBAGE, *figures.SIZES}
    if blocks - BLOCKS_OWN >= rounds:
        grown.add(figures.BLOCKS)
    malloc = flat.per_round(figures.MALLOC, with_pauses=True)
    if malloc >= NATIVE_BYTES_MIN:  # large objects may account for it: each round will tell
        grown.add(figures.MALLOC)
    python = max(0, after.bytes - before.bytes) // rounds
    resident = flat.per_round(figures.RESIDENT) - python - max(0, malloc)
    return Suspects(
        frozenset(types),
        frozenset(_longer(before.lengths, after.lengths, rounds)),
        frozenset(_longer(before.fills, after.fills, rounds)),
        frozenset(grown),
        frozenset(_more(before.kept, after.kept, rounds)),
        resident if resident - python // RESIDENT_PART >= RESIDENT_BYTES_MIN else 0,
    )


def _native_least(large_bytes: int) -> int:
    """How much of malloc is worth a word, beside a growth of large Python objects by so many bytes.

    Their sizes are told without what malloc adds to each.
    """
    return max(NATIVE_BESIDE_BYTES_MIN, large_bytes // NATIVE_BESIDE_PART) if large_bytes > 0 else NATIVE_BYTES_MIN


def _more(before: dict[str, int], after: dict[str, int], by: int) -> set[str]:
    return {name for name, figure in after.items() if figure - before.get(name, 0) >= by}


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
        "_blocks", "_has_looked", "_large", "_last", "_last_flat", "_resident", "counts", "descriptors", "entries", "fills", "flat",
        "held_bytes", "held_counts", "ids", "kept", "larger", "lengths", "native", "rounds", "sizes", "suspects",
    )  # fmt: skip

    def __init__(self, last: census.Census, flat: dict[str, int], suspects: Suspects) -> None:
        self.suspects = suspects
        self.counts, self.sizes, self.entries = Steady(last.counts), Steady(last.sizes), Steady(last.entries)
        self.lengths = Steady({key: last.lengths[key] for key in suspects.containers})
        self.fills = Steady({key: last.fills[key] for key in suspects.caches})
        self.flat = Steady(flat)
        self.kept = Steady(last.kept)
        self.held_counts: Steady[tuple[str, str]] | None = None
        self.held_bytes: Steady[tuple[str, str]] | None = None
        self.larger: Replaced[tuple[str, str]] | None = None
        self.native: list[int] = []  # bytes of malloc that no object accounts for, round for round
        self.rounds = 0
        self.ids = frozenset[int]()
        self.descriptors = frozenset[int]()
        self._has_looked = False
        self._large: list[int] = []
        self._last, self._last_flat = last.large_bytes, flat
        self._blocks: list[int] = []  # round for round
        self._resident = flat.get(figures.RESIDENT, 0)

    def look_at_figures(self, flat: dict[str, int]) -> None:
        """After a round: what is no object."""
        self.flat.look(flat, only=self.suspects.flat)
        self.native.append(flat.get(figures.MALLOC, 0) - self._last_flat.get(figures.MALLOC, 0))
        self._last_flat = flat
        self._blocks.append(sys.getallocatedblocks())

    def look(self, taken: census.Census) -> None:
        """After a round: all objects."""
        self.counts.look(taken.counts, only=self.suspects.types)
        self.sizes.look(taken.sizes, only=self.suspects.types)
        self.entries.look(taken.entries, only=self.suspects.types)
        self.kept.look(taken.kept, only=self.suspects.kept)
        self.lengths.look(taken.lengths, only=self.suspects.containers)
        self.fills.look(taken.fills, only=self.suspects.caches)
        large = taken.large_bytes - self._last
        self.native[-1] -= large
        self._large.append(large)
        self._last = taken.large_bytes
        self._has_looked = True
        self.rounds += 1

    def look_at_holders(self, held: holders.Holders, objects: list[object]) -> None:
        """After a round: how many of the objects, where their type grows, each holder holds, and of which sizes."""
        names, growing = self.types(), self.growing()
        kinds = {kind: name for kind in set(map(type, objects)) if (name := census.type_name(kind)) in names}
        mine = [obj for obj in objects if type(obj) in kinds and id(obj) not in growing]  # which are told as such
        newest = {type(obj): obj for obj in mine}
        beside = {kind: census.beside(obj) for kind, obj in newest.items()}
        measured = {kind for kind, obj in newest.items() if census.length_of(obj) is not None}
        lengths = (census.length_of(obj) if type(obj) in measured else None for obj in mine)
        # Few are unlike: each kind, holder, size and length is reckoned with once.
        owners = held.holders(map(id, mine))
        alike = collections.Counter(zip(map(type, mine), owners, map(census.shallow, mine), lengths, strict=True))
        counts: dict[tuple[str, str], int] = {}
        sizes: dict[tuple[str, str], int] = {}
        grains: dict[tuple[tuple[str, str], int], int] = {}
        for (kind, holder, shallow, length), count in alike.items():
            key, size = (holder, kinds[kind]), shallow + beside[kind]
            grain = size if length is None else length
            counts[key] = counts.get(key, 0) + count
            sizes[key] = sizes.get(key, 0) + size * count
            for group in (key, (ANYBODY, kinds[kind])):
                grains[group, grain] = grains.get((group, grain), 0) + count
        if self.held_counts is None or self.held_bytes is None or self.larger is None:
            self.held_counts, self.held_bytes, self.larger = Steady(counts), Steady(sizes), Replaced(grains)
        else:
            self.held_counts.look(counts)
            self.held_bytes.look(sizes)
            self.larger.look(grains)

    def remember(self) -> None:
        """Before the last round: what there is, so that what is new can be told afterwards."""
        objects, _complete = census.walk()
        self.ids = frozenset(map(id, objects))
        self.descriptors = frozenset(figures.descriptors())

    def types(self) -> frozenset[str]:
        """Names of types of which more, or larger ones, were there at each look."""
        if not self._has_looked:
            return self.suspects.types
        return frozenset((*self.counts.grown(), *self.sizes.grown(), *self.entries.grown()))

    def held(self) -> dict[tuple[str, str], tuple[int, int]]:
        """By holder and type: of how many more objects, and bytes, a round it held on each of the last rounds.

        Where there were not more of them, one of them was larger each time: that all together are larger is so for a
        bounded buffer of texts, too.
        """
        if self.held_counts is None or self.held_bytes is None or self.larger is None:
            return {}
        larger = self.larger.groups()
        found = {
            key: (self.held_counts.per_round(key), self.held_bytes.per_round(key))
            for key in (*self.held_counts.grown(), *self.held_bytes.grown())
            if key in self.held_counts or key in larger
        }
        for holder, name in larger:
            if name in self.entries and holder != ANYBODY:  # whose bytes grow only now and then
                found.setdefault((holder, name), (0, larger[holder, name] * ENTRY_BYTES))
        return found

    def everywhere(self) -> frozenset[str]:
        """Names of types of which more, or a larger one, were there at each look, whoever holds them."""
        larger = {} if self.larger is None else self.larger.groups()
        return frozenset((*self.counts.grown(), *(name for name in self.sizes.grown() if (ANYBODY, name) in larger)))

    def growing(self) -> frozenset[int]:
        """Ids of containers and caches that were longer at each look."""
        if not self._has_looked:
            return self.suspects.containers | self.suspects.caches
        return frozenset(self.lengths.grown()) | frozenset(self.fills.grown())

    def blocks(self) -> int:
        """Of Python's allocator, a round; 0 unless they grew on every round and stayed, also between the rounds.

        What a thread that ends a little after each round takes and gives back grows on the round only.
        """
        per_round = self.flat.per_round(figures.BLOCKS)
        before = self._blocks[:-1]  # the last round is one with the ids of all objects, in blocks
        gone = [now - then for then, now in itertools.pairwise(before) if (now - then) * BLOCKS_PART < per_round]
        return per_round if len(gone) * PAUSES_PART <= max(0, len(before) - 1) else 0

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
