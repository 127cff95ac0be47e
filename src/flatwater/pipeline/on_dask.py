"""The first stages of a flow on a Dask cluster: parts of the source go there, results come back in order.

Covers:     a bounded number of parts under way, failures, ending early.
Not here:   which cluster (`pipeline.cluster`), cutting the source into parts (`pipeline.partitions`), what a worker does with one (`pipeline.away`).
Holds:      what is on its way to the cluster, and one result; see `bytes_max`.

What a worker died over, Dask gives to another one: a part is done once more, from its beginning. So functions of these stages are
called at least once for each item, and results are the same as long as functions return the same.
"""

from __future__ import annotations

import contextlib
import pickle
import threading
import uuid
from collections import deque
from collections.abc import Callable, Generator, Sequence
from time import perf_counter
from typing import Any, final

from flatwater import errors, limits
from flatwater.pipeline import away
from flatwater.pipeline.away import Done, Note, Task
from flatwater.pipeline.cluster import Cluster, no_worker
from flatwater.pipeline.partitions import Part, Partition
from flatwater.pipeline.place import Batch
from flatwater.pipeline.policy import Policy
from flatwater.pipeline.reading import Position, Reading
from flatwater.pipeline.report import Failure, Gauge
from flatwater.pipeline.stages import Stage

_LOOK_S = 0.2  # between looks whether the run was stopped, while a result is waited for
_LOOK_AT_WORKERS_S = 2.0  # between looks whether there are any


def bytes_max() -> int:
    """The most that is held here for stages that run elsewhere, in bytes, beside the largest item."""
    total = 0
    total += limits.FLOW_DASK_WINDOW_BYTES  # functions and items on their way, pickled
    total += 2 * limits.FLOW_DASK_RESULT_BYTES_MAX  # a result as it came over the network, and its batches, pickled
    total += limits.FLOW_DASK_PARTITION_BYTES  # the items of a part, while it is pickled
    return total


@final
class _Sent:
    """A part under way."""

    __slots__ = ("future", "part", "size", "start")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.start = part.start
        self.size = 0  # bytes on their way
        self.future: Any = None


