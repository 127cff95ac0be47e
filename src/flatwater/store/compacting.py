"""When rewriting the files pays, and what it gave back.

Covers:     a policy by free room, the room for the new file, locking others out.
Not here:   rewriting (`store.engines`).
Holds:      nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from flatwater import errors, limits, units
from flatwater.store.directory import Directory
from flatwater.store.engines import base


@final
@dataclass(frozen=True, slots=True)
class Policy:
    """When compacting is worth its time.

    Attributes:
        free_share: of the files that is not in use: free pages, and room in pages that deletions left.
        bytes_min: of what would come back, or a text such as "1 MiB"; less is not worth it.
    """

    free_share: float = limits.STORE_COMPACT_SHARE
    bytes_min: int = limits.STORE_COMPACT_BYTES_MIN

    def __post_init__(self) -> None:
        is_number = isinstance(self.free_share, (int, float)) and not isinstance(self.free_share, bool)
        if not is_number or not 0 <= self.free_share < 1:
            raise errors.UsageError(
                f"free_share={self.free_share!r} is no share.", hint="Give a number below 1, such as 0.2."
            )
        object.__setattr__(self, "bytes_min", errors.bytes_of(self.bytes_min, what="bytes_min"))

    def reason(self, room: base.Room) -> str:
        """Why it pays; empty if it does not."""
        free = room.file_bytes - room.used_bytes
        if free <= 0 or free < self.bytes_min or free < self.free_share * room.file_bytes:
            return ""
        return f"{free / room.file_bytes:.0%} of the file are free"


@final
@dataclass(frozen=True, slots=True)
class Compacted:
    """What `compact` did.

    Attributes:
        is_done: whether the files were rewritten.
        reason: why, or why not.
        before_bytes: of the files.
        after_bytes: of the files.
    """

    is_done: bool
    reason: str
    before_bytes: int
    after_bytes: int

    def __str__(self) -> str:
        if not self.is_done:
            return f"not compacted: {self.reason}"
        before, after = units.format_bytes(self.before_bytes), units.format_bytes(self.after_bytes)
        return f"compacted, because {self.reason}: {before} before, {after} after"


def compacted(engine: base.Engine, directory: Directory, policy: Policy | None) -> Compacted:
    """Compact, if the policy says so."""
    if policy is not None and not isinstance(policy, Policy):
        raise errors.UsageError(f"{policy!r} is no policy.", hint="Pass Policy(free_share=0.2), say, or nothing.")
    room = engine.room()
    reason = "it was asked for" if policy is None else policy.reason(room)
    if not reason:
        free = units.format_bytes(max(0, room.file_bytes - room.used_bytes))
        return Compacted(
            is_done=False, reason=f"only {free} are free", before_bytes=room.file_bytes, after_bytes=room.file_bytes
        )
    with directory.exclusive("compact it"):
        engine.compact()
    after = engine.room().file_bytes
    return Compacted(is_done=True, reason=reason, before_bytes=room.file_bytes, after_bytes=after)
