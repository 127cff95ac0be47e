"""What a subscription gives: rows of a snapshot, and changes.

Covers:     the operations by name, rows that are read from their JSON when they are asked for.
Not here:   which events come (`live.following`).
Holds:      the JSON of a row or two, shared by all who follow.
"""

from __future__ import annotations

from typing import Final, final

import msgspec

from flatwater.live.log import DELETE, INSERT, UPDATE
from flatwater.live.schema import Row, Schema

SNAPSHOT, RESET = 0, 4
OPS: Final = {SNAPSHOT: "snapshot", INSERT: "insert", UPDATE: "update", DELETE: "delete", RESET: "reset"}

_encode = msgspec.json.Encoder().encode

Names = tuple[tuple[str, str], ...] | None  # columns as they are called, and in the table; None for all


def json_of(stored: bytes | None, schema: Schema, names: Names) -> bytes | None:
    """The JSON of a row with columns as they are asked for, of the JSON that is stored."""
    if stored is None or (names is None and not schema.is_changed):
        return stored
    row = schema.decode(stored)
    return _encode(row if names is None else {called: row[name] for called, name in names})


@final
class Event:
    """A row of a snapshot, or a change. Immutable; the JSON is shared by all who follow, and read when it is asked for.

    Attributes:
        op: "snapshot", "insert", "update", "delete"; "reset": what came before no longer holds, a snapshot follows.
        seq: number of the change, or of the moment of the snapshot: what `since=` goes on from.
        row: the row, for a "delete" the one that was deleted or left the condition; None for a "reset".
        old: the row before an "update", or the one of a "delete"; else None.
    """

    __slots__ = ("_names", "_new", "_old", "_schema", "op", "seq")

    def __init__(
        self, op: int, seq: int, schema: Schema, names: Names, new: bytes | None, old: bytes | None = None
    ) -> None:
        self.op = OPS[op]
        self.seq = seq
        self._schema = schema
        self._names = names
        self._new = new
        self._old = old

    @property
    def row(self) -> Row | None:
        """As a dict of its own."""
        return self._decoded(self._new)

    @property
    def old(self) -> Row | None:
        """The same."""
        return self._decoded(self._old)

    @property
    def size(self) -> int:
        """Bytes of the JSON as it stands in the table."""
        return len(self._new or b"") + len(self._old or b"") + 64

    @property
    def json(self) -> tuple[bytes | None, bytes | None]:
        """The JSON of `row` and of `old`: where the row is asked for as it stands in the table, the bytes that all share."""
        return json_of(self._new, self._schema, self._names), json_of(self._old, self._schema, self._names)

    def _decoded(self, json: bytes | None) -> Row | None:
        if json is None:
            return None
        row = self._schema.decode(json)
        return row if self._names is None else {called: row[name] for called, name in self._names}

    def __repr__(self) -> str:
        return f"<Event {self.op} {self.seq} {self.row!r:.200}>"
