"""Say what one object costs the heap, and what it refers to.

Covers:     CPython's allocators (pymalloc's 16-byte steps, malloc above 512 B), GC headers, inline attribute values,
            elements in a block of their own, arrays of numpy, pyarrow, pandas and polars (asked, never imported).
Not here:   walking from object to object (`sizing.heap`).
Holds:      the layouts of at most 512 classes.

Source of the figures: object layouts of CPython 3.11 to 3.13 (Objects/dictobject.c, obmalloc.c, typeobject.c) and
glibc's malloc on 64-bit Linux, checked by measurement in tests/proofs/test_sizing_measured.py.
"""

from __future__ import annotations

import array
import enum
import sys
import types
from collections import deque
from collections.abc import Collection, Sequence
from functools import lru_cache
from gc import get_referents
from itertools import islice
from sys import getsizeof
from typing import Any, NamedTuple

from flatwater.units import KIB

CHILDREN_EXACT_MAX = 1 << 16  # a container with more elements is sampled evenly
ATOMS = frozenset((str, bytes, int, float, bool, complex, type(None)))  # refer to nothing

_GC_BYTES = 16  # PyGC_Head
_PREHEADER_BYTES = 16  # the two words before an object whose `__dict__` the interpreter manages
_POOLED_BYTES_MAX = 512  # pymalloc's largest request
_MMAP_BYTES = 128 * KIB  # glibc gives larger blocks pages of their own
_PAGE_BYTES = 4 * KIB
_LAYOUTS_MAX = 512  # classes whose layout is kept; about 240 B each, and the class
_DEQUE_BLOCK_BYTES = 528  # 64 pointers and two links
_FLAG_MANAGED_DICT = 1 << 4  # Py_TPFLAGS_MANAGED_DICT
_FLAG_GC = 1 << 14  # Py_TPFLAGS_HAVE_GC
_VALUES_INSIDE = sys.version_info >= (3, 13)  # attribute values stand in the object's own block

_SEPARATE = (dict, list, set, frozenset, bytearray, array.array)  # the header and the elements are two blocks
_PROGRAM = (
    type, enum.Enum, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.CodeType, types.FrameType,
    types.GetSetDescriptorType, types.MemberDescriptorType, property, bool, type(None), type(...), type(NotImplemented),
)  # fmt: skip


class Layout(NamedTuple):
    """How objects of one class lie in memory."""

    header_bytes: int  # with the GC header
    program: bool  # part of the program, costs nothing
    separate: bool  # the elements are a block of their own
    managed: bool  # attribute values are kept by the interpreter, without a dict
    library: bool  # an array that knows its own size
    fixed: bool  # an instance whose attributes are its columns


@lru_cache(maxsize=_LAYOUTS_MAX)
def layout_of(cls: type) -> Layout:
    """The layout of `cls`'s objects."""
    flags = cls.__flags__
    managed = bool(flags & _FLAG_MANAGED_DICT)
    header_bytes = cls.__basicsize__ + (_GC_BYTES if flags & _FLAG_GC else 0) + (_PREHEADER_BYTES if managed else 0)
    roots = {(base.__module__ or "").partition(".")[0]: base.__name__ for base in reversed(cls.__mro__)}
    library = roots.get("numpy") in {"ndarray", "memmap", "matrix", "recarray"}
    library = library or any(
        root in roots and any(hasattr(cls, name) for name in ("nbytes", "memory_usage", "estimated_size", "size"))
        for root in ("pyarrow", "pandas", "polars")
    )
    separate = issubclass(cls, _SEPARATE)
    return Layout(
        header_bytes=header_bytes,
        program=issubclass(cls, _PROGRAM),
        separate=separate,
        managed=managed,
        library=library,
        fixed=bool(flags & _FLAG_GC) and not separate and not issubclass(cls, (tuple, deque)) and cls.__itemsize__ == 0,
    )


def block_bytes(size: int) -> int:
    """What the allocator takes for a request of `size` bytes."""
    if size <= _POOLED_BYTES_MAX:
        return (size + 15) & ~15
    if size < _MMAP_BYTES:
        return (size + 8 + 15) & ~15
    return (size + 16 + _PAGE_BYTES - 1) & ~(_PAGE_BYTES - 1)


