"""Pieces of a document that a child reads for us, whatever becomes of the child.

Covers:     asking for lumps of pieces; finding the page that ends the child, and going on behind it.
Not here:   the child and its bytes (`lump`), what it does (`serving`).
Holds:      one answer of the child: see `lump.bytes_max`.

When the child dies in a lump of pages, they are asked for one at a time until the bad one is found. It is reported and
passed over, and the rest comes in lumps again. A document that ends `limits.DOCUMENT_DEATHS_MAX` children is given up there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import final

from flatwater import errors, limits, worker
from flatwater.source.documents import kinds, lump, serving
from flatwater.source.documents.pdf import EMPTY
from flatwater.source.documents.report import CUT, SKIPPED

_NO_PAGES = 1 << 30  # more than any call takes of what has no pages
_FATAL = (errors.BudgetExceeded, errors.MissingExtra, errors.ClosedError, errors.UsageError, MemoryError)
_DEATHS = (worker.WorkerDied, worker.WorkerOverLimit, worker.WorkerTimeout, errors.LimitReached)

Problem = Callable[[int, str, str], object]  # page, reason, kind


@final
class RemoteDocument:
    """One document. Iterate once. Not thread-safe.

    Args:
        child: that reads it.
        request: from where on, and within which bounds.
        problem: called with the page, the reason and its kind for what cannot be read.
        empty: called for each page without text.
        gate: called before each call of the child; returns when reading may go on.
    """

    def __init__(
        self,
        child: lump.Child,
        request: serving.Request,
        problem: Problem,
        empty: Callable[[], object],
        gate: Callable[[], object],
    ) -> None:
        self._child = child
        self._request = request
        self._problem = problem
        self._empty = empty
        self._gate = gate
        self._has_pages = request.kind == kinds.PDF
        self._place = (max(request.page, 1) if self._has_pages else 0, request.offset)
        self._alone = 0  # pages still to be asked for one at a time
        self._deaths = 0
        self._ended = False
        self._failed_at: serving.Place | None = None

    def pieces(self) -> Iterator[serving.Part]:
        """`(page, start, stop, text)` of each piece."""
        while not self._ended:
            self._gate()
            answer = self._answer()
            if answer is None:
                continue
            for page, kind, reason in answer.notes:
                if kind == EMPTY:
                    self._empty()
                else:
                    self._problem(page, reason, kind)
            yield from answer.parts
            if self._alone and answer.place[0] > self._place[0]:
                self._alone -= 1
            self._place = answer.place
            self._ended = answer.done

    def _answer(self) -> serving.Lump | None:
        """What the child gives; None where it gave nothing, and that is accounted for."""
        try:
            return self._child.take(self._asked())
        except _FATAL:
            raise
        except _DEATHS as error:
            if isinstance(error, errors.LimitReached) and error.what == "worker_limit":
                raise
            self._find_blame(error)
        except (serving.Unreadable, worker.CallFailed, worker.ResultNotPicklable, OSError) as error:
            self._give_up(_words(error))
        except errors.BrokenError:
            raise  # no process can be started: that is no fault of the document
        except Exception as error:  # noqa: BLE001 - a library met something it does not know, in the child
            self._give_up(_words(error))
        return None

    def _asked(self) -> serving.Request:
        pages = (1 if self._alone else limits.DOCUMENT_PAGES_AT_ONCE) if self._has_pages else _NO_PAGES
        return self._request._replace(page=self._place[0], offset=self._place[1], pages_max=pages)

    def _find_blame(self, error: BaseException) -> None:
        """After the child died: find the page that did it, and pass it over; or see that nothing more comes."""
        self._deaths += 1
        again = self._failed_at == self._place
        self._failed_at = self._place
        if self._deaths >= limits.DOCUMENT_DEATHS_MAX:
            self._give_up(f"it ended its worker {self._deaths} times, the last time so: {_words(error)}")
        elif not self._has_pages:
            if again:  # the first time, it may have been something else that ended the child
                self._give_up(_words(error))
        elif not self._alone:
            self._alone = limits.DOCUMENT_PAGES_AT_ONCE
            self._open_only()
        elif again or not isinstance(error, worker.WorkerDied):  # once, somebody else may have killed it
            page, offset = self._place
            self._problem(page, _words(error), CUT if offset else SKIPPED)
            self._place = (page + 1, 0)
            self._alone -= 1

    def _open_only(self) -> None:
        """If the document cannot even be opened, no page is to blame."""
        try:
            self._child.take(self._asked()._replace(pages_max=0))
        except (*_DEATHS, serving.Unreadable, OSError) as error:
            self._give_up(_words(error))

    def _give_up(self, reason: str) -> None:
        self._ended = True
        page, offset = self._place
        if offset or page > 1:
            self._problem(page, f"{reason}; the rest of the document is left out", CUT)
        else:
            self._problem(0, reason, SKIPPED)


def _words(error: BaseException) -> str:
    """What happened, without what it means for a program."""
    if isinstance(error, worker.WorkerOverLimit):
        return f"it needs more than the worker's limit of {error.limit:,} bytes (worker_limit)"
    if isinstance(error, worker.WorkerTimeout):
        return f"it takes longer than {error.limit:g} s (page_timeout_s)"
    if isinstance(error, worker.WorkerDied):
        how = f"killed by signal {-error.exit_code}" if error.exit_code < 0 else f"exit code {error.exit_code}"
        return f"the worker died ({how}); it may need more than its limit (worker_limit)"
    if isinstance(error, OSError):
        return f"it cannot be read: {error.strerror or error}"
    if isinstance(error, errors.FlatwaterError):
        return str(error.args[0]).rstrip(".")
    return f"{type(error).__name__}: {error}"
