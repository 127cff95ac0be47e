"""Which slots of the vectors are live: bits in the manifest, so that they belong to the same snapshot as the chunks.

Covers:     setting and clearing bits, writing the blocks that changed, reading one block.
Not here:   the vectors themselves (`vectors`), when a chunk dies (`writing`).
Holds:      a writer: the blocks that changed since the last commit, 4 KiB for each 32,768 slots.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from flatwater import limits

if TYPE_CHECKING:
    import numpy as np

    from flatwater.ingest.manifest import Manifest

BLOCK: Final = limits.INGEST_BLOCK_SLOTS
BYTES: Final = BLOCK // 8
_FULL = b"\xff" * BYTES


@final
class Live:
    """The bits of one generation of vectors. Bit `slot & 7` of byte `slot >> 3` of a block, the lowest first.

    Attributes:
        alive: how many are set.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._changed: dict[int, bytearray] = {}
        self.alive = int(manifest.meta("alive", 0))

    def mark(self, slots: np.ndarray, *, alive: bool) -> None:
        """Set or clear the bits of some slots, in any order; a slot below 0 is none."""
        import numpy as np

        slots = np.unique(slots[slots >= 0])
        for block in np.unique(slots // BLOCK):
            bits = np.unpackbits(np.frombuffer(self._bits(int(block)), np.uint8), bitorder="little")
            before = int(bits.sum())
            bits[slots[slots // BLOCK == block] % BLOCK] = alive
            self.alive += int(bits.sum()) - before
            self._changed[int(block)] = bytearray(np.packbits(bits, bitorder="little").tobytes())

    def flush(self) -> None:
        """Write what changed, into the transaction that is open."""
        rows = [(block, bytes(bits)) for block, bits in self._changed.items()]
        self._manifest.connection.executemany(
            "INSERT INTO live VALUES (?, ?) ON CONFLICT (block) DO UPDATE SET bits = excluded.bits", rows
        )
        self._manifest.set_meta(alive=self.alive)
        self._changed.clear()

    def begin_anew(self, slots: int) -> None:
        """Another generation: all of its first slots are live."""
        self._manifest.run("DELETE FROM live")
        self._changed.clear()
        self.alive = slots
        for block in range(-(-slots // BLOCK)):
            left = slots - block * BLOCK
            self._manifest.run("INSERT INTO live VALUES (?, ?)", (block, _first(min(left, BLOCK))))
        self._manifest.set_meta(alive=slots)

    def _bits(self, block: int) -> bytearray:
        return self._changed.get(block) or bytearray(bits_of(self._manifest, block))


def bits_of(manifest: Manifest, block: int) -> bytes:
    """The bits of a block, as a snapshot has them; none is set where nobody wrote it."""
    found: bytes | None = manifest.one("SELECT bits FROM live WHERE block = ?", (block,))
    return found or bytes(BYTES)


def is_set(bits: bytes, slot: int) -> bool:
    """Whether a slot is live, by the bits of its block."""
    return bool(bits[slot % BLOCK >> 3] >> (slot & 7) & 1)


def mask_of(manifest: Manifest, block: int) -> bytes | None:
    """The same for a scan: None where all are live, nothing where none is."""
    bits = bits_of(manifest, block)
    return None if bits == _FULL else bits if any(bits) else b""


def _first(count: int) -> bytes:
    """A block whose first bits are set."""
    whole, rest = divmod(count, 8)
    return (b"\xff" * whole + (bytes([(1 << rest) - 1]) if rest else b"")).ljust(BYTES, b"\0")
