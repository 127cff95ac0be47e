"""The vectors nearest to a query: all are compared, in fixed memory.

Covers:     every live i8 row against the query; the best of them again in f16; the order of results.
Not here:   the files (`ingest.vectors`), the products (`ingest.kernels`), which slots are live, ranking with words.
Holds:      a piece of rows for each thread, and the candidates; see `bytes_max`.

Files are read piece by piece into the same memory, not mapped: 1 M vectors of 384 dimensions cost 72 ms of CPU to read and
multiply, 55 if mapped, but then the file is in the process's resident memory, or is asked for again page by page, and an error of
the disk is a signal that ends the process.
"""

from __future__ import annotations

import contextlib
import os
import queue
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, final

from flatwater import limits
from flatwater.errors import count_of
from flatwater.ingest import kernels
from flatwater.ingest.vectors import BYTES, ID_BYTES, SCALE_BYTES, SCALES, Masks, Vectors, live_blocks, quantised

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Buffers = tuple[NDArray[np.int8], NDArray[np.float32]]

SLACK = 4  # times the candidates that are wanted may be held before the others are dropped


def nearest(
    vectors: Vectors, count: int, query: NDArray[np.float32], k: int, masks: Masks | None = None
) -> list[tuple[int, float]]:
    """The `k` live vectors with the largest product with `query`: `(chunk id, product)`, best first, the lower id first of equals.

    Every live vector is compared in i8; the best 100, or 4 for each result, are compared again in f16 with the query in
    full. Of 1 M clustered vectors the ten nearest were found as an exact comparison in f32 finds them. Which slots are read in
    which thread changes nothing in the result.

    Args:
        vectors: open for reading.
        count: rows that count.
        query: `(width,)`, finite.
        k: results, at most; 1 to `limits.INGEST_RESULTS_MAX`.
        masks: tells which slots of a block (`limits.INGEST_BLOCK_SLOTS`) are live, by its number: a bit each, the lowest first, 1 if
            live, 0 where the bytes end; None if all are, and `b""` if none is. Called by the caller's thread, ascending.

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
    best = _Best(candidates_of(k))
    scan = _Scan(vectors, query, best)
    with contextlib.closing(live_blocks(count, masks)) as blocks:
        if min(_processors(), limits.INGEST_SCAN_THREADS) == 1 or count <= limits.INGEST_SCAN_ALONE_SLOTS:
            scan.alone(blocks)
        else:
            scan.in_threads(blocks)
    return _rescored(vectors, best.slots(), query, k)


def candidates_of(k: int) -> int:
    """How many vectors are looked at in f16 for `k` results."""
    return max(limits.INGEST_CANDIDATES_MIN, limits.INGEST_CANDIDATES_PER_RESULT * k)


def bytes_max(width: int, k: int) -> int:
    """The most that a search holds, in bytes, however many vectors there are."""
    threads, candidates, rows = limits.INGEST_SCAN_THREADS, candidates_of(k), _rows_of(width)
    blocks = 2 * threads + 1  # that are scanned, wait for it, or for being added up
    total = 0
    total += threads * rows * width  # the pieces
    total += threads * limits.INGEST_BLOCK_SLOTS * SCALE_BYTES  # the scales of their blocks
    total += threads * kernels.bytes_max(rows, width)  # the products
    total += threads * rows * (8 + 1 + 1)  # these by their scales, and which are among the best
    total += threads * 2 * (SLACK * candidates + rows) * 16  # products and slots of candidates, and their order
    total += blocks * limits.INGEST_BLOCK_SLOTS  # which slots are live
    total += limits.INGEST_BLOCK_SLOTS // 8  # the same, as it came
    total += (blocks + 2 * (SLACK + 1)) * candidates * 16  # candidates of blocks, and of all
    total += limits.INGEST_RESCORE_ROWS * width * (2 + 8 + 8)  # rows as f16, as f64, and multiplied
    total += candidates * (8 + 8 + 8) + k * (ID_BYTES + 200)  # their products, and results
    return total


@final
class _Best:
    """The best candidates so far, by product and then slot, so that their order of arrival changes nothing.

    Attributes:
        wanted: how many are kept.
        floor: no candidate below it is wanted any more; others may read it while one thread adds.
    """

    def __init__(self, wanted: int, floor: float = float("-inf")) -> None:
        self.floor = floor
        self.wanted = wanted
        self._parts: list[tuple[NDArray[np.float64], NDArray[np.int64]]] = []
        self._held = 0

    def add(self, products: NDArray[np.float64], slots: NDArray[np.int64]) -> None:
        self._parts.append((products, slots))
        self._held += len(slots)
        if self._held > SLACK * self.wanted:
            self.trim()

    def trim(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Drop all but those that are wanted, and give them."""
        import numpy as np

        if not self._parts:
            return np.empty(0, np.float64), np.empty(0, np.int64)
        products, slots = (np.concatenate(each) for each in zip(*self._parts, strict=True))
        order = np.lexsort((slots, -products))[: self.wanted]
        kept = products[order], slots[order]
        if len(order) == self.wanted:
            self.floor = max(self.floor, float(kept[0][-1]))
        self._parts, self._held = [kept], len(order)
        return kept

    def slots(self) -> NDArray[np.int64]:
        """Of the candidates, ascending."""
        import numpy as np

        return np.sort(self.trim()[1])


