"""What must be true of a corpus, told from its documents alone: the checker of all tests that ingest."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random

import numpy as np

from flatwater.ingest import generations
from flatwater.ingest.manifest import Manifest
from flatwater.ingest.splitting import Splitter
from flatwater.ingest.stages import cleaned

WORDS = [
    f"{first}{second}" for first in ("al", "be", "cor", "du", "en", "fa") for second in ("na", "ri", "so", "te", "u")
]


class Counting:
    """An embedder that counts its texts; the vector of a text is made of its hash."""

    def __init__(self, name="counting", width=32, workers=1):
        self.name = name
        self.width = width
        self.workers = workers
        self.batch_texts = 16
        self.batch_bytes = 1 << 20
        self.texts = []
        self.closed = False

    def embed(self, texts):
        self.texts += texts
        return np.stack([vector_of(text, self.width, self.name) for text in texts])

    def embed_query(self, text):
        return vector_of(text, self.width, self.name)

    def bytes_max(self):
        return 1 << 20

    def close(self):
        self.closed = True


def vector_of(text, width=32, name="counting"):
    seed = hashlib.blake2b(f"{name} {text}".encode(), digest_size=8).digest()
    vector = np.random.default_rng(int.from_bytes(seed, "big")).standard_normal(width).astype(np.float32)
    return vector / np.linalg.norm(vector)


def prose(seed, paragraphs=6):
    """Some text that no other seed has."""
    chance = random.Random(seed)
    return "\n\n".join(
        " ".join(f"{' '.join(chance.choices(WORDS, k=9)).capitalize()} {chance.randrange(10**6)}." for _ in range(4))
        for _ in range(paragraphs)
    )


def chunks_of(text, splitter=None):
    """What a corpus has of a text in UTF-8: `(start, stop, cleaned text)` of each chunk."""
    parts = (splitter or Splitter()).split([(0, text)] if text else [], lambda part: len(part.encode()))
    return [(start, stop, cleaned(raw)) for start, stop, raw in parts if cleaned(raw)]


def check(path, documents, splitter=None, embedder=None):
    """The corpus has these documents, by their paths, each chunk of them once, and nothing else; its parts agree.

    Args:
        documents: texts by path; None for a document that cannot be read.
    """
    from flatwater import Corpus

    assert Corpus(path).check() == []
    width, name = (embedder.width, embedder.name) if embedder else (32, "counting")
    with contextlib.closing(Manifest(str(path), read_only=True)) as table:
        table.run("BEGIN")
        assert [row[0] for row in table.run("SELECT id FROM documents WHERE state <> 1")] == []
        found = {os.fsdecode(row[1]): row[0] for row in table.run("SELECT id, key FROM documents")}
        assert sorted(found) == sorted(map(str, documents))
        wanted = set()
        for source, text in documents.items():
            places = table.run(
                "SELECT p.start, p.stop, c.text FROM places p JOIN chunks c ON c.id = p.chunk WHERE p.document = ? ORDER BY number",
                (found[str(source)],),
            ).fetchall()
            assert places == chunks_of(text or "", splitter), source
            wanted |= {place[2] for place in places}
        chunks = dict(table.run("SELECT id, text FROM chunks"))
        assert sorted(chunks.values()) == sorted(wanted)
        if chunks:
            with generations.reading(table, str(path)) as vectors:
                slots = vectors.slots_of(np.array(sorted(chunks), np.uint64), table.meta("vectors"))
                halves = vectors.vectors_at(slots)
            for number, chunk in enumerate(sorted(chunks)):
                assert np.abs(halves[number] - vector_of(chunks[chunk], width, name)).max() < 1e-6
