"""The vectors nearest to a query: all are compared, in fixed memory.

Covers:     every live i8 row against the query; the best of them again in f32; the order of results.
Not here:   the files (`ingest.vectors`), the products (`ingest.kernels`), which slots are live, ranking with words.
Holds:      a piece of rows, and the candidates; see `bytes_max`.

Files are read piece by piece into the same memory, not mapped: 1 M vectors of 384 dimensions cost 72 ms of CPU to read and
multiply, 55 if mapped, but then the file is in the process's resident memory, or is asked for again page by page, and an error of
the disk is a signal that ends the process. One thread does it: a second one took a fifth off the wall time, and added a third to the
CPU time, since each piece is short and Python's lock goes to and fro.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from flatwater import limits
from flatwater.errors import count_of
from flatwater.ingest import kernels
from flatwater.ingest.vectors import BYTES, ID_BYTES, SCALE_BYTES, SCALES, Masks, Vectors, live_blocks, quantised

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SLACK = 4  # times the candidates that are wanted may be held before the others are dropped


def nearest(
    vectors: Vectors, count: int, query: NDArray[np.float32], k: int, masks: Masks | None = None
) -> list[tuple[int, float]]:
    """The `k` live vectors with the largest product with `query`: `(chunk id, product)`, best first, the lower id first of equals.

    Every live vector is compared in i8; the best 100, or 4 for each result, are compared again in f32 with the query in
    full. Of 1 M clustered vectors the ten nearest were found as an exact comparison in f32 finds them. It may be called by several
    threads at a time.

    Args:
        vectors: open for reading.
        count: rows that count.
        query: `(width,)`, finite.
        k: results, at most; 1 to `limits.INGEST_RESULTS_MAX`.
        masks: tells which slots of a block (`limits.INGEST_BLOCK_SLOTS`) are live, by its number: a bit each, the lowest first, 1 if
            live, 0 where the bytes end; None if all are, and `b""` if none is. Asked for ascending blocks, each once.

    Raises:
        UsageError: `k` is out of its range.
        CorruptError: there are fewer rows than `count`.
        BrokenError: the disk refuses.
    """
    import numpy as np

    count_of(k, what="k", most=limits.INGEST_RESULTS_MAX)
    assert query.shape == (vectors.width,)
    assert bool(np.isfinite(query).all())
    vectors.check(count)
    scan = _Scan(vectors, query, candidates_of(k))
    for first, live in live_blocks(count, masks):
        scan.block(first, live)
    return _rescored(vectors, scan.best.slots(), query, k)


def candidates_of(k: int) -> int:
    """How many vectors are looked at in full for `k` results."""
    return max(limits.INGEST_CANDIDATES_MIN, limits.INGEST_CANDIDATES_PER_RESULT * k)


def bytes_max(width: int, k: int) -> int:
    """The most that a search holds, in bytes, however many vectors there are."""
    candidates, rows = candidates_of(k), _rows_of(width)
    total = 0
    total += rows * width  # the piece
    total += limits.INGEST_BLOCK_SLOTS * SCALE_BYTES  # the scales of its block
    total += limits.INGEST_BLOCK_SLOTS * 2  # which of its slots are live, and which of those before
    total += limits.INGEST_BLOCK_SLOTS // 8  # the same, as it came
    total += kernels.bytes_max(rows, width)  # the products
    total += rows * (8 + 1)  # these by their scales, and which are among the best
    total += 2 * (SLACK * candidates + rows) * 16  # products and slots of candidates, and once more in one piece
    total += (SLACK * candidates + rows) * 16  # their order
    total += limits.INGEST_RESCORE_ROWS * width * (4 + 8 + 8)  # rows as f32, as f64, and multiplied
    total += candidates * (8 + 8 + 8) + k * (ID_BYTES + 200)  # their products, and results
    return total


@final
class _Best:
    """The best candidates so far, by product and then slot.

    Attributes:
        floor: no candidate below it is wanted any more.
    """

    def __init__(self, wanted: int) -> None:
        self.floor = float("-inf")
        self._wanted = wanted
        self._parts: list[tuple[NDArray[np.float64], NDArray[np.int64]]] = []
        self._held = 0

    def add(self, products: NDArray[np.float64], slots: NDArray[np.int64]) -> None:
        self._parts.append((products, slots))
        self._held += len(slots)
        if self._held > SLACK * self._wanted:
            self._trim()

    def slots(self) -> NDArray[np.int64]:
        """Of the candidates, ascending."""
        import numpy as np

        self._trim()
        return np.sort(self._parts[0][1]) if self._parts else np.empty(0, np.int64)

    def _trim(self) -> None:
        """Drop all but those that are wanted."""
        import numpy as np

        if not self._parts:
            return
        products, slots = (np.concatenate(each) for each in zip(*self._parts, strict=True))
        order = np.lexsort((slots, -products))[: self._wanted]
        self._parts, self._held = [(products[order], slots[order])], len(order)
        if len(order) == self._wanted:
            self.floor = float(products[order[-1]])


@final
class _Scan:
    """One comparison of i8 rows with a query, block by block."""

    def __init__(self, vectors: Vectors, query: NDArray[np.float32], wanted: int) -> None:
        import numpy as np

        self.best = _Best(wanted)
        self._vectors = vectors
        self._query = quantised(query[None, :])[0][0]
        self._dots = kernels.dots()
        self._rows = np.empty((_rows_of(vectors.width), vectors.width), np.int8)
        self._scales = np.empty(limits.INGEST_BLOCK_SLOTS, np.float32)

    def block(self, first: int, live: NDArray[np.bool_]) -> None:
        """Compare those from slot `first` on that are live; the pieces without any are not read."""
        import numpy as np

        scales = self._scales[: len(live)]
        self._vectors.read_into(SCALES, first, scales)
        is_all = bool(live.all())
        stop = len(live) - int(live[::-1].argmax())
        for start in range(int(live.argmax()), stop, len(self._rows)):
            piece = self._rows[: min(len(self._rows), stop - start)]
            span = slice(start, start + len(piece))
            if not is_all and not live[span].any():
                continue
            self._vectors.read_into(BYTES, first + start, piece)
            products = self._dots(piece, self._query) * scales[span]
            is_best = products > self.best.floor  # of equal ones the lower slot, which came before, is the better one
            if not is_all:
                is_best &= live[span]
            found = np.flatnonzero(is_best)
            if len(found):
                self.best.add(products[found], found + (first + start))


def _rescored(
    vectors: Vectors, slots: NDArray[np.int64], query: NDArray[np.float32], k: int
) -> list[tuple[int, float]]:
    """The best `k` of these slots, by f32. Sums are in f64, row by row, so that equal vectors have equal products."""
    import numpy as np

    full = query.astype(np.float64)
    products = np.empty(len(slots), np.float64)
    for first in range(0, len(slots), limits.INGEST_RESCORE_ROWS):
        part = slice(first, first + limits.INGEST_RESCORE_ROWS)
        products[part] = (vectors.vectors_at(slots[part]) * full).sum(axis=1)
    shown = products.astype(np.float32).astype(np.float64)
    order = np.lexsort((slots, -shown))[:k]
    ids = vectors.ids_at(slots[order])
    return list(zip(ids.tolist(), shown[order].tolist(), strict=True))


def _rows_of(width: int) -> int:
    """Of a piece."""
    return min(limits.INGEST_BLOCK_SLOTS, max(1, limits.INGEST_SCAN_BYTES // width))
