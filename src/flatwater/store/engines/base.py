"""What a store asks of the library that keeps its bytes.

Covers:     the interface of an engine, what goes in and out of it, dividing keys that are walked over.
Not here:   the engines, keys as tuples (`store.keys`), which keys are whose (`store.partition`).
Holds:      nothing.

An engine knows one ordered space of bytes. `mark` is a version of that space: two equal marks mean that nothing was
committed between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Write = tuple[bytes, bytes | None]
Raw = tuple[bytes, bytes]
Group = tuple[bytes, Sequence[Write]]  # the head of a partition, and what is written to it
SYSTEM = b"\x02\x02\x02"  # the head of the store's own entries
HEAD_BYTES = 3  # of every head
ABOVE = b"\xff"  # behind a head: the end of its partition
ENTRY_BYTES = 300  # heap bytes of an entry beside its key and value: two tuples, a list's slot, four objects' headers
UNKNOWN = -1  # a mark that equals none: compare what was read


@dataclass(slots=True)
class Page:
    """Entries of one short transaction.

    Attributes:
        entries: keys and values, ascending, or descending for a page that was asked for in reverse.
        is_last: nothing follows in the range.
        mark: the version that it was read at.
    """

    entries: list[Raw]
    is_last: bool
    mark: int


@dataclass(frozen=True, slots=True)
class Reader:
    """A read transaction that is open.

    Attributes:
        process: its id.
        age_s: seconds for which it has been seen; None where that is not known.
        commits_behind: what was committed since it began; the pages of these stay taken.
    """

    process: int
    age_s: float | None
    commits_behind: int


@dataclass(frozen=True, slots=True)
class Room:
    """How much a store takes on disk and in memory, in bytes.

    Attributes:
        file_bytes: of all files.
        used_bytes: of what is in use in them; the rest is free for new entries, or goes with `compact()`.
        entries: how many there are, or about.
        held: what the engine holds in memory, by name.
        notes: facts by name, for people.
    """

    file_bytes: int
    used_bytes: int
    entries: int
    held: dict[str, int] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


class Engine(Protocol):
    """One ordered space of bytes, on disk. Thread-safe."""

    def bytes_max(self) -> int:
        """The most it holds in memory, in bytes, beside pages of the file that the system may take back."""
        ...

    def write_bytes_max(self, rows: int, size: int) -> int:
        """The most that a write of so many entries takes in memory, with so many bytes in keys and values."""
        ...

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
        ...

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values, all of one version."""
        ...

    def page(self, low: bytes, high: bytes, *, rows: int, bytes_max: int, reverse: bool) -> Page:
        """Entries with low <= key < high, from the near end, as many as fit; at least one, if there is one.

        Args:
            low: the first key.
            high: the key behind the last one.
            rows: entries at most.
            bytes_max: heap bytes at most, of keys and values.
            reverse: begin at the far end.
        """
        ...

    def write(self, groups: Sequence[Group]) -> int:
        """Put and delete, all or nothing; the last of several for one key holds. Returns the mark afterwards."""
        ...

    def replace(
        self, head: bytes, keys: Sequence[bytes], olds: Sequence[bytes], news: Sequence[bytes | None], since: int
    ) -> tuple[int, list[int]]:
        """Put `news` in place of `olds` in one transaction, where these still stand; None deletes.

        Args:
            head: of the partition, which all keys have.
            keys: in ascending or descending order, each once.
            olds: what was read.
            news: what is to be there.
            since: the mark at which `olds` stood there; if it is still the mark, nothing is compared.

        Returns:
            The mark afterwards, or `UNKNOWN` if others committed since: what else was read then has to be compared, too. And
            the numbers of those that others had changed, which were left.
        """
        ...

    def alter(self, function: Callable[[Callable[[bytes], bytes | None]], Sequence[Group]]) -> None:
        """Write what `function` returns, which may read with what it is given; nothing comes between."""
        ...

    def borders(self, low: bytes, high: bytes, parts: int) -> list[bytes]:
        """Keys that divide a range into about equal parts, at most `parts - 1` of them."""
        ...

    def count(self, head: bytes, low: bytes, high: bytes) -> int:
        """About how many entries a range of the partition `head` has."""
        ...

    def room(self) -> Room:
        """What it takes."""
        ...

    def readers(self) -> list[Reader]:
        """Read transactions that are open now, oldest first."""
        ...

    def compact(self) -> None:
        """Give free room on disk back to the system."""
        ...

    def backup(self, path: str) -> None:
        """Write a whole copy, of one version, to a directory that does not exist yet."""
        ...

    def check(self) -> list[str]:
        """What is wrong with the files, in words."""
        ...

    def sync(self) -> None:
        """Make everything durable that was written."""
        ...

    def trim(self) -> None:
        """Give memory back that is not needed now."""
        ...

    def close(self) -> None:
        """End; more than once does no harm."""
        ...


def divided(pages: Iterable[list[bytes]], parts: int) -> list[bytes]:
    """Keys that divide all of `pages` into about equal parts, to within 3 %; at most `parts - 1` of them."""
    step = 1
    kept: list[bytes] = []
    seen = 0
    for keys in pages:
        kept += keys[-seen % step :: step]
        seen += len(keys)
        while len(kept) >= parts * 64:
            del kept[1::2]
            step *= 2
    found = [kept[round(part * len(kept) / parts)] for part in range(1, parts)] if len(kept) >= parts else kept[1:]
    return sorted(set(found))
