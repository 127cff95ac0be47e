"""The child that reads documents, and the bytes it is promised: one lump of the ambient budget.

Covers:     reserving for the child, starting it, asking it, ending it.
Not here:   what to do when it dies (`remote`), what it does (`serving`).
Holds:      what one answer takes, twice; the child, `limit_bytes`. See `bytes_max`.
"""

from __future__ import annotations

from typing import final

from flatwater import errors, limits
from flatwater.budget import Budget, Reservation
from flatwater.source.documents import serving
from flatwater.worker import Worker

HOLDER = "documents.worker"


def result_bytes_max(piece_bytes: int) -> int:
    """Of one answer, pickled: text takes at most twice as much in UTF-8 as in memory."""
    return 2 * (limits.DOCUMENT_LUMP_BYTES + piece_bytes) + limits.DOCUMENT_NOTES_BYTES_MAX


def bytes_max(piece_bytes: int, limit_bytes: int) -> int:
    """The most that asking the child holds, here and there, in bytes."""
    total = 0
    total += result_bytes_max(piece_bytes)  # an answer as it arrives
    total += result_bytes_max(piece_bytes)  # the same, unpickled
    total += limits.WORKER_STDERR_BYTES_MAX  # the end of the child's error output
    total += limit_bytes  # the child itself, from the first document that needs it
    return total


@final
class Child:
    """A limited process that reads PDF, HTML and DOCX. It starts with the first of them. Not thread-safe.

    Args:
        budget: that its limit is taken from.
        limit_bytes: of the process.
        piece_bytes: of one piece.
        timeout_s: of one call.

    Attributes:
        interrupted: whether somebody does not want any more of it.
    """

    def __init__(self, budget: Budget, limit_bytes: int, piece_bytes: int, timeout_s: float) -> None:
        self._budget = budget
        self._limit_bytes = limit_bytes
        self._result_bytes_max = result_bytes_max(piece_bytes)
        self._timeout_s = timeout_s
        self._reservation: Reservation | None = None
        self._worker: Worker | None = None
        self._kinds: set[str] = set()  # that the process is ready for
        self._pid = 0
        self.interrupted = False

    def take(self, request: serving.Request) -> serving.Lump:
        """Some pieces.

        Raises:
            BudgetExceeded: the budget has no room for the child.
            MissingExtra: a library that this kind of document needs is not installed.
            LimitReached: the child cannot even start below its limit (`what` is "worker_limit"), or what `Worker.run`
                raises where the call took too much memory, time or room.
            ClosedError: it was interrupted.
            BrokenError: `serving.Unreadable`, or what `Worker.run` raises where the child died.
        """
        if self.interrupted:
            raise errors.ClosedError("this reader is closed.")
        worker = self._ready(request.kind)
        lump: serving.Lump = worker.run(serving.take, (request,), timeout=self._timeout_s).value
        return lump

    def interrupt(self) -> None:
        """From another thread: end the process; whoever waits for it gets an error, and asking it again is refused."""
        self.interrupted = True
        worker = self._worker
        if worker is not None:  # else it is made after the line above, and sees that
            worker.interrupt()
            worker.close()

    def close(self) -> None:
        """End the process and give its bytes back. Closing twice is fine."""
        worker, self._worker = self._worker, None
        try:
            if worker is not None:
                worker.kill()  # it keeps nothing that has to be put away
                worker.close()
        finally:
            reservation, self._reservation = self._reservation, None
            if reservation is not None:
                reservation.release()

    def _ready(self, kind: str) -> Worker:
        """The worker, started and with all imported that documents of this kind need."""
        worker = self._worker or self._made()
        if worker.pid != self._pid or not worker.pid:
            self._kinds.clear()
        if kind not in self._kinds:
            try:
                self._prepare(worker, kind)
            except errors.LimitReached:  # once, somebody else may have killed it
                self._prepare(worker, kind)
            self._kinds.add(kind)
            self._pid = worker.pid
        return worker

    def _prepare(self, worker: Worker, kind: str) -> None:
        try:
            worker.run(serving.ready, (kind,), timeout=limits.DOCUMENT_START_S_MAX)
        except (errors.MissingExtra, errors.ClosedError):
            raise
        except Exception as error:
            if type(error) is errors.BrokenError:  # the system has no process for it
                raise
            raise errors.LimitReached(
                f"the worker for {kind} documents cannot start below its limit of {self._limit_bytes:,} bytes: {error}",
                what="worker_limit", limit=self._limit_bytes, hint="Raise worker_limit.",
            ) from error  # fmt: skip

    def _made(self) -> Worker:
        try:
            self._reservation = self._budget.reserve(self._limit_bytes, HOLDER)
        except errors.BudgetExceeded as error:
            error.hint = "Raise the budget, or lower worker_limit of fw.documents: PDF, HTML and DOCX are read in a process of their own."
            raise
        worker = self._worker = Worker(self._limit_bytes, result_bytes_max=self._result_bytes_max)
        if self.interrupted:
            worker.close()  # it takes no calls
        return worker
