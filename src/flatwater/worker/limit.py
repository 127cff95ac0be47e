"""Put processes under a memory limit that the kernel keeps: cgroup v2, else cgroup v1, else RLIMIT_DATA.

Covers:     finding the best limit this machine allows, making it, reading whether it killed, removing it.
Not here:   joining it (`worker.launcher`, `worker.child` do, between fork and exec), sampling (`meter`).
Holds:      one cgroup directory per open group.

Never RLIMIT_AS: sixteen idle threads take 1 GiB of address space and 1 MiB of memory. Never a cgroup's max_usage as a
figure: page cache is charged to it. Sources: the kernel's admin guides for cgroup-v1 memory and cgroup-v2, setrlimit(2).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from typing import Literal, final

from flatwater import errors, limits, units

IS_LINUX = sys.platform == "linux"
RLIMIT_SCOPE_NOTE = "each process has the whole limit to itself, and untouched address space counts"
_NO_MACHINE_BYTES = 1 << 62  # the kernel caps limits near the address space's end
_counter = itertools.count(1)

Kind = Literal["cgroup v2", "cgroup v1", "rlimit_data", "none"]


@final
class LimitGroup:
    """A memory limit that processes can be put under. Thread-safe to read; one owner closes it.

    Attributes:
        kind: "cgroup v2", "cgroup v1", "rlimit_data", or "none" where the platform has no such limit.
        limit_bytes: the limit, as the kernel rounded it.
        path: the cgroup's directory; empty otherwise.
        scope: "tree" if all processes share the limit, "process" if each has its own, "none".
        note: why this kind and not a better one; empty if there is nothing to say.
    """

    def __init__(self, kind: Kind, limit_bytes: int, *, path: str = "", note: str = "") -> None:
        self.kind = kind
        self.limit_bytes = limit_bytes
        self.path = path
        self.note = note
        self.scope = {"cgroup v2": "tree", "cgroup v1": "tree", "rlimit_data": "process", "none": "none"}[kind]

    def procs_file(self) -> str:
        """The file a process writes "0" into to join; empty where joining is setting an rlimit."""
        return os.path.join(self.path, "cgroup.procs") if self.path else ""

    def kills(self) -> int:
        """How many processes the kernel killed in this group so far; 0 where it does not kill."""
        if self.kind == "cgroup v2":
            return _counted(os.path.join(self.path, "memory.events"), "oom_kill")
        if self.kind == "cgroup v1":
            return _counted(os.path.join(self.path, "memory.oom_control"), "oom_kill")
        return 0

    def usage_bytes(self) -> int:
        """What is charged to the group now, page cache included; -1 where that is not counted."""
        name = {"cgroup v2": "memory.current", "cgroup v1": "memory.usage_in_bytes"}.get(self.kind)
        return _number(os.path.join(self.path, name)) if name else -1

    def pids(self) -> list[int]:
        """The processes in the group."""
        if not self.path:
            return []
        return [int(pid) for pid in _text(self.procs_file()).split()]

    def close(self) -> bool:
        """Remove the group. False if processes are still in it: then it stays, and may be closed later."""
        if not self.path:
            return True
        try:
            os.rmdir(self.path)
        except FileNotFoundError:
            pass
        except OSError:
            return False
        return True

    def __enter__(self) -> LimitGroup:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def check_kind(kind: str) -> None:
    """Raise `UsageError` unless such a limit can be asked for."""
    if kind not in {"auto", "cgroup", "rlimit_data"}:
        raise errors.UsageError(f"limit kind {kind!r} is not known.", hint="Use auto, cgroup or rlimit_data.")


def make_limit(
    limit_bytes: str | int,
    *,
    kind: str = "auto",
    name: str = "",
    proc_root: str = "/proc",
    sys_root: str = "/sys",
) -> LimitGroup:
    """Make a limit that processes can join.

    Args:
        limit_bytes: bytes, or a size such as "256 MiB"; at least `limits.LIMIT_BYTES_MIN`.
        kind: "auto" for the best there is, "cgroup" for v2 or v1, or "rlimit_data".
        name: shows in the cgroup's directory name; letters, digits, dot, dash.
        proc_root: where proc is mounted; for tests.
        sys_root: where sysfs is mounted; for tests.

    Raises:
        UsageError: the size or the kind makes no sense.
        BrokenError: the kind that was asked for cannot be had here; says why.

    >>> group = make_limit("64 MiB", kind="rlimit_data")
    >>> group.kind, group.scope, group.limit_bytes
    ('rlimit_data', 'process', 67108864)
    """
    size = errors.bytes_of(limit_bytes, what="limit", least=limits.LIMIT_BYTES_MIN)
    check_kind(kind)
    if not IS_LINUX:
        if kind != "auto":
            raise errors.BrokenError(f"there is no {kind} limit on {sys.platform}.", hint="Linux has one.")
        return LimitGroup("none", size, note=f"{sys.platform} keeps no memory limit per process")
    reasons: list[str] = []
    if kind in {"auto", "cgroup"}:
        for make in (_make_v2, _make_v1):
            try:
                return make(size, _directory_name(name), proc_root, sys_root)
            except _CannotError as reason:
                reasons.append(str(reason))
        if kind == "cgroup":
            raise errors.BrokenError(
                f"no memory cgroup can be made here: {'; '.join(reasons)}.",
                hint="Use --limit-kind rlimit_data, or auto.",
            )
    import resource

    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if hard != resource.RLIM_INFINITY and hard < size:
        reasons.append(f"a hard limit of {units.format_bytes(hard)} was there before and holds")
        size = hard
    return LimitGroup("rlimit_data", size, note="; ".join([*reasons, RLIMIT_SCOPE_NOTE]))


class _CannotError(Exception):
    """Why one kind of cgroup cannot be had; never leaves this file."""


def _make_v2(size: int, name: str, proc_root: str, sys_root: str) -> LimitGroup:
    own = _own_cgroup(proc_root, "")
    mount = next((path for path in (f"{sys_root}/fs/cgroup", f"{sys_root}/fs/cgroup/unified") if _is_v2(path)), None)
    if own is None or mount is None:
        raise _CannotError("cgroup v2 is not mounted")
    parent = os.path.normpath(f"{mount}/{own}")
    # A cgroup with processes of its own may not hand controllers down (the no-internal-process rule), so the place for
    # a child is the nearest one, from our own upwards, that hands memory down already or can be made to.
    candidate = parent
    while candidate.startswith(mount):
        if "memory" in _text(f"{candidate}/cgroup.controllers").split() and _hands_memory_down(candidate):
            break
        candidate = os.path.dirname(candidate)
    else:
        raise _CannotError("cgroup v2 hands no memory controller to a group we may write to")
    path = _make_directory(candidate, name, "cgroup v2")
    try:
        _write(f"{path}/memory.max", str(size))
        with contextlib.suppress(OSError):  # no swap controller: then there is no swap to limit
            _write(f"{path}/memory.swap.max", "0")
        return LimitGroup("cgroup v2", _read_back(f"{path}/memory.max", size, "cgroup v2"), path=path)
    except (OSError, _CannotError) as error:
        _remove(path)
        raise _CannotError(_reason("cgroup v2", error)) from None


def _make_v1(size: int, name: str, proc_root: str, sys_root: str) -> LimitGroup:
    own = _own_cgroup(proc_root, "memory")
    mount = f"{sys_root}/fs/cgroup/memory"
    if own is None or not os.path.isfile(f"{mount}/memory.limit_in_bytes"):
        raise _CannotError("cgroup v1 has no memory controller here")
    # In a container the path that /proc names may not exist below the mount, which then is our own group.
    parent = os.path.normpath(f"{mount}/{own}")
    if not os.path.isfile(f"{parent}/memory.limit_in_bytes"):
        parent = mount
    path = _make_directory(parent, name, "cgroup v1")
    try:
        _write(f"{path}/memory.limit_in_bytes", str(size))
        with contextlib.suppress(OSError):  # no swap accounting: the limit is then on memory alone
            _write(f"{path}/memory.memsw.limit_in_bytes", str(size))
        return LimitGroup("cgroup v1", _read_back(f"{path}/memory.limit_in_bytes", size, "cgroup v1"), path=path)
    except (OSError, _CannotError) as error:
        _remove(path)
        raise _CannotError(_reason("cgroup v1", error)) from None


def _own_cgroup(proc_root: str, controller: str) -> str | None:
    """Our path in the hierarchy of `controller` ("" is v2's), from lines `ID:CONTROLLERS:PATH`."""
    for line in _text(f"{proc_root}/self/cgroup").splitlines():
        controllers, separator, path = line.partition(":")[2].partition(":")
        if separator and controller in (controllers.split(",") if controllers else [""]):
            return path.lstrip("/")
    return None


def _is_v2(path: str) -> bool:
    return os.path.isfile(f"{path}/cgroup.controllers")


def _hands_memory_down(path: str) -> bool:
    control = f"{path}/cgroup.subtree_control"
    if "memory" in _text(control).split():
        return True
    try:
        _write(control, "+memory")
    except OSError:
        return False
    return "memory" in _text(control).replace("+", "").split()


def _make_directory(parent: str, name: str, what: str) -> str:
    path = f"{parent}/{name}"
    try:
        os.mkdir(path)
    except OSError as error:
        raise _CannotError(_reason(what, error)) from None
    return path


def _directory_name(name: str) -> str:
    kept = "".join(letter for letter in name if letter.isalnum() or letter in ".-")[:40]
    return f"flatwater-{kept or 'limit'}-{os.getpid()}-{next(_counter)}"


def _read_back(path: str, asked: int, what: str) -> int:
    """What the kernel made of the limit: it rounds to pages, and caps what no machine has."""
    text = _text(path).strip()
    if text == "max":
        return asked
    if not text.isdigit():
        raise _CannotError(f"{what}: the limit cannot be read back")
    kept = int(text)
    if kept > asked + units.MIB or (kept < asked - units.MIB and asked < _NO_MACHINE_BYTES):
        raise _CannotError(f"{what}: the kernel made {kept} bytes of a limit of {asked}")
    return kept


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.rmdir(path)


def _reason(what: str, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{what}: {(error.strerror or str(error)).lower()}"
    return str(error)


def _counted(path: str, key: str) -> int:
    for line in _text(path).splitlines():
        name, _, count = line.partition(" ")
        if name == key and count.strip().isdigit():
            return int(count)
    return 0


def _number(path: str) -> int:
    text = _text(path).strip()
    return int(text) if text.isdigit() else -1


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 16)
    except OSError:
        return ""


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
