"""How what a sync holds grows with the files, proved by runs at rising sizes, and where that leads at 100 million of them.

Nothing changed between the runs. The listing is made as it is read. The twin keeps what its source lists, and must be found to
grow, or the proof of the other would say nothing. A machine's memory is divided by the most that each file can have cost unseen.
"""

from __future__ import annotations

import functools
from collections.abc import Generator

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome

TARGET = 100_000_000
STEPS = 5
SPAN = 30  # the largest size is so many times the least
BUDGET = "128 MiB"
GIGABYTES = (8, 16, 32)
OURS, TWIN = "nothing changed", "its twin, which keeps the listing"


def not_constant(outcome: Outcome) -> float:
    """Rounds in which it was not found to be constant."""
    return sum(1 - float(each["figures"]["constant"]) for each in outcome.rounds[OURS])


def passes(outcome: Outcome) -> float:
    """Rounds in which the twin was not found to grow."""
    return sum(1 - float(each["figures"]["grows"]) for each in outcome.rounds[TWIN])


case = Case(
    "Memory of a sync at 100,000 to 3 million files, projected to 100 million.",
    size=3_000_000, tiny=30_000,
    figures={
        "constant": "constant", "grows": "grows", "bytes_per_file": "B a file", "unseen": "seen from B a file on",
        "upper_mb": "MB at 100 M, at most", **{f"files_{each}": f"10^9 files in {each} GB" for each in GIGABYTES},
    },
    bars=(
        Bar("constant from 100 k to 3 M files: rounds that say otherwise", 0, "rounds", not_constant),
        Bar("a twin that keeps the listing grows: rounds that say otherwise", 0, "rounds", passes),
    ),
)  # fmt: skip


def synced(size: int, *, state: str, kept: bool) -> None:
    """One sync over a state of so many files."""
    from benchmarks.sync.generated import Dropping, Generated

    import flatwater as fw
    from flatwater.sync.entry import Entry
    from flatwater.sync.remote import Unread

    held: list[Entry] = []

    class Keeping(Generated):
        def batches(
            self, after: bytes = b"", before: bytes = b"", unread: Unread | None = None
        ) -> Generator[list[Entry], None, None]:
            for batch in super().batches(after, before, unread):
                held.extend(batch)
                yield batch

    source = Keeping(size) if kept else Generated(size)
    with fw.Budget(BUDGET):
        report = fw.Sync(source, Dropping(), state=state.format(size)).apply()
    assert report.is_complete
    assert (report.files, report.copied) == (size, 0)


def proof(size: int, *, kept: bool) -> Run:
    """Of sizes up to this one; their states are made before."""
    from benchmarks.sync.generated import kept_state_of

    import flatwater as fw

    sizes = [round(size / SPAN ** (1 - step / (STEPS - 1))) for step in range(STEPS)]
    made = [kept_state_of(each) for each in sizes]
    scenario = functools.partial(synced, state=str(made[-1]).replace(str(size), "{}"), kept=kept)

    def run() -> dict[str, float]:
        found = fw.prove(scenario, sizes=sizes, target=TARGET, metric="anon", resolution="1 B")
        peak = max(point.peak_bytes for point in found.points)
        return {
            "constant": float(found.verdict == "constant"), "grows": float(found.verdict == "grows"),
            "bytes_per_file": found.bytes_per_item, "unseen": found.resolution, "upper_mb": (found.projected_upper or 0) / 1e6,
            **{f"files_{each}": (each * 1e9 - peak) / max(found.bytes_per_item, found.resolution) / 1e9 for each in GIGABYTES},
        }  # fmt: skip

    return run


case.contestant(OURS, needs=("lmdb",))(functools.partial(proof, kept=False))
case.contestant(TWIN, needs=("lmdb",), rounds_max=1)(functools.partial(proof, kept=True))
