"""Mark every entry of a store: in short transactions, and as a map of all changes in one.

    python docs/examples/store_states.py [entries]

Leaves nothing behind. Runs under a budget of 32 MiB.
"""

from __future__ import annotations

import sys
import tempfile
from typing import Literal

import msgspec

import flatwater as fw

ENTRIES = 200_000


class File(msgspec.Struct, array_like=True):
    """What a sync knows of one file."""

    size: int
    etag: str
    state: Literal["synced", "unseen"]


def fill(store: fw.Store, entries: int) -> None:
    """Keys of about 60 bytes, values of about 50; a thousand in each transaction."""
    for start in range(0, entries, 1000):
        numbers = range(start, min(start + 1000, entries))
        store.write(
            [((f"photos/2026/{n % 12 + 1:02}/camera-{n % 7}/", n), File(n, f"{n:032x}", "synced")) for n in numbers]
        )


def unseen(_key: fw.store.keys.Key, file: File) -> File | None:
    """The next state; None leaves the entry alone. A second call changes nothing."""
    return msgspec.structs.replace(file, state="unseen") if file.state == "synced" else None


def main(entries: int) -> None:
    """Measure both ways."""
    with (
        fw.Budget("32 MiB"),
        tempfile.TemporaryDirectory() as folder,
        fw.Store(f"{folder}/state", sync="off", type=File) as store,
    ):
        fill(store, entries)

        start = fw.usage().anon
        with fw.measure("short") as short:
            done = store.update_each(unseen)
        print(
            f"short transactions  {done.changed:,} changed, {fw.units.format_bytes(short.peak_anon - start)} above the start"
        )

        with fw.measure("all") as hungry:
            changes = {
                key: msgspec.structs.replace(file, state="synced") for batch in store.batches() for key, file in batch
            }
        print(f"a map of all        {len(changes):,} collected, {fw.units.format_bytes(hungry.peak_anon - start)}")
        try:
            store.write(changes)
        except (fw.errors.BudgetExceeded, fw.errors.UsageError) as error:
            print(f"and in one write    {type(error).__name__}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES)