@final
class Elsewhere:
    """A pass over a source, and through the first stages of a flow, on a cluster: what comes out of the last of these.

    For one thread; `stop` from any. It takes the place of a `Reading`.

    Args:
        cluster: that does it.
        reading: of the source; it goes on from there.
        stages: all that go to the cluster.
        gauges: of the source and these stages.
        policy: of the run.
        options: of the run.

    Attributes:
        position: of the source, behind what was given last.
        is_exhausted: there is nothing more.
        stages_done: how many stages its batches have gone through.
    """

    def __init__(
        self,
        cluster: Cluster,
        reading: Reading,
        stages: Sequence[Stage],
        gauges: Sequence[Gauge],
        policy: Policy,
        options: Any,
    ) -> None:
        self.position = reading.position
        self.is_exhausted = False
        self.stages_done = len(stages)
        self.busy_s = [0.0] * (len(stages) + 1)
        self._cluster = cluster
        self._gauges = gauges
        self._policy = policy
        self._options = options
        self._stages = away.dumped(tuple(stages), "a function of the flow")
        if len(self._stages) > limits.FLOW_DASK_PARTITION_BYTES:
            raise errors.LimitReached(
                f"the functions of the flow have {len(self._stages):,} bytes, which go with every part of the source.",
                what="FLOW_DASK_PARTITION_BYTES", limit=limits.FLOW_DASK_PARTITION_BYTES,
                hint="Load what is large in the function, once in each process: functools.cache.",
            )  # fmt: skip
        self._report = getattr(reading.origin, "report", None)
        self._partition = Partition(reading, cluster.slots, has_checkpoint=bool(options.checkpoint))
        self._sent: deque[_Sent] = deque()
        self._front = self.position.count  # items given before the first part that is under way
        self._is_planned = False  # all parts are under way or done
        self._is_stopped = False
        self._result_bytes = limits.FLOW_DASK_CHECKPOINT_BYTES if options.checkpoint else limits.FLOW_DASK_RESULT_BYTES
        self._run = uuid.uuid4().hex
        self._turn = 0

    # --- as a reading -------------------------------------------------------------------------------------------------

    def segment(
        self, *, seconds: float = 0.0, items: int = 0, is_due: Callable[[], bool] | None = None
    ) -> Generator[Batch, None, None]:
        """What came out, until so many seconds have gone, or it is due; a segment ends between two results."""
        assert not items, "what is done again is done here"
        until = perf_counter() + seconds if seconds else float("inf")
        while True:
            done = self._next()
            if done is None:
                self.is_exhausted = True
                return
            done.batches.reverse()
            while done.batches:
                yield pickle.loads(done.batches.pop())  # noqa: S301 - what our own workers made
            if done.error_text:
                raise self._error_of(done)
            if perf_counter() >= until or (is_due is not None and is_due()):
                return

    def stop(self) -> None:
        """Wait no longer; from any thread."""
        self._is_stopped = True

    def close(self) -> None:
        """What is under way ends at its next batch, and is forgotten."""
        under_way = [sent.future for sent in self._sent]
        self._sent.clear()
        if under_way:
            with contextlib.suppress(Exception):  # the cluster is gone: then so is what was under way
                self._cluster.client.cancel(under_way)
        self._partition.close()

    def share(self, gauges: Sequence[Gauge]) -> None:
        """Give the stages the time that they took on workers."""
        for gauge, spent in zip(gauges, self.busy_s, strict=False):
            gauge.busy_s += spent
        self.busy_s = [0.0] * len(self.busy_s)

    # --- going on -----------------------------------------------------------------------------------------------------

    def _next(self) -> Done | None:
        """The next result, in order; None at the end."""
        self._fill()
        if not self._sent:
            return None
        sent = self._sent[0]
        done = self._result(sent)
        self._note(done)
        self._count(done)
        self.position = sent.part.reached(done, self._front)
        if not done.error_text:
            self._go_on(sent, done)
        return done

    def _go_on(self, sent: _Sent, done: Done) -> None:
        self._partition.learn(sent.part, done)
        if done.is_whole:
            self._front += done.position.count
            self._sent.popleft()
        else:
            sent.start = Position(done.position.count, done.position.token, done.position.skip)
            self._begin(sent)
        self._fill()

    def _fill(self) -> None:
        """Send as many parts as may be under way."""
        most = min(2 * self._cluster.slots, limits.FLOW_DASK_PARTITIONS_MAX)
        while not self._is_planned and len(self._sent) < most:
            size = sum(sent.size for sent in self._sent)
            if self._sent and size + limits.FLOW_DASK_PARTITION_BYTES > limits.FLOW_DASK_WINDOW_BYTES:
                return
            if self._sent and self._sent[0].start.skip:
                return  # what is to be skipped may reach into the next part
            part = self._partition.next()
            if part is None:
                self._is_planned = True
                return
            sent = _Sent(part)
            self._sent.append(sent)
            self._begin(sent)

    def _begin(self, sent: _Sent) -> None:
        options, part = self._options, sent.part
        task = pickle.dumps(
            Task(
                part.origin,
                sent.start,
                options.batch_bytes,
                options.batch_rows,
                self._policy.name,
                bool(options.dead_letters),
                self._result_bytes,
            )
        )
        sent.size = len(task) + len(self._stages)
        self._turn += 1
        sent.future = self._cluster.client.submit(
            away.work, self._stages, task, key=f"flatwater-{self._run}-{self._turn}", retries=limits.FLOW_DASK_RETRIES,
            pure=False,
        )  # fmt: skip

    def _result(self, sent: _Sent) -> Done:
        """What came of a part; the cluster may forget it.

        Raises:
            ClosedError: the run was stopped.
            BrokenError: the workers that tried died, or the cluster is gone.
            LimitReached: there is no worker any more.
        """
        self._wait(sent.future)
        try:
            done: Done = sent.future.result()
        except Exception as error:
            raise _lost(error) from error
        finally:
            sent.future.release()
        return done

    def _wait(self, future: Any) -> None:
        is_done = threading.Event()
        future.add_done_callback(lambda _future: is_done.set())
        begun = looked = perf_counter()
        while not future.done():
            if self._is_stopped:
                raise errors.ClosedError("the run was stopped.", hint="Run the flow again.")
            is_done.wait(_LOOK_S)
            now = perf_counter()
            if now - looked < _LOOK_AT_WORKERS_S:
                continue
            looked = now
            try:
                if self._cluster.client.nthreads():
                    begun = now
            except (OSError, TimeoutError, RuntimeError) as error:
                raise _lost(error) from error
            if now - begun > limits.FLOW_DASK_WAIT_S:
                raise no_worker()

    # --- what a result tells ------------------------------------------------------------------------------------------

    def _count(self, done: Done) -> None:
        last = len(self._gauges) - 1
        for at, (gauge, told) in enumerate(zip(self._gauges, done.gauges, strict=False)):
            gauge.items_in += told.items_in
            gauge.bytes_out += told.bytes_out
            if at < last:
                gauge.items_out += told.items_out  # the run counts those of the last one
            self.busy_s[at] += told.busy_s
        if self._report is not None and done.bad_rows[0]:
            count, rows = done.bad_rows
            for row in rows:
                self._report.add(row)
            self._report.count += count - len(rows)

    def _note(self, done: Done) -> None:
        """Items that were passed over there, as if it had been here."""
        skipped = [told.skipped for told in done.gauges]
        for note in done.notes:
            skipped[note.at] -= 1
            self._policy.passed_over(self._gauges[note.at], self._failure(note), _item(note))
        for gauge, more in zip(self._gauges, skipped, strict=False):
            gauge.skipped += more
            self._policy.count += more

    def _failure(self, note: Note) -> Failure:
        gauge = self._gauges[note.at]
        source, offset = self._gauges[0].name, f"item {self._front + note.count:,}"
        return Failure(gauge.name, gauge.items_in + note.number, note.item, note.error, source, offset)

    def _error_of(self, done: Done) -> Exception:
        """What ended a task, to be raised here."""
        try:
            error: Exception = pickle.loads(done.error)  # noqa: S301 - what our own workers made
        except Exception:  # noqa: BLE001 - what it looks like must do
            error = errors.BrokenError(f"on a worker: {done.error_text}", hint="This error cannot be sent by itself.")
        if (note := done.error_note) is not None:
            for gauge, told in zip(self._gauges, done.gauges, strict=False):
                gauge.items_in -= told.items_in  # the number is counted from the part's beginning
            error.add_note(f"flatwater: in stage {self._failure(note)}")
        error.add_note(f"flatwater: on a worker of {self._cluster.address}: {done.error_text}")
        return error


class _Lost:
    """An item that could not be sent back."""

    def __reduce__(self) -> str:
        raise TypeError("it stayed on a worker of Dask, which could not send it")

    def __repr__(self) -> str:
        return "<it stayed on a worker>"


def _item(note: Note) -> Any:
    try:
        return pickle.loads(note.letter)  # noqa: S301 - what our own workers made
    except Exception:  # noqa: BLE001 - it is told in its dead letter
        return _Lost()


def _lost(error: BaseException) -> errors.BrokenError:
    """Dask gave a part up."""
    hint = "Is its scheduler there? Run the flow again; with checkpoint=... it goes on where it was."
    if type(error).__name__ == "KilledWorker":
        hint = "A function crashes, or takes more memory than a worker has: look at its log, or raise its memory_limit."
    return errors.BrokenError(f"Dask gave a part of the flow up: {type(error).__name__}: {str(error)[:500]}", hint=hint)


Pass = Reading | Elsewhere
