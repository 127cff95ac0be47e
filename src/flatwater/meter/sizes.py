"""How large an object is: by itself, and with everything that it alone leads to.

Covers:     the shallow size beside the deep one, shared references once, at most a given number of objects.
Not here:   what a row is taken to cost when nobody can look (`sizing`), the whole process (`meter.probe`).
Holds:      about 120 bytes for each object visited, while it walks.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from flatwater import errors, limits, units


@dataclass(frozen=True, slots=True)
class Size:
    """Of one object, in bytes.

    Attributes:
        type_name: of the object.
        shallow: `sys.getsizeof`: the object without what it refers to.
        deep: the sum over all objects reached, each counted once; modules, types and functions are not followed.
        objects: how many those are.
        complete: False if the walk ended at its bound: then `deep` is a lower bound.
    """

    type_name: str
    shallow: int
    deep: int
    objects: int
    complete: bool

    def __int__(self) -> int:
        return self.deep

    def __str__(self) -> str:
        at_least = "" if self.complete else "at least "
        end = "" if self.complete else "; the walk ended there, pass a larger objects_max"
        return (
            f"{self.type_name}: {at_least}{units.format_bytes(self.deep)} in {self.objects:,} objects{end} "
            f"({units.format_bytes(self.shallow)} by itself)"
        )

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "type": self.type_name,
            "shallow": self.shallow,
            "deep": self.deep,
            "objects": self.objects,
            "complete": self.complete,
        }


def size_of(obj: object, *, objects_max: int = limits.SIZE_OF_OBJECTS_MAX) -> Size:
    """Walk from `obj` to all it leads to, breadth first, and add up `sys.getsizeof`.

    A shared object counts once. Native memory that an object does not report to `getsizeof` is not seen. Takes 3 to
    10 us an object; the walk is objsize's.

    Args:
        obj: anything.
        objects_max: how many objects to visit at most; about 120 bytes each while it walks.

    Raises:
        UsageError: `objects_max` is not a positive number.

    >>> row = ["a" * 1000]
    >>> both = size_of([row, row])
    >>> both.deep < 1300, both.objects, both.shallow == sys.getsizeof([row, row]), both.complete
    (True, 3, True, True)
    """
    if isinstance(objects_max, bool) or not isinstance(objects_max, int) or objects_max < 1:
        raise errors.UsageError(f"objects_max={objects_max!r}: how many objects to visit, at least 1.")
    deep, objects = 0, 0
    walk = _walk(obj, objects_max + 1)  # one more shows that there are more
    for reached in itertools.islice(walk, objects_max):
        deep += _shallow(reached)
        objects += 1
    complete = next(walk, walk) is walk
    shallow = _shallow(obj)
    if not objects:  # a type, a module, a function: the walk does not even enter it
        deep, objects = shallow, 1
    return Size(type(obj).__qualname__, shallow, deep, objects, complete)


def _walk(root: object, enough: int) -> Iterator[object]:
    """What `root` leads to, itself first, each once: `enough` of them at most.

    objsize goes level by level, and one list may be a level of millions: so it is ended inside one.
    """
    import objsize

    def wants(obj: object) -> bool:
        if len(reached) >= enough or not objsize.shared_object_or_function_filter(obj):
            return False
        reached.add(id(obj))  # at once, not after the level: it is what counts
        return True

    def referents(*objects: object) -> Iterator[object]:
        for obj in objects:
            content = obj if type(obj) in _SEQUENCES else objsize.default_get_referents(obj)
            for referent in cast("Iterable[object]", content):
                if len(reached) >= enough:
                    return
                yield referent

    context = objsize.TraversalContext(objsize.ObjSizeSettings(get_referents_func=referents, filter_func=wants))
    reached = context.marked_set
    yield from context.traverse_bfs(root)


_SEQUENCES = (list, tuple)  # gone through as they are: the collector would list all they refer to, for 8 bytes each


def _shallow(obj: object) -> int:
    try:
        return sys.getsizeof(obj)
    except Exception:  # noqa: BLE001 - somebody's __sizeof__ is broken: its header is what is certain
        return object.__sizeof__(obj)
