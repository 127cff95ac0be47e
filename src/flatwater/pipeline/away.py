"""Some items of a source, taken through the first stages of a flow in another process: what goes there, what comes back.

Covers:     which stages can, a task and what came of it, doing it on a worker, failures as notes for who asked.
Not here:   who sends tasks, and in which order (`pipeline.on_dask`), other stages (they run where the flow was started).
Holds:      on a worker: what the stages hold, and what came out, pickled; see `worker_bytes_max`.

A task does whole batches of its source. When enough has come out it pauses: what it says of its place is the next task's start.
"""

from __future__ import annotations

import pickle
import sys
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from time import perf_counter
from typing import Any, Final, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.pipeline.parallel import Parallel
from flatwater.pipeline.place import Batch, Place
from flatwater.pipeline.policy import Policy, shown
from flatwater.pipeline.reading import Position, Reading
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.sources import Source
from flatwater.pipeline.stages import Each, Filter, FlatMap, Map, Stage
from flatwater.pipeline.weighing import Weigher

_OF_AN_ITEM: Final = (Map, Filter, FlatMap, Each, Parallel)
_UNWANTED: Final = frozenset({"cancelled", "released", "forgotten"})  # of a task, as a worker of Dask says it
_TRACE_CHARS_MAX = 4_000
_LOADED_MAX = 4  # sets of functions that a worker remembers: what they keep for themselves is kept from task to task


def count_of_stages(stages: Sequence[Stage]) -> int:
    """How many of them, from the first one on, work on one item at a time, and so anywhere."""
    count = 0
    while count < len(stages) and isinstance(stages[count], _OF_AN_ITEM):
        count += 1
    return count


def worker_bytes_max(stages: Sequence[Stage], batch_bytes: int) -> int:
    """The most that a worker holds for one task, in bytes, beside what a reader of files or tables takes itself."""
    total = 0
    total += batch_bytes  # the batch that is gathered
    total += sum(stage.bytes_max(batch_bytes) for stage in stages)  # what the stages hold
    total += limits.FLOW_DASK_RESULT_BYTES_MAX  # what came out, pickled
    return total


@final
@dataclass(frozen=True, slots=True)
class Task:
    """Items to take through some stages.

    Attributes:
        origin: where the items come from, pickled.
        start: where to begin in it.
        batch_bytes: heap bytes of a batch.
        batch_rows: items of a batch.
        on_error: "raise" or "skip".
        wants_items: items that fail come back, for a file of dead letters.
        result_bytes: of what came out, pickled, after which it pauses.
    """

    origin: bytes
    start: Position
    batch_bytes: int
    batch_rows: int
    on_error: str
    wants_items: bool
    result_bytes: int


@final
@dataclass(slots=True)
class Note:
    """An item that failed, in one task.

    Attributes:
        at: the number of its stage.
        number: among those that the stage was given in this task.
        item: the beginning of what it looks like.
        error: of what was raised.
        count: items that the task's source had given then.
        letter: the item, pickled; empty if it was not asked for, or cannot be.
    """

    at: int
    number: int
    item: str
    error: str
    count: int
    letter: bytes = b""


@final
@dataclass(slots=True)
class Done:
    """What came of a task.

    Attributes:
        batches: what came out of the last stage, each pickled.
        gauges: of the source and the stages.
        position: behind the last item that was done.
        to_skip: items that were to be passed over and have not come.
        is_whole: nothing is left to do.
        notes: items that failed and were passed over.
        error: what ended it, pickled; empty if nothing did.
        error_text: what it looks like, with its traceback.
        error_note: of the item that raised it.
        bad_rows: that the reader of a file passed over: how many, and the first ones.
        took_s: seconds.
    """

    batches: list[bytes] = field(default_factory=list)
    gauges: list[Gauge] = field(default_factory=list)
    position: Position = field(default_factory=Position)
    to_skip: int = 0
    is_whole: bool = True
    notes: list[Note] = field(default_factory=list)
    error: bytes = b""
    error_text: str = ""
    error_note: Note | None = None
    bad_rows: tuple[int, list[Any]] = (0, [])
    took_s: float = 0.0

    def __sizeof__(self) -> int:
        """With all it holds: it is what a cluster is told that it weighs."""
        return 1_000 + sum(map(len, self.batches)) + sum(len(note.letter) + 500 for note in self.notes)


