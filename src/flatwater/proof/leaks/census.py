"""Count what lives: objects and bytes by type, the length of every container, the fill of every functools cache.

Covers:     every object the collector tracks, and what those refer to that it does not track, each once; what is set apart
            (`gc.freeze`), as far as a module leads to it; what Python keeps outside of objects.
Not here:   who holds them (`holders`), snapshots for people (`meter.snapshots`).
Holds:      while it counts, about 8 bytes for each tracked object and 110 for each other; then 100 bytes a container.

It goes through the heap in bulk: about 4 us a tracked object for everything, a quarter of `meter.snapshot`, which also
looks at local variables. Types are counted by name, so that classes made anew on each round count as one.
"""

from __future__ import annotations

import array
import collections
import functools
import gc
import io
import itertools
import queue
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, final

from flatwater import limits
from flatwater.proof.leaks import figures

INSTRUMENT = "flatwater.proof.leaks"  # objects of types defined below it are ours, and no growth of the program
OBJECTS_MAX = limits.LEAK_OBJECTS_MAX
LARGE_BYTES = 512  # above it, Python's memory comes from malloc

_CHUNK = 4_096  # objects whose referents are listed at once
_PLAIN = (dict, list, tuple, set, frozenset, array.array)
_UNTRACKED_CONTAINERS = (tuple, dict, frozenset)
_CACHE = type(functools.lru_cache(None)(len))
_WITH_ENTRIES = (dict, set, frozenset)  # which take more memory only now and then as they get longer
_POINTER_BYTES = 8
_MANAGED_DICT, _HEAP_TYPE = (
    1 << 4,
    1 << 9,
)  # flags of a type: attributes may lie beside its objects; made by a class statement


def _end_of(kind: Any) -> Callable[[Any], int]:
    """Where a stream of that kind ends, wherever it stands.

    One call in C, during which no other thread runs: it would read or write at the wrong place.
    """

    def end(stream: Any) -> int:
        found: list[int] = []
        steps = itertools.chain(
            map(found.append, map(kind.tell, (stream,))),
            map(found.append, map(kind.seek, (stream,), (0,), (io.SEEK_END,))),
            map(kind.seek, (stream,), found),  # to where it stood
        )
        collections.deque(steps, maxlen=0)
        return found[1]

    return end


_MEASURES: tuple[tuple[type, Callable[[Any], int]], ...] = (
    (dict, dict.__len__),
    (list, list.__len__),
    (set, set.__len__),
    (collections.deque, collections.deque.__len__),
    (bytearray, bytearray.__len__),
    (array.array, array.array.__len__),
    (io.BytesIO, _end_of(io.BytesIO)),  # asking for its buffer would lock it for others
    (io.StringIO, _end_of(io.StringIO)),
    (queue.SimpleQueue, queue.SimpleQueue.qsize),
)


@final
@dataclass(frozen=True, slots=True)
class Census:
    """What lived at one moment.

    Attributes:
        counts: objects by type name.
        sizes: their bytes (shallow, with the attributes that lie beside an object) by type name.
        lengths: of containers, by id.
        fills: entries of functools caches, by id.
        large_bytes: of objects that come from malloc rather than from Python's own arenas.
        complete: False if `OBJECTS_MAX` were not enough.
        entries: of dicts and sets together, by type name.
        kept: what Python keeps outside of objects; see `figures.kept`.
    """

    counts: dict[str, int]
    sizes: dict[str, int]
    lengths: dict[int, int]
    fills: dict[int, int]
    large_bytes: int
    complete: bool
    entries: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)

    @property
    def objects(self) -> int:
        """How many."""
        return sum(self.counts.values())

    @property
    def bytes(self) -> int:
        """The sum of their sizes."""
        return sum(self.sizes.values())


def take(objects: list[object] | None = None, *, complete: bool = True) -> Census:
    """Count now. Garbage that was not collected yet counts as well.

    Args:
        objects: what to count, from `walk`.
        complete: whether that is all.
    """
    if objects is None:
        objects, complete = walk()
    kinds = set(map(type, objects))
    measures = {kind: measure for kind in kinds if (measure := _measure_of(kind)) is not None}
    unmeasured = {kind for kind in kinds if issubclass(kind, frozenset)}
    by_kind = {kind: [0, 0, 0] for kind in kinds}
    lengths: dict[int, int] = {}
    fills: dict[int, int] = {}
    large = 0
    for obj, size in zip(objects, _sizes(objects), strict=True):
        kind = type(obj)
        row = by_kind[kind]
        row[0] += 1
        row[1] += size
        if size > LARGE_BYTES:
            large += size
        if kind in measures:
            try:
                length = lengths[id(obj)] = measures[kind](obj)
            except ValueError:  # a closed buffer
                continue
            row[2] += length
        elif kind in unmeasured:
            row[2] += frozenset.__len__(obj)  # type: ignore[arg-type]  # it is one
        elif kind is _CACHE:
            fills[id(obj)] = _CACHE.cache_info(obj).currsize  # type: ignore[arg-type]  # it is one
    counts: dict[str, int] = {}
    sizes: dict[str, int] = {}
    entries: dict[str, int] = {}
    newest = {type(obj): obj for obj in objects}
    for kind, (count, size, length) in by_kind.items():
        name = type_name(kind)
        counts[name] = counts.get(name, 0) + count
        sizes[name] = sizes.get(name, 0) + size + count * beside(newest[kind])
        if issubclass(kind, _WITH_ENTRIES):
            entries[name] = entries.get(name, 0) + length
    return Census(counts, sizes, lengths, fills, large, complete, entries, figures.kept())


