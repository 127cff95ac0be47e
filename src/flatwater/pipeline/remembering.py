"""Digests of all keys that were seen, however many: the newest in memory, the others in sorted runs on disk.

Covers:     which digests are new, writing what does not fit, levels of runs, looking many digests up in a run.
Not here:   what a digest is (`pipeline.digests`), the stage (`pipeline.distinct`).
Holds:      a set of digests, and a bit or less for each on disk; while runs are merged, a block of each: `bytes_max`.

A run is an ordered file of digests, and a file that says where each of its buckets begins: digests are spread evenly, so
that the first bits of one tell its bucket, of some sixteen. Both are mapped, so that a look-up is one search of 256 bytes in
pages that belong to the system. It writes each digest once for each level, and one level has eight runs.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import chain
from struct import iter_unpack
from sys import getsizeof
from typing import final

from flatwater import errors, limits
from flatwater.pipeline.blocks import Block, merged
from flatwater.pipeline.digests import DIGEST_BYTES
from flatwater.pipeline.spilling import SpillFile

_OBJECT_BYTES = 64  # of a digest
_KEY_BYTES = _OBJECT_BYTES + 24  # with its place in a list, while that is sorted; and what an allocator leaves unused
_ENTRY_BYTES = 16  # of a set's table, which is at most three fifths full
_LARGE = 50_000  # entries, from which on a set's table is doubled only
_GROWN_TWICE, _GROWN_FOUR = 2, 4
_BUCKET_DIGESTS = 16
_FILTER_PART = 4  # of the bytes, a quarter at most: as many bits tell most new keys from those on disk
_FILTER_LOAD_MAX = 2  # digests for each bit: beyond, six of seven bits are set
_BLOCK_DIGESTS_MAX = 4_096  # written or merged at a time
_PREFIX_BITS = 64
_PREFIX_BYTES = 8


@final
class Remembered:
    """For one thread at a time.

    Args:
        bytes_max: heap bytes of digests in memory.
        folder: for what does not fit; "" for that of `tempfile`.
        verb: that needs it, for people.
    """

    def __init__(self, bytes_max: int, folder: str, verb: str) -> None:
        self.bytes_max = bytes_max
        self._folder = folder
        self._verb = verb
        self._seen: set[bytes] = set()
        self._filter_bytes = 1 << max(3, (bytes_max // _FILTER_PART).bit_length() - 1)
        self._digests_max = digests_in(bytes_max - self._filter_bytes)
        self._filter: _Filter | None = None
        self._runs: list[_Run] = []

    def new(self, digests: list[bytes]) -> list[bytes]:
        """Those that were never given before, each once, in their order.

        Raises:
            BrokenError: the disk is full.
        """
        found: list[bytes] = []
        for first in range(0, len(digests), self._digests_max):
            found += self._new(digests[first : first + self._digests_max])
        return found

    def _new(self, digests: list[bytes]) -> list[bytes]:
        seen = self._seen
        fresh = [digest for digest in dict.fromkeys(digests) if digest not in seen]
        if self._runs and fresh:
            maybe = missing = self._filter.maybe(fresh) if self._filter is not None else fresh
            for run in reversed(self._runs):
                if not missing:
                    break
                missing = run.missing(missing)
            if len(missing) < len(maybe):
                known = set(maybe).difference(missing)
                fresh = [digest for digest in fresh if digest not in known]
        if seen and (len(seen) + len(fresh) > self._digests_max or self._is_full()):
            self._spill()
        seen.update(fresh)
        return fresh

    def _is_full(self) -> bool:
        return getsizeof(self._seen) + _KEY_BYTES * len(self._seen) > self.bytes_max - self._filter_bytes

    def _spill(self) -> None:
        ordered = sorted(self._seen)
        self._seen.clear()
        if not self._runs:
            self._filter = _Filter(self._filter_bytes)
        if self._filter is not None and not self._filter.add(ordered):
            self._filter, self._filter_bytes = None, 0  # it is full, and only costs time
            self._digests_max = digests_in(self.bytes_max)
        count = len(ordered)
        ordered.reverse()
        self._runs.append(self._written(_pieces(ordered), count, 0))
        level = 0
        while sum(run.level == level for run in self._runs) >= limits.FLOW_DISTINCT_RUNS_MAX:
            self._merge_level(level)
            level += 1

    def _merge_level(self, level: int) -> None:
        first = next(at for at, run in enumerate(self._runs) if run.level == level)
        old = self._runs[first:]
        rows = max(1, min(_BLOCK_DIGESTS_MAX, self.bytes_max // (4 * _KEY_BYTES * len(old))))
        blocks = (keys for keys, _same in merged([run.blocks(rows) for run in old], reverse=False, wants_keys=False))
        run = self._written(blocks, sum(each.count for each in old), level + 1)
        self._runs[first:] = [run]
        for each in old:
            each.close()

    def _written(self, blocks: Iterable[list[bytes]], count: int, level: int) -> _Run:
        """A run of so many digests, which come in order."""
        bits = max(0, (count // _BUCKET_DIGESTS).bit_length() - 1)
        shift, buckets = _PREFIX_BITS - bits, 1 << bits
        data, index = SpillFile(self._folder, self._verb), None
        try:
            index = SpillFile(self._folder, self._verb)
            at = bucket = 0
            for block in blocks:
                starts = array("Q")
                found = 0
                while bucket < buckets:
                    found = bisect_left(block, (bucket << shift).to_bytes(_PREFIX_BYTES, "big"), found)
                    if found == len(block):
                        break
                    starts.append((at + found) * DIGEST_BYTES)
                    bucket += 1
                at += len(block)
                data.write(b"".join(block))
                index.write(starts.tobytes())
            for first in range(bucket, buckets + 1, _BLOCK_DIGESTS_MAX):
                ends = array("Q", [at * DIGEST_BYTES]) * min(_BLOCK_DIGESTS_MAX, buckets + 1 - first)
                index.write(ends.tobytes())
            return _Run(data, index, shift, count, level)
        finally:
            data.close()  # what is mapped stays
            if index is not None:
                index.close()

    def close(self) -> None:
        """All is forgotten."""
        self._seen.clear()
        for run in self._runs:
            run.close()
        self._runs.clear()


@final
class _Filter:
    """A bit for each digest on disk: where there is none, no run has to be asked. Most new keys are found to be new here.

    Args:
        size: in bytes, a power of two.
    """

    def __init__(self, size: int) -> None:
        self._bits = bytearray(size)
        self._mask = 8 * size - 1
        self._left = 8 * size * _FILTER_LOAD_MAX

    def add(self, digests: list[bytes]) -> bool:
        """Set their bits; False if that is more than it is good for."""
        self._left -= len(digests)
        if self._left < 0:
            return False
        bits, mask = self._bits, self._mask
        for digest in digests:
            place = int.from_bytes(digest[_PREFIX_BYTES:], "big") & mask
            bits[place >> 3] |= 1 << (place & 7)
        return True

    def maybe(self, digests: list[bytes]) -> list[bytes]:
        """Those that may be on disk."""
        bits, mask = self._bits, self._mask
        places = [int.from_bytes(digest[_PREFIX_BYTES:], "big") & mask for digest in digests]
        return [digest for digest, place in zip(digests, places, strict=True) if bits[place >> 3] >> (place & 7) & 1]


@final
class _Run:
    """Digests in order, mapped.

    Attributes:
        count: of its digests.
        level: how often they have been merged.
    """

    def __init__(self, data: SpillFile, index: SpillFile, shift: int, count: int, level: int) -> None:
        self.count = count
        self.level = level
        self._shift = shift
        self._digests = data.mapped()
        try:
            self._index = index.mapped()
        except errors.BrokenError:
            self._digests.close()
            raise
        self._starts = memoryview(self._index).cast("Q")

    def missing(self, digests: list[bytes]) -> list[bytes]:
        """Those that it does not have."""
        find, starts, shift = self._digests.find, self._starts, self._shift
        missing = []
        for digest in digests:
            bucket = int.from_bytes(digest[:_PREFIX_BYTES], "big") >> shift
            end = starts[bucket + 1]
            at = find(digest, starts[bucket], end)
            while at >= 0 and at % DIGEST_BYTES:  # the end of one and the beginning of the next
                at = find(digest, at + 1, end)
            if at < 0:
                missing.append(digest)
        return missing

    def blocks(self, rows: int) -> Iterator[Block]:
        """Its digests, so many at a time."""
        for first in range(0, self.count * DIGEST_BYTES, rows * DIGEST_BYTES):
            piece = self._digests[first : first + rows * DIGEST_BYTES]
            block = list(chain.from_iterable(iter_unpack(f"{DIGEST_BYTES}s", piece)))
            del piece
            box = [block]
            del block
            block_once = box.pop()
            yield block_once, block_once
            del block_once

    def close(self) -> None:
        """Its files are gone."""
        self._starts.release()
        self._index.close()
        self._digests.close()


def digests_in(bytes_max: int) -> int:
    """How many digests a set may have, so that it stays within so many bytes, even while its table is made anew."""
    most, table = 1, 8
    while True:
        filled = (3 * (table - 1) + 4) // 5  # as many as make the table anew, as of CPython 3.8 to 3.13
        most = max(most, min(filled - 1, (bytes_max - _ENTRY_BYTES * table) // _KEY_BYTES))
        larger = 1 << ((_GROWN_TWICE if filled > _LARGE else _GROWN_FOUR) * filled).bit_length()
        if _ENTRY_BYTES * (table + larger) + _OBJECT_BYTES * filled > bytes_max:
            return most
        table = larger


def _pieces(backwards: list[bytes]) -> Iterator[list[bytes]]:
    """A list that stands backwards, piece by piece; it is emptied on the way."""
    while backwards:
        piece = backwards[-_BLOCK_DIGESTS_MAX:]
        del backwards[-_BLOCK_DIGESTS_MAX:]
        piece.reverse()
        yield piece
