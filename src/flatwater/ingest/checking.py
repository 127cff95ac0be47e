"""Whether all parts of a corpus agree: documents, places, chunks, words, vectors, and which of these are live.

Covers:     what must hold after any ingestion that came to its end, and what may be left after one that was killed.
Not here:   whether the corpus is in step with its sources: ingesting tells that (`Corpus.ingest(dry_run=True)`).
Holds:      a page of chunks, a piece of the vectors, SQLite's list of pages while it checks them: a bit each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from flatwater import errors, limits
from flatwater.ingest import folder, generations, snapshot
from flatwater.ingest.live import bits_of, is_set
from flatwater.ingest.manifest import Manifest
from flatwater.ingest.vectors import BYTES, SCALES, WHOLE, quantised

if TYPE_CHECKING:
    from flatwater.ingest.vectors import Vectors

_SCALE_ERROR: Final = 0.01  # of a scale, that rounding to i8 makes at most
_FINDINGS: Final = (
    ("documents whose number of places is another", "SELECT count(*) FROM documents d WHERE state = 1 AND chunks <> (SELECT count(*) FROM places WHERE document = d.id)"),
    ("documents whose places have gaps", "SELECT count(*) FROM documents d WHERE state = 1 AND hash IS NOT NULL AND chunks <> (SELECT coalesce(max(number) + 1, 0) FROM places WHERE document = d.id)"),
    ("places that end before they begin", "SELECT count(*) FROM places WHERE stop <= start"),
    ("places without their document", "SELECT count(*) FROM places WHERE document NOT IN (SELECT id FROM documents)"),
    ("places without their chunk", "SELECT count(*) FROM places WHERE chunk NOT IN (SELECT id FROM chunks)"),
    ("chunks without a place", "SELECT count(*) FROM chunks WHERE id NOT IN (SELECT chunk FROM places)"),
)  # fmt: skip


def findings(path: str) -> list[str]:
    """What does not agree, in words; nothing if all does."""
    try:
        return snapshot.read(path, lambda table: list(_found(table, path)))
    except errors.CorruptError as error:
        return [str(error)]


def _found(table: Manifest, path: str) -> Iterator[str]:
    if (said := table.one("PRAGMA integrity_check(1)")) != "ok":
        yield f"{folder.MANIFEST} is damaged: {said}"
    for what, sql in _FINDINGS:
        if count := table.one(sql):
            yield f"{count:,} {what}"
    yield from _words(table)
    vectors = generations.reading(table, path)
    if vectors is not None:
        with vectors:
            yield from _vectors(table, vectors)
            yield from _forms(vectors, int(table.meta("vectors", 0)))
    elif table.one("SELECT count(*) FROM chunks"):
        yield "there are chunks, and no vectors"


def _words(table: Manifest) -> Iterator[str]:
    if not table.has_words:
        return
    lost = table.one("SELECT count(*) FROM chunks WHERE id NOT IN (SELECT id FROM words_docsize)")
    more = table.one("SELECT count(*) FROM words_docsize WHERE id NOT IN (SELECT id FROM chunks)")
    if lost:
        yield f"{lost:,} chunks without their words"
    if more:
        yield f"words of {more:,} chunks that are not there"


def _vectors(table: Manifest, vectors: Vectors) -> Iterator[str]:
    """Each chunk of a whole document is live, with a vector; nothing else is live."""
    import numpy as np

    count = int(table.meta("vectors", 0))
    wanted = table.run(
        "SELECT c.id, c.hash, c.text, EXISTS (SELECT 1 FROM places p JOIN documents d ON d.id = p.document "
        "WHERE p.chunk = c.id AND d.state = 1) FROM chunks c ORDER BY c.id"
    )
    without = dead = altered = alive = 0
    rows: list[tuple[int, bytes, str, int]] = []

    def looked_at() -> None:
        nonlocal without, dead, alive
        slots = vectors.slots_of(np.array([row[0] for row in rows], np.uint64), count)
        for slot, row in zip(slots.tolist(), rows, strict=True):
            is_live = slot >= 0 and is_set(bits_of(table, slot // limits.INGEST_BLOCK_SLOTS), slot)
            without += slot < 0
            dead += bool(row[3]) and slot >= 0 and not is_live
            alive += bool(row[3]) and bool(is_live)
        rows.clear()

    for row in wanted:
        rows.append(row)
        altered += hashlib.blake2b(row[2].encode(), digest_size=16).digest() != row[1]
        if len(rows) == limits.INGEST_STEP_ROWS:
            looked_at()
    looked_at()
    told = int(table.meta("alive", 0))
    blocks = -(-count // limits.INGEST_BLOCK_SLOTS)
    seen = sum(int(np.unpackbits(np.frombuffer(bits_of(table, block), np.uint8)).sum()) for block in range(blocks))
    for number, what in (
        (without, "chunks without a vector"), (dead, "chunks of whole documents whose vectors are not live"),
        (altered, "chunks whose text is not what was hashed"), (seen - alive, "vectors that are live without a chunk of a whole document"),
        (abs(told - seen), "vectors more or fewer are said to be live than are"),
    ):  # fmt: skip
        if number:
            yield f"{number:,} {what}"


def _forms(vectors: Vectors, count: int) -> Iterator[str]:
    """The rows in i8, with their scales, are those in f32."""
    import numpy as np

    rows = max(1, limits.INGEST_COPY_BYTES // (4 * vectors.width))
    different = 0
    for first in range(0, count, rows):
        there = min(rows, count - first)
        whole, levels = np.empty((there, vectors.width), "<f4"), np.empty((there, vectors.width), np.int8)
        scales = np.empty(there, "<f4")
        for which, column in ((WHOLE, whole), (BYTES, levels), (SCALES, scales)):
            vectors.read_into(which, first, column)
        with np.errstate(all="ignore"):  # damaged ones have anything
            wanted, scale = quantised(whole)
            apart = np.abs(wanted.astype(np.int16) - levels).max(axis=1) > 1
            different += int((apart | ~(np.abs(scale - scales) <= _SCALE_ERROR * scale)).sum())
    if different:
        yield f"{different:,} vectors whose i8 and f32 rows do not agree"