@final
class _Scan:
    """One comparison of all live i8 rows with a query."""

    def __init__(self, vectors: Vectors, query: NDArray[np.float32], best: _Best) -> None:
        self._vectors = vectors
        self._query = quantised(query[None, :])[0][0]
        self._dots = kernels.dots()
        self._best = best

    def alone(self, blocks: Iterator[tuple[int, NDArray[np.bool_]]]) -> None:
        buffers = self._buffers()
        for first, live in blocks:
            self._best.add(*self._block(first, live, buffers))

    def in_threads(self, blocks: Iterator[tuple[int, NDArray[np.bool_]]]) -> None:
        """Blocks go to threads, a few ahead; this thread asks for masks, and adds up what they found."""
        free: queue.SimpleQueue[Buffers] = queue.SimpleQueue()
        for _ in range(limits.INGEST_SCAN_THREADS):
            free.put(self._buffers())

        def work(first: int, live: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
            buffers = free.get()
            try:
                return self._block(first, live, buffers)
            finally:
                free.put(buffers)

        ahead: deque[Future[tuple[NDArray[np.float64], NDArray[np.int64]]]] = deque()
        with ThreadPoolExecutor(limits.INGEST_SCAN_THREADS, "flatwater-scan") as pool:
            try:
                for first, live in blocks:
                    if len(ahead) == 2 * limits.INGEST_SCAN_THREADS:
                        self._best.add(*ahead.popleft().result())
                    ahead.append(pool.submit(work, first, live))
                while ahead:
                    self._best.add(*ahead.popleft().result())
            finally:
                pool.shutdown(cancel_futures=True)

    def _buffers(self) -> Buffers:
        import numpy as np

        rows = np.empty((_rows_of(self._vectors.width), self._vectors.width), np.int8)
        return rows, np.empty(limits.INGEST_BLOCK_SLOTS, np.float32)

    def _block(
        self, first: int, live: NDArray[np.bool_], buffers: Buffers
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The candidates of one block: `(products, slots)`."""
        import numpy as np

        best = _Best(self._best.wanted, self._best.floor)
        rows, scales = buffers[0], buffers[1][: len(live)]
        self._vectors.read_into(SCALES, first, scales)
        is_all = bool(live.all())
        stop = len(live) - int(live[::-1].argmax())
        for start in range(int(live.argmax()), stop, len(rows)):
            piece = rows[: min(len(rows), stop - start)]
            span = slice(start, start + len(piece))
            if not is_all and not live[span].any():
                continue
            self._vectors.read_into(BYTES, first + start, piece)
            products = self._dots(piece, self._query) * scales[span]
            is_best = products >= best.floor  # equal ones too: the lower slot is the better one
            if not is_all:
                is_best &= live[span]
            found = np.flatnonzero(is_best)
            if len(found):
                best.add(products[found], found + (first + start))
        return best.trim()


def _rescored(
    vectors: Vectors, slots: NDArray[np.int64], query: NDArray[np.float32], k: int
) -> list[tuple[int, float]]:
    """The best `k` of these slots, by f16. Sums are in f64, row by row, so that equal vectors have equal products."""
    import numpy as np

    full = query.astype(np.float64)
    products = np.empty(len(slots), np.float64)
    for first in range(0, len(slots), limits.INGEST_RESCORE_ROWS):
        part = slice(first, first + limits.INGEST_RESCORE_ROWS)
        products[part] = (vectors.halves_at(slots[part]) * full).sum(axis=1)
    shown = products.astype(np.float32).astype(np.float64)
    order = np.lexsort((slots, -shown))[:k]
    ids = vectors.ids_at(slots[order])
    return list(zip(ids.tolist(), shown[order].tolist(), strict=True))


def _rows_of(width: int) -> int:
    """Of a piece."""
    return min(limits.INGEST_BLOCK_SLOTS, max(1, limits.INGEST_SCAN_BYTES // width))


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
