"""One plan, run or audit at work: its remotes, its state, what it may hold, and the steps that they share.

Covers:     what is taken from the budget, which files are taken, the scan, the look at the destination, events.
Not here:   the order of the steps (`sync.applying`), each step itself.
Holds:      what its parts hold, taken from the budget before anything begins; see `bytes_max`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple, Self, final

from flatwater import errors, limits, units
from flatwater.budget.budget import Budget
from flatwater.budget.reservation import Reservation
from flatwater.sync import listing
from flatwater.sync.auditing import Adopts, Auditing, Difference
from flatwater.sync.comparing import Comparison
from flatwater.sync.copying import held_by
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
        read_only: the state is not changed, and nothing is copied.
        audits: the destination is listed, not the source, and nothing is copied.
        event: called with what happens, as a dict; None where nobody asks.

    Raises:
        BudgetExceeded: it does not fit.
        UsageError, BrokenError, CorruptError: of the state.
    """

    def __init__(
        self, source: Remote, destination: Remote, state_path: str, options: Options, *, read_only: bool, audits: bool = False,
        event: Event | None,
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
            state_path, Pair(source.url, destination.url), read_only=read_only, traceless=read_only and not audits,
            durability=options.durability,
        )  # fmt: skip
        self.state_before = self.state.file_bytes if self.state.run.generation else 0  # a new one has not grown
        self.phases = Phases(self.state)
        self._reservation: Reservation | None = None
        try:
            wanted = Sizes.of(destination, options, copies=not (read_only or audits))
            self._audits = audits
            self.sizes, self._reservation = self._reserved(wanted)
            self.workers = self.sizes.workers
            self.window = Budget(
                max(1, self.sizes.large_bytes), name="sync.transfers"
            )  # its bytes are in the reservation
        except BaseException:
            self.state.close()
            raise

    # --- what it may hold ---------------------------------------------------------------------------------------------

    def _reserved(self, wanted: Sizes) -> tuple[Sizes, Reservation]:
        """As much as was asked for; where nobody asked, less if there is no room for it."""
        options, sizes = self.options, wanted
        while True:
            count = bytes_max(self.source, self.destination, options, sizes, audits=self._audits)
            try:
                return sizes, self.budget.reserve(count, "sync")
            except errors.BudgetExceeded as error:
                if (smaller := self._smaller(sizes)) is None:
                    error.hint = self._hint(sizes)
                    raise
                sizes = smaller

    def _smaller(self, sizes: Sizes) -> Sizes | None:
        """With less of what nobody asked for; None where nothing is left to be lowered."""
        least = least_large_bytes(self.destination)
        if self.options.bytes is None and sizes.large_bytes > least:
            return sizes._replace(large_bytes=max(least, sizes.large_bytes // 2))
        listed = max(listing.threads_of(each, sizes.list_workers) for each in (self.source, self.destination))
        if self.options.list_workers is None and listed > 1:
            return sizes._replace(list_workers=sizes.list_workers // 2)
        if self.options.workers is None and sizes.workers > 1:
            return sizes._replace(workers=sizes.workers // 2)
        return None

    def _hint(self, sizes: Sizes) -> str:
        """What there is to be lowered, and how far that gets."""

        def needed(sizes: Sizes) -> int:
            return bytes_max(self.source, self.destination, self.options, sizes, audits=self._audits)

        least = Sizes(1, 1, min(sizes.large_bytes, least_large_bytes(self.destination)))
        each = zip(("workers", "list_workers", "large_bytes"), least, strict=True)
        lower = [name for name, could in each if needed(sizes._replace(**{name: could})) < needed(sizes)]
        names = " and ".join(f"{name.removeprefix('large_')}=" for name in lower)
        need = needed(least)
        if names:
            return f"Raise the budget, or lower {names}: with the least of them it takes {units.format_bytes(need)}."
        return f"Raise the budget: this pair takes {units.format_bytes(need)} at least."

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
            ranges = ranges_of(self.source, self.options.levels, self.retrying, self.sizes.list_workers)
            run = state.run
            run.generation += 1
            run.phase, run.scan_begun_s, run.is_complete = "scan", time.time(), True
            run.compared, run.patterns = self.comparison.name, self.patterns.said
            if not state.read_only:
                state.begin_scan(ranges)
        found = Listing(self.source, ranges, self.sizes.list_workers, self.retrying, self._takes_entry)
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
            ranges = ranges_of(self.destination, self.options.levels, self.retrying, self.sizes.list_workers)
        except GoneFailure:
            ranges = [Range()]
        takes = self.takes
        found = Listing(
            self.destination, ranges, self.sizes.list_workers, self.retrying,
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


class Sizes(NamedTuple):
    """What is chosen by what fits.

    Attributes:
        workers: files that are copied or deleted at a time.
        list_workers: parts of a listing that are listed at a time.
        large_bytes: of large files under way together.
    """

    workers: int
    list_workers: int
    large_bytes: int

    @classmethod
    def of(cls, destination: Remote, options: Options, *, copies: bool = True) -> Sizes:
        """Those that were asked for, or the defaults; where nothing is copied, one file is read at a time."""
        listers = options.list_workers or limits.SYNC_LIST_WORKERS
        if not copies:
            return cls(1, listers, 0)
        least = least_large_bytes(destination)
        large = options.bytes if isinstance(options.bytes, int) else limits.SYNC_BYTES
        return cls(options.workers or limits.SYNC_WORKERS, listers, max(least, large) if least else 0)


def least_large_bytes(destination: Remote) -> int:
    """What one large file takes while it is copied, beside a chunk; 0 where it takes no more than that."""
    return held_by(destination)(limits.SYNC_LARGE_BYTES)


def bytes_max(source: Remote, destination: Remote, options: Options, sizes: Sizes, *, audits: bool = False) -> int:
    """The most that a job of these sizes holds, in bytes."""
    listed = [destination] if audits else [source, destination] if options.check_destination else [source]
    total = 0
    total += max(listing.bytes_max(each, sizes.list_workers) for each in listed)  # one listing at a time
    walks = max(listing.threads_of(each, sizes.list_workers) for each in listed)
    total += State.bytes_max(walks + 1)  # a walk beside each part of a listing, or over work
    total += sizes.workers * (limits.SYNC_CHUNK_BYTES + _TASK_BYTES)  # a chunk for each of them, and their tasks
    total += source.bytes_max(sizes.workers)
    total += destination.bytes_max(sizes.workers)
    total += sizes.large_bytes  # large files under way
    return total
