"""How many bytes a process may have, and who says so.

Covers:     this process and others of the machine; cgroup v2 and v1 with the groups above, `RLIMIT_DATA`, a share of physical memory.
Not here:   enforcing anything (`worker.limit`).
Holds:      nothing.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from flatwater import limits, units

_OWN = "/proc/self"
_DATA = "Max data size"  # as /proc/PID/limits calls RLIMIT_DATA; soft, hard and unit follow
_UNLIMITED_V1 = 1 << 62  # v1 writes the largest multiple of a page below 2^63 for "no limit"


def detect(proc: str = _OWN, cgroups: str = "/sys/fs/cgroup") -> tuple[int, str]:
    """`(bytes, where from)`: the least of what the kernel would enforce; half of memory if it enforces nothing.

    Never raises: where nothing can be read at all, 1 GiB is taken, and said.

    Args:
        proc: the folder of a process; `/proc/PID` is another one.
        cgroups: where control groups are mounted.

    Source: kernel documentation, `admin-guide/cgroup-v2.rst` (memory.max), `cgroup-v1/memory.rst` (limit_in_bytes); proc_pid_limits(5).
    """
    physical = physical_bytes()
    found = [*_cgroup_limits(Path(proc), Path(cgroups)), *_rlimit(proc)]
    found = [(count, source) for count, source in found if 0 < count < (physical or _UNLIMITED_V1)]
    if found:
        return min(found, key=lambda pair: pair[0])
    if physical:
        share = f"{limits.BUDGET_RAM_SHARE:.0%} of {units.format_bytes(physical)} physical memory"
        return int(physical * limits.BUDGET_RAM_SHARE), f"{share}; no other limit was found"
    return units.GIB, "a guess: neither a limit nor the size of memory could be read"


def physical_bytes() -> int:
    """Of the machine; 0 if it does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        pass
    try:
        import psutil

        return int(psutil.virtual_memory().total)
    except Exception:  # noqa: BLE001 - a size that cannot be had is said to be unknown
        return 0


def _cgroup_limits(proc: Path, cgroups: Path) -> list[tuple[int, str]]:
    """Of every group from the process's own up to the root of the mount."""
    found: list[tuple[int, str]] = []
    for line in _read(proc / "cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            # A hybrid machine mounts v2 in `unified`; in a container the mount begins at the container's own group.
            for mount in (cgroups, cgroups / "unified"):
                found += _climb(mount, path, "memory.max", "cgroup v2 memory.max")
        elif "memory" in controllers.split(","):
            found += _climb(cgroups / "memory", path, "memory.limit_in_bytes", "cgroup v1 memory.limit_in_bytes")
    return found


def _climb(mount: Path, path: str, file: str, label: str) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    parts = [part for part in PurePosixPath(path).parts if part not in {"/", ".."}]
    for depth in range(len(parts), -1, -1):
        text = _read(mount.joinpath(*parts[:depth], file)).strip()
        if text.isdecimal() and int(text) < _UNLIMITED_V1:
            where = "/" + "/".join(parts[:depth])
            found.append((int(text), f"{label} of {where}"))
    return found


def _rlimit(proc: str) -> list[tuple[int, str]]:
    """Of this process as it says itself, which works without /proc; of another one as anybody may read it."""
    if proc != _OWN:
        lines = [line for line in _read(Path(proc, "limits")).splitlines() if line.startswith(_DATA)]
        soft = [line[len(_DATA) :].split()[:1] for line in lines]
        return [(int(count), "RLIMIT_DATA") for words in soft for count in words if count.isdecimal()]
    try:
        import resource
    except ImportError:
        return []
    own, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return [] if own == resource.RLIM_INFINITY else [(own, "RLIMIT_DATA")]


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
