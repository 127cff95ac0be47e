"""The words of a way from a name to an object: `app.CACHE['k3'] -> list[0] -> Node`.

Covers:     keys, indexes, attributes, closures, local variables of generators; ways that are too long to read.
Not here:   finding the way (`holders`).
Holds:      some strings.
"""

from __future__ import annotations

import gc
import itertools
import types
from collections import deque
from collections.abc import Container, Iterable, Sequence
from typing import Any

from flatwater import limits

STEPS_MAX = 10  # of a way in words; of a longer one the middle is left out
KEY_CHARS_MAX = 32  # of a key or a name in a way
ENTRIES_MAX = limits.LEAK_ENTRIES_MAX

_PLAIN_KEYS = (str, int, bytes, float, bool, type(None))
_SEQUENCES = (list, tuple, deque)


def words(label: str, objects: Sequence[object], *, steps_max: int = STEPS_MAX) -> tuple[str, ...]:
    """The steps of a way.

    Args:
        label: the name it begins with.
        objects: those on it; the first one is what the name means.
        steps_max: of a longer way the middle is left out.

    >>> inner = ["x"]
    >>> words("app.CACHE", [{"k": inner}, inner, inner[0]])
    ("app.CACHE['k']", 'list[0]', 'str')
    """
    places = _places(objects)
    left_out = max(0, len(places) - steps_max)
    half = steps_max // 2 if left_out else len(places)
    # Only what is shown is named: a way may be a million objects long.
    steps = [_step(label, objects, start, end) for start, end in itertools.pairwise(places[: half + 1])]
    if left_out:
        steps.append(f"({left_out} more)")
        steps += [_step(label, objects, start, end) for start, end in itertools.pairwise(places[half + left_out :])]
    steps.append(_short_name(objects[-1]) if places[-1] else label)
    return tuple(steps)


def _places(objects: Sequence[object]) -> list[int]:
    """Where each step begins; the last is the end of the way."""
    places = [0]
    index, last = 0, len(objects) - 1
    while index < last:
        # An object's own dict is no step for people: its attribute is.
        index += 2 if index + 2 <= last and _is_own_dict(objects[index], objects[index + 1]) else 1
        places.append(index)
    return places


def _step(label: str, objects: Sequence[object], start: int, end: int) -> str:
    here = _short_name(objects[start]) if start else label
    if end - start > 1:
        return here + _attribute(objects[start + 1], objects[end])
    return here + _place(objects[start], objects[end], objects[max(0, start - 2)])


def _short_name(obj: object) -> str:
    kind = type(obj)  # not isinstance: a proxy pretends to be what it stands for
    if issubclass(kind, types.FunctionType | type):
        return str(getattr(obj, "__qualname__", kind.__qualname__))
    if kind in (types.GeneratorType, types.CoroutineType):
        return f"{kind.__name__} {getattr(obj, '__qualname__', '')}"
    return kind.__qualname__


def _is_own_dict(holder: object, inside: object) -> bool:
    if type(inside) is not dict:
        return False
    if issubclass(type(holder), type):
        return True  # of what a class refers to, only its namespace is a dict
    if issubclass(type(holder), dict | list | tuple | set | frozenset):
        return False
    return _namespace(holder) is inside


def _namespace(holder: object) -> object:
    try:
        return object.__getattribute__(holder, "__dict__")
    except Exception:  # noqa: BLE001 - it has none, or somebody made it a property
        return None


def _place(holder: object, inside: object, before: object) -> str:
    """Where in the holder it is."""
    if _is_own_dict(holder, inside):  # the end of the way: all its attributes
        return ".__dict__"
    kind = type(holder)
    if issubclass(kind, dict):
        return _key(holder, inside)
    if issubclass(kind, _SEQUENCES):
        return _index(holder, inside)
    if issubclass(kind, set | frozenset):
        return "{...}"
    if kind is types.CellType:
        return _variable(before, holder)
    if kind in (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, types.FrameType):
        return _local(holder, inside)
    return _named(holder, inside)


def _key(holder: Any, inside: object) -> str:
    for key, value in _last(dict.items(holder)):
        if value is inside:
            return f"[{_shown(key)}]"
        if key is inside:
            return " key"
    return ""


def _index(holder: Any, inside: object) -> str:
    try:
        # The newest first: what leaks stands at the end.
        for back in range(1, min(len(holder), ENTRIES_MAX) + 1):
            if holder[-back] is inside:
                return f"[{len(holder) - back}]"
    except (IndexError, TypeError):  # another thread shortened it, or the subclass counts otherwise
        return ""
    return ""


def _attribute(namespace: Any, inside: object) -> str:
    return next((f".{_cut(str(name))}" for name, value in _last(dict.items(namespace)) if value is inside), "")


def _variable(before: object, cell: object) -> str:
    """The variable of the function that closes over this cell."""
    if type(before) is types.FunctionType and before.__closure__:
        for name, own in zip(before.__code__.co_freevars, before.__closure__, strict=False):
            if own is cell:
                return f" of variable {name!r}"
    return ""


def _local(holder: Any, inside: object) -> str:
    frame = holder
    for name in ("gi_frame", "cr_frame", "ag_frame"):
        frame = getattr(holder, name, frame)
    if not isinstance(frame, types.FrameType):
        return ""
    found = next((name for name, value in list(frame.f_locals.items()) if value is inside), None)
    return f" variable {found!r}" if found else ""


def _named(holder: Any, inside: object) -> str:
    """An attribute that is kept in the object itself: a slot, or values without a dict."""
    if type(holder) in (types.FunctionType, types.MethodType):
        names: Iterable[str] = ("__closure__", "__defaults__", "__kwdefaults__", "__self__", "__func__")
        return next((f".{name}" for name in names if getattr(holder, name, None) is inside), "")
    namespace = None if type(inside) is type else _namespace(holder)
    if type(namespace) is dict and (found := _attribute(namespace, inside)):
        return found
    for kind in type(holder).__mro__:
        for name, descriptor in list(vars(kind).items()):
            if type(descriptor) is not types.MemberDescriptorType:
                continue
            try:
                if descriptor.__get__(holder) is inside:
                    return f".{_cut(name)}"
            except (AttributeError, TypeError):  # an empty slot
                continue
    return ""


def _last(items: Any) -> list[tuple[Any, Any]]:
    """The newest entries first, as a copy: another thread may change the dict."""
    if len(items) > ENTRIES_MAX:
        return list(itertools.islice(reversed(items), ENTRIES_MAX))
    return list(items)[::-1]


def _shown(key: object) -> str:
    if type(key) in _PLAIN_KEYS:
        return _cut(repr(key))
    if type(key) is tuple and all(type(part) in _PLAIN_KEYS for part in key):
        return _cut(repr(key))
    return f"<{type(key).__qualname__}>"


def _cut(text: str) -> str:
    return text if len(text) <= KEY_CHARS_MAX else f"{text[: KEY_CHARS_MAX - 3]}..."


def holds_only(container: object, kinds: tuple[type, ...], new: Container[int]) -> bool:
    """Whether all that is new in a container is of some kinds, and there is some; `new` are ids."""
    inside = [obj for obj in gc.get_referents(container) if id(obj) in new]
    return bool(inside) and all(issubclass(type(obj), kinds) for obj in inside)
