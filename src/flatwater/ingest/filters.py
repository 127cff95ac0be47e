"""Conditions on the documents that a search may find: by source and by metadata.

Covers:     checking conditions, the SQL of them (values are parameters), the slots that they leave.
Not here:   searching (`searching`).
Holds:      the conditions; the bits of all slots that they leave, 1 MiB for 8 million.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, final

from flatwater import errors, limits
from flatwater.ingest.document import shown, whole
from flatwater.ingest.live import BYTES, bits_of

if TYPE_CHECKING:
    from flatwater.ingest.manifest import Manifest
    from flatwater.ingest.vectors import Vectors

SOURCE: Final = "source"
_SCALARS = (str, int, float, bool, type(None))


def of(where: Mapping[str, Any] | None) -> Filter:
    """The conditions as a filter.

    Raises:
        UsageError: they make no sense.
    """
    if where is not None and not isinstance(where, Mapping):
        raise errors.UsageError(
            f"where={where!r:.80} is no dict.", hint="Give names and values: where={'language': 'en'}."
        )
    conditions: list[tuple[str, tuple[Any, ...]]] = []
    for name, value in (where or {}).items():
        values = tuple(value) if isinstance(value, (list, tuple, set, frozenset)) else (value,)
        if (
            not isinstance(name, str)
            or not name
            or not all(isinstance(each, _SCALARS) for each in values)
            or not values
        ):
            raise errors.UsageError(
                f"where: {name!r:.80} = {value!r:.80} is no condition.",
                hint="Give a value, or a list of those that fit.",
            )
        if name == SOURCE and not all(isinstance(each, str) for each in values):
            raise errors.UsageError("where: source is a path, or a pattern such as '*.md'.")
        if name == SOURCE and any(len(each) > limits.INGEST_PATTERN_CHARS_MAX for each in values):
            raise errors.UsageError(
                f"where: a pattern has more than {limits.INGEST_PATTERN_CHARS_MAX:,} characters.",
                hint="Give a shorter one.",
            )
        conditions.append((name, values))
        if sum(len(each) for _name, each in conditions) > limits.INGEST_CONDITIONS_MAX:
            raise errors.UsageError(
                f"where has more than {limits.INGEST_CONDITIONS_MAX} values.",
                hint="Ask for fewer, or give the documents a name in their metadata that they have in common.",
            )
    return Filter(tuple(conditions))


@final
class Filter:
    """All conditions hold; of one with several values, one of them. False where there are none."""

    def __init__(self, conditions: tuple[tuple[str, tuple[Any, ...]], ...]) -> None:
        self._conditions = conditions

    def __bool__(self) -> bool:
        return bool(self._conditions)

    def sql(self, chunk: str) -> tuple[str, list[Any]]:
        """A condition on a chunk's number, and its values."""
        condition, values = self.of_documents()
        return (
            f"EXISTS (SELECT 1 FROM places p JOIN documents d ON d.id = p.document WHERE p.chunk = {chunk} AND {condition})",  # noqa: S608 - our words; values are parameters
            values,
        )

    def of_documents(self) -> tuple[str, list[Any]]:
        """A condition on a document `d`, and its values."""
        parts: list[str] = ["d.state = 1"]
        values: list[Any] = []
        for name, wanted in self._conditions:
            if name == SOURCE:
                parts.append("(" + " OR ".join("d.name GLOB ?" for _ in wanted) + ")")
                values += [_glob(shown(each)) for each in wanted]
                continue
            path = "$." + json.dumps(whole(name))
            each = []
            for value in wanted:
                if value is None:
                    each.append("json_type(d.metadata, ?) = 'null'")
                    values.append(path)
                else:
                    kinds = ("'true', 'false'" if isinstance(value, bool) else "'text'" if isinstance(value, str) else "'integer', 'real'")  # fmt: skip
                    each.append(f"(json_type(d.metadata, ?) IN ({kinds}) AND json_extract(d.metadata, ?) = ?)")
                    values += [path, path, _bound(value)]
            parts.append("(" + " OR ".join(each) + ")")
        return " AND ".join(parts), values

    def masks(self, table: Manifest, vectors: Vectors, count: int) -> Callable[[int], bytes | None]:
        """Which slots are left, of each block: live, and in a document that is meant."""
        import numpy as np

        condition, values = self.of_documents()
        rows = table.run(
            "SELECT p.chunk FROM documents d JOIN places p ON p.document = d.id "  # noqa: S608 - our words; values are parameters
            f"WHERE {condition}",
            values,
        )
        packed: dict[int, np.ndarray] = {}
        while chunks := list(islice(rows, limits.INGEST_STEP_ROWS)):
            slots = np.unique(vectors.slots_of(np.unique(np.array([row[0] for row in chunks], np.uint64)), count))
            slots = slots[slots >= 0]
            for block in np.unique(slots // limits.INGEST_BLOCK_SLOTS):
                bits = np.zeros(limits.INGEST_BLOCK_SLOTS, np.bool_)
                bits[slots[slots // limits.INGEST_BLOCK_SLOTS == block] % limits.INGEST_BLOCK_SLOTS] = True
                packed[int(block)] = packed.get(int(block), 0) | np.packbits(bits, bitorder="little")

        def mask(block: int) -> bytes | None:
            left = packed.get(block)
            if left is None:
                return b""
            return bytes(left & np.frombuffer(bits_of(table, block).ljust(BYTES, b"\0"), np.uint8))

        return mask


def _bound(value: str | float) -> str | float:
    """As SQLite has it in JSON: an integer of more than 64 bits is a real there."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return value


def _glob(pattern: str) -> str:
    """SQLite's GLOB is fnmatch's, but for how a set of letters is negated."""
    return pattern.replace("[!", "[^")
