"""A corpus: documents that are kept searchable, in fixed memory and in step with their sources.

Covers:     the public class: ingesting, searching, figures, removing a source.
Not here:   how either is done (`ingesting`, `searching`).
Holds:      the embedder; while it ingests or searches, what those hold.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.ingest import checking, folder, ingesting, searching, snapshot
from flatwater.ingest.asking import Asked, reader_of, sources_of
from flatwater.ingest.embedders import Embedder, embedder_of
from flatwater.ingest.ingesting import Ingestion
from flatwater.ingest.manifest import Manifest
from flatwater.ingest.plugged import SplitterLike, splitter_of
from flatwater.ingest.report import Report
from flatwater.ingest.searching import By, Result, Search
from flatwater.ingest.splitting import Splitter
from flatwater.ingest.stages import Cleaning

DEFAULT_EMBEDDER = "hashing"


@final
class Corpus:
    r"""Documents that are split, embedded and kept searchable in a directory, however many there are.

    Ingesting brings it in step with a source: what is unchanged costs a look, of what changed only the chunks that are new are
    embedded, and what has vanished is removed. A run that was killed is made good by running it again. Searching goes on meanwhile,
    and sees whole documents only. One at a time ingests, in all processes; any number search. Thread-safe.

    Memory: `bytes_max()` from the ambient budget while it ingests, whatever there is to ingest; a search about 20 MiB.

    Args:
        path: of the directory; it is made by the first ingestion.
        embedder: "hashing" (words, without a model), "minilm", the URL of an OpenAI-compatible endpoint with "#model", or a function
            of a list of texts; the one that it was made with, if not said.
        splitter: a `Splitter`, or one of LangChain, chonkie or semantic-text-splitter; one of `size` and `overlap`, if not said.
        size: characters of a chunk, at most; those that it was made with, if not said, or 1,000.
        overlap: characters that a chunk repeats of the one before it; those that it was made with, if not said, or none.
        clean: a function of a chunk's text that returns what is kept of it.
        full_text: whether there is an index of words; only when it is made.

    Raises:
        UsageError: an argument that makes no sense, or something else is at the path.

    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "notes.md").write_text("# Budgets\n\nA budget is a number of bytes that parts share.\n")
    >>> with Corpus(folder / "corpus") as corpus:
    ...     report = corpus.ingest(folder / "notes.md")
    ...     found = corpus.search("who shares bytes?")
    >>> report.new, found[0].start, found[0].text
    (1, 0, '# Budgets\n\nA budget is a number of bytes that parts share.')
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        embedder: Any = None,
        splitter: Any = None,
        size: int | None = None,
        overlap: int | None = None,
        clean: Callable[[str], str] | None = None,
        full_text: bool | None = None,
    ) -> None:
        self.path = folder.path_of(path)
        folder.exists(self.path)
        self._size, self._overlap = size, overlap
        self._splitter: SplitterLike | None = None if splitter is None else splitter_of(splitter)
        if splitter is None:
            _splitter(size, overlap)  # which refuses what makes no sense
        self._cleaning = Cleaning(clean)
        self._full_text = full_text
        self._asked = embedder
        self._embedder: Embedder | None = None if embedder is None else embedder_of(embedder)
        self._lock = threading.Lock()

    # --- ingesting ----------------------------------------------------------------------------------------------------

    def ingest(
        self,
        source: Any,
        *,
        id: str | Callable[[Any], Any] = "id",  # noqa: A002 - the field's name
        text: str | Callable[[Any], Any] = "text",
        metadata: Mapping[str, Any] | Iterable[str] | None = None,
        name: str = "",
        encoding: str | None = None,
        password: str = "",
        worker_limit: str | int = limits.DOCUMENT_WORKER_LIMIT_BYTES,
        storage_options: Mapping[str, Any] | None = None,
        retry: bool = False,
        dry_run: bool = False,
        progress: Callable[[Report], object] | None = None,
    ) -> Report:
        """Bring the corpus in step with a source, or several.

        Args:
            source: a file, a directory, a pattern such as "docs/**/*.md", a URL of an object store or of the web; a list of these; a
                `fw.Table`; or an iterable of dicts, or of (id, text).
            id: the column of a row's id.
            text: the column of its text.
            metadata: of all documents, as a dict; or the columns of a row that are its metadata.
            name: by which an iterable is known from run to run.
            encoding: of texts that do not say theirs.
            password: of encrypted PDFs.
            worker_limit: bytes of the process that reads PDF, HTML and DOCX.
            storage_options: for the library that reaches a URL.
            retry: documents that something was wrong with are read again, also if they have not changed.
            dry_run: nothing is written; the report tells what would be done.
            progress: called with the report now and then.

        Raises:
            UsageError: an argument that makes no sense.
            BrokenError: a single path that is not there; somebody else ingests; the embedder does not work; the disk is full.
            BudgetExceeded: the ambient budget has no room.
            MissingExtra: a library is not installed.
        """
        asked = Asked(
            id=id, text=text, metadata=metadata, name=name, encoding=encoding, password=password, worker_limit=worker_limit,
            storage_options=storage_options,
        )  # fmt: skip
        sources = sources_of(source, asked, self.path)
        run = Ingestion(
            self.path, reader_of(asked), self._of_the_corpus(), self._splits(), self._cleaning, full_text=self._full_text,
            again=retry or bool(password), progress=progress,
        )  # fmt: skip
        return run.rehearse(sources) if dry_run else run.run(sources)

    async def aingest(self, source: Any, **options: Any) -> Report:
        """`ingest` for coroutines: it works in a thread, and the event loop goes on."""
        import asyncio

        return await asyncio.to_thread(self.ingest, source, **options)

    def remove(self, source: str | os.PathLike[str]) -> int:
        """Remove a document, or all below a directory or a URL that ends with a slash; how many they were."""
        return ingesting.removed(self.path, os.fspath(source))

    # --- searching ----------------------------------------------------------------------------------------------------

    def search(
        self, query: str, k: int = limits.INGEST_K, *, where: Mapping[str, Any] | None = None, by: By = "both"
    ) -> list[Result]:
        """The chunks that fit a query best, by its words and by its vector.

        Args:
            query: what is asked; what stands in double quotes is looked for as a phrase.
            k: results, at most.
            where: conditions on the documents: `{"source": "*.md", "language": ["en", "de"]}`; source is a pattern.
            by: "both", or "words" or "vectors" alone.

        Raises:
            UsageError: there is no such corpus, it was made with another embedder, an argument makes no sense.
            BrokenError: the embedder does not work.
            CorruptError: a file of it is damaged.
        """
        if not isinstance(query, str) or not query.strip():
            raise errors.UsageError("the query is empty.", hint="Ask for some words.")
        if by not in {"both", "words", "vectors"}:
            raise errors.UsageError(f"by={by!r}.", hint='Take "both", "words" or "vectors".')
        errors.count_of(k, what="k", most=limits.INGEST_K_MAX)
        made_with, width = self._known()
        embedder = self._of_the_corpus(made_with) if by != "words" and width else None
        own = embedder.bytes_max() if embedder else 0
        with Budget.current().reserve(searching.bytes_max(width, k) + own, "search"):
            vector = searching.vector_of(query, embedder, made_with, width) if embedder else None
            return Search(self.path, query, vector, k, by, where, made_with).results()

    async def asearch(self, query: str, k: int = limits.INGEST_K, **options: Any) -> list[Result]:
        """`search` for coroutines: it works in a thread, and the event loop goes on."""
        import asyncio

        return await asyncio.to_thread(self.search, query, k, **options)

    # --- itself -------------------------------------------------------------------------------------------------------

    def stats(self) -> dict[str, Any]:
        """Documents, chunks, embedder, width, bytes on the disk."""
        self._known()

        def told(table: Manifest) -> dict[str, Any]:
            figures = {name: table.meta(name, 0) for name in ("embedder", "width", "vectors", "alive")}
            return {**table.counts(), **figures, "full_text": table.has_words}

        found = snapshot.read(self.path, told)
        found["file_bytes"] = 0
        for place, _below, files in os.walk(self.path):
            for file in files:
                with contextlib.suppress(FileNotFoundError):  # another generation took its place just now
                    found["file_bytes"] += os.lstat(os.path.join(place, file)).st_size
        return found

    def check(self) -> list[str]:
        """What does not agree in it, in words: an empty list, if it is as a finished ingestion leaves it.

        Reads all of it, in fixed memory.
        """
        self._known()
        return checking.findings(self.path)

    def bytes_max(self) -> int:
        """The most that an ingestion holds, in bytes, beside its reader of documents and its flow."""
        return ingesting.bytes_max(self._of_the_corpus(), self._splits())

    def close(self) -> None:
        """End the embedder, with its process or its connections, unless it is an `Embedder` that was passed in.

        Closing twice is fine; what is called afterwards begins it anew.
        """
        with self._lock:
            embedder, self._embedder = self._embedder, None
        if embedder is not None and embedder is not self._asked:
            embedder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Corpus {self.path}>"

    def _known(self) -> tuple[str, int]:
        """The embedder that it was made with, and its width.

        Raises:
            UsageError: there is no corpus.
        """
        if not folder.exists(self.path):
            raise errors.UsageError(
                f"there is no corpus at {self.path}.",
                hint="Check the path, or make one: flatwater ingest SRC --into PATH.",
            )
        return snapshot.read(self.path, lambda table: (str(table.meta("embedder", "")), int(table.meta("width", 0))))

    def _splits(self) -> SplitterLike:
        """The splitter that was asked for, else one of the sizes that the corpus was made with."""
        if self._splitter is not None:
            return self._splitter
        size, overlap = self._size, self._overlap
        if folder.exists(self.path) and (size is None or overlap is None):
            made = snapshot.read(self.path, lambda table: (int(table.meta("size", 0)), int(table.meta("overlap", 0))))
            if made[0]:
                size = made[0] if size is None else size
                overlap = made[1] if overlap is None else overlap
        return _splitter(size, overlap)

    def _of_the_corpus(self, made_with: str | None = None) -> Embedder:
        """The embedder that was asked for, else the one that it was made with."""
        with self._lock:
            if self._embedder is None:
                if self._asked is None and made_with is None and folder.exists(self.path):
                    made_with = self._known()[0]
                self._embedder = self._made(made_with or "")
            return self._embedder

    def _made(self, made_with: str) -> Embedder:
        if self._asked is not None or not made_with:
            return embedder_of(DEFAULT_EMBEDDER if self._asked is None else self._asked)
        try:
            return embedder_of(made_with)
        except errors.UsageError:
            raise errors.UsageError(
                f"the corpus was made with the embedder {made_with!r}, which has no way to be made from its name.",
                hint="Pass it: Corpus(path, embedder=...). Words alone need none: search(query, by='words').",
            ) from None


def _splitter(size: int | None, overlap: int | None) -> Splitter:
    return Splitter(limits.INGEST_CHUNK_SIZE if size is None else size, overlap or 0)
