"""One run of a flow: its bytes are taken from the budget, its stages are put together, and what they do is counted.

Covers:     the sum of all bounds, refusing what does not fit, the budget's gate, time of each stage, segments between
            checkpoints, publishing what sinks have, ending early.
Not here:   the stages (`pipeline.stages`), what a flow is (`pipeline.flow`), the file of a checkpoint.
Holds:      what the stages hold; see `bytes_max`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from sys import getrefcount
from time import perf_counter
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.pipeline import checking, keeping, signals
from flatwater.pipeline.place import Batch, Ending, Place, Segment
from flatwater.pipeline.policy import Policy
from flatwater.pipeline.promise import holders, own_bytes, source_of
from flatwater.pipeline.reading import Position, Reading
from flatwater.pipeline.report import Gauge, Report, weighed
from flatwater.pipeline.singly import Singly, leading
from flatwater.pipeline.sources import Source
from flatwater.pipeline.stages import Stage
from flatwater.pipeline.weighing import Weigher
from flatwater.pipeline.writing import To

if TYPE_CHECKING:
    from flatwater.pipeline.checkpoint import Checkpoint
    from flatwater.pipeline.on_dask import Pass
    from flatwater.pipeline.progress import Progress


def _alone() -> int:
    batch: Batch = [None]
    return getrefcount(batch)


_ALONE = _alone()  # of a batch that one variable refers to, and nothing else


@final
@dataclass(frozen=True, slots=True)
class Options:
    """Of one run.

    Attributes:
        batch_bytes: heap bytes of a batch.
        batch_rows: items of a batch.
        on_error: "raise" or "skip".
        dead_letters: path of the file for items that failed; "" for none.
        checkpoint: path of the file that says how far the job is; "" for none.
        checkpoint_s: seconds between two of them.
        progress: show a line on the terminal.
        on: a cluster of Dask for the first stages, see `Flow.run`; None for none.
        injected: batches that begin at a stage, by its number: of items that run again from where they failed.
    """

    batch_bytes: int
    batch_rows: int
    on_error: str = "raise"
    dead_letters: str | os.PathLike[str] = ""
    checkpoint: str | os.PathLike[str] = ""
    checkpoint_s: float = limits.FLOW_CHECKPOINT_S
    progress: bool = False
    on: Any = None
    injected: Callable[[int, Weigher], Iterator[Batch]] | None = None


@final
class Run:
    """One pass over the source, through all stages. One thread at a time; used once.

    Args:
        part_of: the ending of the run that this one is a part of: that one has taken its bytes from the budget.
    """

    def __init__(
        self, source: Source, stages: Sequence[Stage], options: Options, *, part_of: Ending | None = None
    ) -> None:
        self._is_part = part_of is not None
        self._ending = part_of or Ending()
        self._holding = max((at for at, stage in enumerate(stages, 1) if hasattr(stage, "holds_results")), default=0)
        source = source_of(source, stages, options.on)
        self.gauges = [Gauge(source.name), *(Gauge(f"{at} {stage.name}", at) for at, stage in enumerate(stages, 1))]
        self.policy = Policy(options.on_error, options.dead_letters)
        self.policy.refuse_stopped = self._ending.refuse
        self.budget = Budget.current()
        self.bytes_max = sum(count for _name, count in holders(source, stages, options.batch_bytes, options.on))
        self.own_bytes = source.origin_bytes(options.batch_bytes) + sum(map(own_bytes, stages))
        self.waited_s = 0.0
        self.resumed_at = 0
        self._source = source
        self._stages = stages
        self._options = options
        self._segment = Segment(is_last=False)
        self._places = [
            Place(gauge, self.policy, options.batch_bytes, options.batch_rows, self._segment, self._ending)
            for gauge in self.gauges[1:]
        ]
        self._reading: Pass | None = None
        self._on = ""
        self._line: Progress | None = None
        self._singly: Singly | None = None
        self._inclusive_s = [0.0] * len(self.gauges)  # of each stage, with all in front of it, in this segment

    @property
    def items(self) -> int:
        """That came out of the last stage so far."""
        return self.gauges[-1].items_out

    def drained(self) -> Report:
        """Go through all of it, and tell what was done."""
        from flatwater.meter.measuring import measure

        with signals.ended_by_sigterm(), measure("flow") as reading, keeping.told(self._stages, self.gauges):
            for batch in self.batches():
                del batch
        return Report(
            items=self.items, wall_s=reading.wall_s, promised_bytes=self.bytes_max + self.own_bytes,
            seen_bytes=reading.delta, waited_s=self.waited_s, stages=weighed(self.gauges),
            skipped=self.policy.count, failures=self.policy.kept, resumed_at=self.resumed_at, on=self._on,
        )  # fmt: skip

    def stop(self) -> None:
        """End it at the next batch, from any thread."""
        self._ending.is_asked = True
        if (reading := self._reading) is not None:
            reading.stop()

    def batches(self) -> Generator[Batch, None, None]:
        """What comes out of the last stage.

        Raises:
            BudgetExceeded: the sum of all bounds does not fit into the budget; nothing was read.
            LimitReached: the budget's gate stayed closed for limits.GATE_WAIT_S.
            What a stage's function raises, with a note that says where, under the policy "raise".
        """
        if self._options.on is not None:
            from flatwater.pipeline import cluster

            cluster.refuse_missing()
        checking.refuse_same_file(self._source.origin, self._stages, self._options)
        with contextlib.ExitStack() as opened:
            if not self._is_part:
                self._refuse_what_does_not_fit()
                opened.enter_context(self.budget.reserve(self.bytes_max, "flow"))
            job = self._job(opened)
            state = job.state if job is not None else None
            start = state.position if state else Position()
            reading: Pass
            reading = here = self._opened_source(
                opened, self._source.reopened(start) if state and state.is_done else start
            )
            if job is not None and state is not None and state.is_done and (state.is_over or here.has_ended()):
                return job.refuse_gone(self._stages)
            opened.callback(self._end_kept)
            self._open_letters(opened, job)
            redo = self._open_sinks(opened, job)
            line = self._opened_line(opened, here)
            if not redo:
                self._unmute(here)
                reading = self._handed_over(opened, here)
            self._segment.is_last = state is not None and state.is_over
            while not self._segment.is_last:
                yield from self._through(reading, seconds=self._options.checkpoint_s if job else 0.0, items=redo)
                if job is not None and not self._segment.is_last and reading.position != job.state.position:
                    self._commit(job, reading)
                if redo and not self._segment.is_last:
                    redo, reading = 0, self._handed_over(opened, here)
            self._finish(job, reading)
            if line is not None:
                line.finish(reading.position)

    # --- beginning ----------------------------------------------------------------------------------------------------

    def _refuse_what_does_not_fit(self) -> None:
        """Source and sinks take bytes of their own when they start: without room for these, too, nothing is begun."""
        asked = self.bytes_max + self.own_bytes
        if self.own_bytes and asked > self.budget.free:
            raise errors.BudgetExceeded.refusal(
                "flow", asked=asked, held=self.budget.held, limit=self.budget.limit,
                hint="Raise the budget, or give the flow smaller batches: Flow(..., batch_bytes=...). explain() has the sum.",
            )  # fmt: skip

    def _job(self, opened: contextlib.ExitStack) -> Checkpoint | None:
        if not self._options.checkpoint:
            return None
        if not self._source.can_go_on:
            raise errors.UsageError(
                f"what was taken from {self._source.name} cannot be taken again, and a checkpoint has to.",
                hint="Put it into a file first, or read from a stream that keeps what it gave.",
            )
        for stage in self._stages:
            if reason := getattr(stage, "why_no_checkpoint", ""):
                raise errors.UsageError(f"{stage.name} {reason}.", hint="Run that part in a flow of its own.")
        from flatwater.pipeline.checkpoint import Checkpoint

        job = opened.enter_context(Checkpoint(self._options.checkpoint, [gauge.name for gauge in self.gauges]))
        self.resumed_at = job.state.position.count
        for at, carried in job.state.carried.items():
            self._places[at - 1].carried = carried
        return job

    def _opened_source(self, opened: contextlib.ExitStack, start: Position) -> Reading:
        weigher = Weigher(self._options.batch_bytes, self._options.batch_rows)
        reading = self._source.opened(weigher, self.gauges[0], start)
        opened.callback(reading.close)
        self._reading = reading
        self.policy.where = lambda: (self._source.name, reading.position)
        return reading

    def _handed_over(self, opened: contextlib.ExitStack, reading: Reading) -> Pass:
        """From here on the first stages work elsewhere, if that was asked for."""
        if self._options.on is None:
            return reading
        from flatwater.pipeline import cluster, on_dask

        found = opened.enter_context(cluster.Cluster(self._options.on))
        stages = self._stages[: cluster.checked(self._options.on, self._stages)]
        there = on_dask.Elsewhere(found, reading, stages, self.gauges[: len(stages) + 1], self.policy, self._options)
        opened.callback(there.close)
        self._reading, self._on = there, f"Dask at {found.address}, stages 1 to {len(stages)}"
        self.policy.where = lambda: (self._source.name, there.position)
        return there

    def _opened_line(self, opened: contextlib.ExitStack, reading: Reading) -> Progress | None:
        if not self._options.progress:
            return None
        from flatwater.pipeline.progress import Progress

        self._line = opened.enter_context(Progress(self._source, self.budget, reading.position))
        return self._line

    def _open_letters(self, opened: contextlib.ExitStack, job: Checkpoint | None) -> None:
        """What is there stays, but for what a killed run of this job has added since its checkpoint."""
        opened.callback(self.policy.close)
        self.policy.open(job.state.dead_letters if job is not None else None)
        if job is not None and (letters := self.policy.commit()) != job.state.dead_letters:
            job.state.dead_letters = letters
            job.save()

    def _open_sinks(self, opened: contextlib.ExitStack, job: Checkpoint | None) -> int:
        """How many items the first segment has to have, because a sink has them already; 0 for any number.

        Raises:
            CorruptError: a sink has more than one checkpoint that the file does not have.
        """
        redo = 0
        state, named = (job.state, job.state.job) if job is not None else (None, "")
        for at, (stage, place) in enumerate(zip(self._stages, self._places, strict=True), 1):
            if not isinstance(stage, To):
                continue
            writer = stage.sink.open(named, state.sinks.get(at) if state else None)
            opened.callback(writer.close, keep=job is not None)
            place.writer = writer
            record = writer.recorded(named) if job is not None else None
            if job is not None and state is not None and record is not None and record != state.record:
                job.refuse_another_day(record, stage.name)
                if record.epoch > state.epoch:
                    place.is_written = True
                    redo = record.count - state.position.count
        return redo

    def _unmute(self, reading: Reading) -> None:
        """A sink that is ahead by no item has only noted the end: what the source has got since then is new to it."""
        if any(place.is_written for place in self._places) and not reading.has_ended():
            for place in self._places:
                place.is_written = False

    def _end_kept(self) -> None:
        """What stages keep from one segment to the next, where the run ends between two of them."""
        for place in self._places:
            kept, place.kept = place.kept, None
            if kept is not None:
                kept.end(is_over=False)

    # --- going on -----------------------------------------------------------------------------------------------------

    def _through(self, reading: Pass, *, seconds: float, items: int) -> Generator[Batch, None, None]:
        """One segment: what comes out of the last stage, until all stages have handed on what they had."""
        self._segment.is_last = self._segment.is_through = False
        first = reading.stages_done
        chain = self._timed(self._noted(reading, seconds, items), first, is_head=True)
        opened = [chain]
        if isinstance(reading, Reading) and (first := self._begun_singly(reading)):
            chain = self._timed(self._one_by_one(chain, reading, first, seconds, items), first)
            opened.append(chain)
        for at, stage in enumerate(self._stages[first:], first + 1):
            place, injected = self._places[at - 1], self._options.injected
            replayed = () if injected is None else injected(at, place.weigher())
            chain = self._timed(stage.over(itertools.chain(replayed, chain), place), at)
            opened.append(chain)
        try:
            yield from chain
        finally:
            for each in reversed(opened):  # so that files of a source are closed now, and not some day
                each.close()
            if isinstance(reading, Reading):
                self._inclusive_s[0] += reading.taken_s()
            self._share_time(reading.stages_done)
            if not isinstance(reading, Reading):
                reading.share(self.gauges)
        for place in self._places:
            place.is_written = False

    def _begun_singly(self, reading: Reading) -> int:
        """How many of the first stages go item by item, because items are large."""
        first = leading(self._stages) if self._options.injected is None else 0
        if first:
            self._pass()
        return first if first and reading.has_large_items else 0

    def _one_by_one(
        self, batches: Iterator[Batch], reading: Reading, count: int, seconds: float, items: int
    ) -> Iterator[Batch]:
        """The first stages, which large items go through one by one; without batches in front of them, where that can be."""
        self._singly = Singly(self._stages[:count], self._places[:count])
        gauge, before = self.gauges[0], reading.position.count - self.gauges[0].items_out

        def look() -> None:
            self._pass()
            gauge.items_out = reading.position.count - before
            if self._line is not None:
                self._line.update(reading.position)

        each = reading.singly(look, seconds=seconds, items=items, is_due=self._is_due if seconds else None)
        if each is None:
            return self._singly.over(batches)

        def noted() -> Generator[Any, None, None]:
            yield from each
            self._ending.refuse()
            self._segment.is_last, self._segment.is_through = reading.is_exhausted, True
            look()

        return self._singly.over_items(noted())

    def _noted(self, reading: Pass, seconds: float, items: int) -> Generator[Batch, None, None]:
        batches = reading.segment(seconds=seconds, items=items, is_due=self._is_due if seconds else None)
        yield from batches if self._line is None else self._shown(batches, reading, self._line)
        self._segment.is_last, self._segment.is_through = reading.is_exhausted, True

    @staticmethod
    def _shown(batches: Iterator[Batch], reading: Pass, line: Progress) -> Generator[Batch, None, None]:
        for batch in batches:
            box = [batch]
            del batch
            line.update(reading.position)
            yield box.pop()

    def _commit(self, job: Checkpoint, reading: Pass, *, is_last: bool = False) -> None:
        """Make what the sinks have last, then note that they have it."""
        state = job.state
        state.position, state.epoch = reading.position, state.epoch + 1
        state.carried = {at: place.carried for at, place in enumerate(self._places, 1) if place.carried}
        state.dead_letters = self.policy.commit()
        state.is_done, state.is_over = False, is_last and not reading.is_exhausted
        for at, writer in self._writers():
            state.sinks[at] = writer.commit(state.record, is_last=is_last)
        job.save()

    def _finish(self, job: Checkpoint | None, reading: Pass) -> None:
        """All is through: what sinks have is published."""
        if job is not None:
            self._commit(job, reading, is_last=True)
        for at, writer in self._writers():
            published = writer.finish()
            if job is not None:
                job.state.sinks[at] = published
        if job is not None:
            job.state.is_done, job.state.dead_letters = True, None
            job.save()

    def _is_due(self) -> bool:
        """Whether a sink has as much as it wants to commit at once."""
        return any(getattr(writer, "is_full", False) for _at, writer in self._writers())

    def _writers(self) -> list[tuple[int, Any]]:
        return [(at, place.writer) for at, place in enumerate(self._places, 1) if place.writer is not None]

    def _timed(self, batches: Iterator[Batch], at: int, *, is_head: bool = False) -> Generator[Batch, None, None]:
        """Count what passes, and the time in this stage and all in front of it."""
        gauge = self.gauges[at]
        try:
            while True:
                self._ending.refuse()  # in any stage: a sort hands on long after its source has ended
                begun = perf_counter()
                if is_head and not self.budget.gate.is_open:
                    self._wait()
                try:
                    batch = next(batches, None)
                except Exception as error:
                    self.policy.located(error, gauge.name)
                    raise
                self._inclusive_s[at] += perf_counter() - begun
                if batch is None:
                    if not at:
                        self._ending.refuse()  # a source that waits no longer has not come to its end
                    elif not self._segment.is_through:  # a stage wants no more
                        self._segment.is_last = True
                    return
                if not batch:  # a source that waits: who holds results may hand them on meanwhile
                    if at < self._holding:
                        yield batch
                    continue
                gauge.items_out += len(batch)
                if at and getrefcount(batch) > _ALONE:
                    gauge.batches_kept += 1
                box = [batch]
                del batch
                yield box.pop()
        finally:
            getattr(batches, "close", lambda: None)()

    def _pass(self) -> None:
        """Before the source is read: unless the run was stopped, and once the gate is open."""
        self._ending.refuse()
        if not self.budget.gate.is_open:
            self._wait()

    def _wait(self) -> None:
        begun = perf_counter()
        is_open = self.budget.gate.wait(limits.GATE_WAIT_S)
        self.waited_s += perf_counter() - begun
        if not is_open:
            raise errors.LimitReached(
                f"the flow waited {limits.GATE_WAIT_S:.0f} s at the budget's closed gate ({self.budget.gate.reason}).",
                what="GATE_WAIT_S", limit=limits.GATE_WAIT_S, hint="Resume the gate, and run the flow again.",
            )  # fmt: skip

    def _share_time(self, away: int) -> None:
        """Each stage has its own time: without that of the stages in front of it, and of waiting for `away` stages elsewhere."""
        before_s = self._inclusive_s[away]
        for at in range(away + 1, len(self.gauges)):
            if not self._inclusive_s[at]:  # one of those that go item by item: the last of them has the time
                continue
            own_s = max(0.0, self._inclusive_s[at] - before_s)
            before_s = self._inclusive_s[at]
            shares = self._singly.shares(own_s) if self._singly is not None and at == self._singly.count else [own_s]
            for back, share_s in enumerate(reversed(shares)):
                self.gauges[at - back].busy_s += share_s
        self.gauges[0].busy_s += self._inclusive_s[0]
        self._inclusive_s = [0.0] * len(self.gauges)
