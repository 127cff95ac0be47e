"""How many entries each partition has: what a transaction added, noted in the file now and then.

Covers:     counting by LMDB's own number of entries, notes that are written with other changes.
Not here:   counting keys of a range (`engines.lmdb`).
Holds:      a number for each partition that changed since the last note.

Between two notes a crash makes the estimate a little worse, and nothing else. Two processes add to the same note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from flatwater.store.engines import base

if TYPE_CHECKING:
    import lmdb

_COUNT = base.SYSTEM + b"\x01count"  # no tuple begins so: it is in nobody's range
_NOTE_ROWS = 100  # of one transaction, or so many small transactions, and a note is written with it


@final
class Counts:
    """Of one open file; the writer's lock is held for whatever changes it."""

    def __init__(self) -> None:
        self._unnoted: dict[bytes, int] = {}
        self._added: dict[bytes, int] = {}  # by the transaction at work
        self._commits = 0
        self._is_noted = False

    def begin(self) -> None:
        """A transaction begins, or begins again."""
        self._added = {}
        self._is_noted = False

    def add(self, head: bytes, added: int, rows: int) -> None:
        """A partition won entries, with so many writes."""
        if added:
            self._added[head] = self._added.get(head, 0) + added
        if rows >= _NOTE_ROWS:
            self._commits = _NOTE_ROWS

    def note(self, txn: lmdb.Transaction[Any], *, at_once: bool = False) -> None:
        """Write the note, if it is time, as the transaction's last act."""
        if self._commits < _NOTE_ROWS and not at_once:
            return
        for counts in (self._unnoted, self._added):
            for head, added in counts.items():
                entries = int.from_bytes(txn.get(_COUNT + head) or b"", "big") + added
                txn.put(_COUNT + head, max(0, entries).to_bytes(8, "big"))
        self._is_noted = True

    def committed(self) -> None:
        """The transaction is durable, with its note if it wrote one."""
        if self._is_noted:
            self._unnoted = {}
            self._commits = 0
            return
        self._commits += 1
        for head, added in self._added.items():
            self._unnoted[head] = self._unnoted.get(head, 0) + added

    @property
    def is_complete(self) -> bool:
        """Whether the file has it all."""
        return not any(self._unnoted.values())

    def of(self, head: bytes, noted: bytes | None) -> int:
        """How many entries a partition has, with what the file says."""
        return max(0, int.from_bytes(noted or b"", "big") + self._unnoted.get(head, 0))


def note_key(head: bytes) -> bytes:
    """Where the note about a partition stands."""
    return _COUNT + head
