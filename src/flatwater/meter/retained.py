"""Why a process stays large after its objects are gone: what is live, pinned, kept, and mapped; what gives each back.

Covers:     the resident size of this process, split into parts that sum up to it; giving back what can be given.
Not here:   who holds the live objects (`meter.snapshot`), watching it over time (`watch`).
Holds:      nothing.

Sources: CPython Objects/obmalloc.c (an arena goes back only when no object in it lives), malloc_trim(3). Measured: 300 000
dicts freed but 0.5 % of them kept 81 of 86 MiB of arenas; 60 000 strings of 2 000 bytes freed but 1 % kept 117 MiB in
malloc, which malloc_trim gave back.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import NamedTuple, final

from flatwater import units
from flatwater.meter import allocators, probe


class Part(NamedTuple):
    """A part of the resident size: its name, bytes, and what gives it back."""

    name: str
    bytes: int
    remedy: str


@final
@dataclass(frozen=True, slots=True)
class Retention:
    """The resident size of this process, by why it is there. Bytes, -1 where the platform does not tell.

    Attributes:
        rss: resident: the sum of the six parts.
        live: in Python objects and malloc blocks that the program has not freed.
        pinned: free room in arenas of Python's object allocator that cannot go back, because an object in each lives.
        kept: freed pages that malloc keeps for later; `trim` gives most of them back.
        file: pages of mapped files, among them the interpreter and its libraries.
        shared: memory that no file backs and other processes can map; the kernel cannot take it back.
        other: the rest: stacks, the interpreter's static data, other allocators, what the estimates miss.
        swap: swapped out, beside the resident size.
        doubt: what cannot be told on this platform; empty on Linux with glibc.
    """

    rss: int
    live: int
    pinned: int
    kept: int
    file: int
    shared: int
    other: int
    swap: int
    doubt: str

    @property
    def parts(self) -> tuple[Part, ...]:
        """Those that are known, each with what gives it back."""
        rows = (
            Part("live", self.live, "drop references (fw.snapshot() tells the types), then collect"),
            Part(
                "pinned",
                self.pinned,
                "nothing while survivors live: drop them, or run such work in a worker",
            ),
            Part("kept", self.kept, "fw.trim()"),
            Part("file", self.file, "the kernel takes them back when it needs memory"),
            Part("shared", self.shared, "unmapping the segment, and unlinking it where it has a name"),
            Part("other", self.other, "ends with the process"),
        )
        return tuple(row for row in rows if row.bytes >= 0)

    def to_dict(self) -> dict[str, object]:
        """For JSON; unknown sizes are None."""
        names = ("rss", "live", "pinned", "kept", "file", "shared", "other", "swap")
        figures: dict[str, object] = {name: value if (value := getattr(self, name)) >= 0 else None for name in names}
        figures["doubt"] = self.doubt
        return figures

    def __str__(self) -> str:
        lines = [f"resident {units.format_bytes(self.rss)}", "  part         bytes  share  what gives it back"]
        for part in self.parts:
            share = f"{part.bytes / self.rss:4.0%}" if self.rss else "   -"
            lines.append(f"  {part.name:<7} {units.format_bytes(part.bytes):>10}  {share}  {part.remedy}")
        if self.swap > 0:
            lines.append(f"  beside it, {units.format_bytes(self.swap)} are swapped out")
        if self.doubt:
            lines.append(f"  {self.doubt}")
        return "\n".join(lines)


@final
@dataclass(frozen=True, slots=True)
class Trimmed:
    """What `trim` got. `int(trimmed)` is `returned`.

    Attributes:
        before: anonymous bytes (resident where the platform does not tell).
        after: the same, afterwards.
        collected: objects that the garbage collector freed.
        words: what happened, and what is left to do.
    """

    before: int
    after: int
    collected: int
    words: str

    @property
    def returned(self) -> int:
        """Bytes that went back to the operating system; 0 if the process grew meanwhile."""
        return max(0, self.before - self.after)

    def __int__(self) -> int:
        return self.returned

    def __str__(self) -> str:
        return self.words


def retention() -> Retention:
    """Split the resident size of this process by why it is there. Costs about 0.2 ms, and 10 us for each MiB of arenas.

    `kept` is an estimate: malloc counts pages it has already given back as free, so it is bounded by what the operating
    system sees. Large blocks that were never touched are not resident, and count where the rest leaves room.

    >>> why = retention()
    >>> sum(part.bytes for part in why.parts) == why.rss
    True
    """
    seen = probe.usage()
    arenas, malloc = allocators.arenas(), allocators.malloc()
    unknown = []
    if arenas.held < 0:
        unknown.append("Python's allocator does not tell what it holds")
    if malloc.used < 0:
        unknown.append("the C library does not tell what it keeps")
    if seen.anon < 0:
        unknown.append("the platform does not tell anonymous from file pages")
        return Retention(seen.rss, -1, -1, -1, -1, -1, seen.rss, seen.swap, "; ".join(unknown))
    # Booked from the surest to the least sure, each bounded by what is left of what the operating system saw.
    left = seen.anon
    pinned = min(max(0, arenas.free), left)
    left -= pinned
    live = min(max(0, arenas.used) + max(0, malloc.used - malloc.mapped), left)
    left -= live
    kept = min(max(0, malloc.free), left)
    left -= kept
    mapped = min(max(0, malloc.mapped), left)  # last: large blocks that were never touched are not resident
    live += mapped
    left -= mapped
    shared = max(0, seen.shmem)
    return Retention(
        rss=seen.rss,
        live=live,
        pinned=pinned if arenas.held >= 0 else -1,
        kept=kept if malloc.free >= 0 else -1,
        file=seen.rss - seen.anon - shared,
        shared=shared,
        other=left,
        swap=seen.swap,
        doubt="; ".join(unknown),
    )


def trim(*, collect: bool = True) -> Trimmed:
    """Give back to the operating system what can be given, and say what it got.

    Collects garbage, then has malloc return its free pages (glibc's malloc_trim, about 0.4 ms and 50 us for each MiB
    returned). Arenas that are pinned by survivors stay, and it is said.

    Args:
        collect: collect garbage first.

    >>> int(trim()) >= 0
    True
    """
    before = _size()
    collected = gc.collect() if collect else 0
    happened = allocators.malloc_trim()
    after = _size()
    words = f"gave back {units.format_bytes(max(0, before - after))} of {units.format_bytes(before)}"
    if happened is None:
        words += "; the C library has no malloc_trim, so only collection was tried"
    why = retention()
    if why.pinned > max(before - after, _WORTH_SAYING):
        words += (
            f"; {units.format_bytes(why.pinned)} are pinned in arenas by objects that live among the freed ones: "
            "drop those, or do such work in a worker process"
        )
    return Trimmed(before, after, collected, words)


_WORTH_SAYING = 1 << 20  # a fresh interpreter pins less


def _size() -> int:
    seen = probe.usage()
    return seen.anon if seen.anon >= 0 else seen.rss
