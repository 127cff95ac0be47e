"""Mark every entry of a store: in one long transaction that collects, and in short ones that write as they go.

Covers:     the update of a sync's state, in both forms.
Not here:   the store (`tour.lab.inputs`), what was measured, and what it means (`tour.lab.states`).
Holds:      `collected` a change for every entry; `marked` what was read at a time, and the changes of one transaction.
"""

from __future__ import annotations

from flatwater.store.store import Store

IMPORTS = ("flatwater.store.engines.lmdb", "flatwater.store.engines.long_keys", "asyncio")
STATES = 256
WHOLE = "64 MiB"  # is more than all entries take


def collected(path: str, entries: int) -> int:
    """Reads all entries in one transaction, collects what changes, and writes it in another one."""
    changes: dict[tuple[str, ...], bytes] = {}
    with Store(path, sync="off") as store:
        for batch in store.batches(rows=max(1, entries), bytes=WHOLE):  # one batch is one transaction
            for key, value in batch:
                changes[key] = next_state(value)
        store.write(changes)
    return len(changes)


def marked(path: str, read_rows: int, write_rows: int) -> int:
    """Reads some, writes some, goes on: no transaction is open while the next one waits."""
    with Store(path, sync="off") as store:
        done = store.update_each(lambda _key, value: next_state(value), rows=read_rows, write_rows=write_rows)
    return done.changed


def next_state(value: bytes) -> bytes:
    """The same value with another last byte, so that every entry changes, every time."""
    return value[:-1] + bytes(((value[-1] + 1) % STATES,))
