"""Which types of objects live in this process, how many, and how many bytes: before, after, and the difference.

Covers:     every object the collector tracks, and the strings, bytes and numbers that they and the local variables of
            running functions refer to, counted once.
Not here:   who holds them (`proof`'s leak finder), native memory (`meter.retention`).
Holds:      one row for each type, never a reference to an object; while it counts, about 60 bytes for each object that
            the collector does not track.
"""

from __future__ import annotations

import gc
import inspect
import sys
import threading
import time
from dataclasses import dataclass
from types import FrameType
from typing import NamedTuple, final

from flatwater import errors, limits, units


class Row(NamedTuple):
    """One type: its name, how many objects, and their bytes (shallow)."""

    type_name: str
    objects: int
    bytes: int


@final
@dataclass(frozen=True, slots=True)
class Snapshot:
    """The objects of this process by type, at one moment.

    Attributes:
        rows: by bytes, largest first.
        complete: False if counting ended at `limits.SNAPSHOT_OBJECTS_MAX` objects.
        took_s: seconds the program stood still for it.
    """

    rows: tuple[Row, ...]
    complete: bool
    took_s: float

    @property
    def objects(self) -> int:
        """How many were counted."""
        return sum(row.objects for row in self.rows)

    @property
    def bytes(self) -> int:
        """The sum of their shallow sizes."""
        return sum(row.bytes for row in self.rows)

    def diff(self, later: Snapshot) -> Difference:
        """What changed from this one to `later`.

        Raises:
            UsageError: `later` is no snapshot.
        """
        if not isinstance(later, Snapshot):
            raise errors.UsageError(f"{type(later).__name__} is no snapshot.", hint="Write before.diff(after).")
        before = {row.type_name: row for row in self.rows}
        after = {row.type_name: row for row in later.rows}
        changed = []
        for name in before.keys() | after.keys():
            old, new = before.get(name, Row(name, 0, 0)), after.get(name, Row(name, 0, 0))
            if old != new:
                changed.append(Row(name, new.objects - old.objects, new.bytes - old.bytes))
        changed.sort(key=lambda row: (-row.bytes, -row.objects, row.type_name))
        return Difference(tuple(changed), complete=self.complete and later.complete)

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"complete": self.complete, "took_s": self.took_s, "types": [row._asdict() for row in self.rows]}

    def __str__(self) -> str:
        title = f"{self.objects:,} objects, {units.format_bytes(self.bytes)}" + _partial(complete=self.complete)
        return "\n".join([title, *_table(self.rows, signed=False)])


@final
@dataclass(frozen=True, slots=True)
class Difference:
    """What changed between two snapshots.

    Attributes:
        rows: types that changed, with the change in number and bytes; largest growth first.
        complete: False if one of the two was cut short: then a growth may be one of order only.
    """

    rows: tuple[Row, ...]
    complete: bool

    @property
    def grown(self) -> tuple[Row, ...]:
        """Only what there is more of."""
        return tuple(row for row in self.rows if row.bytes > 0 or row.objects > 0)

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"complete": self.complete, "types": [row._asdict() for row in self.rows]}

    def __str__(self) -> str:
        count, size = sum(row.objects for row in self.rows), sum(row.bytes for row in self.rows)
        sign = "+" if size > 0 else ""
        title = f"{count:+,} objects, {sign}{units.format_bytes(size)}" + _partial(complete=self.complete)
        return "\n".join([title, *_table(self.rows, signed=True)])


def snapshot(*, collect: bool = True) -> Snapshot:
    """Count the objects of this process by type.

    The program stands still for 1 to 3 us an object. Sizes are shallow, so that no byte counts twice. Not seen: objects
    that `gc.freeze` set apart, values that an expression holds only while it is worked out, and, below a debugger, a
    profiler or coverage, what local variables alone hold.

    Args:
        collect: collect garbage first, so that only what lives is counted.

    >>> before = snapshot()
    >>> kept = [{"n": n} for n in range(10_000)]
    >>> after = snapshot()
    >>> next(row.objects for row in before.diff(after).rows if row.type_name == "dict") > 9_000
    True
    """
    if collect:
        gc.collect()
    began_s = time.perf_counter()
    counts: dict[type, list[int]] = {}
    values, all_frames = _local_values(sys._getframe(1))  # noqa: SLF001 - frames have no other door
    # Nothing below may create tracked objects for each one counted, or the count would count itself.
    tracked = gc.get_objects()
    complete = all_frames and len(tracked) <= limits.SNAPSHOT_OBJECTS_MAX
    if not complete:
        del tracked[limits.SNAPSHOT_OBJECTS_MAX :]
    complete = _count(tracked, values, counts) and complete
    tracked.clear()
    values.clear()
    rows = [Row(_name(kind), count, size) for kind, (count, size) in counts.items()]
    merged: dict[str, Row] = {}
    for row in rows:
        known = merged.get(row.type_name)
        merged[row.type_name] = Row(row[0], row[1] + known[1], row[2] + known[2]) if known else row
    by_size = sorted(merged.values(), key=lambda row: (-row.bytes, -row.objects, row.type_name))
    return Snapshot(tuple(by_size), complete, time.perf_counter() - began_s)


