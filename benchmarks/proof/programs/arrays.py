"""Bounded and growing programs with NumPy arrays."""

from __future__ import annotations

import numpy as np
from benchmarks.proof.programs.registry import bounded, grid, growing, per_item


@bounded(*grid(chunk=(1_000, 10_000, 20_000), columns=(1, 8, 40)))
def numpy_chunks(n: int, *, chunk: int, columns: int) -> float:
    """Chunks of rows, each reduced to a sum."""
    total = 0.0
    for start in range(0, n, chunk):
        block = np.full((min(chunk, n - start), columns), float(start))
        total += float((block * 2 + 1).sum())
    return total


@bounded(*grid(places=(1_000, 20_000, 150_000), width=(1, 12)))
def numpy_window(n: int, *, places: int, width: int) -> float:
    """The last so many rows in one array, allocated once and touched as it fills."""
    window = np.zeros((places, width))
    for start in range(0, n, 500):
        place = start % places
        window[place : place + 500] = start
    return float(window[0].sum())


@growing("linear", per_item(lambda width, **_p: width), *grid(width=(2, 4, 8, 64), step=(100, 5_000)))
def numpy_concatenated(n: int, *, width: int, step: int) -> int:
    """Chunks kept for one array at the end."""
    chunks = [np.full((step, width), 1, dtype=np.uint8) for _ in range(0, n, step)]
    return sum(len(chunk) for chunk in chunks)


@growing("linear", per_item(lambda typename: 2 * np.dtype(typename).itemsize), *grid(
    typename=("uint8", "uint16", "float32", "float64")
))  # fmt: skip
def numpy_temporary(n: int, *, typename: str) -> float:
    """All rows in one array, and a second one for the result."""
    rows = np.arange(n, dtype="int64").astype(typename) if n < 100 else np.ones(n, dtype=typename)
    doubled = rows + rows
    return float(doubled[-1])
