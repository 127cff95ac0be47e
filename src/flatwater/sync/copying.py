"""Copy what is to be copied: workers side by side, what came of it written down in short transactions.

Covers:     handing files out, failures of single files, a failure of a whole remote, bytes under way, a second turn for files
            that something stood in the way of.
Not here:   copying one file (`sync.transfer`), which files (`sync.scanning`).
Holds:      a page of work, and for each worker the files it was given and a chunk; large files take their bytes from one
            window, in turn.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, nullcontext
from typing import Literal, NamedTuple, final

from flatwater import limits
from flatwater.budget.budget import Budget
from flatwater.errors import BudgetExceeded
from flatwater.sync import record as records
from flatwater.sync.cases import Cases
from flatwater.sync.entry import Entry
from flatwater.sync.failures import (
    Failure,
    GoneFailure,
    InTheWayFailure,
    RefusedFailure,
    RemoteFailure,
    TemporaryFailure,
)
from flatwater.sync.record import Record
from flatwater.sync.remote import Remote, shown
from flatwater.sync.retrying import Retrying, Stopped, are_left
from flatwater.sync.state import Change, State, Work
from flatwater.sync.status import Status
from flatwater.sync.transfer import Transfer
from flatwater.units import format_bytes

Kind = Literal["copied", "gone", "failed", "in the way", "left"]
_HOUR_S = 3600.0


class Task(NamedTuple):
    """A file that is to be copied."""

    path: bytes
    size: int  # as it is known
    before: Record
    had_copy: bool  # whether the destination may have had one when the run began


class Outcome(NamedTuple):
    """What became of it: "left" where the run ended first."""

    task: Task
    kind: Kind
    record: Record | None = None
    bytes: int = 0
    reason: str = ""
    has_copy: bool = True  # whether the destination may have one now that a sync put there


Report = Callable[[Outcome], None]


@final
class Copying:
    """One turn over all files that are to be copied. For one thread.

    Args:
        state: has the work, and gets what came of it.
        transfer: copies one file.
        destination: is made durable before that is written down.
        workers: files at a time.
        retrying: of each file.
        window: bytes that large files take while they are under way.
        held_bytes: how many bytes a file of a size takes, beside a chunk.
        takes: files that are left out stay as they are.
        is_last: whether no other turn follows: what something stands in the way of has failed then.
        report: told of each file, in the calling thread.

    Attributes:
        blocked: how many files something stood in the way of.
    """

    def __init__(
        self,
        state: State,
        transfer: Transfer,
        destination: Remote,
        *,
        workers: int,
        retrying: Retrying,
        window: Budget,
        held_bytes: Callable[[int], int],
        takes: Callable[[bytes], bool] | None,
        is_last: bool,
        report: Report,
    ) -> None:
        self._state = state
        self._transfer = transfer
        self._destination = destination
        self._workers = workers
        self._retrying = retrying
        self._window = window
        self._budget = Budget.current()
        self._held_bytes = held_bytes
        self._takes = takes
        self._is_last = is_last
        self._report = report
        self._generation = state.run.generation
        self._cases = Cases(state, destination, retrying)
        # flatwater: allow FW401 — at most two lists for each worker
        self._tasks: queue.SimpleQueue[list[Task] | None] = queue.SimpleQueue()
        # flatwater: allow FW401 — one for each list of tasks that was handed out
        self._outcomes: queue.SimpleQueue[list[Outcome] | BaseException] = queue.SimpleQueue()
        self._under_way = 0  # lists of tasks that were handed out
        self._done: list[Outcome] = []
        self._written_s = time.monotonic()
        self._lock = threading.Lock()
        self._in_a_row = 0  # files that could not be copied since the last one that was no accident
        self._alive_s = time.monotonic()  # when that was
        self.blocked = 0

    def run(self) -> None:
        """Copy them.

        Raises:
            RemoteFailure: no file can be read or written any more; what was copied is written down.
            TemporaryFailure: as many as `limits.SYNC_IN_A_ROW` could not be, one after the other: a server may be away.
        """
        threads = [
            threading.Thread(target=self._work, args=(number,), name=f"sync-copy-{number}", daemon=True)
            for number in range(self._workers)
        ]
        for thread in threads:
            thread.start()
        is_interrupted = False
        try:
            with closing(self._batches()) as batches:
                for batch in batches:
                    while self._under_way >= 2 * self._workers:
                        self._take(self._outcomes.get())
                    self._tasks.put(batch)
                    self._under_way += 1
                    while not self._outcomes.empty():
                        self._take(self._outcomes.get())
            while self._under_way:
                self._take(self._outcomes.get())
        except BaseException as error:
            self._retrying.stop.set()
            is_interrupted = not isinstance(error, Exception)
            raise
        finally:
            for _thread in threads:
                self._tasks.put(None)
            # Where nobody answers, what was copied in the last second is not written down, as when it is killed.
            if not (is_interrupted and are_left(threads)):
                for thread in threads:
                    thread.join()
                self._rest()
                self._write()

    def _rest(self) -> None:
        """What workers still said while the run was ending."""
        while not self._outcomes.empty():
            found = self._outcomes.get()
            if isinstance(found, list):
                self._done += found

    # --- handing out --------------------------------------------------------------------------------------------------

    def _batches(self) -> Generator[list[Task], None, None]:
        """Tasks, some small ones at a time. All are marked first as having a copy: one may be published and not written down."""
        gate = Budget.current().gate
        for page in self._state.todo(Work.COPY):
            gate.wait()
            tasks = self._readied(page)
            if len(self._done) >= limits.SYNC_COMMIT_ROWS:  # settled without a worker
                self._write()
            most = min(limits.SYNC_TASK_FILES, max(1, len(tasks) // self._workers))  # a few files are for all workers
            batch: list[Task] = []
            size = 0
            for task in tasks:
                if batch and (len(batch) == most or size + task.size > limits.SYNC_TASK_BYTES):
                    yield batch
                    batch, size = [], 0
                batch.append(task)
                size += task.size
            if batch:
                yield batch

    def _readied(self, page: list[tuple[bytes, int]]) -> list[Task]:
        if self._takes is not None:
            page = [each for each in page if self._takes(each[0])]
        tasks = []
        for (path, size), value in zip(page, self._state.records([path for path, _size in page]), strict=True):
            if value is None:
                continue
            before = records.unpacked(value)
            if self._is_last and before.status is Status.ERROR:
                continue  # it was tried in the turn before
            marked = before if before.has_copy else before._replace(has_copy=True, is_marked=True)
            tasks.append(Task(path, size, marked, before.has_copy))
        if not self._cases.matter:
            tasks = self._without_clashes(tasks)
        marks = [
            Change(task.path, task.before._replace(has_copy=False), task.before) for task in tasks if not task.had_copy
        ]
        self._state.commit_each(marks)
        return tasks

    def _without_clashes(self, tasks: list[Task]) -> list[Task]:
        """Those whose places no other file has, whose name differs only in case; what becomes of the others is settled here."""
        others = self._cases.others([task.path for task in tasks])
        for task in tasks:
            if other := others.get(task.path):
                (value,) = self._state.records([other])
                is_going = value is not None and records.unpacked(value).status is Status.DELETED_ON_SOURCE
                kind: Kind = "in the way" if is_going and not self._is_last else "failed"
                reason = f"{shown(task.path)} cannot be written: {self._destination.url} takes it and {shown(other)} for one."
                self._done.append(Outcome(task, kind, reason=reason, has_copy=task.had_copy))
        return [task for task in tasks if task.path not in others]

    # --- in the workers -----------------------------------------------------------------------------------------------

    def _work(self, number: int) -> None:
        while (tasks := self._tasks.get()) is not None:
            self._outcomes.put([self._outcome(task, number) for task in tasks])

    def _judge(self, failure: Failure | None) -> None:
        """End the run where nothing was copied for long: each of a million files would be tried five times, for days."""
        now = time.monotonic()
        with self._lock:
            if not isinstance(failure, TemporaryFailure):
                self._in_a_row, self._alive_s = 0, now
                return
            self._in_a_row += 1
            count, age_s = self._in_a_row, now - self._alive_s
        if count >= limits.SYNC_IN_A_ROW and age_s >= limits.SYNC_IN_A_ROW_S:
            self._ends(
                TemporaryFailure(
                    f"no file could be copied for {age_s:.0f} s, and {count:,} failed one after the other. The last one: {failure}",
                    hint="Look whether both ends can be reached, and run it again: it goes on with the files that are left.",
                )
            )

    def _outcome(self, task: Task, number: int) -> Outcome:
        tries = [task.path] if task.had_copy else []  # of publishing it

        def publishes(entry: Entry) -> None:
            if task.before.is_marked and not records.is_version(task.before, entry):  # it changed since it was listed
                self._state.note_version(task.path, records.found(entry, self._generation))
            tries.append(task.path)

        try:
            need = self._held_bytes(task.size)
            with self._reserved(task, need, number) if need else nullcontext():
                copied = self._retrying.call(lambda: self._transfer.copy(task.path, self._generation, publishes))
        except Stopped:
            return Outcome(task, "left", has_copy=bool(tries))
        except GoneFailure:
            return Outcome(task, "gone", has_copy=bool(tries))
        except InTheWayFailure as error:
            kind: Kind = "failed" if self._is_last else "in the way"
            return Outcome(task, kind, reason=str(error), has_copy=False)  # where something else stands, no copy does
        except Failure as error:
            if not isinstance(error, RemoteFailure):
                self._judge(error)
                return Outcome(task, "failed", reason=str(error), has_copy=bool(tries))
            self._ends(error)
        except BaseException as error:  # noqa: BLE001 - raised by `run`
            self._ends(error)
        else:
            self._judge(None)
            return Outcome(task, "copied", copied.record, copied.bytes)
        return Outcome(task, "left", has_copy=bool(tries))

    def _ends(self, error: BaseException) -> None:
        """Nothing more is begun, and `run` raises it."""
        self._retrying.stop.set()
        self._outcomes.put(error)

    @contextmanager
    def _reserved(self, task: Task, need: int, number: int) -> Iterator[None]:
        """Bytes of the window; what is more than all of it, as of objects above 78 GiB, comes from the budget."""
        name, most = f"sync.worker {number}", self._window.limit
        with self._window.reserve(min(need, most), name, wait_s=_HOUR_S):
            try:
                more = self._budget.reserve(need - most, name) if need > most else nullcontext()
            except BudgetExceeded as error:
                raise RefusedFailure(
                    f"{shown(task.path)} cannot be copied: it takes {format_bytes(need)} meanwhile, and there are "
                    f"{format_bytes(most)}. Raise the budget, or bytes=: {error}"
                ) from None
            with more:
                yield

    # --- what came of it ----------------------------------------------------------------------------------------------

    def _take(self, found: list[Outcome] | BaseException) -> None:
        if isinstance(found, BaseException):
            raise found
        self._under_way -= 1
        self._done += found
        if len(self._done) >= limits.SYNC_COMMIT_ROWS or time.monotonic() - self._written_s > limits.SYNC_COMMIT_S:
            self._write()

    def _write(self) -> None:
        """Write down what came of files, when the files themselves are durable."""
        done, self._done = self._done, []
        if any(outcome.kind == "copied" for outcome in done):
            settled(self._destination, self._retrying)
        for start in range(0, len(done), limits.SYNC_COMMIT_ROWS):
            self._commit(done[start : start + limits.SYNC_COMMIT_ROWS])
        self._written_s = time.monotonic()
        for outcome in done:
            self._report(outcome)

    def _commit(self, done: list[Outcome]) -> None:
        changes = []
        failures: dict[bytes, str] = {}
        for outcome in done:
            path, before = outcome.task.path, outcome.task.before
            if outcome.kind == "copied":
                changes.append(Change(path, before, outcome.record))
            elif outcome.kind == "failed":
                failed = before._replace(status=Status.ERROR, has_copy=outcome.has_copy, generation=self._generation)
                changes.append(Change(path, before, failed))
                failures[path] = outcome.reason
            elif outcome.kind == "gone" and not outcome.has_copy:
                changes.append(Change(path, before, None))
            elif outcome.kind == "in the way":
                self.blocked += 1
                changes.append(Change(path, before, before._replace(status=Status.NEW, has_copy=outcome.has_copy)))
            elif not outcome.has_copy:
                changes.append(Change(path, before, before._replace(has_copy=False)))
        if changes:
            self._state.commit(changes, failures=failures)


def settled(destination: Remote, retrying: Retrying) -> None:
    """Make what a destination has durable; when the run ends, it is tried once more and not again.

    Raises:
        Failure: it is not known to be.
    """
    try:
        retrying.call(destination.settle)
    except Stopped:
        destination.settle()


def held_by(destination: Remote) -> Callable[[int], int]:
    """How many bytes a file of a size takes while it is copied, beside a chunk; 0 for small ones, which have room in that."""

    def held(size: int) -> int:
        if size <= limits.SYNC_CHUNK_BYTES:
            return 0
        return destination.held_bytes(size)

    return held
