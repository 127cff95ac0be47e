"""Read what the operating system holds for a process: resident, anonymous, file pages, swap, the high-water mark.

Covers:     Linux through /proc (the reference), macOS and Windows through psutil, each with its name and its doubt.
Not here:   whole trees of processes (`meter.tree`), measuring a piece of code (`meter.measure`).
Holds:      one open descriptor per `Probe`.

Sources: proc(5) for statm, status and clear_refs. A pread of a kept statm descriptor costs about 1.2 us; status about
30 us; smaps_rollup is never read here, its cost grows with the process (5 ms at 1 GiB).
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast, final

from flatwater import errors

IS_LINUX = sys.platform == "linux"
RUN_VARIABLE = "FLATWATER_RUN"  # set for programs whose high-water mark `flatwater run` reads at their end
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_STATM_BYTES = 128
_STATUS_FIELDS = {
    b"\nVmRSS:": "rss",
    b"\nRssAnon:": "anon",
    b"\nRssFile:": "file",
    b"\nRssShmem:": "shmem",
    b"\nVmSwap:": "swap",
    b"\nVmHWM:": "rss_peak",
    b"\nVmData:": "data",
}


@dataclass(frozen=True, slots=True)
class Usage:
    """What the operating system held for one process at one moment; all figures in bytes.

    Attributes:
        rss: resident set: all pages in memory.
        anon: of these, pages with no file behind them (heap, stacks); -1 where the platform does not tell.
        file: pages of mapped files, which the kernel can take back; -1 where the platform does not tell.
        shmem: shared memory and tmpfs pages; -1 where the platform does not tell.
        swap: swapped out; -1 where the platform does not tell.
        rss_peak: high-water mark of `rss` since the start or the last reset; -1 where the platform does not tell.
        data: private writable address space, what RLIMIT_DATA counts; -1 where the platform does not tell.
        probe: where the figures come from.
        doubt: what they cannot tell on this platform; empty on Linux 4.5 and later.
    """

    rss: int
    anon: int
    file: int
    shmem: int
    swap: int
    rss_peak: int
    data: int
    probe: str
    doubt: str

    @property
    def unreclaimable(self) -> int:
        """What the kernel cannot take back: anonymous and shared memory; -1 where the platform does not tell."""
        return self.anon + max(0, self.shmem) if self.anon >= 0 else -1


@final
class Probe:
    """Reads one process. Thread-safe: each read is one system call on its own buffer.

    Args:
        pid: the process; 0 is the calling one.

    Raises:
        BrokenError: the process is gone or may not be read.
    """

    def __init__(self, pid: int = 0) -> None:
        self.pid = pid
        self._statm = -1
        self._psutil: object = None
        self._raw: Callable[[], bytes] | None = None  # made when it is first needed
        self._raw_statm = ctypes.c_int(-1)  # what the raw readers read from: `close` takes it away from all of them
        self.name = "/proc/PID/statm" if IS_LINUX else f"psutil ({sys.platform})"
        try:
            if IS_LINUX:
                self._statm = os.open(f"/proc/{pid or 'self'}/statm", os.O_RDONLY | os.O_CLOEXEC)
            else:
                import psutil

                self._psutil = psutil.Process(pid or None)
        except Exception as error:  # psutil's errors are its own tree
            raise errors.BrokenError(f"process {pid} cannot be read: {error}.") from error

    def read(self) -> tuple[int, int]:
        """`(rss, anon)` in bytes; `(0, 0)` once the process has ended. The cheap read, for sampling.

        Raises:
            ClosedError: the probe is closed.
        """
        if self._psutil is not None:
            return _psutil_read(self._psutil)
        if self._statm < 0:
            raise errors.ClosedError("this probe is closed.")
        try:
            return sizes_in(os.pread(self._statm, _STATM_BYTES, 0))
        except ProcessLookupError:  # ended, and reaped
            return 0, 0

    def raw_reader(self) -> Callable[[], bytes]:
        """A function that gives what `sizes_in` reads, for those who keep samples and look later; empty once it ended.

        Linux only. With cold caches, as in a thread that wakes up every 10 ms, reading costs 20 us and parsing 10. Other
        threads do not get the interpreter meanwhile: beside a busy one it would take 5 ms to get it back, for a call of
        a microsecond. Each function has a buffer of its own, and is for one thread. After `close` it gives nothing.
        """
        self._raw_statm.value = self._statm
        buffer = ctypes.create_string_buffer(_STATM_BYTES)
        pread = functools.partial(
            _held_pread(), self._raw_statm, ctypes.c_void_p(ctypes.addressof(buffer)),
            ctypes.c_size_t(_STATM_BYTES), ctypes.c_long(0),
        )  # fmt: skip

        def read() -> bytes:
            return buffer.raw if pread() > 0 else b""  # what stands behind the text is left from a longer one

        return read

    def read_at_once(self) -> tuple[int, int]:
        """As `read`, without letting other threads have the interpreter meanwhile; see `raw_reader`. For one thread."""
        if self._statm < 0:
            return self.read()
        if self._raw is None:
            self._raw = self.raw_reader()
        return sizes_in(self._raw())

    def disown(self) -> None:
        """Forget the descriptor without closing it: somebody else did, and its number may be another file's."""
        self._statm = self._raw_statm.value = -1
        self._raw = None

    @property
    def closed(self) -> bool:
        """Whether it was given back."""
        return self._statm < 0 and self._psutil is None

    def close(self) -> None:
        """Give the descriptor back; closing twice is fine."""
        descriptor, self._statm = self._statm, -1
        self._raw_statm.value = -1  # before the number can be another file's
        self._raw = None
        self._psutil = None
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Probe:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_statm", -1) >= 0:
            self.close()


