"""Which vectors a corpus has now, and how other ones take their place.

Covers:     opening them to write and to read; a new generation without dead slots; a new one by another embedder.
Not here:   the files (`vectors`), the rows that go with them (`writing`).
Holds:      the texts and vectors of one call of an embedder.

The number of the generation, its width and its count stand in the manifest; so a transaction there is the switch from one to the
next. A killed run leaves a folder that nobody speaks of, which the next one removes, or goes on with.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, final

from flatwater import limits
from flatwater.ingest import folder
from flatwater.ingest.live import Live, bits_of, is_set, mask_of
from flatwater.ingest.vectors import Vectors

if TYPE_CHECKING:
    import numpy as np

    from flatwater.ingest.embedders import Embedder
    from flatwater.ingest.manifest import Manifest
    from flatwater.ingest.report import Report


@final
class Generation:
    """The vectors that are written to. They are made when the first vector tells its width.

    Args:
        manifest: open to write.
        path: of the corpus.

    Attributes:
        width: 0 as long as nobody knows.
    """

    def __init__(self, manifest: Manifest, path: str) -> None:
        self._manifest = manifest
        self._path = path
        self._vectors: Vectors | None = None
        self._open()

    def _open(self) -> None:
        """What the manifest speaks of."""
        meta = self._manifest.meta
        self.number = int(meta("generation", 1))
        self.width = int(meta("width", 0))
        if self.width:
            self._vectors = Vectors.writing(_folder(self._path, self.number), self.width, int(meta("vectors", 0)))
        _remove_others(self._path, {self.number, int(meta("rebuild_generation", 0))})

    @property
    def count(self) -> int:
        """Rows, with those that are not committed yet."""
        return self._vectors.count if self._vectors else 0

    def append(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        """Rows behind the others."""
        if self._vectors is None:
            self.width = vectors.shape[1]
            shutil.rmtree(_folder(self._path, self.number), ignore_errors=True)  # of a run that was killed
            self._vectors = Vectors.writing(_folder(self._path, self.number), self.width)
            self._manifest.set_meta(width=self.width, generation=self.number)
        self._vectors.append(ids, vectors)

    def slots_of(self, ids: np.ndarray) -> np.ndarray:
        """Where chunks stand; -1 for one that has no vector."""
        import numpy as np

        return self._vectors.slots_of(ids, self.count) if self._vectors else np.full(len(ids), -1)

    def sync(self) -> None:
        """Make them durable."""
        if self._vectors is not None:
            self._vectors.sync()

    def compact(self) -> None:
        """Leave out what is dead: another generation takes the place of this one. No transaction is open."""
        assert self._vectors is not None
        manifest, number = self._manifest, self.number + 1
        shutil.rmtree(_folder(self._path, number), ignore_errors=True)  # of a run that embedded anew, and was killed
        with Vectors.writing(_folder(self._path, number), self.width) as fresh:
            fresh.copy_live(self._vectors, self.count, lambda block: mask_of(manifest, block))
            fresh.sync()
            with manifest.transaction():
                Live(manifest).begin_anew(fresh.count)
                manifest.run("DELETE FROM meta WHERE name LIKE 'rebuild_%'")
                manifest.set_meta(generation=number, vectors=fresh.count)
        self.close()
        self._open()

    def embed_anew(self, embedder: Embedder, report: Report) -> None:
        """Vectors of another embedder for all chunks; searches go on with the old ones until it is done.

        A run that was killed in it goes on where it was. A chunk that cannot be embedded is taken out, and its documents are
        read again.

        Raises:
            BrokenError: the embedder does not work.
        """
        from flatwater.ingest.embedding import Embedding

        manifest, number = self._manifest, self.number + 1
        width, after, count = 0, 0, 0
        if manifest.meta("rebuild_embedder") == embedder.name and int(manifest.meta("rebuild_generation", 0)) == number:
            width, after, count = (int(manifest.meta(f"rebuild_{name}", 0)) for name in ("width", "chunk", "vectors"))
        else:
            shutil.rmtree(_folder(self._path, number), ignore_errors=True)
        embedding = Embedding(embedder, width)
        fresh = Vectors.writing(_folder(self._path, number), width, count) if width else None
        try:
            while rows := manifest.texts(after, embedder.batch_texts):
                vectors, failures = embedding.embed([text for _chunk, text in rows])
                if fresh is None and len(vectors):
                    width = vectors.shape[1]
                    fresh = Vectors.writing(_folder(self._path, number), width)
                after = rows[-1][0]
                if fresh is not None:
                    fresh.append(_array([row[0] for at, row in enumerate(rows) if at not in failures]), vectors)
                    fresh.sync()
                    count = fresh.count
                with manifest.transaction():
                    self._take_out({rows[at][0]: reason for at, reason in failures.items()}, report)
                    manifest.set_meta(
                        rebuild_embedder=embedder.name, rebuild_generation=number, rebuild_width=width, rebuild_chunk=after,
                        rebuild_vectors=count,
                    )  # fmt: skip
                report.reembedded += len(rows) - len(failures)
            self._switch(number, width, count, fresh, embedder.name)
        finally:
            if fresh is not None:
                fresh.close()
        self.close()
        self._open()

    def _take_out(self, failures: dict[int, str], report: Report) -> None:
        for chunk, reason in failures.items():
            for place in self._manifest.places(chunk, 1):
                report.add(
                    place.name, place.page, f"the text from {place.start:,} could not be embedded: {reason}", "failed"
                )
            self._manifest.take_out(chunk)
        if failures:
            live = Live(self._manifest)
            live.mark(self.slots_of(_array(sorted(failures))), alive=False)
            live.flush()

    def _switch(self, number: int, width: int, count: int, fresh: Vectors | None, name: str) -> None:
        """What was live is live, in its new slots."""
        import numpy as np

        manifest = self._manifest
        with manifest.transaction():
            old = {block: bits_of(manifest, block) for block in range(-(-self.count // limits.INGEST_BLOCK_SLOTS))}
            live = Live(manifest)
            live.begin_anew(0)
            for first in range(0, count, limits.INGEST_BLOCK_SLOTS):
                assert fresh is not None
                slots = np.arange(first, min(first + limits.INGEST_BLOCK_SLOTS, count))
                before = self.slots_of(fresh.ids_at(slots))
                alive = [at >= 0 and is_set(old[at // limits.INGEST_BLOCK_SLOTS], at) for at in before.tolist()]
                live.mark(slots[np.array(alive, bool)], alive=True)
            live.flush()
            manifest.run("DELETE FROM meta WHERE name LIKE 'rebuild_%'")
            manifest.set_meta(generation=number, width=width, vectors=count, embedder=name)

    def close(self) -> None:
        """Close the files."""
        vectors, self._vectors = self._vectors, None
        if vectors is not None:
            vectors.close()


def reading(manifest: Manifest, path: str) -> Vectors | None:
    """The vectors that a snapshot speaks of; None where it has none. The caller begins the snapshot, and closes them.

    Raises:
        GenerationGone: a writer has replaced them since the snapshot was taken: take another.
    """
    width = int(manifest.meta("width", 0))
    if not width:
        return None
    return Vectors.reading(_folder(path, int(manifest.meta("generation", 1))), width)


def _folder(path: str, number: int) -> str:
    return os.path.join(path, folder.VECTORS, str(number))


def _remove_others(path: str, kept: set[int]) -> None:
    place = os.path.join(path, folder.VECTORS)
    try:
        names = os.listdir(place)
    except FileNotFoundError:
        return
    for name in names:
        if name not in {str(number) for number in kept}:
            shutil.rmtree(os.path.join(place, name), ignore_errors=True)


def _array(ids: list[int]) -> np.ndarray:
    import numpy as np

    return np.array(ids, np.uint64)
