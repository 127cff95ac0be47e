"""The naive twin of `corpus`: all chunks in a list, all vectors in another, as lists of floats.

Covers:     splitting, embedding, and a search that looks at every vector.
Not here:   the same a batch at a time, with vectors in a file (`tour.steps.ingest_documents`).
Holds:      all texts, all chunks, all vectors: 12 KiB for 384 numbers, as vector stores in memory that keep lists of floats.

The embedder is that of the step, so that both have the same to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flatwater.ingest.embedders.hashing import Hashing
from flatwater.tour.naive.documents import SUFFIXES, text_of
from flatwater.tour.naive.paths import below

if TYPE_CHECKING:
    from flatwater.tour.twin import Task

CHUNK, STEP, BATCH = 1_000, 800, 64
QUERIES = ("how is it installed", "who holds the copyright", '"source code"')


def run(task: Task) -> int:
    """Make as much text as the step ingested searchable, and search; how many documents there were."""
    texts: list[str] = []
    read = 0
    for path in below(task.roots, SUFFIXES):
        texts.append(text_of(path))
        read += len(texts[-1])
        if read >= task.bytes:
            break
    chunks = [text[begin : begin + CHUNK] for text in texts for begin in range(0, len(text), STEP)]
    model = Hashing()
    vectors: list[list[float]] = []
    for begin in range(0, len(chunks), BATCH):
        vectors += model.embed(chunks[begin : begin + BATCH]).tolist()
    for query in QUERIES:
        wanted = model.embed_query(query).tolist()
        scores = [sum(a * b for a, b in zip(wanted, vector, strict=True)) for vector in vectors]
        best = sorted(range(len(chunks)), key=lambda number: -scores[number])[:10]
        assert len(best) <= len(chunks)
    return len(texts)
