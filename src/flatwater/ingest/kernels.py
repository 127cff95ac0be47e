"""Products of many i8 rows with one i8 row, by the fastest library there is.

Covers:     numkong, else simsimd, else numpy alone; chosen when first used.
Not here:   which rows, and what the products mean (`ingest.scan`).
Holds:      the products; with numpy alone, some rows as f32; see `bytes_max`.

All of them give the same products, exactly: sums of 16,384 products of numbers from -127 to 127 fit 32 bits. On 1 M rows of
384 dimensions in memory (AVX-512 VNNI) numkong's `dot` takes 47 ms of CPU, simsimd's 58, and numpy through f32 390. Each
gives up Python's lock while it computes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Dots = Callable[[NDArray[np.int8], NDArray[np.int8]], NDArray[np.float64]]

COLUMNS = 1_024  # whose products numpy sums in f32, where whole numbers are exact up to 2**24
ROWS = 64  # that it multiplies at a time: more leave the processor's first caches
LIBRARIES = ("numkong", "simsimd")


@functools.cache
def dots() -> Dots:
    """The function that multiplies `(n, width)` i8 rows, n >= 1, with `(width,)` i8 into `(n,)` f64, exactly.

    The values are from -127 to 127. It may be called by several threads at a time.
    """
    for library in LIBRARIES:
        try:
            return dots_of(library)
        except ImportError:
            continue
    return dots_of("numpy")


def dots_of(library: str) -> Dots:
    """As `dots`, by that library.

    Raises:
        ImportError: it is not installed, or not for this processor.

    >>> import numpy as np
    >>> dots_of("numpy")(np.array([[1, 2], [3, -4]], np.int8), np.array([10, 1], np.int8))
    array([12., 26.])
    """
    import importlib

    import numpy as np

    if library == "numpy":
        return _dots_numpy
    dot: Callable[..., Any] = importlib.import_module(library).dot

    def by_library(rows: NDArray[np.int8], row: NDArray[np.int8]) -> NDArray[np.float64]:
        return np.asarray(dot(rows, row), np.float64)

    return by_library


def bytes_max(rows: int, width: int) -> int:
    """The most that a call with so many rows holds, in bytes, beside the rows."""
    total = 0
    total += rows * 8  # the products
    total += width * 4  # with numpy: the row as f32
    total += ROWS * (min(width, COLUMNS) * 4 + 8)  # with numpy: some rows as f32, and their products
    return total


def _dots_numpy(rows: NDArray[np.int8], row: NDArray[np.int8]) -> NDArray[np.float64]:
    import numpy as np

    products = np.zeros(len(rows), np.float64)
    as_f32 = row.astype(np.float32)
    for top in range(0, len(rows), ROWS):
        some = slice(top, top + ROWS)
        for left in range(0, rows.shape[1], COLUMNS):
            columns = slice(left, left + COLUMNS)
            products[some] += rows[some, columns].astype(np.float32) @ as_f32[columns]
    return products
