"""What a store takes, on disk and in memory, and who reads it: figures, and a table for people.

Covers:     sizes, entries, partitions, bytes promised and held, read transactions by age.
Not here:   what the process takes as a whole (`meter`).
Holds:      the figures.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, final

from flatwater import limits, units
from flatwater.store.engines import base

if TYPE_CHECKING:
    from flatwater.store.store import Store


@final
@dataclass(frozen=True, slots=True)
class Stats:
    """Figures of one moment.

    Attributes:
        path: of the store.
        backend: "lmdb" or "rocksdb".
        sync: the level it was opened with.
        format: of its files.
        file_bytes: of all files.
        used_bytes: in use in them.
        entries: of all partitions, or about.
        partitions: how many there are.
        promised_bytes: taken from the budget.
        held: what the engine says it holds in memory, by name.
        readers: read transactions that are open, oldest first.
        notes: facts of the engine.
    """

    path: str
    backend: str
    sync: str
    format: int
    file_bytes: int
    used_bytes: int
    entries: int
    partitions: int
    promised_bytes: int
    held: dict[str, int]
    readers: list[base.Reader]
    notes: dict[str, Any]

    @property
    def free_bytes(self) -> int:
        """Of the files, for new entries or for `compact()`."""
        return max(0, self.file_bytes - self.used_bytes)

    @property
    def old_readers(self) -> list[base.Reader]:
        """Those that are open for longer than limits.STORE_READER_OLD_S: what they read cannot be used again meanwhile."""
        return [reader for reader in self.readers if (reader.age_s or 0) >= limits.STORE_READER_OLD_S]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "free_bytes": self.free_bytes}

    def __str__(self) -> str:
        size = units.format_bytes
        lines = [
            f"store       {self.path}",
            f"backend     {self.backend}, sync {self.sync}, format {self.format}",
            f"on disk     {size(self.file_bytes)}, of which {size(self.free_bytes)} free",
            f"entries     {self.entries:,} in {self.partitions:,} partitions",
            f"promised    {size(self.promised_bytes)} of memory",
        ]
        lines += [f"  {name:<24}{size(held)}" for name, held in self.held.items()]
        lines += [
            f"{name.replace('_', ' '):<24}{value:,}" if isinstance(value, int) else f"{name:<24}{value}"
            for name, value in self.notes.items()
        ]
        for reader in self.readers:
            age = "" if reader.age_s is None else f", seen for {reader.age_s:.0f} s"
            old = "  (old: it keeps free room from being used)" if reader in self.old_readers else ""
            lines.append(f"reader      process {reader.process}{age}, {reader.commits_behind:,} commits behind{old}")
        return "\n".join(lines)


def stats_of(store: Store) -> Stats:
    """The figures of an open store."""
    engine = store._space.engine  # noqa: SLF001 - the same floor
    room = engine.room()
    return Stats(
        path=store.path, backend=store.backend, sync=store.sync_level, format=store._directory.description.format,  # noqa: SLF001
        file_bytes=room.file_bytes, used_bytes=room.used_bytes, entries=room.entries,
        partitions=sum(1 for _name in store._space.names()), promised_bytes=engine.bytes_max(), held=room.held,  # noqa: SLF001
        readers=engine.readers(), notes=room.notes,
    )  # fmt: skip
