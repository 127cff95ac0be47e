"""Count a log by user, in a store on disk, and tell who was there most often.

    python examples/logs_to_report.py [lines]

Budget: 48 MiB
"""

from __future__ import annotations

import heapq
import sys
import tempfile
from collections import Counter
from pathlib import Path

import flatwater as fw

BUDGET = "48 MiB"
BATCH = 5_000  # lines whose counts are added up before they are written
USERS = 50_000


def make(path: Path, lines: int) -> None:
    """A log to try it on."""
    with path.open("w") as file:
        file.writelines(
            f"2026-11-24T{number % 24:02}:00 user{number * 7919 % USERS} GET /page/{number}\n"
            for number in range(lines)
        )


def counted(log: Path, store: fw.Store) -> int:
    """Add each batch's counts to what is there; a run that is repeated would count twice, so give it a store of its own."""
    seen = 0
    for batch in (
        fw.Flow(fw.lines(str(log)), batch_bytes="512 KiB").map(lambda line: line.split(" ", 2)[1]).batch(rows=BATCH)
    ):
        counts = Counter(batch)
        known = store.get_many([(user,) for user in counts])
        store.write(
            [((user,), (before or 0) + count) for (user, count), before in zip(counts.items(), known, strict=True)]
        )
        seen += len(batch)
    return seen


def main(lines: int) -> None:
    """Make, count, tell."""
    with tempfile.TemporaryDirectory() as folder, fw.Budget(BUDGET):
        log = Path(folder, "access.log")
        make(log, lines)
        with fw.Store(str(Path(folder, "counts")), sync="off", type=int) as store:
            seen = counted(log, store)
            entries = (entry for batch in store.batches() for entry in batch)
            busiest = heapq.nlargest(10, entries, key=lambda entry: entry[1])
        print(f"{seen:,} lines of {USERS:,} users at most")
        for (user,), count in busiest:
            print(f"{count:6}  {user}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400_000)