def sizes_in(statm: bytes) -> tuple[int, int]:
    """`(rss, anon)` in bytes, from `Probe.raw_reader`; `(0, 0)` if the process had ended."""
    try:
        _size, resident, shared, _rest = statm.split(b" ", 3)
    except ValueError:  # ended
        return 0, 0
    resident_bytes = int(resident) * _PAGE_BYTES
    return resident_bytes, resident_bytes - int(shared) * _PAGE_BYTES


@functools.cache
def _held_pread() -> Callable[..., int]:
    """The C library's pread, called without letting go of the interpreter."""
    function = ctypes.PyDLL(None).pread
    function.restype = ctypes.c_ssize_t  # its arguments are made once, and passed as they are
    return cast("Callable[..., int]", function)


def usage(pid: int = 0) -> Usage:
    """Everything the operating system tells about a process's memory, in one read of about 30 us.

    Args:
        pid: the process; 0 is the calling one.

    Raises:
        BrokenError: the process is gone or may not be read.

    >>> now = usage()
    >>> now.rss > 0 and now.rss >= now.anon
    True
    """
    if not IS_LINUX:
        return _psutil_usage(pid)
    try:
        descriptor = os.open(f"/proc/{pid or 'self'}/status", os.O_RDONLY | os.O_CLOEXEC)
        try:
            text = os.read(descriptor, 8192)
            while b"\nThreads:" not in text and (more := os.read(descriptor, 1 << 16)):
                text += more  # a user's groups stand before the sizes: thousands of them take more than one read
        finally:
            os.close(descriptor)
    except OSError as error:
        raise errors.BrokenError(f"process {pid} cannot be read: {error}.") from error
    values = {}
    missing = []
    for name, field in _STATUS_FIELDS.items():
        start = text.find(name)
        if start >= 0:
            values[field] = int(text[start + len(name) : text.index(b"kB", start)]) * 1024
        else:
            missing.append(field)
    if not missing:
        return Usage(**values, probe="/proc/PID/status", doubt="")
    # Kernel threads and zombies have none of the lines: they hold nothing. A kernel that has only some does not tell.
    doubt = f"this kernel does not tell {', '.join(missing)}" if values else ""
    return Usage(**dict.fromkeys(missing, -1 if values else 0), **values, probe="/proc/PID/status", doubt=doubt)


def peak_rss() -> int:
    """This process's resident high-water mark in bytes since its start or `reset_peak_rss`; -1 where unknown."""
    return usage().rss_peak


def reset_peak_rss() -> bool:
    """Start the high-water mark over at the present size (about 60 us at any size). False where that cannot be done.

    Below `flatwater run` it is not done: the mark is the whole program's, and is read when the program ends.
    """
    if RUN_VARIABLE in os.environ:
        return False
    try:
        descriptor = os.open("/proc/self/clear_refs", os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.write(descriptor, b"5")
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _psutil_read(process: object) -> tuple[int, int]:
    import psutil

    assert isinstance(process, psutil.Process)
    try:
        memory = process.memory_info()
    except psutil.Error:
        return 0, 0
    return memory.rss, getattr(memory, "private", memory.rss)


def _psutil_usage(pid: int) -> Usage:
    """Elsewhere (macOS, Windows) the resident size is right, the rest is what the platform offers."""
    import psutil

    try:
        memory = psutil.Process(pid or None).memory_info()
    except psutil.Error as error:
        raise errors.BrokenError(f"process {pid} cannot be read: {error}.") from error
    private = getattr(memory, "private", -1)
    doubt = "no resettable high-water mark" if private >= 0 else "no anonymous size, no resettable high-water mark"
    return Usage(
        rss=memory.rss,
        anon=private,
        file=-1,
        shmem=-1,
        swap=-1,
        rss_peak=getattr(memory, "peak_wset", -1),
        data=-1,
        probe=f"psutil ({sys.platform})",
        doubt=doubt,
    )
