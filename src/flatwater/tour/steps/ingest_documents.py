"""A step of the tour: the machine's documentation as a searchable corpus, brought in step twice, and searched.

Covers:     which files, the two runs, the searches, what the step promises, the checks.
Not here:   corpora (`ingest`), reading documents (`tour.steps.read_documents`).
Holds:      what an ingestion holds, and the process that reads PDF, HTML and DOCX: see `IngestDocuments.bytes_max`.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import final

from flatwater import errors, limits
from flatwater.budget import Budget
from flatwater.ingest.corpus import Corpus
from flatwater.ingest.report import Report
from flatwater.ingest.stages import cleaned
from flatwater.tour.inputs import DOCUMENTATION, Root, files
from flatwater.tour.step import Inputs, StepResult
from flatwater.tour.steps.read_documents import ReadDocuments, opened
from flatwater.units import MIB

FOLDER = "corpus"
_SMALL = "tour.small.md"
_SUFFIXES = frozenset({"", ".docx", ".htm", ".html", ".md", ".pdf", ".rst", ".txt"})
_QUERIES = ("how is it installed", "who holds the copyright", '"source code"')
_TEXTS = ("*.md", "*.rst", "*.txt")  # whose places are bytes of the file
_MARKUP = (b"<!doctype html", b"<html")  # at the beginning of one that is none
_GROUP_BYTES, _GROUP_FILES = 2 * MIB, 300  # of files between two looks at the clock


@final
class IngestDocuments:
    """Ingests as much as there is time for, ingests it again, and searches. For one use, in one thread.

    Attributes:
        trouble: why it cannot run; empty if it can.
    """

    name = "corpus"
    naive = "flatwater.tour.naive.corpus"

    def __init__(self) -> None:
        self.trouble = ReadDocuments().trouble
        for module in ("apsw", "numpy", "numkong"):
            try:
                importlib.import_module(module)
            except ImportError:
                self.trouble = self.trouble or str(errors.MissingExtra("ingest", module))

    @property
    def bytes_least(self) -> int:
        """What an ingestion holds; a search takes less."""
        total = 0
        total += opened([]).bytes_max()  # the reader, and the other process
        total += Corpus(FOLDER).bytes_max() if not self.trouble else 0  # all from the splitter to SQLite
        total += 8 * limits.FLOW_BATCH_BYTES  # the flow's batches
        total += MIB  # names of files, and results
        return total

    def bytes_max(self, room: int) -> int:  # noqa: ARG002 - it needs no more
        """The same, however much there is."""
        return self.bytes_least

    def prepare(self, inputs: Inputs) -> None:
        """Ingest one file, and search: what the first use imports belongs to the baseline."""
        if self.trouble:
            return
        small = os.path.join(inputs.folder, _SMALL)
        try:
            with open(small, "w", encoding="utf-8") as file:
                file.write("# Title\n\nwords\n")
            with Corpus(os.path.join(inputs.folder, FOLDER)) as corpus:
                corpus.ingest(small)
                corpus.search("words")
                corpus.remove(small)
            os.unlink(small)
        except (OSError, errors.BrokenError) as error:
            self.trouble = f"{inputs.folder!r} cannot have a corpus: {error}; TMPDIR names another place"

    def run(self, budget: Budget, inputs: Inputs) -> StepResult:  # noqa: ARG002 - it is the ambient one
        """The documents in the roots of `inputs`, until time is over, or there are as many as it takes.

        Raises:
            BrokenError: the second run had something to do, or a passage does not stand where it was found.
        """
        until_s = time.monotonic() + inputs.seconds / 2  # what is ingested is looked at again
        done: list[str] = []
        documents = size = chunks = 0
        complete = True
        with Corpus(os.path.join(inputs.folder, FOLDER)) as corpus:
            for group in _groups(inputs.roots):
                if time.monotonic() > until_s or len(done) > limits.TOUR_INGEST_FILES:
                    complete = False
                    break
                report = corpus.ingest(group, worker_limit=limits.TOUR_WORKER_BYTES)
                done += group
                documents += report.documents
                size += report.text_bytes
                chunks += report.chunks
            begun_s = time.monotonic()
            again = corpus.ingest(done, worker_limit=limits.TOUR_WORKER_BYTES) if done else Report()
            again_s = time.monotonic() - begun_s
            if again.new or again.removed or again.embedded:
                raise errors.BrokenError(f"the second run had something to do:\n{again}")
            found, places = _searched(corpus)
            different = int(corpus.stats()["chunks"])
        notes = (
            f"{chunks:,} chunks, {different:,} of them different; the second run took {again_s:.1f} s and embedded nothing",
            f"{found:,} passages found by {len(_QUERIES)} queries; {places:,} of plain text were looked up, and stand in their files",
        )
        details = {"chunks": chunks, "different": different, "found": found, "places": places, "again_s": again_s}
        return StepResult(documents, size, "documents", complete=complete, notes=notes, details=details)


def _groups(roots: Sequence[Root]) -> Iterator[list[str]]:
    """Paths of documents, some at a time, the documentation first."""
    group: list[str] = []
    size = 0
    named = {root.path for root in roots}
    for path in files(sorted(roots, key=lambda root: root.path != os.path.realpath(DOCUMENTATION)), Counter()):
        if path not in named and os.path.splitext(path)[1].lower() not in _SUFFIXES:
            continue
        group.append(path)
        with contextlib.suppress(OSError):  # it went meanwhile
            size += os.stat(path).st_size
        if size > _GROUP_BYTES or len(group) == _GROUP_FILES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _searched(corpus: Corpus) -> tuple[int, int]:
    """How many passages were found, and of how many the place was looked up.

    Raises:
        BrokenError: a file has something else there.
    """
    found = places = 0
    for query in _QUERIES:
        for result in corpus.search(query, where={"source": _TEXTS}):
            found += 1
            with open(result.source, "rb") as file:
                is_markup = file.read(64).lstrip().lower().startswith(_MARKUP)
                file.seek(result.start)
                there = file.read(result.stop - result.start)
            try:
                text = cleaned(there.decode())
            except UnicodeDecodeError:  # of another encoding
                continue
            if is_markup:
                continue
            places += 1
            if text != result.text:
                raise errors.BrokenError(
                    f"{result.source} has something else at {result.start}-{result.stop} than was found: {text[:80]!r}."
                )
    return found, places
