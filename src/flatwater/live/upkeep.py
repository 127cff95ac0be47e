"""What is done behind the statements: rows of dropped tables are removed, and rows that expired.

Covers:     one thread, started when there is something to do; what it did, for `system.jobs`.
Not here:   trimming the log (`live.writing`), which rows are seen meanwhile (`live.reading`).
Holds:      a page of rows.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import final

from flatwater import errors, limits
from flatwater.live.catalog import Catalog
from flatwater.live.rows import Heads, number_of, table_range
from flatwater.live.schema import STREAM, Schema
from flatwater.live.sequence import PER_MS
from flatwater.live.sequence import Sequence as Numbers
from flatwater.live.writing import Edit, Writer
from flatwater.store.space import Space

logger = logging.getLogger("flatwater.live")


@dataclass(slots=True)
class Job:
    """Something that is done behind the statements.

    Attributes:
        name: what it is, and of which table.
        state: "waiting", "running", "done" or "failed".
        rows: that it removed.
        started_s: when it ran last, in seconds since 1970; 0 if never.
        error: of the last time.
    """

    name: str
    state: str = "waiting"
    rows: int = 0
    started_s: float = 0.0
    error: str = ""


@final
class Upkeep:
    """The thread and its jobs. Thread-safe.

    Args:
        space: the inside of the store.
        heads: of rows and stream.
        catalog: what was dropped, and what expires.
        writer: through which rows expire, so that it is told.
        numbers: which tell the time.
    """

    def __init__(self, space: Space, heads: Heads, catalog: Catalog, writer: Writer, numbers: Numbers) -> None:
        self._space, self._heads, self._catalog, self._writer, self._numbers = space, heads, catalog, writer, numbers
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._turn = threading.Lock()  # of whoever does it now
        self._woken = threading.Event()
        self._is_closed = False
        self._thread: threading.Thread | None = None
        if catalog.dropped() or next(catalog.streams(), None) is not None:
            self.wake()

    def jobs(self) -> list[Job]:
        """What there is, and was."""
        with self._lock:
            return list(self._jobs.values())

    def wake(self) -> None:
        """There is something to do."""
        with self._lock:
            if self._is_closed:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="flatwater-live-upkeep", daemon=True)
                self._thread.start()
        self._woken.set()

    def close(self) -> None:
        """End; more than once does no harm."""
        with self._lock:
            self._is_closed = True
            thread = self._thread
        self._woken.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        while not self._is_closed:
            self._woken.clear()
            self.once()
            self._woken.wait(limits.LIVE_UPKEEP_S)

    def once(self) -> None:
        """Do what there is to do now."""
        with self._turn:
            self._all()

    def _all(self) -> None:
        for number, kind in self._catalog.dropped():
            self._do(
                f"remove rows of table {number}", lambda job, number=number, kind=kind: self._remove(job, number, kind)
            )
        for schema in list(self._catalog.streams()):
            self._do(f"expire {schema.full_name}", lambda job, schema=schema: self._expire(job, schema))

    def _do(self, name: str, work: object) -> None:
        with self._lock:
            job = self._jobs.setdefault(name, Job(name))
            while len(self._jobs) > limits.LIVE_JOBS_MAX:
                self._jobs.pop(next(iter(self._jobs)))
        job.state, job.started_s, job.error = "running", time.time(), ""
        try:
            work(job)  # type: ignore[operator]
            job.state = "done"
        except errors.FlatwaterError as error:
            job.state, job.error = "failed", str(error)
            logger.warning("%s: %s", name, error)

    def _remove(self, job: Job, number: int, kind: str) -> None:
        head = self._heads.stream if kind == STREAM else self._heads.rows
        low, high = table_range(head, number)
        while not self._is_closed:
            page = self._space.engine.page(
                low, high, rows=limits.LIVE_PAGE_ROWS, bytes_max=limits.LIVE_PAGE_BYTES, reverse=False
            )
            if not page.entries:
                self._catalog.forget(number)
                return
            self._space.write([(head, [(key, None) for key, _value in page.entries])], 0)
            job.rows += len(page.entries)

    def _expire(self, job: Job, schema: Schema) -> None:
        """Delete rows that lived long enough: those who follow see that they are deleted."""
        head = self._heads.stream
        low, high = table_range(head, schema.number)
        while not self._is_closed:
            since = max(self._numbers.now() - schema.ttl_s * 1_000 * PER_MS, 0)
            page = self._space.engine.page(
                low, high, rows=limits.LIVE_PAGE_ROWS, bytes_max=limits.LIVE_PAGE_BYTES, reverse=False
            )
            old = [key for key, value in page.entries if number_of(value) < since]
            if old:

                def plan(get: object, old: list[bytes] = old, since: int = since) -> list[Edit]:
                    return [
                        Edit(schema.number, head, key, None)
                        for key in old
                        if (stored := get(key)) is not None and number_of(stored) < since  # type: ignore[operator]
                    ]

                job.rows += len(self._writer.submit(plan, size=sum(len(value) for _key, value in page.entries)))
            if page.is_last or not page.entries:
                return
            low = page.entries[-1][0] + b"\x00"