def own_bytes(obj: object, children: Collection[object]) -> float:
    """What `obj` costs without what it refers to; `children` are its references, for the size of inline values."""
    cls = type(obj)
    layout = layout_of(cls)  # type: ignore[arg-type]  # a class is hashable
    if layout.program or _is_singleton(obj):
        return 0
    try:
        size = getsizeof(obj)
    except Exception:  # noqa: BLE001 - a __sizeof__ of the caller's that fails; the class tells the least it takes
        size = layout.header_bytes
    if layout.library:
        return block_bytes(max(size, _library_bytes(obj)))
    if layout.separate:
        header = min(size, layout.header_bytes)
        return block_bytes(header) + block_bytes(size - header)
    if issubclass(cls, deque):
        blocks, rest = divmod(max(size - layout.header_bytes, 0), _DEQUE_BLOCK_BYTES)
        return block_bytes(layout.header_bytes + rest) + blocks * block_bytes(_DEQUE_BLOCK_BYTES)
    if layout.managed and size <= layout.header_bytes:
        # The interpreter keeps one value slot more than the class has attributes, and a byte a slot for their order.
        slots = len(children) + 1
        if _VALUES_INSIDE:
            return block_bytes(size + 8 + _round_8(slots) + 8 * slots)
        return block_bytes(size) + block_bytes(_round_8(slots + 2) + 8 * slots)
    return block_bytes(size)


def _round_8(size: int) -> int:
    return (size + 7) & ~7


def _is_singleton(obj: object) -> bool:
    """Whether CPython keeps one such object for all."""
    cls = type(obj)
    if cls is int:
        return -5 <= obj <= 256  # type: ignore[operator]  # noqa: PLR2004 - CPython's small integers
    if cls is str:
        return len(obj) <= 1 and obj < "\u0100"  # type: ignore[arg-type,operator]
    if cls is bytes:
        return len(obj) <= 1  # type: ignore[arg-type]
    return cls is tuple and not obj


def _library_bytes(obj: Any) -> int:
    """The bytes an array of another library says it holds; 0 when it does not say."""
    for name in ("get_total_buffer_size", "estimated_size", "size"):
        ask = getattr(type(obj), name, None)
        if callable(ask):
            try:
                return int(ask(obj))
            except Exception:  # noqa: BLE001, S112 - the next way of asking, or none
                continue
    if type(obj).__module__.partition(".")[0] == "pyarrow":
        size = getattr(obj, "size", 0)  # a pyarrow.Buffer
        return size if isinstance(size, int) else 0
    return 0


def children_of(obj: Any) -> tuple[Sequence[object], float]:
    """What `obj` refers to, and how many references each of them stands for."""
    cls = type(obj)
    layout = layout_of(cls)  # type: ignore[arg-type]  # a class is hashable
    if layout.program or cls in ATOMS:
        return (), 1.0
    if layout.library:
        return _library_children(obj)
    try:
        for base in (list, tuple, set, frozenset, deque, dict):
            if issubclass(cls, base):
                found, ratio = _elements(obj, base)
                return found, ratio
    except RuntimeError:  # another thread changed it meanwhile
        return (), 1.0
    found = get_referents(obj)
    if found and found[-1] is cls:
        found.pop()
    return found, 1.0


def _elements(obj: Any, base: Any) -> tuple[list[object], float]:
    """What a container refers to, an even sample of it when it is long; never through methods of a subclass."""
    length = base.__len__(obj)
    if length > CHILDREN_EXACT_MAX:
        step = -(-length // CHILDREN_EXACT_MAX)
        some = list(islice(dict.items(obj) if base is dict else base.__iter__(obj), 0, None, step))
        ratio = length / len(some)
        return ([item for pair in some for item in pair] if base is dict else some), ratio
    if base is dict:
        # The collector's view of a dict leaves out keys that are text.
        return ([*obj, *obj.values()] if type(obj) is dict else [*dict.keys(obj), *get_referents(obj)]), 1.0
    return get_referents(obj), 1.0


def _library_children(obj: Any) -> tuple[Sequence[object], float]:
    """Of a numpy array: the owner of its memory, and the objects it holds."""
    found: list[object] = []
    base = getattr(obj, "base", None)
    if base is not None:
        found.append(base)
    elif getattr(getattr(obj, "dtype", None), "hasobject", False) and hasattr(obj, "flat"):
        total = max(obj.size, 1)
        some = list(islice(obj.flat, 0, None, -(-total // CHILDREN_EXACT_MAX)))
        return some, total / max(len(some), 1)
    return found, 1.0