def walk() -> tuple[list[object], bool]:
    """All objects, and whether that is all. The list is the caller's; it keeps everything alive while it exists."""
    tracked = gc.get_objects()
    frozen = gc.get_freeze_count() > 0  # what is set apart is not listed, and is found like what is not tracked
    strangers = own_types(set(map(type, tracked)))
    mine = _notes_of([obj for obj in tracked if type(obj) in strangers])
    objects = [obj for obj in tracked if type(obj) not in strangers and id(obj) not in mine]
    known = set(map(id, tracked)) if frozen else set[int]()
    known |= mine
    known |= {id(tracked), id(objects), id(known)}
    complete = len(objects) <= OBJECTS_MAX
    del objects[OBJECTS_MAX:]
    del tracked
    loose: dict[int, object] = {}
    level: list[object] = objects
    if frozen and id(sys.modules) not in known:
        loose[id(sys.modules)] = sys.modules
        level = [*objects, sys.modules]
    while level and complete:
        fresh: dict[int, object] = {}
        for start in range(0, len(level), _CHUNK):
            inside = gc.get_referents(*level[start : start + _CHUNK])
            if not frozen:
                inside = [child for child in inside if not gc.is_tracked(child)]
            fresh.update(zip(map(id, inside), inside, strict=True))
            if len(objects) + len(loose) + len(fresh) > OBJECTS_MAX:
                complete = False
                break
        for key in fresh.keys() & (loose.keys() | known):
            del fresh[key]
        if frozen:
            strangers |= own_types(set(map(type, fresh.values())))
            for key in [key for key, child in fresh.items() if type(child) in strangers]:
                del fresh[key]
        loose.update(fresh)
        level = [child for child in fresh.values() if frozen or type(child) in _UNTRACKED_CONTAINERS]
    objects += loose.values()
    return objects, complete


def own_types(kinds: Iterable[type]) -> frozenset[type]:
    """Those of the instrument itself."""
    return frozenset(kind for kind in kinds if _module_of(kind).startswith(INSTRUMENT))


def type_name(kind: type) -> str:
    """As people write it, with its module unless that is builtins."""
    module = _module_of(kind)
    return kind.__qualname__ if module in ("builtins", "") else f"{module}.{kind.__qualname__}"


def shallow(obj: object) -> int:
    """Its bytes, without what it refers to; 0 if its class does not know."""
    try:
        return sys.getsizeof(obj)
    except Exception:  # noqa: BLE001 - somebody's __sizeof__ is broken
        return 0


def beside(obj: object) -> int:
    """Bytes of the attributes of an object that has no dict yet: since Python 3.11 they lie beside it, and it does not tell.

    About as many as it has and one more; the first objects of a class have room for up to 30.
    """
    kind = type(obj)
    if not kind.__flags__ & _MANAGED_DICT or any(
        not base.__flags__ & _HEAP_TYPE and base is not object for base in kind.__mro__
    ):
        return 0  # or it has parts of its own, which the collector does not tell from attributes
    inside = gc.get_referents(obj)
    has_dict = len(inside) == 2 and dict in map(type, inside)  # noqa: PLR2004 - its type is the other
    if has_dict or len(inside) == 1:  # the dict counts for itself
        return 0
    room = len(inside)  # its type is among them, and there is one more than attributes
    order = -(-(room + 2) // _POINTER_BYTES) * _POINTER_BYTES  # a byte for each tells in which order they were set
    return room * _POINTER_BYTES + order


def length_of(obj: object) -> int | None:
    """Of a dict or set; None of anything else."""
    base = next((base for base in _WITH_ENTRIES if issubclass(type(obj), base)), None)
    return None if base is None else base.__len__(obj)  # type: ignore[arg-type]  # it is one


def is_cache(obj: object) -> bool:
    """Whether it is a functools cache."""
    return type(obj) is _CACHE


def _sizes(objects: list[object]) -> list[int]:
    """Of each; all at once, unless somebody's class does not know its size."""
    try:
        return list(map(sys.getsizeof, objects))
    except Exception:  # noqa: BLE001 - somebody's __sizeof__ is broken
        return list(map(shallow, objects))


def _notes_of(instruments: list[object]) -> set[int]:
    """The ids of the plain containers in which objects of ours keep their figures; what is in those is not ours."""
    return {id(obj) for obj in gc.get_referents(*instruments) if type(obj) in _PLAIN}


def _module_of(kind: type) -> str:
    module = getattr(kind, "__module__", "")
    return module if isinstance(module, str) else ""


def _measure_of(kind: type) -> Callable[[Any], int] | None:
    """Of the class itself, not of the object: a subclass may count otherwise, and a proxy may pretend."""
    return next((measure for base, measure in _MEASURES if issubclass(kind, base)), None)
