"""How many of the ten nearest an exact comparison in f32 and a corpus have in common, by how near vectors are to each other.

python ingest_recall.py [VECTORS]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from flatwater.ingest.scan import nearest
from flatwater.ingest.vectors import Vectors

WIDTH, CLUSTERS, QUERIES, RESULTS = 384, 100, 50, 10


def made(count: int, noise: float, seed: int) -> np.ndarray:
    """Vectors of length 1 around some centres; `noise` is how long the difference is, about."""
    centres = np.random.default_rng(0).standard_normal((CLUSTERS, WIDTH))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    chance = np.random.default_rng(seed)
    rows = centres[chance.integers(0, CLUSTERS, count)] + chance.standard_normal((count, WIDTH)) * noise / WIDTH**0.5
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def main() -> None:
    """A line for each noise."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    print("noise  found of the ten nearest")
    for noise in (1.0, 0.6, 0.3, 0.1, 0.03):
        vectors, queries = made(count, noise, 1), made(QUERIES, noise, 2)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "vectors")
            with Vectors.writing(path, WIDTH) as writer:
                writer.append(np.arange(count, dtype=np.uint64), vectors)
                writer.sync()
            with Vectors.reading(path, WIDTH) as reader:
                common = 0
                for query in queries:
                    found = {chunk for chunk, _score in nearest(reader, count, query, RESULTS)}
                    common += len(found & set(np.argsort(-(vectors @ query))[:RESULTS].tolist()))
        print(f"{noise:<5}  {common / QUERIES / RESULTS:.3f}")


if __name__ == "__main__":
    main()
