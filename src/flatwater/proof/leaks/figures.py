"""What can be read after each round at once: threads, descriptors, and bytes below Python's objects.

Covers:     threads by what they run, open descriptors by what they are, blocks, malloc, resident pages; what is registered
            or left behind outside of all objects.
Not here:   objects (`census`), which of them matter (`hunt`), their words (`report`).
Holds:      a dict of some numbers.
"""

from __future__ import annotations

import array
import collections
import contextlib
import ctypes
import functools
import gc
import os
import stat
import sys
import threading
from collections.abc import Callable
from typing import Any

from flatwater import limits
from flatwater.meter import allocators, probe

# What Python or the system keeps outside of objects.
CHILDREN, SET_APART = "ended child processes", "objects set apart"
SIZES = BLOCKS, MALLOC, RESIDENT = "python blocks", "malloc", "resident"
DESCRIPTORS_MAX = limits.LEAK_DESCRIPTORS_MAX

_KINDS = (
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISFIFO, "pipe"),
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "directory"),
    (stat.S_ISCHR, "device"),
)
_TASKS = "/proc/self/task"
# glibc keeps 7 freed blocks of each size up to 1,032 bytes aside, thread by thread, and calls them used. With these the 7
# are there, and what they are made up from when one is taken: two free ones, of the smallest sizes a list of them.
_KEPT_ASIDE = tuple(size for size in range(24, 1_033, 16) for _ in range(16 if size <= 120 else 9))  # noqa: PLR2004
_DIRECTORIES = ("/proc/self/fd", "/dev/fd")


def read_sizes(into: array.array[int]) -> None:
    """Python's blocks, bytes of malloc, bytes of pages; 0 where the platform does not tell. malloc gives back free pages.

    Args:
        into: where to put the `len(SIZES)` figures: a reading that makes nothing that stays can be taken away from another.
    """
    _fill_up()
    into[0] = sys.getallocatedblocks()
    into[1] = max(0, allocators.malloc().used)
    allocators.malloc_trim()
    seen = probe.usage()
    into[2] = seen.unreclaimable if seen.anon >= 0 else seen.rss


def _fill_up() -> None:
    """Have malloc keep aside as many freed blocks as it can: one that the action took from them would not show."""
    functions = _malloc_and_free()
    if functions is not None:
        malloc, free = functions
        collections.deque(map(free, list(map(malloc, _KEPT_ASIDE))), maxlen=0)


@functools.cache
def _malloc_and_free() -> tuple[Callable[[int], Any], Callable[[Any], Any]] | None:
    """None where malloc tells nothing."""
    if allocators.malloc().used < 0:
        return None
    libc = ctypes.PyDLL(None)  # which keeps the interpreter's lock: it is let go of for longer than this takes
    malloc, free = libc["malloc"], libc["free"]  # in brackets, they are not shared with who else asks for them
    malloc.restype, malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
    free.restype, free.argtypes = None, (ctypes.c_void_p,)
    return malloc, free


def kept() -> dict[str, int]:
    """How many children ended and nobody waited for them; how many objects `gc.freeze` took out of the collector's lists."""
    ended = sum(1 for child in _children() if _has_ended(child))
    return {CHILDREN: ended, SET_APART: gc.get_freeze_count()}


def _children() -> list[int]:
    """Their process ids, where the platform tells."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(_TASKS):
            with contextlib.suppress(OSError), open(f"{_TASKS}/{task}/children", "rb") as file:
                # flatwater: allow FW102 — the kernel's list of a thread's children
                found += map(int, file.read().split())
    return found[:DESCRIPTORS_MAX]


def _has_ended(child: int) -> bool:
    try:
        with open(f"/proc/{child}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2].startswith(b"Z")
    except OSError:  # somebody waited for it
        return False


def threads() -> dict[str, int]:
    """How many run what; those that Python did not start as `native`, where the platform tells."""
    figures: dict[str, int] = {}
    alive = threading.enumerate()
    for thread in alive:
        name = thread_work(thread)
        figures[name] = figures.get(name, 0) + 1
    with contextlib.suppress(OSError):
        known = {thread.native_id for thread in alive}
        native = sum(1 for name in os.listdir(_TASKS) if int(name) not in known)
        figures["native"] = native
    return figures


def thread_work(thread: threading.Thread) -> str:
    """What a thread runs: its target, or its class where that has a `run` of its own."""
    target = getattr(thread, "_target", None)
    if target is None:
        kind = type(thread)
        return thread.name if kind is threading.Thread else f"{kind.__module__}.{kind.__qualname__}"
    module = getattr(target, "__module__", None)
    name = getattr(target, "__qualname__", None) or type(target).__qualname__
    return f"{module}.{name}" if isinstance(module, str) and module != "__main__" else str(name)


def descriptors() -> dict[int, tuple[str, str]]:
    """Open descriptors: number, kind, and what it is."""
    found: dict[int, tuple[str, str]] = {}
    for directory in _DIRECTORIES:
        try:
            names = os.listdir(directory)
        except OSError:
            continue
        for name in names[:DESCRIPTORS_MAX]:
            with contextlib.suppress(OSError):  # the one that lists the directory is closed again
                found[int(name)] = _described(directory, int(name))
        break
    return found


def descriptors_by_kind(found: dict[int, tuple[str, str]]) -> dict[str, int]:
    """How many of each."""
    figures: dict[str, int] = {}
    for kind, _what in found.values():
        figures[kind] = figures.get(kind, 0) + 1
    return figures


def _described(directory: str, number: int) -> tuple[str, str]:
    mode = os.fstat(number).st_mode
    kind = next((name for test, name in _KINDS if test(mode)), "other")
    try:
        what = os.readlink(f"{directory}/{number}")
    except OSError:
        what = kind
    if kind == "other" and ":" in what:  # anon_inode:[eventpoll]
        kind = what.partition(":")[2].strip("[]") or kind
    return kind, what