def _count(tracked: list[object], values: list[object], counts: dict[type, list[int]]) -> bool:
    """Enter all objects, and what they or `values` refer to that the collector does not track; False if too many."""
    seen: set[int] = set()
    is_tracked, referents = gc.is_tracked, gc.get_referents
    untracked_max = limits.SNAPSHOT_OBJECTS_MAX - len(tracked)
    own = (id(tracked), id(counts), id(seen))
    for obj in tracked:
        kind = type(obj)
        if obj is not values:  # a list that is tracked like all others, but ours
            if id(obj) in own or kind in _OWN:
                continue
            _enter(obj, kind, counts)
        if kind in _WITHOUT_CONTENT:
            continue
        todo = [child for child in referents(obj) if id(child) not in seen and not is_tracked(child)]
        while todo:  # an untracked tuple or dict may hold more of its kind
            child = todo.pop()
            if id(child) in seen:
                continue
            if len(seen) >= untracked_max:
                return False
            seen.add(id(child))
            kind = type(child)
            _enter(child, kind, counts)
            if kind in _UNTRACKED_CONTAINERS:
                todo += [deeper for deeper in referents(child) if not is_tracked(deeper)]
    return True


def _local_values(mine: FrameType | None) -> tuple[list[object], bool]:
    """What local variables of running functions hold: the collector does not see it. False if there were too many.

    Before Python 3.13 a frame keeps what it is asked for, and would keep the values alive: it is emptied again, unless the
    program has got hold of it itself (`locals()`). A debugger's or profiler's frames are written back from there: those
    are not asked.
    """
    values: list[object] = []
    if sys.gettrace() or sys.getprofile() or threading.gettrace() or threading.getprofile():
        return values, True
    frames = sys._current_frames()  # noqa: SLF001 - the documented name
    frames.pop(threading.get_ident(), None)
    looked_at = 0
    for innermost in (mine, *frames.values()):
        frame = innermost
        while frame is not None:
            looked_at += 1
            if looked_at > _FRAMES_MAX:
                return values, False
            if frame.f_code.co_flags & inspect.CO_OPTIMIZED:  # others' variables are in a dict that is seen
                kept = frame.f_locals
                values += kept.values()
                if type(kept) is dict and sys.getrefcount(kept) == _REFERENCES_OF_FRAME_AND_HERE:
                    kept.clear()
            frame = frame.f_back
    return values, True


_FRAMES_MAX = 10_000  # looked at for local variables; 64 bytes and more each before Python 3.13, until they end
_REFERENCES_OF_FRAME_AND_HERE = 3  # the frame's, the variable's and the argument's
_OWN = frozenset((Row, Snapshot, Difference))  # what earlier snapshots keep is no growth of the program
_WITHOUT_CONTENT = frozenset((type(len), type("".__len__), type(str.__len__)))  # builtins refer to modules and names
_UNTRACKED_CONTAINERS = frozenset((tuple, dict, frozenset))


def _enter(obj: object, kind: type, counts: dict[type, list[int]]) -> None:
    try:
        size = sys.getsizeof(obj)
    except Exception:  # noqa: BLE001 - somebody's __sizeof__ is broken
        size = 0
    entry = counts.get(kind)
    if entry is None:
        counts[kind] = [1, size]
    else:
        entry[0] += 1
        entry[1] += size


def _name(kind: type) -> str:
    module = getattr(kind, "__module__", "")
    return (
        kind.__qualname__
        if module in ("builtins", "") or not isinstance(module, str)
        else f"{module}.{kind.__qualname__}"
    )


def _partial(*, complete: bool) -> str:
    return "" if complete else f" (only the first {limits.SNAPSHOT_OBJECTS_MAX:,} objects were counted)"


def _table(rows: tuple[Row, ...], *, signed: bool) -> list[str]:
    shown = rows[: limits.SNAPSHOT_ROWS_SHOWN]
    lines = [f"  {'objects':>12}  {'bytes':>10}  type"]
    for row in shown:
        count = f"{row.objects:+,}" if signed else f"{row.objects:,}"
        sign = "+" if signed and row.bytes > 0 else ""
        lines.append(f"  {count:>12}  {sign + units.format_bytes(row.bytes):>10}  {row.type_name}")
    if len(rows) > len(shown):
        lines.append(f"  and {len(rows) - len(shown)} more types; .rows has them all")
    return lines
