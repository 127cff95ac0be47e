"""Objects that only the garbage collector could free: which, and an example of how they hold each other.

Covers:     one round whose garbage is kept for a look, then freed.
Not here:   how many there are on each round (`collecting`), whether they count as a leak (`findings`).
Holds:      all cyclic garbage of that round and about 100 bytes for each object in it, while it looks.
"""

from __future__ import annotations

import collections
import gc
import sys
from collections.abc import Callable, Iterable

from flatwater import limits
from flatwater.proof.leaks import census, chain, collecting
from flatwater.proof.leaks.report import PARTS_MAX, Cycles, Part

OBJECTS_MAX = limits.LEAK_GARBAGE_MAX

_STARTS_MAX = 16  # objects from which a cycle is searched
_SEARCHED_MAX = limits.LEAK_SEARCHED_MAX
_CHUNK = 4_096
_STEPS_MAX = 6  # of an example
_OWN_REFERENCES = 3  # to an object in a table: the table's, the variable's and the argument's


def look(run: Callable[[], None], expected: int) -> Cycles:
    """Run a round and look at its garbage.

    Args:
        run: the round.
        expected: objects that other rounds left to the collector; above `OBJECTS_MAX` nothing is kept, only counted.
    """
    if expected > OBJECTS_MAX:
        run()
        is_off = not gc.isenabled()
        collecting.settle()
        return Cycles(expected, 0, is_off=is_off)
    collecting.settle()
    debug, earlier = gc.get_debug(), list(gc.garbage)
    gc.garbage.clear()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        run()
        is_off = not gc.isenabled()
        gc.collect()
        found = gc.garbage[:]
    finally:
        gc.set_debug(debug)
        gc.garbage[:] = earlier
    del earlier
    try:
        return _described(found, is_off=is_off)
    finally:
        found.clear()
        collecting.settle()


def _described(found: list[object], *, is_off: bool) -> Cycles:
    kinds = set(map(type, found))
    ours = census.own_types(kinds)
    found = [obj for obj in found if type(obj) not in ours]
    counts: collections.Counter[str] = collections.Counter()
    sizes: collections.Counter[str] = collections.Counter()
    names = {kind: census.type_name(kind) for kind in kinds}
    beside = {kind: census.beside(obj) for kind, obj in {type(obj): obj for obj in found}.items()}
    for obj in found:
        kind = type(obj)
        counts[names[kind]] += 1
        sizes[names[kind]] += census.shallow(obj) + beside[kind]
    for obj in _held_only_by(found):
        name = census.type_name(type(obj))
        counts[name] += 1
        sizes[name] += census.shallow(obj)
    parts = sorted((Part(name, counts[name], sizes[name]) for name in counts), key=lambda part: (-part.bytes, part))
    return Cycles(len(found), sum(sizes.values()), tuple(parts[:PARTS_MAX]), _example(found), is_off)


def _held_only_by(found: list[object]) -> list[object]:
    """What the collector does not track and only these refer to: their strings, numbers and buffers."""
    times: dict[int, int] = {}
    loose: dict[int, object] = {}
    for start in range(0, len(found), _CHUNK):
        for child in gc.get_referents(*found[start : start + _CHUNK]):
            if not gc.is_tracked(child):
                key = id(child)
                times[key] = times.get(key, 0) + 1
                loose[key] = child
    child = None
    only: list[object] = []
    for key in loose:  # noqa: PLC0206 - going through pairs would hold one more reference
        obj = loose[key]
        if sys.getrefcount(obj) <= times[key] + _OWN_REFERENCES:
            only.append(obj)
    return only


def _example(found: list[object]) -> tuple[str, ...]:
    """The shortest cycle that a few of them are in; instances of people's own classes first."""
    by_id = {id(obj): obj for obj in found}
    ranked: dict[type, object] = {}
    for obj in found:
        ranked.setdefault(type(obj), obj)
    own_first = sorted(ranked.values(), key=lambda obj: _is_pythons_own(type(obj)))
    best: list[object] = []
    left = _SEARCHED_MAX
    for start in own_first[:_STARTS_MAX]:
        way, searched = _way_back(start, by_id, left)
        left -= searched
        if way and (
            not best or (len(way) < len(best) and _is_pythons_own(type(start)) == _is_pythons_own(type(best[0])))
        ):
            best = way
    return chain.words(type(best[0]).__qualname__, best, steps_max=_STEPS_MAX) if best else ()


def _is_pythons_own(kind: type) -> bool:
    return str(getattr(kind, "__module__", "")).partition(".")[0] in sys.stdlib_module_names | {"builtins"}


def _way_back(start: object, within: dict[int, object], searched_max: int) -> tuple[list[object], int]:
    """From an object back to itself, breadth first, through none but these; and how many were gone through."""
    parents: dict[int, int] = {}
    level: Iterable[int] = (id(start),)
    while level and len(parents) < searched_max:
        following: list[int] = []
        for key in level:
            for child in gc.get_referents(within[key]):
                if child is start:
                    return [start, *_way_to(key, parents, within), start], len(parents)
                if id(child) in within and id(child) not in parents:
                    parents[id(child)] = key
                    following.append(id(child))
        level = following
    return [], len(parents)


def _way_to(key: int, parents: dict[int, int], within: dict[int, object]) -> list[object]:
    """From behind the start, which has no parent, to that object."""
    way = []
    while key in parents:
        way.append(within[key])
        key = parents[key]
    return way[::-1]
