"""Changing rows: statements that wait are committed together, rows and log in one transaction; then it is told.

Covers:     group commit, reading what is there in front of a change, numbers of changes, trimming the log.
Not here:   what a statement changes (`live.changing`), who is told (`live.following`).
Holds:      the rows of the statements that are committed together; see `Writer.bytes_max`.

The first thread that comes does the work of all that wait behind it. What is acknowledged is on the disk: a process that is
killed has all of a statement or nothing, and rows and log always agree.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar, final

from flatwater import errors, limits
from flatwater.live.log import Change, Get, Log, PageOf
from flatwater.live.rows import NUMBER_BYTES, Heads, number_of, stored
from flatwater.live.sequence import Sequence as Numbers
from flatwater.store.engines import base
from flatwater.store.space import Space, check_size

Result = TypeVar("Result")
_EDIT_BYTES = 300  # of heap for each row that is changed, beside its bytes


class Edit(NamedTuple):
    """A row that is to be another one.

    Attributes:
        table: number of the table.
        head: of the partition.
        key: of the row.
        new: its JSON; None deletes it.
    """

    table: int
    head: bytes
    key: bytes
    new: bytes | None


Plan = Callable[[Get], Sequence[Edit]]  # given what is there, what is to be changed; may be asked more than once
Told = Callable[[list[Change]], None]


@final
class Writer:
    """The only one who changes rows. Thread-safe.

    Args:
        space: the inside of the store.
        heads: of rows and stream.
        log: the log.
        numbers: of changes.
        tell: is given what was committed, in its order, one transaction after another.
        log_bytes: of the log that are kept.
        behind: the number behind which a subscriber still has to read, if one is; else None.
        mark: is given a number up to which all was told.
    """

    def __init__(
        self,
        space: Space,
        heads: Heads,
        log: Log,
        numbers: Numbers,
        tell: Told,
        *,
        log_bytes: int,
        behind: Callable[[], int | None],
        mark: Callable[[int], None],
    ) -> None:
        self._space = space
        self._heads = heads
        self._log = log
        self._numbers = numbers
        self._tell = tell
        self._behind = behind
        self._mark = mark
        self._waiting: deque[_Job] = deque()
        self._working = threading.Lock()
        self._log_bytes_max = log_bytes
        self._begins, self.trimmed, self._ends, self.last = self._look()
        self._check_at = self._begins + log_bytes

    def _look(self) -> tuple[int, int, int, int]:
        def ends(_get: Get, page: PageOf) -> tuple[int, int, int, int]:
            return *self._log.begins(page), *self._log.ends(page)

        return look(self._space, ends)

    @staticmethod
    def bytes_max() -> int:
        """The most that it holds at once, in bytes, beside a statement that is larger than a group."""
        total = 0
        total += 2 * limits.LIVE_GROUP_BYTES  # rows of a group, before and after
        total += 2 * limits.LIVE_GROUP_BYTES  # these once more, in the log's records
        total += limits.LIVE_GROUP_JOBS * _EDIT_BYTES  # jobs that wait
        total += limits.LIVE_LOG_PAGE_BYTES  # of the log, to be trimmed
        return total

    @property
    def log_bytes(self) -> int:
        """Bytes of records in the log."""
        return self._ends - self._begins

    def submit(self, plan: Plan, *, size: int = 0) -> list[Change]:
        """Do what `plan` says, all or nothing, and return when it is on the disk.

        Args:
            plan: is called in the transaction, where nothing comes between.
            size: bytes of rows that it changes, or about.

        Returns:
            What was changed.

        Raises:
            What `plan` raises: then nothing was changed.
            BudgetExceeded: the statement is larger than a group and does not fit.
            BrokenError: the disk is full or broken; nothing was changed.
        """
        job = _Job(plan, size)
        self._waiting.append(job)
        with self._working:
            if not job.is_done:
                self._work()
        if job.error is not None:
            raise job.error
        return job.changes

    def mark(self) -> int:
        """A number behind all changes so far, and below all that come; nothing is written."""
        with self._working:
            number = self._numbers.next()
            self._mark(number)
            return number

    def _work(self) -> None:
        """Commit what waits, in groups, until nothing does: under the lock."""
        while self._waiting:
            jobs = [self._waiting.popleft()]
            size = jobs[0].size
            while self._waiting and len(jobs) < limits.LIVE_GROUP_JOBS and size < limits.LIVE_GROUP_BYTES:
                jobs.append(self._waiting.popleft())
                size += jobs[-1].size
            try:
                self._commit(jobs)
            except BaseException as error:
                for job in jobs:
                    job.error = job.error or _again(error)
                if not isinstance(error, Exception):
                    raise
            finally:
                for job in jobs:
                    job.is_done = True

    def _commit(self, jobs: list[_Job]) -> None:
        made: list[Change] = []
        ends = self._ends

        def work(get: Get) -> list[base.Group]:
            nonlocal ends
            made.clear()
            group = _Group(self._heads, self._log, self._numbers, get, self._ends, self.last)
            for job in jobs:
                job.error, job.changes = None, []
                try:
                    job.changes = group.add(job.plan(group.now))
                except Exception as error:  # noqa: BLE001 - it is that statement's
                    job.error = error
                made.extend(job.changes)
            ends = group.ends
            return group.groups()

        size = sum(job.size for job in jobs)
        if size > limits.LIVE_GROUP_BYTES:
            needed = 6 * size  # rows before and after, both in the log, and the pages of the transaction
            with self._space.budget.reserve(needed, "live.write"):
                self._space.engine.alter(work)
        else:
            self._space.engine.alter(work)
        if not made:
            return
        self._ends, self.last = ends, made[-1].sequence
        self._tell(made)
        if self._ends >= self._check_at:
            self._trim()

    # --- trimming -----------------------------------------------------------------------------------------------------

    def _trim(self) -> None:
        """Make the log as short as it may be; what a slow subscriber still needs stays, up to a multiple."""
        step = max(self._log_bytes_max // 16, 1)
        self._check_at = self._ends + step
        behind = self._behind()
        until = self._ends - self._log_bytes_max
        hard = self._ends - self._log_bytes_max * limits.LIVE_LOG_SLOW_RATIO
        while self._begins < until:
            keep = self.last - 1 if behind is None or self._begins < hard else min(behind, self.last - 1)
            gone = self._gone(until, keep)
            if not gone:
                return
            self._space.write([(self._log.low, gone)], sum(len(key) for key, _none in gone))
            self._begins, self.trimmed, _ends, _last = self._look()

    def _gone(self, until: int, keep: int) -> list[base.Write]:
        return look(self._space, lambda _get, page: self._log.trimmed(page, until, keep))


class _Group:
    """What is written in one transaction."""

    def __init__(self, heads: Heads, log: Log, numbers: Numbers, get: Get, ends: int, last: int) -> None:
        self._log, self._numbers, self._get = log, numbers, get
        self._written: dict[bytes, dict[bytes, bytes | None]] = {heads.rows: {}, heads.stream: {}}
        self._records: list[tuple[bytes, bytes | None]] = []
        self.ends, self._last = ends, last

    def now(self, key: bytes) -> bytes | None:
        """The value of a row, with what was written before in this transaction."""
        for pairs in self._written.values():
            if key in pairs:
                return pairs[key]
        return self._get(key)

    def add(self, edits: Sequence[Edit]) -> list[Change]:
        """The changes that these edits are."""
        changes: list[Change] = []
        for edit in edits:
            before = self.now(edit.key)
            old = None if before is None else before[NUMBER_BYTES:]
            if old == edit.new:
                continue
            since = 0 if before is None else number_of(before)
            change = Change(self._numbers.next(), edit.table, edit.key, old, edit.new, since)
            self._written[edit.head][edit.key] = None if edit.new is None else stored(change.sequence, edit.new)
            record = self._log.record(change, self.ends, self._last)
            self.ends, self._last = self.ends + len(record[1]), change.sequence
            self._records.append(record)
            changes.append(change)
        return changes

    def groups(self) -> list[base.Group]:
        """As the store takes them: rows and log."""
        groups: list[base.Group] = [(head, list(pairs.items())) for head, pairs in self._written.items() if pairs]
        if self._records:
            groups.append((self._log.low, self._records))
        check_size(sum(len(key) + len(value or b"") for _head, pairs in groups for key, value in pairs))
        return groups


class _Job:
    """A statement that waits to be committed."""

    __slots__ = ("changes", "error", "is_done", "plan", "size")

    def __init__(self, plan: Plan, size: int) -> None:
        self.plan = plan
        self.size = size
        self.changes: list[Change] = []
        self.error: BaseException | None = None
        self.is_done = False


def look(space: Space, call: Callable[[Get, PageOf], Result]) -> Result:
    """What `call` makes of reads of one version, which it is given: get and page."""
    made: Result = space.engine.look(call)  # type: ignore[attr-defined]
    return made


def _again(error: BaseException) -> BaseException:
    """An error for one of several statements that it hit."""
    if isinstance(error, errors.FlatwaterError):
        return error
    return errors.BrokenError(f"the statement could not be committed: {error or type(error).__name__}.")
