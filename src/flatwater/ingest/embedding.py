"""Embed texts whatever happens: good vectors, and a reason for each text that has none.

Covers:     splitting into calls, checking and normalising vectors, finding the text that makes a call fail.
Not here:   the embedders, trying a request again (`embedders.http`).
Holds:      what the embedder holds, and the vectors of one call; see `Embedding.bytes_max`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple, cast, final

from flatwater import errors, limits
from flatwater.ingest.embedders.base import Embedder, EmbedderFailed
from flatwater.worker import WorkerDied

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from flatwater.ingest.embedders.base import Vectors

# What is about the embedder or the program, never about a text.
_FINAL = (EmbedderFailed, errors.ClosedError, errors.MissingExtra, errors.BudgetExceeded, errors.UsageError)
_NEAR = 1e-5  # to the length 1: f32 does not tell it from that with many components
_TINY = 1e-12  # of a squared length in f32: it has lost digits there, and is taken again in f64


class Found(NamedTuple):
    """What came of texts.

    Attributes:
        vectors: of those that have one, in order.
        failed: why others have none, by their number.
        tried: how many of the texts, from the first on, these are about.
        error: why it is not all of them.
    """

    vectors: Vectors
    failed: dict[int, str]
    tried: int
    error: EmbedderFailed | None


@final
class Embedding:
    """An embedder whose failures are told by text. `embed` may be called by `workers` threads at a time.

    A call that fails is split in halves until the text is found that does it. An embedder that fails for
    `limits.INGEST_EMBED_FAILED_MAX` single texts in a row, or whose vectors cannot be used for the first
    `limits.INGEST_EMBED_REFUSED_MAX` texts at all, is given up.

    Memory: `bytes_max`, and the result of a call, which is the caller's: 4 bytes a component.

    Args:
        embedder: what is asked.
        width: of the vectors that are wanted; 0 takes what the embedder gives first.

    Attributes:
        embedder: the same.

    Raises:
        UsageError: the embedder's width is known, and another one.

    >>> from flatwater.ingest.embedders import embedder_of
    >>> vectors, failed = Embedding(embedder_of("hashing")).embed(["one", "two"])
    >>> vectors.shape, failed
    ((2, 384), {})
    """

    def __init__(self, embedder: Embedder, width: int = 0) -> None:
        if width and embedder.width and embedder.width != width:
            raise errors.UsageError(
                f"the embedder {embedder.name} gives vectors of {embedder.width} components, and {width} are wanted.",
                hint="Take the embedder that the corpus was made with, or make another corpus.",
            )
        self.embedder = embedder
        self._width = width or embedder.width
        self._call_s = 0.0  # that the last call took
        self._lock = threading.Lock()  # of what follows
        self._failed = 0  # single texts in a row whose call failed
        self._refused = 0  # texts before the first good vector

    @property
    def width(self) -> int:
        """Components of a vector; 0 as long as that is not known."""
        return self._width

    @property
    def load_texts(self) -> int:
        """Texts that are worth a load: of so many calls as take a second together, and of one at least."""
        calls = int(limits.INGEST_LOAD_S / self._call_s) if self._call_s else 1
        return self.embedder.batch_texts * max(1, min(calls, limits.INGEST_LOAD_BATCHES))

    def find_width(self) -> int:
        """Components of a vector; embeds a word where that is not known yet. Raises what `embed_query` raises."""
        return self._width or len(self._only(self.embed(["width"])))

    def embed(self, texts: list[str]) -> tuple[Vectors, dict[int, str]]:
        """The vectors of the texts that have one, in order, each of length 1; the others' numbers, and why.

        Raises:
            EmbedderFailed: the embedder is of no use.
            BudgetExceeded, ClosedError, MissingExtra, UsageError: as the embedder raises them.
        """
        found = self.embed_until(texts)
        if found.error is not None:
            raise found.error
        return found.vectors, found.failed

    def embed_until(self, texts: list[str]) -> Found:
        """The same of as many texts as it has called for until the embedder turns out to be of no use.

        Raises:
            BudgetExceeded, ClosedError, MissingExtra, UsageError: as the embedder raises them.
        """
        import numpy as np

        failed: dict[int, str] = {}
        parts: list[Vectors] = []
        tried, error = len(texts), None
        for first, stop in self._calls(texts):
            of_call: dict[int, str] = {}
            begun = time.monotonic()
            try:
                parts += [
                    part for part in self._part(texts, first, stop, of_call) if len(part)
                ]  # none has a width of its own
            except EmbedderFailed as failure:
                tried, error = first, failure
                break
            failed |= of_call
            self._call_s = time.monotonic() - begun
        if not parts:
            return Found(np.empty((0, self._width), np.float32), failed, tried, error)
        return Found(parts[0] if len(parts) == 1 else np.concatenate(parts), dict(sorted(failed.items())), tried, error)

    def embed_query(self, text: str) -> Vectors:
        """The vector of what is searched for, `(width,)`, of length 1.

        Raises:
            EmbedderFailed: there is none.
            BudgetExceeded, ClosedError, MissingExtra, UsageError: as the embedder raises them.
        """
        try:
            given = self.embedder.embed_query(text)
        except _FINAL:
            raise
        except Exception as error:
            raise EmbedderFailed(f"{self.embedder.name} cannot embed the query: {_reason(error)}.") from error
        failed: dict[int, str] = {}
        return self._only((self._checked([given], 1, 0, failed), failed))

    def bytes_max(self) -> int:
        """The most that it holds with `workers` calls under way, in bytes; results of `embed` are the caller's."""
        width = self._width or limits.INGEST_WIDTH_MAX
        total = 0
        total += self.embedder.bytes_max()  # the embedder, but for processes that reserve their limit themselves
        total += self.embedder.workers * self.embedder.batch_texts * width * 4  # vectors of a call as f32
        total += self.embedder.workers * self.embedder.batch_texts * width * 4  # the same, normalised
        total += self.embedder.workers * self.embedder.batch_texts * width * 8  # while they are divided: in f64
        return total

    def close(self) -> None:
        """Close the embedder."""
        self.embedder.close()

    def _calls(self, texts: list[str]) -> Iterator[tuple[int, int]]:
        """Ranges of texts that one call may take."""
        first = size = 0
        for number, text in enumerate(texts):
            more = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
            if number > first and (
                size + more > self.embedder.batch_bytes or number - first >= self.embedder.batch_texts
            ):
                yield first, number
                first, size = number, 0
            size += more
        if first < len(texts):
            yield first, len(texts)

    def _part(self, texts: list[str], first: int, stop: int, failed: dict[int, str]) -> list[Vectors]:
        """Vectors of the texts in a range, in order; it is halved where a call fails."""
        parts: list[Vectors] = []
        waiting = [(first, stop)]
        while waiting:
            first, stop = waiting.pop()
            try:
                given = self._asked(texts[first:stop])
            except _FINAL:
                raise
            except Exception as error:  # noqa: BLE001 - whatever an embedder raises is about its texts
                if stop - first > 1:
                    middle = (first + stop) // 2
                    waiting += [(middle, stop), (first, middle)]
                else:
                    failed[first] = _reason(error)
                    self._note_failure(error)
                continue
            self._failed = 0
            parts.append(self._checked(given, stop - first, first, failed))
        return parts

    def _asked(self, texts: list[str]) -> object:
        try:
            return self.embedder.embed(texts)
        except WorkerDied:  # somebody may have killed it: once more, where there are no halves to try
            if len(texts) > 1:
                raise
            return self.embedder.embed(texts)

    def _checked(self, given: object, count: int, first: int, failed: dict[int, str]) -> Vectors:
        """The rows that can be used, normalised; the others' reasons."""
        import numpy as np

        reasons: dict[int, str] = {}
        rows = _rows(given, count, reasons)
        if rows is None:
            reasons = dict.fromkeys(range(count), f"{_count(given)} vectors came for {count} texts")
            rows = np.empty((0, 0), np.float32)
        kept = [number for number in range(count) if number not in reasons]
        if kept and not self._fits(rows.shape[1]):
            why = f"its vector has {rows.shape[1]:,} components, and {self._width or 'at most ' + str(limits.INGEST_WIDTH_MAX)} are wanted"
            reasons |= dict.fromkeys(kept, why)
            rows, kept = rows[:0], []
        good, wrong = _normalised(rows)
        reasons |= {kept[row]: why for row, why in wrong.items()}
        self._note_refusals(len(good), reasons)
        failed |= {first + number: why for number, why in reasons.items()}
        return good

    def _fits(self, width: int) -> bool:
        with self._lock:
            if not self._width and 0 < width <= limits.INGEST_WIDTH_MAX:
                self._width = width
            return width == self._width > 0

    def _only(self, found: tuple[Vectors, dict[int, str]]) -> Vectors:
        vectors, failed = found
        if failed:
            raise EmbedderFailed(f"{self.embedder.name} gave no vector that can be used: {failed[0]}.")
        only: Vectors = vectors[0]
        return only

    def _note_failure(self, error: Exception) -> None:
        with self._lock:
            self._failed += 1
            if self._failed < limits.INGEST_EMBED_FAILED_MAX:
                return
        raise EmbedderFailed(
            f"{self.embedder.name} failed for {self._failed} texts in a row, the last time with: {_reason(error)}."
        ) from error

    def _note_refusals(self, good: int, reasons: dict[int, str]) -> None:
        with self._lock:
            if good or self._refused < 0:
                self._refused = -1  # it can: from now on, each text is told by itself
                return
            self._refused += len(reasons)
            if self._refused < limits.INGEST_EMBED_REFUSED_MAX:
                return
        raise EmbedderFailed(
            f"{self.embedder.name} gave no vector that can be used for the first {self._refused} texts: "
            f"{next(iter(reasons.values()))}."
        )


