"""What the allocators below Python's objects hold: arenas of the object allocator, and the C library's malloc.

Covers:     CPython's pymalloc through its own statistics; glibc through mallinfo2, malloc_trim and mallopt.
Not here:   what the operating system sees (`meter.probe`), what to make of both (`meter.retention`).
Holds:      nothing; a text of about 3 KiB while it reads.

Sources: CPython Objects/obmalloc.c (`_PyObject_DebugMallocStats`), glibc manual "Statistics for Memory Allocation".
Reading the arenas takes about 40 us, and 10 us more for each MiB of them; mallinfo2 about 6 us.
"""

from __future__ import annotations

import ctypes
import functools
import re
import sys
from dataclasses import dataclass

ARENA_BYTES = 1 << 20  # of one arena; the newest one is free, and not resident, as far as it was never touched
_FIGURES = re.compile(
    rb"\n\d+ arenas \* \d+ bytes/arena += +(?P<held>[\d,]+)\s+"
    rb"# bytes in allocated blocks += +(?P<used>[\d,]+)\s+"
    rb"# bytes in available blocks += +(?P<partial>[\d,]+)\s+"
    rb"\d+ unused pools \* \d+ bytes += +(?P<unused>[\d,]+)"
)
_M_ARENA_MAX = -8  # of mallopt, in glibc's malloc.h
_TAIL_BYTES = 1024  # the sums stand at the end, after a table whose length is the number of size classes in use


@dataclass(frozen=True, slots=True)
class Arenas:
    """Python's object allocator, for objects of up to 512 bytes; all figures in bytes, -1 where unknown.

    Attributes:
        held: taken from the operating system. An arena goes back only when not one object in it lives.
        used: in live objects.
        free: free for new objects, and for nothing else.
    """

    held: int
    used: int
    free: int


@dataclass(frozen=True, slots=True)
class Malloc:
    """The C library's allocator, for everything else; all figures in bytes, -1 where unknown.

    Attributes:
        used: handed out, in its heaps and in mappings of their own.
        free: kept for later. Pages that were trimmed still count here, though they take no memory.
        mapped: the part of `used` that lies in mappings of their own: large blocks, maybe never touched, so that they
            take no memory.
    """

    used: int
    free: int
    mapped: int


class _MallocInfo(ctypes.Structure):
    """`struct mallinfo2` of glibc 2.33 and newer."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
        )
    )  # fmt: skip

    hblkhd: int
    uordblks: int
    fordblks: int


def arenas() -> Arenas:
    """Of this process, now."""
    found = _FIGURES.search(_arena_text())
    if found is None:
        return Arenas(-1, -1, -1)
    figure = {name: int(value.replace(b",", b"")) for name, value in found.groupdict().items()}
    return Arenas(held=figure["held"], used=figure["used"], free=figure["partial"] + figure["unused"])


def malloc() -> Malloc:
    """Of this process, now."""
    call = _c_function("mallinfo2", _MallocInfo)
    if call is None:
        return Malloc(-1, -1, -1)
    info = call()
    return Malloc(used=info.uordblks + info.hblkhd, free=info.fordblks, mapped=info.hblkhd)


def sum_known(*counts: int) -> int:
    """Their sum, without those that are unknown; -1 if all are."""
    known = [count for count in counts if count >= 0]
    return sum(known) if known else -1


def malloc_trim() -> bool | None:
    """Have the C library give its free pages back. True if any went, None where it cannot."""
    call = _c_function("malloc_trim", ctypes.c_int, ctypes.c_size_t)
    return None if call is None else bool(call(0))


def one_arena() -> bool | None:
    """Have malloc make no more arenas, in the whole process: what one thread gives up, others use. Those that exist stay.

    Returns:
        Whether it did; None where malloc is not glibc's.
    """
    if _c_function("malloc_trim", ctypes.c_int, ctypes.c_size_t) is None:  # which is glibc's alone, as this number is
        return None
    call = _c_function("mallopt", ctypes.c_int, ctypes.c_int, ctypes.c_int)
    return None if call is None else bool(call(_M_ARENA_MAX, 1))


@functools.cache
def _c_function(name: str, result: type, *arguments: type) -> ctypes._NamedFuncPointer | None:
    """A function of the C library, or None where it has none of that name."""
    if sys.platform == "win32":
        return None
    try:
        function = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):
        return None
    function.restype = result
    function.argtypes = arguments
    return function  # type: ignore[no-any-return]  # ctypes looks names up at run time


def _arena_text() -> bytes:
    """The end of pymalloc's statistics; empty where the interpreter runs on another allocator."""
    open_stream = _c_function("open_memstream", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    close = _c_function("fclose", ctypes.c_int, ctypes.c_void_p)
    free = _c_function("free", ctypes.c_void_p, ctypes.c_void_p)
    write = _stats_writer()
    if open_stream is None or close is None or free is None or write is None:
        return b""
    text, length = ctypes.c_void_p(), ctypes.c_size_t()
    stream = open_stream(ctypes.byref(text), ctypes.byref(length))
    if not stream:
        return b""
    is_pymalloc = write(stream)  # with the interpreter's lock held, as PyDLL does
    close(stream)
    try:
        if not is_pymalloc or not text.value:
            return b""
        tail = min(length.value, _TAIL_BYTES)
        return ctypes.string_at(text.value + length.value - tail, tail)
    finally:
        free(text)


@functools.cache
def _stats_writer() -> ctypes._NamedFuncPointer | None:
    function = getattr(ctypes.pythonapi, "_PyObject_DebugMallocStats", None)
    if function is None:
        return None
    function.restype = ctypes.c_int
    function.argtypes = (ctypes.c_void_p,)
    return function  # type: ignore[no-any-return]  # ctypes looks names up at run time
