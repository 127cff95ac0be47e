"""A walk that is killed in the middle, and goes on where it was: the result and the place are written together.

    python docs/examples/store_resume.py

Leaves nothing behind. Runs under a budget of 32 MiB.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import flatwater as fw

ENTRIES = 10_000
BATCH = 500


def fill(path: str) -> None:
    """Orders of three customers."""
    with fw.Store(path, sync="off", type=int) as store:
        orders = store.partition("orders", type=int)
        orders.write([((n,), n % 3) for n in range(ENTRIES)])


def count(path: str, die_at: int) -> None:
    """Orders of each customer. Each batch's counts and the place behind it are one transaction: all of it or nothing."""
    with fw.Budget("32 MiB"), fw.Store(path) as store:
        orders, counts = store.partition("orders", type=int), store.partition("counts", type=int)
        progress = store.partition("progress", type=int)
        place = progress.get(("place",))
        batches = orders.batches(rows=BATCH, start=None if place is None else (place,))
        print(f"from {place}")
        for batch in batches:
            if 0 <= die_at <= batch[0][0][0]:
                os.kill(os.getpid(), 9)
            found = dict(enumerate(counts.get_many([(0,), (1,), (2,)])))
            for _key, customer in batch:
                found[customer] = (found[customer] or 0) + 1
            place = batch[-1][0][0] + 1
            store.write_to({counts: [((n,), count) for n, count in found.items()], progress: [(("place",), place)]})
        print(f"counts {counts.get_many([(0,), (1,), (2,)])}")


def main() -> None:
    """Kill it, and call it again."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "shop")
        fill(path)
        for die_at in (6_000, -1):
            done = subprocess.run([sys.executable, __file__, path, str(die_at)], check=False)
            print(f"ended with {done.returncode}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        count(sys.argv[1], int(sys.argv[2]))
    else:
        main()
