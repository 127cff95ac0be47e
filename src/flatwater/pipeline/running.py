"""One run of a flow: its bytes are taken from the budget, its stages are put together, and what they do is counted.

Covers:     the sum of all bounds, refusing what does not fit, the budget's gate, time of each stage, ending early.
Not here:   the stages (`pipeline.stages`), what a flow is (`pipeline.flow`).
Holds:      what the stages hold; see `bytes_max`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from time import perf_counter
from typing import final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.pipeline.policy import Policy
from flatwater.pipeline.report import Gauge, Report
from flatwater.pipeline.sources import Source
from flatwater.pipeline.stages import Batch, Stage
from flatwater.pipeline.weighing import Weigher


def holders(source: Source, stages: Sequence[Stage], batch_bytes: int) -> list[tuple[str, int]]:
    """Who holds how much of a flow, in bytes: each stage, the batch that the consumer has, the run itself."""
    found = [(source.name, source.bytes_max(batch_bytes))]
    found += [(f"{at} {stage.name}", stage.bytes_max(batch_bytes)) for at, stage in enumerate(stages, 1)]
    found.append(("the batch that is used", batch_bytes))
    found.append(("failures that are kept", Policy.bytes_max()))
    return found


@final
class Run:
    """One pass over the source, through all stages. One thread at a time; used once."""

    def __init__(
        self, source: Source, stages: Sequence[Stage], *, batch_bytes: int, batch_rows: int, on_error: str
    ) -> None:
        self.policy = Policy(on_error)
        self.budget = Budget.current()
        self.bytes_max = sum(count for _name, count in holders(source, stages, batch_bytes))
        self.origin_bytes = source.origin_bytes(batch_bytes)
        self.waited_s = 0.0
        self._is_stopped = False
        self.items = 0
        self.gauges = [Gauge(source.name), *(Gauge(f"{at} {stage.name}") for at, stage in enumerate(stages, 1))]
        self._source = source
        self._stages = stages
        self._batch_bytes = batch_bytes
        self._batch_rows = batch_rows

    def drained(self) -> Report:
        """Go through all of it, and tell what was done."""
        from flatwater.meter.measuring import measure

        with measure("flow") as reading:
            for batch in self.batches():
                del batch
        return Report(
            items=self.items, wall_s=reading.wall_s, promised_bytes=self.bytes_max + self.origin_bytes,
            seen_bytes=reading.delta, waited_s=self.waited_s, stages=self.gauges,
            skipped=self.policy.count, failures=self.policy.kept,
        )  # fmt: skip

    def stop(self) -> None:
        """End it at the next batch, from any thread."""
        self._is_stopped = True

    def batches(self) -> Generator[Batch, None, None]:
        """What comes out of the last stage.

        Raises:
            BudgetExceeded: the sum of all bounds does not fit into the budget; nothing was read.
            LimitReached: the budget's gate stayed closed for limits.GATE_WAIT_S.
            What a stage's function raises, with a note that says where, under the policy "raise".
        """
        self._refuse_what_does_not_fit()
        with self.budget.reserve(self.bytes_max, "flow"):
            chain: Iterator[Batch] = self._timed(self._source.batches(self._weigher(), self.gauges[0]), 0)
            opened = [chain]
            for at, stage in enumerate(self._stages, 1):
                chain = self._timed(stage.over(chain, self._weigher(), self.gauges[at], self.policy), at)
                opened.append(chain)
            try:
                for batch in chain:
                    box = [batch]
                    del batch
                    self.items += len(box[0])
                    yield box.pop()
            finally:
                for each in reversed(opened):  # so that files of a source are closed now, and not some day
                    close = getattr(each, "close", None)
                    if close is not None:
                        close()
                self._share_time()

    def _weigher(self) -> Weigher:
        return Weigher(self._batch_bytes, self._batch_rows)

    def _refuse_what_does_not_fit(self) -> None:
        """The source takes its own bytes when it starts: without room for these, too, nothing is begun."""
        asked = self.bytes_max + self.origin_bytes
        if self.origin_bytes and asked > self.budget.free:
            raise errors.BudgetExceeded.refusal(
                "flow", asked=asked, held=self.budget.held, limit=self.budget.limit,
                hint="Raise the budget, or give the flow smaller batches: Flow(..., batch_bytes=...). explain() has the sum.",
            )  # fmt: skip

    def _timed(self, batches: Iterator[Batch], at: int) -> Iterator[Batch]:
        """Count what passes, and the time in this stage and all in front of it."""
        gauge, gate = self.gauges[at], self.budget.gate
        try:
            while True:
                if not at:
                    if self._is_stopped:
                        raise errors.ClosedError("the run was stopped.", hint="Run the flow again.")
                    if not gate.is_open:
                        self._wait()
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

    def _wait(self) -> None:
        begun = perf_counter()
        is_open = self.budget.gate.wait(limits.GATE_WAIT_S)
        self.waited_s += perf_counter() - begun
        if not is_open:
            raise errors.LimitReached(
                f"the flow waited {limits.GATE_WAIT_S:.0f} s at the budget's closed gate ({self.budget.gate.reason}).",
                what="GATE_WAIT_S", limit=limits.GATE_WAIT_S, hint="Resume the gate, and run the flow again.",
            )  # fmt: skip

    def _share_time(self) -> None:
        """Each stage has its own time: without that of the stages in front of it."""
        inclusive = [gauge.busy_s for gauge in self.gauges]
        for at in range(1, len(inclusive)):
            self.gauges[at].busy_s = max(0.0, inclusive[at] - inclusive[at - 1])