def dumped(value: Any, what: str) -> bytes:
    """Pickled, with the code of what the other process cannot import: lambdas, and what `__main__` defines.

    Raises:
        UsageError: it cannot be pickled.
    """
    import cloudpickle

    try:
        found: bytes = cloudpickle.dumps(value)
    except Exception as error:
        raise errors.UsageError(
            f"{what} cannot be sent to another process: {error}.",
            hint="Pass plain data, and open files, locks and connections in the function.",
        ) from error
    return found


def work(stages: bytes, task: bytes) -> Done:
    """Do a task. On a worker; it raises nothing, but tells."""
    done = Done()
    begun = perf_counter()
    try:
        todo: Task = pickle.loads(task)  # noqa: S301 - what the flow's own process sent
        try:
            found, origin = _loaded(stages), pickle.loads(todo.origin)  # noqa: S301 - the same
        except Exception as error:
            raise errors.UsageError(
                f"a worker cannot load the functions or items of the flow: {type(error).__name__}: {error}.",
                hint="Install their modules there too, or define the functions in the main program.",
            ) from error
        with _budget() as budget, budget.reserve(worker_bytes_max(found, todo.batch_bytes), "flow on a worker"):
            _Work(todo, found, origin, done).run()
    except Exception as error:  # noqa: BLE001 - whoever asked decides
        _tell(done, error)
    done.took_s = perf_counter() - begun
    return done


@lru_cache(maxsize=_LOADED_MAX)
def _loaded(stages: bytes) -> tuple[Stage, ...]:
    found: tuple[Stage, ...] = pickle.loads(stages)  # noqa: S301 - what the flow's own process sent
    return found


class _Notes(Policy):
    """Notes what failed; the policy of the run decides, where it is."""

    def __init__(self, name: str, *, wants_items: bool) -> None:
        super().__init__(name)
        self.notes: list[Note] = []
        self.fatal: list[tuple[Exception, Note]] = []
        self.size = 0
        self._wants_items = wants_items

    def failed(self, gauge: Gauge, number: int, item: Any, error: Exception) -> None:
        count = self.where()[1].count if self.where is not None else 0
        note = Note(gauge.at, number, shown(item), shown(error), count)
        with self._lock:
            if self.name == "raise":
                self.fatal.append((error, note))
                raise error
            gauge.skipped += 1
            self.count += 1
            if self._wants_items:
                note.letter = _letter(item)
                self.size += len(note.letter)
            if self._wants_items or len(self.notes) < limits.FLOW_FAILURES_KEPT:
                self.notes.append(note)
                self.size += limits.FLOW_FAILURE_BYTES


