"""One plan, run or audit at work: its remotes, its state, what it may hold, and the steps that they share.

Covers:     what is taken from the budget, which files are taken, the scan, the look at the destination, events.
Not here:   the order of the steps (`sync.applying`), each step itself.
Holds:      what its parts hold, taken from the budget before anything begins; see `bytes_max`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.budget.reservation import Reservation
from flatwater.sync import listing
from flatwater.sync.auditing import Adopts, Auditing, Difference
from flatwater.sync.comparing import Comparison
from flatwater.sync.entry import Entry
from flatwater.sync.failures import GoneFailure
from flatwater.sync.listing import Listing, ranges_of
from flatwater.sync.options import Options
from flatwater.sync.pacing import FREE, Limited
from flatwater.sync.patterns import Patterns
from flatwater.sync.phases import Phase, Phases
from flatwater.sync.remote import Remote
from flatwater.sync.retrying import Retrying
from flatwater.sync.scanning import Scan, Tell
from flatwater.sync.state import Pair, Range, State
from flatwater.sync.transfer import content_md5

Event = Callable[[dict[str, Any]], None]
_TASK_BYTES = 64 * 1024  # of a worker: its tasks and their outcomes


@final
class Job:
    """A context manager: open while it is at work. For one thread.

    Args:
        source: from where.
        destination: to where.
        state_path: of the state.
        options: how.
        read_only: the state is not changed.
        event: called with what happens, as a dict; None where nobody asks.

    Raises:
        BudgetExceeded: it does not fit.
        UsageError, BrokenError, CorruptError: of the state.
    """

    def __init__(
        self, source: Remote, destination: Remote, state_path: str, options: Options, *, read_only: bool, event: Event | None
    ) -> None:  # fmt: skip
        self.source = source
        self.destination = destination
        self.options = options
        self.budget = Budget.current()
        self.retrying = Retrying(options.tries)
        self.patterns = Patterns(options.include, options.exclude)
        self.comparison = Comparison(options.compare, source, self._source_md5)
        for remote in (source, destination):
            remote.pace = Limited(options.requests_per_s) if options.requests_per_s else FREE
        self._event = event
        self._shown_s = 0.0
        self.state = State(
            state_path, Pair(source.url, destination.url), read_only=read_only, durability=options.durability
        )
        self.state_before = self.state.file_bytes
        self.phases = Phases(self.state)
        self._reservation: Reservation | None = None
        try:
            self.workers, count, self._reservation = self._reserved()
            self.window = Budget(count, name="sync.transfers")  # its bytes are in the reservation
        except BaseException:
            self.state.close()
            raise

    # --- what it may hold ---------------------------------------------------------------------------------------------

    def _reserved(self) -> tuple[int, int, Reservation]:
        """As many workers as were asked for; where nobody asked, fewer if there is no room for them."""
        workers = self.options.workers or limits.SYNC_WORKERS
        count = self.options.bytes if isinstance(self.options.bytes, int) else limits.SYNC_BYTES
        while True:
            try:
                reservation = self.budget.reserve(
                    bytes_max(self.source, self.destination, self.options, workers, count), "sync"
                )
            except errors.BudgetExceeded as error:
                if self.options.bytes is None and count > limits.SYNC_BYTES_MIN:
                    count //= 2
                elif self.options.workers is None and workers > 1:
                    workers //= 2
                else:
                    error.hint = "Raise the budget, or lower workers=, list_workers= or bytes=."
                    raise
                continue
            return workers, count, reservation

    # --- which files --------------------------------------------------------------------------------------------------

    @property
    def takes(self) -> Callable[[bytes], bool] | None:
        """Whether a path is one of those that are wanted; None: all are."""
        return None if self.patterns.is_empty else self.patterns.takes

    @property
    def _takes_entry(self) -> Callable[[Entry], bool] | None:
        """The same of a file of the source. A key that only stands for a folder is none where there are folders."""
        takes = self.takes
        if self.source.has_folders or not self.destination.has_folders:
            return None if takes is None else lambda entry: takes(entry.path)
        if takes is None:
            return lambda entry: bool(entry.size) or not entry.path.endswith(b"/")
        return lambda entry: (bool(entry.size) or not entry.path.endswith(b"/")) and takes(entry.path)

    def _source_md5(self, entry: Entry) -> bytes:
        return self.retrying.call(lambda: content_md5(self.source, entry.path))

    # --- steps --------------------------------------------------------------------------------------------------------

    def scan(self, phase: Phase, *, resume: bool, tell: Tell | None = None) -> tuple[Scan, Listing]:
        """Look at the source, from the beginning or where a killed run was.

        Raises:
            Failure: it could not be listed to its end.
        """
        state = self.state
        if resume:
            ranges = state.ranges()
        else:
            ranges = ranges_of(self.source, self.options.levels, self.retrying, self.options.list_workers)
            run = state.run
            run.generation += 1
            run.phase, run.scan_begun_s, run.is_complete = "scan", time.time(), True
            run.compared, run.patterns = self.comparison.name, self.patterns.said
            if not state.read_only:
                state.begin_scan(ranges)
        found = Listing(self.source, ranges, self.options.list_workers, self.retrying, self._takes_entry)
        scan = Scan(state, found, ranges, self.comparison, self.takes, tell)

        def progress() -> None:
            phase.files, phase.bytes = scan.files, scan.bytes
            self.tell_progress(phase.name, files=scan.files, bytes=scan.bytes, new=scan.new, changed=scan.changed)

        scan.run(progress)
        progress()
        return scan, found

    def look(
        self, phase: Phase, tell: Callable[[Difference], None], *, repairs: bool, adopts: Adopts | None = None
    ) -> tuple[Auditing, Listing]:
        """Look at the destination.

        Raises:
            Failure: it could not be listed to its end.
        """
        try:
            ranges = ranges_of(self.destination, self.options.levels, self.retrying, self.options.list_workers)
        except GoneFailure:
            ranges = [Range()]
        takes = self.takes
        found = Listing(
            self.destination, ranges, self.options.list_workers, self.retrying,
            None if takes is None else lambda entry: takes(entry.path),
        )  # fmt: skip
        auditing = Auditing(
            self.state, self.destination, found, ranges, takes=takes, tell=tell, repairs=repairs, adopts=adopts
        )

        def progress() -> None:
            phase.files = auditing.files
            self.tell_progress(phase.name, files=auditing.files, missing=auditing.missing, altered=auditing.altered)

        auditing.run(progress)
        progress()
        return auditing, found

    # --- events -------------------------------------------------------------------------------------------------------

    def tell(self, event: str, **facts: Any) -> None:
        """Say what happens, to whoever asked."""
        if self._event is not None:
            self._event({"event": event, **facts})

    @property
    def is_heard(self) -> bool:
        """Whether somebody asked."""
        return self._event is not None

    def tell_progress(self, phase: str, **facts: Any) -> None:
        """The same, a few times a second at most."""
        now = time.monotonic()
        if self._event is not None and now - self._shown_s >= limits.SYNC_PROGRESS_S:
            self._shown_s = now
            self.tell("progress", phase=phase, **facts)

    # --- itself -------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End; connections are closed."""
        self.retrying.stop.set()
        try:
            self.source.close()
            self.destination.close()
        finally:
            self.state.close()
            if self._reservation is not None:
                self._reservation.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


def bytes_max(source: Remote, destination: Remote, options: Options, workers: int, large_bytes: int) -> int:
    """The most that a job holds with so many workers, in bytes."""
    total = 0
    total += max(  # one listing at a time
        listing.bytes_max(source, options.list_workers),
        listing.bytes_max(destination, options.list_workers) if options.check_destination else 0,
    )
    total += State.bytes_max(options.list_workers + 1)  # a walk beside each part of a listing, or over work
    total += workers * (limits.SYNC_CHUNK_BYTES + _TASK_BYTES)  # a chunk for each of them, and their tasks
    total += source.bytes_max(workers)
    total += destination.bytes_max(workers)
    total += large_bytes  # large files under way
    return total
