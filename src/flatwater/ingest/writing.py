"""Write loads into a corpus, so that after any kill what is there is whole.

Covers:     the order of vectors, chunks, places and documents; transactions by bytes and seconds; clearing away what is gone.
Not here:   the tables (`manifest`), the files of vectors (`vectors`), another generation of these (`generations`).
Holds:      the rows of one load, and the bits of the blocks that changed.

Vectors are appended first and made durable, then the transaction that speaks of them is committed. What stands in their files
behind the committed count was never spoken of, and is cut off. A chunk is live from the commit on in which a whole document has it.
"""

from __future__ import annotations

import time
from itertools import chain, repeat
from typing import TYPE_CHECKING, final

from flatwater import limits
from flatwater.ingest.document import Cut, Document
from flatwater.ingest.live import Live
from flatwater.ingest.manifest import Manifest
from flatwater.ingest.report import Report
from flatwater.ingest.stages import Embedded

if TYPE_CHECKING:
    from flatwater.ingest.generations import Generation


@final
class Writing:
    """The one who writes. For one thread.

    Args:
        manifest: open to write.
        vectors: open to write.
        report: where it is counted.
        under_way: digests of texts that are not written yet; written ones are taken out.
    """

    def __init__(self, manifest: Manifest, vectors: Generation, report: Report, under_way: set[bytes]) -> None:
        self._manifest = manifest
        self._vectors = vectors
        self._report = report
        self._under_way = under_way
        self._live = Live(manifest)
        self._next = int(manifest.meta("next_chunk", 1))
        self._finished: list[int] = []  # documents that became whole in this transaction
        self._bytes = 0
        self._since_s = time.monotonic()  # of the last commit: what was done behind it is done again after a kill
        self._is_torn = False  # an error came between two statements that belong together

    def write(self, embedded: Embedded) -> None:
        """A load: its new chunks, where all of its chunks stand, and the documents that end with it.

        Raises:
            EmbedderFailed: it ended the load. What was embedded is there, so that it need not be again.
        """
        self._is_torn = True
        self._write(embedded)
        self._is_torn = False
        if embedded.error is not None:
            raise embedded.error
        if self._bytes >= limits.INGEST_COMMIT_BYTES or time.monotonic() - self._since_s >= limits.INGEST_COMMIT_S:
            self.commit()

    def _write(self, embedded: Embedded) -> None:
        import numpy as np

        manifest, failures = self._manifest, embedded.failures
        self._begin()
        digests, texts = embedded.load.digests[: embedded.tried], embedded.load.texts[: embedded.tried]
        missing = {digests[at]: reason for at, reason in failures.items()}
        if failures:
            good = [at for at in range(len(texts)) if at not in failures]
            digests, texts = [digests[at] for at in good], [texts[at] for at in good]
        numbers = range(self._next, self._next + len(texts))
        self._next = numbers.stop
        if numbers:
            self._vectors.append(np.arange(numbers.start, numbers.stop, dtype=np.uint64), embedded.vectors)
            manifest.add_chunks(numbers, digests, texts)
        self._report.embedded += len(numbers)
        self._place(embedded, dict(zip(digests, numbers, strict=True)), missing)
        self._under_way.difference_update(embedded.load.digests)
        self._bytes += sum(map(len, texts))

    def _place(self, embedded: Embedded, ids: dict[bytes, int], missing: dict[bytes, str]) -> None:
        """Where the chunks stand; a chunk that could not be embedded is left out, and its document read again the next time.

        Behind an error no document ends: they are as those of a run that was killed.
        """
        manifest, report, cuts = self._manifest, self._report, embedded.load.cuts
        is_whole = embedded.error is None
        every = {digest for cut in cuts for digest in cut.digests}
        ids.update(manifest.known(every.difference(ids, missing)))
        lost = every.difference(ids)
        rows = []
        for cut in cuts:
            document = cut.document
            if not document.id:
                document.id = manifest.add_document(
                    document.key, document.name, document.source, document.stages, document.metadata
                )
            kept = cut
            if not lost.isdisjoint(cut.digests):
                kept = cut.only([number for number, digest in enumerate(cut.digests) if digest not in lost])
                if is_whole:
                    self._miss(cut, lost, missing)
            numbers = range(document.number, document.number + len(kept.digests))
            chunks = map(ids.__getitem__, kept.digests)
            rows.append(zip(repeat(document.id), numbers, chunks, kept.pages, kept.starts, kept.stops, strict=False))
            document.number = numbers.stop
            report.chunks += len(numbers)
            report.text_bytes += sum(map(len, cut.texts))
        manifest.add_places(chain.from_iterable(rows))
        for cut in cuts:
            if cut.is_last and is_whole:
                self._end(cut.document)

    def _miss(self, cut: Cut, lost: set[bytes], missing: dict[bytes, str]) -> None:
        """Tell of the chunks of a cut that are lost."""
        for number, digest in enumerate(cut.digests):
            if digest in lost:
                reason = missing.get(digest, "its embedding failed in another document")
                said = f"the text from {cut.starts[number]:,} to {cut.stops[number]:,} could not be embedded: {reason}"
                cut.document.redo()
                cut.document.add_note(said)
                self._report.add(cut.document.name, cut.pages[number], said, "failed")

    def _end(self, document: Document) -> None:
        manifest = self._manifest
        manifest.end_document(
            document.id, document.key, document.stamp, document.digest, document.note, document.number
        )
        manifest.see(document.id)
        self._finished.append(document.id)

    def remove(self, document: int) -> None:
        """A document that has vanished."""
        self._begin()
        self._manifest.drop_document(document)
        self._report.removed += 1

    def clear(self) -> None:
        """Clear away all that is gone or was never finished, in short transactions."""
        import numpy as np

        self.commit()
        while documents := self._manifest.unfinished():
            for document in documents:
                ended = False
                while not ended:
                    self._begin()
                    self._is_torn = True
                    orphans, ended = self._manifest.clear_step(document)
                    self._live.mark(self._vectors.slots_of(np.array(orphans, np.uint64)), alive=False)
                    self._is_torn = False
                    self._bytes += len(orphans) * limits.INGEST_CHUNK_BYTES
                    if self._bytes >= limits.INGEST_COMMIT_BYTES:
                        self.commit()
        self.commit()

    @property
    def dead_share(self) -> float:
        """Of the slots."""
        count = self._vectors.count
        return 1 - self._live.alive / count if count else 0.0

    def end(self) -> None:
        """Keep what was written, also behind an error; half a step is dropped. What is not committed is done again the next time."""
        try:
            if not self._is_torn:
                self.commit()
        finally:
            self.roll_back()

    def _begin(self) -> None:
        if not self._manifest.is_changing:
            self._manifest.run("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make all of it durable, and seen."""
        manifest = self._manifest
        if not manifest.is_changing:
            return
        self._is_torn = True
        chunks: list[int] = []
        for document in self._finished:
            for some in manifest.chunks_of(document):
                chunks += some
                if len(chunks) >= limits.INGEST_STEP_ROWS:
                    self._mark(chunks)
                    chunks = []
        self._mark(chunks)
        self._vectors.sync()
        self._live.flush()
        manifest.set_meta(next_chunk=self._next, vectors=self._vectors.count)
        manifest.run("COMMIT")
        self._is_torn = False
        self._finished.clear()
        self._bytes = 0
        self._since_s = time.monotonic()

    def _mark(self, chunks: list[int]) -> None:
        """Whole documents have these chunks."""
        import numpy as np

        self._live.mark(self._vectors.slots_of(np.array(chunks, np.uint64)), alive=True)

    def roll_back(self) -> None:
        """Drop what was not committed; files of vectors are cut the next time."""
        if self._manifest.is_changing:
            self._manifest.run("ROLLBACK")