@final
class _Work:
    """One task, while it is done."""

    def __init__(self, task: Task, stages: tuple[Stage, ...], origin: Any, done: Done) -> None:
        self._stages = stages
        self._done = done
        self._policy = _Notes(task.on_error, wants_items=task.wants_items)
        done.gauges = [Gauge("source"), *(Gauge(f"{at} {stage.name}", at) for at, stage in enumerate(stages, 1))]
        done.position = task.start
        self._places = [Place(gauge, self._policy, task.batch_bytes, task.batch_rows) for gauge in done.gauges[1:]]
        self._origin = origin
        self._reading = self._opened(task)
        self._size = 0
        self._pause_bytes = task.result_bytes
        self._is_wanted = _asking()

    def run(self) -> None:
        """All of it, or as much as its result may weigh."""
        done, reading = self._done, self._reading
        chain: Iterator[Batch] = _timed(self._fed(reading), done.gauges[0])
        opened = [chain]
        for stage, place in zip(self._stages, self._places, strict=True):
            chain = _timed(stage.over(chain, place), place.gauge)
            opened.append(chain)
        try:
            for batch in chain:
                self._keep(dumped(batch, "what the flow made"))
                del batch
        except Exception as error:  # noqa: BLE001 - it is told with where it was
            _tell(done, error)
            done.error_note = next((note for raised, note in self._policy.fatal if raised is error), None)
        finally:
            for each in reversed(opened):
                each.close()  # type: ignore[attr-defined] # they are generators
            reading.close()
        inclusive = [gauge.busy_s for gauge in done.gauges]
        for at in range(1, len(inclusive)):
            done.gauges[at].busy_s = max(0.0, inclusive[at] - inclusive[at - 1])
        done.notes = self._policy.notes
        done.position, done.to_skip = reading.position, reading.to_skip
        report = getattr(self._origin, "report", None)
        if report is not None and report:
            done.bad_rows = report.count, report.rows

    def _opened(self, task: Task) -> Reading:
        weigher = Weigher(task.batch_bytes, task.batch_rows)
        reading = Source(self._origin, ()).opened(weigher, self._done.gauges[0], task.start)
        self._policy.where = lambda: ("", reading.position)
        return reading

    def _fed(self, reading: Reading) -> Iterator[Batch]:
        """Batches of the source, until enough has come out, or nobody asks any more."""
        for batch in reading.segment():
            box = [batch]
            del batch
            yield box.pop()
            if self._size + self._policy.size >= self._pause_bytes or not self._is_wanted():
                self._done.is_whole = False
                return

    def _keep(self, batch: bytes) -> None:
        self._size += len(batch)
        if self._size > limits.FLOW_DASK_RESULT_BYTES_MAX:
            raise errors.LimitReached(
                "one batch of the source became more than a worker may send back at once.",
                what="FLOW_DASK_RESULT_BYTES_MAX", limit=limits.FLOW_DASK_RESULT_BYTES_MAX,
                hint="Make the batches of the source smaller: Flow(..., batch_rows=...); or run it here.",
            )  # fmt: skip
        self._done.batches.append(batch)


def _timed(batches: Iterator[Batch], gauge: Gauge) -> Generator[Batch, None, None]:
    """Count what passes, and the time in this stage and all in front of it."""
    try:
        while True:
            begun = perf_counter()
            batch = next(batches, None)
            gauge.busy_s += perf_counter() - begun
            if batch is None:
                return
            gauge.items_out += len(batch)
            box = [batch]
            del batch
            yield box.pop()
    finally:
        close = getattr(batches, "close", None)
        if close is not None:
            close()


def _letter(item: Any) -> bytes:
    """The item, pickled; empty if it cannot be, or is too large to be sent back."""
    try:
        found = dumped(item, "an item")
    except errors.UsageError:
        return b""
    return found if len(found) <= limits.FLOW_DASK_RESULT_BYTES else b""


def _tell(done: Done, error: Exception) -> None:
    """What ended it, so that it can be raised where the flow was started."""
    text = "".join(traceback.format_exception(error))[-_TRACE_CHARS_MAX:]
    done.error_text = f"{shown(error)}\n{text}"
    try:
        done.error = dumped(error, "an error")
        pickle.loads(done.error)  # noqa: S301 - our own; many exceptions can be dumped and not loaded
    except Exception:  # noqa: BLE001 - then its text must do
        done.error = b""


def _asking() -> Callable[[], bool]:
    """A function that tells whether somebody still wants what this task makes."""
    distributed = sys.modules.get("distributed")
    try:
        worker = distributed.get_worker() if distributed is not None else None
        key = worker.get_current_task() if worker is not None else None
        tasks = worker.state.tasks if worker is not None else {}
    except (ValueError, KeyError, AttributeError):  # it is no worker's thread
        return lambda: True
    if worker is None:
        return lambda: True

    def is_wanted() -> bool:
        found = tasks.get(key)
        return found is not None and found.state not in _UNWANTED

    return is_wanted


def _budget() -> Budget:
    """A thread's share of what its worker may have; without such a limit, what is detected."""
    distributed = sys.modules.get("distributed")
    try:
        worker = distributed.get_worker() if distributed is not None else None
        limit = int(worker.memory_manager.memory_limit or 0) if worker is not None else 0
        threads = max(1, worker.state.nthreads) if worker is not None else 1
    except (ValueError, AttributeError):
        limit, threads = 0, 1
    share = int(limit * limits.FLOW_DASK_WORKER_SHARE / threads)
    return Budget(share, "dask worker") if share else Budget.detect("dask worker")
