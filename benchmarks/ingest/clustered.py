"""Clustered vectors with queries and their exact answers, in files made once: `python -m benchmarks.ingest.clustered FOLDER SIZE`.

They are made in a process of their own, so that a contestant holds nothing of the making.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import kept

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WIDTH, RESULTS, QUERIES = 384, 10, 20
CENTRES, NOISE, STEP = 2_000, 0.6, 10_000


KEPT_VERSION = 2  # of what is in such a folder: 1 had vectors in 16 bits


def made(size: int) -> Path:
    """The folder with so many: `f32`, `queries.npy`, `truth.npy`, and `generation` as this package keeps them."""
    folder = kept.folder("scan", KEPT_VERSION) / str(size)
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent) as begun:
            subprocess.run([sys.executable, "-m", "benchmarks.ingest.clustered", begun, str(size)], check=True)
            os.rename(os.path.join(begun, "made"), folder)
    return folder


def vectors(size: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Of length 1 around some centres, some at a time."""
    import numpy as np

    centres = np.random.default_rng(7).standard_normal((CENTRES, WIDTH), dtype=np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    rng = np.random.default_rng(seed)
    for first in range(0, size, STEP):
        count = min(STEP, size - first)
        noise = rng.standard_normal((count, WIDTH), dtype=np.float32) * np.float32(NOISE / WIDTH**0.5)
        made = centres[rng.integers(0, CENTRES, count)] + noise
        yield made / np.linalg.norm(made, axis=1, keepdims=True)


def main(argv: list[str]) -> None:
    """Make them."""
    import numpy as np

    from flatwater.ingest.vectors import Vectors

    folder, size = Path(argv[0], "made"), int(argv[1])
    folder.mkdir()
    queries = next(vectors(QUERIES, seed=2))
    best, at = np.empty((QUERIES, 0), np.float32), np.empty((QUERIES, 0), np.int64)
    with (folder / "f32").open("wb") as file, Vectors.writing(folder / "generation", WIDTH) as generation:
        for each in vectors(size, seed=1):
            ids = np.arange(generation.count, generation.count + len(each), dtype=np.uint64)
            file.write(each.tobytes())
            generation.append(ids, each)
            best = np.hstack([best, queries @ each.T])
            at = np.hstack([at, np.broadcast_to(ids.astype(np.int64), (QUERIES, len(each)))])
            order = np.argsort(-best, axis=1, kind="stable")[:, :RESULTS]
            best, at = np.take_along_axis(best, order, 1), np.take_along_axis(at, order, 1)
        generation.sync()
    np.save(folder / "queries.npy", queries)
    np.save(folder / "truth.npy", at)


if __name__ == "__main__":
    main(sys.argv[1:])
