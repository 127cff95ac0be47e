"""The state of ten million files in 128 MiB: the passes of a sync under a kernel limit that counts pages of the file, too.

The store is made without a limit, and the kernel is asked to forget its pages: all that is resident is read under the limit.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome
from benchmarks.store.passes import loaded, measured, merging, three

LIMIT_BYTES = 128 << 20
THREE, MERGE, MERGE_CHANGED = "three passes", "a merge without changes", "a merge with 20 % changed"


def limit_mib(outcome: Outcome) -> float:
    """That all of them ended under."""
    return max(outcome.figure(name, "limit_mib") for name in (THREE, MERGE, MERGE_CHANGED))


def anon_mb(outcome: Outcome) -> float:
    """Of the whole process, the most."""
    return max(each["anon_peak_bytes"] for rounds in outcome.rounds.values() for each in rounds) / 1e6


case = Case(
    "A sync's state of 10 million files, in a process with a kernel limit of 128 MiB.",
    size=10_000_000, tiny=3_000, per="file", unit="us",
    figures={"prepare_s": "prepare s", "scan_s": "scan s", "finish_s": "finish s", "limit_mib": "limit MiB", "file_mb": "file MB", "grown_pc": "file grew %"},
    bars=(
        Bar("three passes and merges end under a kernel limit of 128 MiB", 128, "MiB", limit_mib),
        Bar("anonymous memory stays within 32 MB", 32, "MB", anon_mb),
    ),
)  # fmt: skip


@functools.cache
def no_group() -> str:
    """Why there is no such limit here."""
    from flatwater import errors
    from flatwater.worker import make_limit

    try:
        make_limit(LIMIT_BYTES, kind="cgroup").close()
    except errors.BrokenError as error:
        return str(error)
    return ""


def within(steps_of: Callable[[Any, int], dict[str, Callable[[], None]]], size: int) -> Run:
    """Steps over a loaded store, in this process under the limit."""
    import flatwater as fw
    from flatwater.worker import make_limit

    store, home = loaded(size)
    store.close()
    with open(f"{home}/state/lmdb/data.mdb", "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def run() -> dict[str, float]:
        group = make_limit(LIMIT_BYTES, kind="cgroup", name="survival")
        outside = f"{os.path.dirname(group.path)}/cgroup.procs"
        join(group.procs_file())
        try:
            store = fw.Store(f"{home}/state", sync="off")
            figures = dict(measured(store, home, steps_of(store, size))() or {})
        finally:
            join(outside)
        figures["limit_mib"] = group.limit_bytes / 2**20
        group.close()
        return figures

    return run


def join(procs_file: str) -> None:
    """Put this process into a group."""
    with open(procs_file, "w", encoding="ascii") as file:
        file.write("0")


case.contestant(THREE, needs=("lmdb",), absent=no_group)(functools.partial(within, three))
case.contestant(MERGE, needs=("lmdb",), absent=no_group)(
    functools.partial(within, lambda store, size: {"scan_s": merging(store, size, changed=False)})
)
case.contestant(MERGE_CHANGED, needs=("lmdb",), absent=no_group)(
    functools.partial(within, lambda store, size: {"scan_s": merging(store, size, changed=True)})
)