def _rows(given: object, count: int, reasons: dict[int, str]) -> Vectors | None:
    """What came as rows of f32, without those that are none; None where their number is wrong."""
    import numpy as np

    try:
        rows = np.asarray(given, np.float32)
    except (TypeError, ValueError, OverflowError):  # of several widths, or no numbers: one by one
        rows = np.empty(0, np.float32)
    else:
        if rows.ndim == 2:  # noqa: PLR2004 - rows and columns
            return rows if len(rows) == count else None
    if _count(given) != count:
        return None
    singles = []
    for number, row in enumerate(cast("Iterable[object]", given)):
        try:
            single = np.asarray(row, np.float32)
        except (TypeError, ValueError, OverflowError):
            single = np.empty(0, np.float32)
        if single.ndim != 1 or not single.size:
            reasons[number] = "its vector is no list of numbers"
        else:
            singles.append((number, single))
    usual = max((single.size for _, single in singles), key=[s.size for _, s in singles].count, default=0)
    for number, single in singles:
        if single.size != usual:
            reasons[number] = f"its vector has {single.size:,} components, and others {usual:,}"
    same = [single for _, single in singles if single.size == usual]
    return np.stack(same) if same else np.empty((0, 0), np.float32)


def _count(given: object) -> int:
    try:
        return len(given)  # type: ignore[arg-type]
    except TypeError:
        return 0


