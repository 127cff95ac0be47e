"""A sync of ten million files in 128 MiB: nothing changed, and one in a hundred changed, under a kernel limit.

The limit counts pages of the state's file, too. The listing is made as it is read, and the destination drops what it gets: what is
measured is the sync itself. The state is made without a limit, and the kernel is asked to forget its pages before.
"""

from __future__ import annotations

import functools
import os
import shutil

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome
from benchmarks.store.survival import join, no_group

LIMIT_BYTES = 128 << 20
SAME, CHANGED = "nothing changed", "1 % changed, full durability"


def limit_mib(outcome: Outcome) -> float:
    """That all of them ended under."""
    return max(outcome.figure(name, "limit_mib") for name in (SAME, CHANGED))


def anon_mb(outcome: Outcome) -> float:
    """Of the whole process, the most."""
    return max(each["anon_peak_bytes"] for rounds in outcome.rounds.values() for each in rounds) / 1e6


case = Case(
    "A whole sync of 10 million files, in a process with a kernel limit of 128 MiB.",
    size=10_000_000, tiny=3_000, per="file", unit="us",
    figures={"files_per_s": "files/s", "copied": "copied", "limit_mib": "limit MiB", "state_mb": "state MB", "grown_pc": "state grew %"},
    bars=(
        Bar("both end under a kernel limit of 128 MiB", 128, "MiB", limit_mib),
        Bar("anonymous memory stays within 64 MB", 64, "MB", anon_mb),
    ),
)  # fmt: skip


def synced(size: int, *, changed: bool) -> Run:
    """A run over a state of so many files."""
    from benchmarks.sync.generated import Dropping, Generated, state_of

    import flatwater as fw
    from flatwater.worker import make_limit

    path = state_of(size)
    with open(f"{path}/lmdb/data.mdb", "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def run() -> dict[str, float]:
        group = make_limit(LIMIT_BYTES, kind="cgroup", name="sync")
        outside = f"{os.path.dirname(group.path)}/cgroup.procs"
        join(group.procs_file())
        try:
            with fw.Budget(LIMIT_BYTES):
                report = fw.Sync(Generated(size, changed=changed), Dropping(), state=path).apply()
        finally:
            join(outside)
        assert report.is_complete
        assert report.files == size
        scan = report.phases[0]
        figures = {
            "files_per_s": scan.files_per_s, "copied": float(report.copied), "limit_mib": group.limit_bytes / 2**20,
            "state_mb": report.phases[-1].state_bytes / 1e6,
            "grown_pc": 100 * sum(each.state_growth for each in report.phases) / report.phases[-1].state_bytes,
        }  # fmt: skip
        group.close()
        shutil.rmtree(os.path.dirname(path))
        return figures

    return run


case.contestant(SAME, needs=("lmdb",), absent=no_group)(functools.partial(synced, changed=False))
case.contestant(CHANGED, needs=("lmdb",), absent=no_group)(functools.partial(synced, changed=True))
