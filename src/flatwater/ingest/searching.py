"""Search a corpus: by words and by vectors in one snapshot, and both ranks together.

Covers:     the snapshot, the two lists of candidates, reciprocal rank fusion, what a result tells.
Not here:   conditions on metadata (`filters`), snippets (`snippets`), comparing vectors (`scan`).
Holds:      a page cache, candidates, a piece of vectors for each thread; see `bytes_max`.

Reciprocal rank fusion: Cormack, Clarke and Buettcher, SIGIR 2009; a candidate's score is the sum of 1 / (60 + its rank) over the
lists that have it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, final

from flatwater import errors, limits
from flatwater.ingest import filters, generations, manifest, scan, snapshot
from flatwater.ingest.embedding import Embedding
from flatwater.ingest.live import mask_of
from flatwater.ingest.manifest import Manifest, Place
from flatwater.ingest.manifest_errors import HINT
from flatwater.ingest.snippets import snippet_of

if TYPE_CHECKING:
    import numpy as np

    from flatwater.ingest.embedders import Embedder

By = Literal["both", "words", "vectors"]

_RANK_OFFSET: Final = 60
_WORDS: Final = re.compile(r'"([^"]*)"|(\w+)')


@final
@dataclass(frozen=True, slots=True)
class Result:
    """A chunk that was found.

    Attributes:
        source: the document, as it was listed.
        page: of a PDF, from 1; 0 where it has none.
        start: where it begins there: a byte of a text file, else a character of the page or of the text that was read.
        stop: where it ends; not included.
        text: all of it, cleaned.
        score: of the fusion; the larger, the better.
        snippet: some of it, around what was asked for.
        highlights: where the words that were asked for stand in the snippet: `(start, stop)` of each.
        metadata: of the document.
        also: other places of the same text, the first few: `(source, page, start, stop)`.
    """

    source: str
    page: int
    start: int
    stop: int
    text: str
    score: float
    snippet: str = ""
    highlights: tuple[tuple[int, int], ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[tuple[str, int, int, int], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def bytes_max(width: int, k: int) -> int:
    """The most that a search holds, in bytes, beside the embedder."""
    total = 0
    total += manifest.bytes_max()  # SQLite
    total += scan.bytes_max(max(width, 1), candidates_of(k))  # pieces of vectors, candidates
    total += candidates_of(k) * 2 * limits.INGEST_CHUNK_BYTES  # of both lists, with their places
    return total


def candidates_of(k: int) -> int:
    """How many each of the lists has."""
    return max(limits.INGEST_CANDIDATES_MIN, limits.INGEST_CANDIDATES_PER_RESULT * k)


@final
class Search:
    """One search. For one thread.

    Args:
        path: of the corpus.
        query: what is asked.
        vector: of the query; None where vectors are not asked.
        k: results, at most.
        by: which lists.
        where: conditions on the documents.
        made_with: the name of the embedder that gave the vector.
    """

    def __init__(
        self, path: str, query: str, vector: np.ndarray | None, k: int, by: By, where: Mapping[str, Any] | None, made_with: str
    ) -> None:  # fmt: skip
        self._path = path
        self._query = query
        self._vector = vector
        self._k = k
        self._by = by
        self._filter = filters.of(where)
        self._made_with = made_with

    def results(self) -> list[Result]:
        """The best first.

        Raises:
            CorruptError: a file of the corpus is damaged.
            UsageError: since the query was embedded, all texts were embedded anew by another embedder.
        """
        return snapshot.read(self._path, self._found)

    def _found(self, table: Manifest) -> list[Result]:
        scores: dict[int, float] = {}
        lists: list[list[int]] = []
        if self._by != "vectors" and table.has_words:
            lists.append(self._by_words(table))
        if self._vector is not None:
            lists.append(self._by_vector(table))
        for found in lists:
            for rank, chunk in enumerate(found, 1):
                scores[chunk] = scores.get(chunk, 0.0) + 1 / (_RANK_OFFSET + rank)
        best = sorted(scores, key=lambda chunk: (-scores[chunk], chunk))
        condition, values = self._filter.of_documents()
        results: list[Result] = []
        for chunk in best:
            places = table.places(chunk, limits.INGEST_PLACES_MAX, condition, values)
            if places:
                text = table.one("SELECT text FROM chunks WHERE id = ?", (chunk,))
                if not isinstance(text, str):
                    raise errors.CorruptError(f"the corpus has places of chunk {chunk:,}, and not its text.", hint=HINT)
                results.append(self._result(places, text, scores[chunk]))
                if len(results) == self._k:
                    break
        return results

    def _result(self, places: list[Place], text: str, score: float) -> Result:
        snippet, highlights = snippet_of(text, words_of(self._query))
        first, *others = places
        return Result(
            first.name, first.page, first.start, first.stop, text, score, snippet, highlights, json.loads(first.metadata),
            tuple((each.name, each.page, each.start, each.stop) for each in others),
        )  # fmt: skip

    def _by_words(self, table: Manifest) -> list[int]:
        words = words_of(self._query)
        if not words:
            return []
        asked = " OR ".join('"' + word.replace('"', '""') + '"' for word in words)
        condition, values = self._filter.sql("words.rowid")
        rows = table.run(
            f"SELECT words.rowid FROM words WHERE words MATCH ? AND {condition} ORDER BY bm25(words), words.rowid LIMIT ?",  # noqa: S608 - our words; values are parameters
            (asked, *values, candidates_of(self._k)),
        )
        return [row[0] for row in rows]

    def _by_vector(self, table: Manifest) -> list[int]:
        vectors = generations.reading(table, self._path)
        if vectors is None or self._vector is None:
            return []
        with vectors:
            _check_embedder(self._made_with, str(table.meta("embedder", "")))
            count = int(table.meta("vectors", 0))
            masks = self._filter.masks(table, vectors, count) if self._filter else lambda block: mask_of(table, block)
            found = scan.nearest(
                vectors, count, self._vector, min(candidates_of(self._k), limits.INGEST_RESULTS_MAX), masks
            )
            return [chunk for chunk, _score in found]


def words_of(query: str) -> list[str]:
    """The words that are looked for; what stands in quotes is one, in that order.

    >>> words_of('the "page guard" of Django')
    ['the', 'page guard', 'of', 'Django']
    """
    query = query[: limits.INGEST_QUERY_CHARS_MAX].replace("\0", " ")  # which SQLite takes for the end of a text
    found = dict.fromkeys(" ".join((quoted or word).split()) for quoted, word in _WORDS.findall(query))
    return [word for word in found if re.search(r"\w", word)][: limits.INGEST_QUERY_WORDS_MAX]


def vector_of(query: str, embedder: Embedder, made_with: str, width: int) -> np.ndarray:
    """The query's vector, to be compared with those of a corpus.

    Raises:
        UsageError: the corpus was made with another embedder.
    """
    _check_embedder(embedder.name, made_with)
    return Embedding(embedder, width).embed_query(query)


def _check_embedder(name: str, made_with: str) -> None:
    if made_with != name:
        raise errors.UsageError(
            f"the corpus was made with the embedder {made_with!r}, not {name!r}.",
            hint="Search with that one; or ingest with the other, which embeds all texts anew.",
        )