def _normalised(rows: Vectors) -> tuple[Vectors, dict[int, str]]:
    """The rows that have a direction, each of length 1; numbers of the others, and why."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        squares: npt.NDArray[np.float64] = np.einsum("ij,ij->i", rows, rows).astype(np.float64)
    lengths = np.sqrt(squares)
    wrong: dict[int, str] = {}
    for row in np.flatnonzero(~np.isfinite(squares) | (squares < _TINY)).tolist():
        lengths[row] = np.linalg.norm(rows[row].astype(np.float64))
        if not np.isfinite(lengths[row]):
            wrong[row] = "its vector holds NaN or infinity"
        elif not lengths[row]:
            wrong[row] = "its vector is zero"
    if wrong:
        keep = np.ones(len(rows), np.bool_)
        keep[list(wrong)] = False
        rows, lengths = rows[keep], lengths[keep]
    rows = rows.copy()  # an embedder may keep, and use again, what it gave
    far = np.abs(lengths - 1) > _NEAR
    if far.any():
        rows[far] = rows[far] / lengths[far, None]  # in f64
    return rows, wrong


def _reason(error: Exception) -> str:
    """One line of an error, of bounded length."""
    text = " ".join(str(error).split())[: limits.INGEST_REASON_CHARS_MAX].rstrip(". ")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
