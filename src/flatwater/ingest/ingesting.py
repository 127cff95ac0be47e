"""One ingestion: sources through a flow into a corpus, and what has vanished out of it.

Covers:     the order of the steps, the flow, what is taken from the budget, ending early without losing what was written.
Not here:   each step: `sources`, `choosing`, `stages`, `writing`, `generations`.
Holds:      what its parts hold, taken from the budget before anything begins; see `bytes_max`.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.ingest import folder, manifest
from flatwater.ingest.choosing import Choosing
from flatwater.ingest.document import Part
from flatwater.ingest.embedding import Embedding
from flatwater.ingest.generations import Generation
from flatwater.ingest.manifest import Manifest
from flatwater.ingest.report import Report
from flatwater.ingest.sources import Reading
from flatwater.ingest.splitting import Splitter
from flatwater.ingest.stages import Cleaning, Embedded, EmbeddingStage, Gathering, Splitting
from flatwater.ingest.writing import Writing
from flatwater.pipeline.flow import Flow

if TYPE_CHECKING:
    from flatwater.ingest.embedders import Embedder
    from flatwater.ingest.plugged import SplitterLike
    from flatwater.ingest.sources import Source
    from flatwater.source.documents.reader import Documents

READER_VERSION = "documents 1"  # another one reads all documents anew
HOLDER = "ingest"


def bytes_max(embedder: Embedder, splitter: SplitterLike) -> int:
    """The most that an ingestion holds, in bytes, beside what its reader of documents and its flow take themselves."""
    total = 0
    total += manifest.bytes_max()  # SQLite
    total += 4 * limits.INGEST_APPEND_BYTES  # vectors on their way to the files
    total += splitter.bytes_max()  # the text that is being cut
    total += limits.INGEST_LOAD_BYTES * (1 + embedder.workers)  # loads: one that is gathered, those that are embedded
    total += embedder.bytes_max()  # the model, or requests under way
    return total


@final
class Ingestion:
    """One run. For one thread, once.

    Args:
        path: of the corpus.
        reader: of documents.
        embedder: of texts.
        splitter: of documents.
        cleaning: of chunks.
        full_text: whether a new corpus has an index of words; None is yes, and whatever one has that is there.
        again: documents that something was wrong with are read again.
        progress: called with the report now and then.
    """

    def __init__(
        self, path: str, reader: Documents, embedder: Embedder, splitter: SplitterLike, cleaning: Cleaning, *, full_text: bool | None,
        again: bool, progress: Callable[[Report], object] | None,
    ) -> None:  # fmt: skip
        self.report = Report()
        self._path = path
        self._reader = reader
        self._embedder = embedder
        self._splitter = splitter
        self._cleaning = cleaning
        self._full_text = full_text
        self._again = again
        self._progress = progress

    @property
    def _stages(self) -> str:
        return f"{READER_VERSION}; {self._cleaning.version}; {self._splitter.version}"

    def run(self, sources: Sequence[Source]) -> Report:
        """Bring the corpus in step with its sources.

        Raises:
            BudgetExceeded: it does not fit.
            BrokenError: somebody else writes, the embedder does not work, the disk is full.
        """
        begun = time.monotonic()
        try:
            with (
                folder.writing(self._path),
                Budget.current().reserve(bytes_max(self._embedder, self._splitter), HOLDER) as held,
            ):
                self.report.promised_bytes = held.bytes
                with contextlib.closing(self._opened()) as table, table.errors():
                    self._ingest(table, sources)
        except OSError as error:
            raise folder.said(error, self._path) from error
        finally:
            self.report.wall_s = time.monotonic() - begun
        return self.report

    def rehearse(self, sources: Sequence[Source]) -> Report:
        """The same without writing anything, and without reading more of a document than tells whether it changed."""
        self.report.is_dry = True
        begun = time.monotonic()
        there = folder.exists(self._path)
        with (
            contextlib.closing(Manifest(self._path, read_only=True) if there else manifest.empty()) as table,
            table.errors(),
        ):
            stages = table.one("SELECT id FROM stages WHERE name = ?", (self._stages,)) or 0
            choosing = Choosing(table, self.report, stages, is_dry=True, again=self._again)
            with Reading(self._reader, self.report.add) as reading:
                for source in sources:
                    choosing.source = table.one("SELECT id FROM sources WHERE name = ?", (source.name,)) or 0
                    for _part in source.parts(choosing, reading):
                        raise AssertionError("nothing is read")
            for source in sources:
                self.report.removed += sum(1 for _ in self._vanished(table, source))
            if table.meta("embedder", self._embedder.name) != self._embedder.name:
                self.report.reembedded = table.one("SELECT count(*) FROM chunks")
        self.report.wall_s = time.monotonic() - begun
        return self.report

    def _opened(self) -> Manifest:
        there = folder.exists(self._path)
        table = Manifest(self._path, read_only=False, makes=not there, full_text=self._full_text is not False)
        try:
            if not there:
                folder.describe(self._path)
            self._check_words(table)
        except BaseException:
            table.close()
            raise
        return table

    def _check_words(self, table: Manifest) -> None:
        if self._full_text not in {None, table.has_words}:
            has = "an" if table.has_words else "no"
            raise errors.UsageError(
                f"{self._path} has {has} index of words, and full_text={self._full_text} was asked for.",
                hint="Leave full_text= out, or ingest into another directory.",
            )

    def _ingest(self, table: Manifest, sources: Sequence[Source]) -> None:
        with contextlib.closing(Generation(table, self._path)) as vectors:
            if table.meta("embedder", self._embedder.name) != self._embedder.name:
                vectors.embed_anew(self._embedder, self.report)
            embedding = Embedding(self._embedder, int(table.meta("width", 0)))
            gathering = Gathering(table, lambda: embedding.load_texts)
            writing = Writing(table, vectors, self.report, gathering.under_way)
            try:
                self._flow(table, sources, embedding, gathering, writing)
                for source in sources:
                    for document in self._vanished(table, source):
                        writing.remove(document)
                writing.clear()
                if writing.dead_share > limits.INGEST_DEAD_SHARE:
                    vectors.compact()
            finally:  # what was written is kept, also behind an error; the next run goes on from there
                writing.end()
                table.run("PRAGMA wal_checkpoint(TRUNCATE)")

    def _flow(
        self, table: Manifest, sources: Sequence[Source], embedding: Embedding, gathering: Gathering, writing: Writing
    ) -> None:
        table.run("BEGIN IMMEDIATE")
        stages = table.number_of("stages", self._stages)
        numbers = [table.number_of("sources", source.name) for source in sources]
        own = self._splitter if isinstance(self._splitter, Splitter) and self._splitter.unit == "characters" else None
        table.set_meta(
            embedder=self._embedder.name, size=own.size if own else 0, overlap=own.overlap if own else 0
        )  # fmt: skip
        table.run("COMMIT")
        choosing = Choosing(table, self.report, stages, is_dry=False, again=self._again)

        def documents() -> Iterator[Part]:
            with Reading(self._reader, self.report.add) as reading:
                for source, choosing.source in zip(sources, numbers, strict=True):
                    yield from source.parts(choosing, reading)

        def written(embedded: Embedded) -> None:
            writing.write(embedded)
            if self._progress is not None:
                self._progress(self.report)

        flow = Flow(documents).pipe(Splitting(self._splitter)).map(self._cleaning).pipe(gathering)
        stage = EmbeddingStage(embedding)
        if self._embedder.workers > 1:
            flow = flow.pmap(
                stage, workers=self._embedder.workers, bytes=limits.INGEST_LOAD_BYTES * self._embedder.workers
            )
        else:
            flow = flow.map(stage)
        ran = flow.each(written).run()
        self.report.promised_bytes += ran.promised_bytes
        self.report.seen_bytes = ran.seen_bytes

    @staticmethod
    def _vanished(table: Manifest, source: Source) -> Iterator[int]:
        """Documents of a source that was listed to its end, which are not there any more."""
        if not source.is_whole:
            return
        number = table.one("SELECT id FROM sources WHERE name = ?", (source.name,)) or 0
        for document, key, listed_by in table.unseen(number, source.below):
            if listed_by == number or source.is_gone(key):
                yield document


def removed(path: str, source: str) -> int:
    """Remove the documents that a path or URL names; how many they were.

    Raises:
        UsageError: there is no corpus.
        BrokenError: somebody else writes.
    """
    report = Report()
    if not folder.exists(path):
        raise errors.UsageError(f"there is no corpus at {path}.", hint="Check the path.")
    key = source.encode() if "://" in source else os.fsencode(os.path.abspath(source))
    below = key if key.endswith(b"/") else key + b"/"
    with (
        folder.writing(path),
        contextlib.closing(Manifest(path, read_only=False)) as table,
        table.errors(),
        contextlib.closing(Generation(table, path)) as vectors,
    ):
        writing = Writing(table, vectors, report, set())
        one = table.find(key)
        for document, *_ in [(one.id,)] if one else table.unseen(0, below):
            writing.remove(document)
        writing.clear()
    return report.removed
