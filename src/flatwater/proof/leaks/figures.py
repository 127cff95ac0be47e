"""What can be read after each round at once: threads, descriptors, and bytes below Python's objects.

Covers:     threads by what they run, open descriptors by what they are, blocks, malloc, resident pages.
Not here:   objects (`census`), which of them matter (`hunt`), their words (`report`).
Holds:      a dict of some numbers.
"""

from __future__ import annotations

import array
import contextlib
import os
import stat
import sys
import threading

from flatwater import limits
from flatwater.meter import allocators, probe

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
_DIRECTORIES = ("/proc/self/fd", "/dev/fd")


def read_sizes(into: array.array[int]) -> None:
    """Python's blocks, bytes of malloc, bytes of pages; 0 where the platform does not tell. malloc gives back free pages.

    Args:
        into: where to put the `len(SIZES)` figures: a reading that makes nothing that stays can be taken away from another.
    """
    into[0] = sys.getallocatedblocks()
    into[1] = max(0, allocators.malloc().used)
    allocators.malloc_trim()
    seen = probe.usage()
    into[2] = seen.anon + max(0, seen.shmem) if seen.anon >= 0 else seen.rss


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
